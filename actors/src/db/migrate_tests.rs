use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use tokio::sync::oneshot;

use super::*;
use crate::db::schema::sql_types::{AssignmentKind, MappedEntity};
use crate::db::schema::*;
use crate::db::{Databases, DbKind};
use crate::testdb::{TestDb, each_database};
use crate::testing::Bench;

const ALL: [&str; 5] = [
    "keystone/0001_keystone_30",
    "ng/0001_invalidation_outbox",
    "ng/0002_totp_use",
    "ng/0003_webauthn",
    "ng/0004_webauthn_given",
];

fn connect(db: &TestDb) -> Databases {
    Bench::second_node(db).databases
}

async fn sync_quietly(db: &Db) -> Result<Report, MigrateError> {
    sync(db, |_| ()).await
}

async fn states(db: &Db) -> Vec<MigrationState> {
    let all = status(db).await.unwrap();
    all.into_iter().map(|migration| migration.state).collect()
}

/// Behind the runner's back. (On a `TestDb` by itself this would be diesel's `execute`.)
async fn execute(db: &TestDb, sql: &str) {
    db.execute(sql).await;
}

each_database! {
    async fn an_empty_database_gets_both_sets_of_tables_once(db: TestDb) {
        let pool = connect(&db).pool("test", 10).unwrap();
        assert_eq!(keystone_schema(&pool).await.unwrap(), KeystoneSchema::Absent);
        assert_eq!(states(&pool).await, [MigrationState::Pending; 5]);

        let mut told = Vec::new();
        let first = sync(&pool, |line| told.push(line.to_owned())).await.unwrap();
        let after_first = states(&pool).await;
        let second = sync_quietly(&pool).await.unwrap();

        assert_eq!(first, Report { applied: ALL.to_vec(), keystone: KeystoneSchema::Current });
        assert_eq!(told, ALL.map(|name| format!("{name}: applied")));
        assert!(after_first.iter().all(|state| matches!(state, MigrationState::Applied { at } if *at > BEGUN)));
        assert_eq!(second, Report { applied: vec![], keystone: KeystoneSchema::Current });
        assert_eq!(states(&pool).await, after_first);
    }

    async fn nodes_that_start_at_once_apply_each_migration_once(db: TestDb) {
        let databases = connect(&db);
        let node = || {
            let pool = databases.pool("node", 10).unwrap();
            tokio::spawn(async move {
                let mut told = Vec::new();
                loop {
                    let done = sync(&pool, |line| told.push(line.to_owned())).await;
                    // Nobody waits for the lock longer than some seconds, which who has it may need.
                    if !matches!(done, Err(MigrateError::Busy)) {
                        return (told, done);
                    }
                }
            })
        };

        let nodes: Vec<_> = (0..6).map(|_| node()).collect();

        let mut applied = Vec::new();
        for node in nodes {
            let (told, report) = node.await.unwrap();
            assert_eq!(report.unwrap().keystone, KeystoneSchema::Current);
            applied.extend(told.iter().filter_map(|line| Some(line.strip_suffix(": applied")?.to_owned())));
        }
        // Which node did which is up to the lock.
        applied.sort_by_key(|name| ALL.iter().position(|known| known == name));
        assert_eq!(applied, ALL);
    }

    async fn a_node_that_never_gets_the_lock_says_so(db: TestDb) {
        let databases = connect(&db);
        let (pool, other) = (databases.pool("test", 10).unwrap(), databases.pool("other", 10).unwrap());
        let lock = match other.kind() {
            DbKind::Sqlite => "BEGIN IMMEDIATE",
            DbKind::Postgres => "BEGIN; SELECT pg_advisory_xact_lock(7955432190297731681)",
            DbKind::Mysql => "DO GET_LOCK(CONCAT('keystone-ng ', DATABASE()), 0)",
        };
        let ((locked, is_locked), (done, is_done)) = (oneshot::channel(), oneshot::channel::<()>());
        let holder = tokio::spawn(async move {
            with_conn!(&other, |conn| {
                conn.batch_execute(lock).await?;
                locked.send(()).unwrap();
                // Ends with an error, as the sender is dropped.
                let _ = is_done.await;
                conn.batch_execute("ROLLBACK").await.map_err(MigrateError::from)
            })
        });
        is_locked.await.unwrap();

        let refused = sync_quietly(&pool).await;

        drop(done);
        holder.await.unwrap().unwrap();
        assert!(matches!(refused, Err(MigrateError::Busy)), "{refused:?}");
        assert_eq!(states(&pool).await, [MigrationState::Pending; 5]);
    }

    async fn tables_that_python_keystone_made_are_left_alone(db: TestDb) {
        execute(&db, "CREATE TABLE project (id VARCHAR(64) NOT NULL PRIMARY KEY)").await;
        let pool = connect(&db).pool("test", 10).unwrap();

        let report = sync_quietly(&pool).await.unwrap();

        // Not of release 30, which the report tells.
        assert_eq!(report, Report { applied: ALL[1..].to_vec(), keystone: KeystoneSchema::Other { found: vec![] } });
        let states = states(&pool).await;
        assert_eq!(states[0], MigrationState::LeftToPython);
        assert!(states[1..].iter().all(|ours| matches!(ours, MigrationState::Applied { .. })));
    }

    async fn another_release_of_python_keystone_is_told_by_its_heads(db: TestDb) {
        let pool = connect(&db).pool("test", 10).unwrap();
        sync_quietly(&pool).await.unwrap();

        execute(&db, "UPDATE alembic_version SET version_num = '0123456789ab' WHERE version_num = '742c857f1dfb'").await;

        let found = vec!["0123456789ab".to_owned(), "c88cdce8f248".to_owned()];
        assert_eq!(keystone_schema(&pool).await.unwrap(), KeystoneSchema::Other { found });
    }

    async fn a_migration_of_a_newer_version_is_shown(db: TestDb) {
        let pool = connect(&db).pool("test", 10).unwrap();
        sync_quietly(&pool).await.unwrap();

        execute(&db, "INSERT INTO ng_migration (name, applied_at) VALUES ('ng/9999_later', 7)").await;

        assert_eq!(status(&pool).await.unwrap().last(), Some(&MigrationStatus {
            name: "ng/9999_later".to_owned(),
            state: MigrationState::Unknown { at: 7 },
        }));
    }

    async fn a_migration_that_fails_half_way_is_undone_or_can_be_completed(db: TestDb) {
        let pool = connect(&db).pool("test", 10).unwrap();
        // Its foreign keys refer to no column of that table, some way down the file.
        execute(&db, "CREATE TABLE consumer (name INTEGER)").await;

        let refused = sync_quietly(&pool).await;
        let keystone = keystone_schema(&pool).await.unwrap();
        let state = states(&pool).await[0];
        execute(&db, "DROP TABLE consumer").await;
        let completed = sync_quietly(&pool).await.unwrap();

        assert!(matches!(refused, Err(MigrateError::Failed { name, .. }) if name == ALL[0]), "{refused:?}");
        if pool.kind() == DbKind::Mysql {
            assert_eq!((keystone, state), (KeystoneSchema::Other { found: vec![] }, MigrationState::Begun));
        } else {
            assert_eq!((keystone, state), (KeystoneSchema::Absent, MigrationState::Pending));
        }
        assert_eq!(completed, Report { applied: ALL.to_vec(), keystone: KeystoneSchema::Current });
    }

    async fn every_column_of_every_definition_is_in_the_database(db: TestDb) {
        macro_rules! select_all {
            ($conn:expr, $($table:ident)*) => {$(
                // Compiled to a statement that names each column; it finds no row.
                let none = $table::table.select($table::all_columns).filter(sql::<Bool>("1 = 0"));
                none.execute($conn).await.unwrap_or_else(|e| panic!("{}: {e}", stringify!($table)));
            )*};
        }
        let pool = connect(&db).pool("test", 10).unwrap();
        sync_quietly(&pool).await.unwrap();

        with_conn!(&pool, |conn| {
            select_all!(conn, access_rule access_token alembic_version application_credential
                application_credential_access_rule application_credential_role assignment config_register consumer
                credential endpoint endpoint_group expiring_user_group_membership federated_user federation_protocol
                group id_mapping identity_provider idp_remote_ids implied_role limit local_user mapping nonlocal_user
                password policy policy_association project project_endpoint project_endpoint_group project_option
                project_tag region registered_limit request_token revocation_event role role_option sensitive_config
                service service_provider system_assignment token trust trust_role user user_group_membership
                user_option whitelisted_config ng_invalidation ng_migration ng_node ng_totp_use
                ng_webauthn_consumed ng_webauthn_credential ng_webauthn_device ng_webauthn_given ng_webauthn_invitation
                ng_webauthn_recovery ng_webauthn_recovery_limit ng_webauthn_secret ng_webauthn_token ng_webauthn_user);
            Ok::<(), MigrateError>(())
        })
        .unwrap();
    }

    async fn enum_columns_are_written_compared_and_read(db: TestDb) {
        let pool = connect(&db).pool("test", 10).unwrap();
        sync_quietly(&pool).await.unwrap();

        let (kinds, entities) = with_conn!(&pool, |conn| {
            diesel::insert_into(role::table).values((role::id.eq("r"), role::name.eq("reader"))).execute(conn).await?;
            for kind in [AssignmentKind::UserProject, AssignmentKind::GroupDomain] {
                let row = (
                    assignment::kind.eq(kind),
                    assignment::actor_id.eq("a"),
                    assignment::target_id.eq("t"),
                    assignment::role_id.eq("r"),
                    assignment::inherited.eq(false),
                );
                diesel::insert_into(assignment::table).values(row).execute(conn).await?;
            }
            let row = (
                id_mapping::public_id.eq("p"),
                id_mapping::domain_id.eq("d"),
                id_mapping::local_id.eq("l"),
                id_mapping::entity_type.eq(MappedEntity::Group),
            );
            diesel::insert_into(id_mapping::table).values(row).execute(conn).await?;
            let kinds: Vec<(AssignmentKind, String)> = assignment::table
                .inner_join(role::table)
                .filter(assignment::kind.eq_any([AssignmentKind::GroupDomain, AssignmentKind::UserDomain]))
                .filter(assignment::kind.ne(AssignmentKind::UserProject))
                .select((assignment::kind, role::name))
                .load(conn)
                .await?;
            let entities: Vec<MappedEntity> = id_mapping::table
                .filter(id_mapping::entity_type.eq(MappedEntity::Group))
                .select(id_mapping::entity_type)
                .load(conn)
                .await?;
            Ok::<_, MigrateError>((kinds, entities))
        })
        .unwrap();

        assert_eq!(kinds, [(AssignmentKind::GroupDomain, "reader".to_owned())]);
        assert_eq!(entities, [MappedEntity::Group]);
    }

    async fn an_id_of_the_outbox_is_never_given_again(db: TestDb) {
        let pool = connect(&db).pool("test", 10).unwrap();
        sync_quietly(&pool).await.unwrap();
        let write = "INSERT INTO ng_invalidation (entity, entity_id, node, created_at) VALUES ('user', 'u', 'n', 1)";
        let ids = async || -> Vec<i64> {
            with_conn!(&pool, |conn| {
                let all = ng_invalidation::table.select(ng_invalidation::id).order(ng_invalidation::id);
                all.load(conn).await.map_err(MigrateError::from)
            })
            .unwrap()
        };
        execute(&db, write).await;
        execute(&db, write).await;
        let before = ids().await;

        execute(&db, "DELETE FROM ng_invalidation").await;
        execute(&db, write).await;

        assert_eq!(before, [1, 2]);
        assert_eq!(ids().await, [3]);
    }
}
