//! `doctor`: looks at everything that a server needs, and says what to mend.

use std::net::TcpListener;

use keystone_actors::db::migrate::{KeystoneSchema, MigrationState, keystone_schema, status};
use keystone_actors::token::{KeyRepository, MethodTable};

use super::db::pool;
use super::{ConfigArgs, Failure, base_dir, block_on, load, out};
use crate::config::Config;
use crate::node::{load_policy, repository};

#[derive(Default)]
struct Findings {
    text: String,
    failures: usize,
}

impl Findings {
    fn good(&mut self, what: impl std::fmt::Display) {
        self.text += &format!("ok    {what}\n");
    }

    fn odd(&mut self, what: impl std::fmt::Display) {
        self.text += &format!("warn  {what}\n");
    }

    fn bad(&mut self, what: impl std::fmt::Display) {
        self.failures += 1;
        self.text += &format!("FAIL  {what}\n");
    }
}

pub(super) fn run(from: &ConfigArgs) -> Result<(), Failure> {
    let loaded = load(from)?;
    let config = &loaded.config;
    let mut findings = Findings::default();
    match loaded.warnings.len() {
        0 => findings.good("configuration"),
        count => findings.odd(format_args!("configuration: {count} warnings, shown above")),
    }
    block_on(database(&mut findings, config));
    let (tokens, receipts) = (&config.fernet_tokens, &config.fernet_receipts);
    keys(
        &mut findings,
        "token keys",
        &repository(&tokens.key_repository, tokens.max_active_keys),
    );
    if tokens.key_repository != receipts.key_repository {
        let receipts = repository(&receipts.key_repository, receipts.max_active_keys);
        keys(&mut findings, "receipt keys", &receipts);
    }
    match MethodTable::new(config.auth.methods.as_slice()) {
        Ok(methods) => findings.good(format_args!(
            "[auth] methods: {}; beside Python Keystone it must have the same list in the same order",
            methods.names().collect::<Vec<_>>().join(",")
        )),
        Err(error) => findings.bad(error),
    }
    match load_policy(config, &base_dir(from)) {
        Ok((_, warnings)) if warnings.is_empty() => findings.good("policy"),
        Ok((_, warnings)) => {
            for warning in warnings {
                findings.odd(format_args!("policy: {warning}"));
            }
        }
        Err(error) => findings.bad(format_args!("policy: {error}")),
    }
    for address in &config.api_server.listen {
        match TcpListener::bind(address) {
            Ok(_) => findings.good(format_args!("{address} can be listened on")),
            Err(error) => findings.odd(format_args!("{address} can't be listened on now: {error}")),
        }
    }
    out(&findings.text)?;
    match findings.failures {
        0 => Ok(()),
        count => Err(Failure::Unhealthy(format!("{count} things to mend"))),
    }
}

async fn database(findings: &mut Findings, config: &Config) {
    let db = match pool(config) {
        Ok(db) => db,
        Err(error) => return findings.bad(format_args!("database: {error}")),
    };
    if !db.answers().await {
        return findings.bad(
            "the database does not answer; look at [database] connection, and whether it runs",
        );
    }
    findings.good("the database answers");
    match keystone_schema(&db).await {
        Ok(KeystoneSchema::Current) => findings.good("tables of Keystone 30"),
        Ok(KeystoneSchema::Absent) => findings.bad("no tables; run `keystone-ng db sync`"),
        Ok(KeystoneSchema::Other { found }) => findings.bad(format_args!(
            "tables of another release of Keystone ({found:?}); run its `db_sync` to release 30"
        )),
        Err(error) => findings.bad(format_args!("tables: {error}")),
    }
    match status(&db).await {
        Ok(all)
            if all.iter().any(|one| {
                matches!(one.state, MigrationState::Pending | MigrationState::Begun)
            }) =>
        {
            findings.bad("tables of our own are missing; run `keystone-ng db sync`");
        }
        Ok(_) => findings.good("tables of our own"),
        Err(error) => findings.bad(format_args!("tables: {error}")),
    }
}

fn keys(findings: &mut Findings, what: &str, repository: &KeyRepository) {
    match repository.load() {
        Ok(keys) => findings.good(format_args!(
            "{what}: {} in {}",
            keys.count(),
            repository.path.display()
        )),
        Err(error) => {
            findings.bad(format_args!("{what}: {error}"));
            return;
        }
    }
    for warning in repository.mode_warnings().unwrap_or_default() {
        findings.odd(format_args!(
            "{} has mode {:o}; {:o} is due: others can read keys",
            warning.path.display(),
            warning.mode,
            warning.due
        ));
    }
}
