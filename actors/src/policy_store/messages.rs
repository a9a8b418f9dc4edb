//! What the provider of policies answers.

use std::sync::Arc;

use actix::Message;

use super::{Error, NewPolicy, Policy, PolicyPatch, PolicyTarget};
use crate::actor::Idempotent;
use crate::catalog::Endpoint;
use crate::ids::{EndpointId, PolicyId};

/// All policies, in the order of their IDs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Policy>, Error>")]
pub struct ListPolicies;
impl Idempotent for ListPolicies {}

/// One policy. `NotFound` if none has this ID.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Policy, Error>")]
pub struct GetPolicy {
    /// Its ID.
    pub id: PolicyId,
}
impl Idempotent for GetPolicy {}

/// Creates a policy.
#[derive(Debug, Message)]
#[rtype(result = "Result<Policy, Error>")]
pub struct CreatePolicy {
    /// The policy to be.
    pub policy: NewPolicy,
}

/// Changes what `patch` names, keeps the rest.
#[derive(Debug, Message)]
#[rtype(result = "Result<Policy, Error>")]
pub struct UpdatePolicy {
    /// Which policy.
    pub id: PolicyId,
    /// What changes.
    pub patch: PolicyPatch,
}

/// Deletes a policy; it is for nothing any more.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeletePolicy {
    /// Which policy.
    pub id: PolicyId,
}

/// From now on the policy is for this, and no other one is. `NotFound` and the catalog's errors
/// for what there isn't.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct Associate {
    /// The policy.
    pub policy: PolicyId,
    /// What it is for.
    pub target: PolicyTarget,
}

/// Whether the policy is for this: `NotAssociated` if it isn't. `NotFound` and the catalog's
/// errors for what there isn't.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct CheckAssociation {
    /// The policy.
    pub policy: PolicyId,
    /// What it may be for.
    pub target: PolicyTarget,
}
impl Idempotent for CheckAssociation {}

/// Undoes [`Associate`]; no error if there is nothing to undo, as in Keystone.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct Dissociate {
    /// The policy.
    pub policy: PolicyId,
    /// What it was for.
    pub target: PolicyTarget,
}

/// The policy for an endpoint: its own, else that of its service in the nearest region, from its
/// own upwards, else that of its service. `NoPolicy` if there is none.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Policy, Error>")]
pub struct GetPolicyOfEndpoint {
    /// The endpoint.
    pub endpoint: EndpointId,
}
impl Idempotent for GetPolicyOfEndpoint {}

/// The endpoints that a policy is for, by any association; one that is by several shows as often,
/// as in Keystone.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Vec<Arc<Endpoint>>, Error>")]
pub struct ListEndpointsOfPolicy {
    /// The policy.
    pub policy: PolicyId,
}
impl Idempotent for ListEndpointsOfPolicy {}
