//! What the transactions of other providers do to these tables.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::schema::trust;
use crate::db::{BATCH, DbTime, on_connection};
use crate::epoch::{Entity, Kind};

/// Deletes the trusts of a condition, a closure that makes it. Evaluates to their entities.
macro_rules! delete_where {
    ($conn:expr, $now:expr, $theirs:expr) => {{
        let theirs = $theirs;
        let ids: Vec<String> = trust::table
            .filter(trust::deleted_at.is_null())
            .filter(theirs())
            .select(trust::id)
            .load($conn)
            .await?;
        diesel::update(
            trust::table
                .filter(trust::deleted_at.is_null())
                .filter(theirs()),
        )
        .set(trust::deleted_at.eq(DbTime::from_seconds($now)))
        .execute($conn)
        .await?;
        ids.into_iter().map(|id| Entity::new(Kind::Trust, id))
    }};
}

on_connection! {
    /// Deletes the trusts that users gave or were given, when the users are deleted; `now` in
    /// seconds since 1970. Gives the entities that are not what they were. Revoking the users'
    /// tokens, which is left to the caller, revokes those of these trusts; trusts made from them are
    /// good no longer, as their chain is broken.
    pub(crate) async fn delete_of_users<'a>(conn, users: &'a [String], now: i64) -> Vec<Entity> {
        let mut changed = Vec::new();
        for users in users.chunks(BATCH) {
            let theirs = || {
                trust::trustor_user_id
                    .eq_any(users)
                    .or(trust::trustee_user_id.eq_any(users))
            };
            changed.extend(delete_where!(conn, now, theirs));
        }
        Ok(changed)
    }

    /// Deletes the trusts on projects, when the projects are deleted; as [`delete_of_users`], where
    /// the projects' tokens are those to revoke.
    pub(crate) async fn delete_of_projects<'a>(conn, projects: &'a [String], now: i64) -> Vec<Entity> {
        let mut changed = Vec::new();
        for projects in projects.chunks(BATCH) {
            let theirs = || trust::project_id.eq_any(projects);
            changed.extend(delete_where!(conn, now, theirs));
        }
        Ok(changed)
    }
}
