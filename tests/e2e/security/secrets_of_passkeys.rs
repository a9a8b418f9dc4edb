//! C4 of passkeys: at TRACE, everything that is secret about them made, used and refused; then what the
//! server wrote anywhere is searched for it.

use awc::http::Method;
use serde_json::{Value, json};

use super::secrets::{Found, LOST, assert_untold, loud};
use crate::passkeys::{Browser, register, token_of};
use crate::support::cloud::Builder;
use crate::support::login::{PASSWORD, together};
use crate::support::passkey::{Authenticator, bytes, enabled};
use crate::support::{Answer, Api, Cloud, Scope, Session, password, seed};
use crate::testdb::each_database;

/// nora has to show a password and a passkey.
fn people() -> Vec<String> {
    [
        seed::world(),
        seed::user("nora", "default", true),
        seed::grant("UserProject", "nora", "demo", "member"),
        seed::user_option("nora", "MFAR", r#"[["password", "webauthn"]]"#),
    ]
    .concat()
}

async fn post(api: &Api, path: &str, body: &Value) -> Answer {
    api.request(Method::POST, path).json(body).send().await
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    let text = body.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("no {pointer} in {body}"))
}

/// Uses a passkey for these options, and remembers what it says.
fn used(found: &mut Found, key: &mut Authenticator, options: &Value) -> Value {
    let credential = key.get(options);
    found.bytes(
        "an assertion's signature",
        &bytes(&credential["response"]["signature"]),
    );
    credential
}

/// The answer to a login by passkey, whose end is made of the credential.
async fn log_in(
    api: &Api,
    found: &mut Found,
    key: &mut Authenticator,
    change: impl FnOnce(&mut Value),
) -> Answer {
    let begun = post(api, "/v4/auth/passkey/start", &json!({"passkey": {}})).await;
    let begun = begun.expect(201).json();
    let mut body = json!({"credential": used(found, key, &begun["publicKey"])});
    change(&mut body);
    post(api, "/v4/auth/passkey/finish", &body).await
}

/// nora is invited, registers, and logs in in every way.
async fn invited(api: &Api, admin: &Session, found: &mut Found) {
    let invite = json!({});
    let invited = admin
        .post("/v4/users/nora/passkeys/invitation", &invite)
        .await;
    let invited = invited.expect(201).json();
    let (_, secret) = text(&invited, "/invitation/url").split_once('#').unwrap();
    found.secret("an invitation", secret);
    let start = "/v4/auth/passkey/invitation/start";
    found.refused(post(api, start, &json!({"invitation": {"secret": LOST}})).await);
    found.refused(post(api, start, &json!({"invitation": LOST})).await);
    let invitation = json!({"secret": secret});
    let begun = post(api, start, &json!({"invitation": invitation})).await;
    let begun = begun.expect(201).json();
    let mut key = Authenticator::new();
    let body = json!({"invitation": invitation, "credential": key.create(&begun["publicKey"])});
    let finish = "/v4/auth/passkey/invitation/finish";
    post(api, finish, &body).await.expect(201);
    found.refused(post(api, finish, &body).await);

    let answer = log_in(api, found, &mut key, |_| ()).await.expect(201);
    let token = token_of(&answer);
    found.secret("a passkey's token", &token);
    // Changed, beside what is none, and once more.
    let spoilt =
        |body: &mut Value| body["credential"]["response"]["authenticatorData"] = json!(LOST);
    let refused = log_in(api, found, &mut key, spoilt).await;
    found.refused(refused);
    let more = |body: &mut Value| body["scope"] = json!({"project": {"id": [LOST]}});
    let refused = log_in(api, found, &mut key, more).await;
    found.refused(refused);
    let mut shown = Value::Null;
    let keep = |body: &mut Value| shown = body.clone();
    log_in(api, found, &mut key, keep).await.expect(201);
    found.refused(post(api, "/v4/auth/passkey/finish", &shown).await);
    let begun = post(api, "/v4/auth/passkey/start", &json!({"passkey": {}})).await;
    let options = begun.expect(201).json()["publicKey"].clone();
    let credential = used(found, &mut key, &options);
    let identity = json!({"methods": ["webauthn"], "webauthn": {"credential": credential}});
    let identity = json!({"auth": {"identity": identity}});
    found.secret("another token", api.session(&identity).await.token());
    found.refused(api.authenticate(&identity).await);

    recovery(api, &token, found).await;
}

/// Recovery codes are made and shown.
async fn recovery(api: &Api, token: &str, found: &mut Found) {
    let made = api
        .request(Method::POST, "/v4/users/nora/passkeys/recovery_codes")
        .token(token);
    let made = made.json(&json!({})).send().await.expect(201).json();
    let codes = made["recovery_codes"]["codes"].as_array().unwrap().clone();
    for code in &codes {
        let code = code.as_str().unwrap();
        found.secret("a recovery code", code);
        found.secret("a recovery code, plain", &code.replace('-', ""));
    }
    let with = |code: &Value| {
        let code = json!({"user": {"id": "nora", "recovery_code": code}});
        let code = json!({"methods": ["webauthn"], "webauthn": code});
        json!({"auth": {"identity": together(&[password("nora"), code])}})
    };
    let session = api.session(&with(&codes[0])).await;
    found.secret("a token of two proofs", session.token());
    // Used, made up, and none at all.
    for code in [codes[0].clone(), json!(LOST), json!([LOST])] {
        found.refused(api.authenticate(&with(&code)).await);
    }
}

/// alice lets a command line in, at the pages; nora is on her way.
async fn pages(api: &Api, found: &mut Found) {
    let alice = api.login("alice", Scope::Unscoped).await;
    let (mut key, _) = register(&alice).await;
    let browser = Browser::of(api, "alice").await;
    let (_, session) = browser.cookie.split_once('=').unwrap();
    found.secret("a session", session);
    found.secret("the proof of a session", &browser.csrf);

    let device = "/v4/auth/passkey/device";
    let begun = post(api, device, &json!({"client": "a shell"})).await;
    let begun = begun.expect(201).json();
    let code = text(&begun, "/user_code").to_owned();
    found.secret("a device code", text(&begun, "/device_code"));
    found.secret("a user code", &code);
    let poll = json!({"device_code": begun["device_code"]});
    let token = "/v4/auth/passkey/device/token";
    found.refused(post(api, token, &poll).await);
    found.refused(post(api, token, &json!({"device_code": LOST})).await);
    let page = format!("/passkeys/device?code={code}");
    browser.get(&page).await.expect(200);
    assert!(api.get(&page).await.status() < 400);
    let options = browser.json("/passkeys/device/begin", &json!({})).await;
    let options = options.expect(200).json()["publicKey"].clone();
    let credential = used(found, &mut key, &options);
    let allow = json!({"code": code, "credential": credential});
    browser
        .json("/passkeys/device/allow", &allow)
        .await
        .expect(200);
    found.refused(browser.json("/passkeys/device/allow", &allow).await);
    let granted = post(api, token, &poll).await.expect(201);
    found.secret("a command line's token", &token_of(&granted));
    found.refused(post(api, token, &poll).await);

    // Another's proof, a session that is none, and a sign-in that goes on with another proof.
    let form = "application/x-www-form-urlencoded";
    let send = async |path: &str, cookie: &str, fields: String| {
        let request = api.request(Method::POST, path).header("Cookie", cookie);
        let request = request.header("Sec-Fetch-Site", "same-origin");
        let request = request.header("Content-Type", form);
        request.body(fields).send().await
    };
    let sign_out = format!("csrf={LOST}");
    let answer = send("/passkeys/sign-out", &browser.cookie, sign_out).await;
    assert!(answer.status() >= 400, "{answer:?}");
    let strange = format!("__Host-keystone-ng={LOST}");
    send("/passkeys/change", &strange, format!("csrf={LOST}&do=off")).await;
    let secret = PASSWORD.replace(' ', "+");
    found.secret("a password in a form", &secret);
    let fields = format!("user=nora&domain=default&password={secret}");
    let due = send("/passkeys/sign-in", "a=b", fields).await;
    let set = due.headers().iter();
    let set = set.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let mut receipts = 0;
    for (_, cookie) in set {
        let value = cookie.split(';').next().unwrap();
        let (_, value) = value.split_once('=').unwrap();
        if !value.is_empty() {
            found.secret("a receipt in a cookie", value);
            receipts += 1;
        }
    }
    assert_eq!(receipts, 1, "{due:?}");
    let fields = format!("user=alice&domain=default&password={LOST}");
    let wrong = send("/passkeys/sign-in", "a=b", fields).await;
    assert_eq!(wrong.status(), 401, "{wrong:?}");
    browser.form("/passkeys/sign-out", "").await.expect(303);
}

async fn assert_silent(mut cloud: Cloud<'_>) {
    let mut found = Found::default();
    for (what, text) in [
        ("the password", PASSWORD),
        ("a secret in a wrong place", LOST),
    ] {
        found.secret(what, text);
    }
    let admin = cloud.api().admin().await;
    invited(cloud.api(), &admin, &mut found).await;
    pages(cloud.api(), &mut found).await;
    assert_untold(&mut cloud, &found).await;
}

each_database! {
    async fn c4_nor_is_what_is_secret_about_passkeys(db: TestDb) {
        let cloud = loud(Builder::new(&db)).options(enabled()).seed(people()).start().await;
        assert_silent(cloud).await;
    }
}
