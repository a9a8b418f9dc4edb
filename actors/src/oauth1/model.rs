//! Access tokens.

use crate::ids::{ProjectId, RoleId, UserId};

/// What a consumer may do in a user's name. Its secret stays in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its ID.
    pub id: String,
    /// The consumer that it was given to.
    pub consumer_id: String,
    /// The user that authorised it.
    pub authorizing_user_id: UserId,
    /// The project that it is good for.
    pub project_id: ProjectId,
    /// The roles that were authorised, without what they imply.
    pub role_ids: Vec<RoleId>,
    /// Seconds since 1970; a fraction is dropped. `None`: it does not expire.
    pub expires_at: Option<i64>,
}
