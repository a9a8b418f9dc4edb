//! `jws`: the key pairs of JWS tokens.

use clap::Subcommand;

use super::keys::KeysArgs;
use super::{Failure, load, say};
use crate::config::sections::TokenProvider;
use crate::node::jws_repository;

const SETUP_HELP: &str = "Example:\n  \
keystone-ng jws setup --config-file /etc/keystone/keystone.conf\n\n\
Then copy the public keys of every node to every node ([jwt_tokens]\n\
jws_public_key_repository), and set [token] provider = jws. Private keys stay where they\n\
are: each node has its own.";

const ROTATE_HELP: &str = "Example:\n  \
keystone-ng jws rotate --config-file /etc/keystone/keystone.conf\n\n\
Run it when every node has the public keys of all others; then copy the new public key\n\
to all of them, before the next rotation.";

/// What to do with the key pairs.
#[derive(Debug, Subcommand)]
pub enum JwsCommand {
    /// Make the directories, a key that signs and one that waits to; what is there is kept.
    #[command(after_help = SETUP_HELP)]
    Setup(KeysArgs),
    /// Let the waiting key sign, and make the next one.
    #[command(after_help = ROTATE_HELP)]
    Rotate(KeysArgs),
}

pub(super) fn run(command: JwsCommand) -> Result<(), Failure> {
    let (JwsCommand::Setup(args) | JwsCommand::Rotate(args)) = &command;
    let config = load(args.config())?.config;
    let repository = jws_repository(&config);
    match command {
        JwsCommand::Setup(_) => {
            let made = repository.setup(args.owner()).map_err(Failure::of)?;
            for path in &made.public_keys {
                say(format_args!(
                    "public key {}: copy it to every node",
                    path.display()
                ));
            }
            if made.public_keys.is_empty() {
                let place = repository.private_keys.display();
                say(format_args!("keys in {place} are kept"));
            }
            if config.token.provider != TokenProvider::Jws {
                say("they are used where [token] provider = jws; now it is not");
            }
        }
        JwsCommand::Rotate(_) => {
            let done = repository.rotate(args.owner()).map_err(Failure::of)?;
            say(match done.promoted {
                true => "the key that waited signs now",
                false => "a key waits to sign; rotate again once every node has its public key",
            });
            say(format_args!(
                "public key {}: copy it to every node before the next rotation",
                done.waiting.display()
            ));
            if let Some(retired) = done.retired {
                let lifetime = config.token.expiration.as_secs();
                let grace = config.token.allow_expired_window.as_secs();
                say(format_args!(
                    "public key {}: remove it from every node in {} s, when all that it verifies has \
                     ended",
                    retired.display(),
                    lifetime.saturating_add(grace)
                ));
            }
        }
    }
    Ok(())
}
