//! `doctor`: looks at everything that a server needs, and says what to mend.

mod database;
mod findings;
mod keys;
mod machine;
mod passkeys;
mod peer;
mod rotation;
mod settings;
mod tables;

use std::ffi::OsString;

use clap::{Args, ValueHint};
use url::Url;

use super::login::authorities;
use super::{ConfigArgs, Failure, base_dir, block_on, load, out};
use findings::Findings;

/// What stands below its help.
pub(super) const HELP: &str = "Examples:\n  \
sudo -u keystone keystone-ng doctor\n  \
keystone-ng doctor --config-file ./keystone.conf --json | jq '.findings[] | select(.level == \"fail\")'\n  \
keystone-ng doctor --peer http://192.0.2.20:5000\n  \
keystone-ng doctor --peer https://identity.example.com --peer-cacert ./authorities.pem\n\n\
Run it as the user of the server, or it does not see which files that one can't read.\n\n\
Exit codes: 0 the server can run (warnings or not), 2 the configuration can't be read,\n\
3 something has to be mended first.";

/// How to look, and how to tell.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print a JSON object: "findings", each with "check", "level" (ok, warn, fail), "message" and
    /// "advice", and how many "failures" and "warnings" there are.
    #[arg(long)]
    json: bool,
    /// The URL of a Python Keystone on the same database, such as http://192.0.2.20:5000, to see
    /// whether both fit together. It is asked about tokens that are made here for that, good for a
    /// minute and for nothing but this; with OS_USERNAME, OS_PASSWORD and OS_USER_DOMAIN_ID in the
    /// environment, it also has to make one.
    #[arg(long, value_name = "URL")]
    peer: Option<Url>,
    /// Certificates of the authorities to believe (PEM) where --peer is https; without it, the
    /// system's.
    #[arg(
        long,
        visible_alias = "os-cacert",
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        env = "OS_CACERT"
    )]
    peer_cacert: Option<OsString>,
}

pub(super) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    let loaded = load(&args.config)?;
    let config = &loaded.config;
    let mut findings = Findings::default();

    settings::look(&mut findings, &loaded);
    block_on(database::look(&mut findings, config));
    keys::look(&mut findings, config);
    settings::look_at_policy(&mut findings, config, &base_dir(&args.config));
    machine::look(&mut findings, config);
    block_on(passkeys::look(&mut findings, config, args.peer.is_some()));
    if let Some(url) = &args.peer {
        let authorities = authorities(args.peer_cacert.as_ref());
        block_on(peer::look(&mut findings, config, url, authorities));
    }

    out(&match args.json {
        true => findings.json(),
        false => findings.text(),
    })?;
    match findings.failures() {
        0 => Ok(()),
        1 => Err(Failure::Unhealthy("one thing to mend".to_owned())),
        count => Err(Failure::Unhealthy(format!("{count} things to mend"))),
    }
}
