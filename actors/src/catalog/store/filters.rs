//! The tables `project_endpoint` and `project_endpoint_group`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, ProjectFilter};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{endpoint, project_endpoint, project_endpoint_group};
use crate::db::{Db, on_unique};
use crate::epoch::{Entity, Kind};
use crate::ids::{EndpointGroupId, EndpointId, ProjectId};
use crate::{lock_by_id, resource, transaction, with_conn};

/// What makes only this project's tokens stale.
fn of_project(project: &ProjectId) -> Change {
    Change::of([Entity::new(Kind::Catalog, project.as_str())])
}

pub(in super::super) async fn find_filter(
    db: &Db,
    project: &ProjectId,
) -> Result<ProjectFilter, Error> {
    with_conn!(db, |conn| {
        // By the endpoints that there are: the key begins with them, and no index has the project.
        let endpoints: Vec<String> = project_endpoint::table
            .filter(project_endpoint::project_id.eq(project.as_str()))
            .filter(project_endpoint::endpoint_id.eq_any(endpoint::table.select(endpoint::id)))
            .select(project_endpoint::endpoint_id)
            .order(project_endpoint::endpoint_id)
            .load(conn)
            .await?;
        let groups: Vec<String> = project_endpoint_group::table
            .filter(project_endpoint_group::project_id.eq(project.as_str()))
            .select(project_endpoint_group::endpoint_group_id)
            .order(project_endpoint_group::endpoint_group_id)
            .load(conn)
            .await?;
        Ok(ProjectFilter {
            endpoints: endpoints.into_iter().map(Into::into).collect(),
            groups: groups.into_iter().map(Into::into).collect(),
        })
    })
}

pub(in super::super) async fn show_endpoint(
    db: &Db,
    node: &str,
    endpoint: &EndpointId,
    project: &ProjectId,
) -> Result<Change, Error> {
    let row = (
        project_endpoint::endpoint_id.eq(endpoint.as_str()),
        project_endpoint::project_id.eq(project.as_str()),
    );
    transaction!(db, |conn| {
        let held = resource::hold(conn, project.as_str()).await?;
        held.ok_or_else(|| resource::Error::NotFound(project.to_string()))?;
        if !lock_by_id!(conn, endpoint, endpoint) {
            return Err(Error::EndpointNotFound(endpoint.clone()));
        }
        diesel::insert_into(project_endpoint::table)
            .values(row)
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::EndpointInProject))?;
        Ok(record_change(conn, node, of_project(project)).await?)
    })
}

pub(in super::super) async fn hide_endpoint(
    db: &Db,
    node: &str,
    endpoint: &EndpointId,
    project: &ProjectId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let row = project_endpoint::table.find((endpoint.as_str(), project.as_str()));
        if diesel::delete(row).execute(conn).await? == 0 {
            return Err(Error::EndpointNotInProject {
                endpoint: endpoint.clone(),
                project: project.clone(),
            });
        }
        Ok(record_change(conn, node, of_project(project)).await?)
    })
}

pub(in super::super) async fn show_group(
    db: &Db,
    node: &str,
    group: &EndpointGroupId,
    project: &ProjectId,
) -> Result<Change, Error> {
    let row = (
        project_endpoint_group::endpoint_group_id.eq(group.as_str()),
        project_endpoint_group::project_id.eq(project.as_str()),
    );
    transaction!(db, |conn| {
        let held = resource::hold(conn, project.as_str()).await?;
        held.ok_or_else(|| resource::Error::NotFound(project.to_string()))?;
        if !lock_by_id!(conn, endpoint_group, group) {
            return Err(Error::GroupNotFound(group.clone()));
        }
        diesel::insert_into(project_endpoint_group::table)
            .values(row)
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::GroupInProject))?;
        Ok(record_change(conn, node, of_project(project)).await?)
    })
}

pub(in super::super) async fn hide_group(
    db: &Db,
    node: &str,
    group: &EndpointGroupId,
    project: &ProjectId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let row = project_endpoint_group::table.find((group.as_str(), project.as_str()));
        if diesel::delete(row).execute(conn).await? == 0 {
            return Err(Error::GroupNotInProject);
        }
        Ok(record_change(conn, node, of_project(project)).await?)
    })
}

pub(in super::super) async fn list_projects_of_endpoint(
    db: &Db,
    endpoint: &EndpointId,
) -> Result<Vec<ProjectId>, Error> {
    let projects: Vec<String> = with_conn!(db, |conn| {
        project_endpoint::table
            .filter(project_endpoint::endpoint_id.eq(endpoint.as_str()))
            .select(project_endpoint::project_id)
            .order(project_endpoint::project_id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(projects.into_iter().map(Into::into).collect())
}

pub(in super::super) async fn list_projects_of_group(
    db: &Db,
    group: &EndpointGroupId,
) -> Result<Vec<ProjectId>, Error> {
    let projects: Vec<String> = with_conn!(db, |conn| {
        project_endpoint_group::table
            .filter(project_endpoint_group::endpoint_group_id.eq(group.as_str()))
            .select(project_endpoint_group::project_id)
            .order(project_endpoint_group::project_id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(projects.into_iter().map(Into::into).collect())
}
