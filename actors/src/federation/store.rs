//! The tables `identity_provider` and `service_provider`.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use super::{Error, IdentityProvider};
use crate::db::Db;
use crate::db::schema::{identity_provider, service_provider};
use crate::with_conn;

#[derive(Queryable, Selectable)]
#[diesel(table_name = identity_provider)]
struct IdentityProviderRow {
    id: String,
    enabled: bool,
    description: Option<String>,
    domain_id: String,
    authorization_ttl: Option<i32>,
}

impl From<IdentityProviderRow> for IdentityProvider {
    fn from(row: IdentityProviderRow) -> Self {
        Self {
            id: row.id,
            domain_id: row.domain_id.into(),
            enabled: row.enabled,
            authorization_ttl: row.authorization_ttl,
            description: row.description,
        }
    }
}

pub(super) async fn find_identity_provider(
    db: &Db,
    id: &str,
) -> Result<Option<IdentityProvider>, Error> {
    let row: Option<IdentityProviderRow> = with_conn!(db, |conn| {
        identity_provider::table
            .find(id)
            .select(IdentityProviderRow::as_select())
            .first(conn)
            .await
            .optional()
            .map_err(Error::from)
    })?;
    Ok(row.map(IdentityProvider::from))
}

/// What the bodies of tokens show.
pub(super) async fn enabled_service_providers(db: &Db) -> Result<Arc<[Value]>, Error> {
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
