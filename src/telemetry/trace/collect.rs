//! Spans as they begin and end.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use tokio::sync::mpsc;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::Stats;
use super::parent::{Parent, Sampler, random};

/// The span that begins a trace, by its name.
const ROOT: &str = "request";

/// The field with the caller's `traceparent`.
const PARENT: &str = "trace.parent";

/// Fields that become attributes, with OpenTelemetry's names for them. No other does.
const ATTRIBUTES: [(&str, &str); 10] = [
    ("http.method", "http.request.method"),
    ("http.route", "http.route"),
    ("http.status", "http.response.status_code"),
    ("client", "client.address"),
    ("request.id", "openstack.request_id"),
    ("request.global_id", "openstack.global_request_id"),
    ("user.id", "user.id"),
    ("project.id", "openstack.project_id"),
    ("provider", "keystone.provider"),
    ("message", "keystone.message"),
];

/// Text and numbers are all that spans have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Text(String),
    Number(i64),
}

/// A span that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub trace: u128,
    pub span: u64,
    pub parent: Option<u64>,
    pub is_root: bool,
    pub began: SystemTime,
    pub ended: SystemTime,
    pub attributes: Vec<(&'static str, Content)>,
}

impl Finished {
    pub fn text(&self, key: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find_map(|(name, content)| match content {
                Content::Text(text) if *name == key => Some(text.as_str()),
                _ => None,
            })
    }

    /// Whether it failed for our fault.
    pub fn failed(&self) -> bool {
        self.attributes.iter().any(|(name, content)| {
            *name == "http.response.status_code"
                && matches!(content, Content::Number(status) if *status >= 500)
        })
    }
}

/// A span that has not.
struct Live {
    trace: u128,
    span: u64,
    parent: Option<u64>,
    began: SystemTime,
    attributes: Vec<(&'static str, Content)>,
}

/// Collects spans of traces that are to be sent.
pub(super) struct Collect {
    sampler: Sampler,
    sender: mpsc::Sender<Finished>,
    stats: Arc<Stats>,
}

impl Collect {
    pub fn new(ratio: f64, sender: mpsc::Sender<Finished>, stats: Arc<Stats>) -> Self {
        Self {
            sampler: Sampler::new(ratio),
            sender,
            stats,
        }
    }

    /// The trace that a request begins or goes on with; `None` where it is not to be traced.
    fn begin(&self, parent: Option<Parent>) -> Option<(u128, Option<u64>)> {
        let (trace, span) = match parent {
            // Who began it has decided against it.
            Some(parent) if !parent.sampled => return None,
            Some(parent) => (parent.trace, Some(parent.span)),
            None => ((u128::from(random()) << 64) | u128::from(random()), None),
        };
        self.sampler.takes(trace).then_some((trace, span))
    }
}

impl<S> Layer<S> for Collect
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let around = span.parent().and_then(|around| {
            let extensions = around.extensions();
            extensions.get::<Live>().map(|live| (live.trace, live.span))
        });
        let mut fields = Fields::default();
        let (trace, parent) = match around {
            Some((trace, parent)) => {
                attributes.record(&mut fields);
                (trace, Some(parent))
            }
            None if attributes.metadata().name() == ROOT => {
                attributes.record(&mut fields);
                match self.begin(fields.parent) {
                    Some(trace) => trace,
                    None => return,
                }
            }
            None => return,
        };
        span.extensions_mut().insert(Live {
            trace,
            span: random(),
            parent,
            began: SystemTime::now(),
            attributes: fields.attributes,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(live) = span.extensions_mut().get_mut::<Live>() {
            let mut fields = Fields::default();
            values.record(&mut fields);
            live.attributes.extend(fields.attributes);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(live) = span.extensions_mut().remove::<Live>() else {
            return;
        };
        let finished = Finished {
            trace: live.trace,
            span: live.span,
            parent: live.parent,
            is_root: span.name() == ROOT,
            began: live.began,
            ended: SystemTime::now(),
            attributes: live.attributes,
        };
        if self.sender.try_send(finished).is_err() {
            self.stats.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[derive(Default)]
struct Fields {
    attributes: Vec<(&'static str, Content)>,
    parent: Option<Parent>,
}

impl Fields {
    fn put(&mut self, field: &Field, content: Content) {
        let known = ATTRIBUTES.iter().find(|(name, _)| *name == field.name());
        if let Some((_, key)) = known {
            self.attributes.push((key, content));
        } else if field.name() == PARENT
            && let Content::Text(text) = content
        {
            self.parent = Parent::parse(&text);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, Content::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Content::Text(value.to_owned()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(
            field,
            Content::Number(i64::try_from(value).unwrap_or(i64::MAX)),
        );
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Content::Number(value));
    }
}
