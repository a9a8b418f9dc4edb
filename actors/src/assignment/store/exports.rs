//! What the transactions of other providers do to these tables.
//!
//! Each is a macro for the inside of a transaction whose error is made of a diesel error. Tokens
//! are not to be revoked for what is deleted: they depend on it, and are looked at anew.

/// Deletes the rows of two kinds in `assignment` for a column, `actor_id` or `target_id`: what the
/// macros below share. Evaluates to whose they were, if they are on a target, a `Vec<Entity>`.
macro_rules! delete_kind {
    ($conn:expr, [$first:ident, $second:ident], $column:ident, $ids:expr) => {{
        use $crate::db::schema::assignment;
        use $crate::db::schema::sql_types::AssignmentKind;
        let mut actors: Vec<String> = Vec::new();
        for ids in $ids.chunks($crate::db::BATCH) {
            let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
            let theirs = || {
                assignment::kind
                    .eq(AssignmentKind::$first)
                    .or(assignment::kind.eq(AssignmentKind::$second))
                    .and(assignment::$column.eq_any(ids.clone()))
            };
            let found: Vec<String> = assignment::table
                .filter(theirs())
                .select(assignment::actor_id)
                .distinct()
                .load($conn)
                .await?;
            actors.extend(found);
            diesel::delete(assignment::table.filter(theirs()))
                .execute($conn)
                .await?;
        }
        actors
            .into_iter()
            .map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::Assignments, id))
            .collect::<Vec<_>>()
    }};
}
pub(crate) use delete_kind;

/// Deletes the grants on projects (their IDs, a slice of text), when the projects are deleted:
/// `delete_on_projects!(conn, ids)`. Evaluates to the entities that are not what they were.
macro_rules! delete_on_projects {
    ($conn:expr, $projects:expr) => {
        $crate::assignment::delete_kind!($conn, [UserProject, GroupProject], target_id, $projects)
    };
}
pub(crate) use delete_on_projects;

/// Deletes the grants on a domain (its ID as `&str`), when the domain is deleted:
/// `delete_on_domain!(conn, id)`. Evaluates to the entities that are not what they were.
macro_rules! delete_on_domain {
    ($conn:expr, $domain:expr) => {
        $crate::assignment::delete_kind!($conn, [UserDomain, GroupDomain], target_id, [$domain])
    };
}
pub(crate) use delete_on_domain;

/// Deletes the grants of users (their IDs, a slice of text), when the users are deleted:
/// `delete_of_users!(conn, ids)`. Evaluates to the entities that are not what they were.
macro_rules! delete_of_users {
    ($conn:expr, $users:expr) => {{
        for users in $users.chunks($crate::db::BATCH) {
            use $crate::db::schema::system_assignment;
            let users: Vec<&str> = users.iter().map(AsRef::as_ref).collect();
            let theirs = system_assignment::actor_id
                .eq_any(users)
                .and(system_assignment::kind.eq("UserSystem"));
            diesel::delete(system_assignment::table.filter(theirs))
                .execute($conn)
                .await?;
        }
        $crate::assignment::delete_kind!($conn, [UserProject, UserDomain], actor_id, $users)
    }};
}
pub(crate) use delete_of_users;

/// Deletes the grants of groups, as [`delete_of_users`]: `delete_of_groups!(conn, ids)`.
macro_rules! delete_of_groups {
    ($conn:expr, $groups:expr) => {{
        for groups in $groups.chunks($crate::db::BATCH) {
            use $crate::db::schema::system_assignment;
            let groups: Vec<&str> = groups.iter().map(AsRef::as_ref).collect();
            let theirs = system_assignment::actor_id
                .eq_any(groups)
                .and(system_assignment::kind.eq("GroupSystem"));
            diesel::delete(system_assignment::table.filter(theirs))
                .execute($conn)
                .await?;
        }
        $crate::assignment::delete_kind!($conn, [GroupProject, GroupDomain], actor_id, $groups)
    }};
}
pub(crate) use delete_of_groups;

/// Deletes the grants of a role (its ID as `&str`), when the role is deleted:
/// `delete_of_role!(conn, id)`. What is cached of them gives nobody anything any more, as there is
/// no such role.
macro_rules! delete_of_role {
    ($conn:expr, $role:expr) => {{
        use $crate::db::schema::{assignment, system_assignment};
        let role: &str = $role;
        diesel::delete(assignment::table.filter(assignment::role_id.eq(role)))
            .execute($conn)
            .await?;
        diesel::delete(system_assignment::table.filter(system_assignment::role_id.eq(role)))
            .execute($conn)
            .await?;
    }};
}
pub(crate) use delete_of_role;
