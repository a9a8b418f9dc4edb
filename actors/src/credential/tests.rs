use super::*;
use crate::epoch::{Entity, Kind};
use crate::testdb::each_database;
use crate::testing::Bench;
use crate::transaction;

each_database! {
    async fn credentials_go_with_their_user_and_with_their_project(db: TestDb) {
        let bench = Bench::new(&db).await;
        for (id, user, project) in [("a", "alice", "p"), ("b", "bob", "p"), ("c", "bob", "q")] {
            db.execute(&format!(
                "INSERT INTO credential (id, user_id, project_id, encrypted_blob, type, key_hash, extra) \
                 VALUES ('{id}', '{user}', '{project}', 'x', 'cert', 'k', '{{}}')"
            )).await;
        }
        let pool = bench.pool("other");

        let of_user = with_users(&pool, &["alice", "nobody"]).await;
        let of_project = with_project(&pool, "p").await;

        assert_eq!(of_user, [Entity::new(Kind::Credential, "a")]);
        assert_eq!(of_project, [Entity::new(Kind::Credential, "b")]);
        assert_eq!(count_under_other_keys(&pool, "other").await.unwrap(), 1);
    }
}

async fn with_users(pool: &Db, ids: &[&str]) -> Vec<Entity> {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;
    transaction!(pool, |conn| Ok::<_, Error>(delete_of_users!(conn, ids))).unwrap()
}

async fn with_project(pool: &Db, id: &str) -> Vec<Entity> {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;
    transaction!(pool, |conn| Ok::<_, Error>(delete_of_project!(conn, id))).unwrap()
}
