//! Slow, large and broken requests: each has an answer or an end, none is a fault of ours, and
//! nobody else notices.

use std::time::Duration;

use crate::support::Cloud;
use crate::support::cloud::Builder;
use crate::support::raw::Raw;

/// `[oslo_middleware] max_request_body_size`.
const BODY: usize = 114_688;

on_sqlite! {
    async fn a_head_that_does_not_end_is_408_and_the_end(db: TestDb) {
        let cloud = Builder::new(&db).set("api_server", "client_request_timeout", 0.2).start().await;
        let mut slow = Raw::connect(&cloud.address());

        slow.send("GET /v3 HTTP/1.1\r\nHost: local");

        assert_eq!(slow.answer().status, 408);
        slow.until_closed();
    }

    async fn a_later_head_that_does_not_end_is_the_end(db: TestDb) {
        let cloud = Builder::new(&db)
            // The client has time for what it sends; one that is only idle is not cut off, but ends before.
            .set("api_server", "client_request_timeout", 2)
            .set("api_server", "keep_alive", 2)
            .start()
            .await;
        let mut slow = Raw::connect(&cloud.address());
        assert_eq!(slow.get("/v3").answer().status, 200);

        slow.send("GET /v3 HTTP/1.1\r\nHost: local");

        slow.until_closed();
        let metrics = cloud.metrics().get("/metrics").await.expect(200);
        let text = String::from_utf8_lossy(metrics.bytes()).into_owned();
        assert!(text.contains("keystone_connections_cut_total 1"), "{text}");
    }

    async fn a_body_that_does_not_arrive_is_a_complete_408(db: TestDb) {
        let cloud = Builder::new(&db).set("api_server", "request_timeout", 0.3).start().await;
        let mut slow = Raw::connect(&cloud.address());

        slow.send("POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"auth\":");

        let answer = slow.answer();
        assert_eq!(answer.status, 408);
        assert!(answer.header("x-openstack-request-id").is_some_and(|id| id.starts_with("req-")));
        assert_eq!(answer.header("Vary"), Some("X-Auth-Token"));
        assert!(answer.closes());
        let error: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(error["error"]["code"], 408);
        slow.until_closed();
        cloud.until_logged(&["answered", "route=\"/v3/auth/tokens\"", "status=408"]).await;
        let metrics = cloud.metrics().get("/metrics").await.expect(200);
        let text = String::from_utf8_lossy(metrics.bytes()).into_owned();
        assert!(text.contains(r#"route="/v3/auth/tokens",status="408""#), "{text}");
    }

    async fn a_body_that_is_announced_too_large_is_413_wherever_it_goes(db: TestDb) {
        let cloud = Cloud::start(&db).await;

        for (method, path) in [("POST", "/v3/auth/tokens"), ("GET", "/v3"), ("PUT", "/nowhere")] {
            let mut large = Raw::connect(&cloud.address());
            large.send(format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", BODY + 1));
            let answer = large.answer();
            assert_eq!(answer.status, 413, "{method} {path}");
            assert!(answer.header("x-openstack-request-id").is_some());
        }
        let mut endless = Raw::connect(&cloud.address());
        endless.send("POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n");
        assert!((400..500).contains(&endless.answer().status));
    }

    async fn a_body_that_grows_too_large_is_413_and_the_end(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let mut large = Raw::connect(&cloud.address());

        large.send("POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..=BODY / 0x1000 {
            large.send(format!("1000\r\n{}\r\n", " ".repeat(0x1000)));
        }

        assert_eq!(large.answer().status, 413);
    }

    async fn a_body_of_the_largest_size_is_read(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let mut largest = Raw::connect(&cloud.address());

        largest.send(format!("POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY}\r\n\r\n{{"));
        largest.send(" ".repeat(BODY - 2)).send("}");

        assert_eq!(largest.answer().status, 400);
        assert_eq!(largest.get("/v3").answer().status, 200, "on the same connection");
    }

    async fn what_is_no_request_is_the_clients_fault_and_troubles_no_log(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let flood: String = (0..200).map(|n| format!("X-{n}: {n}\r\n")).collect();
        let huge = "a".repeat(200_000);
        let wrong = [
            "\r\n\r\n\0\0\0\0\r\n\r\n".to_owned(),
            "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03 of TLS\r\n\r\n".to_owned(),
            "GET\r\n\r\n".to_owned(),
            "GET / HTTP/9.9\r\nHost: x\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n".to_owned(),
            format!("GET / HTTP/1.1\r\nHost: x\r\n{flood}\r\n"),
            format!("GET / HTTP/1.1\r\nHost: x\r\nX: {huge}\r\n\r\n"),
            format!("GET /{huge} HTTP/1.1\r\nHost: x\r\n\r\n"),
            "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(),
            "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
            "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
            "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        ];

        for request in &wrong {
            let mut client = Raw::connect(&cloud.address());
            client.send(request);
            client.end();
            // Closing without a word is an answer, too.
            if let Ok(answer) = client.try_answer() {
                assert!((400..500).contains(&answer.status), "{:.60}: {answer:?}", request);
            }
        }

        cloud.api().get("/v3").await.expect(200);
        let log = cloud.log();
        assert!(!log.contains("ERROR") && !log.contains("panic"), "{log}");
    }

    async fn many_slow_clients_hold_up_nobody(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        let admin = cloud.api().admin().await;
        let slow: Vec<Raw> = (0..400)
            .map(|n| {
                let mut client = Raw::connect(&cloud.address());
                match n % 2 {
                    0 => client.send("GET /v3 HTTP/1.1\r\nX: "),
                    _ => client.send("POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"),
                };
                client
            })
            .collect();

        for _ in 0..20 {
            admin.validate(admin.token()).await.expect(200);
        }
        drop(slow);
    }

    async fn a_connection_over_the_limit_waits_for_its_turn(db: TestDb) {
        let cloud = Builder::new(&db)
            .set("api_server", "workers", 1)
            .set("api_server", "max_connections", 4)
            .set("api_server", "keep_alive", 600)
            .start()
            .await;
        // The client that asked whether the server is up may hold one of the four.
        let mut held: Vec<Raw> = Vec::new();
        let mut waiting = loop {
            let mut client = Raw::connect(&cloud.address()).patience(Duration::from_secs(1));
            match client.get("/v3").try_answer() {
                Ok(answer) => assert_eq!(answer.status, 200),
                Err(_) => break client,
            }
            held.push(client);
            assert!(held.len() <= 4, "more connections than the limit");
        };

        held.pop();

        let mut waiting = {
            waiting = waiting.patience(Duration::from_secs(60));
            waiting
        };
        assert_eq!(waiting.answer().status, 200);
    }
}
