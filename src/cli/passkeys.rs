//! `passkeys`: those that another implementation keeps, taken over.

use clap::{Args, Subcommand};
use keystone_actors::db::Db;
use keystone_actors::db::migrate::has_table;
use keystone_actors::db::url::DatabaseUrl;
use keystone_actors::webauthn::{Counts, Import, Settings, Step, import};
use secrecy::{ExposeSecret as _, SecretString};

use super::db::whole;
use super::{ConfigArgs, Failure, base_dir, block_on, load, out, pool, reach, say};
use crate::config::Config;
use crate::node::passkey_settings;

const IMPORT_HELP: &str = "Examples:\n  \
keystone-ng passkeys import --dry-run\n  \
keystone-ng passkeys import --config-file ./keystone.conf\n  \
OS_PASSKEYS_FROM=postgresql://keystone:secret@192.0.2.9/keystone keystone-ng passkeys import\n\n\
It reads the table webauthn_credential, which it never writes, and adds to ours. [webauthn]\n\
relying_party_id has to be what it was there: passkeys are of no use under another one. Servers may\n\
run meanwhile. It can be repeated: what is here stays as it is.\n\n\
Standard output has a line for each passkey that can't be used, with its user and the reason.\n\n\
Exit codes: 0 all that can be used are here, 1 it failed (what was done stays done), 2 wrong command\n\
line or configuration, 3 some can't be used.";

/// What to do with passkeys.
#[derive(Debug, Subcommand)]
pub enum PasskeysCommand {
    /// Take over the passkeys that another implementation of Keystone keeps in the table
    /// webauthn_credential, so that users go on with the authenticators that they have.
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
}

/// Where they come from.
#[derive(Args, Debug)]
pub struct ImportArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The database that has them, if it is not that of [database] connection; in the same notation.
    /// With a password in it better by the environment than here, where others see it.
    #[arg(long, value_name = "URL", env = "OS_PASSKEYS_FROM", hide_env_values = true, value_parser = super::secret)]
    from: Option<SecretString>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(command: PasskeysCommand) -> Result<(), Failure> {
    let PasskeysCommand::Import(args) = command;
    let loaded = load(&args.config)?;
    let config = &loaded.config;
    let settings = passkey_settings(config, &base_dir(&args.config))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    if settings.rp_id.is_empty() {
        return Err(Failure::Usage(
            "passkeys are not enabled; set [webauthn] enabled = true, and relying_party_id to what it \
             was where they come from"
                .to_owned(),
        ));
    }
    let from = args.from.as_ref().map(|url| read_url(config, url));
    let from = from.transpose()?;
    let counts = block_on(take_over(config, from.as_ref(), &settings, args.dry_run))?;
    tell(&counts, args.dry_run);
    match counts.refused {
        0 => Ok(()),
        count => Err(Failure::Unhealthy(format!(
            "{} can't be used; their users have to register others",
            passkeys(count)
        ))),
    }
}

/// The configuration of the database that passkeys come from.
fn read_url(config: &Config, url: &SecretString) -> Result<Config, Failure> {
    let url = DatabaseUrl::parse(url.expose_secret())
        .map_err(|error| Failure::Usage(format!("--from: {error}")))?;
    // SQLite would make an empty one.
    if let DatabaseUrl::Sqlite { path } = &url
        && !path.exists()
    {
        let path = path.display();
        return Err(Failure::Usage(format!("--from: there is no file {path}")));
    }
    let mut other = config.clone();
    other.database.connection = url;
    Ok(other)
}

async fn take_over(
    config: &Config,
    from: Option<&Config>,
    settings: &Settings,
    dry_run: bool,
) -> Result<Counts, Failure> {
    let to = connect(config).await?;
    if !there(&to, "ng_webauthn_credential").await? {
        return Err(Failure::Failed(format!(
            "there are no tables for passkeys in {}; run `keystone-ng db sync`",
            config.database.connection
        )));
    }
    let source = match from {
        Some(other) => connect(other).await?,
        None => to.clone(),
    };
    let place = &from.unwrap_or(config).database.connection;
    if !there(&source, "webauthn_credential").await? {
        return Err(Failure::Failed(format!(
            "there is no table webauthn_credential in {place}; name the database that has it with \
             --from"
        )));
    }
    say(format_args!("reading webauthn_credential in {place}"));
    let job = Import {
        from: &source,
        to: &to,
        settings,
        dry_run,
    };
    let mut printed = Ok(());
    let done = import(job, |step| match step {
        Step::Refused {
            credential_id,
            user_id,
            why,
        } => {
            let line = format!(
                "{} of user {}: {why}\n",
                plain(credential_id),
                plain(user_id)
            );
            if printed.is_ok() {
                printed = out(&line);
            }
        }
        Step::Batch(counts) => say(format_args!("{} read", passkeys(counts.read))),
    })
    .await;
    printed?;
    done.map_err(|error| Failure::Failed(whole(&error)))
}

async fn connect(config: &Config) -> Result<Db, Failure> {
    let db = pool(config)?;
    reach(&db, config).await?;
    Ok(db)
}

async fn there(db: &Db, table: &'static str) -> Result<bool, Failure> {
    let there = has_table(db, table).await;
    there.map_err(|error| Failure::Failed(whole(&error)))
}

fn tell(counts: &Counts, dry_run: bool) {
    let Counts {
        read,
        imported,
        known,
        gone,
        refused,
    } = *counts;
    say(format_args!(
        "{}: {imported} {}, {known} here already, {gone} of users who are gone, {refused} not usable",
        passkeys(read),
        if dry_run {
            "would be imported"
        } else {
            "imported"
        },
    ));
    if dry_run {
        say("nothing was written");
    } else if imported == 0 {
        say("nothing has changed");
    }
}

fn passkeys(count: usize) -> String {
    match count {
        1 => "1 passkey".to_owned(),
        count => format!("{count} passkeys"),
    }
}

/// What a terminal shows as it is: it comes from another's table.
fn plain(text: &str) -> String {
    text.chars().filter(|one| !one.is_control()).collect()
}
