use super::*;
use crate::testdb::each_database;

each_database! {
    async fn a_user_is_found_by_id_and_by_name(db: TestDb) {
        let users = provider(&Bench::new(&db).await, IdentitySettings::default());
        local(&db, "alice").await;
        db.execute("INSERT INTO user_option (user_id, option_id, option_value) VALUES ('alice', 'MFAR', '[[\"password\"]]')").await;

        let user = users.read(GetUser { id: "alice".into() }).await.unwrap();
        let named = FindUser { name: "alice".to_owned(), domain_id: "d".into() };

        assert_eq!((user.name.as_str(), user.domain_id.as_str(), user.enabled), ("alice", "d", true));
        assert_eq!(user.extra["email"], "alice@example.org");
        assert_eq!(user.options.multi_factor_auth_rules, Some(vec![vec!["password".to_owned()]]));
        assert_eq!(users.read(named).await.unwrap(), Some(user));

        let stranger = users.read(GetUser { id: "nobody".into() }).await;
        assert_eq!(stranger.unwrap_err().to_string(), "Could not find user: nobody.");
        let elsewhere = FindUser { name: "alice".to_owned(), domain_id: "e".into() };
        assert_eq!(users.read(elsewhere).await.unwrap(), None);
    }

    async fn users_that_are_not_local_have_names_too(db: TestDb) {
        let users = provider(&Bench::new(&db).await, IdentitySettings::default());
        federation(&db, "NULL").await;
        for id in ["fed", "dir"] {
            db.execute(&format!(r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('{id}', true, 'd')"#)).await;
        }
        db.execute("INSERT INTO federated_user (user_id, idp_id, protocol_id, unique_id, display_name) VALUES ('fed', 'idp', 'saml', 'f1', 'Fred')").await;
        db.execute("INSERT INTO nonlocal_user (user_id, domain_id, name) VALUES ('dir', 'd', 'doris')").await;

        let fred = users.read(GetUser { id: "fed".into() }).await.unwrap();
        let doris = users.read(FindUser { name: "doris".to_owned(), domain_id: "d".into() }).await.unwrap();

        assert_eq!(fred.name, "Fred");
        assert_eq!((fred.federated[0].idp_id.as_str(), fred.federated[0].protocols[0].unique_id.as_str()), ("idp", "f1"));
        assert_eq!(doris.unwrap().id.as_str(), "dir");
    }

    async fn an_expiring_membership_lasts_as_long_as_its_provider_says(db: TestDb) {
        let users = provider(&Bench::new(&db).await, IdentitySettings { default_authorization_ttl: 1, ..IdentitySettings::default() });
        federation(&db, "10").await;
        local(&db, "alice").await;
        group(&db, "g").await;
        group(&db, "h").await;
        db.execute("INSERT INTO user_group_membership (user_id, group_id) VALUES ('alice', 'g')").await;
        db.execute("INSERT INTO expiring_user_group_membership (user_id, group_id, idp_id, last_verified) VALUES ('alice', 'h', 'idp', '2026-11-18 11:06:40')").await;
        let groups = async |now| {
            let groups = users.read(ListGroupsOfUser { user: "alice".into(), now }).await.unwrap();
            groups.iter().map(|id| id.to_string()).collect::<Vec<_>>()
        };

        assert_eq!(groups(NOW + 599).await, ["g", "h"]);
        assert_eq!(groups(NOW + 600).await, ["g"]);

        let memberships = users.read(GetMemberships { user: "alice".into() }).await.unwrap();
        assert_eq!(memberships.settled_until(NOW), Some(NOW + 600));
        assert!(users.read(ListGroupsOfUser { user: "nobody".into(), now: NOW }).await.unwrap().is_empty());
    }

    async fn a_provider_without_a_time_has_the_default(db: TestDb) {
        let users = provider(&Bench::new(&db).await, IdentitySettings { default_authorization_ttl: 1, ..IdentitySettings::default() });
        federation(&db, "NULL").await;
        local(&db, "alice").await;
        group(&db, "h").await;
        db.execute("INSERT INTO expiring_user_group_membership (user_id, group_id, idp_id, last_verified) VALUES ('alice', 'h', 'idp', '2026-11-18 11:06:40')").await;

        let memberships = users.read(GetMemberships { user: "alice".into() }).await.unwrap();

        assert_eq!(memberships.settled_until(NOW), Some(NOW + 60));
    }

    async fn a_group_is_found_by_id_and_by_name(db: TestDb) {
        let groups = provider(&Bench::new(&db).await, IdentitySettings::default());
        group(&db, "g").await;
        let found = groups.read(GetGroup { id: "g".into() }).await.unwrap();
        let named = FindGroup { name: "g".to_owned(), domain_id: "d".into() };

        assert_eq!(found.description.as_deref(), Some("of g"));
        assert_eq!(groups.read(named).await.unwrap(), Some(found));
        let none = groups.read(GetGroup { id: "x".into() }).await;
        assert_eq!(none.unwrap_err().to_string(), "Could not find group: x.");
    }
}

/// A group in the domain `d` whose name is its ID.
async fn group(db: &TestDb, id: &str) {
    db.execute(&format!(
        r#"INSERT INTO "group" (id, domain_id, name, description, extra) VALUES ('{id}', 'd', '{id}', 'of {id}', '{{}}')"#
    ))
    .await;
}

/// The identity provider `idp` with the protocol `saml`; `ttl` in minutes, or `NULL`.
async fn federation(db: &TestDb, ttl: &str) {
    db.execute(
        r#"INSERT INTO project (id, name, extra, enabled, domain_id, is_domain) VALUES ('d', 'd', '{}', true, '<<keystone.domain.root>>', true)"#,
    )
    .await;
    db.execute(&format!(
        "INSERT INTO identity_provider (id, enabled, domain_id, authorization_ttl) VALUES ('idp', true, 'd', {ttl})"
    ))
    .await;
    db.execute("INSERT INTO mapping (id, rules, schema_version) VALUES ('m', '[]', '1.0')")
        .await;
    db.execute(
        "INSERT INTO federation_protocol (id, idp_id, mapping_id) VALUES ('saml', 'idp', 'm')",
    )
    .await;
}
