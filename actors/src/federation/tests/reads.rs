use serde_json::json;

use super::super::*;
use super::provider;
use crate::db::outbox::Change;
use crate::epoch::{Entity, Kind};
use crate::testdb::each_database;
use crate::testing::Bench;

each_database! {
    async fn an_identity_provider_is_read_with_all_that_it_has(db: TestDb) {
        let bench = Bench::new(&db).await;
        db.execute("INSERT INTO identity_provider (id, enabled, description, domain_id, authorization_ttl) VALUES ('idp', false, 'ours', 'd', 5)").await;
        db.execute("INSERT INTO idp_remote_ids (idp_id, remote_id) VALUES ('idp', 'b'), ('idp', 'a')").await;
        let federation = provider(&bench);

        let found = federation.read(GetIdentityProvider { id: "idp".into() }).await.unwrap();
        let missing = federation.read(GetIdentityProvider { id: "nope".into() }).await;

        assert_eq!(*found, IdentityProvider {
            id: "idp".into(),
            domain_id: "d".into(),
            enabled: false,
            authorization_ttl: Some(5),
            description: Some("ours".to_owned()),
            remote_ids: vec!["a".to_owned(), "b".to_owned()],
        });
        assert_eq!(missing.unwrap_err().to_string(), "Could not find Identity Provider: nope.");
    }

    async fn tokens_show_the_enabled_service_providers_until_one_changes(db: TestDb) {
        let bench = Bench::new(&db).await;
        for (id, enabled) in [("b", true), ("a", true), ("c", false)] {
            db.execute(&format!(
                "INSERT INTO service_provider (auth_url, id, enabled, sp_url, relay_state_prefix) VALUES ('http://{id}/auth', '{id}', {enabled}, 'http://{id}/sp', 'ss:mem:')"
            )).await;
        }
        let federation = provider(&bench);
        let [a, b, c] = ["a", "b", "c"].map(|id| json!({
            "id": id, "auth_url": format!("http://{id}/auth"), "sp_url": format!("http://{id}/sp"),
        }));
        assert_eq!(*federation.read(ListEnabledServiceProviders).await.unwrap(), [a.clone(), b.clone()]);

        db.execute("UPDATE service_provider SET enabled = true").await;
        bench.invalidations.publish(&Change::of([Entity::new(Kind::IdentityProvider, "")]));

        assert_eq!(*federation.read(ListEnabledServiceProviders).await.unwrap(), [a, b, c]);
    }
}
