//! What the transactions of other providers do to these tables. Tokens are not to be revoked for
//! what is deleted: they depend on it, and are looked at anew.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::schema::sql_types::AssignmentKind;
use crate::db::schema::{assignment, system_assignment};
use crate::db::{BATCH, on_connection};
use crate::epoch::{Entity, Kind};

/// Deletes the rows of two kinds in `assignment` for a column, `actor_id` or `target_id`. Evaluates
/// to whose they were, a `Vec<Entity>`.
macro_rules! delete_kind {
    ($conn:expr, [$first:ident, $second:ident], $column:ident, $ids:expr) => {{
        let mut actors: Vec<String> = Vec::new();
        for ids in $ids.chunks(BATCH) {
            let theirs = || {
                assignment::kind
                    .eq(AssignmentKind::$first)
                    .or(assignment::kind.eq(AssignmentKind::$second))
                    .and(assignment::$column.eq_any(ids))
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
        let actors = actors.into_iter();
        actors
            .map(|id| Entity::new(Kind::Assignments, id))
            .collect()
    }};
}

/// Deletes the system grants of actors of a kind.
macro_rules! delete_on_system {
    ($conn:expr, $kind:literal, $ids:expr) => {
        for ids in $ids.chunks(BATCH) {
            let theirs = system_assignment::actor_id
                .eq_any(ids)
                .and(system_assignment::kind.eq($kind));
            diesel::delete(system_assignment::table.filter(theirs))
                .execute($conn)
                .await?;
        }
    };
}

on_connection! {
    /// Deletes the grants on projects, when the projects are deleted. Gives the entities that are
    /// not what they were.
    pub(crate) async fn delete_on_projects<'a>(conn, projects: &'a [String]) -> Vec<Entity> {
        Ok(delete_kind!(conn, [UserProject, GroupProject], target_id, projects))
    }

    /// Deletes the grants on a domain, when the domain is deleted. Gives the entities that are not
    /// what they were.
    pub(crate) async fn delete_on_domain<'a>(conn, domain: &'a str) -> Vec<Entity> {
        Ok(delete_kind!(conn, [UserDomain, GroupDomain], target_id, [domain]))
    }

    /// Deletes the grants of users, when the users are deleted. Gives the entities that are not what
    /// they were.
    pub(crate) async fn delete_of_users<'a>(conn, users: &'a [String]) -> Vec<Entity> {
        delete_on_system!(conn, "UserSystem", users);
        Ok(delete_kind!(conn, [UserProject, UserDomain], actor_id, users))
    }

    /// Deletes the grants of groups, as [`delete_of_users`].
    pub(crate) async fn delete_of_groups<'a>(conn, groups: &'a [String]) -> Vec<Entity> {
        delete_on_system!(conn, "GroupSystem", groups);
        Ok(delete_kind!(conn, [GroupProject, GroupDomain], actor_id, groups))
    }

    /// Deletes the grants of a role, when the role is deleted. What is cached of them gives nobody
    /// anything any more, as there is no such role.
    pub(crate) async fn delete_of_role<'a>(conn, role: &'a str) -> () {
        diesel::delete(assignment::table.filter(assignment::role_id.eq(role)))
            .execute(conn)
            .await?;
        diesel::delete(system_assignment::table.filter(system_assignment::role_id.eq(role)))
            .execute(conn)
            .await?;
        Ok(())
    }
}
