//! What the transactions of other providers do to these tables.

#![cfg_attr(
    not(test),
    expect(unused_macros, reason = "for the deletion of projects")
)]

/// Forgets what a project (its ID as `&str`) is shown, when the project is deleted:
/// `delete_filters_of_project!(conn, id)`, inside a transaction whose error is made of a diesel
/// error. Evaluates to the entities that are not what they were, a `Vec<Entity>`.
macro_rules! delete_filters_of_project {
    ($conn:expr, $project:expr) => {{
        use $crate::db::schema::{project_endpoint, project_endpoint_group};
        let project: &str = $project;
        let endpoints = project_endpoint::table.filter(project_endpoint::project_id.eq(project));
        let mut gone = diesel::delete(endpoints).execute($conn).await?;
        let groups =
            project_endpoint_group::table.filter(project_endpoint_group::project_id.eq(project));
        gone += diesel::delete(groups).execute($conn).await?;
        let stale =
            (gone > 0).then(|| $crate::epoch::Entity::new($crate::epoch::Kind::Catalog, project));
        stale.into_iter().collect::<Vec<_>>()
    }};
}
pub(crate) use delete_filters_of_project;
