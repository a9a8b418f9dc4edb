//! What the transactions of other providers do to these tables. Those that delete a domain or a
//! service do nothing: limits outlive both, as in Keystone.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::schema::limit;
use crate::db::{BATCH, on_connection};
use crate::epoch::{Entity, Kind};

on_connection! {
    /// Deletes the limits of projects, when the projects are deleted. Gives the entities that are
    /// not what they were.
    pub(crate) async fn delete_limits_of_projects<'a>(conn, projects: &'a [String]) -> Vec<Entity> {
        let mut stale = Vec::new();
        for projects in projects.chunks(BATCH) {
            let theirs = limit::project_id.eq_any(projects);
            let gone = diesel::delete(limit::table.filter(theirs))
                .execute(conn)
                .await?;
            if gone > 0 {
                stale.extend(projects.iter().map(|id| Entity::new(Kind::Limits, id.as_str())));
            }
        }
        Ok(stale)
    }
}
