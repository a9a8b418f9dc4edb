//! `db sync`, `db status`.

use std::time::{Duration, Instant};

use clap::Subcommand;
use keystone_actors::db::migrate::{KeystoneSchema, MigrationState, keystone_schema, status, sync};
use keystone_actors::db::{Db, NoConnection};

use super::{ConfigArgs, Failure, block_on, load, out, say};
use crate::config::Config;
use crate::node::{databases, storage_limits};

const SYNC_HELP: &str = "Example:\n  \
OS_DATABASE__CONNECTION=postgresql://keystone:secret@192.0.2.5/keystone keystone-ng db sync\n\n\
It can be repeated, and several nodes may do it at once: each migration is applied once. Run it\n\
before the servers of a new version are started; those of the old one may go on running.";

const STATUS_HELP: &str = "Example:\n  \
keystone-ng db status --config-file ./keystone.conf";

/// What to do with the tables.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Make the tables that are missing: Keystone's, where Python Keystone has not made them, and
    /// our own beside them. Python Keystone's are never altered.
    #[command(after_help = SYNC_HELP)]
    Sync {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Say which tables are there. Exit code 3 where something is missing.
    #[command(after_help = STATUS_HELP)]
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
    let databases = databases(config, limits).map_err(Failure::of)?;
    databases.pool("command", 5).map_err(Failure::of)
}

fn unreachable(config: &Config, why: &str) -> Failure {
    Failure::Failed(format!(
        "no connection to {}: {why}; look at [database] connection, and whether the database runs",
        config.database.connection
    ))
}

/// Waits for a database that may not be up yet, as often as `[database] max_retries` says.
///
/// # Errors
/// [`Failure::Failed`] with what the driver says.
pub async fn reach(db: &Db, config: &Config) -> Result<(), Failure> {
    let database = &config.database;
    let most = database.max_retries.get();
    let mut tries = 0;
    while let Err(NoConnection { why, may_pass }) = db.connects().await {
        if !may_pass || most.is_some_and(|most| tries >= most) {
            return Err(unreachable(config, &why));
        }
        tries += 1;
        let of = most.map_or(String::new(), |most| format!(" of {most}"));
        say(format_args!(
            "no connection to {}: {why}; try {tries}{of} in {} s",
            database.connection,
            database.retry_interval.as_secs()
        ));
        tokio::time::sleep(database.retry_interval).await;
    }
    Ok(())
}

/// Makes the tables that are missing, and says so.
///
/// # Errors
/// When that fails, or the tables are those of another release of Keystone.
pub async fn bring_up(config: &Config) -> Result<bool, Failure> {
    let began = Instant::now();
    let db = pool(config)?;
    reach(&db, config).await?;
    say(format_args!("database {}", config.database.connection));
    let report = sync(&db, |name| say(format_args!("migration {name}")))
        .await
        .map_err(|error| Failure::Failed(whole(&error)))?;
    of_our_release(&report.keystone)?;
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

fn of_our_release(keystone: &KeystoneSchema) -> Result<(), Failure> {
    match keystone {
        KeystoneSchema::Other { found } => Err(Failure::Unhealthy(format!(
            "the tables are not those of Keystone 30 (alembic versions {found:?}); \
             run `keystone-manage db_sync` of release 30 first"
        ))),
        KeystoneSchema::Absent | KeystoneSchema::Current => Ok(()),
    }
}

/// An error with its causes: a person has to mend it.
pub(super) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

async fn show(config: &Config) -> Result<(), Failure> {
    let db = pool(config)?;
    if let Err(NoConnection { why, .. }) = db.connects().await {
        return Err(unreachable(config, &why));
    }
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
    of_our_release(&keystone_schema(&db).await.map_err(Failure::of)?)?;
    match pending {
        true => Err(Failure::Unhealthy(
            "tables are missing; run `keystone-ng db sync`".to_owned(),
        )),
        false => Ok(()),
    }
}
