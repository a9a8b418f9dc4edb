//! Which passcodes have been used: the last time step of each credential. A table, and not the
//! outbox, since two nodes that see the same passcode at once have to agree on which of them was
//! first, and only the database can tell.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::Error;
use crate::db::schema::ng_totp_use;
use crate::db::{Db, is_unique_violation};
use crate::ids::CredentialId;
use crate::with_conn;

/// Uses up a time step of a credential and all before it; `false` if it, or a later one, has been.
/// Forgets what was used before `forgotten`, of which no node accepts a passcode.
pub(in super::super) async fn use_step(
    db: &Db,
    id: &CredentialId,
    step: i64,
    forgotten: i64,
) -> Result<bool, Error> {
    // Each statement decides by itself, so this needs no transaction.
    with_conn!(db, |conn| {
        let behind = ng_totp_use::table
            .find(id.as_str())
            .filter(ng_totp_use::step.lt(step));
        let advanced = diesel::update(behind)
            .set(ng_totp_use::step.eq(step))
            .execute(conn)
            .await?;
        if advanced == 0 {
            let first = diesel::insert_into(ng_totp_use::table)
                .values((
                    ng_totp_use::credential_id.eq(id.as_str()),
                    ng_totp_use::step.eq(step),
                ))
                .execute(conn)
                .await;
            match first {
                Ok(_) => {}
                Err(error) if is_unique_violation(&error) => return Ok(false),
                Err(error) => return Err(Error::from(error)),
            }
        }
        diesel::delete(ng_totp_use::table.filter(ng_totp_use::step.lt(forgotten)))
            .execute(conn)
            .await?;
        Ok(true)
    })
}
