//! Who asks: the attributes of the caller that rules can name.

use std::fmt;

use super::value::Value;

/// What a token is good for, as `scope_types` of a rule names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScopeType {
    /// The deployment as a whole.
    System,
    /// One domain.
    Domain,
    /// One project; an unscoped token counts as such, as in oslo.policy.
    Project,
}

impl ScopeType {
    /// The word used in policy: `system`, `domain` or `project`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Domain => "domain",
            Self::Project => "project",
        }
    }
}

impl fmt::Display for ScopeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What came of looking for a value in the caller's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A value at the path passed the test.
    Matched,
    /// The path isn't there, or no value at it passed.
    Unmatched,
    /// The path leads through something that has no parts (a text, null, a list of texts). Python Keystone fails
    /// with an error there; so the whole decision is a refusal, whatever the rest of the rule says.
    NoSuchPart,
}

impl From<bool> for Lookup {
    fn from(matched: bool) -> Self {
        if matched {
            Self::Matched
        } else {
            Self::Unmatched
        }
    }
}

/// The caller, as rules see it. The server's cached token implements it, so that a check copies nothing.
///
/// `None` is null, not absence: a rule reads it as `None`, and `domain_id:None` is how a rule says "not scoped to a
/// domain".
pub trait Subject {
    /// `user_id`.
    fn user_id(&self) -> Option<&str>;
    /// `user_domain_id`: the domain that owns the user.
    fn user_domain_id(&self) -> Option<&str>;
    /// `project_id`: the project the token is scoped to.
    fn project_id(&self) -> Option<&str>;
    /// `project_domain_id`: the domain that owns that project.
    fn project_domain_id(&self) -> Option<&str>;
    /// `domain_id`: the domain the token is scoped to. Null for a project-scoped token, even where the project acts
    /// as a domain: such a token has what its roles on the project give, and nothing of the domain.
    fn domain_id(&self) -> Option<&str>;
    /// `system_scope`: `all`, or null.
    fn system_scope(&self) -> Option<&str>;

    /// Whether `test` says yes to the name of one of the roles.
    fn any_role(&self, test: &mut dyn FnMut(&str) -> bool) -> bool;

    /// Whether one of the roles is called `name`, which comes in lower case; role checks ignore case. Worth
    /// overriding where the lower-case names are at hand.
    fn has_role(&self, name: &str) -> bool {
        self.any_role(&mut |role| same_ignoring_case(role, name))
    }

    /// `is_admin`: the bootstrap administrator, who has no user. No token gives this.
    fn is_admin(&self) -> bool {
        false
    }

    /// `is_admin_project`: Keystone says yes for every token but a domain-scoped one.
    fn is_admin_project(&self) -> bool {
        self.domain_id().is_none_or(str::is_empty)
    }

    /// `token.<path>`: hands the values at the dotted `path` in the body of the token (as `GET /v3/auth/tokens`
    /// shows it) to `test`, one after the other until it says yes. Where the path leads into a list, each element
    /// is looked at.
    fn token_attribute(&self, path: &str, test: &mut dyn FnMut(Value<'_>) -> bool) -> Lookup;

    /// What `scope_types` is compared with. Follows from the other attributes as in oslo.policy.
    fn scope(&self) -> ScopeType {
        let set = |value: Option<&str>| value.is_some_and(|text| !text.is_empty());
        if set(self.system_scope()) {
            ScopeType::System
        } else if set(self.domain_id()) {
            ScopeType::Domain
        } else {
            ScopeType::Project
        }
    }
}

/// Whether `name` in lower case is `lower`, without allocating as long as `name` is ASCII.
fn same_ignoring_case(name: &str, lower: &str) -> bool {
    if name.is_ascii() {
        name.len() == lower.len()
            && name
                .bytes()
                .map(|byte| byte.to_ascii_lowercase())
                .eq(lower.bytes())
    } else {
        name.to_lowercase() == lower
    }
}
