//! Whether recovery codes and invitations are of the user who has their ID now. Whoever deletes a user
//! here deletes them too; Python Keystone does not know them, and a user that it makes again may get
//! the same ID.
//!
//! Transactions that write several of these tables do so in this order: the limit of recovery codes,
//! this one, codes, invitations.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::Error;
use super::{earliest, micros, user_since};
use crate::actor::Unavailable;
use crate::db::schema::{ng_webauthn_given, ng_webauthn_invitation, ng_webauthn_recovery};
use crate::db::{on_connection, on_unique};

on_connection! {
    /// Whether there is such a user, and what was given to this ID was given to that one.
    pub(super) async fn is_given<'a>(conn, user: &'a str) -> bool {
        use ng_webauthn_given as g;
        let since: Option<i64> = user_since(conn, user).await?;
        let at: Option<i64> = g::table
            .find(user)
            .select(g::given_at)
            .first(conn)
            .await
            .optional()?;
        let both = at.zip(since);
        Ok(both.is_some_and(|(at, since)| at >= earliest(since)))
    }

    /// Writes that something is given to a user whose account began at this time, and takes away what
    /// was given to who had the ID before; [`raced`] is what its error means.
    ///
    /// It looks first: on MariaDB a change that finds no row keeps others from adding theirs.
    pub(super) async fn note_given<'a>(conn, user: &'a str, since: i64, now: i64) -> () {
        use {ng_webauthn_given as g, ng_webauthn_invitation as i, ng_webauthn_recovery as r};
        // The clock that the account's time is by may be ahead.
        let at = micros(now).max(since);
        let known: Option<i64> = g::table
            .find(user)
            .select(g::given_at)
            .first(conn)
            .await
            .optional()?;
        let is_theirs = known.is_some_and(|known| known >= earliest(since));
        if known.is_some() {
            let row = g::table.find(user);
            diesel::update(row).set(g::given_at.eq(at)).execute(conn).await?;
        } else {
            diesel::insert_into(g::table)
                .values((g::user_id.eq(user), g::given_at.eq(at)))
                .execute(conn)
                .await?;
        }
        if is_theirs {
            return Ok(());
        }
        let codes = || r::table.filter(r::user_id.eq(user));
        let invitations = || i::table.filter(i::user_id.eq(user));
        let has_codes: bool = diesel::select(exists(codes())).get_result(conn).await?;
        if has_codes {
            diesel::delete(codes()).execute(conn).await?;
        }
        let has_invitations: bool = diesel::select(exists(invitations())).get_result(conn).await?;
        if has_invitations {
            diesel::delete(invitations()).execute(conn).await?;
        }
        Ok(())
    }
}

/// Another request of this user has written the row meanwhile: the transaction begins again, and
/// finds it.
pub(super) fn raced(error: diesel::result::Error) -> Error {
    on_unique(error, || Error::Unavailable(Unavailable::Contended))
}
