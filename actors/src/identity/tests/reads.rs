use super::*;
use crate::testdb::each_database;

each_database! {
    async fn a_user_is_found_by_id_and_by_name(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        let created = local(&identity, "alice").await;
        let named = |domain: &str| FindUser { name: "alice".to_owned(), domain_id: domain.into() };

        assert_eq!(identity.read(GetUser { id: "alice".into() }).await.unwrap(), created);
        assert_eq!(identity.read(named("d")).await.unwrap(), Some(created));

        assert_eq!(text(identity.read(GetUser { id: "nobody".into() }).await), "Could not find user: nobody.");
        assert_eq!(identity.read(named("e")).await.unwrap(), None);
    }

    async fn who_has_not_logged_in_finds_an_id_by_a_name_as_the_database_has_it_now(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        db.execute(r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('dir', true, 'd')"#).await;
        db.execute("INSERT INTO nonlocal_user (user_id, domain_id, name) VALUES ('dir', 'd', 'doris')").await;
        let id = async |name: &str, domain: &str| {
            let named = IdentifyUser { name: name.to_owned(), domain_id: domain.into() };
            identity.read(named).await.unwrap().map(|id| id.to_string())
        };

        assert_eq!(id("alice", "d").await.as_deref(), Some("alice"));
        assert_eq!(id("doris", "d").await.as_deref(), Some("dir"));
        for (name, domain) in [("alice", "e"), ("nobody", "d"), ("alice\0", "d"), ("", "")] {
            assert_eq!(id(name, domain).await, None, "{name:?} in {domain}");
        }
        // Nor where a database takes these for the same.
        for name in ["ALICE", "alice ", "alic\u{e9}", "Doris", "doris "] {
            assert_eq!(id(name, "d").await, None, "{name:?}");
        }
        // No cache stands between, which would know only those who are there.
        db.execute("UPDATE local_user SET name = 'alicia' WHERE user_id = 'alice'").await;
        assert_eq!(id("alice", "d").await, None);
        assert_eq!(id("alicia", "d").await.as_deref(), Some("alice"));
    }

    async fn users_that_are_not_local_have_names_too(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        federation(&db, "NULL").await;
        for id in ["fed", "dir"] {
            db.execute(&format!(r#"INSERT INTO "user" (id, enabled, domain_id) VALUES ('{id}', true, 'd')"#)).await;
        }
        db.execute("INSERT INTO federated_user (user_id, idp_id, protocol_id, unique_id, display_name) VALUES ('fed', 'idp', 'saml', 'f1', 'Fred')").await;
        db.execute("INSERT INTO nonlocal_user (user_id, domain_id, name) VALUES ('dir', 'd', 'doris')").await;

        let ids = ["fed", "dir"].map(UserId::from).to_vec();
        let mut names = identity.read(NameUsers { ids }).await.unwrap();
        names.sort_by(|a, b| a.id.cmp(&b.id));
        let names: Vec<_> = names.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names, ["doris", "Fred"]);
        let fred = identity.read(GetUser { id: "fed".into() }).await.unwrap();
        let doris = identity.read(FindUser { name: "doris".to_owned(), domain_id: "d".into() }).await.unwrap().unwrap();

        assert_eq!(fred.name, "Fred");
        assert_eq!((fred.federated[0].idp_id.as_str(), fred.federated[0].protocols[0].unique_id.as_str()), ("idp", "f1"));
        assert_eq!((doris.id.as_str(), doris.name.as_str()), ("dir", "doris"));
    }

    async fn the_names_of_many_users_are_read_at_once_cached_or_not(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        for id in ["alice", "bob", "carol"] {
            local(&identity, id).await;
        }
        identity.read(GetUser { id: "bob".into() }).await.unwrap();
        let ids = ["alice", "bob", "nobody", "bob"].map(UserId::from).to_vec();
        for _ in 0..2 {
            let mut users = identity.read(NameUsers { ids: ids.clone() }).await.unwrap();
            users.sort_by(|a, b| a.id.cmp(&b.id));
            let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
            assert_eq!(names, ["alice", "bob"]);
        }
        identity.send(change("alice", json!({"name": "alicia"}))).await.unwrap();
        let users = identity.read(NameUsers { ids }).await.unwrap();
        assert!(users.iter().any(|user| user.name == "alicia"));
    }

    async fn an_expiring_membership_lasts_as_long_as_its_provider_says(db: TestDb) {
        let (identity, _bench) = provider(&db, IdentitySettings { default_authorization_ttl: 1, ..settings() }).await;
        federation(&db, "10").await;
        local(&identity, "alice").await;
        for id in ["g", "h"] {
            group(&identity, id).await;
        }
        add(&identity, "g", "alice").await.unwrap();
        add_for_a_time(&db, "h", "alice").await;
        let groups = async |now| {
            let groups = identity.read(ListGroupsOfUser { user: "alice".into(), now }).await.unwrap();
            groups.iter().map(|id| id.to_string()).collect::<Vec<_>>()
        };

        assert_eq!(groups(NOW + 599).await, ["g", "h"]);
        assert_eq!(groups(NOW + 600).await, ["g"]);
        let memberships = identity.read(GetMemberships { user: "alice".into() }).await.unwrap();
        assert_eq!(memberships.settled_until(NOW), Some(NOW + 600));
        assert!(identity.read(ListGroupsOfUser { user: "nobody".into(), now: NOW }).await.unwrap().is_empty());
    }

    async fn a_provider_without_a_time_has_the_default(db: TestDb) {
        let (identity, _bench) = provider(&db, IdentitySettings { default_authorization_ttl: 1, ..settings() }).await;
        federation(&db, "NULL").await;
        local(&identity, "alice").await;
        group(&identity, "h").await;
        add_for_a_time(&db, "h", "alice").await;

        let memberships = identity.read(GetMemberships { user: "alice".into() }).await.unwrap();

        assert_eq!(memberships.settled_until(NOW), Some(NOW + 60));
    }

    async fn the_groups_of_a_user_are_shown_with_their_end(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        federation(&db, "10").await;
        local(&identity, "alice").await;
        for id in ["both", "passing", "permanent"] {
            group(&identity, id).await;
        }
        for id in ["both", "permanent"] {
            add(&identity, id, "alice").await.unwrap();
        }
        for id in ["both", "passing"] {
            add_for_a_time(&db, id, "alice").await;
        }
        let shown = async |name: Vec<crate::listing::TextFilter>, now| {
            let groups = identity.read(ListUserGroups { user: "alice".into(), name, now }).await.unwrap();
            groups.iter().map(|group| {
                let group = serde_json::to_value(group).unwrap();
                (group["id"].as_str().unwrap().to_owned(), group["membership_expires_at"].clone())
            }).collect::<Vec<_>>()
        };
        let of = |id: &str, end: Value| (id.to_owned(), end);

        assert_eq!(shown(vec![], NOW).await, [
            of("both", Value::Null), of("passing", json!("2026-11-18T11:16:40.000000")), of("permanent", Value::Null),
        ]);
        assert_eq!(shown(vec![], NOW + 600).await.len(), 2);
        let named = vec![crate::listing::TextFilter::equals("permanent")];
        assert_eq!(shown(named, NOW).await, [of("permanent", Value::Null)]);
        let stranger = ListUserGroups { user: "nobody".into(), name: vec![], now: NOW };
        assert_eq!(text(identity.read(stranger).await), "Could not find user: nobody.");
    }

    async fn nothing_is_called_by_a_name_with_a_nul(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        let nul = "alice\0";
        let filter = crate::listing::TextFilter::equals(nul);
        let of_groups = GroupFilter { name: vec![filter.clone()], ..GroupFilter::default() };
        let of_users = UserFilter { name: vec![filter], ..UserFilter::default() };
        let by_name = UserLookup::ByName { name: nul.to_owned(), domain_id: "d".into() };

        assert!(matches!(identity.read(GetUser { id: nul.into() }).await, Err(Error::UserNotFound(_))));
        assert!(matches!(identity.read(GetGroup { id: nul.into() }).await, Err(Error::GroupNotFound(_))));
        let named = FindUser { name: nul.to_owned(), domain_id: "d".into() };
        assert_eq!(identity.read(named).await.unwrap(), None);
        let named = FindGroup { name: nul.to_owned(), domain_id: "d".into() };
        assert_eq!(identity.read(named).await.unwrap(), None);
        assert_eq!(outcome(&identity, login(nul, "right", NOW)).await, "UnknownUser");
        assert_eq!(outcome(&identity, AuthenticatePassword { user: by_name, ..login("", "right", NOW) }).await, "UnknownUser");
        assert!(identity.read(ListUsers { filter: of_users, page: Default::default() }).await.unwrap().members.is_empty());
        assert!(identity.read(ListGroups { filter: of_groups, page: Default::default() }).await.unwrap().members.is_empty());
        assert!(identity.read(ListGroupsOfUser { user: nul.into(), now: NOW }).await.unwrap().is_empty());
    }
}
