//! Traces, sent by OTLP over HTTP: a span for each request, and one for each message to a provider
//! that it took. `docs/ARCHITECTURE.md` says why this is not the OpenTelemetry SDK.
//!
//! Nothing here can hold up a request: a finished span is put into a bounded queue or dropped.
//! Attributes are taken from a list, so that no secret gets into a span by being logged in it.

mod collect;
mod encode;
mod export;
mod parent;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;
use tracing_subscriber::{Layer, Registry};

use crate::config::sections::Observability;
use crate::outbound::AuthoritiesError;
use collect::Collect;
pub use export::Exporter;
pub use parent::Parent;

/// Finished spans that may wait to be sent.
const QUEUE: usize = 4096;

/// Why traces can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A header that is none.
    #[error("[observability] otlp_headers: it has to be name=value,name=value")]
    Headers,
    /// TLS to the collector.
    #[error("[observability] otlp_ca_file: {0}")]
    Authorities(#[from] AuthoritiesError),
}

/// What became of spans since the start.
#[derive(Debug, Default)]
pub struct Stats {
    sent: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

static STATS: OnceLock<Arc<Stats>> = OnceLock::new();

/// Outcomes and their counts, where traces are sent.
pub(super) fn stats() -> Vec<(&'static str, u64)> {
    STATS.get().map_or_else(Vec::new, |stats| {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        vec![
            ("sent", of(&stats.sent)),
            ("dropped", of(&stats.dropped)),
            ("failed", of(&stats.failed)),
        ]
    })
}

/// Whether requests are traced, so that what only a trace needs is worth recording.
pub fn is_on() -> bool {
    STATS.get().is_some()
}

type Collector = Box<dyn Layer<Registry> + Send + Sync>;

/// What collects spans, and what sends them; `None` where no collector is configured.
///
/// # Errors
/// What an operator has to mend.
pub(super) fn prepare(
    options: &Observability,
) -> Result<Option<(Collector, Exporter)>, TraceError> {
    let Some(endpoint) = &options.otlp_endpoint else {
        return Ok(None);
    };
    let stats = Arc::clone(STATS.get_or_init(Arc::default));
    let (sender, receiver) = mpsc::channel(QUEUE);
    let target = export::Target::new(endpoint.as_str(), options)?;
    let exporter = Exporter::new(
        target,
        &options.otlp_service_name,
        receiver,
        Arc::clone(&stats),
    );
    let collect = Collect::new(options.otlp_sample_ratio, sender, stats);
    let ours = tracing_subscriber::filter::filter_fn(|meta| {
        meta.is_span() && meta.target().starts_with("keystone_")
    });
    Ok(Some((collect.with_filter(ours).boxed(), exporter)))
}
