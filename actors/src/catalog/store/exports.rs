//! What the transactions of other providers do to these tables.

/// Forgets what projects (their IDs, a slice of text) are shown, when the projects are deleted:
/// `delete_filters_of_projects!(conn, ids)`, inside a transaction whose error is made of a diesel
/// error. Evaluates to the entities that are not what they were, a `Vec<Entity>`.
macro_rules! delete_filters_of_projects {
    ($conn:expr, $projects:expr) => {{
        use $crate::db::schema::{project_endpoint, project_endpoint_group};
        let mut stale = Vec::new();
        for projects in $projects.chunks($crate::db::BATCH) {
            let projects: Vec<&str> = projects.iter().map(AsRef::as_ref).collect();
            let theirs = project_endpoint::project_id.eq_any(projects.clone());
            let mut gone = diesel::delete(project_endpoint::table.filter(theirs))
                .execute($conn)
                .await?;
            let theirs = project_endpoint_group::project_id.eq_any(projects.clone());
            gone += diesel::delete(project_endpoint_group::table.filter(theirs))
                .execute($conn)
                .await?;
            if gone > 0 {
                let ids = projects.into_iter();
                stale.extend(
                    ids.map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::Catalog, id)),
                );
            }
        }
        stale
    }};
}
pub(crate) use delete_filters_of_projects;
