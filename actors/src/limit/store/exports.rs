//! What the transactions of other providers do to these tables. Those that delete a domain or a
//! service do nothing: limits outlive both, as in Keystone.

#![cfg_attr(
    not(test),
    expect(unused_macros, reason = "for the deletion of projects")
)]

/// Deletes the limits of a project (its ID as `&str`), when the project is deleted:
/// `delete_limits_of_project!(conn, id)`, inside a transaction whose error is made of a diesel
/// error. Evaluates to the entities that are not what they were, a `Vec<Entity>`.
macro_rules! delete_limits_of_project {
    ($conn:expr, $project:expr) => {{
        use $crate::db::schema::limit;
        let project: &str = $project;
        let gone = diesel::delete(limit::table.filter(limit::project_id.eq(project)))
            .execute($conn)
            .await?;
        let stale =
            (gone > 0).then(|| $crate::epoch::Entity::new($crate::epoch::Kind::Limits, project));
        stale.into_iter().collect::<Vec<_>>()
    }};
}
pub(crate) use delete_limits_of_project;
