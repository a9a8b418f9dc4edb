//! Whether somebody has altered tables that this server reads.

use keystone_actors::checkup::{Altered, altered_tables};
use keystone_actors::db::Db;

use super::findings::Findings;

const CHECK: &str = "tables";
/// More than these are told as a number: it is another database, or half of one.
const MOST: usize = 20;

pub(super) async fn look(findings: &mut Findings, db: &Db) {
    let altered = match altered_tables(db).await {
        Ok(altered) => altered,
        Err(error) => return findings.bad(CHECK, error, "see the log of the database"),
    };
    if altered.is_empty() {
        return findings.good(CHECK, "with the columns that they should have");
    }
    for one in altered.iter().take(MOST) {
        match one.is_fatal() {
            true => findings.bad(CHECK, one, advice(one)),
            false => findings.odd(CHECK, one, advice(one)),
        }
    }
    if let Some(more) = altered.len().checked_sub(MOST).filter(|more| *more > 0) {
        findings.bad(
            CHECK,
            format_args!("and {more} more"),
            "restore the tables from a back-up",
        );
    }
}

fn advice(one: &Altered) -> &'static str {
    match one.table.starts_with("ng_") {
        true => {
            "undo what was done to it, by hand or from a back-up; `db sync` does not make twice what it \
             has made"
        }
        false => {
            "undo what was done to it: both Keystones need it as `keystone-manage db_sync` of release 30 \
             makes it"
        }
    }
}
