//! `token inspect`: what a token or a receipt says, without trusting it.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use keystone_actors::token::{
    FernetTokens, JwsTokens, LiveKeys, MethodTable, Methods, Opened, PayloadScope, Receipts,
};
use serde_json::{Map, Value};

use super::{ConfigArgs, Failure, load, out, say};
use crate::config::Config;
use crate::node::{jws_repository, repository};

const HELP: &str = "Examples:\n  \
openstack token issue -f value -c id | keystone-ng token inspect\n  \
keystone-ng token inspect --json token.txt | jq .scope\n\n\
What it prints says what is written in the token, not that it is good: nobody was asked\n\
whether the user is enabled, the roles are still there, or it was revoked.\n\n\
Exit codes: 0 it was read, 2 no such file or configuration, 3 it is nothing that our keys\n\
made (the claims of a JWS token are shown all the same).";

/// No token is longer; more is not read.
const MOST: u64 = 64 * 1024;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Print what a token or a receipt says. It is read from a file or from standard input, never
    /// from the command line, where others could see it.
    #[command(after_help = HELP)]
    Inspect(InspectArgs),
}

/// Which token, and how to tell.
#[derive(Args, Debug)]
pub struct InspectArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
    /// The file; without it, standard input.
    file: Option<PathBuf>,
}

/// What was found out, in order.
#[derive(Default)]
struct Facts(Vec<(&'static str, Value)>);

impl Facts {
    fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// In words where it is for people, else as it is in bodies.
    fn time(&mut self, name: &'static str, seconds: i64) {
        let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        self.add(name, time.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    }

    fn methods(&mut self, methods: &Methods) {
        self.add("methods", methods.iter().collect::<Vec<_>>());
    }

    fn end(&mut self, expires_at: i64, now: i64) {
        self.time("expires_at", expires_at);
        self.add("expired", expires_at <= now);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            let value = match value {
                Value::String(one) => one.clone(),
                Value::Array(several) => {
                    let items = several.iter().map(|item| item.as_str().unwrap_or_default());
                    items.collect::<Vec<_>>().join(", ")
                }
                other => other.to_string(),
            };
            text += &format!("{name:<24}{value}\n");
        }
        text
    }

    fn json(self) -> String {
        let all: Map<String, Value> = self
            .0
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        format!("{:#}\n", Value::Object(all))
    }
}

pub(super) fn run(command: TokenCommand) -> Result<(), Failure> {
    let TokenCommand::Inspect(args) = command;
    let config = load(&args.config)?.config;
    let text = read(args.file.as_ref())?;
    let (facts, made_here) = inspect(&config, text.trim())?;
    out(&match args.json {
        true => facts.json(),
        false => facts.text(),
    })?;
    if !made_here {
        return Err(Failure::Unhealthy(
            "none of the keys here signed it".to_owned(),
        ));
    }
    say("nothing of this was validated: the user, the scope and revocations were not looked at");
    Ok(())
}

fn read(file: Option<&PathBuf>) -> Result<String, Failure> {
    let mut text = String::new();
    let source: Box<dyn Read> = match file {
        Some(file) => Box::new(
            std::fs::File::open(file)
                .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?,
        ),
        None => Box::new(std::io::stdin()),
    };
    source
        .take(MOST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Usage(format!("it is no text: {error}")))?;
    if text.trim().is_empty() {
        return Err(Failure::Usage(
            "there is no token; give it on standard input, or name a file".to_owned(),
        ));
    }
    Ok(text)
}

/// What a text says, and whether keys of ours made it.
fn inspect(config: &Config, text: &str) -> Result<(Facts, bool), Failure> {
    if text.bytes().filter(|byte| *byte == b'.').count() == 2 {
        return jws(config, text);
    }
    let methods = MethodTable::new(config.auth.methods.as_slice());
    let methods = Arc::new(methods.map_err(|error| Failure::Usage(error.to_string()))?);
    let mut problems = Vec::new();

    let fernet = &config.fernet_tokens;
    match LiveKeys::load(repository(&fernet.key_repository, fernet.max_active_keys)) {
        Ok(keys) => {
            // However far in the future: it shall be shown, not taken.
            let tokens = FernetTokens::new(keys, Arc::clone(&methods), i64::MAX);
            match tokens.open(text, 0) {
                Ok(opened) => return Ok((of_token("fernet token", &opened), true)),
                Err(error) => problems.push(format!("as a token: {error}")),
            }
        }
        Err(error) => problems.push(error.to_string()),
    }
    let fernet = &config.fernet_receipts;
    match LiveKeys::load(repository(&fernet.key_repository, fernet.max_active_keys)) {
        Ok(keys) => match Receipts::new(keys, methods, i64::MAX).open(text, 0) {
            Ok(opened) => {
                let mut facts = Facts::default();
                facts.add("kind", "receipt");
                facts.add("user", opened.receipt.user_id);
                facts.methods(&opened.receipt.methods);
                facts.time("issued_at", opened.issued_at);
                facts.end(opened.receipt.expires_at, Utc::now().timestamp());
                return Ok((facts, true));
            }
            Err(error) => problems.push(format!("as a receipt: {error}")),
        },
        Err(error) => problems.push(error.to_string()),
    }
    problems.dedup();
    Err(Failure::Unhealthy(format!(
        "no key here made it ({}); is it whole, and are these the keys of the server that issued it?",
        problems.join("; ")
    )))
}

/// A JWS token can be read without any key.
fn jws(config: &Config, text: &str) -> Result<(Facts, bool), Failure> {
    let opened = JwsTokens::new(jws_repository(config), i64::MAX)
        .map_err(|error| error.to_string())
        .and_then(|tokens| tokens.open(text, 0).map_err(|error| error.to_string()));
    let error = match opened {
        Ok(opened) => return Ok((of_token("JWS token", &opened), true)),
        Err(error) => error,
    };
    let mut facts = Facts::default();
    facts.add("kind", "JWS token");
    facts.add("not_verified", error);
    for (name, part) in ["header", "claims"].into_iter().zip(text.split('.')) {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(value) => facts.add(name, value),
            Err(_) => facts.add(name, "unreadable"),
        }
    }
    Ok((facts, false))
}

fn of_token(kind: &str, Opened { payload, issued_at }: &Opened) -> Facts {
    let mut facts = Facts::default();
    facts.add("kind", kind);
    facts.add("user", payload.user_id.as_str());
    facts.methods(&payload.methods);
    facts.add(
        "scope",
        match &payload.scope {
            PayloadScope::Unscoped => "none".to_owned(),
            PayloadScope::Project(id) => format!("project {id}"),
            PayloadScope::Domain(id) => format!("domain {id}"),
            PayloadScope::System => "system".to_owned(),
        },
    );
    facts.time("issued_at", *issued_at);
    facts.end(payload.expires_at, Utc::now().timestamp());
    let audit = payload.audit_ids.iter().map(|id| id.to_string());
    facts.add("audit_ids", audit.collect::<Vec<_>>());
    for (name, value) in [
        ("trust", &payload.trust_id),
        ("application_credential", &payload.app_cred_id),
        ("oauth1_access_token", &payload.access_token_id),
        ("certificate_thumbprint", &payload.thumbprint),
    ] {
        if let Some(value) = value {
            facts.add(name, value.as_str());
        }
    }
    if let Some(from) = &payload.federation {
        facts.add("identity_provider", from.idp_id.as_str());
        facts.add("protocol", from.protocol_id.as_str());
        facts.add("groups", from.group_ids.clone());
    }
    facts
}
