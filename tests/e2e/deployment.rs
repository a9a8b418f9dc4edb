//! What we hand to operators, used as they would: the configuration of HAProxy, the systemd units.

use std::net::Ipv4Addr;
use std::process::Command;

use crate::support::cloud::Builder;
use crate::support::haproxy::{Haproxy, shipped};
use crate::support::raw::Raw;
use crate::support::{Cloud, Options, until};
use crate::testdb::{Scratch, TestDb, each_database};

async fn start_behind_a_proxy(db: &TestDb) -> Cloud<'_> {
    Builder::new(db)
        .set("api_server", "trusted_proxies", "127.0.0.1")
        .start()
        .await
}

fn trusting() -> Options {
    Options::default().set("api_server", "trusted_proxies", "127.0.0.1")
}

each_database! {
    async fn behind_haproxy_the_death_of_a_node_is_not_seen(db: TestDb) {
        let mut first = start_behind_a_proxy(&db).await;
        let second = first.start_node(trusting()).await;
        let haproxy = Haproxy::start(&db, [&first, &second]);
        let api = haproxy.api();
        let admin = api.admin().await;

        first.kill();

        // More of them than it takes to come by the dead node, before and after it is found out.
        for _ in 0..40 {
            admin.validate(admin.token()).await.expect(200);
        }
        drop(second);
    }

    async fn behind_haproxy_links_name_the_address_that_clients_use(db: TestDb) {
        let first = start_behind_a_proxy(&db).await;
        let second = first.start_node(trusting()).await;
        let haproxy = Haproxy::start(&db, [&first, &second]);
        let api = haproxy.api();
        let own = format!("{}/v3/", api.base());

        let version = api.get("/v3").await.expect(200);
        assert_eq!(version.json()["version"]["links"][0]["href"], own);

        // What a client says about a proxy that is not there changes nothing.
        for (header, value) in [
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Prefix", "/evil"),
            ("Forwarded", "for=192.0.2.1;host=evil.example;proto=https"),
        ] {
            let version = api.request(awc::http::Method::GET, "/v3").header(header, value).send().await.expect(200);
            assert_eq!(version.json()["version"]["links"][0]["href"], own, "{header}");
        }
        api.get("/readyz").await.expect(404);
        api.get("/metrics").await.expect(404);
        drop(second);
    }

    async fn behind_haproxy_the_log_names_the_client_and_not_whom_it_claims_to_be(db: TestDb) {
        let first = start_behind_a_proxy(&db).await;
        let second = first.start_node(trusting()).await;
        let haproxy = Haproxy::start(&db, [&first, &second]);

        let mut client = Raw::connect_from(Ipv4Addr::new(127, 0, 0, 2), &haproxy.address());
        client.send("GET /v3 HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.66\r\n\r\n");
        let answer = client.answer();

        assert_eq!(answer.status, 200);
        let id = answer.header("x-openstack-request-id").unwrap();
        let line = || {
            let lines = format!("{}{}", first.log(), second.log());
            lines.lines().find(|line| line.contains(id) && line.contains("client=")).map(str::to_owned)
        };
        until("the request is logged", async || line().is_some()).await;
        assert!(line().unwrap().contains("client=127.0.0.2"), "{line:?}", line = line());
        drop(second);
    }

    async fn metrics_are_told_on_a_listener_of_their_own_only(db: TestDb) {
        let cloud = Cloud::start(&db).await;

        let metrics = cloud.metrics().get("/metrics").await.expect(200);

        assert!(metrics.header("Content-Type").is_some_and(|kind| kind.contains("text")), "{metrics:?}");
        assert!(String::from_utf8_lossy(metrics.bytes()).contains("# TYPE "), "{metrics:?}");
        cloud.api().get("/metrics").await.expect(404);
    }
}

#[test]
fn systemd_accepts_the_units_and_finds_nothing_exposed() {
    let folder = Scratch::new();
    let unit = folder.path().join("keystone-ng.service");
    // The program need not be installed here, nor its manual.
    let text = std::fs::read_to_string(shipped("keystone-ng.service")).unwrap();
    let text = text.replace("/usr/bin/keystone-ng", env!("CARGO_BIN_EXE_keystone-ng"));
    std::fs::write(&unit, text).unwrap();
    let socket = folder.path().join("keystone-ng.socket");
    std::fs::copy(shipped("keystone-ng.socket"), &socket).unwrap();

    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args([&unit, &socket])
        .output()
        .expect("systemd-analyze, of Debian's package systemd");
    assert!(verified.status.success(), "{verified:?}");
    assert_eq!(String::from_utf8_lossy(&verified.stderr), "");

    // In tenths: 1.5 of 10. What is left is the network, which a server needs.
    let judged = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=15"])
        .arg(&unit)
        .output()
        .unwrap();
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stdout)
    );
}
