//! Whether recovery codes and invitations are of the user who has their ID now. Whoever deletes a user
//! here deletes them too; Python Keystone does not know them, and a user that it makes again may get
//! the same ID.
//!
//! Transactions that write several of these tables do so in this order: the limit of recovery codes,
//! this one, codes, invitations.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{earliest, micros, user_since};
use crate::db::on_connection;
use crate::db::schema::{ng_webauthn_given, ng_webauthn_invitation, ng_webauthn_recovery};

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
    /// was given to who had the ID before. A unique violation says that another request of this user
    /// is under way.
    pub(super) async fn note_given<'a>(conn, user: &'a str, since: i64, now: i64) -> () {
        use {ng_webauthn_given as g, ng_webauthn_invitation as i, ng_webauthn_recovery as r};
        // The clock that the account's time is by may be ahead.
        let at = micros(now).max(since);
        let theirs = g::table.find(user).filter(g::given_at.ge(earliest(since)));
        if diesel::update(theirs).set(g::given_at.eq(at)).execute(conn).await? > 0 {
            return Ok(());
        }
        diesel::delete(g::table.find(user)).execute(conn).await?;
        diesel::delete(r::table.filter(r::user_id.eq(user))).execute(conn).await?;
        diesel::delete(i::table.filter(i::user_id.eq(user))).execute(conn).await?;
        diesel::insert_into(g::table)
            .values((g::user_id.eq(user), g::given_at.eq(at)))
            .execute(conn)
            .await?;
        Ok(())
    }
}
