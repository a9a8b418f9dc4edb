//! Metrics of a server that has something to tell, read as OpenMetrics 1.0 says.

use std::collections::{BTreeMap, BTreeSet};

use awc::http::Method;
use serde_json::json;

use crate::support::cloud::Builder;
use crate::support::login::password_is;
use crate::support::{Cloud, Scope, scoped, until};

/// A family: its type, and its samples by name and labels.
#[derive(Debug, Default)]
pub(crate) struct Family {
    kind: String,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

impl Family {
    /// Whether there is a sample with these labels.
    pub(crate) fn has(&self, labels: &[(&str, &str)]) -> bool {
        self.samples.iter().any(|(_, of, _)| are_in(labels, of))
    }
}

fn are_in(labels: &[(&str, &str)], of: &BTreeMap<String, String>) -> bool {
    labels
        .iter()
        .all(|(name, value)| of.get(*name).is_some_and(|v| v == value))
}

/// Reads an exposition; panics where it is not one.
pub(crate) fn parse(text: &str) -> BTreeMap<String, Family> {
    let body = text.strip_suffix("# EOF\n").expect("# EOF at the end");
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    let mut seen = BTreeSet::new();
    for line in body.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut parts = comment.splitn(3, ' ');
            let (keyword, name, rest) = (
                parts.next().unwrap(),
                parts.next().unwrap(),
                parts.next().unwrap_or(""),
            );
            if name != current {
                assert!(!families.contains_key(name), "{name} is not in one piece");
                families.entry(name.to_owned()).or_default();
                current = name.to_owned();
            }
            match keyword {
                "TYPE" => {
                    let family = families.get_mut(name).unwrap();
                    assert!(
                        family.kind.is_empty() && family.samples.is_empty(),
                        "{line}"
                    );
                    family.kind = rest.to_owned();
                }
                "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                "HELP" => {}
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
        assert!(seen.insert(series.to_owned()), "twice: {series}");
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').expect("}")),
            None => (series, ""),
        };
        let labels = labels
            .split_terminator("\",")
            .map(|pair| {
                let (label, value) = pair
                    .trim_end_matches('"')
                    .split_once("=\"")
                    .unwrap_or_else(|| panic!("{line}"));
                (label.to_owned(), value.to_owned())
            })
            .collect();
        let family = families
            .get_mut(&current)
            .expect("a family before its samples");
        let suffix = name
            .strip_prefix(&current)
            .unwrap_or_else(|| panic!("{name} in {current}"));
        let allowed: &[&str] = match family.kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_count", "_sum"],
            kind => panic!("{kind}"),
        };
        assert!(allowed.contains(&suffix), "{line}");
        let value: f64 = value.parse().unwrap();
        assert!(family.kind == "gauge" || value >= 0.0, "{line}");
        family.samples.push((name.to_owned(), labels, value));
    }
    families
}

/// The sum of the samples that have these labels.
pub(crate) fn total(
    families: &BTreeMap<String, Family>,
    family: &str,
    labels: &[(&str, &str)],
) -> f64 {
    let family = families
        .get(family)
        .unwrap_or_else(|| panic!("no {family}"));
    let has = |of: &BTreeMap<String, String>| are_in(labels, of);
    family
        .samples
        .iter()
        .filter(|(name, of, _)| !name.ends_with("_bucket") && !name.ends_with("_sum") && has(of))
        .map(|(.., value)| value)
        .sum()
}

on_sqlite! {
    async fn what_operators_watch_is_there_and_well_formed(db: TestDb) {
        // Its caches are trusted, and stay so however late it looks what other nodes have changed.
        let cloud = Builder::new(&db).set("cache_coherence", "trust_window", 60).start().await;
        until("caches are trusted", async || {
            cloud.api().get("/readyz").await.json()["caches_trusted"] == true
        })
        .await;
        let admin = cloud.api().admin().await;
        for _ in 0..3 {
            admin.validate(admin.token()).await.expect(200);
        }
        cloud.api().authenticate(&scoped(password_is("admin", "wrong"), Scope::Unscoped)).await.expect(401);
        cloud.api().get("/nowhere").await.expect(404);
        cloud.api().request(Method::POST, "/v3/auth/tokens").json(&json!([])).send().await.expect(400);

        // The node itself asks now and then.
        until("nothing is under way", async || {
            let answer = cloud.metrics().get("/metrics").await.expect(200);
            let metrics = parse(std::str::from_utf8(answer.bytes()).unwrap());
            total(&metrics, "keystone_provider_messages", &[]) == 0.0
        })
        .await;
        let answer = cloud.metrics().get("/metrics").await.expect(200);

        assert_eq!(answer.header("Content-Type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
        let metrics = parse(std::str::from_utf8(answer.bytes()).unwrap());
        let tokens = |method, status| [("method", method), ("route", "/v3/auth/tokens"), ("status", status)];
        assert_eq!(total(&metrics, "keystone_requests", &tokens("GET", "200")), 3.0);
        assert_eq!(total(&metrics, "keystone_requests", &tokens("POST", "201")), 1.0);
        assert_eq!(total(&metrics, "keystone_requests", &tokens("POST", "401")), 1.0);
        assert_eq!(total(&metrics, "keystone_requests", &tokens("POST", "400")), 1.0);
        assert_eq!(total(&metrics, "keystone_requests", &[("route", "none"), ("status", "404")]), 1.0);
        assert_eq!(total(&metrics, "keystone_request_duration_seconds", &tokens("GET", "200")), 3.0);
        for provider in ["token", "identity", "resource", "role", "revocation"] {
            let of = [("provider", provider)];
            assert!(total(&metrics, "keystone_provider_replicas", &of) >= 1.0, "{provider}");
            assert_eq!(total(&metrics, "keystone_provider_restarts", &of), 0.0, "{provider}");
            assert_eq!(total(&metrics, "keystone_provider_failed", &of), 0.0, "{provider}");
        }
        assert!(total(&metrics, "keystone_provider_answered", &[("provider", "token")]) >= 4.0);
        let pool = [("pool", "identity")];
        assert!(total(&metrics, "keystone_pool_limit", &pool) >= total(&metrics, "keystone_pool_size", &pool));
        assert!(total(&metrics, "keystone_pool_size", &pool) >= 1.0);
        // The default of `[storage] connections`.
        assert!(total(&metrics, "keystone_pool_limit", &[]) <= 50.0);
        assert!(total(&metrics, "keystone_cache_hits", &[("cache", "token")]) >= 1.0);
        assert!(total(&metrics, "keystone_cache_misses", &[]) >= 1.0);
        assert_eq!(total(&metrics, "keystone_hash_waiting", &[]), 0.0);
        assert!(total(&metrics, "keystone_hash_done", &[]) >= 2.0);
        assert!(total(&metrics, "keystone_hash_busy_seconds", &[]) > 0.0);
        assert!(total(&metrics, "keystone_hash_wait_seconds", &[]) >= 0.0);
        assert!(total(&metrics, "keystone_outbox_lag_seconds", &[]) < 60.0);
        assert_eq!(total(&metrics, "keystone_caches_trusted", &[]), 1.0);
        assert!(total(&metrics, "keystone_connections", &[]) >= 1.0);
        assert_eq!(total(&metrics, "keystone_build", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
        assert!(total(&metrics, "keystone_resident_memory_bytes", &[]) > 1e6);
        let files = total(&metrics, "keystone_open_files", &[]);
        assert!(files > 3.0 && files <= total(&metrics, "keystone_max_open_files", &[]));
        assert!(total(&metrics, "keystone_uptime_seconds", &[]) > 0.0);
    }

    async fn buckets_of_a_histogram_count_up_to_all(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        cloud.api().get("/v3").await.expect(200);

        let answer = cloud.metrics().get("/metrics").await.expect(200);

        let metrics = parse(std::str::from_utf8(answer.bytes()).unwrap());
        let samples = &metrics["keystone_request_duration_seconds"].samples;
        let mut buckets: Vec<(f64, f64)> = samples
            .iter()
            .filter(|(name, labels, _)| name.ends_with("_bucket") && labels["route"] == "/v3")
            .map(|(_, labels, count)| (labels["le"].parse().unwrap(), *count))
            .collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{buckets:?}");
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, 1.0)), "{buckets:?}");
    }

    async fn no_label_is_a_clients_to_choose(db: TestDb) {
        let cloud = Cloud::start(&db).await;
        for n in 0..5 {
            let method = Method::from_bytes(format!("MADEUP{n}").as_bytes()).unwrap();
            cloud.api().request(method, &format!("/made/up/{n}")).send().await;
        }

        let answer = cloud.metrics().get("/metrics").await.expect(200);

        let text = String::from_utf8_lossy(answer.bytes()).to_lowercase();
        assert!(!text.contains("made"), "{text}");
        assert!(text.contains(r#"method="other",route="none""#), "{text}");
    }
}
