//! `fernet` and `credential`: key repositories.

use std::path::Path;

use clap::{Args, Subcommand};
use keystone_actors::credential::count_under_other_keys;
use keystone_actors::token::KeyRepository;

use super::{ConfigArgs, Failure, block_on, load, pool, say};
use crate::config::Config;
use crate::node::repository;

/// Keys of a credential repository: the primary, the one before it, and the staged one.
const CREDENTIAL_KEYS: u32 = 3;

/// What to do with the keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the repository with a primary and a staged key; where keys are, they are kept.
    Setup(KeysArgs),
    /// Make the staged key the primary, stage a new one, drop the oldest. Distribute the
    /// repository to the other nodes before the next rotation.
    Rotate(KeysArgs),
}

/// Whose keys, and who shall own their files.
#[derive(Args, Debug)]
pub struct KeysArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The user, by ID, who shall own the files.
    #[arg(long, value_name = "UID")]
    keystone_user: Option<u32>,
    /// The group, by ID, that shall own the files.
    #[arg(long, value_name = "GID")]
    keystone_group: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Fernet,
    Credential,
}

impl Purpose {
    fn repositories(self, config: &Config) -> Vec<KeyRepository> {
        let (tokens, receipts) = (&config.fernet_tokens, &config.fernet_receipts);
        match self {
            Self::Credential => vec![repository(
                &config.credential.key_repository,
                CREDENTIAL_KEYS,
            )],
            Self::Fernet if tokens.key_repository == receipts.key_repository => {
                vec![repository(&tokens.key_repository, tokens.max_active_keys)]
            }
            Self::Fernet => vec![
                repository(&tokens.key_repository, tokens.max_active_keys),
                repository(&receipts.key_repository, receipts.max_active_keys),
            ],
        }
    }
}

pub(super) fn run(command: KeysCommand, purpose: Purpose) -> Result<(), Failure> {
    let (KeysCommand::Setup(args) | KeysCommand::Rotate(args)) = &command;
    let loaded = load(&args.config)?;
    for mut repository in purpose.repositories(&loaded.config) {
        repository.owner = (args.keystone_user, args.keystone_group);
        match command {
            KeysCommand::Setup(_) => set_up(&repository)?,
            KeysCommand::Rotate(_) => {
                if purpose == Purpose::Credential {
                    refuse_to_strand_credentials(&loaded.config, &repository)?;
                }
                rotate(&repository)?;
            }
        }
    }
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
            "{count} credentials are encrypted with older keys; run `keystone-manage \
             credential_migrate` first"
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
