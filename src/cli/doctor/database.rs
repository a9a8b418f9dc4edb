//! The database: whether it answers, what is in it, its clock and its bounds.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use keystone_actors::checkup::{
    clock_ahead, connections_allowed, has_domain, public_identity_urls, server_version,
};
use keystone_actors::db::migrate::{KeystoneSchema, MigrationState, keystone_schema, status};
use keystone_actors::db::url::DatabaseUrl;
use keystone_actors::db::{Db, DbKind, NoConnection};

use super::super::db::pool;
use super::findings::Findings;
use super::tables as columns;
use crate::config::Config;

/// Connections besides those of the pools: the one that listens.
const BESIDES: usize = 1;
/// Clocks that are so close, in seconds, are right.
const CLOSE: f64 = 1.0;

pub(super) async fn look(findings: &mut Findings, config: &Config) {
    const CHECK: &str = "database";
    let url = &config.database.connection;
    let db = match pool(config) {
        Ok(db) => db,
        Err(error) => {
            return findings.bad(CHECK, error, "look at the TLS parameters in its URL");
        }
    };
    if let Err(NoConnection { why, .. }) = db.connects().await {
        return findings.bad(
            CHECK,
            format_args!("no connection to {url}: {why}"),
            "look at [database] connection, and whether the database runs",
        );
    }
    let version = match server_version(&db).await {
        Ok(version) => version,
        Err(error) => return findings.bad(CHECK, error, "see the log of the database"),
    };
    findings.good(
        CHECK,
        match db.kind() {
            DbKind::Sqlite => format!("{url} answers ({version}); it is for one node"),
            _ => format!("{url} answers ({version})"),
        },
    );
    if let DatabaseUrl::Sqlite { path } = url {
        file(findings, path);
    }
    if tables(findings, &db).await {
        columns::look(findings, &db).await;
        cloud(findings, &db, config).await;
    }
    clock(findings, &db, config).await;
    connections(findings, &db, config).await;
}

/// Whether SQLite's file is its owner's alone.
fn file(findings: &mut Findings, path: &Path) {
    let Ok(meta) = path.metadata() else { return };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        findings.odd(
            "database",
            format_args!(
                "others can get at {} (mode {mode:04o}), and password hashes are in it",
                path.display()
            ),
            format_args!("chmod 0600 {0} {0}-*", path.display()),
        );
    }
}

/// Whether the tables are there.
async fn tables(findings: &mut Findings, db: &Db) -> bool {
    const CHECK: &str = "tables";
    let made = match keystone_schema(db).await {
        Ok(KeystoneSchema::Current) => {
            findings.good(CHECK, "those of Keystone 30");
            true
        }
        Ok(KeystoneSchema::Absent) => {
            findings.bad(CHECK, "there are none", "run `keystone-ng db sync`");
            false
        }
        Ok(KeystoneSchema::Other { found }) => {
            findings.bad(
                CHECK,
                format_args!("those of another release of Keystone ({found:?})"),
                "run `keystone-manage db_sync` of release 30",
            );
            false
        }
        Err(error) => {
            findings.bad(CHECK, error, "see the log of the database");
            false
        }
    };
    let states = match status(db).await {
        Ok(states) => states,
        Err(error) => {
            findings.bad(CHECK, error, "see the log of the database");
            return false;
        }
    };
    let is = |wanted: fn(&MigrationState) -> bool| states.iter().any(|one| wanted(&one.state));
    if is(|state| matches!(state, MigrationState::Pending | MigrationState::Begun)) {
        findings.bad(
            CHECK,
            "some of ours are missing",
            "run `keystone-ng db sync`",
        );
        return false;
    }
    match is(|state| matches!(state, MigrationState::Unknown { .. })) {
        true => findings.odd(
            CHECK,
            "a newer version was here",
            "update this node as well; `keystone-ng db status` names what it does not know",
        ),
        false => findings.good(CHECK, "ours"),
    }
    made
}

/// What bootstrap makes, and what clients are told.
async fn cloud(findings: &mut Findings, db: &Db, config: &Config) {
    const CHECK: &str = "bootstrap";
    let domain = &config.identity.default_domain_id;
    match has_domain(db, domain).await {
        Ok(true) => findings.good(CHECK, format_args!("there is a domain {domain}")),
        Ok(false) => findings.odd(
            CHECK,
            format_args!("[identity] default_domain_id is {domain}, and there is no such domain"),
            "run `keystone-ng bootstrap`, or name the domain that is there",
        ),
        Err(error) => findings.bad(CHECK, error, "see the log of the database"),
    }
    let urls = match public_identity_urls(db).await {
        Ok(urls) => urls,
        Err(error) => return findings.bad(CHECK, error, "see the log of the database"),
    };
    if urls.is_empty() {
        findings.odd(
            CHECK,
            "the catalog has no public endpoint of the identity service",
            "run `keystone-ng bootstrap` with --bootstrap-public-url",
        );
    }
    let Some(public) = &config.default.public_endpoint else {
        return;
    };
    let public = public.as_str().trim_end_matches('/');
    for url in urls {
        match url.starts_with(public) {
            true => findings.good(CHECK, format_args!("clients find the service at {url}")),
            false => findings.odd(
                CHECK,
                format_args!("the catalog sends clients to {url}, links of answers to {public}"),
                "make [DEFAULT] public_endpoint and the endpoint in the catalog agree",
            ),
        }
    }
}

async fn clock(findings: &mut Findings, db: &Db, config: &Config) {
    const CHECK: &str = "clock";
    let ahead = match clock_ahead(db).await {
        Ok(Some(ahead)) => ahead,
        Ok(None) => return,
        Err(error) => return findings.odd(CHECK, error, "see the log of the database"),
    };
    let skew = config.token_ng.max_clock_skew.as_secs_f64();
    let said = match ahead < 0.0 {
        true => format!("this machine is {:.1} s ahead of the database", -ahead),
        false => format!("the database is {ahead:.1} s ahead of this machine"),
    };
    let advice = "let a time service (chrony, systemd-timesyncd) keep both clocks";
    if ahead.abs() <= CLOSE {
        findings.good(CHECK, "as the database's");
    } else if ahead.abs() <= skew {
        findings.odd(CHECK, said, advice);
    } else {
        findings.bad(
            CHECK,
            format_args!("{said}, which is more than [token_ng] max_clock_skew"),
            advice,
        );
    }
}

async fn connections(findings: &mut Findings, db: &Db, config: &Config) {
    const CHECK: &str = "connections";
    let allowed = match connections_allowed(db).await {
        Ok(Some(allowed)) => usize::try_from(allowed).unwrap_or_default(),
        Ok(None) => return,
        Err(error) => return findings.odd(CHECK, error, "see the log of the database"),
    };
    let ours = config.storage.connections + BESIDES;
    let nodes = allowed / ours.max(1);
    match nodes {
        0 => findings.bad(
            CHECK,
            format_args!("this node may open {ours}, and the database takes {allowed}"),
            "lower [storage] connections, or raise max_connections of the database",
        ),
        1 => findings.odd(
            CHECK,
            format_args!(
                "the database takes {allowed}, this node may open {ours}: no room for a second"
            ),
            "lower [storage] connections, or raise max_connections of the database",
        ),
        nodes => findings.good(
            CHECK,
            format_args!(
                "this node may open {ours}; the database takes {allowed}, enough for {nodes} nodes"
            ),
        ),
    }
}
