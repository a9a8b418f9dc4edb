//! The table `region`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::model::RegionTree;
use super::super::{Error, Region, RegionPatch};
use super::whole;
use crate::attributes::{extra_column, parse_extra};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{endpoint, region};
use crate::db::{Db, on_unique};
use crate::ids::RegionId;
use crate::policy_store::delete_associations_of_regions;
use crate::transaction;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = region, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
pub(super) struct RegionRow {
    id: String,
    description: String,
    parent_region_id: Option<String>,
    extra: Option<String>,
}

impl From<RegionRow> for Region {
    fn from(row: RegionRow) -> Self {
        Self {
            extra: parse_extra(row.extra.as_deref()),
            id: row.id.into(),
            description: row.description,
            parent_region_id: row.parent_region_id.map(Into::into),
        }
    }
}

impl From<&Region> for RegionRow {
    fn from(region: &Region) -> Self {
        Self {
            id: region.id.to_string(),
            description: region.description.clone(),
            parent_region_id: region.parent_region_id.as_ref().map(RegionId::to_string),
            extra: Some(extra_column(&region.extra)),
        }
    }
}

/// All regions, locked for the rest of the transaction: what one may become depends on the
/// others, and there are few.
macro_rules! lock_regions {
    ($conn:expr) => {{
        diesel::update(region::table)
            .set(region::id.eq(region::id))
            .execute($conn)
            .await?;
        let rows: Vec<RegionRow> = region::table
            .select(RegionRow::as_select())
            .load($conn)
            .await?;
        rows.into_iter().map(Region::from).collect::<Vec<Region>>()
    }};
}

/// Adds a region that may have come from another transaction meanwhile.
macro_rules! add_region {
    ($conn:expr, $region:expr) => {{
        let region: &Region = $region;
        diesel::insert_into(region::table)
            .values(RegionRow::from(region))
            .execute($conn)
            .await
            .map_err(|error| on_unique(error, || Error::RegionExists(region.id.clone())))?;
    }};
}
pub(super) use add_region;

fn find<'a>(regions: &'a [Region], id: &RegionId) -> Result<&'a Region, Error> {
    let region = regions.iter().find(|region| region.id == *id);
    region.ok_or_else(|| Error::RegionNotFound(id.clone()))
}

/// Fails if a region would be missing its parent.
fn check_parent(regions: &[Region], parent: Option<&RegionId>) -> Result<(), Error> {
    match parent {
        Some(parent) => find(regions, parent).map(|_| ()),
        None => Ok(()),
    }
}

fn tree<'a>(regions: impl IntoIterator<Item = &'a Region>) -> RegionTree {
    let regions = regions.into_iter();
    let pairs = regions.map(|region| (region.id.clone(), region.parent_region_id.clone()));
    pairs.collect()
}

pub(in super::super) async fn insert_region(
    db: &Db,
    node: &str,
    new: &Region,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let regions = lock_regions!(conn);
        if find(&regions, &new.id).is_ok() {
            return Err(Error::RegionExists(new.id.clone()));
        }
        check_parent(&regions, new.parent_region_id.as_ref())?;
        add_region!(conn, new);
        Ok(record_change(conn, node, whole()).await?)
    })
}

pub(in super::super) async fn update_region(
    db: &Db,
    node: &str,
    id: &RegionId,
    patch: RegionPatch,
) -> Result<(Region, Change), Error> {
    transaction!(db, |conn| {
        let regions = lock_regions!(conn);
        let parent = patch.parent_region_id.as_ref().and_then(Option::as_ref);
        check_parent(&regions, parent)?;
        let new = patch.clone().apply(find(&regions, id)?);
        if let Some(parent) = &new.parent_region_id
            && tree(&regions).upwards(parent).contains(id)
        {
            return Err(Error::CircularRegions(id.clone()));
        }
        diesel::update(region::table.find(id.as_str()))
            .set(RegionRow::from(&new))
            .execute(conn)
            .await?;
        let change = record_change(conn, node, whole()).await?;
        Ok((new, change))
    })
}

pub(in super::super) async fn delete_region(
    db: &Db,
    node: &str,
    id: &RegionId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let regions = lock_regions!(conn);
        find(&regions, id)?;
        let below = tree(&regions).downwards(id).into_iter();
        let gone: Vec<String> = below.map(|id| id.to_string()).collect();
        let endpoints: i64 = endpoint::table
            .filter(endpoint::region_id.eq_any(gone.clone()))
            .count()
            .get_result(conn)
            .await?;
        if endpoints > 0 {
            return Err(Error::RegionInUse(id.clone()));
        }
        delete_associations_of_regions(conn, &gone).await?;
        diesel::delete(region::table.filter(region::id.eq_any(gone)))
            .execute(conn)
            .await?;
        Ok(record_change(conn, node, whole()).await?)
    })
}
