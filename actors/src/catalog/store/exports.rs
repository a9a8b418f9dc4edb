//! What the transactions of other providers do to these tables.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::schema::{project_endpoint, project_endpoint_group};
use crate::db::{BATCH, on_connection};
use crate::epoch::{Entity, Kind};

on_connection! {
    /// Forgets what projects are shown, when the projects are deleted. Gives the entities that are
    /// not what they were.
    pub(crate) async fn delete_filters_of_projects<'a>(conn, projects: &'a [String]) -> Vec<Entity> {
        let mut stale = Vec::new();
        for projects in projects.chunks(BATCH) {
            let theirs = project_endpoint::project_id.eq_any(projects);
            let mut gone = diesel::delete(project_endpoint::table.filter(theirs))
                .execute(conn)
                .await?;
            let theirs = project_endpoint_group::project_id.eq_any(projects);
            gone += diesel::delete(project_endpoint_group::table.filter(theirs))
                .execute(conn)
                .await?;
            if gone > 0 {
                stale.extend(projects.iter().map(|id| Entity::new(Kind::Catalog, id.as_str())));
            }
        }
        Ok(stale)
    }
}
