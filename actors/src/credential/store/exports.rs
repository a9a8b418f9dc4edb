//! What the transactions of other providers do to this table.
//!
//! Each is a macro for the inside of a transaction whose error is made of a diesel error, and
//! evaluates to the entities that are not what they were, a `Vec<Entity>`.

/// Deletes the credentials of a condition, a closure that makes it: what the macros below share.
macro_rules! delete_where {
    ($conn:expr, $theirs:expr) => {{
        use $crate::db::schema::credential;
        let theirs = $theirs;
        let ids: Vec<String> = credential::table
            .filter(theirs())
            .select(credential::id)
            .load($conn)
            .await?;
        diesel::delete(credential::table.filter(theirs()))
            .execute($conn)
            .await?;
        ids.into_iter()
            .map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::Credential, id))
            .collect::<Vec<_>>()
    }};
}
pub(crate) use delete_where;

/// Deletes the credentials of users (their IDs, a slice of text), when the users are deleted:
/// `delete_of_users!(conn, ids)`.
macro_rules! delete_of_users {
    ($conn:expr, $users:expr) => {{
        let mut changed = Vec::new();
        for users in $users.chunks($crate::db::BATCH) {
            let users: Vec<&str> = users.iter().map(AsRef::as_ref).collect();
            let gone = $crate::credential::delete_where!($conn, || {
                $crate::db::schema::credential::user_id.eq_any(users.clone())
            });
            changed.extend(gone);
        }
        changed
    }};
}
pub(crate) use delete_of_users;

/// Deletes the credentials for projects (their IDs, a slice of text), when the projects are
/// deleted: `delete_of_projects!(conn, ids)`.
macro_rules! delete_of_projects {
    ($conn:expr, $projects:expr) => {{
        let mut changed = Vec::new();
        for projects in $projects.chunks($crate::db::BATCH) {
            let projects: Vec<&str> = projects.iter().map(AsRef::as_ref).collect();
            let gone = $crate::credential::delete_where!($conn, || {
                $crate::db::schema::credential::project_id.eq_any(projects.clone())
            });
            changed.extend(gone);
        }
        changed
    }};
}
pub(crate) use delete_of_projects;
