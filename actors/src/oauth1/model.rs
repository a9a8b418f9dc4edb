//! Consumers and access tokens.

use serde::{Deserialize, Serialize};

use super::Error;
use crate::attributes::{Extra, double_option, merge_extra};
use crate::ids::{ConsumerId, ProjectId, RoleId, UserId};

/// The longest description, in characters.
const LONGEST: usize = 64;

/// A program that users may authorise, as v3 shows it (the API adds only `links`). Its secret stays
/// in the database.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Consumer {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: ConsumerId,
    /// Free text, up to 64 characters.
    pub description: Option<String>,
}

/// What is said of a consumer when it is created or changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConsumerDraft {
    /// Absent keeps it, `null` clears it.
    #[serde(deserialize_with = "double_option")]
    pub description: Option<Option<String>>,
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl ConsumerDraft {
    /// The consumer that comes of it, where there was none.
    pub(super) fn into_consumer(self) -> Result<Consumer, Error> {
        self.apply(&Consumer {
            extra: Extra::new(),
            id: ConsumerId::random(),
            description: None,
        })
    }

    /// The consumer after this change.
    pub fn apply(self, consumer: &Consumer) -> Result<Consumer, Error> {
        let description = self.description;
        let description = description.unwrap_or_else(|| consumer.description.clone());
        match description {
            Some(text) if text.chars().count() > LONGEST => Err(Error::DescriptionTooLong(text)),
            description => Ok(Consumer {
                extra: merge_extra(consumer.extra.clone(), self.extra),
                id: consumer.id.clone(),
                description,
            }),
        }
    }
}

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
