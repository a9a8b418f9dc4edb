//! Notifications: what was done, by whom and from where, in the shape in which Python Keystone
//! tells it to message buses; to the log, or to a file with an object a line.
//!
//! A handler calls [`Notifier::send`] once its change is committed, and never waits: what has no
//! room in the queue is dropped and counted, for no request fails because nobody listens. What one
//! deletion takes along may be very much: [`Notifier::send_all`] leaves room for what else happens.

mod event;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use keystone_actors::actor::Handle;
use keystone_actors::catalog::{CatalogProvider, GetCatalog};
use keystone_actors::identity::{GetUser, IdentityProvider};
use keystone_actors::ids::UserId;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

pub use event::{Actor, Event, Initiator, Kind, Operation, Outcome, Reason, Subject};

use crate::config::Config;
use crate::config::sections::NotificationFormat;
use crate::telemetry::sink::{Sink, SinkError};

/// Notifications that may wait to be written: some hundred bytes each, once there are so many.
const QUEUE: usize = 110_000;

/// How many of them only [`Notifier::send`] may add, so that no deletion, however much it takes along,
/// keeps a login that failed from being told.
const KEPT: usize = 10_000;

/// Where handlers send notifications. Cheap to clone.
#[derive(Clone)]
pub struct Notifier {
    settings: Arc<Settings>,
    /// `None` where nobody listens.
    queue: Option<mpsc::Sender<(Event, DateTime<Utc>)>>,
    file: Option<Sink>,
    dropped: Arc<AtomicU64>,
}

struct Settings {
    format: NotificationFormat,
    opt_out: Vec<String>,
    publisher: String,
}

/// Why there are no notifications.
#[derive(Debug, thiserror::Error)]
#[error("notifications: {0}; see [notifications] file")]
pub struct NotifyError(#[from] SinkError);

/// What a notification is completed from.
#[derive(Clone)]
pub struct Sources {
    /// Names of users.
    pub identity: Handle<IdentityProvider>,
    /// The service that this is.
    pub catalog: Handle<CatalogProvider>,
}

impl Notifier {
    /// Starts writing as configured. To be called inside an actix system.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn start(config: &Config, sources: Sources) -> Result<Self, NotifyError> {
        let general = &config.default;
        let host = general.default_publisher_id.clone().unwrap_or_else(|| {
            let name = rustix::system::uname();
            name.nodename().to_string_lossy().into_owned()
        });
        let settings = Arc::new(Settings {
            format: general.notification_format,
            opt_out: general.notification_opt_out.0.clone(),
            publisher: format!("identity.{host}"),
        });
        let file = config.notifications.file.clone();
        let file = file.map(|path| Sink::open(Some(path), false)).transpose()?;
        let to_log = config.notifications.log;
        let queue = (to_log || file.is_some()).then(|| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let writer = Writer {
                settings: Arc::clone(&settings),
                sources,
                to_log,
                file: file.clone(),
            };
            actix_rt::spawn(writer.run(receiver));
            sender
        });
        Ok(Self {
            settings,
            queue,
            file,
            dropped: Arc::default(),
        })
    }

    /// Tells of an event, unless the operator does not want to hear of it.
    pub fn send(&self, event: Event) {
        let Some(queue) = &self.queue else { return };
        if !self.is_wanted(&event) {
            return;
        }
        if queue.try_send((event, Utc::now())).is_err() {
            self.count_dropped(1);
        }
    }

    /// Tells of all that followed from one request, in this order and before what is told later. The
    /// last of the room is not theirs. Where nobody listens they are not even made.
    pub fn send_all(&self, events: impl IntoIterator<Item = Event>) {
        let Some(queue) = &self.queue else { return };
        let now = Utc::now();
        let mut dropped = 0;
        for event in events.into_iter().filter(|event| self.is_wanted(event)) {
            if queue.capacity() <= KEPT || queue.try_send((event, now)).is_err() {
                dropped += 1;
            }
        }
        if dropped > 0 {
            self.count_dropped(dropped);
        }
    }

    fn count_dropped(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if self.dropped.fetch_add(count, Ordering::Relaxed) == 0 {
            warn!("notifications come faster than they are written: some are dropped");
        }
    }

    /// Whether the operator wants to hear of it.
    fn is_wanted(&self, event: &Event) -> bool {
        !event.is_in(&self.settings.opt_out)
    }

    /// Opens the file anew, as rotation needs. On an error the old one stays in use.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn reopen(&self) -> Result<(), NotifyError> {
        match &self.file {
            Some(file) => Ok(file.reopen()?),
            None => Ok(()),
        }
    }

    /// How many were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Completes notifications and writes them, one after another.
struct Writer {
    settings: Arc<Settings>,
    sources: Sources,
    to_log: bool,
    file: Option<Sink>,
}

impl Writer {
    async fn run(self, mut queue: mpsc::Receiver<(Event, DateTime<Utc>)>) {
        while let Some((event, time)) = queue.recv().await {
            let payload = self.payload(&event, time).await;
            let envelope = json!({
                "message_id": uuid::Uuid::new_v4().to_string(),
                "publisher_id": self.settings.publisher,
                "event_type": event.event_type(),
                "priority": "INFO",
                "payload": payload,
                "timestamp": time.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
            });
            self.write(&event, &envelope).await;
        }
    }

    async fn payload(&self, event: &Event, time: DateTime<Utc>) -> Value {
        // Assignments, authentications and what failed have no basic form.
        if self.settings.format == NotificationFormat::Basic
            && let Some(basic) = event.basic()
        {
            return basic;
        }
        let name = match &event.initiator.user_id {
            Some(id) => self.name_of(id).await,
            None => None,
        };
        event.cadf(time, name.as_deref(), self.own_service().await.as_deref())
    }

    async fn name_of(&self, user: &str) -> Option<String> {
        let id = UserId::from(user);
        let user = self.sources.identity.read(GetUser { id }).await.ok()?;
        Some(user.name.clone())
    }

    /// The ID of the catalog's first service of type `identity`.
    async fn own_service(&self) -> Option<String> {
        let catalog = self
            .sources
            .catalog
            .read(GetCatalog { project: None })
            .await
            .ok()?;
        let mut services = catalog.services.iter();
        let own = services.find(|service| service.kind.as_deref() == Some("identity"))?;
        Some(own.id.clone())
    }

    async fn write(&self, event: &Event, envelope: &Value) {
        if self.to_log {
            info!(target: "keystone_ng::notification", event_type = event.event_type(), "{envelope}");
        }
        let Some(file) = self.file.clone() else {
            return;
        };
        let line = format!("{envelope}\n");
        match tokio::task::spawn_blocking(move || file.write(line.as_bytes())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "a notification could not be written"),
            Err(error) => error!(%error, "a notification could not be written"),
        }
    }
}
