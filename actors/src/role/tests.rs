use serde_json::{from_value, json};

use super::*;
use crate::actor::Handle;
use crate::ids::DomainId;
use crate::testdb::each_database;
use crate::testing::Bench;

fn provider(bench: &Bench) -> Handle<RoleProvider> {
    bench.start(RoleProvider::new(
        bench.pool("role"),
        bench.cache(),
        bench.invalidations.clone(),
        ["admin".to_owned()].into(),
    ))
}

fn named(name: &str) -> CreateRole {
    CreateRole {
        role: NewRole {
            name: name.to_owned(),
            ..NewRole::default()
        },
    }
}

fn patch(id: &RoleId, body: serde_json::Value) -> UpdateRole {
    UpdateRole {
        id: id.clone(),
        patch: from_value(body).unwrap(),
    }
}

each_database! {
    async fn a_renamed_role_is_never_read_under_its_old_name(db: TestDb) {
        let roles = provider(&Bench::new(&db).await);
        let id = roles.send(named("auditor")).await.unwrap().id.clone();
        roles.read(GetRole { id: id.clone() }).await.unwrap(); // cached from here on

        roles.send(patch(&id, json!({"name": "inspector"}))).await.unwrap();

        assert_eq!(roles.read(GetRole { id }).await.unwrap().name, "inspector");
    }

    async fn a_role_keeps_all_that_it_is_given(db: TestDb) {
        let roles = provider(&Bench::new(&db).await);
        let role: NewRole = from_value(json!({
            "name": "auditor", "description": "reads", "domain_id": "d", "options": {"immutable": true}, "colour": [1, null],
        })).unwrap();
        let created = roles.send(CreateRole { role }).await.unwrap();

        let read = roles.read(GetRole { id: created.id.clone() }).await.unwrap();

        assert_eq!(read, created);
        assert_eq!(read.extra["colour"], json!([1, null]));
        assert_eq!(read.options.immutable, Some(true));
    }

    async fn a_name_is_taken_once_among_global_roles_and_once_in_each_domain(db: TestDb) {
        let roles = provider(&Bench::new(&db).await);
        let in_domain = |id: Option<&str>| {
            let mut create = named("auditor");
            create.role.domain_id = id.map(DomainId::from);
            create
        };
        for domain in [None, Some("a"), Some("b")] {
            assert!(roles.send(in_domain(domain)).await.is_ok());
            assert!(matches!(roles.send(in_domain(domain)).await, Err(Error::NameTaken { .. })));
        }
    }

    async fn an_immutable_role_stays(db: TestDb) {
        let roles = provider(&Bench::new(&db).await);
        let id = roles.send(named("auditor")).await.unwrap().id.clone();
        roles.send(patch(&id, json!({"options": {"immutable": true}}))).await.unwrap();

        assert!(matches!(roles.send(DeleteRole { id: id.clone() }).await, Err(Error::ImmutableDeletion(_))));
        roles.send(patch(&id, json!({"options": {"immutable": null}}))).await.unwrap();
        roles.send(DeleteRole { id: id.clone() }).await.unwrap();
        assert!(matches!(roles.read(GetRole { id }).await, Err(Error::NotFound(_))));
    }

    async fn implications_follow_keystones_rules(db: TestDb) {
        let roles = provider(&Bench::new(&db).await);
        let mut id = Vec::new();
        for name in ["manager", "member", "admin", "gone", "gone too"] {
            id.push(roles.send(named(name)).await.unwrap().id.clone());
        }
        let implies = |prior: usize, implied: usize| CreateImplication { prior: id[prior].clone(), implied: id[implied].clone() };

        assert!(roles.send(implies(0, 1)).await.is_ok());
        assert!(matches!(roles.send(implies(0, 1)).await, Err(Error::ImplicationExists)));
        assert!(matches!(roles.send(implies(0, 2)).await, Err(Error::ProhibitedImplication(_))));
        let graph = roles.read(GetRoleGraph).await.unwrap();
        assert_eq!(graph.implied_by(&id[0]), [id[1].clone()]);

        // Whatever is cached of a role that another program deleted.
        db.execute(&format!("DELETE FROM role WHERE id IN ('{}', '{}')", id[3], id[4])).await;
        for (prior, implied, named) in [(0, 3, 3), (3, 0, 3), (3, 4, 4), (4, 3, 3)] {
            let refused = roles.send(implies(prior, implied)).await;
            assert!(matches!(refused, Err(Error::NotFound(gone)) if gone == id[named]), "{prior} {implied}");
        }

        // An implication goes with either of its roles.
        roles.send(DeleteRole { id: id[1].clone() }).await.unwrap();
        assert!(roles.read(GetRoleGraph).await.unwrap().implied_by(&id[0]).is_empty());
    }
}
