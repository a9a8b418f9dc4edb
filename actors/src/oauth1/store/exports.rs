//! What the transactions of other providers do to these tables. Each gives the entities that are not
//! what they were.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::schema::{access_token, request_token};
use crate::db::{BATCH, delete_where, on_connection};
use crate::epoch::Entity;

on_connection! {
    /// Deletes what users have let consumers do, when the users are deleted.
    pub(crate) async fn delete_of_users<'a>(conn, users: &'a [String]) -> Vec<Entity> {
        let mut changed = Vec::new();
        for users in users.chunks(BATCH) {
            // First: one that is being exchanged is an access token by then.
            let asked = request_token::authorizing_user_id.eq_any(users);
            diesel::delete(request_token::table.filter(asked)).execute(conn).await?;
            changed.extend(delete_where!(conn, access_token => AccessToken, || access_token::authorizing_user_id.eq_any(users)));
        }
        Ok(changed)
    }

    /// Deletes what consumers have been let do on projects, or have asked for, when the projects are
    /// deleted.
    pub(crate) async fn delete_of_projects<'a>(conn, projects: &'a [String]) -> Vec<Entity> {
        let mut changed = Vec::new();
        for projects in projects.chunks(BATCH) {
            let asked = request_token::requested_project_id.eq_any(projects);
            diesel::delete(request_token::table.filter(asked)).execute(conn).await?;
            changed.extend(delete_where!(conn, access_token => AccessToken, || access_token::project_id.eq_any(projects)));
        }
        Ok(changed)
    }
}
