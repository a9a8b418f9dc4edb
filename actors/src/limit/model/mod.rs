//! Registered limits, limits, and how those above and below one another go together.

mod hierarchy;
mod limits;
mod registered;

pub use hierarchy::EnforcementModel;
pub(super) use hierarchy::{Family, Known, check};
pub use limits::{Limit, LimitFilter, LimitPatch, NewLimit};
pub(super) use registered::Resource;
pub use registered::{NewRegisteredLimit, RegisteredLimit, RegisteredLimitPatch, RegisteredLimits};
