//! The tables `service`, `endpoint` and `region`.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::url::UrlTemplate;
use super::{Catalog, CatalogEndpoint, CatalogService, Error};
use crate::attributes::parse_extra;
use crate::db::Db;
use crate::db::schema::{endpoint, service};
use crate::with_conn;

#[derive(Queryable, Selectable)]
#[diesel(table_name = service)]
struct ServiceRow {
    id: String,
    kind: Option<String>,
    extra: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = endpoint)]
struct EndpointRow {
    id: String,
    interface: String,
    service_id: String,
    url: String,
    region_id: Option<String>,
}

/// The enabled services and endpoints. An endpoint whose URL is malformed is left out.
pub(super) async fn load(db: &Db, public_endpoint: Option<&str>) -> Result<Catalog, Error> {
    let (services, endpoints) = with_conn!(db, |conn| {
        let services: Vec<ServiceRow> = service::table
            .filter(service::enabled.eq(true))
            .select(ServiceRow::as_select())
            .order(service::id)
            .load(conn)
            .await?;
        let endpoints: Vec<EndpointRow> = endpoint::table
            .filter(endpoint::enabled.eq(true))
            .select(EndpointRow::as_select())
            .order(endpoint::id)
            .load(conn)
            .await?;
        Ok::<_, Error>((services, endpoints))
    })?;
    let mut of_service: HashMap<String, Vec<CatalogEndpoint>> = HashMap::new();
    for row in endpoints {
        let Some(url) = UrlTemplate::compile(&row.url, public_endpoint) else {
            tracing::warn!(
                endpoint.id = row.id,
                "endpoint left out: its URL is malformed"
            );
            continue;
        };
        of_service
            .entry(row.service_id)
            .or_default()
            .push(CatalogEndpoint {
                id: row.id,
                interface: row.interface,
                region_id: row.region_id,
                url,
            });
    }
    let services = services.into_iter().map(|row| {
        let name = match parse_extra(row.extra.as_deref()).remove("name") {
            Some(Value::String(name)) => name,
            _ => String::new(),
        };
        CatalogService {
            endpoints: of_service.remove(&row.id).unwrap_or_default(),
            id: row.id,
            kind: row.kind,
            name,
        }
    });
    Ok(Catalog {
        services: services.collect(),
    })
}
