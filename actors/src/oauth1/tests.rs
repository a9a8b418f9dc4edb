use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;
use crate::actor::Handle;
use crate::db::DbTime;
use crate::db::outbox::Change;
use crate::epoch::{Entity, Kind};
use crate::ids::RoleId;
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;

/// 2033-05-18T03:33:20Z.
const NOW: i64 = 2_000_000_000;

async fn consumer_with_token(
    db: &TestDb,
    role_ids: &str,
    expires_at: &str,
) -> Handle<Oauth1Provider> {
    let bench = Bench::new(db).await;
    db.execute("INSERT INTO consumer (id, secret, extra) VALUES ('c', 'hidden', '{}')")
        .await;
    db.execute(&format!(
        "INSERT INTO access_token (id, access_secret, authorizing_user_id, project_id, role_ids, consumer_id, expires_at) \
         VALUES ('t', 'hidden', 'u', 'p', '{role_ids}', 'c', {expires_at})"
    ))
    .await;
    provider(&bench)
}

fn provider(bench: &Bench) -> Handle<Oauth1Provider> {
    bench.start(Oauth1Provider::new(
        bench.pool("oauth1"),
        bench.cache(),
        bench.invalidations.clone(),
    ))
}

fn get(id: &str) -> GetAccessToken {
    GetAccessToken { id: id.to_owned() }
}

/// Consumers `c` and `d`.
async fn two_consumers(db: &TestDb) -> Handle<Oauth1Provider> {
    let bench = Bench::new(db).await;
    for id in ["c", "d"] {
        db.execute(&format!(
            "INSERT INTO consumer (id, secret, extra) VALUES ('{id}', 'hidden-{id}', '{{}}')"
        ))
        .await;
    }
    provider(&bench)
}

fn ask(lifetime: u64) -> CreateRequestToken {
    CreateRequestToken {
        consumer: "c".into(),
        project: "p".into(),
        lifetime: Duration::from_secs(lifetime),
        now: NOW,
    }
}

fn consent(asked: &NewToken, now: i64) -> AuthorizeRequestToken {
    AuthorizeRequestToken {
        id: asked.id.clone(),
        user: "u".into(),
        roles: vec!["r1".into(), "r2".into()],
        now,
    }
}

fn exchange(asked: &NewToken, verifier: &str) -> ExchangeRequestToken {
    ExchangeRequestToken {
        id: asked.id.clone(),
        consumer: "c".into(),
        verifier: verifier.into(),
        lifetime: Duration::from_secs(60),
        now: NOW,
    }
}

#[test]
fn a_verifier_is_of_eight_characters_that_differ_from_one_to_the_next() {
    let of = |_| super::model::verifier().expose_secret().to_owned();
    let verifiers: Vec<String> = (0..100).map(of).collect();

    for verifier in &verifiers {
        assert_eq!(verifier.len(), 8);
        assert!(
            verifier.chars().all(|one| VERIFIER.contains(one)),
            "{verifier}"
        );
    }
    let different: std::collections::HashSet<&String> = verifiers.iter().collect();
    assert_eq!(different.len(), verifiers.len());
    let used: std::collections::HashSet<char> =
        verifiers.iter().flat_map(|one| one.chars()).collect();
    assert!(used.len() > 45, "{used:?}");
}

each_database! {
    async fn a_request_token_becomes_an_access_token_of_who_authorised_it(db: TestDb) {
        let oauth1 = two_consumers(&db).await;

        let asked = oauth1.send(ask(0)).await.unwrap();
        assert_eq!(asked.expires_at, None);
        let found = oauth1.read(GetRequestToken { id: asked.id.clone() }).await.unwrap();
        assert_eq!((found.project_id.as_str(), found.expires_at), ("p", None));
        let verifier = oauth1.send(consent(&asked, NOW)).await.unwrap();
        let given = oauth1.send(exchange(&asked, verifier.expose_secret())).await.unwrap();

        assert_eq!(given.expires_at, Some(DbTime::from_seconds(NOW + 60)));
        let token = AccessToken {
            id: given.id.clone(),
            consumer_id: "c".to_owned(),
            authorizing_user_id: "u".into(),
            project_id: "p".into(),
            role_ids: ["r1", "r2"].map(RoleId::from).to_vec(),
            expires_at: given.expires_at,
        };
        assert_eq!(*oauth1.read(get(&given.id)).await.unwrap(), token);
        assert_eq!(oauth1.read(ListAccessTokens { user: "u".into() }).await.unwrap(), [token]);
        assert!(oauth1.read(ListAccessTokens { user: "v".into() }).await.unwrap().is_empty());
        let again = oauth1.read(GetRequestToken { id: asked.id.clone() }).await;
        assert_eq!(again.unwrap_err().to_string(), "Request token not found");
    }

    async fn a_request_token_is_not_exchanged_without_consent_nor_in_any_other_way(db: TestDb) {
        let oauth1 = two_consumers(&db).await;
        let asked = oauth1.send(ask(60)).await.unwrap();
        for verifier in ["", "abcdefgh"] {
            let refused = oauth1.send(exchange(&asked, verifier)).await;
            assert!(matches!(refused, Err(Error::NotAuthorized)), "{refused:?}");
        }
        let verifier = oauth1.send(consent(&asked, NOW)).await.unwrap();
        let verifier = verifier.expose_secret();

        let altered = format!("{}-", &verifier[..7]);
        let lower = verifier.to_lowercase();
        let others = ["", "abcdefgh", &verifier[1..], &altered, &lower];
        // It may be in small letters itself.
        for other in others.into_iter().filter(|other| *other != verifier) {
            let refused = oauth1.send(exchange(&asked, other)).await;
            assert!(matches!(refused, Err(Error::NotAuthorized)), "{refused:?}");
        }
        let other = ExchangeRequestToken { consumer: "d".into(), ..exchange(&asked, verifier) };
        assert!(matches!(oauth1.send(other).await, Err(Error::RequestTokenNotFound)));
        let late = ExchangeRequestToken { now: NOW + 60, ..exchange(&asked, verifier) };
        assert!(matches!(oauth1.send(late).await, Err(Error::RequestTokenExpired)));
        let late = oauth1.send(consent(&asked, NOW + 60)).await;
        assert!(matches!(late, Err(Error::RequestTokenExpired)));
        let none = NewToken { id: "\0".to_owned(), ..asked.clone() };
        assert!(matches!(oauth1.send(consent(&none, NOW)).await, Err(Error::RequestTokenNotFound)));
        let many = AuthorizeRequestToken { roles: vec![RoleId::random(); 2000], ..consent(&asked, NOW) };
        assert!(matches!(oauth1.send(many).await, Err(Error::TooManyRoles)));
        oauth1.send(exchange(&asked, verifier)).await.unwrap();
    }

    async fn of_two_who_exchange_a_request_token_at_once_one_gets_an_access_token(db: TestDb) {
        let oauth1 = two_consumers(&db).await;
        let asked = oauth1.send(ask(60)).await.unwrap();
        let verifier = oauth1.send(consent(&asked, NOW)).await.unwrap();
        let attempt = || oauth1.send(exchange(&asked, verifier.expose_secret()));

        let attempts = futures_util::future::join_all((0..8).map(|_| attempt())).await;

        let good = attempts.iter().filter(|attempt| attempt.is_ok()).count();
        assert_eq!(good, 1, "{attempts:?}");
        assert_eq!(oauth1.read(ListAccessTokens { user: "u".into() }).await.unwrap().len(), 1);
    }

    async fn secrets_are_found_together_for_a_token_of_that_consumer(db: TestDb) {
        let oauth1 = two_consumers(&db).await;
        let asked = oauth1.send(ask(60)).await.unwrap();
        let verifier = oauth1.send(consent(&asked, NOW)).await.unwrap();
        let find = async |consumer: &str, with: SignedWith| {
            let find = FindSigningSecrets { consumer: consumer.into(), with };
            let found = oauth1.read(find).await.unwrap();
            found.map(|found| (found.consumer.expose_secret().to_owned(), found.token.expose_secret().to_owned()))
        };
        let both = |token: &NewToken| Some(("hidden-c".to_owned(), token.secret.expose_secret().to_owned()));
        let by_request = SignedWith::RequestToken(asked.id.clone());

        assert_eq!(find("c", SignedWith::Nothing).await, Some(("hidden-c".to_owned(), String::new())));
        assert_eq!(find("x", SignedWith::Nothing).await, None);
        assert_eq!(find("c", by_request.clone()).await, both(&asked));
        assert_eq!(find("d", by_request.clone()).await, None);
        assert_eq!(find("c", SignedWith::AccessToken(asked.id.clone())).await, None);
        let given = oauth1.send(exchange(&asked, verifier.expose_secret())).await.unwrap();
        assert_eq!(find("c", SignedWith::AccessToken(given.id.clone())).await, both(&given));
        assert_eq!(find("d", SignedWith::AccessToken(given.id.clone())).await, None);
        assert_eq!(find("c", by_request).await, None);
    }

    async fn an_access_token_is_deleted_at_the_user_who_authorised_it(db: TestDb) {
        let oauth1 = consumer_with_token(&db, "[]", "NULL").await;
        oauth1.read(get("t")).await.unwrap(); // cached from here on
        let delete = |id: &str, user: &str| DeleteAccessToken { id: id.to_owned(), user: user.into() };

        let foreign = oauth1.send(delete("t", "v")).await;
        assert_eq!(foreign.unwrap_err().to_string(), "User IDs do not match");
        oauth1.read(get("t")).await.unwrap();
        oauth1.send(delete("t", "u")).await.unwrap();

        assert!(matches!(oauth1.read(get("t")).await, Err(Error::AccessTokenNotFound(_))));
        assert!(matches!(oauth1.send(delete("t", "u")).await, Err(Error::AccessTokenNotFound(_))));
    }

    async fn nothing_is_made_for_a_consumer_that_is_gone(db: TestDb) {
        let oauth1 = two_consumers(&db).await;
        let asked = oauth1.send(ask(60)).await.unwrap();
        let verifier = oauth1.send(consent(&asked, NOW)).await.unwrap();

        oauth1.send(DeleteConsumer { id: "c".into(), now: NOW }).await.unwrap();

        assert!(matches!(oauth1.send(ask(60)).await, Err(Error::ConsumerNotFound(_))));
        let late = oauth1.send(exchange(&asked, verifier.expose_secret())).await;
        assert!(matches!(late, Err(Error::RequestTokenNotFound)));
    }

    async fn an_access_token_is_read_with_its_roles_and_its_end(db: TestDb) {
        let oauth1 = consumer_with_token(&db, r#"["r1", "r2"]"#, "'2033-05-18T03:33:20.000000Z'").await;

        let found = oauth1.read(get("t")).await.unwrap();

        assert_eq!(*found, AccessToken {
            id: "t".to_owned(),
            consumer_id: "c".to_owned(),
            authorizing_user_id: "u".into(),
            project_id: "p".into(),
            role_ids: ["r1", "r2"].map(RoleId::from).to_vec(),
            expires_at: Some(DbTime::from_seconds(2_000_000_000)),
        });
        assert_eq!(oauth1.read(get("x")).await.unwrap_err().to_string(), "Access token not found");
    }

    async fn an_access_token_that_cannot_be_read_gives_nothing(db: TestDb) {
        let oauth1 = consumer_with_token(&db, "{", "'soon'").await;

        let found = oauth1.read(get("t")).await.unwrap();

        assert!(found.role_ids.is_empty());
        assert_eq!(found.expires_at, Some(DbTime::from_seconds(0)));
    }

    async fn an_access_token_goes_with_its_consumer(db: TestDb) {
        let bench = Bench::new(&db).await;
        db.execute("INSERT INTO consumer (id, secret, extra) VALUES ('c', 'hidden', '{}')").await;
        db.execute(
            "INSERT INTO access_token (id, access_secret, authorizing_user_id, project_id, role_ids, consumer_id) \
             VALUES ('t', 'hidden', 'u', 'p', '[]', 'c')"
        ).await;
        let oauth1 = provider(&bench);
        assert_eq!(oauth1.read(get("t")).await.unwrap().expires_at, None); // cached from here on

        db.execute("DELETE FROM access_token").await;
        bench.invalidations.publish(&Change::of([Entity::new(Kind::Consumer, "c")]));

        assert!(matches!(oauth1.read(get("t")).await, Err(Error::AccessTokenNotFound(_))));
    }

    async fn a_consumer_is_kept_as_it_is_given_and_its_secret_told_once(db: TestDb) {
        let bench = Bench::new(&db).await;
        let oauth1 = provider(&bench);
        let draft = |body| serde_json::from_value::<ConsumerDraft>(body).unwrap();

        let create = CreateConsumer { consumer: draft(json!({"description": "d", "colour": null})) };
        let (consumer, secret) = oauth1.send(create).await.unwrap();

        assert_eq!(secret.expose_secret().len(), 32);
        let id = consumer.id.clone();
        assert_eq!(json!(consumer), json!({"colour": null, "id": id, "description": "d"}));
        assert_eq!(oauth1.read(GetConsumer { id: id.clone() }).await.unwrap(), consumer);
        let patch = draft(json!({"description": null, "size": 1}));
        let changed = oauth1.send(UpdateConsumer { id: id.clone(), patch }).await.unwrap();
        assert_eq!(json!(changed), json!({"colour": null, "size": 1, "id": id, "description": null}));
        assert_eq!(oauth1.read(ListConsumers).await.unwrap(), [changed]);
        let long = draft(json!({"description": "x".repeat(65)}));
        assert!(matches!(
            oauth1.send(UpdateConsumer { id, patch: long }).await,
            Err(Error::DescriptionTooLong(_))
        ));
    }

    async fn a_consumer_takes_its_tokens_with_it(db: TestDb) {
        let oauth1 = consumer_with_token(&db, "[]", "NULL").await;
        db.execute(
            "INSERT INTO request_token (id, request_secret, requested_project_id, consumer_id) \
             VALUES ('r', 'hidden', 'p', 'c')"
        ).await;
        oauth1.read(get("t")).await.unwrap(); // cached from here on

        oauth1.send(DeleteConsumer { id: "c".into(), now: NOW }).await.unwrap();

        assert!(matches!(oauth1.read(get("t")).await, Err(Error::AccessTokenNotFound(_))));
        let again = oauth1.send(DeleteConsumer { id: "c".into(), now: NOW }).await;
        assert_eq!(again.unwrap_err().to_string(), "Consumer not found");
        assert!(oauth1.read(ListConsumers).await.unwrap().is_empty());
    }
}
