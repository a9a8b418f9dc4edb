//! The removal of rows that are over, and of what users leave whom others deleted.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::Error;
use super::{delete_of_users, user_since};
use crate::db::Db;
use crate::db::schema::{
    ng_webauthn_consumed, ng_webauthn_credential, ng_webauthn_device, ng_webauthn_given,
    ng_webauthn_invitation, ng_webauthn_recovery, ng_webauthn_recovery_limit, ng_webauthn_token,
    ng_webauthn_user, user,
};
use crate::epoch::Entity;
use crate::{transaction, with_conn};

/// Rows of each table that one statement removes, and users that one looks at: so few that nobody waits
/// long for what it locks.
const ROWS: i64 = 500;

/// Times that one call does so; what is left is for the next one.
const ROUNDS: usize = 20;

/// An answered challenge is remembered for so long after it is over, in seconds: no node whose
/// clock is late takes it for a new one.
const LATE: i64 = 3600;

/// Removes rows that are over at `now`, in seconds since 1970.
pub(in super::super) async fn prune(db: &Db, now: i64) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        if !prune_some(db, now).await? {
            break;
        }
    }
    Ok(())
}

/// Removes some of them, and tells whether there may be more.
async fn prune_some(db: &Db, now: i64) -> Result<bool, Error> {
    macro_rules! remove {
        ($conn:expr, $table:ident, $key:ident, $before:expr) => {{
            use $table as t;
            let over: Vec<String> = t::table
                .filter(t::expires_at.lt($before))
                .select(t::$key)
                .limit(ROWS)
                .load($conn)
                .await?;
            let is_full = fills(&over);
            if !over.is_empty() {
                // Of one chain of tokens there may be others that end later.
                let over = t::table
                    .filter(t::$key.eq_any(over))
                    .filter(t::expires_at.lt($before));
                diesel::delete(over).execute($conn).await?;
            }
            is_full
        }};
    }
    with_conn!(db, |conn| {
        let full = [
            remove!(conn, ng_webauthn_consumed, challenge_hash, now - LATE),
            remove!(conn, ng_webauthn_device, device_hash, now),
            remove!(conn, ng_webauthn_invitation, secret_hash, now),
            remove!(conn, ng_webauthn_token, audit_id, now),
        ];
        Ok::<_, Error>(full.contains(&true))
    })
}

/// Whether these are as many as one statement gives.
fn fills(rows: &[String]) -> bool {
    i64::try_from(rows.len()).is_ok_and(|count| count >= ROWS)
}

/// How far a sweep has come: the table, and the user behind whom it goes on there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Swept {
    table: usize,
    after: String,
}

impl Swept {
    /// These were the next users; behind those of the last table it begins anew.
    fn pass(&mut self, users: &[String]) {
        match users.last() {
            Some(last) if fills(users) => self.after.clone_from(last),
            _ => {
                *self = Self {
                    table: (self.table + 1) % TABLES,
                    after: String::new(),
                }
            }
        }
    }
}

/// Tables whose rows are a user's for as long as there is that user.
const TABLES: usize = 5;

/// Removes what belongs to users who are gone: whoever deletes one here deletes that too, but Python
/// Keystone does not know these tables, and the next user of the ID is not to have the handle.
///
/// Who has something here is in the table of users, of whatever kind: nothing is given to others.
///
/// A call looks at some thousand users, from `at` on, which says then where the next one begins. Locked
/// are rows of users who are gone, on MariaDB with the gaps beside them, in which others have to wait
/// with what they insert until this is removed.
pub(in super::super) async fn sweep(db: &Db, at: &mut Swept) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        let users = users_of(db, at).await?;
        // Before anything fails: what can't be removed waits for the next time round, and is in nobody's
        // way.
        at.pass(&users);
        let gone = gone(db, &users).await?;
        if !gone.is_empty() {
            remove_of(db, &gone).await?;
        }
        if *at == Swept::default() {
            break;
        }
    }
    Ok(())
}

/// The next users in a table.
async fn users_of(db: &Db, at: &Swept) -> Result<Vec<String>, Error> {
    macro_rules! next {
        ($conn:expr, $table:ident) => {{
            use $table as t;
            t::table
                .filter(t::user_id.gt(&at.after))
                .select(t::user_id)
                .distinct()
                .order(t::user_id)
                .limit(ROWS)
                .load($conn)
                .await?
        }};
    }
    with_conn!(db, |conn| {
        let users: Vec<String> = match at.table {
            0 => next!(conn, ng_webauthn_user),
            1 => next!(conn, ng_webauthn_credential),
            2 => next!(conn, ng_webauthn_recovery_limit),
            3 => next!(conn, ng_webauthn_given),
            _ => next!(conn, ng_webauthn_recovery),
        };
        Ok::<_, Error>(users)
    })
}

/// Those of them who seem to be gone. None, where there are no users at all: somebody restores a
/// back-up.
async fn gone(db: &Db, users: &[String]) -> Result<Vec<String>, Error> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    with_conn!(db, |conn| {
        let there: Vec<String> = user::table
            .filter(user::id.eq_any(users))
            .select(user::id)
            .load(conn)
            .await?;
        let there: HashSet<String> = there.into_iter().collect();
        let is_gone = |id: &&String| !there.contains(*id);
        let gone: Vec<String> = users.iter().filter(is_gone).cloned().collect();
        if there.is_empty() {
            let any: Option<String> = user::table.select(user::id).first(conn).await.optional()?;
            if any.is_none() {
                return Ok(Vec::new());
            }
        }
        Ok::<_, Error>(gone)
    })
}

/// Removes what belongs to those of them who are gone indeed.
async fn remove_of(db: &Db, users: &[String]) -> Result<(), Error> {
    use {ng_webauthn_given as g, ng_webauthn_recovery_limit as l, ng_webauthn_user as u};
    let removed = transaction!(db, |conn| {
        // Changes nothing, but locks what registrations, recovery codes and invitations of a user who
        // is made meanwhile begin with.
        diesel::update(u::table.filter(u::user_id.eq_any(users)))
            .set(u::user_id.eq(u::user_id))
            .execute(conn)
            .await?;
        diesel::update(l::table.filter(l::user_id.eq_any(users)))
            .set(l::failures.eq(l::failures))
            .execute(conn)
            .await?;
        diesel::update(g::table.filter(g::user_id.eq_any(users)))
            .set(g::given_at.eq(g::given_at))
            .execute(conn)
            .await?;
        let back: i64 = user::table
            .filter(user::id.eq_any(users))
            .count()
            .get_result(conn)
            .await?;
        let mut gone = Vec::with_capacity(users.len());
        for id in users {
            // One by one only where one is there after all, or is to the database who is not to us.
            let since: Option<i64> = match back {
                0 => None,
                _ => user_since(conn, id).await?,
            };
            if since.is_none() {
                gone.push(id.clone());
            }
        }
        let _: Vec<Entity> = delete_of_users(conn, &gone).await?;
        Ok::<_, Error>(gone.len())
    })?;
    if removed > 0 {
        tracing::info!(
            users = removed,
            "removed what users had of passkeys who are gone"
        );
    }
    Ok(())
}
