//! The table `endpoint_group`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{EndpointGroup, EndpointGroupPatch, Error};
use super::{lock_row, whole};
use crate::attributes::{extra_column, parse_extra};
use crate::db::Db;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{endpoint_group, project_endpoint_group};
use crate::ids::EndpointGroupId;
use crate::{lock_by_id, transaction};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = endpoint_group, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
pub(super) struct GroupRow {
    pub(super) id: String,
    name: String,
    description: Option<String>,
    filters: String,
}

impl From<GroupRow> for EndpointGroup {
    fn from(row: GroupRow) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            filters: parse_extra(Some(&row.filters)),
        }
    }
}

impl From<&EndpointGroup> for GroupRow {
    fn from(group: &EndpointGroup) -> Self {
        Self {
            id: group.id.to_string(),
            name: group.name.clone(),
            description: group.description.clone(),
            filters: extra_column(&group.filters),
        }
    }
}

pub(in super::super) async fn insert_group(
    db: &Db,
    node: &str,
    new: &EndpointGroup,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        diesel::insert_into(endpoint_group::table)
            .values(GroupRow::from(new))
            .execute(conn)
            .await?;
        Ok(record_change(conn, node, whole()).await?)
    })
}

pub(in super::super) async fn update_group(
    db: &Db,
    node: &str,
    id: &EndpointGroupId,
    patch: EndpointGroupPatch,
) -> Result<(EndpointGroup, Change), Error> {
    transaction!(db, |conn| {
        let old = lock_row!(conn, endpoint_group, GroupRow, id, Error::GroupNotFound);
        let new = patch.clone().apply(&old.into());
        diesel::update(endpoint_group::table.find(id.as_str()))
            .set(GroupRow::from(&new))
            .execute(conn)
            .await?;
        let change = record_change(conn, node, whole()).await?;
        Ok((new, change))
    })
}

pub(in super::super) async fn delete_group(
    db: &Db,
    node: &str,
    id: &EndpointGroupId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        if !lock_by_id!(conn, endpoint_group, id) {
            return Err(Error::GroupNotFound(id.clone()));
        }
        let shown = project_endpoint_group::endpoint_group_id.eq(id.as_str());
        diesel::delete(project_endpoint_group::table.filter(shown))
            .execute(conn)
            .await?;
        diesel::delete(endpoint_group::table.find(id.as_str()))
            .execute(conn)
            .await?;
        Ok(record_change(conn, node, whole()).await?)
    })
}
