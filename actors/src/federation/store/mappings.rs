//! Mappings.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Mapping};
use crate::db::schema::mapping;
use crate::db::{Db, on_unique, sought};
use crate::ids::MappingId;
use crate::with_conn;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = mapping)]
struct MappingRow {
    id: String,
    rules: String,
    schema_version: String,
}

impl From<MappingRow> for Mapping {
    fn from(row: MappingRow) -> Self {
        Self {
            rules: Self::rules_of(&row.rules),
            id: row.id.into(),
            schema_version: row.schema_version,
        }
    }
}

impl TryFrom<&Mapping> for MappingRow {
    type Error = Error;

    fn try_from(mapping: &Mapping) -> Result<Self, Error> {
        Ok(Self {
            id: mapping.id.to_string(),
            rules: mapping.rules_column()?,
            schema_version: mapping.schema_version.clone(),
        })
    }
}

pub(in super::super) async fn find_mapping(
    db: &Db,
    id: &MappingId,
) -> Result<Option<Mapping>, Error> {
    let row: Option<MappingRow> = with_conn!(db, |conn| {
        mapping::table
            .find(sought(id.as_str()))
            .select(MappingRow::as_select())
            .first(conn)
            .await
            .optional()
            .map_err(Error::from)
    })?;
    Ok(row.map(Mapping::from))
}

pub(in super::super) async fn list_mappings(db: &Db) -> Result<Vec<Mapping>, Error> {
    let rows: Vec<MappingRow> = with_conn!(db, |conn| {
        mapping::table
            .select(MappingRow::as_select())
            .order(mapping::id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(Mapping::from).collect())
}

pub(in super::super) async fn insert_mapping(db: &Db, new: &Mapping) -> Result<(), Error> {
    with_conn!(db, |conn| {
        diesel::insert_into(mapping::table)
            .values(MappingRow::try_from(new)?)
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::MappingExists(new.id.clone())))?;
        Ok(())
    })
}

/// One statement: nothing of what was stays.
pub(in super::super) async fn update_mapping(db: &Db, new: &Mapping) -> Result<(), Error> {
    with_conn!(db, |conn| {
        let row = mapping::table.find(sought(new.id.as_str()));
        let update = diesel::update(row).set(MappingRow::try_from(new)?);
        match update.execute(conn).await? {
            0 => Err(Error::MappingNotFound(new.id.clone())),
            _ => Ok(()),
        }
    })
}

pub(in super::super) async fn delete_mapping(db: &Db, id: &MappingId) -> Result<(), Error> {
    with_conn!(db, |conn| {
        let row = mapping::table.find(sought(id.as_str()));
        match diesel::delete(row).execute(conn).await? {
            0 => Err(Error::MappingNotFound(id.clone())),
            _ => Ok(()),
        }
    })
}
