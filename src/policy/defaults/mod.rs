//! What holds where the operator says nothing: the rules of Keystone 30 with its checks and scope types, and ours.

mod aliases;
mod assignments;
mod catalog;
mod credentials;
mod federation;
mod limits;
mod oauth1;
mod policies;
mod projects;
mod roles;
mod tokens;
mod trusts;
mod users;
mod v4_machines;
mod v4_people;

use super::rule::Rule;
use super::subject::ScopeType;

/// A rule as the server brings it.
pub(super) struct DefaultRule {
    pub(super) rule: Rule,
    /// In the rule language. Holds no `"` and no `\`.
    pub(super) check: &'static str,
    /// Tokens of other scopes are refused; empty: none is.
    pub(super) scopes: &'static [ScopeType],
    /// What the rule allows, in a sentence.
    pub(super) description: &'static str,
    /// Method and path of the operations that ask for it.
    pub(super) operations: &'static [&'static str],
    /// The default before this one. Keystone lists one, too, where nothing but the scope types changed; as that has no
    /// effect, it is left out here.
    pub(super) deprecated: Option<DeprecatedRule>,
}

/// A default of the past, under the same name.
pub(super) struct DeprecatedRule {
    pub(super) check: &'static str,
    /// The OpenStack release that replaced it.
    pub(super) since: &'static str,
    pub(super) reason: &'static str,
}

const ANY: &[ScopeType] = &[];
const ALL: &[ScopeType] = &[ScopeType::System, ScopeType::Domain, ScopeType::Project];
const SYSTEM_OR_PROJECT: &[ScopeType] = &[ScopeType::System, ScopeType::Project];
const PROJECT: &[ScopeType] = &[ScopeType::Project];

/// Why Keystone replaced its defaults in Stein and Train.
const GRANULAR: &str =
    "The old default knew neither the roles reader and manager nor the scopes of tokens.";

const BY_SUBJECT: &[&[DefaultRule]] = &[
    aliases::RULES,
    tokens::RULES,
    users::RULES,
    projects::RULES,
    roles::RULES,
    assignments::RULES,
    catalog::RULES,
    credentials::RULES,
    trusts::RULES,
    federation::RULES,
    limits::RULES,
    policies::RULES,
    oauth1::RULES,
    v4_people::RULES,
];

/// What nothing that is routed asks for: policy files may speak of it already. A test compares this with
/// the routes.
const NOT_ROUTED: &[&[DefaultRule]] = &[v4_people::NOT_ROUTED, v4_machines::NOT_ROUTED];

/// All defaults, grouped by subject.
pub(super) fn all() -> impl Iterator<Item = &'static DefaultRule> {
    BY_SUBJECT.iter().chain(NOT_ROUTED).copied().flatten()
}

/// Those that nothing asks for yet.
pub(super) fn not_routed() -> impl Iterator<Item = &'static DefaultRule> {
    NOT_ROUTED.iter().copied().flatten()
}
