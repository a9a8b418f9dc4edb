//! What the transactions of other providers do to this table. Each gives the entities that are not
//! what they were.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::schema::credential;
use crate::db::{BATCH, delete_where, on_connection};
use crate::epoch::Entity;

on_connection! {
    /// Deletes the credentials of users, when the users are deleted.
    pub(crate) async fn delete_of_users<'a>(conn, users: &'a [String]) -> Vec<Entity> {
        let mut changed = Vec::new();
        for users in users.chunks(BATCH) {
            changed.extend(delete_where!(conn, credential => Credential, || credential::user_id.eq_any(users)));
        }
        Ok(changed)
    }

    /// Deletes the credentials for projects, when the projects are deleted.
    pub(crate) async fn delete_of_projects<'a>(conn, projects: &'a [String]) -> Vec<Entity> {
        let mut changed = Vec::new();
        for projects in projects.chunks(BATCH) {
            changed.extend(delete_where!(conn, credential => Credential, || credential::project_id.eq_any(projects)));
        }
        Ok(changed)
    }
}
