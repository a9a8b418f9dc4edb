//! The command line. One definition makes parser, `--help`, man page and completions.

mod db;
mod doctor;
mod inspect;
mod keys;
mod policy;
mod serve;

pub use db::{bring_up, pool};
pub use keys::set_up;

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secrecy::SecretString;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{self, Config, Loaded, Sources};
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

const EXIT_CODES: &str = "Exit codes:\n  \
0  done\n  1  tried, and failed\n  2  wrong command line or configuration\n  \
3  looked at, and not as it should be (doctor, db status, policy check)";

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
    Quickstart(quickstart::Quickstart),
    /// Run the server.
    Serve {
        #[command(flatten)]
        config: ConfigArgs,
        /// Listen here instead of where the configuration says; may be repeated.
        #[arg(long, value_name = "ADDR:PORT")]
        listen: Vec<SocketAddr>,
    },
    /// Make the first domain, project, administrator, roles and catalog; what exists is kept.
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
    /// Look at everything that a server needs, and say what to mend.
    Doctor {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    Man,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and say what is wrong with it, and what is set.
    Check {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print a commented keystone.conf with every option.
    Sample,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "keystone-ng: {failure}");
            failure.exit_code()
        }
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
        Command::Config {
            command: ConfigCommand::Check { config },
        } => check(&config),
        Command::Config {
            command: ConfigCommand::Sample,
        } => out(&config::sample()),
        Command::Policy { command } => policy::run(command),
        Command::Token { command } => inspect::run(command),
        Command::Doctor { config } => doctor::run(&config),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "keystone-ng",
                &mut std::io::stdout(),
            );
            Ok(())
        }
        Command::Man => clap_mangen::Man::new(Cli::command())
            .render(&mut std::io::stdout())
            .map_err(Failure::of),
    }
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
    say("the configuration is good");
    Ok(())
}

/// Runs async work of a command, which needs no server, on this thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}
