//! What a running server tells about itself: its log ([`log`]), its metrics ([`metrics`]) and its
//! traces ([`trace`]).

mod json;
mod levels;
pub mod log;
pub mod logins;
pub mod metrics;
mod process;
mod queue;
pub(crate) mod sink;
mod text;
pub mod trace;

pub use metrics::Metrics;
