//! Metrics in Prometheus' text form, on a listener of their own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use dashmap::DashMap;
use keystone_actors::providers::Providers;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::logins::Logins;
use super::{process, trace};
use crate::server::connections::Connections;

/// Upper bounds of the latency histogram, in seconds.
const BUCKETS: [f64; 12] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0,
];

/// What is counted of requests, and the reading of everything else when asked.
pub struct Metrics {
    /// Connections of clients.
    pub connections: Connections,
    /// Passkeys, and limits of logins.
    pub logins: Logins,
    registry: Registry,
    requests: Arc<DashMap<Key, Series>>,
}

type Key = (&'static str, Box<str>, u16);

struct Series {
    count: Counter<u64, AtomicU64>,
    seconds: Histogram,
}

impl Metrics {
    /// Counters at zero, and the providers to ask.
    pub fn new(providers: Providers) -> Self {
        let requests: Arc<DashMap<Key, Series>> = Arc::default();
        let connections = Connections::default();
        let mut registry = Registry::with_prefix("keystone");
        registry.register_collector(Box::new(Reader {
            providers,
            requests: Arc::clone(&requests),
            connections: connections.clone(),
            started: Instant::now(),
        }));
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", build);
        Self {
            connections,
            logins: Logins::register(&mut registry),
            registry,
            requests,
        }
    }

    /// Counts an answered request. `route` is the pattern, not the path: there are few of them.
    pub fn request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let key = (method_name(method), route.into(), status.as_u16());
        if let Some(series) = self.requests.get(&key) {
            series.count.inc();
            series.seconds.observe(took.as_secs_f64());
            return;
        }
        let series = self.requests.entry(key).or_insert_with(|| Series {
            count: Counter::default(),
            seconds: Histogram::new(BUCKETS),
        });
        series.count.inc();
        series.seconds.observe(took.as_secs_f64());
    }

    /// Everything, in Prometheus' text form.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// A label of few values, whatever clients send.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

struct Reader {
    providers: Providers,
    requests: Arc<DashMap<Key, Series>>,
    connections: Connections,
    started: Instant,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

impl Collector for Reader {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut out = Out(&mut encoder);
        out.requests(&self.requests)?;
        let providers = self.providers.supervision.stats();
        let labelled = |value: fn(&keystone_actors::actor::ProviderStats) -> u64| {
            providers
                .iter()
                .map(move |one| (one.name, value(one)))
                .collect::<Vec<_>>()
        };
        out.gauges(
            "provider_replicas",
            "Replicas that answer",
            "provider",
            labelled(|p| p.replicas as u64),
        )?;
        out.gauges(
            "provider_messages",
            "Messages under way",
            "provider",
            labelled(|p| p.under_way as u64),
        )?;
        out.counters(
            "provider_answered",
            "Messages done with",
            "provider",
            labelled(|p| p.answered),
        )?;
        out.counters(
            "provider_refused",
            "Messages refused as too many",
            "provider",
            labelled(|p| p.refused),
        )?;
        out.counters(
            "provider_restarts",
            "Actors started again",
            "provider",
            labelled(|p| p.restarts),
        )?;
        out.gauges(
            "provider_failed",
            "Over the restart limit",
            "provider",
            labelled(|p| p.failed.into()),
        )?;

        let pools: Vec<_> = self
            .providers
            .pools
            .iter()
            .map(|pool| pool.stats())
            .collect();
        let pooled = |value: fn(&keystone_actors::db::DbStats) -> u64| {
            pools
                .iter()
                .map(move |one| (one.name, value(one)))
                .collect::<Vec<_>>()
        };
        out.gauges(
            "pool_limit",
            "Connections allowed",
            "pool",
            pooled(|p| p.limit as u64),
        )?;
        out.gauges(
            "pool_size",
            "Connections open",
            "pool",
            pooled(|p| p.size as u64),
        )?;
        out.gauges(
            "pool_idle",
            "Connections not in use",
            "pool",
            pooled(|p| p.idle as u64),
        )?;
        out.gauges(
            "pool_waiting",
            "Queries waiting for a connection",
            "pool",
            pooled(|p| p.waiting as u64),
        )?;
        out.counters(
            "pool_statements",
            "SQL statements sent",
            "pool",
            pooled(|p| p.statements),
        )?;
        out.counters(
            "pool_broken",
            "Connections closed as broken",
            "pool",
            pooled(|p| p.broken),
        )?;
        out.counters(
            "pool_timed_out",
            "Work given up at its deadline",
            "pool",
            pooled(|p| p.timed_out),
        )?;

        let caches: Vec<_> = self.providers.cache_stats().collect();
        out.counters(
            "cache_hits",
            "Look-ups answered",
            "cache",
            caches.iter().map(|(n, c)| (*n, c.hits)).collect(),
        )?;
        out.counters(
            "cache_misses",
            "Look-ups that missed",
            "cache",
            caches.iter().map(|(n, c)| (*n, c.misses)).collect(),
        )?;
        out.gauges(
            "cache_entries",
            "Entries held",
            "cache",
            caches.iter().map(|(n, c)| (*n, c.entries as u64)).collect(),
        )?;

        let hashing = self.providers.hashing.stats();
        let hash = |value: usize| vec![("password", value as u64)];
        out.gauges(
            "hash_threads",
            "Threads that hash",
            "kind",
            hash(hashing.threads),
        )?;
        out.gauges(
            "hash_waiting",
            "Passwords waiting",
            "kind",
            hash(hashing.waiting),
        )?;
        out.gauges(
            "hash_running",
            "Passwords being hashed",
            "kind",
            hash(hashing.running),
        )?;
        out.counters(
            "hash_done",
            "Passwords hashed",
            "kind",
            vec![("password", hashing.done_total)],
        )?;
        out.counters(
            "hash_rejected",
            "Passwords turned away",
            "kind",
            vec![("password", hashing.rejected_total)],
        )?;

        out.seconds_total(
            "hash_wait",
            "Time that passwords waited for a thread",
            hashing.waited_micros_total,
        )?;
        out.seconds_total(
            "hash_busy",
            "Time that threads spent on passwords",
            hashing.busy_micros_total,
        )?;

        let connections = u64::try_from(self.connections.open()).unwrap_or(u64::MAX);
        out.gauge("connections", "Connections of clients", connections)?;
        out.counter(
            "connections_cut",
            "Connections of clients that were cut off",
            self.connections.cut(),
        )?;
        let now = Instant::now();
        out.measure(
            "outbox_lag",
            "Time since the last look at what other nodes changed",
            Unit::Seconds,
            self.providers.outbox_lag(now).as_secs_f64(),
        )?;
        out.gauge(
            "caches_trusted",
            "Whether answers may come from caches",
            self.providers.follows_others(now).into(),
        )?;
        out.counters("spans", "Spans of traces", "outcome", trace::stats())?;

        out.measure(
            "uptime",
            "Time since the start",
            Unit::Seconds,
            self.started.elapsed().as_secs_f64(),
        )?;
        out.measure(
            "resident_memory",
            "Resident memory",
            Unit::Bytes,
            process::resident_bytes() as f64,
        )?;
        out.gauge(
            "open_files",
            "File descriptors in use",
            process::open_files(),
        )?;
        out.gauge(
            "max_open_files",
            "File descriptors that may be in use",
            process::most_open_files(),
        )
    }
}

struct Out<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Out<'_, '_> {
    fn requests(&mut self, requests: &DashMap<Key, Series>) -> fmt::Result {
        let count = Counter::<u64>::default();
        let mut family =
            self.0
                .encode_descriptor("requests", "Answered requests", None, count.metric_type())?;
        for one in requests.iter() {
            let (method, route, status) = one.key();
            let labels = [
                ("method", *method),
                ("route", &**route),
                ("status", &status.to_string()),
            ];
            one.count.encode(family.encode_family(&labels)?)?;
        }
        let seconds = Histogram::new(BUCKETS);
        let unit = Some(&Unit::Seconds);
        let mut family = self.0.encode_descriptor(
            "request_duration",
            "Time to the answer",
            unit,
            seconds.metric_type(),
        )?;
        for one in requests.iter() {
            let (method, route, status) = one.key();
            let labels = [
                ("method", *method),
                ("route", &**route),
                ("status", &status.to_string()),
            ];
            one.seconds.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: Vec<(&str, u64)>,
    ) -> fmt::Result {
        self.each(name, help, label, values, ConstGauge::new)
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: Vec<(&str, u64)>,
    ) -> fmt::Result {
        self.each(name, help, label, values, ConstCounter::new)
    }

    fn each<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: Vec<(&str, u64)>,
        metric: fn(u64) -> M,
    ) -> fmt::Result {
        let kind = metric(0).metric_type();
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (value_of, value) in values {
            metric(value).encode(family.encode_family(&[(label, value_of)])?)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let gauge = ConstGauge::new(value);
        gauge.encode(
            self.0
                .encode_descriptor(name, help, None, gauge.metric_type())?,
        )
    }

    fn measure(&mut self, name: &str, help: &str, unit: Unit, value: f64) -> fmt::Result {
        let gauge = ConstGauge::new(value);
        let kind = gauge.metric_type();
        gauge.encode(self.0.encode_descriptor(name, help, Some(&unit), kind)?)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let counter = ConstCounter::new(value);
        let kind = counter.metric_type();
        counter.encode(self.0.encode_descriptor(name, help, None, kind)?)
    }

    fn seconds_total(&mut self, name: &str, help: &str, micros: u64) -> fmt::Result {
        let counter = ConstCounter::new(micros as f64 / 1e6);
        let kind = counter.metric_type();
        let unit = Some(&Unit::Seconds);
        counter.encode(self.0.encode_descriptor(name, help, unit, kind)?)
    }
}
