//! The command line. One definition makes parser, `--help`, man page and completions.

mod db;
mod doctor;
mod inspect;
mod jws;
mod keys;
mod login;
mod passkeys;
mod policy;
mod serve;

pub use db::{bring_up, pool, reach};
pub use keys::set_up;

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};
use secrecy::SecretString;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{self, Config, Loaded, Sources};
use crate::telemetry::log;
use crate::{bootstrap, quickstart};

/// What went wrong, by who can mend it; decides the exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// 1: it was tried, and failed.
    #[error("{0}")]
    Failed(String),
    /// 2: the command or the configuration is wrong.
    #[error("{0}")]
    Usage(String),
    /// 3: it was looked at, and is not as it should be.
    #[error("{0}")]
    Unhealthy(String),
}

impl Failure {
    /// A failure of what was tried.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Unhealthy(_) => 3,
        })
    }
}

const EXIT_CODES: &str = "To begin:\n  \
keystone-ng quickstart            a server that answers, on SQLite\n  \
keystone-ng config sample         every option, explained\n  \
keystone-ng doctor                what a server lacks, and what to do\n\n\
Exit codes:\n  \
0  done\n  1  tried, and failed\n  2  wrong command line or configuration\n  \
3  looked at, and not as it should be (doctor; db status; db sync, quickstart and serve on\n     \
tables that are not these; credential rotate; policy validate, policy check; token inspect;\n     \
passkeys import), or not let in (login)";

const BOOTSTRAP_HELP: &str = "Example:\n  \
OS_BOOTSTRAP_PASSWORD=... keystone-ng bootstrap --bootstrap-region-id RegionOne \\\n      \
--bootstrap-public-url https://identity.example.com/v3\n\n\
It can be repeated: what is there is kept, and the password is set to the given one.";

const SERVE_HELP: &str = "Examples:\n  \
keystone-ng serve\n  \
keystone-ng serve --config-file ./keystone.conf --listen 127.0.0.1:5000\n\n\
SIGHUP reads keys, policy, certificate and log levels again, as a change of their files does;\n\
SIGTERM finishes what is under way, and ends.";

const COMPLETIONS_HELP: &str = "Examples:\n  \
keystone-ng completions bash > /usr/share/bash-completion/completions/keystone-ng\n  \
keystone-ng completions zsh > /usr/share/zsh/vendor-completions/_keystone-ng\n  \
keystone-ng completions fish > /usr/share/fish/vendor_completions.d/keystone-ng.fish";

const MAN_HELP: &str = "Examples:\n  \
keystone-ng man | man -l -\n  \
keystone-ng man --dir /usr/local/share/man/man1";

const QUICKSTART_HELP: &str = "Examples:\n  \
keystone-ng quickstart\n  \
keystone-ng quickstart --dir /tmp/cloud --listen 127.0.0.1:5001";

const SAMPLE_HELP: &str = "Example:\n  \
keystone-ng config sample > keystone.conf";

const CHECK_HELP: &str = "Example:\n  \
keystone-ng config check --config-file ./keystone.conf\n\n\
Mistakes are told all at once (exit code 2); unknown options, with what was probably meant,\n\
and options without effect here are warnings (exit code 0).";

/// An OpenStack Identity server.
#[derive(Debug, Parser)]
#[command(name = "keystone-ng", version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    /// A keystone.conf; may be repeated, later files win.
    #[arg(
        long,
        value_name = "FILE",
        env = "OS_KEYSTONE_CONFIG_FILES",
        value_delimiter = ';'
    )]
    config_file: Vec<PathBuf>,
    /// A directory whose *.conf files are read after the files.
    #[arg(long, value_name = "DIR")]
    config_dir: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build up and run a server on SQLite, with nothing configured.
    ///
    /// Makes DIR with a keystone.conf, a database, keys and an administrator, prints what to paste
    /// next, and serves. Run again, it keeps everything.
    #[command(after_help = QUICKSTART_HELP)]
    Quickstart(quickstart::Quickstart),
    /// Run the server.
    #[command(after_help = SERVE_HELP)]
    Serve {
        #[command(flatten)]
        config: ConfigArgs,
        /// Listen here instead of where the configuration says; may be repeated.
        #[arg(long, value_name = "ADDR:PORT")]
        listen: Vec<SocketAddr>,
    },
    /// Make the first domain, project, administrator, roles and catalog; what exists is kept.
    #[command(after_help = BOOTSTRAP_HELP)]
    Bootstrap {
        #[command(flatten)]
        config: ConfigArgs,
        #[command(flatten)]
        wanted: bootstrap::BootstrapArgs,
    },
    /// The database's tables.
    Db {
        #[command(subcommand)]
        command: db::DbCommand,
    },
    /// The keys of tokens and receipts.
    Fernet {
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// The keys of credentials.
    Credential {
        #[command(subcommand)]
        command: keys::CredentialCommand,
    },
    /// The key pairs of JWS tokens ([token] provider = jws).
    Jws {
        #[command(subcommand)]
        command: jws::JwsCommand,
    },
    /// The configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Who may do what.
    Policy {
        #[command(subcommand)]
        command: policy::PolicyCommand,
    },
    /// Tokens.
    Token {
        #[command(subcommand)]
        command: inspect::TokenCommand,
    },
    /// Passkeys.
    Passkeys {
        #[command(subcommand)]
        command: passkeys::PasskeysCommand,
    },
    /// Sign in by passkey in a browser, here or on another device, and print the token for a shell.
    #[command(after_help = login::HELP)]
    Login(login::LoginArgs),
    /// Look at everything that a server needs, and say what to mend.
    #[command(after_help = doctor::HELP)]
    Doctor(doctor::DoctorArgs),
    /// Print completions for a shell.
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write it and those of all commands.
    #[command(after_help = MAN_HELP)]
    Man {
        /// Write a page a command to this directory instead.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and say what is wrong with it, and what is set.
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print a commented keystone.conf with every option.
    #[command(after_help = SAMPLE_HELP)]
    Sample,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    leave_no_core_file();
    let ran = run(Cli::parse());
    log::flush();
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "keystone-ng: {failure}");
            failure.exit_code()
        }
    }
}

/// Keys and passwords are in memory, and stay out of core files.
fn leave_no_core_file() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        say(format_args!(
            "warning: core files could not be switched off: {error}"
        ));
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Quickstart(options) => quickstart::run(options),
        Command::Serve { config, listen } => serve::run(&config, listen),
        Command::Bootstrap { config, wanted } => bootstrap::run(&load(&config)?, wanted),
        Command::Db { command } => db::run(command),
        Command::Fernet { command } => keys::fernet(command),
        Command::Credential { command } => keys::credential(command),
        Command::Jws { command } => jws::run(command),
        Command::Config {
            command: ConfigCommand::Check { config },
        } => check(&config),
        Command::Config {
            command: ConfigCommand::Sample,
        } => out(&config::sample()),
        Command::Policy { command } => policy::run(command),
        Command::Token { command } => inspect::run(command),
        Command::Passkeys { command } => passkeys::run(command),
        Command::Login(args) => login::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "keystone-ng", &mut script);
            out(&String::from_utf8_lossy(&script))
        }
        Command::Man { dir } => man(dir.as_deref()),
    }
}

fn man(dir: Option<&Path>) -> Result<(), Failure> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .map_err(Failure::of)?;
        return out(&String::from_utf8_lossy(&page));
    };
    let failed = |error| Failure::Failed(format!("{}: {error}", dir.display()));
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(failed)
}

/// A value of the command line that nothing prints.
///
/// # Errors
/// None.
pub fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

/// Prints to standard output; a closed pipe is no error.
pub fn out(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::of(error)),
        _ => Ok(()),
    }
}

/// A line of progress, on standard error.
pub fn say(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Reads the configuration, and says on standard error what is odd about it.
///
/// # Errors
/// [`Failure::Usage`] with everything that is wrong with it.
pub fn load(from: &ConfigArgs) -> Result<Loaded, Failure> {
    let mut files = from.config_file.clone();
    if files.is_empty() && from.config_dir.is_empty() {
        let usual = PathBuf::from("/etc/keystone/keystone.conf");
        if !usual.exists() {
            return Err(Failure::Usage(
                "no configuration: name one with --config-file, or try `keystone-ng quickstart`"
                    .to_owned(),
            ));
        }
        files.push(usual);
    }
    load_files(files, from.config_dir.clone(), Vec::new())
}

/// The same of these files, with options that beat them.
///
/// # Errors
/// [`Failure::Usage`] with everything that is wrong.
pub fn load_files(
    files: Vec<PathBuf>,
    dirs: Vec<PathBuf>,
    overrides: Vec<((String, String), String)>,
) -> Result<Loaded, Failure> {
    let env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let sources = Sources {
        files,
        dirs,
        env,
        overrides,
    };
    let loaded = Config::load(&sources).map_err(|error| Failure::Usage(error.to_string()))?;
    for warning in &loaded.warnings {
        say(format_args!("warning: {warning}"));
    }
    Ok(loaded)
}

/// The directory that relative paths of the configuration begin at: that of its first file.
pub fn base_dir(from: &ConfigArgs) -> PathBuf {
    let first = from.config_file.first().and_then(|file| file.parent());
    first.map_or_else(|| PathBuf::from("/etc/keystone"), Path::to_owned)
}

fn check(from: &ConfigArgs) -> Result<(), Failure> {
    let loaded = load(from)?;
    let mut text = String::new();
    for setting in loaded
        .settings
        .iter()
        .filter(|setting| setting.value != setting.meta.default())
    {
        let value = match (&setting.value, setting.hidden) {
            (_, true) => "(secret)",
            (Some(value), false) => value,
            (None, false) => "(unset)",
        };
        text += &format!(
            "{} = {value}    # {}\n",
            setting.meta.title(),
            setting.place
        );
    }
    for (option, place) in &loaded.without_effect {
        text += &format!("# {} has no effect here    # {place}\n", option.title());
    }
    out(&text)?;
    match loaded.warnings.len() {
        0 => say("the configuration is good"),
        1 => say("the configuration is good, but for the warning above"),
        count => say(format_args!(
            "the configuration is good, but for the {count} warnings above"
        )),
    }
    Ok(())
}

/// Runs async work of a command, which needs no server, on this thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}
