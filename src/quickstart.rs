//! `quickstart`: from nothing to a server that answers, in one command.

use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use keystone_actors::bootstrap::Bootstrap;
use keystone_actors::checkup::{has_domain, public_identity_urls};
use keystone_actors::db::url::DatabaseUrl;
use keystone_actors::token::FernetKey;
use secrecy::{ExposeSecret, SecretString};

use crate::bootstrap::{make, password};
use crate::cli::{Failure, block_on, bring_up, load_files, out, pool, say, set_up};
use crate::config::sections::Auth;
use crate::config::{Config, Loaded};
use crate::node::repository;
use crate::server::{Running, ServeOptions, run as run_server};
use crate::telemetry::log;

/// Where it listens unless told otherwise.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

/// Where to begin.
#[derive(Args, Clone, Debug)]
pub struct Quickstart {
    /// Directory of all that is written: configuration, database, keys.
    #[arg(long, value_name = "DIR", default_value = "keystone-ng-data")]
    dir: PathBuf,
    /// Where to listen. Without it 127.0.0.1:5000, or what DIR/keystone.conf says.
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
    /// The administrator's password. Without it one is generated, and shown once.
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "OS_BOOTSTRAP_PASSWORD",
        hide_env_values = true, value_parser = password
    )]
    admin_password: Option<SecretString>,
    /// Another database than SQLite in DIR: a URL as [database] connection takes it.
    #[arg(long, value_name = "URL", value_parser = crate::cli::secret)]
    database: Option<SecretString>,
}

/// An address that clients can be told.
fn address(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => Err("clients have to be told a port".to_owned()),
        Ok(address) => Ok(address),
        Err(error) => Err(format!("{error}; write for instance {ADDRESS}")),
    }
}

/// A server that only has to be started.
struct Prepared {
    loaded: Loaded,
    /// What to paste.
    text: String,
    /// Whether the text has a password that nobody else knows.
    is_secret: bool,
}

/// Runs the command: prepares what is missing, then serves.
pub(crate) fn run(options: Quickstart) -> Result<(), Failure> {
    let began = Instant::now();
    let database = match &options.database {
        Some(url) => Some(
            DatabaseUrl::parse(url.expose_secret())
                .map_err(|error| Failure::Usage(format!("--database: {error}")))?,
        ),
        None => None,
    };
    let dir = prepare_dir(&options.dir)?;
    let file = dir.join("keystone.conf");
    let is_new = !file.exists();
    if is_new {
        write_private(&file, &configuration(&dir, &options))?;
    }
    let prepared = prepare(&options, &file, database.as_ref());
    match (&prepared, is_new) {
        (Ok(_), true) => say(format_args!("wrote {}", file.display())),
        // What did not work is not what the next try begins with.
        (Err(_), true) => drop(fs::remove_file(&file)),
        _ => {}
    }
    serve(prepared?, &options, dir, began)
}

/// Makes keys, tables and administrator, where they are missing.
fn prepare(
    options: &Quickstart,
    file: &Path,
    database: Option<&DatabaseUrl>,
) -> Result<Prepared, Failure> {
    let loaded = load_files(vec![file.to_owned()], Vec::new(), Vec::new())?;
    let config = &loaded.config;
    if database.is_some_and(|wanted| *wanted != config.database.connection) {
        return Err(Failure::Usage(format!(
            "{} names another database, {}; change it there, or begin in another --dir",
            file.display(),
            config.database.connection
        )));
    }
    let addresses = match &options.listen {
        Some(address) => std::slice::from_ref(address),
        None => &config.api_server.listen[..],
    };
    // Before anything is made that would be told only by a server that runs.
    for address in addresses {
        TcpListener::bind(address).map_err(|error| {
            Failure::Failed(format!(
                "cannot listen on {address}: {error}; choose another address with --listen"
            ))
        })?;
    }
    let url = public_url(config, addresses.first().unwrap_or(&ADDRESS));
    let tokens = &config.fernet_tokens;
    set_up(&repository(&tokens.key_repository, tokens.max_active_keys))?;
    set_up(&repository(&config.credential.key_repository, 3))?;
    if let DatabaseUrl::Sqlite { path } = &config.database.connection
        && !path.exists()
    {
        // SQLite gives the files beside it the same mode.
        write_private(path, "")?;
    }
    let (generated, first) = block_on(administrator(config, options, &url))?;
    let origin = config.webauthn.own_origins().next();
    let pages = origin.filter(|_| config.webauthn.enabled);
    let pages = pages.map(|origin| origin.as_str().trim_end_matches('/'));
    Ok(Prepared {
        text: instructions(&url, generated.as_deref(), first, pages),
        is_secret: generated.is_some(),
        loaded,
    })
}

/// Makes the tables, and in a database without a cloud its administrator. Gives the password that
/// was generated, and whether this was the first time.
async fn administrator(
    config: &Config,
    options: &Quickstart,
    url: &str,
) -> Result<(Option<String>, bool), Failure> {
    bring_up(config).await?;
    let db = pool(config)?;
    let first = !has_domain(&db, &config.identity.default_domain_id)
        .await
        .map_err(Failure::of)?;
    let generated = match (first, &options.admin_password) {
        (true, None) => Some(generate()?),
        _ => None,
    };
    let given = options.admin_password.clone();
    if let Some(password) = given.or_else(|| generated.clone().map(SecretString::from)) {
        let endpoints = ["public", "internal", "admin"].map(|it| (it, url.to_owned()));
        let wanted = Bootstrap {
            username: "admin".to_owned(),
            password,
            project_name: "admin".to_owned(),
            role_name: "admin".to_owned(),
            service_name: "keystone".to_owned(),
            region_id: Some("RegionOne".to_owned()),
            endpoints: endpoints.into(),
            immutable_roles: true,
            domain_id: config.identity.default_domain_id.clone(),
            password_expires_days: config.security_compliance.password_expires_days,
        };
        make(&db, &wanted, config).await?;
    }
    let told = public_identity_urls(&db).await.map_err(Failure::of)?;
    if !told.is_empty() && !told.iter().any(|known| known == url) {
        say(format_args!(
            "warning: the catalog sends clients to {}, not to {url}: `openstack endpoint list` and \
             `openstack endpoint set --url {url} ID` change that",
            told.join(", ")
        ));
    }
    Ok((generated, first))
}

fn serve(
    prepared: Prepared,
    options: &Quickstart,
    dir: PathBuf,
    began: Instant,
) -> Result<(), Failure> {
    let Prepared {
        loaded,
        text,
        is_secret,
    } = prepared;
    let told = Arc::new(AtomicBool::new(!is_secret));
    let (tell, telling) = (text.clone(), Arc::clone(&told));
    let ready = move |_: &Running<'_>| {
        let _ = out(&tell);
        telling.store(true, Ordering::Relaxed);
        say(format_args!(
            "ready after {} ms; stop with Ctrl-C",
            began.elapsed().as_millis()
        ));
    };
    let served = log::init(&loaded.config)
        .map_err(Failure::of)
        .and_then(|exporter| {
            let serve = ServeOptions {
                exporter,
                listen: options.listen.into_iter().collect(),
                ready: Some(Box::new(ready)),
            };
            run_server(loaded, dir, serve).map_err(Failure::of)
        });
    if !told.load(Ordering::Relaxed) {
        // The only copy of the password.
        out(&text)?;
    }
    served
}

/// The URL that clients are told for a server that listens here.
fn public_url(config: &Config, listen: &SocketAddr) -> String {
    let scheme = match config.api_server.tls_certificate {
        Some(_) => "https",
        None => "http",
    };
    let mut address = *listen;
    if address.ip().is_unspecified() {
        address.set_ip(own_address().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    }
    format!("{scheme}://{address}/v3")
}

/// The address of this machine from which it would reach others. No packet is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn prepare_dir(dir: &Path) -> Result<PathBuf, Failure> {
    // What would end the name in a line of keystone.conf, or in the URL of the database.
    let ends = |character: char| character == '?' || character.is_control();
    let whole = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    if whole.to_str().is_none_or(|name| name.contains(ends)) {
        return Err(Failure::Usage(format!(
            "--dir {}: keystone.conf can't hold a name with `?`, a line break or what is no text; choose another",
            dir.display()
        )));
    }
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
    // A dollar sign would refer to another option.
    let dir = dir.display().to_string().replace('$', "$$");
    let database = match &options.database {
        Some(url) => url.expose_secret().replace('$', "$$"),
        None => format!("sqlite:///{dir}/keystone.sqlite"),
    };
    let listen = options.listen.unwrap_or(ADDRESS);
    let (port, methods) = (listen.port(), Auth::default().methods.join(","));
    format!(
        "# Written by `keystone-ng quickstart`; yours to change. `keystone-ng config sample` prints\n\
         # every option.\n\n\
         [database]\nconnection = {database}\n\n\
         [fernet_tokens]\nkey_repository = {dir}/fernet-keys\n\n\
         [fernet_receipts]\nkey_repository = {dir}/fernet-keys\n\n\
         [credential]\nkey_repository = {dir}/credential-keys\n\n\
         [api_server]\nlisten = {listen}\n\n\
         # No Python Keystone writes to this database, so what is cached need not be re-read.\n\
         [cache_coherence]\nforeign_writers = false\n\n\
         # Passkeys. The methods are those that there are anyhow, and that one.\n\
         [auth]\nmethods = {methods},webauthn\n\n\
         [webauthn]\nenabled = true\nrelying_party_id = localhost\n\
         relying_party_name = Keystone-NG\norigins = http://localhost:{port}\n",
    )
}

/// A password of 256 random bits.
fn generate() -> Result<String, Failure> {
    let random = FernetKey::generate_text().map_err(Failure::of)?;
    Ok(random.trim_end_matches('=').to_owned())
}

/// What to paste. Where the password is not ours to show, the client asks for it. `pages`: where
/// browsers find those of passkeys.
fn instructions(url: &str, generated: Option<&str>, first: bool, pages: Option<&str>) -> String {
    let (yaml, shell, note) = match (generated, first) {
        (Some(password), _) => (
            format!("      password: \"{password}\"\n"),
            format!(" OS_PASSWORD='{password}'"),
            "The password is shown this once; it is stored only as a hash.\n",
        ),
        (None, true) => (
            String::new(),
            String::new(),
            "The password is the one that was given; the client asks for it.\n",
        ),
        (None, false) => (
            String::new(),
            String::new(),
            "What was there is kept. The client asks for the password; if it is lost, give a new\n\
             one with --admin-password.\n",
        ),
    };
    let pages = pages.map_or_else(String::new, |origin| {
        format!("# a passkey for admin, in a browser\n{origin}/passkeys\n\n")
    });
    format!(
        "\n\
         # ~/.config/openstack/clouds.yaml, for `openstack --os-cloud keystone-ng`\n\
         clouds:\n  keystone-ng:\n    auth:\n      auth_url: {url}\n      username: admin\n\
         {yaml}      project_name: admin\n      user_domain_id: default\n      \
         project_domain_id: default\n    region_name: RegionOne\n    identity_api_version: 3\n\n\
         # or, for a shell\n\
         export OS_AUTH_URL={url} OS_USERNAME=admin{shell} OS_PROJECT_NAME=admin\n\
         export OS_USER_DOMAIN_ID=default OS_PROJECT_DOMAIN_ID=default OS_IDENTITY_API_VERSION=3\n\n\
         # a first command to try\n\
         openstack token issue\n\n{pages}{note}"
    )
}
