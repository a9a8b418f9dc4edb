//! Traces, as a collector gets them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use awc::http::Method;
use serde_json::Value;

use crate::support::cloud::Builder;
use crate::support::login::PASSWORD;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A collector: takes what it is sent, and answers with this status.
struct Collector {
    address: String,
    received: Receiver<(String, Value)>,
}

impl Collector {
    fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, received) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || serve(stream, &sender, status));
            }
        });
        Self { address, received }
    }

    /// Spans up to that of the request with this ID, by name.
    fn until(&self, request: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        loop {
            let (head, body) = self
                .received
                .recv_timeout(Duration::from_secs(60))
                .expect("traces");
            assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
            assert!(
                head.to_lowercase()
                    .contains("content-type: application/json\r\n"),
                "{head}"
            );
            assert!(
                head.to_lowercase().contains("x-api-key: s3cret\r\n"),
                "{head}"
            );
            let resource = &body["resourceSpans"][0];
            assert_eq!(resource["resource"]["attributes"][0]["key"], "service.name");
            assert_eq!(
                resource["resource"]["attributes"][0]["value"]["stringValue"],
                "identity-test"
            );
            for span in resource["scopeSpans"][0]["spans"].as_array().unwrap() {
                spans.push(Span::read(span));
            }
            if spans.iter().any(|span: &Span| {
                span.attributes
                    .get("openstack.request_id")
                    .is_some_and(|id| id == request)
            }) {
                return spans;
            }
        }
    }
}

fn serve(mut stream: TcpStream, sender: &Sender<(String, Value)>, status: u16) {
    let mut read = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let end = read.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&read[..end + 2]).into_owned();
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            });
            let length = length.expect("a length");
            if read.len() >= end + 4 + length {
                let body = serde_json::from_slice(&read[end + 4..end + 4 + length]).expect("JSON");
                read.drain(..end + 4 + length);
                let _ = sender.send((head, body));
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}");
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
                continue;
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
}

#[derive(Clone, Debug)]
struct Span {
    trace: String,
    id: String,
    parent: Option<String>,
    name: String,
    kind: u64,
    error: bool,
    times: (u64, u64),
    attributes: BTreeMap<String, String>,
}

impl Span {
    fn read(span: &Value) -> Self {
        let text = |key: &str| {
            span[key]
                .as_str()
                .unwrap_or_else(|| panic!("no {key} in {span}"))
                .to_owned()
        };
        let attributes = span["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|attribute| {
                let value = &attribute["value"];
                let value = value["stringValue"]
                    .as_str()
                    .or(value["intValue"].as_str())
                    .expect("a value");
                (
                    attribute["key"].as_str().unwrap().to_owned(),
                    value.to_owned(),
                )
            });
        let span = Self {
            trace: text("traceId"),
            id: text("spanId"),
            parent: span.get("parentSpanId").map(|_| text("parentSpanId")),
            name: text("name"),
            kind: span["kind"].as_u64().unwrap(),
            error: span["status"]["code"] == 2,
            times: (
                text("startTimeUnixNano").parse().unwrap(),
                text("endTimeUnixNano").parse().unwrap(),
            ),
            attributes: attributes.collect(),
        };
        let is_hex =
            |id: &str, length| id.len() == length && id.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(is_hex(&span.trace, 32) && is_hex(&span.id, 16), "{span:?}");
        assert!(
            span.times.0 > 1_700_000_000_000_000_000 && span.times.0 <= span.times.1,
            "{span:?}"
        );
        span
    }
}

fn traced<'db>(db: &'db crate::testdb::TestDb, endpoint: &str) -> Builder<'db> {
    Builder::new(db)
        .set("observability", "otlp_endpoint", endpoint)
        .set("observability", "otlp_headers", "X-Api-Key = s3cret")
        .set("observability", "otlp_service_name", "identity-test")
}

on_sqlite! {
    async fn a_request_is_a_span_with_one_for_each_message_below(db: TestDb) {
        let collector = Collector::start(200);
        let cloud = traced(&db, &format!("http://{}", collector.address)).start().await;
        let admin = cloud.api().admin().await;

        let answer = admin
            .request(Method::GET, "/v3/auth/tokens")
            .subject(admin.token())
            .header("traceparent", &format!("00-{TRACE}-{PARENT}-01"))
            .header("tracestate", "vendor=secret-state")
            .send()
            .await
            .expect(200);

        let id = answer.header("x-openstack-request-id").unwrap();
        let spans = collector.until(id);
        let ours: Vec<&Span> = spans.iter().filter(|span| span.trace == TRACE).collect();
        let request = ours.iter().find(|span| span.kind == 2).expect("a span of the request");
        assert_eq!(request.name, "GET /v3/auth/tokens");
        assert_eq!(request.parent.as_deref(), Some(PARENT));
        let expected = [
            ("http.request.method", "GET"),
            ("http.route", "/v3/auth/tokens"),
            ("http.response.status_code", "200"),
            ("client.address", "127.0.0.1"),
            ("openstack.request_id", id),
            ("user.id", admin.text("/user/id")),
            ("openstack.project_id", admin.text("/project/id")),
        ];
        for (key, value) in expected {
            assert_eq!(request.attributes.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert!(!request.error);
        let messages: Vec<&&Span> = ours.iter().filter(|span| span.kind == 1).collect();
        assert!(messages.iter().any(|span| span.name.starts_with("token ")), "{messages:?}");
        for message in &messages {
            let parent = ours.iter().find(|span| Some(&span.id) == message.parent.as_ref()).expect("a parent");
            assert!(parent.times.0 <= message.times.0, "{message:?}");
        }
        // The login before was a trace of its own.
        let login = spans.iter().find(|span| span.name == "POST /v3/auth/tokens").expect("the login");
        assert!(login.trace != TRACE && login.parent.is_none());
        assert!(spans.iter().any(|span| span.trace == login.trace && span.kind == 1));
        let all = format!("{spans:?}");
        for secret in [admin.token(), PASSWORD, "secret-state", "admin-secret"] {
            assert!(!all.contains(secret), "{all}");
        }
    }

    async fn a_collector_that_fails_hurts_no_request_and_is_reported_once(db: TestDb) {
        let collector = Collector::start(503);
        let cloud = traced(&db, &format!("http://{}/v1/traces", collector.address)).start().await;

        for _ in 0..2 {
            let admin = cloud.api().admin().await;
            let answer = admin.validate(admin.token()).await.expect(200);
            collector.until(answer.header("x-openstack-request-id").unwrap());
        }

        cloud.until_logged(&[" WARN ", "traces could not be sent", "503"]).await;
        assert_eq!(cloud.log().matches("traces could not be sent").count(), 1);
        let metrics = cloud.metrics().get("/metrics").await.expect(200);
        let text = String::from_utf8_lossy(metrics.bytes()).into_owned();
        assert!(text.contains(r#"keystone_spans_total{outcome="sent"} 0"#), "{text}");
    }

    async fn without_a_collector_to_reach_the_server_serves(db: TestDb) {
        let mut cloud = traced(&db, "https://127.0.0.1:9").start().await;
        let admin = cloud.api().admin().await;
        admin.validate(admin.token()).await.expect(200);

        cloud.until_logged(&["traces could not be sent"]).await;

        assert!(cloud.stop().await.is_some_and(|ended| ended.success()));
    }

    async fn what_is_not_chosen_is_not_sent(db: TestDb) {
        let collector = Collector::start(200);
        let mut cloud = traced(&db, &format!("http://{}", collector.address))
            .set("observability", "otlp_sample_ratio", 0)
            .start()
            .await;
        let admin = cloud.api().admin().await;
        let sampled = format!("00-{TRACE}-{PARENT}-01");
        admin.request(Method::GET, "/v3").header("traceparent", &sampled).send().await.expect(200);

        // What there is, it sends before it ends.
        assert!(cloud.stop().await.is_some_and(|ended| ended.success()));

        assert!(collector.received.try_recv().is_err());
    }

    async fn what_is_left_is_sent_before_the_end(db: TestDb) {
        let collector = Collector::start(200);
        let mut cloud = traced(&db, &format!("http://{}", collector.address)).start().await;
        let answer = cloud.api().get("/v3").await.expect(200);

        cloud.stop().await;

        let spans = collector.until(answer.header("x-openstack-request-id").unwrap());
        assert!(spans.iter().any(|span| span.name == "GET /v3"), "{spans:?}");
    }
}
