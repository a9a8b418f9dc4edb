//! A token's life after it was issued: validation, revocation, rescoping, expiry, and what a
//! change elsewhere does to it.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::{
    Answer, Api, Cloud, Options, Scope, Session, each_keystone, password, scoped, seed, token,
};
use crate::testdb::each_database;

const NOT_VALID: &str = "Failed to validate token";
const NOT_A_TOKEN: &str = "Could not recognize Fernet token";
const NO_TOKEN: &str = "No token in the request";
const REFUSED: &str = "The request you have made requires authentication.";

async fn start_world(builder: Builder<'_>) -> Cloud<'_> {
    builder.seed(seed::world()).start().await
}

/// The token object, with what Keystone orders by chance in an order of its own.
fn ordered(answer: &Value) -> Value {
    let mut token = answer["token"].clone();
    for list in ["/roles", "/catalog", "/catalog/0/endpoints", "/methods"] {
        if let Some(list) = token.pointer_mut(list).and_then(Value::as_array_mut) {
            list.sort_by_key(|item| item.get("id").unwrap_or(item).to_string());
        }
    }
    token
}

#[track_caller]
fn assert_says(answer: &Answer, status: u16, message: &str) {
    assert_eq!(
        (answer.status(), answer.message().as_str()),
        (status, message),
        "{answer:?}"
    );
}

each_keystone! {
    async fn a_valid_token_is_told_as_it_was_issued(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let admin = api.admin().await;
        for scope in [Scope::Unscoped, Scope::Project("admin"), Scope::Domain("default"), Scope::System] {
            let session = api.login("admin", scope).await;

            let answer = admin.validate(session.token()).await.expect(200);
            assert_eq!(ordered(&answer.json()), ordered(&json!({"token": session.issued()})), "{scope:?}");
            assert_eq!(answer.header("X-Subject-Token"), Some(session.token()));
            assert_eq!(answer.header("Vary"), Some("X-Auth-Token"));

            let head = admin.check(session.token()).await.expect(200);
            assert_eq!(head.bytes(), b"");
            assert_eq!(head.header("X-Subject-Token"), Some(session.token()));

            let bare = admin.request(Method::GET, "/v3/auth/tokens?nocatalog=false").subject(session.token()).send().await.expect(200);
            assert_eq!(bare.json()["token"].get("catalog"), None, "{scope:?}");
        }
    }

    async fn a_token_may_ask_about_itself_and_only_the_entitled_about_others(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let alice = api.login("alice", Scope::Project("demo")).await;

        alice.validate(alice.token()).await.expect(200);
        alice.check(alice.token()).await.expect(200);
        assert_says(
            &alice.validate(admin.token()).await, 403,
            "You are not authorized to perform the requested action: identity:validate_token.",
        );
        alice.check(admin.token()).await.expect(403);
        assert_says(
            &alice.revoke(admin.token()).await, 403,
            "You are not authorized to perform the requested action: identity:revoke_token.",
        );
        admin.validate(admin.token()).await.expect(200);
        // A subject that is no good token is told before the policy is asked.
        assert_says(&alice.validate("rubbish").await, 404, NOT_A_TOKEN);
        let other = api.login("alice", Scope::Unscoped).await;
        other.revoke(other.token()).await.expect(204);
        assert_says(&alice.validate(other.token()).await, 404, NOT_VALID);
        assert_eq!(alice.revoke(other.token()).await.status(), 404);
    }

    async fn a_bad_subject_is_404_and_a_bad_caller_401(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let good = api.login("alice", Scope::Project("demo")).await;
        let flipped = {
            let mut text = good.token().to_owned().into_bytes();
            text[40] = if text[40] == b'A' { b'B' } else { b'A' };
            String::from_utf8(text).unwrap()
        };
        let half = &good.token()[..good.token().len() / 2];
        let long = "gAAAAA".repeat(1700);
        for bad in ["x", "rubbish", "gAAAAA", half, &flipped, &long] {
            assert_says(&admin.validate(bad).await, 404, NOT_A_TOKEN);
            admin.check(bad).await.expect(404);
            admin.revoke(bad).await.expect(404);
            let caller = api.request(Method::GET, "/v3/auth/tokens").token(bad).subject(good.token()).send().await;
            assert_says(&caller, 401, REFUSED);
            assert!(caller.header("WWW-Authenticate").is_some_and(|asks| asks.starts_with("Keystone uri=")), "{caller:?}");
        }
        assert_says(&admin.get("/v3/auth/tokens").await, 404, NO_TOKEN);
        assert_says(&admin.validate("").await, 404, NO_TOKEN);
        let nobody = api.request(Method::GET, "/v3/auth/tokens").subject(good.token()).send().await;
        assert_says(&nobody, 401, REFUSED);
        // Two may mean two things to two readers.
        let twice = admin.request(Method::GET, "/v3/auth/projects").header("X-Auth-Token", good.token()).send().await;
        assert_says(&twice, 401, REFUSED);
        let twice = admin.request(Method::GET, "/v3/auth/tokens").subject(good.token());
        let twice = twice.header("X-Subject-Token", good.token()).send().await;
        assert_says(&twice, 404, NOT_A_TOKEN);
    }

    async fn a_revoked_token_is_dead_at_once(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let alice = api.login("alice", Scope::Project("demo")).await;
        let other = api.login("alice", Scope::Project("demo")).await;
        admin.validate(alice.token()).await.expect(200);

        let answer = alice.revoke(alice.token()).await.expect(204);
        assert_eq!(answer.bytes(), b"");

        assert_says(&admin.validate(alice.token()).await, 404, NOT_VALID);
        admin.check(alice.token()).await.expect(404);
        assert_says(&alice.get("/v3/auth/projects").await, 401, REFUSED);
        assert_says(&admin.revoke(alice.token()).await, 404, NOT_VALID);
        admin.validate(other.token()).await.expect(200);
    }

    async fn a_rescoped_token_keeps_its_roots_expiry_and_dies_with_it(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let root = api.login("alice", Scope::Unscoped).await;
        let child = api.session(&scoped(token(root.token()), Scope::Project("demo"))).await;
        let grandchild = api.session(&scoped(token(child.token()), Scope::Unscoped)).await;

        for rescoped in [&child, &grandchild] {
            assert_eq!(rescoped.text("/expires_at"), root.text("/expires_at"));
            assert_eq!(rescoped.text("/audit_ids/1"), root.text("/audit_ids/0"));
            let told = admin.validate(rescoped.token()).await.expect(200).json();
            assert_eq!(told["token"]["methods"], json!(["token", "password"]), "from the highest bit down");
        }

        // A child's end is its own; the root's is that of all.
        child.revoke(child.token()).await.expect(204);
        admin.validate(grandchild.token()).await.expect(200);
        root.revoke(root.token()).await.expect(204);
        assert_says(&admin.validate(grandchild.token()).await, 404, NOT_VALID);
    }

    async fn revoking_without_cascade_spares_the_children(builder: Builder) {
        let cloud = start_world(builder).await;
        let api = cloud.api();
        let admin = api.admin().await;
        let root = api.login("alice", Scope::Unscoped).await;
        let child = api.session(&scoped(token(root.token()), Scope::Project("demo"))).await;

        admin.request(Method::DELETE, "/v3/auth/tokens?cascade=false").subject(root.token()).send().await.expect(204);

        admin.validate(root.token()).await.expect(404);
        admin.validate(child.token()).await.expect(200);
    }

    async fn an_expired_token_is_dead_unless_expired_ones_are_allowed(builder: Builder) {
        let cloud = start_world(builder).await;
        // Its tokens are expired when they are issued: nobody has to wait.
        let hasty = cloud.start_twin(Options::default().set("token", "expiration", 0)).await;
        let expired = hasty.api().login("alice", Scope::Project("demo")).await.at(cloud.api());
        let admin = cloud.api().admin().await;

        assert_says(&admin.validate(expired.token()).await, 404, NOT_VALID);
        assert_says(&admin.revoke(expired.token()).await, 404, NOT_VALID);
        expired.validate(expired.token()).await.expect(401);
        let rescoped = cloud.api().authenticate(&scoped(token(expired.token()), Scope::Unscoped)).await;
        assert_says(&rescoped, 404, NOT_VALID);
        let with = async |query: &str| {
            admin.request(Method::GET, &format!("/v3/auth/tokens?{query}")).subject(expired.token()).send().await
        };
        with("allow_expired=true").await.expect(200);
        with("allow_expired=1").await.expect(200);
        with("allow_expired=zz").await.expect(404);
        with("allow_expired=false").await.expect(404);
        // Nor does it help who asks, or reach further back than the window.
        let request = expired.request(Method::GET, "/v3/auth/tokens?allow_expired=true").subject(expired.token());
        request.send().await.expect(401);
        let strict = cloud.start_twin(Options::default().set("token", "allow_expired_window", 0)).await;
        let admin = admin.at(strict.api());
        let request = admin.request(Method::GET, "/v3/auth/tokens?allow_expired=true").subject(expired.token());
        request.send().await.expect(404);
    }

    async fn a_change_in_the_tables_ends_the_tokens_it_concerns(builder: Builder) {
        let mut cloud = builder.seed(seed::world()).seed(
            [
                seed::domain("branch", true),
                seed::project("doomed", "default", true),
                seed::project("paused", "default", true),
                seed::project("inner", "branch", true),
                seed::user("gone", "default", true),
                seed::user("off", "default", true),
                seed::user("poor", "default", true),
                seed::user("clerk", "default", true),
                seed::grant("UserProject", "gone", "demo", "member"),
                seed::grant("UserProject", "off", "demo", "member"),
                seed::grant("UserProject", "poor", "demo", "member"),
                seed::grant("UserProject", "alice", "doomed", "member"),
                seed::grant("UserProject", "alice", "paused", "member"),
                seed::grant("UserProject", "alice", "inner", "member"),
                seed::system_grant("clerk", "member"),
            ]
            .concat(),
        )
        .start()
        .await;
        let api = cloud.api().clone();
        let of = async |user: &str, scope: Scope<'_>| api.login(user, scope).await;
        let in_branch = json!({"auth": {"identity": password("alice"), "scope": {"project": {"id": "inner"}}}});
        // Who holds the token; how a validation of it is answered; as whom its bearer is taken.
        let concerned = [
            (of("gone", Scope::Project("demo")).await, "Could not find user: gone.".to_owned(), 404),
            // The first is where the disabled user is noticed; by that it is revoked, as is the second.
            not_found(of("off", Scope::Unscoped).await),
            (
                of("off", Scope::Project("demo")).await,
                NOT_VALID.to_owned(),
                401,
            ),
            (of("alice", Scope::Project("doomed")).await, "Could not find project: doomed.".to_owned(), 404),
            (of("alice", Scope::Project("paused")).await,
                "Unable to validate token because project paused is disabled".to_owned(), 404),
            (api.session(&in_branch).await, "Unable to validate token because domain branch is disabled".to_owned(), 404),
            not_found(of("poor", Scope::Project("demo")).await),
            not_found(of("clerk", Scope::System).await),
        ];
        let untouched = of("alice", Scope::Project("demo")).await;
        let admin = api.admin().await;
        for (session, _, _) in &concerned {
            admin.validate(session.token()).await.expect(200);
        }

        let statements = [
            r#"DELETE FROM "password" WHERE "local_user_id" = (SELECT "id" FROM "local_user" WHERE "name" = 'gone')"#,
            r#"DELETE FROM "local_user" WHERE "name" = 'gone'"#,
            r#"DELETE FROM "user" WHERE "id" = 'gone'"#,
            r#"UPDATE "user" SET "enabled" = false WHERE "id" = 'off'"#,
            r#"DELETE FROM "project" WHERE "id" = 'doomed'"#,
            r#"UPDATE "project" SET "enabled" = false WHERE "id" = 'paused'"#,
            r#"UPDATE "project" SET "enabled" = false WHERE "id" = 'branch'"#,
            r#"DELETE FROM "assignment" WHERE "actor_id" = 'poor'"#,
            r#"DELETE FROM "system_assignment" WHERE "actor_id" = 'clerk'"#,
        ];
        seed::behind_its_back(&mut cloud, &statements.map(str::to_owned)).await;

        let mut told = Vec::new();
        let mut expected = Vec::new();
        for (session, message, as_caller) in &concerned {
            let answer = admin.validate(session.token()).await;
            let bearer = session.get("/v3/auth/projects").await;
            told.push((session.text("/user/name"), answer.status(), without_token(answer.message()), bearer.status()));
            expected.push((session.text("/user/name"), 404, without_token(message.clone()), *as_caller));
        }
        assert_eq!(told, expected);
        admin.validate(untouched.token()).await.expect(200);

        // The disabled user was seen, so that its old tokens stay dead when it is enabled again.
        let enable = r#"UPDATE "user" SET "enabled" = true WHERE "id" = 'off'"#;
        seed::behind_its_back(&mut cloud, &[enable.to_owned()]).await;
        for (session, _, _) in &concerned[1..=2] {
            assert_says(&admin.validate(session.token()).await, 404, NOT_VALID);
        }
    }
}

fn not_found(session: Session) -> (Session, String, u16) {
    let message = format!("Could not find token: {}.", session.token());
    (session, message, 401)
}

async fn is_valid_at(api: &Api, admin: &Session, subject: &str) -> bool {
    admin.at(api).validate(subject).await.status() == 200
}

each_database! {
    async fn a_token_outlives_the_death_of_its_server(db: TestDb) {
        let mut cloud = Cloud::start(&db).await;
        let admin = cloud.api().admin().await;

        cloud.kill();
        assert!(admin.request(Method::GET, "/v3/auth/tokens").try_send().await.is_err());
        cloud.start_again().await;

        assert!(is_valid_at(cloud.api(), &admin, admin.token()).await);
    }

    async fn a_token_is_good_at_every_node(db: TestDb) {
        let first = Cloud::start(&db).await;
        let second = first.start_node(Options::default()).await;

        let admin = second.api().admin().await;

        assert!(is_valid_at(first.api(), &admin, admin.token()).await);
    }

    async fn a_server_that_is_asked_to_end_does_so_without_an_error(db: TestDb) {
        let mut cloud = Cloud::start(&db).await;
        cloud.api().admin().await;

        let status = cloud.stop().await.unwrap();

        assert!(status.success(), "{status}");
    }

    async fn deeply_nested_json_is_refused_and_harms_nobody(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let deep = format!(r#"{{"auth":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));

        let answer = cloud.api().request(Method::POST, "/v3/auth/tokens")
            .header("Content-Type", "application/json").body(deep).send().await;

        assert_eq!(answer.status(), 400, "{answer:?}");
        cloud.api().admin().await;
    }
}

/// Python Keystone repeats the token in one of its messages; ours repeats no secret.
fn without_token(message: String) -> String {
    match message.strip_prefix("Could not find token: ") {
        Some(_) => "Could not find token.".to_owned(),
        None => message,
    }
}
