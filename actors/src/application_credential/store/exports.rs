//! What the transactions of other providers do to these tables.
//!
//! Each is a macro for the inside of a transaction whose error is made of a diesel error, and
//! evaluates to the entities that are not what they were, a `Vec<Entity>`. Tokens made from what
//! is deleted are not to be revoked: they depend on it, and fall with it.
//!
//! What belongs to a deleted project stays, as in Keystone: nobody can log in with it.

/// Deletes the application credentials of a condition, a closure that makes it: what the macros
/// below share.
macro_rules! delete_where {
    ($conn:expr, $theirs:expr) => {{
        use $crate::db::schema::application_credential;
        let theirs = $theirs;
        let ids: Vec<String> = application_credential::table
            .filter(theirs())
            .select(application_credential::id)
            .load($conn)
            .await?;
        // Their roles and links to rules go with them: ON DELETE CASCADE.
        diesel::delete(application_credential::table.filter(theirs()))
            .execute($conn)
            .await?;
        ids.into_iter()
            .map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::ApplicationCredential, id))
            .collect::<Vec<_>>()
    }};
}
pub(crate) use delete_where;

/// Deletes the application credentials and access rules of users (their IDs, a slice of text),
/// when the users are deleted: `delete_of_users!(conn, ids)`.
macro_rules! delete_of_users {
    ($conn:expr, $users:expr) => {{
        let mut changed = Vec::new();
        for users in $users.chunks($crate::db::BATCH) {
            let users: Vec<&str> = users.iter().map(AsRef::as_ref).collect();
            let gone = $crate::application_credential::delete_where!($conn, || {
                $crate::db::schema::application_credential::user_id.eq_any(users.clone())
            });
            changed.extend(gone);
            let rules = $crate::db::schema::access_rule::user_id.eq_any(users.clone());
            diesel::delete($crate::db::schema::access_rule::table.filter(rules))
                .execute($conn)
                .await?;
        }
        changed
    }};
}
pub(crate) use delete_of_users;

/// Deletes a user's application credentials for a project (IDs as `&str`):
/// `delete_of_user_on_project!(conn, user, project)`. Not for the removal of a role assignment,
/// at which Keystone lets them be: without the role they log nobody in.
#[cfg_attr(
    not(test),
    expect(unused_macros, reason = "for whoever takes a user off a project")
)]
macro_rules! delete_of_user_on_project {
    ($conn:expr, $user:expr, $project:expr) => {{
        let (user, project): (&str, &str) = ($user, $project);
        $crate::application_credential::delete_where!($conn, || {
            use $crate::db::schema::application_credential;
            application_credential::user_id
                .eq(user)
                .and(application_credential::project_id.eq(project))
        })
    }};
}
pub(crate) use delete_of_user_on_project;

/// Deletes, when a role (its ID as `&str`) is deleted, all application credentials of each user
/// for each project where the user is assigned the role itself, whichever roles they have:
/// Keystone's rule. `delete_of_role!(conn, id)`, while the assignments are still there.
macro_rules! delete_of_role {
    ($conn:expr, $role:expr) => {{
        let role: &str = $role;
        $crate::application_credential::delete_where!($conn, || {
            use $crate::db::schema::{application_credential, assignment};
            // The column's type is an enum, and not the same on all three.
            let direct =
                diesel::dsl::sql::<diesel::sql_types::Bool>("assignment.type = 'UserProject'");
            diesel::dsl::exists(
                assignment::table
                    .filter(direct)
                    .filter(assignment::role_id.eq(role))
                    .filter(assignment::actor_id.eq(application_credential::user_id))
                    .filter(
                        assignment::target_id
                            .nullable()
                            .eq(application_credential::project_id),
                    ),
            )
        })
    }};
}
pub(crate) use delete_of_role;
