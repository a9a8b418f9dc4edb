use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::*;
use crate::db::schema;
use crate::ids::{ApplicationCredentialId, GroupId};
use crate::testdb::each_database;
use crate::with_conn;

/// How many rows a table has.
macro_rules! rows {
    ($bench:expr, $table:ident) => {{
        let count: Result<i64, Error> = with_conn!(&$bench.pool("look"), |conn| {
            Ok(schema::$table::table.count().get_result(conn).await?)
        });
        count.unwrap()
    }};
}

/// The projects and users whose tokens were revoked, sorted.
async fn revoked(bench: &Bench) -> Vec<String> {
    use schema::revocation_event as event;
    type Row = (Option<String>, Option<String>);
    let found: Result<Vec<Row>, Error> = with_conn!(&bench.pool("look"), |conn| {
        Ok(event::table
            .select((event::project_id, event::user_id))
            .load(conn)
            .await?)
    });
    let found = found.unwrap().into_iter();
    let mut ids: Vec<String> = found
        .filter_map(|(project, user)| project.or(user))
        .collect();
    ids.sort();
    ids
}

/// The user `u` and the group `g` of the domain, and all that may depend on a project, or on a
/// domain by its users and groups.
async fn furnish(db: &TestDb, domain: &str, project: &str) {
    for sql in [
        "INSERT INTO role (id, name, domain_id) VALUES ('r', 'r', '<<null>>')".to_owned(),
        format!(
            r#"INSERT INTO "user" (id, enabled, domain_id, default_project_id) VALUES ('u', true, '{domain}', '{project}')"#
        ),
        format!(
            r#"INSERT INTO "user" (id, enabled, domain_id, default_project_id) VALUES ('v', true, 'e', '{project}')"#
        ),
        format!(r#"INSERT INTO "group" (id, domain_id, name) VALUES ('g', '{domain}', 'g')"#),
        "INSERT INTO user_group_membership (user_id, group_id) VALUES ('v', 'g')".to_owned(),
        format!(
            "INSERT INTO assignment (type, actor_id, target_id, role_id, inherited) VALUES \
                 ('UserProject', 'u', '{project}', 'r', false), ('GroupProject', 'g', '{project}', 'r', true), \
                 ('UserDomain', 'v', '{domain}', 'r', false), ('UserProject', 'v', 'ea', 'r', false), \
                 ('UserDomain', 'u', 'e', 'r', false)"
        ),
        "INSERT INTO system_assignment (type, actor_id, target_id, role_id, inherited) VALUES \
         ('UserSystem', 'u', 'system', 'r', false), ('GroupSystem', 'g', 'system', 'r', false)"
            .to_owned(),
        format!(
            "INSERT INTO credential (id, user_id, project_id, type, key_hash, encrypted_blob) VALUES \
                 ('c1', 'v', '{project}', 'ec2', '', ''), ('c2', 'u', NULL, 'totp', '', ''), ('c3', 'v', NULL, 'totp', '', '')"
        ),
        format!(
            "INSERT INTO trust (id, trustor_user_id, trustee_user_id, project_id, impersonation) VALUES \
                 ('t1', 'v', 'w', '{project}', true), ('t2', 'u', 'v', 'ea', true), ('t3', 'v', 'w', 'ea', true)"
        ),
        format!(
            r#"INSERT INTO "limit" (id, project_id, resource_limit, internal_id) VALUES ('l1', '{project}', 1, 1), ('l2', 'ea', 1, 2)"#
        ),
        format!(
            "INSERT INTO project_endpoint (endpoint_id, project_id) VALUES ('x', '{project}'), ('x', 'ea')"
        ),
        "INSERT INTO endpoint_group (id, name, filters) VALUES ('eg', 'eg', '{}')".to_owned(),
        format!(
            "INSERT INTO project_endpoint_group (endpoint_group_id, project_id) VALUES ('eg', '{project}'), ('eg', 'ea')"
        ),
        format!("INSERT INTO project_tag (project_id, name) VALUES ('{project}', 't')"),
        format!(
            "INSERT INTO application_credential (internal_id, id, name, secret_hash, user_id, project_id) VALUES \
                 (1, 'a1', 'a', '', 'v', '{project}'), (2, 'a2', 'a', '', 'u', 'ea')"
        ),
        "INSERT INTO access_rule (external_id, user_id, service, path, method) \
         VALUES ('rule', 'u', 's', '/', 'GET'), ('other', 'v', 's', '/', 'GET')"
            .to_owned(),
        format!(
            "INSERT INTO whitelisted_config (domain_id, \"group\", \"option\", value) VALUES ('{domain}', 'ldap', 'url', '1')"
        ),
        format!("INSERT INTO config_register (type, domain_id) VALUES ('SQL', '{domain}')"),
    ] {
        db.execute(&sql).await;
    }
}

fn delete(project: &str) -> DeleteProject {
    DeleteProject {
        id: id(project),
        now: 1_795_000_000,
    }
}

async fn switch_off(db: &TestDb, ids: &str) {
    db.execute(&format!(
        "UPDATE project SET enabled = false WHERE id IN ({ids})"
    ))
    .await;
}

each_database! {
    async fn a_project_goes_with_all_that_depends_on_it(db: TestDb) {
        let bench = Bench::new(&db).await;
        let resources = provider(&bench);
        tree(&db).await;
        furnish(&db, "d", "dabc").await;
        resources.read(GetProject { id: id("dabc") }).await.unwrap(); // cached from here on

        resources.send(delete("dabc")).await.unwrap();

        assert!(matches!(resources.read(GetProject { id: id("dabc") }).await, Err(Error::NotFound(_))));
        assert_eq!(rows!(bench, assignment), 3);
        assert_eq!(rows!(bench, system_assignment), 2);
        assert_eq!(rows!(bench, credential), 2);
        assert_eq!(rows!(bench, limit), 1);
        assert_eq!((rows!(bench, project_endpoint), rows!(bench, project_endpoint_group)), (1, 1));
        assert_eq!(rows!(bench, project_tag), 0);
        // As Keystone does: they log nobody in any more.
        assert_eq!(rows!(bench, application_credential), 2);
        let kept: Result<Vec<String>, Error> = with_conn!(&bench.pool("look"), |conn| {
            use schema::trust;
            let kept = trust::table.filter(trust::deleted_at.is_null()).order(trust::id);
            Ok(kept.select(trust::id).load(conn).await?)
        });
        assert_eq!(kept.unwrap(), ["t2", "t3"]);
        let defaults: Result<Vec<Option<String>>, Error> = with_conn!(&bench.pool("look"), |conn| {
            Ok(schema::user::table.select(schema::user::default_project_id).load(conn).await?)
        });
        assert_eq!(defaults.unwrap(), [None, None]);
        assert_eq!(revoked(&bench).await, ["dabc"]);
    }

    async fn only_a_leaf_goes(db: TestDb) {
        let bench = Bench::new(&db).await;
        let resources = provider(&bench);
        tree(&db).await;
        switch_off(&db, "'dab', 'dabc'").await;

        let refused = resources.send(delete("da")).await.unwrap_err();
        assert!(refused.to_string().starts_with("Cannot delete the project da since it is not a leaf"));
        for project in ["dabc", "dab", "da"] {
            resources.send(delete(project)).await.unwrap();
        }

        assert_eq!(rows!(bench, project), 4); // with the root of all
        assert_eq!(revoked(&bench).await, ["da", "dab", "dabc"]);
        assert!(matches!(resources.send(delete("da")).await, Err(Error::NotFound(_))));
    }

    async fn a_domain_goes_with_projects_users_and_groups(db: TestDb) {
        let bench = Bench::new(&db).await;
        let resources = provider(&bench);
        tree(&db).await;
        furnish(&db, "d", "dab").await;
        let delete = || DeleteDomain { id: "d".into(), now: 1_795_000_000 };

        assert!(matches!(resources.send(delete()).await, Err(Error::DomainEnabled)));
        switch_off(&db, "'d'").await;
        let gone = resources.send(delete()).await.unwrap();

        assert_eq!(gone.projects, ["dabc", "dab", "da"].map(ProjectId::from));
        assert_eq!(gone.groups, [GroupId::from("g")]);
        let [user] = &gone.users[..] else { panic!("{:?}", gone.users) };
        assert_eq!((user.id.as_str(), user.access_rules.as_slice()), ("u", ["rule".to_owned()].as_slice()));
        assert_eq!(user.application_credentials, [ApplicationCredentialId::from("a2")]);
        assert_eq!(rows!(bench, project), 3);
        assert_eq!((rows!(bench, user), rows!(bench, group)), (1, 0));
        assert_eq!((rows!(bench, assignment), rows!(bench, system_assignment)), (1, 0));
        assert_eq!(rows!(bench, credential), 1);
        assert_eq!(rows!(bench, application_credential), 1);
        assert_eq!((rows!(bench, whitelisted_config), rows!(bench, config_register)), (0, 0));
        // The members of its groups, too, as these had roles.
        assert_eq!(revoked(&bench).await, ["d", "da", "dab", "dabc", "u", "v"]);
        assert!(matches!(resources.send(delete()).await, Err(Error::DomainNotFound(_))));
    }

    async fn an_immutable_project_stays_and_keeps_its_domain(db: TestDb) {
        let bench = Bench::new(&db).await;
        let resources = provider(&bench);
        tree(&db).await;
        let immutable = UpdateProject {
            id: id("dabc"),
            patch: serde_json::from_value(json!({"options": {"immutable": true}})).unwrap(),
        };
        resources.send(immutable).await.unwrap();
        switch_off(&db, "'d', 'da', 'dab', 'dabc'").await;

        for project in ["dabc", "d"] {
            let refused = resources.send(delete(project)).await;
            assert!(matches!(refused, Err(Error::ImmutableDeletion { kind: "project", .. })), "{project}");
        }
        assert_eq!(rows!(bench, project), 7);
        assert!(revoked(&bench).await.is_empty());
    }
}
