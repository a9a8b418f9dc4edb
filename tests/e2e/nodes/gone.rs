//! Nodes behind the shipped HAProxy configuration that die, or are stopped, and come back.

use super::{PATIENCE, trusting, world};
use crate::support::haproxy::Haproxy;
use crate::support::load::{Ask, Load, MIX};
use crate::support::until;
use crate::testdb::each_server;

each_server! {
    async fn a_node_that_is_killed_costs_no_read(db: TestDb) {
        let mut first = world(&db, &[]).start().await;
        let second = first.start_node(trusting()).await;
        let haproxy = Haproxy::start(&db, [&first, &second]);
        let admin = haproxy.api().admin().await;
        let load = Load::start(&admin, "alice", &MIX, PATIENCE);
        load.next(5).await;

        for _ in 0..2 {
            first.kill();
            load.next(20).await;
            first.start_again().await;
            until("it gets requests again", async || first.log().lines().rev().take(50).any(|line| line.contains("answered"))).await;
        }
        load.next(5).await;

        let record = load.end().await;
        eprintln!("{record}");
        record.assert_reads_good();
        drop(second);
    }

    async fn a_node_that_is_stopped_costs_no_read(db: TestDb) {
        let mut first = world(&db, &[]).start().await;
        let second = first.start_node(trusting()).await;
        let haproxy = Haproxy::start(&db, [&first, &second]);
        let admin = haproxy.api().admin().await;
        let load = Load::start(&admin, "alice", &[&MIX[..], &[(Ask::Revoke, 1)]].concat(), PATIENCE);
        load.next(5).await;

        for _ in 0..2 {
            let status = first.stop().await.unwrap();
            assert!(status.success(), "{status}");
            load.next(5).await;
            first.start_again().await;
            load.next(5).await;
        }

        let record = load.end().await;
        eprintln!("{record}");
        record.assert_reads_good();
        drop(second);
    }
}
