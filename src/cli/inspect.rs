//! `token inspect`: what a token says, without trusting it.

use std::io::Read;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use keystone_actors::token::{Opened, PayloadScope};

use super::{ConfigArgs, Failure, load, out, say};
use crate::node::offline_format;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Print what a token says. It is read from a file or from standard input, never from the
    /// command line, where others could see it.
    Inspect {
        #[command(flatten)]
        config: ConfigArgs,
        /// The file; without it, standard input.
        file: Option<PathBuf>,
    },
}

pub(super) fn run(command: TokenCommand) -> Result<(), Failure> {
    let TokenCommand::Inspect { config, file } = command;
    let loaded = load(&config)?;
    let mut text = String::new();
    match &file {
        Some(file) => {
            text = std::fs::read_to_string(file)
                .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
        }
        None => {
            std::io::stdin()
                .take(64 * 1024)
                .read_to_string(&mut text)
                .map_err(Failure::of)?;
        }
    }
    let format =
        offline_format(&loaded.config).map_err(|error| Failure::Usage(error.to_string()))?;
    let opened = format
        .open(text.trim(), Utc::now().timestamp())
        .map_err(|error| {
            Failure::Unhealthy(format!("{error}; none of the keys here made this token"))
        })?;
    out(&show(&opened))?;
    say("nothing of this was validated: the user, the scope and revocations were not looked at");
    Ok(())
}

fn show(Opened { payload, issued_at }: &Opened) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| text += &format!("{name:<24}{value}\n");
    line("user", &payload.user_id);
    line(
        "methods",
        &payload.methods.iter().collect::<Vec<_>>().join(", "),
    );
    line(
        "scope",
        &match &payload.scope {
            PayloadScope::Unscoped => "none".to_owned(),
            PayloadScope::Project(id) => format!("project {id}"),
            PayloadScope::Domain(id) => format!("domain {id}"),
            PayloadScope::System => "system".to_owned(),
        },
    );
    line("issued at", &time(*issued_at));
    let now = Utc::now().timestamp();
    let expired = if payload.expires_at <= now {
        " (expired)"
    } else {
        ""
    };
    line(
        "expires at",
        &format!("{}{expired}", time(payload.expires_at)),
    );
    let audit: Vec<String> = payload.audit_ids.iter().map(|id| id.to_string()).collect();
    line("audit ids", &audit.join(", "));
    for (name, value) in [
        ("trust", &payload.trust_id),
        ("application credential", &payload.app_cred_id),
        ("OAuth1 access token", &payload.access_token_id),
        ("certificate thumbprint", &payload.thumbprint),
    ] {
        if let Some(value) = value {
            line(name, value);
        }
    }
    if let Some(from) = &payload.federation {
        line("identity provider", &from.idp_id);
        line("protocol", &from.protocol_id);
        line("groups", &from.group_ids.join(", "));
    }
    text
}

fn time(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
