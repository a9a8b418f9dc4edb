use std::collections::HashMap;

use crate::application_credential::DeletedWithUsers;
use crate::ids::{ApplicationCredentialId, UserId};

/// A user who was deleted, and of what went along that which Keystone tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedUser {
    /// Who it was.
    pub id: UserId,
    /// The user's application credentials.
    pub application_credentials: Vec<ApplicationCredentialId>,
    /// The IDs of the user's access rules.
    pub access_rules: Vec<String>,
}

impl DeletedUser {
    /// This user with what it had.
    pub(crate) fn of(id: &UserId, theirs: DeletedWithUsers) -> Self {
        let credentials = theirs.credentials.into_iter();
        Self {
            id: id.clone(),
            application_credentials: credentials.map(|(_, id)| id.into()).collect(),
            access_rules: theirs.rules.into_iter().map(|(_, id)| id).collect(),
        }
    }

    /// Each of these users with what it had.
    pub(crate) fn with_theirs(users: &[String], theirs: DeletedWithUsers) -> Vec<Self> {
        let mut credentials: HashMap<String, Vec<ApplicationCredentialId>> = HashMap::new();
        for (user, id) in theirs.credentials {
            credentials.entry(user).or_default().push(id.into());
        }
        let mut rules: HashMap<String, Vec<String>> = HashMap::new();
        for (user, id) in theirs.rules {
            rules.entry(user).or_default().push(id);
        }
        let deleted = users.iter().map(|id| Self {
            id: id.as_str().into(),
            application_credentials: credentials.remove(id).unwrap_or_default(),
            access_rules: rules.remove(id).unwrap_or_default(),
        });
        deleted.collect()
    }
}
