//! The table `endpoint`.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Endpoint, EndpointPatch, Error, NewRegion, PlacedEndpoint, Region};
use super::regions::{RegionRow, add_region};
use super::{lock_row, whole};
use crate::attributes::{extra_column, parse_extra};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{endpoint, project_endpoint, region};
use crate::db::{Db, on_unique};
use crate::ids::{EndpointId, RegionId};
use crate::policy_store::delete_associations_of_endpoint;
use crate::{lock_by_id, transaction};

/// The longest ID that a region can have.
const MAX_REGION: usize = 255;

// Without `legacy_endpoint_id`, which stays what it is.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = endpoint, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
pub(super) struct EndpointRow {
    id: String,
    interface: String,
    service_id: String,
    url: String,
    extra: Option<String>,
    enabled: bool,
    region_id: Option<String>,
}

impl From<EndpointRow> for Endpoint {
    fn from(row: EndpointRow) -> Self {
        let mut extra = parse_extra(row.extra.as_deref());
        // Python Keystone may have stored one; it shows the region's ID under this name.
        extra.shift_remove("region");
        Self {
            extra,
            id: row.id.into(),
            interface: row.interface,
            region_id: row.region_id.map(Into::into),
            service_id: row.service_id.into(),
            url: row.url,
            enabled: row.enabled,
        }
    }
}

impl From<&Endpoint> for EndpointRow {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id.to_string(),
            interface: endpoint.interface.clone(),
            service_id: endpoint.service_id.to_string(),
            url: endpoint.url.clone(),
            extra: Some(extra_column(&endpoint.extra)),
            enabled: endpoint.enabled,
            region_id: endpoint.region_id.as_ref().map(RegionId::to_string),
        }
    }
}

/// Fails unless what an endpoint is to refer to exists, and locks it, so that it is not deleted
/// meanwhile. `$made` is the region to be made if it is missing; evaluates to it if it was.
macro_rules! refer {
    ($conn:expr, $region:expr, $service:expr, $made:expr) => {{
        let made: Option<&RegionId> = $made;
        let mut added: Option<RegionId> = None;
        if let Some(id) = $region
            && !lock_by_id!($conn, region, id)
        {
            if made != Some(id) || id.as_str().chars().count() > MAX_REGION {
                return Err(Error::UnknownRegion);
            }
            add_region!($conn, &Region::from(NewRegion::named(id.clone())));
            added = Some(id.clone());
        }
        if let Some(id) = $service
            && !lock_by_id!($conn, service, id)
        {
            return Err(Error::UnknownService);
        }
        added
    }};
}

pub(in super::super) async fn insert_endpoint(
    db: &Db,
    node: &str,
    new: &Endpoint,
    made: Option<RegionId>,
) -> Result<(PlacedEndpoint, Change), Error> {
    transaction!(db, |conn| {
        let made = refer!(conn, &new.region_id, Some(&new.service_id), made.as_ref());
        diesel::insert_into(endpoint::table)
            .values(EndpointRow::from(new))
            .execute(conn)
            .await?;
        let change = record_change(conn, node, whole()).await?;
        let endpoint = Arc::new(new.clone());
        Ok((PlacedEndpoint { endpoint, made }, change))
    })
}

pub(in super::super) async fn update_endpoint(
    db: &Db,
    node: &str,
    id: &EndpointId,
    patch: EndpointPatch,
    made: Option<RegionId>,
) -> Result<(PlacedEndpoint, Change), Error> {
    transaction!(db, |conn| {
        let region = patch.region_id.as_ref().and_then(Option::as_ref);
        let made = refer!(conn, region, &patch.service_id, made.as_ref());
        let old = lock_row!(conn, endpoint, EndpointRow, id, Error::EndpointNotFound);
        let new = patch.clone().apply(&old.into());
        diesel::update(endpoint::table.find(id.as_str()))
            .set(EndpointRow::from(&new))
            .execute(conn)
            .await?;
        let change = record_change(conn, node, whole()).await?;
        let endpoint = Arc::new(new);
        Ok((PlacedEndpoint { endpoint, made }, change))
    })
}

pub(in super::super) async fn delete_endpoint(
    db: &Db,
    node: &str,
    id: &EndpointId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        if !lock_by_id!(conn, endpoint, id) {
            return Err(Error::EndpointNotFound(id.clone()));
        }
        delete_associations_of_endpoint(conn, id.as_str()).await?;
        diesel::delete(
            project_endpoint::table.filter(project_endpoint::endpoint_id.eq(id.as_str())),
        )
        .execute(conn)
        .await?;
        diesel::delete(endpoint::table.find(id.as_str()))
            .execute(conn)
            .await?;
        Ok(record_change(conn, node, whole()).await?)
    })
}
