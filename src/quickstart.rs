//! `quickstart`: from nothing to a server that answers, in one command.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use keystone_actors::bootstrap::Bootstrap;
use keystone_actors::token::FernetKey;
use secrecy::SecretString;

use crate::bootstrap::make;
use crate::cli::{Failure, block_on, bring_up, load_files, out, pool, say, set_up};
use crate::node::repository;
use crate::server::{ServeOptions, run as run_server};
use crate::telemetry::log;

/// Where to begin.
#[derive(Args, Clone, Debug)]
pub struct Quickstart {
    /// Directory of all that is written: configuration, database, keys.
    #[arg(long, value_name = "DIR", default_value = "keystone-ng-data")]
    dir: PathBuf,
    /// Where to listen.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// The administrator's password. Without it one is generated, and shown once.
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "OS_BOOTSTRAP_PASSWORD",
        hide_env_values = true, value_parser = crate::cli::secret
    )]
    admin_password: Option<SecretString>,
    /// Another database than SQLite in DIR: a URL as [database] connection takes it.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// Runs the command: prepares what is missing, then serves.
pub(crate) fn run(options: Quickstart) -> Result<(), Failure> {
    let began = Instant::now();
    let dir = prepare_dir(&options.dir)?;
    let file = dir.join("keystone.conf");
    if !file.exists() {
        write_private(&file, &configuration(&dir, &options))?;
        say(format_args!("wrote {}", file.display()));
    }
    let mut overrides = Vec::new();
    if let Some(url) = &options.database {
        overrides.push((
            ("database".to_owned(), "connection".to_owned()),
            url.clone(),
        ));
    }
    let loaded = load_files(vec![file.clone()], Vec::new(), overrides)?;
    let config = &loaded.config;
    set_up(&repository(
        &config.fernet_tokens.key_repository,
        config.fernet_tokens.max_active_keys,
    ))?;
    set_up(&repository(&config.credential.key_repository, 3))?;
    let marker = dir.join("bootstrapped");
    let first = !marker.exists();
    let mut generated = None;
    block_on(async {
        bring_up(config).await?;
        let password = match (&options.admin_password, first) {
            (Some(password), _) => password.clone(),
            (None, true) => SecretString::from(generated.insert(generate()?).clone()),
            // Whatever was changed since is kept.
            (None, false) => return Ok(()),
        };
        let url = format!("http://{}/v3", options.listen);
        let wanted = Bootstrap {
            username: "admin".to_owned(),
            password,
            project_name: "admin".to_owned(),
            role_name: "admin".to_owned(),
            service_name: "keystone".to_owned(),
            region_id: Some("RegionOne".to_owned()),
            endpoints: ["public", "internal", "admin"]
                .map(|it| (it, url.clone()))
                .into(),
            immutable_roles: true,
            domain_id: config.identity.default_domain_id.clone(),
            password_expires_days: config.security_compliance.password_expires_days,
        };
        make(&pool(config)?, &wanted, config).await.map(drop)
    })?;
    if first {
        write_private(
            &marker,
            "`keystone-ng quickstart` has made its administrator.\n",
        )?;
    }
    let exporter = log::init(config).map_err(Failure::of)?;
    let text = instructions(&options, generated.as_deref(), first);
    let serve = ServeOptions {
        exporter,
        listen: vec![options.listen],
        ready: Some(Box::new(move |_| {
            let _ = out(&text);
            say(format_args!(
                "ready after {} ms; stop with Ctrl-C",
                began.elapsed().as_millis()
            ));
        })),
    };
    run_server(loaded, dir, serve).map_err(Failure::of)
}

fn prepare_dir(dir: &Path) -> Result<PathBuf, Failure> {
    if !dir.exists() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| Failure::Failed(format!("cannot make {}: {error}", dir.display())))?;
    }
    dir.canonicalize()
        .map_err(|error| Failure::Failed(format!("{}: {error}", dir.display())))
}

fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::Failed(format!("cannot write {}: {error}", path.display()))
    };
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

fn configuration(dir: &Path, options: &Quickstart) -> String {
    let dir = dir.display();
    let database = match &options.database {
        Some(url) => url.clone(),
        None => format!("sqlite:///{dir}/keystone.sqlite"),
    };
    format!(
        "# Written by `keystone-ng quickstart`; yours to change. `keystone-ng config sample` prints\n\
         # every option.\n\n\
         [database]\nconnection = {database}\n\n\
         [fernet_tokens]\nkey_repository = {dir}/fernet-keys\n\n\
         [fernet_receipts]\nkey_repository = {dir}/fernet-keys\n\n\
         [credential]\nkey_repository = {dir}/credential-keys\n\n\
         [api_server]\nlisten = {}\n\n\
         # No Python Keystone writes to this database, so what is cached need not be re-read.\n\
         [cache_coherence]\nforeign_writers = false\n",
        options.listen
    )
}

/// A password of 256 random bits.
fn generate() -> Result<String, Failure> {
    let random = FernetKey::generate_text().map_err(Failure::of)?;
    Ok(random.trim_end_matches('=').to_owned())
}

fn instructions(options: &Quickstart, generated: Option<&str>, first: bool) -> String {
    let url = format!("http://{}/v3", options.listen);
    let password = generated.unwrap_or("<the administrator's password>");
    let note = match (generated, first) {
        (Some(_), _) => "The password is shown this once; it is stored only as a hash.\n",
        (None, true) => "",
        (None, false) => "Everything was kept as it was, the password too.\n",
    };
    format!(
        "\n\
         # clouds.yaml\n\
         clouds:\n  keystone-ng:\n    auth:\n      auth_url: {url}\n      username: admin\n      \
         password: \"{password}\"\n      project_name: admin\n      user_domain_id: default\n      \
         project_domain_id: default\n    region_name: RegionOne\n    identity_api_version: 3\n\n\
         # or, for a shell\n\
         export OS_AUTH_URL={url} OS_USERNAME=admin OS_PASSWORD='{password}' OS_PROJECT_NAME=admin\n\
         export OS_USER_DOMAIN_ID=default OS_PROJECT_DOMAIN_ID=default OS_IDENTITY_API_VERSION=3\n\n\
         # a first command to try\n\
         openstack token issue\n\n{note}"
    )
}
