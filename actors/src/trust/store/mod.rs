//! The tables `trust` and `trust_role`.

mod exports;

use std::collections::{BTreeSet, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
pub(crate) use exports::{delete_of_projects, delete_of_users};

use super::{Error, NewTrust, RedelegationFault, Trust, TrustTerms, TrustsOf};
use crate::attributes::{extra_column, parse_extra};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{trust, trust_role};
use crate::db::{BATCH, Db, DbTime, InsertRows, on_unique};
use crate::epoch::{Entity, Kind};
use crate::identity::{self, hold_user};
use crate::ids::{RoleId, TrustId};
use crate::revocation::Event;
use crate::{lock_by_id, resource, transaction, with_conn};

const MICROS: i64 = 1_000_000;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = trust)]
struct TrustRow {
    id: String,
    trustor_user_id: String,
    trustee_user_id: String,
    project_id: Option<String>,
    impersonation: bool,
    /// The only one that old rows have; it is what the unique index is on.
    expires_at: Option<DbTime>,
    /// Microseconds since 1970; it counts where both are set.
    expires_at_int: Option<i64>,
    remaining_uses: Option<i32>,
    extra: Option<String>,
    redelegated_trust_id: Option<String>,
    redelegation_count: Option<i32>,
}

#[derive(Insertable)]
#[diesel(table_name = trust_role)]
struct TrustRoleRow {
    trust_id: String,
    role_id: String,
}

crate::insert_rows!(TrustRoleRow => crate::db::schema::trust_role);

impl From<TrustRow> for TrustTerms {
    fn from(row: TrustRow) -> Self {
        let precise = row.expires_at_int.map(|micros| micros.div_euclid(MICROS));
        Self {
            extra: parse_extra(row.extra.as_deref()),
            id: row.id.into(),
            trustor_user_id: row.trustor_user_id.into(),
            trustee_user_id: row.trustee_user_id.into(),
            project_id: row.project_id.map(Into::into),
            impersonation: row.impersonation,
            expires_at: precise.or_else(|| row.expires_at.map(DbTime::seconds)),
            remaining_uses: row.remaining_uses,
            deleted_at: (),
            redelegated_trust_id: row.redelegated_trust_id.map(Into::into),
            redelegation_count: row.redelegation_count.unwrap_or(0),
        }
    }
}

impl From<&TrustTerms> for TrustRow {
    fn from(trust: &TrustTerms) -> Self {
        Self {
            id: trust.id.to_string(),
            trustor_user_id: trust.trustor_user_id.to_string(),
            trustee_user_id: trust.trustee_user_id.to_string(),
            project_id: trust.project_id.as_ref().map(ToString::to_string),
            impersonation: trust.impersonation,
            expires_at: trust.expires_at.map(DbTime::from_seconds),
            expires_at_int: trust
                .expires_at
                .map(|seconds| seconds.saturating_mul(MICROS)),
            remaining_uses: trust.remaining_uses,
            extra: Some(extra_column(&trust.extra)),
            redelegated_trust_id: trust.redelegated_trust_id.as_ref().map(ToString::to_string),
            redelegation_count: Some(trust.redelegation_count),
        }
    }
}

/// The terms of a trust that is not deleted.
macro_rules! find_terms {
    ($conn:expr, $id:expr) => {{
        let row: Option<TrustRow> = trust::table
            .find($id.as_str())
            .filter(trust::deleted_at.is_null())
            .select(TrustRow::as_select())
            .first($conn)
            .await
            .optional()?;
        row.map(TrustTerms::from)
    }};
}

/// A trust that is not deleted, with all above it in its chain, itself first; a `Result`.
///
/// A chain is as long as the rules let it become, and no longer: each link may be handed on fewer
/// times than the one above.
macro_rules! find_chain {
    ($conn:expr, $id:expr, $max:expr) => {{
        let mut chain: Vec<Trust> = Vec::new();
        let mut next: Option<TrustId> = Some($id.clone());
        while let Some(id) = next.take_if(|_| chain.len() <= usize::try_from($max).unwrap_or(0)) {
            let terms = find_terms!($conn, id).ok_or_else(|| Error::NotFound(id.clone()))?;
            let roles: Vec<String> = trust_role::table
                .filter(trust_role::trust_id.eq(id.as_str()))
                .select(trust_role::role_id)
                .order(trust_role::role_id)
                .load($conn)
                .await?;
            next = terms.redelegated_trust_id.clone();
            chain.push(Trust {
                terms,
                roles: roles.into_iter().map(RoleId::from).collect(),
                original_trustor: None,
                intermediaries: Vec::new(),
                above: Vec::new(),
            });
        }
        match next {
            None => Ok(chain),
            Some(_) => Err(Error::Redelegation(RedelegationFault::Depth)),
        }
    }};
}

/// Locks a trust's row for the rest of the transaction.
macro_rules! lock_trust {
    ($conn:expr, $id:expr) => {{
        if !lock_by_id!($conn, trust, $id) {
            return Err(Error::NotFound($id.clone()));
        }
    }};
}

pub(super) async fn chain(db: &Db, id: &TrustId, max: i32) -> Result<Vec<Trust>, Error> {
    with_conn!(db, |conn| find_chain!(conn, id, max))
}

pub(super) async fn list(db: &Db, of: &TrustsOf) -> Result<Vec<TrustTerms>, Error> {
    let rows: Vec<TrustRow> = with_conn!(db, |conn| {
        let present = trust::table
            .filter(trust::deleted_at.is_null())
            .select(TrustRow::as_select())
            .order(trust::id);
        match of {
            TrustsOf::All => present.load(conn).await,
            TrustsOf::Trustor(user) => {
                let theirs = present.filter(trust::trustor_user_id.eq(user.as_str()));
                theirs.load(conn).await
            }
            TrustsOf::Trustee(user) => {
                let theirs = present.filter(trust::trustee_user_id.eq(user.as_str()));
                theirs.load(conn).await
            }
        }
        .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(TrustTerms::from).collect())
}

pub(super) async fn insert(
    db: &Db,
    new: NewTrust,
    source: Option<&TrustId>,
    max: i32,
    now: i64,
) -> Result<Trust, Error> {
    transaction!(db, |conn| {
        // All that is locked before anything is read; projects before users, as those who delete
        // them do.
        if let Some(id) = &new.project_id
            && resource::hold_all(conn, &[id.to_string()]).await? == 0
        {
            return Err(resource::Error::NotFound(id.to_string()).into());
        }
        for id in BTreeSet::from([&new.trustor_user_id, &new.trustee_user_id]) {
            if !hold_user(conn, id.as_str()).await?.is_there() {
                return Err(identity::Error::UserNotFound(id.to_string()).into());
            }
        }
        let source = match source {
            None => None,
            Some(id) => {
                // Until this is committed, it can't be deleted.
                lock_trust!(conn, id);
                let source = Trust::of_chain(find_chain!(conn, id, max)?, max)?;
                let good = source.filter(|one| !one.has_expired(now) && !one.is_used_up());
                Some(good.ok_or_else(|| Error::NotFound(id.clone()))?)
            }
        };
        let created = new.clone().grant(source.as_ref(), max)?;
        diesel::insert_into(trust::table)
            .values(TrustRow::from(&created.terms))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::Duplicate(created.id.clone())))?;
        let roles = created.roles.iter().map(|role| TrustRoleRow {
            trust_id: created.id.to_string(),
            role_id: role.to_string(),
        });
        conn.insert_rows(roles.collect()).await?;
        Ok(created)
    })
}

/// Counts a use, in one statement: of two at once, the second counts from what the first left.
/// `None` where uses are not counted.
pub(super) async fn consume(db: &Db, node: &str, id: &TrustId) -> Result<Option<Change>, Error> {
    transaction!(db, |conn| {
        let left = trust::table
            .find(id.as_str())
            .filter(trust::deleted_at.is_null())
            .filter(trust::remaining_uses.gt(0));
        let counted = diesel::update(left)
            .set(trust::remaining_uses.eq(trust::remaining_uses - 1))
            .execute(conn)
            .await?;
        let terms = find_terms!(conn, id).ok_or_else(|| Error::NotFound(id.clone()))?;
        if counted == 0 {
            return match terms.remaining_uses {
                None => Ok(None),
                Some(_) => Err(Error::UseLimitReached(terms.id)),
            };
        }
        let change = Change::of([Entity::new(Kind::Trust, terms.id.as_str())]);
        Ok(Some(record_change(conn, node, change).await?))
    })
}

/// Gives the IDs of those that went along, none before those that were made from it.
pub(super) async fn delete(
    db: &Db,
    node: &str,
    id: &TrustId,
    now: i64,
) -> Result<(Vec<TrustId>, Change), Error> {
    transaction!(db, |conn| {
        lock_trust!(conn, id);
        let terms = find_terms!(conn, id).filter(|terms| !terms.has_expired(now));
        let root = terms.ok_or_else(|| Error::NotFound(id.clone()))?;
        let mut seen: HashSet<TrustId> = HashSet::from([root.id.clone()]);
        let mut doomed: Vec<TrustId> = vec![root.id.clone()];
        let mut level = vec![root];
        while !level.is_empty() {
            let mut below: Vec<TrustTerms> = Vec::new();
            for parents in level.chunks(BATCH / 4) {
                let ids = parents.iter().map(|one| one.id.as_str());
                // Keystone has no index on the trust that one comes from, but one on trustors,
                // and whoever hands on was trustor or trustee.
                let hands = parents
                    .iter()
                    .flat_map(|one| [one.trustor_user_id.as_str(), one.trustee_user_id.as_str()]);
                let rows: Vec<TrustRow> = trust::table
                    .filter(trust::deleted_at.is_null())
                    .filter(trust::trustor_user_id.eq_any(hands))
                    .filter(trust::redelegated_trust_id.eq_any(ids))
                    .select(TrustRow::as_select())
                    .load(conn)
                    .await?;
                below.extend(rows.into_iter().map(TrustTerms::from));
            }
            level = below;
            level.retain(|one| seen.insert(one.id.clone()));
            doomed.extend(level.iter().map(|one| one.id.clone()));
        }
        for ids in doomed.chunks(BATCH) {
            let ids = ids.iter().map(TrustId::as_str);
            diesel::update(trust::table.filter(trust::id.eq_any(ids)))
                .set(trust::deleted_at.eq(DbTime::from_seconds(now)))
                .execute(conn)
                .await?;
        }
        let events = doomed.iter().map(|id| Event::trust(id.as_str(), now));
        let change = record_change(conn, node, Change::revoking(events.collect())).await?;
        let along = doomed.into_iter().skip(1).rev().collect();
        Ok((along, change))
    })
}
