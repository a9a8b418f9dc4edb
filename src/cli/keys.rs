//! `fernet` and `credential`: key repositories.

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use clap::{Args, Subcommand};
use keystone_actors::credential::{self, CredentialKeys, count_under_other_keys};
use keystone_actors::token::KeyRepository;

use super::{ConfigArgs, Failure, block_on, load, pool, say};
use crate::config::Config;
use crate::node::{credential_repository, repository};

const SETUP_HELP: &str = "Examples, as root for the user that the server runs as:\n  \
keystone-ng fernet setup --keystone-user keystone --keystone-group keystone\n  \
keystone-ng credential setup --keystone-user keystone --keystone-group keystone\n\n\
Do it on one node, and copy the directory to the others: all need the same keys.";

const MIGRATE_HELP: &str = "Example, after `credential rotate` and once all nodes have the keys:\n  \
keystone-ng credential migrate\n\n\
What is encrypted with the primary key already is left alone.";

const ROTATE_HELP: &str = "Examples:\n  \
keystone-ng fernet rotate --keystone-user keystone --keystone-group keystone\n  \
keystone-ng credential rotate --keystone-user keystone --keystone-group keystone\n\n\
Do it on one node, copy the directory to all others, and not again before all have it.\n\
Tokens that a dropped key sealed are refused: keep [fernet_tokens] max_active_keys large\n\
enough. No key of credentials is dropped while any is encrypted with it.";

/// What to do with the keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the repository with a primary and a staged key; where keys are, they are kept.
    #[command(after_help = SETUP_HELP)]
    Setup(KeysArgs),
    /// Make the staged key the primary, stage a new one, drop the oldest. Distribute the
    /// repository to the other nodes before the next rotation.
    #[command(after_help = ROTATE_HELP)]
    Rotate(KeysArgs),
}

/// Whose keys, and who shall own their files.
#[derive(Args, Debug)]
pub struct KeysArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The user who shall own the files, by name or number.
    #[arg(long, value_name = "USER", value_parser = user_number)]
    keystone_user: Option<u32>,
    /// The group that shall own the files, by name or number.
    #[arg(long, value_name = "GROUP", value_parser = group_number)]
    keystone_group: Option<u32>,
}

fn user_number(text: &str) -> Result<u32, String> {
    number(text, "/etc/passwd")
}

fn group_number(text: &str) -> Result<u32, String> {
    number(text, "/etc/group")
}

/// A number, or that of a name in a file of the form of passwd(5).
fn number(text: &str, file: &str) -> Result<u32, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let known = std::fs::read_to_string(file).unwrap_or_default();
    let mut entries = known.lines().map(|line| line.split(':'));
    entries
        .find_map(|mut fields| {
            let name = fields.next()?;
            let number = fields.nth(1)?;
            (name == text).then(|| number.parse().ok())?
        })
        .ok_or_else(|| format!("{text} is not in {file}; give the number"))
}

impl KeysArgs {
    pub(super) fn config(&self) -> &ConfigArgs {
        &self.config
    }

    /// User and group of new files.
    pub(super) fn owner(&self) -> (Option<u32>, Option<u32>) {
        (self.keystone_user, self.keystone_group)
    }
}

/// What to do with the keys of credentials, and with what they encrypt.
#[derive(Debug, Subcommand)]
pub enum CredentialCommand {
    /// Make the repository with a primary and a staged key; where keys are, they are kept.
    #[command(after_help = SETUP_HELP)]
    Setup(KeysArgs),
    /// Make the staged key the primary, stage a new one, drop the oldest. Refused while credentials
    /// are encrypted with another key than the primary: `migrate` first.
    #[command(after_help = ROTATE_HELP)]
    Rotate(KeysArgs),
    /// Encrypt all credentials with the primary key. Servers may run meanwhile.
    #[command(after_help = MIGRATE_HELP)]
    Migrate(KeysArgs),
}

/// `fernet …`.
pub(super) fn fernet(command: KeysCommand) -> Result<(), Failure> {
    let (KeysCommand::Setup(args) | KeysCommand::Rotate(args)) = &command;
    let loaded = load(&args.config)?;
    let (tokens, receipts) = (&loaded.config.fernet_tokens, &loaded.config.fernet_receipts);
    let mut repositories = vec![repository(&tokens.key_repository, tokens.max_active_keys)];
    if tokens.key_repository != receipts.key_repository {
        repositories.push(repository(
            &receipts.key_repository,
            receipts.max_active_keys,
        ));
    }
    for mut repository in repositories {
        repository.owner = (args.keystone_user, args.keystone_group);
        match command {
            KeysCommand::Setup(_) => set_up(&repository)?,
            KeysCommand::Rotate(_) => rotate(&repository)?,
        }
    }
    Ok(())
}

/// `credential …`.
pub(super) fn credential(command: CredentialCommand) -> Result<(), Failure> {
    use CredentialCommand::{Migrate, Rotate, Setup};
    let (Setup(args) | Rotate(args) | Migrate(args)) = &command;
    let loaded = load(&args.config)?;
    let mut repository = credential_repository(&loaded.config);
    repository.owner = (args.keystone_user, args.keystone_group);
    match command {
        Setup(_) => set_up(&repository),
        Rotate(_) => {
            refuse_to_strand_credentials(&loaded.config, &repository)?;
            rotate(&repository)
        }
        Migrate(_) => migrate(&loaded.config, repository),
    }
}

fn migrate(config: &Config, repository: KeyRepository) -> Result<(), Failure> {
    let keys = Arc::new(CredentialKeys::of(repository));
    let count = block_on(async {
        let db = pool(config)?;
        let migrated = credential::migrate(&db, &keys, Utc::now().timestamp()).await;
        migrated.map_err(Failure::of)
    })?;
    say(match count {
        0 => "every credential is encrypted with the primary key already".to_owned(),
        1 => "1 credential was encrypted anew; all have the primary key now".to_owned(),
        count => format!("{count} credentials were encrypted anew; all have the primary key now"),
    });
    Ok(())
}

/// Makes a repository's first keys.
///
/// # Errors
/// When the file system refuses.
pub fn set_up(repository: &KeyRepository) -> Result<(), Failure> {
    let made = repository.setup().map_err(Failure::of)?;
    let place = shown(&repository.path);
    match made {
        true => say(format_args!("made keys in {place}")),
        false => say(format_args!("keys in {place} are kept")),
    }
    Ok(())
}

/// Keystone's rule: what is not encrypted with the primary key has to be, before keys go.
fn refuse_to_strand_credentials(
    config: &Config,
    repository: &KeyRepository,
) -> Result<(), Failure> {
    let keys = repository.load().map_err(Failure::of)?;
    let count = block_on(async {
        let db = pool(config)?;
        count_under_other_keys(&db, keys.primary_hash())
            .await
            .map_err(Failure::of)
    })?;
    match count {
        0 => Ok(()),
        count => Err(Failure::Unhealthy(format!(
            "{count} credentials are encrypted with older keys; run `keystone-ng credential \
             migrate` first"
        ))),
    }
}

fn rotate(repository: &KeyRepository) -> Result<(), Failure> {
    let report = repository.rotate().map_err(Failure::of)?;
    let place = shown(&repository.path);
    match report.promoted {
        true => say(format_args!(
            "{place}: key {} is primary now",
            report.primary
        )),
        false => say(format_args!(
            "{place}: a key was staged; rotate again once the other nodes have it"
        )),
    }
    for removed in report.removed {
        say(format_args!("{place}: removed key {removed}"));
    }
    Ok(())
}

fn shown(path: &Path) -> std::path::Display<'_> {
    path.display()
}
