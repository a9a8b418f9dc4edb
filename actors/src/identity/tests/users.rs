use super::look::outbox;
use super::*;
use crate::testdb::each_database;

fn get(id: &str) -> GetUser {
    GetUser { id: id.into() }
}

/// What the user is to `idp` by `saml`.
fn by_saml(unique_id: &str) -> Value {
    json!([{"idp_id": "idp", "protocols": [{"protocol_id": "saml", "unique_id": unique_id}]}])
}

each_database! {
    async fn a_user_keeps_all_that_it_is_given(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        federation(&db, "NULL").await;
        let options = json!({"lock_password": true, "multi_factor_auth_rules": [["password", "totp"]]});
        let body = json!({
            "name": " alice ", "domain_id": "e", "enabled": false, "password": "right", "default_project_id": "nowhere",
            "options": options, "federated": by_saml("a1"), "email": "a@example.org", "description": null, "pets": [1, {"a": 2}],
        });
        let created = identity.send(new_user("alice", body)).await.unwrap();

        let read = identity.read(get("alice")).await.unwrap();

        assert_eq!(read, created);
        assert_eq!(serde_json::to_value(read.view(NOW)).unwrap(), json!({
            "email": "a@example.org", "description": null, "pets": [1, {"a": 2}],
            "id": "alice", "name": "alice", "domain_id": "e", "enabled": false, "default_project_id": "nowhere",
            "password_expires_at": null, "options": options, "federated": by_saml("a1"),
        }));
    }

    async fn a_user_falls_into_the_default_domain(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        let user: NewUser = from_value(json!({"name": "alice"})).unwrap();
        let user = identity.send(CreateUser { user, now: NOW }).await.unwrap();
        assert_eq!((user.domain_id.as_str(), user.id.as_str().len(), user.enabled), ("d", 32, true));
    }

    async fn a_user_belongs_to_a_domain_that_exists(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        project(&db, "p", "d", false).await;
        for id in ["p", "x"] {
            let created = identity.send(new_user("alice", json!({"name": "alice", "domain_id": id}))).await;
            assert_eq!(text(created), format!("Could not find domain: {id}."));
        }
        local(&identity, "alice").await;
        assert_eq!(text(identity.send(change("alice", json!({"domain_id": "e"}))).await), "Cannot change Domain ID");
        assert_eq!(text(identity.send(change("alice", json!({"domain_id": "d"}))).await), "ok");
    }

    async fn a_name_is_taken_once_in_a_domain(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        local(&identity, "bob").await;
        let created = async |id: &str, domain: &str| {
            text(identity.send(new_user(id, json!({"name": "alice", "domain_id": domain}))).await)
        };
        let conflict = "Conflict occurred attempting to store user - Duplicate entry found with name alice";

        assert_eq!(created("second", "d").await, format!("{conflict} at domain ID d."));
        assert_eq!(created("third", "e").await, "ok");
        let renamed = identity.send(change("bob", json!({"name": "alice"}))).await;
        assert_eq!(text(renamed), format!("{conflict}."));
        assert_eq!(text(identity.read(get("second")).await), "Could not find user: second.");
    }

    async fn a_default_project_is_no_domain(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        project(&db, "p", "d", false).await;
        let refused = "User's default project ID cannot be a domain ID: e";
        let created = identity.send(new_user("alice", json!({"name": "alice", "default_project_id": "e"}))).await;
        assert_eq!(text(created), refused);

        local(&identity, "alice").await;
        assert_eq!(text(identity.send(change("alice", json!({"default_project_id": "e"}))).await), refused);
        let user = identity.send(change("alice", json!({"default_project_id": "p"}))).await.unwrap();
        assert_eq!(user.default_project_id, Some("p".into()));
        let user = identity.send(change("alice", json!({"default_project_id": null}))).await.unwrap();
        assert_eq!(user.default_project_id, None);
    }

    async fn a_changed_user_is_never_read_as_it_was(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        let named = |name: &str| FindUser { name: name.to_owned(), domain_id: "d".into() };
        identity.read(get("alice")).await.unwrap();
        identity.read(named("alice")).await.unwrap(); // cached from here on

        let body = json!({"name": "alicia", "options": {"lock_password": true}, "pet": "cat"});
        let answered = identity.send(change("alice", body)).await.unwrap();

        let read = identity.read(get("alice")).await.unwrap();
        assert_eq!(read, answered);
        assert_eq!((read.name.as_str(), read.options.lock_password), ("alicia", Some(true)));
        assert_eq!((&read.extra["email"], &read.extra["pet"]), (&json!("alice@example.org"), &json!("cat")));
        assert_eq!(identity.read(named("alice")).await.unwrap(), None);
        assert_eq!(identity.read(named("alicia")).await.unwrap(), Some(answered));
        assert_eq!(outcome(&identity, login("alice", "right", NOW)).await, "accepted");
        assert_eq!(text(identity.send(change("nobody", json!({"name": "x"}))).await), "Could not find user: nobody.");
    }

    async fn other_nodes_are_told_of_a_change(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        db.execute("DELETE FROM ng_invalidation").await;

        identity.send(change("alice", json!({"name": "alicia"}))).await.unwrap();

        assert_eq!(outbox(&bench).await, [("user".to_owned(), "alice".to_owned())]);
    }

    async fn disabling_ends_tokens_once_and_enabling_ends_none(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        identity.send(change("alice", json!({"name": "alicia", "enabled": true}))).await.unwrap();
        assert!(revoked(&bench).await.is_empty());

        let user = identity.send(change("alice", json!({"enabled": false}))).await.unwrap();
        assert!(!user.is_enabled(NOW));
        assert_eq!(revoked(&bench).await, ["alice"]);

        identity.send(change("alice", json!({"enabled": false}))).await.unwrap();
        identity.send(change("alice", json!({"enabled": true}))).await.unwrap();
        assert_eq!(revoked(&bench).await, ["alice"]);
    }

    async fn enabling_makes_an_inactive_user_active(db: TestDb) {
        let rule = IdentitySettings { disable_user_account_days_inactive: Some(30), ..settings() };
        let (identity, _bench) = provider(&db, rule).await;
        local(&identity, "alice").await;
        let later = NOW + 40 * DAY;
        let at = |body| UpdateUser { now: later, ..change("alice", body) };

        assert!(!identity.send(at(json!({"pet": "cat"}))).await.unwrap().is_enabled(later));
        assert!(identity.send(at(json!({"enabled": true}))).await.unwrap().is_enabled(later));
    }

    async fn the_tokens_of_a_user_can_be_ended(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        let end = |id: &str| RevokeUserTokens { id: id.into(), now: NOW };

        assert_eq!(text(identity.send(end("nobody")).await), "Could not find user: nobody.");
        assert!(revoked(&bench).await.is_empty());
        assert_eq!(text(identity.send(end("alice")).await), "ok");
        assert_eq!(revoked(&bench).await, ["alice"]);
    }

    async fn a_deleted_user_leaves_nothing(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        federation(&db, "10").await;
        let body = json!({"name": "alice", "password": "right", "options": {"lock_password": true}, "federated": by_saml("a1")});
        identity.send(new_user("alice", body.clone())).await.unwrap();
        for id in ["g", "h"] {
            group(&identity, id).await;
        }
        add(&identity, "g", "alice").await.unwrap();
        add_for_a_time(&db, "h", "alice").await;
        identity.read(get("alice")).await.unwrap();
        let groups = ListGroupsOfUser { user: "alice".into(), now: NOW };
        assert_eq!(identity.read(groups.clone()).await.unwrap().len(), 2);

        let delete = || DeleteUser { id: "alice".into(), now: NOW };
        identity.send(delete()).await.unwrap();

        assert_eq!(text(identity.read(get("alice")).await), "Could not find user: alice.");
        assert_eq!(outcome(&identity, login("alice", "right", NOW)).await, "UnknownUser");
        assert!(identity.read(groups).await.unwrap().is_empty());
        assert_eq!(revoked(&bench).await, ["alice"]);
        assert_eq!(text(identity.send(delete()).await), "Could not find user: alice.");
        // The name, the ID and the federated identity are free again.
        let again = identity.send(new_user("alice", json!({"name": "alice", "federated": by_saml("a1")}))).await.unwrap();
        assert_eq!(again.options, UserOptions::default());
    }

    async fn federated_identities_name_what_exists(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        federation(&db, "NULL").await;
        let create = async |id: &str, federated: Value| {
            text(identity.send(new_user(id, json!({"name": id, "federated": federated}))).await)
        };
        let of = |idp: &str, protocol: &str| json!([{"idp_id": idp, "protocols": [{"protocol_id": protocol, "unique_id": "x"}]}]);

        assert_eq!(create("alice", of("x", "saml")).await, "Could not find Identity Provider: x");
        assert_eq!(create("alice", of("idp", "x")).await, "Could not find federated protocol x for Identity Provider: idp.");
        assert_eq!(create("alice", of("idp", "saml")).await, "ok");
        assert_eq!(create("bob", of("idp", "saml")).await, "Conflict occurred attempting to store federated_user - Duplicate entry.");
        assert_eq!(create("bob", json!([])).await, "ok");
    }

    async fn federated_identities_are_replaced_together_or_not_at_all(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        federation(&db, "NULL").await;
        identity.send(new_user("alice", json!({"name": "alice", "federated": by_saml("a1")}))).await.unwrap();
        let two = json!([{"idp_id": "idp", "protocols": [
            {"protocol_id": "oidc", "unique_id": "a2"}, {"protocol_id": "saml", "unique_id": "a3"},
        ]}]);

        identity.send(change("alice", json!({"federated": two}))).await.unwrap();
        identity.send(change("alice", json!({"federated": []}))).await.unwrap();
        identity.send(change("alice", json!({"name": "alicia"}))).await.unwrap();

        let user = identity.read(get("alice")).await.unwrap();
        assert_eq!(serde_json::to_value(&user.federated).unwrap(), two);
        let refused = identity.send(change("alice", json!({"federated": [{"idp_id": "x", "protocols": []}]}))).await;
        assert_eq!(text(refused), "Could not find Identity Provider: x");
        assert_eq!(identity.read(get("alice")).await.unwrap(), user);
    }

    async fn a_federated_user_is_renamed_where_its_name_is(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        federation(&db, "NULL").await;
        db.execute(r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('fed', true, 'd')"#).await;
        db.execute("INSERT INTO federated_user (user_id, idp_id, protocol_id, unique_id, display_name) VALUES ('fed', 'idp', 'saml', 'f1', 'Fred')").await;

        let renamed = identity.send(change("fed", json!({"name": "Freddy"}))).await.unwrap();

        assert_eq!(renamed.name, "Freddy");
        let local = FindUser { name: "Freddy".to_owned(), domain_id: "d".into() };
        assert_eq!(identity.read(local).await.unwrap(), None);
    }
}
