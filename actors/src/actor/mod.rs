//! What a provider is, and how it is called.
//!
//! A provider is a cheap-to-clone struct (its pool, its cache, handles of other providers) that
//! implements [`Provider`], and [`Serve`] for each message that it answers. [`Room`] makes an
//! actix actor of it, the [`supervisor`] starts that actor where it should run and starts it
//! again when it ends, and a [`Handle`] sends it messages: bounded, with a deadline, in the
//! caller's tracing span, and with a clean [`Unavailable`] for whatever goes wrong on the way.

mod handle;
mod room;
pub mod supervisor;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use actix::Message;
pub use handle::{Handle, ProviderStats};
pub use room::Control;
pub(crate) use room::Room;

/// The state of an actor, and its name. Clones share pool and cache.
pub trait Provider: Clone + Send + Sync + Unpin + 'static {
    /// The provider's name in logs, metrics and readiness: lower case, one word.
    const NAME: &'static str;
}

/// A provider answers messages of this type.
///
/// Answers run concurrently, each as a task of its own: one that waits holds up no other, and
/// one that panics ends alone. They must not block the thread.
pub trait Serve<M: Message>: Provider {
    /// Answers one message.
    fn serve(self, message: M) -> impl Future<Output = M::Result> + 'static;
}

/// A message that may be asked again when the first answer was lost: it changes nothing, or
/// comes to the same when done twice.
pub trait Idempotent: Message + Clone {}

/// Why a provider, or its database, could not be asked. Always worth another try later: HTTP
/// makes a 503 with `Retry-After` of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// As many messages are under way as the provider takes.
    #[error("too many requests are under way")]
    Overloaded,
    /// The actor ended before it answered, or has not been started again yet.
    #[error("the provider is being restarted")]
    Restarting,
    /// No answer within the deadline.
    #[error("no answer in time")]
    TimedOut,
    /// No connection to the database.
    #[error("the database cannot be reached")]
    Database,
    /// The connection to the database broke while it was used. There may be others.
    #[error("the connection to the database broke")]
    Disconnected,
    /// Other transactions were in the way, each time that it was tried. Nothing was changed.
    #[error("other changes are under way")]
    Contended,
    /// Another transaction held a lock for longer than the database waits. Nothing was changed.
    #[error("another change takes too long")]
    Locked,
    /// As many wait for slow work, such as hashing a password, as may.
    #[error("too many requests wait, {retry_after} seconds of work")]
    Queued {
        /// When they should be through, in seconds.
        retry_after: u32,
    },
}

impl Unavailable {
    /// When a client should try again.
    pub fn retry_after(self) -> Duration {
        Duration::from_secs(match self {
            Self::Overloaded
            | Self::Restarting
            | Self::Disconnected
            | Self::Contended
            | Self::Locked => 1,
            Self::TimedOut | Self::Database => 5,
            Self::Queued { retry_after } => retry_after.into(),
        })
    }
}

/// A provider's error, which may be that it could not be asked.
pub trait Transient: From<Unavailable> {
    /// Why it could not, if that is what it says.
    fn unavailable(&self) -> Option<Unavailable>;
}

impl Transient for Unavailable {
    fn unavailable(&self) -> Option<Unavailable> {
        Some(*self)
    }
}

/// Bounds of one provider, the same for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages under way at once; one more is refused as [`Unavailable::Overloaded`].
    pub under_way: usize,
    /// How long a caller waits for an answer.
    pub deadline: Duration,
    /// How many restarts within `restart_window` are borne before the provider counts as failed.
    pub restart_limit: u32,
    /// See `restart_limit`; a failed provider is tried again once per window.
    pub restart_window: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            under_way: 4096,
            deadline: Duration::from_secs(10),
            restart_limit: 10,
            restart_window: Duration::from_secs(60),
        }
    }
}
