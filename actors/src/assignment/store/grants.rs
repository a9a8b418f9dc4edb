//! Grants made and taken back.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Actor, Error, Grant, GrantTarget};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::sql_types::AssignmentKind;
use crate::db::schema::{assignment, system_assignment};
use crate::db::{Db, share_by_id, sought};
use crate::epoch::{Entity, Kind};
use crate::role::{self, Role};
use crate::{lock_by_id, resource, transaction};

/// How the table calls a grant of this actor on this target; `None` for the system, which has a
/// table of its own.
fn kind(actor: &Actor, target: &GrantTarget) -> Option<AssignmentKind> {
    Some(match (actor, target) {
        (Actor::User(_), GrantTarget::Project(_)) => AssignmentKind::UserProject,
        (Actor::Group(_), GrantTarget::Project(_)) => AssignmentKind::GroupProject,
        (Actor::User(_), GrantTarget::Domain(_)) => AssignmentKind::UserDomain,
        (Actor::Group(_), GrantTarget::Domain(_)) => AssignmentKind::GroupDomain,
        (_, GrantTarget::System) => return None,
    })
}

fn system_kind(actor: &Actor) -> &'static str {
    match actor {
        Actor::User(_) => "UserSystem",
        Actor::Group(_) => "GroupSystem",
    }
}

/// The row of a grant on a project or a domain.
macro_rules! row {
    ($kind:expr, $actor:expr, $grant:expr) => {
        assignment::table.find((
            $kind,
            sought($actor.id()),
            sought($grant.target.id()),
            sought($grant.role_id.as_str()),
            $grant.inherited,
        ))
    };
}

/// The row of a grant on the system.
macro_rules! system_row {
    ($actor:expr, $grant:expr) => {
        system_assignment::table.find((
            system_kind($actor),
            sought($actor.id()),
            $grant.target.id(),
            sought($grant.role_id.as_str()),
            $grant.inherited,
        ))
    };
}

/// Gives a role, which is that of the grant. Nothing happens where it is given already.
pub(in super::super) async fn insert_grant(
    db: &Db,
    node: &str,
    actor: &Actor,
    grant: &Grant,
    role: &Role,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        // Before all else: so does the deletion of a role. Shared, as half the cloud may be given one
        // role.
        if !share_by_id!(conn, role, role.id) {
            return Err(role::Error::NotFound(role.id.clone()).into());
        }
        match &grant.target {
            GrantTarget::System => {}
            GrantTarget::Domain(id) => {
                let held = resource::hold(conn, id.as_str()).await?;
                if !held.is_some_and(|(found, is_domain)| is_domain && *id == *found) {
                    return Err(resource::Error::DomainNotFound(id.to_string()).into());
                }
            }
            GrantTarget::Project(id) => {
                let held = resource::hold(conn, id.as_str()).await?;
                held.ok_or_else(|| resource::Error::NotFound(id.to_string()))?;
            }
        }
        let exists = match actor {
            Actor::User(id) => lock_by_id!(conn, user, id),
            Actor::Group(id) => lock_by_id!(conn, group, id),
        };
        if !exists {
            return Err(Error::no_such(actor));
        }
        let known: i64 = match kind(actor, &grant.target) {
            Some(kind) => row!(kind, actor, grant).count().get_result(conn).await?,
            None => system_row!(actor, grant).count().get_result(conn).await?,
        };
        if known > 0 {
            return Ok(Change::default());
        }
        match kind(actor, &grant.target) {
            Some(kind) => {
                let row = (
                    assignment::kind.eq(kind),
                    assignment::actor_id.eq(actor.id()),
                    assignment::target_id.eq(grant.target.id()),
                    assignment::role_id.eq(role.id.as_str()),
                    assignment::inherited.eq(grant.inherited),
                );
                diesel::insert_into(assignment::table)
                    .values(row)
                    .execute(conn)
                    .await?;
            }
            None => {
                let row = (
                    system_assignment::kind.eq(system_kind(actor)),
                    system_assignment::actor_id.eq(actor.id()),
                    system_assignment::target_id.eq(grant.target.id()),
                    system_assignment::role_id.eq(role.id.as_str()),
                    system_assignment::inherited.eq(grant.inherited),
                );
                diesel::insert_into(system_assignment::table)
                    .values(row)
                    .execute(conn)
                    .await?;
            }
        }
        let change = Change::of([Entity::new(Kind::Assignments, actor.id())]);
        Ok(record_change(conn, node, change).await?)
    })
}

/// Takes a role back, also from a user or a group that there is no longer.
pub(in super::super) async fn delete_grant(
    db: &Db,
    node: &str,
    actor: &Actor,
    grant: &Grant,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let gone = match kind(actor, &grant.target) {
            Some(kind) => {
                diesel::delete(row!(kind, actor, grant))
                    .execute(conn)
                    .await?
            }
            None => {
                diesel::delete(system_row!(actor, grant))
                    .execute(conn)
                    .await?
            }
        };
        if gone == 0 {
            return Err(Error::not_granted(actor, grant));
        }
        let change = Change::of([Entity::new(Kind::Assignments, actor.id())]);
        Ok(record_change(conn, node, change).await?)
    })
}
