//! The tables `region`, `service`, `endpoint`, `endpoint_group`, `project_endpoint` and
//! `project_endpoint_group`.

mod endpoints;
mod exports;
mod filters;
mod groups;
mod regions;
mod services;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

pub(super) use endpoints::{delete_endpoint, insert_endpoint, update_endpoint};
pub(crate) use exports::delete_filters_of_projects;
pub(super) use filters::{
    find_filter, hide_endpoint, hide_group, list_projects_of_endpoint, list_projects_of_group,
    show_endpoint, show_group,
};
pub(super) use groups::{delete_group, insert_group, update_group};
pub(super) use regions::{delete_region, insert_region, update_region};
pub(super) use services::{delete_service, insert_service, update_service};

use self::endpoints::EndpointRow;
use self::groups::GroupRow;
use self::regions::RegionRow;
use self::services::ServiceRow;
use super::{Error, Inventory};
use crate::db::Db;
use crate::db::outbox::Change;
use crate::db::schema::{endpoint, endpoint_group, region, service};
use crate::epoch::Entity;
use crate::with_conn;

/// The row of this key, locked for the rest of the transaction. Returns the error `$missing` of the
/// key if there is none.
macro_rules! lock_row {
    ($conn:expr, $table:ident, $row:ty, $id:expr, $missing:path) => {{
        if !lock_by_id!($conn, $table, $id) {
            return Err($missing($id.clone()));
        }
        let row: $row = $table::table
            .find($id.as_str())
            .select(<$row>::as_select())
            .first($conn)
            .await?;
        row
    }};
}
use lock_row;

/// What every change of the catalog itself makes stale.
fn whole() -> Change {
    Change::of([Entity::catalog()])
}

/// All that the catalog is made of.
pub(super) async fn load(db: &Db, public_endpoint: Option<&str>) -> Result<Inventory, Error> {
    with_conn!(db, |conn| {
        let regions: Vec<RegionRow> = region::table
            .select(RegionRow::as_select())
            .load(conn)
            .await?;
        let services: Vec<ServiceRow> = service::table
            .select(ServiceRow::as_select())
            .load(conn)
            .await?;
        let endpoints: Vec<EndpointRow> = endpoint::table
            .select(EndpointRow::as_select())
            .load(conn)
            .await?;
        let groups: Vec<GroupRow> = endpoint_group::table
            .select(GroupRow::as_select())
            .load(conn)
            .await?;
        Ok(Inventory::new(
            regions.into_iter().map(Into::into),
            services.into_iter().map(Into::into),
            endpoints.into_iter().map(Into::into),
            groups.into_iter().map(Into::into),
            public_endpoint,
        ))
    })
}
