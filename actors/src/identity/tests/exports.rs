use super::*;
use crate::db::outbox::{Change, record_change};
use crate::testdb::each_database;
use crate::transaction;

each_database! {
    async fn users_and_groups_go_with_their_domain(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        federation(&db, "10").await;
        for (id, domain) in [("alice", "d"), ("bob", "d"), ("eve", "e"), ("erin", "e")] {
            identity.send(new_user(id, json!({"name": id, "domain_id": domain, "password": "right"}))).await.unwrap();
        }
        group(&identity, "g").await;
        let mut group: NewGroup = from_value(json!({"name": "h", "domain_id": "e"})).unwrap();
        group.id = Some("h".into());
        identity.send(CreateGroup { group }).await.unwrap();
        for (group, user) in [("g", "alice"), ("g", "eve"), ("h", "alice"), ("h", "erin")] {
            add(&identity, group, user).await.unwrap();
        }
        add_for_a_time(&db, "h", "bob").await;
        let get = |id: &str| GetUser { id: id.into() };
        let groups = |id: &str| ListGroupsOfUser { user: id.into(), now: NOW };
        for id in ["alice", "eve"] {
            identity.read(get(id)).await.unwrap();
            identity.read(groups(id)).await.unwrap(); // cached from here on
        }

        let change: Result<Change, Error> = transaction!(&bench.pool("domains"), |conn| {
            let deleted = delete_of_domain(conn, "d").await?;
            Ok(record_change(conn, "node", deleted.change(NOW)).await?)
        });
        bench.invalidations.publish(&change.unwrap());

        assert_eq!(text(identity.read(get("alice")).await), "Could not find user: alice.");
        assert_eq!(text(identity.read(GetGroup { id: "g".into() }).await), "Could not find group: g.");
        assert!(identity.read(groups("eve")).await.unwrap().is_empty());
        assert_eq!(*identity.read(groups("erin")).await.unwrap(), [GroupId::from("h")]);
        assert_eq!(outcome(&identity, login("eve", "right", NOW)).await, "accepted");
        assert_eq!(revoked(&bench).await, ["alice", "bob", "eve"]);
    }

    async fn a_deleted_project_is_nobodys_default(db: TestDb) {
        let (identity, bench) = provider(&db, settings()).await;
        for (id, project) in [("alice", "p"), ("bob", "q")] {
            identity.send(new_user(id, json!({"name": id, "default_project_id": project}))).await.unwrap();
        }
        let default = async |id: &str| identity.read(GetUser { id: id.into() }).await.unwrap().default_project_id.clone();
        assert_eq!(default("alice").await, Some("p".into()));

        let change: Result<Change, Error> = transaction!(&bench.pool("projects"), |conn| {
            let users = clear_default_projects(conn, &["p".to_owned()]).await?;
            Ok(record_change(conn, "node", Change::of(users)).await?)
        });
        bench.invalidations.publish(&change.unwrap());

        assert_eq!((default("alice").await, default("bob").await), (None, Some("q".into())));
    }
}
