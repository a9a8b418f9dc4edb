//! How often one client address, and one user from it, may try to log in.

use awc::http::Method;
use serde_json::{Value, json};

use super::pages::Browser;
use super::{alice, passkeys_of, world};
use crate::support::cloud::Builder;
use crate::support::login::{PASSWORD, password_is, together};
use crate::support::passkey::Authenticator;
use crate::support::{Answer, Api, Scope, password, scoped, seed, token};
use crate::testdb::TestDb;

/// Addresses of clients.
const HERE: &str = "192.0.2.1";
const THERE: &str = "192.0.2.2";
const ELSEWHERE: &str = "192.0.2.3";

/// A cloud with these limits an hour, so that no time passes within a test, behind a proxy that
/// says who asks. What says nothing comes from the proxy's own address.
fn limited<'db>(db: &'db TestDb, limits: &[(&str, u32)]) -> Builder<'db> {
    let mut builder = world(db)
        .set("api_server", "trusted_proxies", "127.0.0.0/8")
        .set("login_limits", "window", 3600)
        .set("login_limits", "passkey_per_address", 0)
        .set("login_limits", "passkey_per_user", 0);
    for (name, most) in limits {
        builder = builder.set("login_limits", name, most);
    }
    builder
}

async fn from(api: &Api, address: &str, path: &str, body: &Value) -> Answer {
    let request = api.request(Method::POST, path);
    let request = request.header("X-Forwarded-For", address);
    request.json(body).send().await
}

async fn begin(api: &Api, address: &str, user: Option<&str>) -> Answer {
    let passkey = match user {
        Some(user) => json!({ "user_id": user }),
        None => json!({}),
    };
    from(
        api,
        address,
        "/v4/auth/passkey/start",
        &json!({ "passkey": passkey }),
    )
    .await
}

async fn finish(api: &Api, address: &str, key: &mut Authenticator, begun: &Value) -> Answer {
    let body = json!({"credential": key.get(&begun["publicKey"])});
    from(api, address, "/v4/auth/passkey/finish", &body).await
}

async fn authenticate(api: &Api, address: &str, identity: &Value) -> Answer {
    let body = json!({"auth": {"identity": identity}});
    from(api, address, "/v3/auth/tokens", &body).await
}

/// Put off, with what a client needs to know.
fn put_off(answer: &Answer) {
    assert_eq!(answer.status(), 429, "{answer:?}");
    let seconds: u32 = answer.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&seconds), "{seconds}");
    let error = &answer.json()["error"];
    assert_eq!(
        (&error["code"], &error["title"]),
        (&json!(429), &json!("Too Many Requests"))
    );
    assert!(
        answer
            .message()
            .contains(&format!("Wait {seconds} seconds")),
        "{answer:?}"
    );
    assert_eq!(answer.header("X-Subject-Token"), None);
}

on_sqlite! {
    async fn too_many_steps_are_429_for_that_user_or_passkey_and_address_alone(db: TestDb) {
        let limits = [("passkey_per_address", 8), ("passkey_per_user", 3)];
        let cloud = limited(&db, &limits).start().await;
        let api = cloud.api();

        // Whoever is named, known or not, and however it is written.
        for user in ["alice", "nobody"] {
            for _ in 0..3 {
                begin(api, HERE, Some(user)).await.expect(201);
            }
            put_off(&begin(api, HERE, Some(user)).await);
            put_off(&begin(api, HERE, Some(&user.to_uppercase())).await);
        }

        // The user elsewhere, and others here.
        begin(api, THERE, Some("alice")).await.expect(201);
        begin(api, HERE, Some("bob")).await.expect(201);
        begin(api, HERE, None).await.expect(201);
        // Eight from this address.
        put_off(&begin(api, HERE, None).await);
        put_off(&begin(api, HERE, Some("bob")).await);
        begin(api, THERE, None).await.expect(201);
        // What a client says of itself is not believed.
        put_off(&begin(api, &format!("{THERE}, {HERE}"), None).await);

        // Where nobody is named, the passkey is what counts.
        let (_, mut key, _) = alice(api).await;
        for _ in 0..3 {
            let begun = begin(api, ELSEWHERE, None).await.expect(201).json();
            finish(api, ELSEWHERE, &mut key, &begun).await.expect(201);
        }
        let begun = begin(api, ELSEWHERE, None).await.expect(201).json();
        put_off(&finish(api, ELSEWHERE, &mut key, &begun).await);
        assert_eq!(finish(api, ELSEWHERE, &mut Authenticator::new(), &begun).await.status(), 401);
        finish(api, THERE, &mut key, &begun).await.expect(201);
    }

    async fn each_step_of_a_login_counts(db: TestDb) {
        let cloud = limited(&db, &[("passkey_per_address", 2)]).start().await;
        let api = cloud.api();
        // Registering does not: it takes a token.
        let (_, mut key, _) = alice(api).await;

        let begun = begin(api, HERE, None).await.expect(201).json();
        finish(api, HERE, &mut key, &begun).await.expect(201);
        let begun = begin(api, THERE, None).await.expect(201).json();
        put_off(&finish(api, HERE, &mut key, &begun).await);
        let shown = json!({"methods": ["webauthn"], "webauthn": {"credential": key.get(&begun["publicKey"])}});
        put_off(&authenticate(api, HERE, &shown).await);
        put_off(&from(api, HERE, "/v4/auth/passkey/device", &json!({})).await);
        let invitation = json!({"invitation": {"secret": "made up"}});
        put_off(&from(api, HERE, "/v4/auth/passkey/invitation/start", &invitation).await);
        // Other logins go on.
        authenticate(api, HERE, &password("alice")).await.expect(201);
        // What was put off was not looked at: the challenge is good still.
        finish(api, THERE, &mut key, &begun).await.expect(201);
        put_off(&from(api, THERE, "/v4/auth/passkey/device", &json!({})).await);
    }

    async fn one_address_begins_few_logins_of_command_lines(db: TestDb) {
        let cloud = limited(&db, &[("device_per_address", 3)]).start().await;
        let api = cloud.api();
        let device = async |address: &str| from(api, address, "/v4/auth/passkey/device", &json!({})).await;
        for _ in 0..3 {
            device(HERE).await.expect(201);
        }
        put_off(&device(HERE).await);
        // What a client says of itself is not believed.
        put_off(&device(&format!("{THERE}, {HERE}")).await);
        // Others begin theirs, and here other logins go on.
        device(THERE).await.expect(201);
        begin(api, HERE, None).await.expect(201);
        // Of IPv6 a whole network is one.
        for host in 1..=3 {
            device(&format!("2001:db8::{host}")).await.expect(201);
        }
        put_off(&device("2001:db8::4").await);
        device("2001:db8:0:1::1").await.expect(201);
    }

    async fn made_up_codes_of_command_lines_count_and_good_ones_do_not(db: TestDb) {
        let cloud = limited(&db, &[("passkey_per_address", 2)]).start().await;
        let api = cloud.api();
        let begun = from(api, HERE, "/v4/auth/passkey/device", &json!({})).await.expect(201).json();
        let ask = async |address: &str, code: &Value| {
            let body = json!({"device_code": code});
            from(api, address, "/v4/auth/passkey/device/token", &body).await
        };
        let (good, made_up) = (&begun["device_code"], json!("made up"));

        let unknown = ask(HERE, &made_up).await.expect(400).json();
        assert_eq!(unknown["error"]["title"], "expired_token");
        for _ in 0..2 {
            put_off(&ask(HERE, &made_up).await);
            // Whoever waits is never put off, whatever others do at the address.
            for _ in 0..3 {
                let waits = ask(HERE, good).await.expect(400).json();
                let word = waits["error"]["title"].as_str().unwrap();
                assert!(["authorization_pending", "slow_down"].contains(&word), "{word}");
            }
        }
        assert_eq!(ask(THERE, &made_up).await.status(), 400);
    }

    async fn a_form_of_the_pages_that_comes_too_often_is_put_off(db: TestDb) {
        let cloud = limited(&db, &[("passkey_per_user", 2)]).start().await;
        let sign_in = async |address: &str, password: &str| {
            let request = cloud.api().request(Method::POST, "/passkeys/sign-in");
            let request = request
                .header("X-Forwarded-For", address)
                .header("Sec-Fetch-Site", "same-origin")
                .header("Content-Type", "application/x-www-form-urlencoded");
            request.body(format!("user=alice&domain=default&password={password}")).send().await
        };
        for _ in 0..2 {
            sign_in(HERE, "wrong").await.expect(401);
        }
        let good = crate::support::login::PASSWORD.replace(' ', "+");
        let answer = sign_in(HERE, &good).await.expect(429);
        assert!(answer.header("Retry-After").is_some() && answer.header("Set-Cookie").is_none());
        let page = String::from_utf8_lossy(answer.bytes()).into_owned();
        assert!(page.contains("too many logins"), "{page}");
        sign_in(THERE, &good).await.expect(303);
    }

    async fn recovery_codes_are_not_guessed_at_leisure(db: TestDb) {
        let cloud = limited(&db, &[("passkey_per_user", 2)]).start().await;
        let api = cloud.api();
        let (session, _, _) = alice(api).await;
        let path = format!("{}/recovery_codes", passkeys_of("alice"));
        session.post(&path, &json!({})).await.expect(201);
        let code = json!({"user": {"id": "alice", "recovery_code": "made up"}});
        let guess = json!({"methods": ["webauthn"], "webauthn": code});
        let both = together(&[password("alice"), guess.clone()]);

        for _ in 0..2 {
            authenticate(api, HERE, &both).await.expect(401);
        }
        put_off(&authenticate(api, HERE, &both).await);
        authenticate(api, THERE, &both).await.expect(401);
        // A wrong password beside it counts as well, and at the page one counts once.
        let wrong = together(&[password_is("alice", "wrong"), guess]);
        let browser = Browser::of(api, "alice").await;
        for status in [401, 401, 429] {
            authenticate(api, ELSEWHERE, &wrong).await.expect(status);
            browser.form("/passkeys/sign-in/recovery", "recovery_code=made+up").await.expect(status);
        }
    }

    async fn of_other_logins_failures_alone_count(db: TestDb) {
        let limits = [("failures_per_address", 3), ("failures_per_user", 2)];
        let cloud = limited(&db, &limits).start().await;
        let api = cloud.api();
        let wrong = |user| password_is(user, "wrong");
        for _ in 0..2 {
            authenticate(api, HERE, &wrong("alice")).await.expect(401);
        }
        // Even with the right password: else a guess would tell.
        put_off(&authenticate(api, HERE, &wrong("alice")).await);
        put_off(&authenticate(api, HERE, &password("alice")).await);
        authenticate(api, THERE, &password("alice")).await.expect(201);
        // What succeeds does not count.
        for _ in 0..5 {
            authenticate(api, HERE, &password("bob")).await.expect(201);
        }
        authenticate(api, HERE, &wrong("nobody")).await.expect(401);
        let bob = authenticate(api, THERE, &password("bob")).await.expect(201);
        let bob = bob.header("X-Subject-Token").unwrap();
        put_off(&authenticate(api, HERE, &token(bob)).await);
        // Whose token is good is served, as ever.
        let validate = api.request(Method::GET, "/v3/auth/tokens").header("X-Forwarded-For", HERE);
        validate.token(bob).subject(bob).send().await.expect(200);
    }

    async fn a_password_is_guessed_no_faster_by_changing_it(db: TestDb) {
        let limits = [("failures_per_address", 4), ("failures_per_user", 2)];
        let cloud = limited(&db, &limits).start().await;
        let api = cloud.api();
        let change = async |address: &str, user: &str, original: &str| {
            let body = json!({"user": {"original_password": original, "password": "a new one"}});
            from(api, address, &format!("/v3/users/{user}/password"), &body).await
        };

        change(HERE, "alice", "wrong").await.expect(401);
        // A login by the same ID counts with it.
        let by_id = json!({"methods": ["password"], "password": {"user": {"id": "alice", "password": "wrong"}}});
        authenticate(api, HERE, &by_id).await.expect(401);
        put_off(&change(HERE, "alice", "wrong").await);
        // Even with the right password: else a guess would tell.
        put_off(&change(HERE, "alice", PASSWORD).await);
        put_off(&authenticate(api, HERE, &by_id).await);
        change(THERE, "alice", "wrong").await.expect(401);

        // What succeeds does not count; a guess at somebody who is not there does.
        change(HERE, "bob", PASSWORD).await.expect(204);
        for _ in 0..2 {
            change(HERE, "nobody", "wrong").await.expect(401);
        }
        put_off(&change(HERE, "nobody", "wrong").await);
        put_off(&change(HERE, "bob", "a new one").await);
    }

    async fn without_the_option_failures_do_not_count(db: TestDb) {
        let cloud = Builder::new(&db).seed(seed::world()).start().await;
        let wrong = scoped(password_is("alice", "wrong"), Scope::Unscoped);
        for _ in 0..30 {
            cloud.api().authenticate(&wrong).await.expect(401);
        }
        cloud.api().login("alice", Scope::Unscoped).await;
    }
}
