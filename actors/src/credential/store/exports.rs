//! What the transactions of other providers do to this table. Each gives the entities that are not
//! what they were.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::schema::credential;
use crate::db::{BATCH, on_connection};
use crate::epoch::{Entity, Kind};

/// Deletes the credentials of a condition, a closure that makes it. Evaluates to their entities.
macro_rules! delete_where {
    ($conn:expr, $theirs:expr) => {{
        let theirs = $theirs;
        let ids: Vec<String> = credential::table
            .filter(theirs())
            .select(credential::id)
            .load($conn)
            .await?;
        diesel::delete(credential::table.filter(theirs()))
            .execute($conn)
            .await?;
        ids.into_iter().map(|id| Entity::new(Kind::Credential, id))
    }};
}

on_connection! {
    /// Deletes the credentials of users, when the users are deleted.
    pub(crate) async fn delete_of_users<'a>(conn, users: &'a [String]) -> Vec<Entity> {
        let mut changed = Vec::new();
        for users in users.chunks(BATCH) {
            changed.extend(delete_where!(conn, || credential::user_id.eq_any(users)));
        }
        Ok(changed)
    }

    /// Deletes the credentials for projects, when the projects are deleted.
    pub(crate) async fn delete_of_projects<'a>(conn, projects: &'a [String]) -> Vec<Entity> {
        let mut changed = Vec::new();
        for projects in projects.chunks(BATCH) {
            changed.extend(delete_where!(conn, || credential::project_id.eq_any(projects)));
        }
        Ok(changed)
    }
}
