//! The table `limit`.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::handlers::as_new;
use super::super::model::{Family, Known, check};
use super::super::{Error, Limit, LimitPatch, NewLimit, RegisteredLimit};
use super::registered::{RegisteredRow, load_of_services};
use crate::db::Db;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{limit, registered_limit};
use crate::epoch::{Entity, Kind};
use crate::ids::{DomainId, LimitId, ProjectId, ServiceId};
use crate::{resource, transaction, with_conn};

/// IDs in one statement: far below what SQLite and MySQL take.
const BATCH: usize = 1000;

// Without `internal_id`, which the database gives.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = limit)]
struct LimitRow {
    id: String,
    project_id: Option<String>,
    resource_limit: i32,
    description: Option<String>,
    registered_limit_id: Option<String>,
    domain_id: Option<String>,
}

crate::insert_rows!(LimitRow => crate::db::schema::limit);

impl From<&Limit> for LimitRow {
    fn from(limit: &Limit) -> Self {
        Self {
            id: limit.id.to_string(),
            project_id: limit.project_id.as_ref().map(ProjectId::to_string),
            resource_limit: limit.resource_limit,
            description: limit.description.clone(),
            registered_limit_id: Some(limit.registered_limit_id.to_string()),
            domain_id: limit.domain_id.as_ref().map(DomainId::to_string),
        }
    }
}

/// A limit with what is registered.
type Joined = (LimitRow, Option<RegisteredRow>);

fn assemble((row, registered): Joined) -> Limit {
    let registered = registered.map(RegisteredLimit::from);
    let resource = registered.as_ref().map(RegisteredLimit::resource);
    Limit {
        id: row.id.into(),
        project_id: row.project_id.map(Into::into),
        domain_id: row.domain_id.map(Into::into),
        resource_limit: row.resource_limit,
        description: row.description,
        service_id: resource.as_ref().and_then(|of| of.service_id.clone()),
        region_id: resource.as_ref().and_then(|of| of.region_id.clone()),
        resource_name: resource.and_then(|of| of.resource_name),
        registered_limit_id: row.registered_limit_id.unwrap_or_default().into(),
    }
}

/// The limits of a condition, with what is registered, in the order of their IDs.
macro_rules! load_limits {
    ($conn:expr, $theirs:expr) => {{
        let registered = limit::registered_limit_id.eq(registered_limit::id.nullable());
        let rows: Vec<Joined> = limit::table
            .left_join(registered_limit::table.on(registered))
            .filter($theirs)
            .select((LimitRow::as_select(), Option::<RegisteredRow>::as_select()))
            .order(limit::id)
            .load($conn)
            .await?;
        rows.into_iter().map(assemble).collect::<Vec<Limit>>()
    }};
}

/// The condition that a limit is of one of these projects and domains.
macro_rules! is_owned_by {
    ($owners:expr) => {{
        let owners: Vec<String> = $owners;
        limit::project_id
            .eq_any(owners.clone())
            .or(limit::domain_id.eq_any(owners))
            .assume_not_null()
    }};
}

pub(in super::super) async fn find(db: &Db, id: &LimitId) -> Result<Option<Limit>, Error> {
    with_conn!(db, |conn| {
        let found: Vec<Limit> = load_limits!(conn, limit::id.eq(id.as_str()));
        Ok(found.into_iter().next())
    })
}

/// All limits of a project or domain.
pub(in super::super) async fn list_owned(db: &Db, owner: &str) -> Result<Vec<Limit>, Error> {
    // PostgreSQL refuses a text with a NUL in it; nothing is called so.
    if owner.contains('\0') {
        return Ok(Vec::new());
    }
    with_conn!(db, |conn| {
        Ok::<_, Error>(load_limits!(conn, is_owned_by!(vec![owner.to_owned()])))
    })
}

/// All limits of some projects and domains.
pub(in super::super) async fn list_of(db: &Db, owners: &[String]) -> Result<Vec<Limit>, Error> {
    let mut limits: Vec<Limit> = with_conn!(db, |conn| {
        let mut limits = Vec::new();
        for owners in owners.chunks(BATCH) {
            limits.extend(load_limits!(conn, is_owned_by!(owners.to_vec())));
        }
        Ok::<_, Error>(limits)
    })?;
    limits.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(limits)
}

/// All limits.
pub(in super::super) async fn list(db: &Db) -> Result<Vec<Limit>, Error> {
    with_conn!(db, |conn| {
        Ok::<_, Error>(load_limits!(conn, limit::id.is_not_null()))
    })
}

/// The registered limits of these services, locked for the rest of the transaction, and those
/// limits in their place that matter to these owners.
macro_rules! lock_known {
    ($conn:expr, $services:expr, $owners:expr) => {{
        let services: Vec<String> = $services;
        // In one statement, so in one order.
        diesel::update(
            registered_limit::table.filter(registered_limit::service_id.eq_any(services.clone())),
        )
        .set(registered_limit::id.eq(registered_limit::id))
        .execute($conn)
        .await?;
        let registered: Vec<RegisteredLimit> = load_of_services!($conn, services);
        let ids = registered.iter().map(|limit| limit.id.to_string());
        let ids: Vec<String> = ids.collect();
        let owners: Vec<String> = $owners;
        let mut limits = Vec::new();
        for owners in owners.chunks(BATCH) {
            let theirs = is_owned_by!(owners.to_vec()).and(
                limit::registered_limit_id
                    .eq_any(ids.clone())
                    .assume_not_null(),
            );
            limits.extend(load_limits!($conn, theirs));
        }
        Known::new(registered, limits)
    }};
}

/// The IDs of the domains and of the projects that these are of, each once.
fn own(limits: &[NewLimit]) -> [(&'static str, Vec<String>); 2] {
    let domains = limits.iter().filter_map(|limit| limit.domain_id.as_ref());
    let domains: BTreeSet<&DomainId> = domains.collect();
    let projects = limits.iter().filter_map(|limit| limit.project_id.as_ref());
    let projects: BTreeSet<&ProjectId> = projects.collect();
    [
        (
            "domain_id",
            domains.into_iter().map(ToString::to_string).collect(),
        ),
        (
            "project_id",
            projects.into_iter().map(ToString::to_string).collect(),
        ),
    ]
}

/// The IDs of the services of these limits.
fn services(limits: &[NewLimit]) -> Vec<String> {
    let ids = limits.iter().map(|limit| &limit.service_id);
    let ids: BTreeSet<&ServiceId> = ids.collect();
    ids.into_iter().map(ServiceId::to_string).collect()
}

/// The IDs of all whose limits matter to these.
fn owners(limits: &[NewLimit], family: Option<&Family>) -> Vec<String> {
    let own = limits.iter().filter_map(|limit| {
        let project = limit.project_id.as_ref().map(ProjectId::as_str);
        project.or(limit.domain_id.as_ref().map(DomainId::as_str))
    });
    let relatives = family.into_iter().flat_map(Family::relatives);
    let ids: BTreeSet<&str> = own.chain(relatives.map(ProjectId::as_str)).collect();
    ids.into_iter().map(str::to_owned).collect()
}

fn of_owners<'a>(limits: impl IntoIterator<Item = &'a Limit>) -> Change {
    let owners: BTreeSet<&str> = limits.into_iter().map(Limit::owner).collect();
    Change::of(
        owners
            .into_iter()
            .map(|owner| Entity::new(Kind::Limits, owner)),
    )
}

pub(in super::super) async fn insert(
    db: &Db,
    node: &str,
    new: &[NewLimit],
    family: Option<&Family>,
) -> Result<(Vec<Limit>, Change), Error> {
    transaction!(db, |conn| {
        // Before the limits, as whoever deletes a project does, and before anything is read.
        for (attribute, ids) in own(new) {
            if resource::hold_all(conn, &ids).await? < ids.len() {
                return Err(Error::Unknown {
                    attribute,
                    kind: "limit",
                });
            }
        }
        let mut known: Known = lock_known!(conn, services(new), owners(new, family));
        if let Some(family) = family {
            check(new, &known, family)?;
        }
        let mut limits = Vec::new();
        for limit in new {
            let registered = known.registered(&limit.resource());
            let registered = registered.ok_or(Error::NotRegistered)?.id.clone();
            let limit = limit.clone().registered(&registered);
            if !known.add(&limit) {
                return Err(Error::Exists);
            }
            limits.push(limit);
        }
        let rows: Vec<LimitRow> = limits.iter().map(Into::into).collect();
        crate::db::InsertRows::insert_rows(conn, rows).await?;
        let change = record_change(conn, node, of_owners(&limits)).await?;
        Ok((limits, change))
    })
}

pub(in super::super) async fn update(
    db: &Db,
    node: &str,
    id: &LimitId,
    patch: LimitPatch,
    family: Option<&Family>,
) -> Result<(Limit, Change), Error> {
    transaction!(db, |conn| {
        if family.is_some() {
            // Before anything is read, so that what is judged by is as the last change has left it.
            let its = limit::table
                .filter(limit::id.eq(id.as_str()))
                .select(limit::registered_limit_id.assume_not_null());
            diesel::update(registered_limit::table.filter(registered_limit::id.eq_any(its)))
                .set(registered_limit::id.eq(registered_limit::id))
                .execute(conn)
                .await?;
        }
        diesel::update(limit::table.filter(limit::id.eq(id.as_str())))
            .set(limit::id.eq(limit::id))
            .execute(conn)
            .await?;
        let found: Vec<Limit> = load_limits!(conn, limit::id.eq(id.as_str()));
        let old = found.into_iter().next();
        let old = old.ok_or_else(|| Error::NotFound(id.clone()))?;
        let new = patch.clone().apply(&old);
        if let (Some(family), Some(judged)) = (family, as_new(&new)) {
            let judged = [judged];
            let known: Known = lock_known!(conn, services(&judged), owners(&judged, Some(family)));
            check(&judged, &known, family)?;
        }
        diesel::update(limit::table.filter(limit::id.eq(id.as_str())))
            .set((
                limit::resource_limit.eq(new.resource_limit),
                limit::description.eq(&new.description),
            ))
            .execute(conn)
            .await?;
        let change = record_change(conn, node, of_owners([&new])).await?;
        Ok((new, change))
    })
}

pub(in super::super) async fn delete(db: &Db, node: &str, id: &LimitId) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let found: Vec<Limit> = load_limits!(conn, limit::id.eq(id.as_str()));
        let gone = diesel::delete(limit::table.filter(limit::id.eq(id.as_str())))
            .execute(conn)
            .await?;
        if gone == 0 {
            return Err(Error::NotFound(id.clone()));
        }
        Ok(record_change(conn, node, of_owners(&found)).await?)
    })
}
