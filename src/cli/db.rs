//! `db sync`, `db status`.

use std::time::{Duration, Instant};

use clap::Subcommand;
use keystone_actors::db::migrate::{KeystoneSchema, MigrationState, status, sync};
use keystone_actors::db::{Databases, Db};

use super::{ConfigArgs, Failure, block_on, load, out, say};
use crate::config::Config;
use crate::node::storage_limits;

/// What to do with the tables.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Make the tables that are missing: Keystone's, where Python Keystone has not made them, and
    /// our own beside them. Python Keystone's are never altered.
    Sync {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Say which tables are there. Exit code 3 where something is missing.
    Status {
        #[command(flatten)]
        config: ConfigArgs,
    },
}

pub(super) fn run(command: DbCommand) -> Result<(), Failure> {
    match command {
        DbCommand::Sync { config } => {
            let loaded = load(&config)?;
            block_on(bring_up(&loaded.config)).map(drop)
        }
        DbCommand::Status { config } => {
            let loaded = load(&config)?;
            block_on(show(&loaded.config))
        }
    }
}

/// A pool for a command; making tables may take longer than a request may.
///
/// # Errors
/// When it can't be made.
pub fn pool(config: &Config) -> Result<Db, Failure> {
    let mut limits = storage_limits(config);
    limits.statement = limits.statement.max(Duration::from_secs(600));
    let databases =
        Databases::new(config.database.connection.clone(), limits).map_err(Failure::of)?;
    databases.pool("command", 5).map_err(Failure::of)
}

/// Makes the tables that are missing, and says so.
///
/// # Errors
/// When that fails, or the tables are those of another release of Keystone.
pub async fn bring_up(config: &Config) -> Result<bool, Failure> {
    let began = Instant::now();
    let db = pool(config)?;
    let report = sync(&db, |name| say(format_args!("migration {name}")))
        .await
        .map_err(|error| {
            Failure::Failed(format!(
                "{error}; is the database of [database] connection reachable?"
            ))
        })?;
    if let KeystoneSchema::Other { found } = &report.keystone {
        return Err(Failure::Unhealthy(format!(
            "the tables are not those of Keystone 30 (alembic versions {found:?}); \
             run `keystone-manage db_sync` of release 30 first"
        )));
    }
    let changed = !report.applied.is_empty();
    match changed {
        true => say(format_args!(
            "tables are up to date, after {} ms",
            began.elapsed().as_millis()
        )),
        false => say("tables are up to date"),
    }
    Ok(changed)
}

async fn show(config: &Config) -> Result<(), Failure> {
    let db = pool(config)?;
    let mut pending = false;
    let mut text = String::new();
    for migration in status(&db).await.map_err(Failure::of)? {
        let state = match migration.state {
            MigrationState::Pending => {
                pending = true;
                "pending".to_owned()
            }
            MigrationState::Begun => {
                pending = true;
                "interrupted; `db sync` completes it".to_owned()
            }
            MigrationState::Applied { at } => {
                let at = chrono::DateTime::from_timestamp_micros(at).unwrap_or_default();
                format!("applied {}", at.format("%Y-%m-%d %H:%M:%S UTC"))
            }
            MigrationState::LeftToPython => "made by Python Keystone".to_owned(),
            MigrationState::Unknown { .. } => "applied by a newer version".to_owned(),
        };
        text += &format!("{:<40} {state}\n", migration.name);
    }
    out(&text)?;
    match pending {
        true => Err(Failure::Unhealthy(
            "tables are missing; run `keystone-ng db sync`".to_owned(),
        )),
        false => Ok(()),
    }
}
