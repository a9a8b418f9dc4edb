//! What the transactions of other providers do to these tables. Those that delete a domain or a
//! service do nothing: limits outlive both, as in Keystone.

/// Deletes the limits of projects (their IDs, a slice of text), when the projects are deleted:
/// `delete_limits_of_projects!(conn, ids)`, inside a transaction whose error is made of a diesel
/// error. Evaluates to the entities that are not what they were, a `Vec<Entity>`.
macro_rules! delete_limits_of_projects {
    ($conn:expr, $projects:expr) => {{
        use $crate::db::schema::limit;
        let mut stale = Vec::new();
        for projects in $projects.chunks($crate::db::BATCH) {
            let projects: Vec<&str> = projects.iter().map(AsRef::as_ref).collect();
            let theirs = limit::project_id.eq_any(projects.clone());
            let gone = diesel::delete(limit::table.filter(theirs))
                .execute($conn)
                .await?;
            if gone > 0 {
                let ids = projects.into_iter();
                stale.extend(
                    ids.map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::Limits, id)),
                );
            }
        }
        stale
    }};
}
pub(crate) use delete_limits_of_projects;
