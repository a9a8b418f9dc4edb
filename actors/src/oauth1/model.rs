//! Consumers and access tokens.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;
use crate::attributes::{Extra, double_option, merge_extra};
use crate::db::DbTime;
use crate::ids::{ConsumerId, ProjectId, RoleId, UserId, random_id};

/// Letters and digits but for `j`, `i`, `I`, `l`, `1`, `o`, `O` and `0`.
pub const VERIFIER: &str = "abcdefghkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

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
    /// `None`: it does not expire.
    pub expires_at: Option<DbTime>,
}

/// What a consumer asks for, until a user authorises it and it becomes an access token. Its secret
/// stays in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestToken {
    /// Its ID.
    pub id: String,
    /// The project that is asked for.
    pub project_id: ProjectId,
    /// `None`: it does not expire.
    pub expires_at: Option<DbTime>,
}

/// Whether something that ends at this time has ended at `now`, in seconds since 1970.
pub fn has_expired(expires_at: Option<DbTime>, now: i64) -> bool {
    expires_at.is_some_and(|end| end.seconds() <= now)
}

/// A request or access token that was just made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its ID.
    pub id: String,
    /// Told in this answer alone.
    pub secret: SecretString,
    /// `None`: it does not expire.
    pub expires_at: Option<DbTime>,
}

impl NewToken {
    /// One that lives so long from `now`, in seconds since 1970; for ever if that is no time.
    pub(super) fn random(lifetime: Duration, now: i64) -> Self {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let end = DbTime::from_seconds(now.saturating_add(seconds));
        Self {
            id: random_id(),
            secret: random_id().into(),
            expires_at: (!lifetime.is_zero()).then_some(end),
        }
    }
}

/// The token with whose secret, besides its own, a consumer signs a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedWith {
    /// None: it has none yet.
    Nothing,
    /// A request token, by ID.
    RequestToken(String),
    /// An access token, by ID.
    AccessToken(String),
}

/// The secrets that a request is signed with.
#[derive(Clone, Debug)]
pub struct SigningSecrets {
    /// The consumer's.
    pub consumer: SecretString,
    /// The token's; empty where there is none.
    pub token: SecretString,
}

/// What shows a consumer that the user consents: eight of the characters that Keystone takes, none
/// of which is mistaken for another when typed.
pub(super) fn verifier() -> SecretString {
    // Of 122 random bits each takes a fifty-fourth: 54^8 is less than 2^47.
    let mut random = Uuid::new_v4().as_u128();
    let character = |_| {
        let index = usize::try_from(random % 54).unwrap_or_default();
        random /= 54;
        VERIFIER.chars().nth(index)
    };
    (0..8).filter_map(character).collect::<String>().into()
}
