//! `bootstrap`: the rows that a cloud begins with, by the options of `keystone-manage bootstrap`.

use clap::Args;
use keystone_actors::bootstrap::{Bootstrap, Done, bootstrap};
use keystone_actors::db::Db;
use secrecy::SecretString;

use crate::cli::{Failure, block_on, say};
use crate::config::{Config, Loaded};
use crate::node::hash_policy;

/// The options, each also taken from the environment.
#[derive(Args, Clone, Debug)]
pub struct BootstrapArgs {
    /// Name of the administrator.
    #[arg(long, env = "OS_BOOTSTRAP_USERNAME", default_value = "admin")]
    pub bootstrap_username: String,
    /// Password of the administrator; better by the environment than here, where others see it.
    #[arg(long, env = "OS_BOOTSTRAP_PASSWORD", hide_env_values = true, value_parser = password)]
    pub bootstrap_password: Option<SecretString>,
    /// Project of the administrator.
    #[arg(long, env = "OS_BOOTSTRAP_PROJECT_NAME", default_value = "admin")]
    pub bootstrap_project_name: String,
    /// Role of the administrator.
    #[arg(long, env = "OS_BOOTSTRAP_ROLE_NAME", default_value = "admin")]
    pub bootstrap_role_name: String,
    /// Name of the identity service.
    #[arg(long, env = "OS_BOOTSTRAP_SERVICE_NAME", default_value = "keystone")]
    pub bootstrap_service_name: String,
    /// URL of its public endpoint.
    #[arg(long, env = "OS_BOOTSTRAP_PUBLIC_URL")]
    pub bootstrap_public_url: Option<String>,
    /// URL of its internal endpoint.
    #[arg(long, env = "OS_BOOTSTRAP_INTERNAL_URL")]
    pub bootstrap_internal_url: Option<String>,
    /// URL of its admin endpoint.
    #[arg(long, env = "OS_BOOTSTRAP_ADMIN_URL")]
    pub bootstrap_admin_url: Option<String>,
    /// Region of the endpoints.
    #[arg(long, env = "OS_BOOTSTRAP_REGION_ID")]
    pub bootstrap_region_id: Option<String>,
    /// Make the roles immutable: the default.
    #[arg(long, conflicts_with = "no_immutable_roles")]
    pub immutable_roles: bool,
    /// Leave the roles changeable.
    #[arg(long)]
    pub no_immutable_roles: bool,
}

/// A password of the command line or the environment, that nothing prints.
///
/// # Errors
/// When it is empty: whoever set the variable to nothing did not mean that.
pub fn password(text: &str) -> Result<SecretString, &'static str> {
    match text {
        "" => Err("a password has to have at least one character"),
        text => Ok(SecretString::from(text)),
    }
}

/// Runs the command.
pub(crate) fn run(loaded: &Loaded, args: BootstrapArgs) -> Result<(), Failure> {
    let Some(password) = args.bootstrap_password.clone() else {
        return Err(Failure::Usage(
            "the administrator needs a password; set OS_BOOTSTRAP_PASSWORD".to_owned(),
        ));
    };
    let endpoints = [
        ("public", args.bootstrap_public_url),
        ("internal", args.bootstrap_internal_url),
        ("admin", args.bootstrap_admin_url),
    ];
    let wanted = Bootstrap {
        username: args.bootstrap_username,
        password,
        project_name: args.bootstrap_project_name,
        role_name: args.bootstrap_role_name,
        service_name: args.bootstrap_service_name,
        region_id: args.bootstrap_region_id,
        endpoints: endpoints
            .into_iter()
            .filter_map(|(interface, url)| Some((interface, url?)))
            .collect(),
        immutable_roles: !args.no_immutable_roles,
        domain_id: loaded.config.identity.default_domain_id.clone(),
        password_expires_days: loaded.config.security_compliance.password_expires_days,
    };
    block_on(async {
        let db = crate::cli::pool(&loaded.config)?;
        crate::cli::reach(&db, &loaded.config).await?;
        make(&db, &wanted, &loaded.config).await.map(drop)
    })
}

/// Makes what is missing, and says what that was.
pub(crate) async fn make(db: &Db, wanted: &Bootstrap, config: &Config) -> Result<bool, Failure> {
    let report = bootstrap(db, wanted, &hash_policy(config))
        .await
        .map_err(|error| {
            Failure::Failed(format!(
                "{error}; `keystone-ng db sync` makes missing tables"
            ))
        })?;
    for (what, done) in &report.lines {
        match done {
            Done::Created => say(format_args!("created {what}")),
            Done::Updated => say(format_args!("updated {what}")),
            Done::Kept => {}
        }
    }
    if !report.changed() {
        say("everything was there already");
    }
    Ok(report.changed())
}
