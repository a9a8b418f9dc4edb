use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;
use crate::actor::Handle;
use crate::db::outbox::Change;
use crate::epoch::{Entity, Kind};
use crate::ids::RoleId;
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;

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

each_database! {
    async fn an_access_token_is_read_with_its_roles_and_its_end(db: TestDb) {
        let oauth1 = consumer_with_token(&db, r#"["r1", "r2"]"#, "'2033-05-18T03:33:20.000000Z'").await;

        let found = oauth1.read(get("t")).await.unwrap();

        assert_eq!(*found, AccessToken {
            id: "t".to_owned(),
            consumer_id: "c".to_owned(),
            authorizing_user_id: "u".into(),
            project_id: "p".into(),
            role_ids: ["r1", "r2"].map(RoleId::from).to_vec(),
            expires_at: Some(2_000_000_000),
        });
        assert_eq!(oauth1.read(get("x")).await.unwrap_err().to_string(), "Access token not found");
    }

    async fn an_access_token_that_cannot_be_read_gives_nothing(db: TestDb) {
        let oauth1 = consumer_with_token(&db, "{", "'soon'").await;

        let found = oauth1.read(get("t")).await.unwrap();

        assert!(found.role_ids.is_empty());
        assert_eq!(found.expires_at, Some(0));
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

        oauth1.send(DeleteConsumer { id: "c".into() }).await.unwrap();

        assert!(matches!(oauth1.read(get("t")).await, Err(Error::AccessTokenNotFound(_))));
        let again = oauth1.send(DeleteConsumer { id: "c".into() }).await;
        assert_eq!(again.unwrap_err().to_string(), "Consumer not found");
        assert!(oauth1.read(ListConsumers).await.unwrap().is_empty());
    }
}
