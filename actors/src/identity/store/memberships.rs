//! Who is in which group.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, ExpiringMembership, Group, Memberships};
use super::groups::lock_group;
use super::users::lock_user;
use super::{GroupRow, sought};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{
    expiring_user_group_membership as expiring, identity_provider, user_group_membership,
};
use crate::db::{BATCH, Db, DbTime};
use crate::epoch::{Entity, Kind};
use crate::ids::{GroupId, UserId};
use crate::revocation::Event;
use crate::{transaction, with_conn};

/// The memberships of a user, ended ones included; `default_ttl` in minutes, for identity
/// providers that have none of their own.
pub(in super::super) async fn memberships(
    db: &Db,
    user: &UserId,
    default_ttl: u32,
) -> Result<Memberships, Error> {
    let user = sought(user.as_str());
    with_conn!(db, |conn| {
        let permanent: Vec<String> = user_group_membership::table
            .filter(user_group_membership::user_id.eq(user))
            .order(user_group_membership::group_id)
            .select(user_group_membership::group_id)
            .load(conn)
            .await?;
        let expiring: Vec<(String, String, DbTime, Option<i32>)> = expiring::table
            .inner_join(identity_provider::table)
            .filter(expiring::user_id.eq(user))
            .order((expiring::group_id, expiring::idp_id))
            .select((
                expiring::group_id,
                expiring::idp_id,
                expiring::last_verified,
                identity_provider::authorization_ttl,
            ))
            .load(conn)
            .await?;
        Ok(Memberships {
            permanent: permanent.into_iter().map(GroupId::from).collect(),
            expiring: expiring
                .into_iter()
                .map(|(group, idp, verified, ttl)| ExpiringMembership {
                    group_id: group.into(),
                    idp_id: idp,
                    expires_at: end(verified, ttl, default_ttl),
                })
                .collect(),
        })
    })
}

/// Who is in these groups for good.
pub(in super::super) async fn list_members(
    db: &Db,
    groups: &[GroupId],
) -> Result<Vec<(GroupId, UserId)>, Error> {
    with_conn!(db, |conn| {
        let mut members = Vec::new();
        for groups in groups.chunks(BATCH) {
            let groups = groups.iter().map(|id| sought(id.as_str()));
            let rows: Vec<(String, String)> = user_group_membership::table
                .filter(user_group_membership::group_id.eq_any(groups))
                .select((
                    user_group_membership::group_id,
                    user_group_membership::user_id,
                ))
                .load(conn)
                .await?;
            let rows = rows.into_iter();
            members.extend(rows.map(|(group, user)| (group.into(), user.into())));
        }
        Ok(members)
    })
}

/// When a membership ends that was confirmed at `verified`. A time of zero counts as none, as for
/// Keystone.
fn end(verified: DbTime, ttl: Option<i32>, default_ttl: u32) -> DbTime {
    let minutes = ttl
        .filter(|ttl| *ttl != 0)
        .map_or(default_ttl.into(), i64::from);
    let end = TimeDelta::try_minutes(minutes).and_then(|ttl| verified.0.checked_add_signed(ttl));
    DbTime(end.unwrap_or(verified.0))
}

/// Both locked, so that neither goes while the other is put to it.
macro_rules! lock_both {
    ($conn:expr, $group:expr, $user:expr) => {{
        let group: Group = lock_group!($conn, $group);
        let user = lock_user!($conn, $user, None).user;
        (group.id, user.id)
    }};
}

pub(in super::super) async fn add_to_group(
    db: &Db,
    node: &str,
    group: &GroupId,
    user: &UserId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let (group, user) = lock_both!(conn, group, user);
        let key = (user.as_str(), group.as_str());
        let known: Option<String> = user_group_membership::table
            .find(key)
            .select(user_group_membership::user_id)
            .first(conn)
            .await
            .optional()?;
        if known.is_some() {
            return Ok(Change::default());
        }
        diesel::insert_into(user_group_membership::table)
            .values((
                user_group_membership::user_id.eq(user.as_str()),
                user_group_membership::group_id.eq(group.as_str()),
            ))
            .execute(conn)
            .await?;
        let change = Change::of([Entity::new(Kind::Membership, user.as_str())]);
        Ok(record_change(conn, node, change).await?)
    })
}

pub(in super::super) async fn remove_from_group(
    db: &Db,
    node: &str,
    group: &GroupId,
    user: &UserId,
    now: i64,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let (group, user) = lock_both!(conn, group, user);
        let row = user_group_membership::table.find((user.as_str(), group.as_str()));
        if diesel::delete(row).execute(conn).await? == 0 {
            return Err(Error::NotInGroup { user, group });
        }
        let change = Change::of([Entity::new(Kind::Membership, user.as_str())])
            .and_revoking(vec![Event::user(user.as_str(), now)]);
        Ok(record_change(conn, node, change).await?)
    })
}
