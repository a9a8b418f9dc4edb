//! What the provider of configurations of domains answers.

use std::sync::Arc;

use actix::Message;
use serde_json::{Map, Value};

use super::{ConfigPlace, DomainSettings, Error};
use crate::actor::Idempotent;
use crate::ids::DomainId;

/// What may be shown of a domain's configuration: options by group, or where one option is asked
/// for that alone. `NotFound` if there is nothing, `Invalid` if there can't be.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Value, Error>")]
pub struct GetDomainConfig {
    /// The domain.
    pub domain: DomainId,
    /// What of it.
    pub place: ConfigPlace,
}
impl Idempotent for GetDomainConfig {}

/// All that a domain has, secrets included: for drivers. Empty for a domain that has nothing.
///
/// What is computed from the answer depends on [`Kind::DomainConfig`](crate::epoch::Kind) of the
/// domain.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Arc<DomainSettings>, Error>")]
pub struct GetDomainSettings {
    /// The domain.
    pub domain: DomainId,
}
impl Idempotent for GetDomainSettings {}

/// Gives a domain this configuration in the place of the one that it had. Answers with what may be
/// shown, and whether there was none.
#[derive(Message)]
#[rtype(result = "Result<(Value, bool), Error>")]
pub struct SetDomainConfig {
    /// The domain.
    pub domain: DomainId,
    /// Options by group. May hold secrets.
    pub config: Map<String, Value>,
}

/// Changes a domain's configuration: what is named here, and nothing else. `NotFound` if there is
/// nothing at a place that is a group or an option. Answers with all that may be shown.
#[derive(Message)]
#[rtype(result = "Result<Value, Error>")]
pub struct UpdateDomainConfig {
    /// The domain.
    pub domain: DomainId,
    /// What may change.
    pub place: ConfigPlace,
    /// Options by group; at the place of an option that alone. May hold secrets.
    pub config: Map<String, Value>,
}

/// Deletes a domain's configuration, or a part of it. `NotFound` if there is nothing at a place
/// that is a group or an option.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), Error>")]
pub struct DeleteDomainConfig {
    /// The domain.
    pub domain: DomainId,
    /// What of it.
    pub place: ConfigPlace,
}

/// What holds for a domain that has no configuration: this server's own.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Value, Error>")]
pub struct GetDefaultConfig {
    /// What of it.
    pub place: ConfigPlace,
}
impl Idempotent for GetDefaultConfig {}
