//! Transactions that begin again because another was in the way.

use std::time::Duration;

use tokio::time::sleep;
use tracing::debug;

use crate::actor::{Transient, Unavailable};

/// How often a transaction may begin again. With the pauses between, some 60 ms.
const MOST: u32 = 5;

/// How often one did.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// Whether a transaction that ended so may begin again; if so, after a pause, which grows, and
    /// is not the same for two that were in each other's way.
    pub async fn may_begin_again(&mut self, error: &impl Transient) -> bool {
        if error.unavailable() != Some(Unavailable::Contended) || self.0 >= MOST {
            return false;
        }
        self.0 += 1;
        debug!(
            tries = self.0,
            "another transaction was in the way: it begins again"
        );
        let spread = uuid::Uuid::new_v4().as_u128() % 1000;
        let spread = u64::try_from(spread).unwrap_or_default();
        sleep(Duration::from_micros((1000 + spread) << self.0)).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use diesel::result::Error;
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    use diesel_async::RunQueryDsl as _;
    use tokio::sync::Barrier;

    use crate::actor::Unavailable;
    use crate::db::url::DatabaseUrl;
    use crate::db::{Databases, Db, StorageLimits};
    use crate::testdb::{Backend, TestDb, each_database};
    use crate::{transaction, with_conn};

    diesel::table! {
        accounts (id) {
            id -> Integer,
            balance -> Integer,
        }
    }

    #[derive(Debug, thiserror::Error)]
    enum Failed {
        #[error(transparent)]
        Unavailable(#[from] Unavailable),
        #[error(transparent)]
        Storage(Error),
    }
    crate::triage!(Failed);

    /// Adds one to both accounts, `first` first; in its first try, once the other has its first too.
    async fn add(
        db: &Db,
        [first, second]: [i32; 2],
        both: &Barrier,
        tries: &AtomicU32,
    ) -> Result<(), Failed> {
        transaction!(db, |conn| {
            let more = accounts::balance.eq(accounts::balance + 1);
            diesel::update(accounts::table.find(first))
                .set(more)
                .execute(conn)
                .await?;
            if tries.fetch_add(1, Ordering::Relaxed) == 0 {
                both.wait().await;
            }
            diesel::update(accounts::table.find(second))
                .set(more)
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    each_database! {
        async fn of_two_transactions_in_each_others_way_both_are_done(db: TestDb) {
            // One after the other from the start: there are no such two.
            if db.backend() == Backend::Sqlite {
                return;
            }
            TestDb::execute(&db, "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)").await;
            TestDb::execute(&db, "INSERT INTO accounts VALUES (1, 0), (2, 0)").await;
            let url = DatabaseUrl::parse(db.url()).unwrap();
            let databases = Databases::new(url, StorageLimits::default()).unwrap();
            let pool = databases.pool("test", 10).unwrap();
            let both = Barrier::new(2);
            let tries = [AtomicU32::new(0), AtomicU32::new(0)];

            let (one, other) = tokio::join!(
                add(&pool, [1, 2], &both, &tries[0]),
                add(&pool, [2, 1], &both, &tries[1]),
            );

            one.unwrap();
            other.unwrap();
            let tried: u32 = tries.iter().map(|tries| tries.load(Ordering::Relaxed)).sum();
            assert_eq!(tried, 3, "one of them has to begin again");
            let balances: Result<Vec<i32>, Failed> = with_conn!(&pool, |conn| {
                let all = accounts::table.select(accounts::balance);
                all.load(conn).await.map_err(Failed::from)
            });
            assert_eq!(balances.unwrap(), [2, 2]);
        }
    }
}
