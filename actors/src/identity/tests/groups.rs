use super::*;
use crate::testdb::each_database;

fn get(id: &str) -> GetGroup {
    GetGroup { id: id.into() }
}

fn remove(group: &str, user: &str) -> RemoveUserFromGroup {
    RemoveUserFromGroup {
        group: group.into(),
        user: user.into(),
        now: NOW,
    }
}

fn check(group: &str, user: &str) -> CheckUserInGroup {
    CheckUserInGroup {
        group: group.into(),
        user: user.into(),
        now: NOW,
    }
}

fn delete(id: &str) -> DeleteGroup {
    DeleteGroup {
        id: id.into(),
        now: NOW,
    }
}

each_database! {
    async fn a_group_keeps_all_that_it_is_given(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        let new: NewGroup = from_value(json!({"name": " admins ", "domain_id": "e", "colour": [1]})).unwrap();
        let created = identity.send(CreateGroup { group: new }).await.unwrap();
        let named = FindGroup { name: "admins".to_owned(), domain_id: "e".into() };

        assert_eq!(identity.read(get(created.id.as_str())).await.unwrap(), created);
        assert_eq!(identity.read(named).await.unwrap().as_ref(), Some(&created));
        assert_eq!(serde_json::to_value(&created).unwrap(), json!({
            "colour": [1], "id": created.id, "name": "admins", "domain_id": "e", "description": "",
        }));
        let missing = FindGroup { name: "admins".to_owned(), domain_id: "d".into() };
        assert_eq!(identity.read(missing).await.unwrap(), None);
    }

    async fn a_changed_group_is_never_read_as_it_was(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        group(&identity, "g").await;
        identity.read(get("g")).await.unwrap(); // cached from here on
        let patch = |body| UpdateGroup { id: "g".into(), patch: from_value(body).unwrap() };

        identity.send(patch(json!({"name": "h", "description": null, "colour": "red"}))).await.unwrap();

        let read = identity.read(get("g")).await.unwrap();
        assert_eq!((read.name.as_str(), &read.description, &read.extra["colour"]), ("h", &None, &json!("red")));
        assert_eq!(text(identity.send(patch(json!({"domain_id": "e"}))).await), "Cannot change Domain ID");
        let stranger = UpdateGroup { id: "x".into(), patch: GroupPatch::default() };
        assert_eq!(text(identity.send(stranger).await), "Could not find group: x.");
    }

    async fn a_name_is_taken_once_in_a_domain(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        group(&identity, "g").await;
        group(&identity, "h").await;
        let create = async |domain: &str| {
            let group: NewGroup = from_value(json!({"name": "g", "domain_id": domain})).unwrap();
            text(identity.send(CreateGroup { group }).await)
        };
        let conflict = "Conflict occurred attempting to store group - Duplicate entry found with name g";

        assert_eq!(create("d").await, format!("{conflict} at domain ID d."));
        assert_eq!(create("e").await, "ok");
        assert_eq!(create("x").await, "Could not find domain: x.");
        let renamed = UpdateGroup { id: "h".into(), patch: from_value(json!({"name": "g"})).unwrap() };
        assert_eq!(text(identity.send(renamed).await), format!("{conflict}."));
    }

    async fn many_groups_are_read_at_once(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        for id in ["g", "h"] {
            group(&identity, id).await;
        }
        identity.read(get("g")).await.unwrap();
        let ids = ["g", "h", "x"].map(GroupId::from).to_vec();
        for _ in 0..2 {
            assert_eq!(identity.read(GetGroups { ids: ids.clone() }).await.unwrap().len(), 2);
        }
    }

    async fn who_joins_is_in_at_once_and_keeps_the_tokens(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        group(&identity, "g").await;
        let groups = ListGroupsOfUser { user: "alice".into(), now: NOW };
        assert!(identity.read(groups.clone()).await.unwrap().is_empty());
        assert_eq!(text(identity.read(check("g", "alice")).await), "User 'alice' not found in group 'g'");

        for _ in 0..2 {
            assert_eq!(text(add(&identity, "g", "alice").await), "ok");
        }

        assert_eq!(*identity.read(groups).await.unwrap(), [GroupId::from("g")]);
        assert_eq!(text(identity.read(check("g", "alice")).await), "ok");
        assert!(revoked(&bench).await.is_empty());
    }

    async fn who_leaves_is_out_at_once_and_loses_the_tokens(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        group(&identity, "g").await;
        add(&identity, "g", "alice").await.unwrap();
        let groups = ListGroupsOfUser { user: "alice".into(), now: NOW };
        identity.read(groups.clone()).await.unwrap(); // cached from here on

        assert_eq!(text(identity.send(remove("g", "alice")).await), "ok");

        assert!(identity.read(groups).await.unwrap().is_empty());
        assert_eq!(revoked(&bench).await, ["alice"]);
        assert_eq!(text(identity.send(remove("g", "alice")).await), "User 'alice' not found in group 'g'");
        assert_eq!(revoked(&bench).await, ["alice"]);
    }

    async fn of_a_membership_the_group_is_looked_for_first(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        local(&identity, "alice").await;
        group(&identity, "g").await;
        for (group, user, expected) in [
            ("x", "nobody", "Could not find group: x."),
            ("g", "nobody", "Could not find user: nobody."),
        ] {
            assert_eq!(text(add(&identity, group, user).await), expected);
            assert_eq!(text(identity.send(remove(group, user)).await), expected);
            assert_eq!(text(identity.read(check(group, user)).await), expected);
        }
    }

    async fn an_expiring_membership_counts_and_can_not_be_removed(db: TestDb) {
        let (identity, _bench) = provider(&db, settings()).await;
        federation(&db, "10").await;
        local(&identity, "alice").await;
        group(&identity, "g").await;
        add_for_a_time(&db, "g", "alice").await;

        assert_eq!(text(identity.read(check("g", "alice")).await), "ok");
        let late = CheckUserInGroup { now: NOW + 600, ..check("g", "alice") };
        let missing = "User 'alice' not found in group 'g'";
        assert_eq!(text(identity.read(late).await), missing);
        assert_eq!(text(identity.send(remove("g", "alice")).await), missing);
    }

    async fn a_deleted_group_ends_tokens_only_if_it_had_a_role(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        federation(&db, "10").await;
        for id in ["alice", "bob"] {
            local(&identity, id).await;
        }
        for id in ["plain", "granted", "system"] {
            group(&identity, id).await;
            add(&identity, id, "alice").await.unwrap();
        }
        add_for_a_time(&db, "plain", "bob").await;
        db.execute("INSERT INTO role (id, name, domain_id) VALUES ('r', 'r', '<<null>>')").await;
        db.execute("INSERT INTO assignment (type, actor_id, target_id, role_id, inherited) VALUES ('GroupProject', 'granted', 'p', 'r', false)").await;
        db.execute("INSERT INTO system_assignment (type, actor_id, target_id, role_id, inherited) VALUES ('GroupSystem', 'system', 'system', 'r', false)").await;
        let groups = async |user: &str| identity.read(ListGroupsOfUser { user: user.into(), now: NOW }).await.unwrap().len();
        assert_eq!((groups("alice").await, groups("bob").await), (3, 1));

        assert_eq!(text(identity.send(delete("plain")).await), "ok");
        assert!(revoked(&bench).await.is_empty());
        assert_eq!((groups("alice").await, groups("bob").await), (2, 0));

        identity.send(delete("granted")).await.unwrap();
        assert_eq!(revoked(&bench).await, ["alice"]);
        identity.send(delete("system")).await.unwrap();
        assert_eq!(revoked(&bench).await, ["alice", "alice"]);
        assert_eq!(groups("alice").await, 0);
        assert_eq!(text(identity.send(delete("plain")).await), "Could not find group: plain.");
        assert_eq!(text(identity.read(get("plain")).await), "Could not find group: plain.");
    }
}
