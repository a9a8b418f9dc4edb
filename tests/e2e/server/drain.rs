//! The end: nothing that was begun is lost, and it comes in time.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use rustls::version::TLS13;

use super::tls::{Pair, handshake};
use crate::support::Cloud;
use crate::support::cloud::Builder;
use crate::support::raw::Raw;

/// Half of a request that is under way until [`finish`].
fn begin(cloud: &Cloud<'_>) -> Raw {
    let mut client = Raw::connect(&cloud.address());
    client.send(
        "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{",
    );
    assert_eq!(client.answer().status, 100, "it has been taken");
    client
}

fn finish(client: &mut Raw) -> u16 {
    let answer = client.send("}").answer();
    assert!(answer.closes(), "{answer:?}");
    client.until_closed();
    answer.status
}

on_sqlite! {
    async fn readiness_ends_at_once_and_answers_tell_clients_to_close(db: TestDb) {
        // Time enough to look; that it ends is seen below.
        let cloud = Builder::new(&db)
            .set("api_server", "drain_delay", 600)
            .set("api_server", "drain_timeout", 600)
            .start()
            .await;
        let mut kept = Raw::connect(&cloud.address());
        assert!(!kept.get("/v3").answer().closes());

        cloud.signal(Signal::TERM);
        cloud.until_logged(&["draining"]).await;

        // Connections are still taken, old and new ones, and all are told.
        let mut fresh = Raw::connect(&cloud.address());
        let ready = fresh.get("/readyz").answer();
        assert_eq!(ready.status, 503);
        assert!(ready.closes() && String::from_utf8_lossy(&ready.body).contains("draining"));
        let last = kept.get("/v3").answer();
        assert_eq!(last.status, 200);
        assert!(last.closes());
        kept.until_closed();
    }

    async fn a_request_under_way_is_finished(db: TestDb) {
        let mut cloud = Cloud::start(&db).await;
        let mut under_way = begin(&cloud);
        let mut idle = Raw::connect(&cloud.address());
        idle.get("/v3").answer();
        cloud.until_logged(&["answered"]).await;

        cloud.signal(Signal::TERM);
        cloud.until_logged(&["draining", "under_way=1"]).await;

        // The listener is closed, and the idle connection with it.
        idle.until_closed();
        while Raw::try_connect(&cloud.address()).is_ok() {
            actix_rt::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(finish(&mut under_way), 400);
        assert!(cloud.until_ended().await.success());
    }

    async fn connections_without_a_request_hold_up_no_end(db: TestDb) {
        let pair = Pair::make(db.scratch(), "server");
        let mut cloud = Builder::new(&db)
            .set("api_server", "tls_certificate", pair.certificate.display())
            .set("api_server", "tls_key", pair.key.display())
            .set("api_server", "client_request_timeout", 600)
            .set("api_server", "drain_timeout", 600)
            .start()
            .await;
        let silent = handshake(&cloud, &TLS13, &[&pair], b"http/1.1");
        // Speaks HTTP/2, and asks for nothing: the preface, and SETTINGS without any.
        let mut http2 = handshake(&cloud, &TLS13, &[&pair], b"h2");
        http2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();

        cloud.signal(Signal::TERM);

        assert!(cloud.until_ended().await.success());
        Raw::over(silent).until_closed();
        Raw::over(http2).until_closed();
    }

    async fn what_does_not_end_in_time_is_cut_off(db: TestDb) {
        let mut cloud = Builder::new(&db).set("api_server", "drain_timeout", 1).start().await;
        let mut under_way = begin(&cloud);

        let ended = {
            cloud.signal(Signal::TERM);
            cloud.until_ended().await
        };

        assert!(ended.success());
        under_way.until_closed();
        assert!(cloud.log().contains("requests did not end in time"), "{}", cloud.log());
    }

    async fn a_second_signal_ends_it_at_once(db: TestDb) {
        let mut cloud = Cloud::start(&db).await;
        let mut under_way = begin(&cloud);
        cloud.signal(Signal::TERM);
        cloud.until_logged(&["draining"]).await;

        cloud.signal(Signal::TERM);

        assert_eq!(cloud.until_ended().await.code(), Some(1));
        under_way.until_closed();
    }

    async fn under_load_no_request_that_was_taken_is_lost(db: TestDb) {
        // Enough for each client to be told.
        let mut cloud = Builder::new(&db).set("api_server", "drain_delay", 3).start().await;
        let answered = Arc::new(AtomicUsize::new(0));
        let stopping = Arc::new(AtomicBool::new(false));
        let address = cloud.address();
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let (answered, stopping, address) = (Arc::clone(&answered), Arc::clone(&stopping), address.clone());
                thread::spawn(move || load(&address, &answered, &stopping))
            })
            .collect();
        while answered.load(Ordering::Relaxed) < 200 {
            actix_rt::time::sleep(Duration::from_millis(5)).await;
        }

        stopping.store(true, Ordering::Relaxed);
        cloud.signal(Signal::TERM);

        let lost: Vec<String> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        assert!(cloud.until_ended().await.success());
        assert_eq!(lost, Vec::<String>::new());
    }
}

/// Asks, over connections that are kept, until the server takes none any more; what was sent and
/// got no answer is lost.
fn load(address: &str, answered: &AtomicUsize, stopping: &AtomicBool) -> Vec<String> {
    let mut lost = Vec::new();
    loop {
        let mut client = match Raw::try_connect(address) {
            Ok(client) => client,
            Err(error) if stopping.load(Ordering::Relaxed) => {
                drop(error);
                return lost;
            }
            Err(error) => return vec![format!("refused before the end: {error}")],
        };
        let mut is_fresh = true;
        loop {
            match client.get("/v3").try_answer() {
                Ok(answer) => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    if answer.status != 200 {
                        lost.push(format!("{answer:?}"));
                    }
                    if answer.closes() {
                        break;
                    }
                    is_fresh = false;
                }
                // Not taken: the listener closed between the connection and its first request.
                Err(_)
                    if is_fresh && stopping.load(Ordering::Relaxed) && until_refused(address) =>
                {
                    return lost;
                }
                Err(error) => {
                    lost.push(error.to_string());
                    return lost;
                }
            }
        }
    }
}

/// Whether no connection is taken any more, within a minute. A connection that waits for a worker
/// when the server stops is dropped a moment before the listener is.
fn until_refused(address: &str) -> bool {
    (0..6000).any(|_| {
        let refused = Raw::try_connect(address).is_err();
        if !refused {
            thread::sleep(Duration::from_millis(10));
        }
        refused
    })
}
