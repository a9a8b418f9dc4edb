use super::{Altered, Column, Family, altered_tables, columns, family};
use crate::db::DbKind;
use crate::db::migrate::statements;
use crate::testdb::{Backend, each_database};
use crate::testing::Bench;

fn said(altered: &[Altered]) -> Vec<String> {
    altered.iter().map(Altered::to_string).collect()
}

#[test]
fn every_column_of_every_migration_is_known() {
    for kind in [DbKind::Sqlite, DbKind::Postgres, DbKind::Mysql] {
        let due: Vec<Column> = statements(kind).flat_map(columns).collect();
        let of = |table: &str| -> Vec<&str> {
            let of = due.iter().filter(|one| one.table == table);
            of.map(|one| one.column.as_str()).collect()
        };

        assert_eq!(
            of("group"),
            ["id", "domain_id", "name", "description", "extra"],
            "{kind:?}"
        );
        assert_eq!(of("ng_webauthn_user"), ["user_id", "user_handle"]);
        assert_eq!(
            of("assignment"),
            ["type", "actor_id", "target_id", "role_id", "inherited"]
        );
        let name = due
            .iter()
            .find(|one| one.table == "local_user" && one.column == "name")
            .unwrap();
        assert_eq!(
            (name.declared.as_str(), name.nullable),
            ("VARCHAR(255)", false)
        );
        for one in &due {
            let known = !matches!(family(kind, &one.declared), Family::Other(name)
                if !["type", "entity_type"].contains(&name.as_str()));
            assert!(known, "{one:?}");
        }
    }
}

#[test]
fn a_column_that_a_later_migration_adds_is_known() {
    for statement in [
        "ALTER TABLE ng_notes ADD COLUMN site VARCHAR(8);",
        "    'ALTER TABLE ng_notes ADD COLUMN site VARCHAR(8)', 'DO 0');",
    ] {
        let due = columns(&format!("-- A site.\n{statement}\n"));
        let due: Vec<(&str, &str, &str, bool)> = due
            .iter()
            .map(|one| {
                (
                    one.table.as_str(),
                    one.column.as_str(),
                    one.declared.as_str(),
                    one.nullable,
                )
            })
            .collect();
        assert_eq!(
            due,
            [("ng_notes", "site", "VARCHAR(8)", true)],
            "{statement}"
        );
    }
}

each_database! {
    async fn tables_as_the_migrations_make_them_have_no_flaw(db: TestDb) {
        let bench = Bench::new(&db).await;
        assert_eq!(altered_tables(&bench.pool("checkup")).await.unwrap(), []);
    }

    async fn what_was_added_to_a_table_and_can_be_left_out_is_no_flaw(db: TestDb) {
        let bench = Bench::new(&db).await;
        db.execute(r#"ALTER TABLE "user" ADD COLUMN site VARCHAR(8)"#).await;
        db.execute(r#"ALTER TABLE "user" ADD COLUMN level INTEGER NOT NULL DEFAULT 1"#).await;
        db.execute("CREATE TABLE notes (id INTEGER NOT NULL)").await;
        assert_eq!(altered_tables(&bench.pool("checkup")).await.unwrap(), []);
    }

    async fn each_table_and_column_that_was_altered_is_named(db: TestDb) {
        let bench = Bench::new(&db).await;
        db.execute(r#"ALTER TABLE "user" RENAME COLUMN created_at TO made_at"#).await;
        db.execute("DROP TABLE trust_role").await;
        let mut due = vec!["user.created_at is missing", "the table trust_role is missing"];
        // SQLite can't alter a column.
        if db.backend() == Backend::Postgres {
            db.execute("ALTER TABLE project ALTER COLUMN description TYPE bytea USING NULL").await;
            db.execute("ALTER TABLE role ALTER COLUMN description TYPE VARCHAR(20)").await;
            db.execute("ALTER TABLE service ALTER COLUMN extra SET NOT NULL").await;
            db.execute("ALTER TABLE service ADD COLUMN owner TEXT NOT NULL").await;
            due = vec![
                "user.created_at is missing",
                "role.description takes 20 characters, not 255",
                "project.description is bytea, not TEXT",
                "service.owner is not Keystone's, may not be NULL and has no default, so that no row can be added",
                "service.extra may not be NULL",
                "the table trust_role is missing",
            ];
        }
        if db.backend() == Backend::Mariadb {
            db.execute("ALTER TABLE project MODIFY description BLOB").await;
            db.execute("ALTER TABLE service ADD COLUMN owner VARCHAR(9) NOT NULL").await;
            due = vec![
                "user.created_at is missing",
                "project.description is blob, not TEXT",
                "service.owner is not Keystone's, may not be NULL and has no default, so that no row can be added",
                "the table trust_role is missing",
            ];
        }

        let altered = altered_tables(&bench.pool("checkup")).await.unwrap();

        let mut said = said(&altered);
        said.sort();
        let mut due: Vec<String> = due.into_iter().map(str::to_owned).collect();
        due.sort();
        assert_eq!(said, due);
        assert!(altered.iter().any(Altered::is_fatal));
    }
}
