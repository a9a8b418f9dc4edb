//! The table `registered_limit`.

use std::collections::{BTreeSet, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::model::Resource;
use super::super::{Error, RegisteredLimit, RegisteredLimitPatch};
use crate::db::Db;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{limit, registered_limit};
use crate::epoch::{Entity, Kind};
use crate::ids::{RegionId, RegisteredLimitId, ServiceId};
use crate::{lock_by_id, transaction, with_conn};

// Without `internal_id`, which the database gives.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = registered_limit, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
pub(super) struct RegisteredRow {
    id: String,
    service_id: Option<String>,
    region_id: Option<String>,
    resource_name: Option<String>,
    default_limit: i32,
    description: Option<String>,
}

crate::insert_rows!(RegisteredRow => crate::db::schema::registered_limit);

impl From<RegisteredRow> for RegisteredLimit {
    fn from(row: RegisteredRow) -> Self {
        Self {
            id: row.id.into(),
            service_id: row.service_id.map(Into::into),
            region_id: row.region_id.map(Into::into),
            resource_name: row.resource_name,
            default_limit: row.default_limit,
            description: row.description,
        }
    }
}

impl From<&RegisteredLimit> for RegisteredRow {
    fn from(limit: &RegisteredLimit) -> Self {
        Self {
            id: limit.id.to_string(),
            service_id: limit.service_id.as_ref().map(ServiceId::to_string),
            region_id: limit.region_id.as_ref().map(RegionId::to_string),
            resource_name: limit.resource_name.clone(),
            default_limit: limit.default_limit,
            description: limit.description.clone(),
        }
    }
}

/// What every change of registered limits makes stale.
fn whole() -> Change {
    Change::of([Entity::new(Kind::Limits, "")])
}

/// The registered limits of some services (their IDs a `Vec<String>`).
macro_rules! load_of_services {
    ($conn:expr, $services:expr) => {{
        let services: Vec<String> = $services;
        let rows: Vec<RegisteredRow> = registered_limit::table
            .filter(registered_limit::service_id.eq_any(services))
            .select(RegisteredRow::as_select())
            .load($conn)
            .await?;
        rows.into_iter()
            .map(RegisteredLimit::from)
            .collect::<Vec<RegisteredLimit>>()
    }};
}
pub(super) use load_of_services;

/// A registered limit that nothing refers to, locked for the rest of the transaction.
macro_rules! lock_unused {
    ($conn:expr, $id:expr) => {{
        let row = registered_limit::table.filter(registered_limit::id.eq($id.as_str()));
        diesel::update(row)
            .set(registered_limit::id.eq(registered_limit::id))
            .execute($conn)
            .await?;
        let row: Option<RegisteredRow> = row
            .select(RegisteredRow::as_select())
            .first($conn)
            .await
            .optional()?;
        let row = row.ok_or_else(|| Error::RegisteredNotFound($id.clone()))?;
        let used: Option<String> = limit::table
            .filter(limit::registered_limit_id.eq($id.as_str()))
            .select(limit::id)
            .first($conn)
            .await
            .optional()?;
        if used.is_some() {
            return Err(Error::RegisteredInUse($id.clone()));
        }
        RegisteredLimit::from(row)
    }};
}

pub(in super::super) async fn load_registered(db: &Db) -> Result<Vec<RegisteredLimit>, Error> {
    let rows: Vec<RegisteredRow> = with_conn!(db, |conn| {
        registered_limit::table
            .select(RegisteredRow::as_select())
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(in super::super) async fn insert_registered(
    db: &Db,
    node: &str,
    new: &[RegisteredLimit],
) -> Result<Change, Error> {
    let services = new.iter().filter_map(|limit| limit.service_id.clone());
    let services: BTreeSet<ServiceId> = services.collect();
    transaction!(db, |conn| {
        // One transaction at a time for each service: nothing else holds the names apart.
        for service in &services {
            if !lock_by_id!(conn, service, service) {
                return Err(service_is_gone());
            }
        }
        let services = services.iter().map(ServiceId::to_string).collect();
        let known: Vec<RegisteredLimit> = load_of_services!(conn, services);
        let mut known: HashSet<Resource> = known.iter().map(RegisteredLimit::resource).collect();
        if !new.iter().all(|limit| known.insert(limit.resource())) {
            return Err(Error::RegisteredExists);
        }
        let rows: Vec<RegisteredRow> = new.iter().map(Into::into).collect();
        crate::db::InsertRows::insert_rows(conn, rows).await?;
        Ok(record_change(conn, node, whole()).await?)
    })
}

pub(in super::super) async fn update_registered(
    db: &Db,
    node: &str,
    id: &RegisteredLimitId,
    patch: RegisteredLimitPatch,
) -> Result<(RegisteredLimit, Change), Error> {
    transaction!(db, |conn| {
        if let Some(service) = &patch.service_id
            && !lock_by_id!(conn, service, service)
        {
            return Err(service_is_gone());
        }
        let old = lock_unused!(conn, id);
        let new = patch.clone().apply(&old);
        if patch.names_resource() {
            let service = new.service_id.iter().map(ServiceId::to_string).collect();
            let known: Vec<RegisteredLimit> = load_of_services!(conn, service);
            if known.iter().any(|limit| limit.resource() == new.resource()) {
                return Err(Error::RegisteredExists);
            }
        }
        diesel::update(registered_limit::table.filter(registered_limit::id.eq(id.as_str())))
            .set(RegisteredRow::from(&new))
            .execute(conn)
            .await?;
        let change = record_change(conn, node, whole()).await?;
        Ok((new, change))
    })
}

pub(in super::super) async fn delete_registered(
    db: &Db,
    node: &str,
    id: &RegisteredLimitId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let _locked = lock_unused!(conn, id);
        diesel::delete(registered_limit::table.filter(registered_limit::id.eq(id.as_str())))
            .execute(conn)
            .await?;
        Ok(record_change(conn, node, whole()).await?)
    })
}

/// It was there a moment ago.
fn service_is_gone() -> Error {
    Error::Unknown {
        attribute: "service_id",
        kind: "registered_limit",
    }
}
