//! Groups.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Group, GroupPatch};
use super::neighbours::has_assignments;
use super::{GroupRow, sought};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{
    expiring_user_group_membership as expiring, group, id_mapping, user_group_membership,
};
use crate::db::{Db, on_unique};
use crate::epoch::{Entity, Kind};
use crate::ids::{DomainId, GroupId};
use crate::revocation::Event;
use crate::{assignment, transaction, with_conn};

/// One group, its row locked for the rest of the transaction.
macro_rules! lock_group {
    ($conn:expr, $id:expr) => {{
        use $crate::db::schema::group;
        if !$crate::lock_by_id!($conn, group, $id) {
            return Err(Error::GroupNotFound($id.to_string()));
        }
        let row: GroupRow = group::table
            .find($id.as_str())
            .select(GroupRow::as_select())
            .first($conn)
            .await?;
        Group::from(row)
    }};
}
pub(super) use lock_group;

pub(in super::super) async fn find_group(db: &Db, id: &GroupId) -> Result<Option<Group>, Error> {
    with_conn!(db, |conn| {
        let row: Option<GroupRow> = group::table
            .find(sought(id.as_str()))
            .select(GroupRow::as_select())
            .first(conn)
            .await
            .optional()?;
        Ok(row.map(Into::into))
    })
}

/// The ID of the group that has this name.
pub(in super::super) async fn find_group_by_name(
    db: &Db,
    name: &str,
    domain: &DomainId,
) -> Result<Option<GroupId>, Error> {
    with_conn!(db, |conn| {
        let id: Option<String> = group::table
            .filter(group::domain_id.eq(sought(domain.as_str())))
            .filter(group::name.eq(sought(name)))
            .select(group::id)
            .first(conn)
            .await
            .optional()?;
        Ok(id.map(Into::into))
    })
}

pub(in super::super) async fn insert_group(
    db: &Db,
    node: &str,
    new: &Group,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        diesel::insert_into(group::table)
            .values(GroupRow::from(new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || taken(new, Some(new.domain_id.clone()))))?;
        let change = Change::of([Entity::new(Kind::Group, new.id.as_str())]);
        Ok(record_change(conn, node, change).await?)
    })
}

pub(in super::super) async fn update_group(
    db: &Db,
    node: &str,
    id: &GroupId,
    patch: &GroupPatch,
) -> Result<(Group, Change), Error> {
    transaction!(db, |conn| {
        let old = lock_group!(conn, id);
        let new = patch.clone().apply(&old)?;
        // Told only to who named it.
        let named = patch.domain_id.as_ref().map(|_| new.domain_id.clone());
        diesel::update(group::table.find(new.id.as_str()))
            .set(GroupRow::from(&new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || taken(&new, named)))?;
        let change = Change::of([Entity::new(Kind::Group, new.id.as_str())]);
        let change = record_change(conn, node, change).await?;
        Ok((new, change))
    })
}

pub(in super::super) async fn delete_group(
    db: &Db,
    node: &str,
    id: &GroupId,
    now: i64,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let id = lock_group!(conn, id).id;
        let id = id.as_str();
        let members: Vec<String> = user_group_membership::table
            .filter(user_group_membership::group_id.eq(id))
            .select(user_group_membership::user_id)
            .load(conn)
            .await?;
        let passing: Vec<String> = expiring::table
            .filter(expiring::group_id.eq(id))
            .select(expiring::user_id)
            .load(conn)
            .await?;
        // Keystone's rule: without a role of the group nobody loses anything.
        let revoked = has_assignments!(conn, id);
        let permanent = user_group_membership::group_id.eq(id);
        diesel::delete(user_group_membership::table.filter(permanent))
            .execute(conn)
            .await?;
        diesel::delete(expiring::table.filter(expiring::group_id.eq(id)))
            .execute(conn)
            .await?;
        assignment::delete_of_groups(conn, &[id.to_owned()]).await?; // named below anyway
        diesel::delete(id_mapping::table.filter(id_mapping::public_id.eq(id)))
            .execute(conn)
            .await?;
        diesel::delete(group::table.find(id)).execute(conn).await?;

        let of_members = members
            .iter()
            .chain(&passing)
            .map(|user| Entity::new(Kind::Membership, user.as_str()));
        let entities = of_members.chain([
            Entity::new(Kind::Group, id),
            Entity::new(Kind::Assignments, id),
        ]);
        let events = members
            .iter()
            .filter(|_| revoked)
            .map(|user| Event::user(user, now))
            .collect();
        let change = Change::of(entities).and_revoking(events);
        Ok(record_change(conn, node, change).await?)
    })
}

fn taken(group: &Group, domain: Option<DomainId>) -> Error {
    Error::NameTaken {
        kind: "group",
        name: group.name.clone(),
        domain,
    }
}
