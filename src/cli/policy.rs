//! `policy`: generate, list, validate, check.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;

use super::{ConfigArgs, Failure, base_dir, load, out, say};
use crate::node::load_policy;
use crate::policy::{Credentials, Target, sample};

const GENERATE_HELP: &str = "Example:\n  \
keystone-ng policy generate > /etc/keystone/policy.yaml\n\n\
Take the # away from the rules that you change; the others stay the defaults.";

const LIST_HELP: &str = "Example:\n  \
keystone-ng policy list | grep identity:list_users";

const VALIDATE_HELP: &str = "Example:\n  \
keystone-ng policy validate --config-file ./keystone.conf";

const POLICY_CHECK_HELP: &str = "Example:\n  \
curl -s -H \"X-Auth-Token: $T\" -H \"X-Subject-Token: $T\" $OS_AUTH_URL/auth/tokens > body.json\n  \
keystone-ng policy check --rule identity:get_user --token-body body.json \\\n      \
--target target.user.id=abc --target target.user.domain_id=default";

/// What to do with the policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print every default rule, commented out, with what it guards.
    #[command(after_help = GENERATE_HELP)]
    Generate,
    /// Print the rules in force, as a policy file in YAML, with the scope types that each admits, where
    /// it comes from, and whether nothing asks for it yet.
    #[command(after_help = LIST_HELP)]
    List {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Read the policy files and say what is wrong or odd. Exit code 3 where anything is.
    #[command(after_help = VALIDATE_HELP)]
    Validate {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Say whether a token would be allowed something, and if not, which part of the rule said
    /// no. Exit code 3 where it would not.
    #[command(after_help = POLICY_CHECK_HELP)]
    Check {
        #[command(flatten)]
        config: ConfigArgs,
        /// The rule, such as identity:list_users.
        #[arg(long)]
        rule: String,
        /// A file with the body of a token, as `GET /v3/auth/tokens` answers it.
        #[arg(long, value_name = "FILE")]
        token_body: PathBuf,
        /// An attribute of the target, such as target.user.id=abc, filter_attr.name=x (of the query)
        /// or request_body.user.name=x; may be repeated.
        #[arg(long, value_name = "NAME=VALUE")]
        target: Vec<String>,
    },
}

pub(super) fn run(command: PolicyCommand) -> Result<(), Failure> {
    match command {
        PolicyCommand::Generate => out(&sample()),
        PolicyCommand::List { config } => {
            let (enforcer, _) = in_force(&config)?;
            let mut text = String::new();
            for rule in enforcer.list() {
                text += &format!("{rule}\n");
            }
            out(&text)
        }
        PolicyCommand::Validate { config } => {
            let (_, warnings) = in_force(&config)?;
            for warning in &warnings {
                say(format_args!("warning: {warning}"));
            }
            match warnings.len() {
                0 => {
                    say("the policy is good");
                    Ok(())
                }
                count => Err(Failure::Unhealthy(format!("{count} warnings"))),
            }
        }
        PolicyCommand::Check {
            config,
            rule,
            token_body,
            target,
        } => {
            let (enforcer, _) = in_force(&config)?;
            let body = std::fs::read(&token_body)
                .map_err(|error| Failure::Usage(format!("{}: {error}", token_body.display())))?;
            let body: Value = serde_json::from_slice(&body)
                .map_err(|error| Failure::Usage(format!("{}: {error}", token_body.display())))?;
            let pairs = target.iter().map(|one| {
                one.split_once('=').ok_or_else(|| {
                    Failure::Usage(format!("--target {one}: write it as NAME=VALUE"))
                })
            });
            let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
            let sent = pairs.iter().filter_map(|(name, value)| {
                let path = name.strip_prefix("request_body.")?;
                Some((path.to_owned(), Value::from(*value)))
            });
            let sent = Value::Object(sent.collect());
            let mut attributes = Target::new().with_body(&sent);
            for (name, value) in pairs {
                attributes = match name.strip_prefix("filter_attr.") {
                    Some(name) => attributes.with_query(name, value),
                    None => attributes.with(name, value),
                };
            }
            let caller = Credentials::from_token(&body);
            let explained = enforcer.explain(&rule, &caller, &attributes);
            out(&format!("{explained}\n"))?;
            match explained.decision.is_allowed() {
                true => Ok(()),
                false => Err(Failure::Unhealthy("not allowed".to_owned())),
            }
        }
    }
}

type InForce = (crate::policy::Enforcer, Vec<crate::policy::Warning>);

fn in_force(from: &ConfigArgs) -> Result<InForce, Failure> {
    let loaded = load(from)?;
    load_policy(&loaded.config, &base_dir(from)).map_err(|error| Failure::Usage(error.to_string()))
}
