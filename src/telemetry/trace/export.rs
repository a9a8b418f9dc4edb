//! Sending finished spans, many at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use awc::{Client, Connector};
use rustls::ClientConfig;
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::collect::Finished;
use super::{Stats, TraceError, encode};
use crate::config::sections::Observability;
use crate::outbound::client_config;

/// Spans in one request to the collector.
const BATCH: usize = 512;
/// How long a span waits for others to go with it.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Failures are logged so often at most.
const SILENCE: Duration = Duration::from_secs(60);
/// The most that is read of the collector's answer, in bytes.
const ANSWER: usize = 64 * 1024;

/// The collector.
pub(super) struct Target {
    url: String,
    headers: HeaderMap,
    tls: Option<Arc<ClientConfig>>,
}

impl Target {
    pub fn new(endpoint: &str, options: &Observability) -> Result<Self, TraceError> {
        let base = endpoint.trim_end_matches('/');
        let url = match base.ends_with("/v1/traces") {
            true => base.to_owned(),
            false => format!("{base}/v1/traces"),
        };
        let mut headers = HeaderMap::new();
        if let Some(list) = &options.otlp_headers {
            for pair in list.expose_secret().split(',') {
                let (name, value) = pair.split_once('=').ok_or(TraceError::Headers)?;
                let name = HeaderName::try_from(name.trim()).map_err(|_| TraceError::Headers)?;
                let value = HeaderValue::try_from(value.trim()).map_err(|_| TraceError::Headers)?;
                headers.insert(name, value);
            }
        }
        let tls = match url.starts_with("https://") {
            true => Some(Arc::new(client_config(options.otlp_ca_file.as_deref())?)),
            false => None,
        };
        Ok(Self { url, headers, tls })
    }

    fn client(&self) -> Client {
        let mut connector = Connector::new().timeout(PATIENCE);
        if let Some(tls) = &self.tls {
            connector = connector.rustls_0_23(Arc::clone(tls));
        }
        Client::builder()
            .connector(connector)
            .timeout(PATIENCE)
            .disable_redirects()
            .finish()
    }
}

/// Sends what is collected, for as long as it runs.
pub struct Exporter {
    target: Target,
    service: String,
    receiver: mpsc::Receiver<Finished>,
    stats: Arc<Stats>,
    /// Since when it fails, and when that was last said.
    failing: Option<Instant>,
}

impl Exporter {
    pub(super) fn new(
        target: Target,
        service: &str,
        receiver: mpsc::Receiver<Finished>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            target,
            service: service.to_owned(),
            receiver,
            stats,
            failing: None,
        }
    }

    /// Sends until `stop` is done, then what is left. Needs an actix system.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let client = self.target.client();
        let mut stop = std::pin::pin!(stop);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let stopped = tokio::select! {
                () = &mut stop => true,
                () = self.fill(&mut batch) => false,
            };
            if stopped {
                break;
            }
            self.send(&client, &batch).await;
            batch.clear();
        }
        while let Ok(span) = self.receiver.try_recv() {
            batch.push(span);
        }
        for part in batch.chunks(BATCH) {
            self.send(&client, part).await;
        }
    }

    /// Waits for spans: until a request to the collector is full, or the first has waited enough.
    async fn fill(&mut self, batch: &mut Vec<Finished>) {
        while batch.is_empty() {
            match self.receiver.recv().await {
                Some(span) => batch.push(span),
                // Nobody collects any more.
                None => std::future::pending().await,
            }
        }
        let rest = async {
            while batch.len() < BATCH {
                match self.receiver.recv().await {
                    Some(span) => batch.push(span),
                    None => break,
                }
            }
        };
        // What did not fit into the time goes with the next.
        let _ = tokio::time::timeout(PAUSE, rest).await;
    }

    async fn send(&mut self, client: &Client, spans: &[Finished]) {
        if spans.is_empty() {
            return;
        }
        let count = u64::try_from(spans.len()).unwrap_or(u64::MAX);
        match self.post(client, spans).await {
            Ok(()) => {
                self.stats.sent.fetch_add(count, Ordering::Relaxed);
                if self.failing.take().is_some() {
                    info!("traces are sent again");
                }
            }
            Err(why) => {
                let lost = self.stats.failed.fetch_add(count, Ordering::Relaxed) + count;
                if self.failing.is_none_or(|said| said.elapsed() >= SILENCE) {
                    warn!(error = why, lost, "traces could not be sent");
                    self.failing = Some(Instant::now());
                }
            }
        }
    }

    async fn post(&self, client: &Client, spans: &[Finished]) -> Result<(), String> {
        let body = encode::request(&self.service, spans).to_string();
        let mut request = client
            .post(&self.target.url)
            .insert_header((CONTENT_TYPE, "application/json"));
        for (name, value) in &self.target.headers {
            request = request.insert_header((name, value));
        }
        let mut response = request
            .send_body(body)
            .await
            .map_err(|error| error.to_string())?;
        let status = response.status();
        // Read, so that the connection can be used again.
        let _ = response.body().limit(ANSWER).await;
        match status.is_success() {
            true => Ok(()),
            false => Err(format!("the collector answers {status}")),
        }
    }
}
