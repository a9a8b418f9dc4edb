//! Application credentials, and what may come of an attempt to log in with one.

use std::sync::Arc;

use serde::Serialize;

use crate::ids::{ApplicationCredentialId, ProjectId, RoleId, UserId};

/// A secret's powers, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationCredential {
    /// Its ID.
    pub id: ApplicationCredentialId,
    /// 1 to 255 characters, unique among its owner's.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Its owner, as whom it logs in.
    pub user_id: UserId,
    /// The project that it is good for. Keystone makes some without, from unscoped tokens, which
    /// are good for nothing.
    pub project_id: Option<ProjectId>,
    /// Shown by Keystone, and never set.
    pub system: Option<String>,
    /// From then on nobody logs in with it: seconds since 1970, a fraction dropped.
    pub expires_at: Option<i64>,
    /// The same in microseconds since 1970, as v3 shows it.
    pub expires_at_micros: Option<i64>,
    /// Whether a token made from it may manage application credentials.
    pub unrestricted: bool,
    /// The same as it was given, as v3 shows it: `None` means false.
    pub unrestricted_given: Option<bool>,
    /// Of the owner's roles on the project, those that it has, while the owner has them.
    pub roles: Vec<RoleId>,
    /// The requests that it is good for; all where there is none.
    pub access_rules: Vec<AccessRule>,
}

impl ApplicationCredential {
    /// Whether nobody logs in with it any more at `now`, in seconds since 1970.
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// A kind of request: services ask for these when they see a token with rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessRule {
    /// Its ID.
    pub id: String,
    /// The type of the service, such as `compute`.
    pub service: Option<String>,
    /// The path, which may have wildcards.
    pub path: Option<String>,
    /// The HTTP method.
    pub method: Option<String>,
}

/// How a client names the application credential that it logs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// By its ID. A user named beside it is to be compared with the owner, and decides nothing.
    ById(ApplicationCredentialId),
    /// By its name and its owner.
    ByName {
        /// Its name.
        name: String,
        /// Its owner.
        user_id: UserId,
    },
}

/// What came of an attempt to log in.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// The secret is right: the owner of this one logs in, on its project.
    Accepted(Arc<ApplicationCredential>),
    /// Nobody logs in.
    Refused(Refusal),
}

/// Why nobody logs in; for the log. Keystone tells [`Self::Unknown`] (404) where an ID was given,
/// and makes the other cases one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such application credential.
    Unknown,
    /// The secret is another.
    WrongSecret,
    /// The secret is right, and of no use any more.
    Expired,
}
