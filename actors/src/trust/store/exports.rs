//! What the transactions of other providers do to these tables.

/// Deletes the trusts of a condition, a closure that makes it: what the two macros below share.
macro_rules! delete_where {
    ($conn:expr, $now:expr, $theirs:expr) => {{
        use $crate::db::schema::trust;
        let theirs = $theirs;
        let ids: Vec<String> = trust::table
            .filter(trust::deleted_at.is_null())
            .filter(theirs())
            .select(trust::id)
            .load($conn)
            .await?;
        diesel::update(
            trust::table
                .filter(trust::deleted_at.is_null())
                .filter(theirs()),
        )
        .set(trust::deleted_at.eq($crate::db::DbTime::from_seconds($now)))
        .execute($conn)
        .await?;
        ids.into_iter()
            .map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::Trust, id))
            .collect::<Vec<_>>()
    }};
}
pub(crate) use delete_where;

/// Deletes the trusts that users (their IDs, a slice of text) gave or were given, when the users
/// are deleted: `delete_of_users!(conn, ids, now)`, `now` in seconds since 1970, inside a
/// transaction whose error is made of a diesel error. Evaluates to the entities that are not what
/// they were, a `Vec<Entity>`. Revoking the users' tokens, which is left to the caller, revokes
/// those of these trusts; trusts made from them are good no longer, as their chain is broken.
macro_rules! delete_of_users {
    ($conn:expr, $users:expr, $now:expr) => {{
        let mut changed = Vec::new();
        for users in $users.chunks($crate::db::BATCH) {
            let users: Vec<&str> = users.iter().map(AsRef::as_ref).collect();
            let gone = $crate::trust::delete_where!($conn, $now, || {
                use $crate::db::schema::trust;
                trust::trustor_user_id
                    .eq_any(users.clone())
                    .or(trust::trustee_user_id.eq_any(users.clone()))
            });
            changed.extend(gone);
        }
        changed
    }};
}
pub(crate) use delete_of_users;

/// Deletes the trusts on projects (their IDs, a slice of text), when the projects are deleted:
/// `delete_of_projects!(conn, ids, now)`; as [`delete_of_users`], where the projects' tokens are
/// those to revoke.
macro_rules! delete_of_projects {
    ($conn:expr, $projects:expr, $now:expr) => {{
        let mut changed = Vec::new();
        for projects in $projects.chunks($crate::db::BATCH) {
            let projects: Vec<&str> = projects.iter().map(AsRef::as_ref).collect();
            let gone = $crate::trust::delete_where!($conn, $now, || {
                $crate::db::schema::trust::project_id.eq_any(projects.clone())
            });
            changed.extend(gone);
        }
        changed
    }};
}
pub(crate) use delete_of_projects;
