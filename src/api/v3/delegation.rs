//! What tokens that were handed on may not do (A3, A7, A9), and what is asked for when something is
//! handed on.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use keystone_actors::assignment::{EffectiveRoles, GetEffectiveRoles, GrantTarget};
use keystone_actors::identity::GetMemberships;
use keystone_actors::ids::{ProjectId, RoleId, UserId};
use keystone_actors::providers::Providers;
use keystone_actors::role::{self, RoleGraph};
use serde::Deserialize;

use crate::api::call::Call;
use crate::api::error::{ApiError, MALFORMED};
use crate::api::schema::{self, Schema, array, object};
use crate::policy::{Rule, Target};

/// Whether the caller's token was made from a trust, or from anything but the user's own factors.
pub(super) fn is_delegated<B>(call: &Call<B>) -> bool {
    call.caller.token.is_delegated()
}

/// Fails for a delegated token: credentials of the user are none of its business, nor to be made
/// with it. With `[security_compliance]
/// allow_insecure_admin_trust_cross_project_credentials_access` the administrator's delegates may
/// deal with those of EC2.
pub(super) fn refuse_credentials<B>(call: &Call<B>, kind: Option<&str>) -> Result<(), ApiError> {
    if !is_delegated(call) {
        return Ok(());
    }
    let compliance = &call.node().config.security_compliance;
    let insecure = compliance.allow_insecure_admin_trust_cross_project_credentials_access;
    let ec2 = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("ec2"));
    if insecure && ec2 && call.enforce(Rule::AdminRequired, Target::new()).is_ok() {
        return Ok(());
    }
    refuse_ec2(call)
}

/// The same without exception, for the routes of EC2 alone.
pub(super) fn refuse_ec2<B>(call: &Call<B>) -> Result<(), ApiError> {
    match is_delegated(call) {
        true => Err(ApiError::forbidden_action(
            "Delegated tokens cannot access credentials directly",
        )),
        false => Ok(()),
    }
}

/// Fails for a token that was handed on otherwise than by a trust: it has no part in trusts.
pub(super) fn refuse_trusts<B>(call: &Call<B>) -> Result<(), ApiError> {
    let config = &call.node().config;
    let token = &call.caller.token;
    if !token.is_delegated_by_method() {
        return Ok(());
    }
    let insecure = &config.security_compliance;
    if insecure.allow_insecure_application_credential_trust_escalation
        && token.methods.contains("application_credential")
    {
        return Ok(());
    }
    Err(ApiError::forbidden_action(
        "Delegated tokens cannot manage trusts.",
    ))
}

/// Fails for a delegated token: what it could do by OAuth 1 would outlive it.
pub(super) fn refuse_access_tokens<B>(call: &Call<B>) -> Result<(), ApiError> {
    match is_delegated(call) {
        true => Err(ApiError::forbidden()),
        false => Ok(()),
    }
}

/// Fails for a delegated token, unless an application credential is what it was made from.
pub(super) fn refuse_application_credentials<B>(call: &Call<B>) -> Result<(), ApiError> {
    let own = call.caller.token.methods.contains("application_credential");
    match !own && is_delegated(call) {
        true => Err(ApiError::forbidden()),
        false => Ok(()),
    }
}

/// Fails for a token of an application credential that may not manage others.
pub(super) fn require_unrestricted<B>(call: &Call<B>) -> Result<(), ApiError> {
    let token = &call.caller.token;
    let unrestricted = token.application_credential.as_ref();
    let unrestricted = unrestricted.is_some_and(|credential| credential.unrestricted);
    match token.methods.contains("application_credential") && !unrestricted {
        true => Err(ApiError::forbidden_action(
            "Using method 'application_credential' is not allowed for managing additional \
             application credentials.",
        )),
        false => Ok(()),
    }
}

/// A role to be handed on, by ID or by name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RoleRef {
    id: Option<RoleId>,
    name: Option<String>,
}

/// The schema of a list of [`RoleRef`].
pub(super) fn role_refs() -> Schema {
    array(
        object()
            .optional("id", schema::id())
            .optional("name", schema::name())
            .not_empty()
            .at_most(1)
            .closed(),
    )
}

/// The IDs of roles. A name has to be that of one role.
pub(super) fn role_ids(graph: &RoleGraph, roles: &[RoleRef]) -> Result<Vec<RoleId>, ApiError> {
    let id = |role: &RoleRef| {
        if let Some(id) = &role.id {
            return Ok(id.clone());
        }
        let name = role.name.as_deref().unwrap_or_default();
        let mut named = graph.iter().filter(|role| role.name == name);
        match (named.next(), named.next()) {
            (Some(role), None) => Ok(role.id.clone()),
            (None, _) => Err(ApiError::not_found(format!("Role {name} is not defined"))),
            (Some(_), Some(_)) => Err(ApiError::bad_request(format!(
                "There are multiple role entities named '{name}'. Please use ID instead of names \
                 to resolve the ambiguity."
            ))),
        }
    };
    roles.iter().map(id).collect()
}

/// The roles that a user has on a project, whatever the token says.
pub(super) async fn held_roles(
    providers: &Providers,
    user: &UserId,
    project: ProjectId,
    now: i64,
) -> Result<Arc<EffectiveRoles>, ApiError> {
    let user = user.clone();
    let memberships = GetMemberships { user: user.clone() };
    let groups = providers.identity.read(memberships).await?.at(now);
    let held = GetEffectiveRoles {
        user,
        groups,
        target: GrantTarget::Project(project),
    };
    Ok(providers.assignment.read(held).await?)
}

/// A role that is not held.
pub(super) fn no_role(id: &RoleId) -> ApiError {
    role::Error::NotFound(id.clone()).into()
}

/// The end of something that is made, in microseconds since 1970. In UTC, `Z` at its end or not.
pub(super) fn expiry(text: &str, now: DateTime<Utc>) -> Result<i64, ApiError> {
    const FORMS: [&str; 4] = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    let text = text.strip_suffix('Z').unwrap_or(text);
    let mut parsed = FORMS
        .iter()
        .filter_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let Some(end) = parsed.next() else {
        return Err(ApiError::bad_request(format!(
            "Timestamp not in expected format. {MALFORMED}"
        )));
    };
    let end = end.and_utc();
    if end < now {
        return Err(ApiError::bad_request(format!(
            "The 'expires_at' must not be before now. {MALFORMED}"
        )));
    }
    Ok(end.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_in_utc_and_not_yet_past() {
        let now = DateTime::from_timestamp(1_900_000_000, 0).unwrap();
        let micros = |text| expiry(text, now).ok();
        assert_eq!(
            micros("2033-05-18T03:33:20.123456Z"),
            Some(2_000_000_000_123_456)
        );
        assert_eq!(micros("2033-05-18T03:33:20"), Some(2_000_000_000_000_000));
        assert_eq!(micros("2033-05-18 03:33"), Some(1_999_999_980_000_000));
        for bad in [
            "",
            "tomorrow",
            "2033-05-18",
            "2033-05-18T03:33:20+01:00",
            "2020-01-01T00:00:00Z",
        ] {
            assert_eq!(micros(bad), None, "{bad:?}");
        }
    }
}
