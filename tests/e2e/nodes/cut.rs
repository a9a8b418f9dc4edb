//! A node that is cut off from the database, while the others go on.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{PATIENCE, hasty, trusting, validity, world};
use crate::support::haproxy::Haproxy;
use crate::support::load::{Load, MIX};
use crate::support::wire::Wire;
use crate::support::{Cloud, Scope, until};
use crate::testdb::each_server;

/// How a wire is cut.
type Cut = fn(&Wire);

async fn trusts_its_caches(node: &Cloud<'_>) -> bool {
    node.api().get("/readyz").await.json()["caches_trusted"] == true
}

each_server! {
    async fn a_node_that_is_cut_off_serves_nothing_that_has_ended_meanwhile(db: TestDb) {
        let first = world(&db, &["hung", "dead"]).start().await;
        let wire = Wire::to(&db);
        let behind = hasty(trusting()).set("database", "connection", wire.url());
        let second = first.start_node(behind).await;
        let admin = first.api().admin().await;
        let load = Load::start(&admin.at(second.api()), "alice", &MIX, PATIENCE);
        load.next(2).await;

        for (name, cut) in [("hung", Wire::hang as Cut), ("dead", Wire::die as Cut)] {
            let session = first.api().login(name, Scope::Project("demo")).await;
            let at_second = async || validity(second.api(), admin.token(), session.token()).await;
            until("it is known", async || at_second().await == 200).await;

            cut(&wire);
            let began = Instant::now();
            admin.revoke(session.token()).await.expect(204);
            // As long as the trust window lasts it may go by what it knows.
            let mut last_good = began;
            let trusted = until("its trust ends", async || {
                if at_second().await == 200 {
                    last_good = Instant::now();
                }
                !trusts_its_caches(&second).await
            })
            .await;
            assert_eq!(at_second().await, 503, "{name}");
            wire.heal();
            let mut after = Vec::new();
            let healed = until("the truth", async || {
                after.push(at_second().await);
                after.last() == Some(&404)
            })
            .await;

            eprintln!(
                "{name}: served from memory for {:.0?}, trusted for {trusted:.0?}, right {healed:.0?} after healing",
                last_good - began
            );
            assert!(!after.contains(&200), "{name}: {after:?}");
            until("trust again", async || trusts_its_caches(&second).await).await;
            assert_eq!(at_second().await, 404, "{name}");
            load.next(2).await;
        }

        until("all is well", async || load.next(10).await.is_good()).await;
        let record = load.end().await;
        eprintln!("{record}");
        record.assert_clean();
    }

    async fn a_node_that_was_frozen_wakes_up_to_the_truth(db: TestDb) {
        let window = Duration::from_millis(200);
        let first = world(&db, &["frozen"]).start().await;
        let waking = trusting()
            .set("cache_coherence", "poll_interval", 0.05)
            .set("cache_coherence", "trust_window", window.as_secs_f64());
        let second = first.start_node(waking).await;
        let admin = first.api().admin().await;
        let session = first.api().login("frozen", Scope::Project("demo")).await;
        let at_second = async || validity(second.api(), admin.token(), session.token()).await;
        assert_eq!(at_second().await, 200);

        second.signal(Signal::STOP);
        admin.revoke(session.token()).await.expect(204);
        // Not to wait for something, but for the time that it may trust what it knows.
        actix_rt::time::sleep(2 * window).await;
        second.signal(Signal::CONT);

        assert_eq!(at_second().await, 404);
    }

    async fn behind_the_proxy_a_node_that_is_cut_off_costs_no_read(db: TestDb) {
        let first = world(&db, &[]).start().await;
        let wire = Wire::to(&db);
        let behind = hasty(trusting()).set("database", "connection", wire.url());
        let second = first.start_node(behind).await;
        let haproxy = Haproxy::start(&db, [&first, &second]);
        let admin = haproxy.api().admin().await;
        let load = Load::start(&admin, "alice", &MIX, PATIENCE);
        load.next(5).await;

        wire.hang();
        let noticed = until("not ready", async || second.api().get("/readyz").await.status() == 503).await;
        load.next(20).await;
        wire.heal();
        let healed = until("ready", async || second.api().get("/readyz").await.status() == 200).await;
        load.next(20).await;

        let record = load.end().await;
        eprintln!("not ready after {noticed:.0?}, ready again after {healed:.0?}\n{record}");
        record.assert_reads_good();
    }
}
