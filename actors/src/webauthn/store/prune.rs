//! The removal of rows that are over.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::Error;
use crate::db::Db;
use crate::db::schema::{
    ng_webauthn_consumed, ng_webauthn_device, ng_webauthn_invitation, ng_webauthn_token,
};
use crate::with_conn;

/// Rows of each table that one call removes: so many that it takes no time, and that nobody waits
/// for.
const ROWS: i64 = 500;

/// An answered challenge is remembered for so long after it is over, in seconds: no node whose
/// clock is late takes it for a new one.
const LATE: i64 = 3600;

/// Removes some of the rows that are over at `now`, in seconds since 1970.
pub(in super::super) async fn prune(db: &Db, now: i64) -> Result<(), Error> {
    macro_rules! remove {
        ($conn:expr, $table:ident, $key:ident, $before:expr) => {{
            use $table as t;
            let over: Vec<String> = t::table
                .filter(t::expires_at.lt($before))
                .select(t::$key)
                .limit(ROWS)
                .load($conn)
                .await?;
            if !over.is_empty() {
                diesel::delete(t::table.filter(t::$key.eq_any(over)))
                    .execute($conn)
                    .await?;
            }
        }};
    }
    with_conn!(db, |conn| {
        remove!(conn, ng_webauthn_consumed, challenge_hash, now - LATE);
        remove!(conn, ng_webauthn_device, device_hash, now);
        remove!(conn, ng_webauthn_invitation, secret_hash, now);
        // Audit IDs are random: one is of one token.
        remove!(conn, ng_webauthn_token, audit_id, now);
        Ok::<_, Error>(())
    })
}
