//! The table `service`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Service, ServicePatch};
use super::{lock_row, whole};
use crate::attributes::{extra_column, parse_extra};
use crate::db::Db;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{endpoint, project_endpoint, service};
use crate::ids::ServiceId;
use crate::policy_store::delete_associations_of_service;
use crate::{lock_by_id, transaction};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = service, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
pub(super) struct ServiceRow {
    pub(super) id: String,
    kind: Option<String>,
    enabled: bool,
    extra: Option<String>,
}

impl From<ServiceRow> for Service {
    fn from(row: ServiceRow) -> Self {
        Self {
            extra: parse_extra(row.extra.as_deref()),
            id: row.id.into(),
            kind: row.kind,
            enabled: row.enabled,
        }
    }
}

impl From<&Service> for ServiceRow {
    fn from(service: &Service) -> Self {
        Self {
            id: service.id.to_string(),
            kind: service.kind.clone(),
            enabled: service.enabled,
            extra: Some(extra_column(&service.extra)),
        }
    }
}

pub(in super::super) async fn insert_service(
    db: &Db,
    node: &str,
    new: &Service,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        diesel::insert_into(service::table)
            .values(ServiceRow::from(new))
            .execute(conn)
            .await?;
        Ok(record_change(conn, node, whole()).await?)
    })
}

pub(in super::super) async fn update_service(
    db: &Db,
    node: &str,
    id: &ServiceId,
    patch: ServicePatch,
) -> Result<(Service, Change), Error> {
    transaction!(db, |conn| {
        let old = lock_row!(conn, service, ServiceRow, id, Error::ServiceNotFound);
        let new = patch.clone().apply(&old.into());
        diesel::update(service::table.find(id.as_str()))
            .set(ServiceRow::from(&new))
            .execute(conn)
            .await?;
        let change = record_change(conn, node, whole()).await?;
        Ok((new, change))
    })
}

pub(in super::super) async fn delete_service(
    db: &Db,
    node: &str,
    id: &ServiceId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        if !lock_by_id!(conn, service, id) {
            return Err(Error::ServiceNotFound(id.clone()));
        }
        delete_associations_of_service(conn, id.as_str()).await?;
        let endpoints = endpoint::table
            .filter(endpoint::service_id.eq(id.as_str()))
            .select(endpoint::id);
        diesel::delete(
            project_endpoint::table.filter(project_endpoint::endpoint_id.eq_any(endpoints)),
        )
        .execute(conn)
        .await?;
        diesel::delete(endpoint::table.filter(endpoint::service_id.eq(id.as_str())))
            .execute(conn)
            .await?;
        diesel::delete(service::table.find(id.as_str()))
            .execute(conn)
            .await?;
        Ok(record_change(conn, node, whole()).await?)
    })
}
