//! What a running server tells about itself: its log ([`log`]) and its metrics ([`metrics`]).

pub mod log;
pub mod metrics;

pub use metrics::Metrics;
