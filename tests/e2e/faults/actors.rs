//! Actors that panic, stop, or have too much to do. They are those of a real server, which runs
//! in the test's own process: nothing outside can reach into one.

use std::time::Duration;

use keystone_actors::actor::{Control, ProviderStats};

use super::{PATIENCE, caller, world};
use crate::support::cloud::Options;
use crate::support::inside::Inside;
use crate::support::load::{Ask, Load, MIX};
use crate::support::until;
use crate::testdb::{Backend, TestDb, run};

/// Each provider: what breaks one of its replicas, and what is known of it.
type Provider = (Box<dyn Fn(usize, Control)>, Box<dyn Fn() -> ProviderStats>);

fn providers(server: &Inside<'_>) -> Vec<Provider> {
    let all = &server.node().providers;
    macro_rules! each {
        ($($name:ident),*) => {
            vec![$({
                let (broken, looked_at) = (all.$name.clone(), all.$name.clone());
                (
                    Box::new(move |replica, control| broken.control_replica(replica, control))
                        as Box<dyn Fn(usize, Control)>,
                    Box::new(move || looked_at.stats()) as Box<dyn Fn() -> ProviderStats>,
                )
            }),*]
        };
    }
    each!(
        identity,
        resource,
        assignment,
        role,
        catalog,
        trust,
        application_credential,
        oauth1,
        federation,
        revocation,
        token
    )
}

#[test]
fn every_provider_that_panics_or_stops_is_back_and_no_read_fails() {
    run(Backend::Sqlite, async |db: TestDb| {
        let cloud = world(&db).start().await;
        let server = Inside::start(
            &cloud,
            Options::default().set("providers", "restart_limit", 1000),
        )
        .await;
        let admin = caller(&cloud).await.at(server.api());
        let load = Load::start(&admin, "alice", &MIX, PATIENCE);
        load.next(5).await;

        let mut longest = Duration::ZERO;
        for (control, stats) in providers(&server) {
            let whole = stats().replicas;
            let faults = [Control::Panic, Control::Stop];
            for (replica, fault) in (0..whole).flat_map(|one| faults.map(|fault| (one, fault))) {
                let before = stats().restarts;
                control(replica, fault);
                let back = until("all replicas again", async || {
                    stats().restarts > before && stats().replicas >= whole
                })
                .await;
                longest = longest.max(back);
                // A read is asked again once: each meets one fault, and no second one on its way.
                load.next(1).await;
            }
        }
        load.next(20).await;

        let record = load.end().await;
        eprintln!("the slowest provider was back after {longest:?}\n{record}");
        record.assert_clean();
        record.assert_reads_good();
    });
}

#[test]
fn a_provider_over_its_restart_limit_shows_in_readyz_while_the_others_go_on() {
    run(Backend::Sqlite, async |db: TestDb| {
        let cloud = world(&db).start().await;
        let server = Inside::start(
            &cloud,
            Options::default()
                .set("providers", "restart_limit", 2)
                // Time enough to see it down.
                .set("providers", "restart_window", 20)
                // What is known stays known without the provider that is to fail, however late the
                // node looks what others have changed.
                .set("cache_coherence", "foreign_writers", false)
                .set("cache_coherence", "trust_window", 60),
        )
        .await;
        let admin = caller(&cloud).await.at(server.api());
        let load = Load::start(&admin, "alice", &MIX, PATIENCE);
        load.next(5).await;

        let identity = server.node().providers.identity.clone();
        until("its restart limit", async || {
            identity.control_replica(0, Control::Panic);
            identity.stats().failed
        })
        .await;
        let told = server.api().get("/readyz").await.expect(503).json();
        let meanwhile = load.next(3).await;
        let back = until("it is tried again", async || {
            server.api().get("/readyz").await.status() == 200
        })
        .await;
        let after = load.next(10).await;

        let record = load.end().await;
        eprintln!("tried again after {back:?}; while it was down:\n{meanwhile}");
        assert_eq!(
            told["troubles"],
            serde_json::json!(["provider identity is over its restart limit"])
        );
        record.assert_clean();
        // What needs no user is answered, and so is what is known of one.
        record.assert_each("a good answer without the broken provider", |one| {
            one.is_good() || !matches!(one.ask, Ask::Validate | Ask::Events)
        });
        let mut logins = meanwhile.of(Ask::Login);
        assert!(logins.all(|one| one.status() == 503), "{meanwhile}");
        after.assert_good();
    });
}

#[test]
fn a_full_gate_refuses_and_empties_again() {
    run(Backend::Sqlite, async |db: TestDb| {
        let cloud = world(&db)
            .set("providers", "mailbox", 16)
            .set("hashing", "threads", 1)
            .start()
            .await;
        let admin = caller(&cloud).await;

        let flood = Load::start(&admin, "alice", &[(Ask::Login, 64)], PATIENCE);
        let load = Load::start(&admin, "alice", &MIX, PATIENCE);
        load.next(20).await;
        let flooded = flood.end().await;
        let after = load.next(20).await;

        let record = load.end().await;
        eprintln!("flood:\n{flooded}load:\n{record}");
        flooded.assert_clean();
        record.assert_clean();
        assert!(
            flooded.0.iter().any(|one| one.status() == 503),
            "not full:\n{flooded}"
        );
        assert!(flooded.0.iter().any(|one| one.status() == 201), "{flooded}");
        after.assert_reads_good();
    });
}
