//! Groups and who is in them.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, ExpiringMembership, Group, Memberships};
use super::GroupRow;
use crate::db::schema::{
    expiring_user_group_membership as expiring, group, identity_provider, user_group_membership,
};
use crate::db::{Db, DbTime};
use crate::ids::{DomainId, GroupId, UserId};
use crate::with_conn;

pub(in super::super) async fn find_group(db: &Db, id: &GroupId) -> Result<Option<Group>, Error> {
    with_conn!(db, |conn| {
        let row: Option<GroupRow> = group::table
            .find(id.as_str())
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
            .filter(group::domain_id.eq(domain.as_str()))
            .filter(group::name.eq(name))
            .select(group::id)
            .first(conn)
            .await
            .optional()?;
        Ok(id.map(Into::into))
    })
}

/// The memberships of a user, ended ones included; `default_ttl` in minutes, for identity
/// providers that have none of their own.
pub(in super::super) async fn memberships(
    db: &Db,
    user: &UserId,
    default_ttl: u32,
) -> Result<Memberships, Error> {
    with_conn!(db, |conn| {
        let permanent: Vec<String> = user_group_membership::table
            .filter(user_group_membership::user_id.eq(user.as_str()))
            .order(user_group_membership::group_id)
            .select(user_group_membership::group_id)
            .load(conn)
            .await?;
        let expiring: Vec<(String, String, DbTime, Option<i32>)> = expiring::table
            .inner_join(identity_provider::table)
            .filter(expiring::user_id.eq(user.as_str()))
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

/// When a membership ends that was confirmed at `verified`. A time of zero counts as none, as for
/// Keystone.
fn end(verified: DbTime, ttl: Option<i32>, default_ttl: u32) -> DbTime {
    let minutes = ttl
        .filter(|ttl| *ttl != 0)
        .map_or(default_ttl.into(), i64::from);
    let end = TimeDelta::try_minutes(minutes).and_then(|ttl| verified.0.checked_add_signed(ttl));
    DbTime(end.unwrap_or(verified.0))
}
