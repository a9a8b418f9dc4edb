//! The body of a token, rendered once.

use bytes::Bytes;
use chrono::DateTime;
use serde::Serialize;

use super::model::{NamedDomain, RoleRef};
use super::{AuditIds, Error, json_bytes};
use crate::application_credential::AccessRule;
use crate::catalog::{Catalog, Substitutions};
use crate::ids::{ProjectId, UserId};
use crate::role::Role;

/// Everything in a body but the catalog, in Keystone's order.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub methods: Vec<&'a str>,
    pub user: BodyUser<'a>,
    pub audit_ids: AuditIds,
    #[serde(serialize_with = "time")]
    pub expires_at: i64,
    #[serde(serialize_with = "time")]
    pub issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<&'a NamedDomain>,
    #[serde(rename = "OS-TRUST:trust", skip_serializing_if = "Option::is_none")]
    pub trust: Option<BodyTrust<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<BodyProject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_domain: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<BodyRoles<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_admin_project: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<All>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub service_providers: &'a [serde_json::Value],
    #[serde(rename = "OS-OAUTH1", skip_serializing_if = "Option::is_none")]
    pub oauth1: Option<BodyOauth1<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_credential: Option<BodyApplicationCredential<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth2_credential: Option<Thumbprint<'a>>,
}

#[derive(Serialize)]
pub(super) struct All {
    pub all: bool,
}

#[derive(Serialize)]
pub(super) struct BodyUser<'a> {
    pub domain: &'a NamedDomain,
    pub id: &'a UserId,
    pub name: &'a str,
    /// Absent for federated users, `null` for passwords that last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_expires_at: Option<Option<String>>,
    #[serde(rename = "OS-FEDERATION", skip_serializing_if = "Option::is_none")]
    pub federation: Option<BodyFederation<'a>>,
}

#[derive(Serialize)]
pub(super) struct BodyFederation<'a> {
    pub groups: Vec<Id<'a>>,
    pub identity_provider: Id<'a>,
    pub protocol: Id<'a>,
}

#[derive(Serialize)]
pub(super) struct Id<'a> {
    pub id: &'a str,
}

#[derive(Serialize)]
pub(super) struct BodyTrust<'a> {
    pub id: &'a str,
    pub trustor_user: Id<'a>,
    pub trustee_user: Id<'a>,
    pub impersonation: bool,
}

#[derive(Serialize)]
pub(super) struct BodyProject<'a> {
    pub domain: &'a NamedDomain,
    pub id: &'a ProjectId,
    pub name: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum BodyRoles<'a> {
    Brief(&'a [RoleRef]),
    /// Trusts and federation show the whole role.
    Whole(Vec<&'a Role>),
}

#[derive(Serialize)]
pub(super) struct BodyOauth1<'a> {
    pub access_token_id: &'a str,
    pub consumer_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct BodyApplicationCredential<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub restricted: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub access_rules: &'a [AccessRule],
}

#[derive(Serialize)]
pub(super) struct Thumbprint<'a> {
    #[serde(rename = "x5t#S256")]
    pub sha256: &'a str,
}

/// The body up to where the catalog would stand, or the end: `{"token":{…`.
pub(super) fn head(body: &Body<'_>) -> Result<Bytes, Error> {
    let mut bytes = br#"{"token":"#.to_vec();
    bytes.extend_from_slice(&json_bytes(body)?);
    bytes.pop(); // the closing brace of the token
    bytes.shrink_to_fit();
    Ok(bytes.into())
}

/// The catalog of one token, as JSON.
pub(super) fn catalog(catalog: &Catalog, with: Substitutions<'_>) -> Result<Bytes, Error> {
    let services: Vec<_> = catalog.render(with).collect();
    json_bytes(&services)
}

/// `2026-11-24T01:54:50.000000Z`: whole seconds with six zeros, as Keystone shows a token's times.
fn time<S: serde::Serializer>(seconds: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    let time = DateTime::from_timestamp(*seconds, 0).unwrap_or_default();
    serializer.collect_str(&time.format("%Y-%m-%dT%H:%M:%S.000000Z"))
}
