//! Service providers.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use super::super::{Error, ServiceProvider, ServiceProviderPatch};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::service_provider;
use crate::db::{Db, on_unique, sought};
use crate::epoch::{Entity, Kind};
use crate::ids::ServiceProviderId;
use crate::{lock_by_id, transaction, with_conn};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = service_provider, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
struct Row {
    auth_url: String,
    id: String,
    enabled: bool,
    description: Option<String>,
    sp_url: String,
    relay_state_prefix: String,
}

impl From<Row> for ServiceProvider {
    fn from(row: Row) -> Self {
        Self {
            auth_url: row.auth_url,
            id: row.id.into(),
            enabled: row.enabled,
            description: row.description,
            relay_state_prefix: row.relay_state_prefix,
            sp_url: row.sp_url,
        }
    }
}

impl From<&ServiceProvider> for Row {
    fn from(provider: &ServiceProvider) -> Self {
        Self {
            auth_url: provider.auth_url.clone(),
            id: provider.id.to_string(),
            enabled: provider.enabled,
            description: provider.description.clone(),
            sp_url: provider.sp_url.clone(),
            relay_state_prefix: provider.relay_state_prefix.clone(),
        }
    }
}

macro_rules! find {
    ($conn:expr, $id:expr) => {{
        let row: Option<Row> = service_provider::table
            .find(sought($id.as_str()))
            .select(Row::as_select())
            .first($conn)
            .await
            .optional()?;
        row.map(ServiceProvider::from)
    }};
}

/// What tokens show of all of them.
fn change() -> Change {
    Change::of([Entity::new(Kind::IdentityProvider, "")])
}

pub(in super::super) async fn find_service_provider(
    db: &Db,
    id: &ServiceProviderId,
) -> Result<Option<ServiceProvider>, Error> {
    with_conn!(db, |conn| Ok(find!(conn, id)))
}

pub(in super::super) async fn list_service_providers(
    db: &Db,
) -> Result<Vec<ServiceProvider>, Error> {
    let rows: Vec<Row> = with_conn!(db, |conn| {
        service_provider::table
            .select(Row::as_select())
            .order(service_provider::id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(ServiceProvider::from).collect())
}

/// What the bodies of tokens show.
pub(in super::super) async fn enabled_service_providers(db: &Db) -> Result<Arc<[Value]>, Error> {
    let rows: Vec<(String, String, String)> = with_conn!(db, |conn| {
        service_provider::table
            .filter(service_provider::enabled.eq(true))
            .select((
                service_provider::id,
                service_provider::auth_url,
                service_provider::sp_url,
            ))
            .order(service_provider::id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    let shown = rows
        .into_iter()
        .map(|(id, auth_url, sp_url)| json!({"id": id, "auth_url": auth_url, "sp_url": sp_url}));
    Ok(shown.collect())
}

pub(in super::super) async fn insert_service_provider(
    db: &Db,
    node: &str,
    new: &ServiceProvider,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        diesel::insert_into(service_provider::table)
            .values(Row::from(new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::ServiceProviderExists(new.id.clone())))?;
        Ok(record_change(conn, node, change()).await?)
    })
}

/// `default_prefix`: what takes the place of a prefix that is cleared.
pub(in super::super) async fn update_service_provider(
    db: &Db,
    node: &str,
    id: &ServiceProviderId,
    patch: ServiceProviderPatch,
    default_prefix: &str,
) -> Result<(ServiceProvider, Change), Error> {
    transaction!(db, |conn| {
        let missing = || Error::ServiceProviderNotFound(id.clone());
        if !lock_by_id!(conn, service_provider, id) {
            return Err(missing());
        }
        let old = find!(conn, id).ok_or_else(missing)?;
        let new = patch.clone().apply(&old, default_prefix)?;
        diesel::update(service_provider::table.find(new.id.as_str()))
            .set(Row::from(&new))
            .execute(conn)
            .await?;
        Ok((new, record_change(conn, node, change()).await?))
    })
}

pub(in super::super) async fn delete_service_provider(
    db: &Db,
    node: &str,
    id: &ServiceProviderId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let row = service_provider::table.find(sought(id.as_str()));
        if diesel::delete(row).execute(conn).await? == 0 {
            return Err(Error::ServiceProviderNotFound(id.clone()));
        }
        Ok(record_change(conn, node, change()).await?)
    })
}
