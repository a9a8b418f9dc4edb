//! The database hangs, dies, comes back, or loses connections, behind a wire that the test can
//! cut.

use super::{PATIENCE, caller, until_all_is_well, until_ready, world};
use crate::support::cloud::Options;
use crate::support::load::{Ask, Load, MIX};
use crate::support::wire::Wire;
use crate::support::{Cloud, until};
use crate::testdb::{Backend, TestDb, each_server, run};

/// Deadlines short enough for a test. That answers keep them, clients see to: one that takes longer
/// than their patience is no clean one. It leaves a busy machine time, so it bounds answers far above
/// these.
fn hasty() -> Options {
    Options::default()
        .set("storage", "connect_timeout", 1)
        .set("storage", "acquire_timeout", 1)
        .set("storage", "statement_timeout", 1)
        .set("providers", "request_timeout", 3)
}

/// A node that reaches its database by this wire, and a load on it.
async fn start_behind<'db>(db: &'db TestDb, wire: &Wire, options: Options) -> (Cloud<'db>, Load) {
    // The tables are made by another, which has more time.
    let first = world(db).start().await;
    let options = options.set("database", "connection", wire.url());
    let node = first.start_node(options).await;
    let load = Load::start(&caller(&node).await, "alice", &MIX, PATIENCE);
    load.next(5).await;
    (node, load)
}

each_server! {
    async fn a_hung_database_is_told_as_503_and_forgotten_when_it_goes_on(db: TestDb) {
        let wire = Wire::to(&db);
        let (node, load) = start_behind(&db, &wire, hasty()).await;

        wire.hang();
        let noticed = until_ready(&node, false).await;
        let hung = load.next(1).await;
        wire.heal();
        let healed = until_ready(&node, true).await;
        until_all_is_well(&load).await;

        let record = load.end().await;
        eprintln!("not ready after {noticed:?}, ready again after {healed:?}; hung:\n{hung}");
        record.assert_clean();
        assert!(hung.0.iter().any(|one| one.status() == 503), "{hung}");
    }

    async fn a_hung_database_shows_in_readyz_before_clients_run_into_deadlines(db: TestDb) {
        let wire = Wire::to(&db);
        // With the deadlines of a real deployment: ten seconds, where a probe has two.
        let (node, load) = start_behind(&db, &wire, Options::default()).await;

        wire.hang();
        let noticed = until_ready(&node, false).await;
        let meanwhile = load.record(0);
        wire.heal();
        until_ready(&node, true).await;

        let record = load.end().await;
        eprintln!("not ready after {noticed:?}");
        meanwhile.assert_good();
        record.assert_clean();
    }

    async fn connections_that_died_unnoticed_are_replaced(db: TestDb) {
        let wire = Wire::to(&db);
        let (_node, load) = start_behind(&db, &wire, hasty()).await;

        wire.lose_connections();
        let after = load.next(50).await;

        let record = load.end().await;
        eprintln!("{after}");
        record.assert_clean();
    }

    async fn a_dead_database_is_told_as_503_and_found_again(db: TestDb) {
        let wire = Wire::to(&db);
        let (node, load) = start_behind(&db, &wire, hasty()).await;

        wire.die();
        let noticed = until_ready(&node, false).await;
        // By now what is in memory is trusted no more.
        until("no trust", async || {
            let told = node.api().get("/readyz").await.json();
            told["caches_trusted"] == false
        })
        .await;
        let dead = load.next(5).await;
        wire.heal();
        let healed = until_ready(&node, true).await;
        until_all_is_well(&load).await;

        let record = load.end().await;
        eprintln!("not ready after {noticed:?}, ready again after {healed:?}; dead:\n{dead}");
        record.assert_clean();
        assert!(dead.0.iter().all(|one| one.status() == 503), "{dead}");
    }

    async fn a_killed_connection_is_replaced_and_no_read_fails(db: TestDb) {
        let cloud = world(&db).start().await;
        let admin = caller(&cloud).await;
        let load = Load::start(&admin, "alice", &MIX, PATIENCE);
        load.next(5).await;

        for _ in 0..5 {
            let killed = db.kill_connections().await;
            assert!(killed > 0);
            load.next(5).await;
        }

        let record = load.end().await;
        eprintln!("{record}");
        record.assert_clean();
        record.assert_reads_good();
    }
}

#[test]
fn while_another_holds_the_lock_of_sqlite_reads_go_on_and_writes_are_503() {
    run(Backend::Sqlite, async |db: TestDb| {
        let cloud = world(&db)
            // What a busy machine may take for a read, and less than SQLite waits for its lock.
            .set("storage", "statement_timeout", 4)
            .start()
            .await;
        let admin = caller(&cloud).await;
        let mix = [&MIX[..], &[(Ask::Revoke, 2)]].concat();
        let load = Load::start(&admin, "alice", &mix, PATIENCE);
        load.next(5).await;

        let lock = db.lock_sqlite();
        let locked = load.next(2).await;
        drop(lock);
        until("writes again", async || {
            load.next(2).await.of(Ask::Revoke).all(|one| one.is_good())
        })
        .await;

        let record = load.end().await;
        eprintln!("locked:\n{locked}");
        record.assert_clean();
        record.assert_reads_good();
        assert!(
            locked.of(Ask::Revoke).any(|one| one.status() == 503),
            "{locked}"
        );
    });
}
