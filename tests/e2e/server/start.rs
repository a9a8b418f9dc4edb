//! What keeps the server from starting, and what does not.

use crate::support::cloud::Builder;
use crate::support::{Cloud, Options};
use crate::testdb::each_database;

each_database! {
    async fn without_its_tables_the_server_says_what_to_run(db: TestDb) {
        let cloud = Cloud::configured(&db, Options::default());
        cloud.run(&["fernet", "setup"], &[]);

        let refused = cloud.fails(&["serve"]);

        assert_eq!(refused.status.code(), Some(3));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("keystone-ng db sync"), "{said}");

        cloud.run(&["db", "sync"], &[]);
        db.execute(r#"DROP TABLE "ng_invalidation""#).await;
        db.execute(r#"DELETE FROM "ng_migration" WHERE "name" = 'ng/0001_invalidation_outbox'"#).await;
        let refused = cloud.fails(&["serve"]);
        assert_eq!(refused.status.code(), Some(3));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("ng/0001_invalidation_outbox") && said.contains("keystone-ng db sync"), "{said}");
    }

    async fn tables_of_another_release_are_refused(db: TestDb) {
        let cloud = Builder::new(&db).prepare().await;
        db.execute(r#"DELETE FROM "alembic_version""#).await;
        db.execute(r#"INSERT INTO "alembic_version" ("version_num") VALUES ('29e87d24a316')"#).await;

        let refused = cloud.fails(&["serve"]);

        assert_eq!(refused.status.code(), Some(3));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("29e87d24a316") && said.contains("db_sync"), "{said}");
        let told = cloud.fails(&["db", "status"]);
        assert_eq!(told.status.code(), Some(3));
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(said.contains("29e87d24a316") && said.contains("db_sync"), "{said}");
    }
}

on_sqlite! {
    async fn an_unreachable_database_does_not_stop_the_start(db: TestDb) {
        let mut cloud = Builder::new(&db).prepare().await;
        let file = db.scratch().join("keystone.sqlite");
        let aside = db.scratch().join("aside.sqlite");
        std::fs::rename(&file, &aside).unwrap();
        // A folder in its place: SQLite can't open it.
        std::fs::create_dir(&file).unwrap();

        cloud.spawn();
        let ready = cloud.until_answers("/readyz").await;

        assert_eq!(ready.status(), 503);
        assert!(ready.json()["troubles"].to_string().contains("cannot be reached"), "{ready:?}");
        cloud.api().get("/livez").await.expect(200);

        std::fs::remove_dir(&file).unwrap();
        std::fs::rename(&aside, &file).unwrap();
        cloud.until_ready().await;
        cloud.api().admin().await;
    }

    async fn a_database_that_comes_without_tables_is_reported_until_it_has_them(db: TestDb) {
        let mut cloud = Builder::new(&db).prepare().await;
        let file = db.scratch().join("keystone.sqlite");
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        cloud.spawn();
        cloud.until_answers("/readyz").await.expect(503);

        std::fs::remove_dir(&file).unwrap();
        cloud.until_logged(&["ERROR", "keystone-ng db sync"]).await;
        let ready = cloud.until_answers("/readyz").await.expect(503);
        assert!(ready.json()["troubles"].to_string().contains("keystone-ng db sync"), "{ready:?}");

        cloud.run(&["db", "sync"], &[]);
        cloud.until_ready().await;
    }
}
