//! What the limit provider answers.

use std::sync::Arc;

use actix::Message;

use super::{
    Error, Limit, LimitFilter, LimitPatch, NewLimit, NewRegisteredLimit, RegisteredLimit,
    RegisteredLimitPatch, RegisteredLimits,
};
use crate::actor::Idempotent;
use crate::ids::{LimitId, RegisteredLimitId};

/// All registered limits. Lists and filters are done on it without SQL.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<RegisteredLimits>, Error>")]
pub struct GetRegisteredLimits;
impl Idempotent for GetRegisteredLimits {}

/// Creates registered limits, all or none. `Unknown` service or region, `RegisteredExists`.
#[derive(Debug, Message)]
#[rtype(result = "Result<Vec<RegisteredLimit>, Error>")]
pub struct CreateRegisteredLimits {
    /// The registered limits to be.
    pub limits: Vec<NewRegisteredLimit>,
}

/// Changes what `patch` names, keeps the rest. `RegisteredInUse` while there are limits in its
/// place, and the errors of [`CreateRegisteredLimits`].
#[derive(Debug, Message)]
#[rtype(result = "Result<RegisteredLimit, Error>")]
pub struct UpdateRegisteredLimit {
    /// Which registered limit.
    pub id: RegisteredLimitId,
    /// What changes.
    pub patch: RegisteredLimitPatch,
}

/// Deletes a registered limit. `RegisteredInUse` while there are limits in its place.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteRegisteredLimit {
    /// Which registered limit.
    pub id: RegisteredLimitId,
}

/// One limit. `NotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Limit, Error>")]
pub struct GetLimit {
    /// Its ID.
    pub id: LimitId,
}
impl Idempotent for GetLimit {}

/// The limits that match, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Limit>, Error>")]
pub struct ListLimits {
    /// What they have to be like.
    pub filter: LimitFilter,
    /// The IDs of the projects and domains whose limits may be seen; `None`: of all.
    pub owners: Option<Vec<String>>,
}
impl Idempotent for ListLimits {}

/// Creates limits, all or none. `Unknown` service, region, project or domain; `NotRegistered`,
/// `Exists`, and `Invalid` where the enforcement model forbids it.
#[derive(Debug, Message)]
#[rtype(result = "Result<Vec<Limit>, Error>")]
pub struct CreateLimits {
    /// The limits to be.
    pub limits: Vec<NewLimit>,
}

/// Changes what `patch` names, keeps the rest. `Invalid` where the enforcement model forbids it.
#[derive(Debug, Message)]
#[rtype(result = "Result<Limit, Error>")]
pub struct UpdateLimit {
    /// Which limit.
    pub id: LimitId,
    /// What changes.
    pub patch: LimitPatch,
}

/// Deletes a limit: from now on what is registered holds.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteLimit {
    /// Which limit.
    pub id: LimitId,
}
