//! Whether the database has the tables that this version needs.

use std::sync::{Mutex, PoisonError};

use keystone_actors::db::Db;
use keystone_actors::db::migrate::{
    KeystoneSchema, MigrateError, MigrationState, keystone_schema, status,
};

/// What is wrong with the tables, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaTrouble {
    /// There are none.
    #[error("the database has no tables of Keystone; run `keystone-ng db sync`")]
    Absent,
    /// They are those of another release.
    #[error(
        "the database's tables are not those of Keystone 30 (alembic versions {0:?}); run \
         `keystone-manage db_sync` of release 30, then `keystone-ng db sync`"
    )]
    Other(Vec<String>),
    /// Some of ours are missing.
    #[error("tables are missing in the database ({0}); run `keystone-ng db sync`")]
    Behind(String),
}

/// Looks at the tables.
///
/// # Errors
/// When the database can't be asked.
pub async fn look(db: &Db) -> Result<Result<(), SchemaTrouble>, MigrateError> {
    match keystone_schema(db).await? {
        KeystoneSchema::Absent => return Ok(Err(SchemaTrouble::Absent)),
        KeystoneSchema::Other { found } => return Ok(Err(SchemaTrouble::Other(found))),
        KeystoneSchema::Current => {}
    }
    let missing: Vec<String> = status(db)
        .await?
        .into_iter()
        .filter(|one| matches!(one.state, MigrationState::Pending | MigrationState::Begun))
        .map(|one| one.name)
        .collect();
    Ok(match missing.is_empty() {
        true => Ok(()),
        false => Err(SchemaTrouble::Behind(missing.join(", "))),
    })
}

/// What is known of the tables: looked at until they are good, and then never again.
#[derive(Debug, Default)]
pub struct Schema(Mutex<Known>);

#[derive(Clone, Debug, Default)]
enum Known {
    /// The database has not answered yet.
    #[default]
    Nothing,
    Bad(SchemaTrouble),
    Good,
}

impl Schema {
    /// Looks, unless the tables are known to be good. Gives what is wrong with them, if that is
    /// news.
    pub async fn refresh(&self, db: &Db) -> Option<SchemaTrouble> {
        if self.is_good() {
            return None;
        }
        let found = match look(db).await {
            Ok(Ok(())) => Known::Good,
            Ok(Err(trouble)) => Known::Bad(trouble),
            Err(error) => {
                tracing::debug!(%error, "the tables could not be looked at");
                return None;
            }
        };
        let before = std::mem::replace(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            found.clone(),
        );
        match (before, found) {
            (Known::Bad(before), Known::Bad(now)) if before == now => None,
            (_, Known::Bad(now)) => Some(now),
            _ => None,
        }
    }

    /// What is wrong with the tables, if that is known.
    pub fn trouble(&self) -> Option<SchemaTrouble> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Known::Bad(trouble) => Some(trouble.clone()),
            Known::Nothing | Known::Good => None,
        }
    }

    /// Whether they are known to be good.
    pub fn is_good(&self) -> bool {
        matches!(
            *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            Known::Good
        )
    }
}
