//! `/v3/OS-EP-FILTER`: which endpoints a project is shown in its catalog, one by one or by groups.

use std::sync::{Arc, LazyLock};

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use keystone_actors::catalog::{
    AddEndpointToProject, AddGroupToProject, CreateEndpointGroup, DeleteEndpointGroup,
    EndpointGroup, EndpointGroupPatch, Error, GetInventory, GetProjectFilter,
    ListProjectsOfEndpoint, ListProjectsOfGroup, NewEndpointGroup, ProjectFilter,
    RemoveEndpointFromProject, RemoveGroupFromProject, UpdateEndpointGroup,
};
use keystone_actors::ids::{EndpointGroupId, EndpointId, ProjectId};
use keystone_actors::resource::{GetProject, GetProjects};
use serde_json::{Map, Value, json};

use super::endpoints;
use super::projects;
use super::shapes;
use crate::api::call::{self, Body, Call, answer, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, boolean, object, text};
use crate::policy::{Rule, Target};

/// Routes it.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/OS-EP-FILTER/endpoint_groups")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::ENDPOINT_GROUPS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::ENDPOINT_GROUPS))
        .register(api);
    Routes::at("/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}")
        .get(show)
        .answers(answers::one(Collection::ENDPOINT_GROUPS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::ENDPOINT_GROUPS))
        .delete(delete)
        .register(api);
    Routes::at("/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/endpoints")
        .get(list_endpoints_of_group)
        .answers(answers::list(Collection::ENDPOINTS))
        .register(api);
    Routes::at("/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects")
        .get(list_projects_of_group)
        .answers(answers::list(Collection::PROJECTS))
        .register(api);
    Routes::at("/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}")
        .get(show_group_of_project)
        .answers(answers::json(shapes::shown_group))
        .put(add_group)
        .delete(remove_group)
        .register(api);
    Routes::at("/v3/OS-EP-FILTER/endpoints/{endpoint_id}/projects")
        .get(list_projects_of_endpoint)
        .answers(answers::list(Collection::PROJECTS))
        .register(api);
    Routes::at("/v3/OS-EP-FILTER/projects/{project_id}/endpoints")
        .get(list_endpoints_of_project)
        .answers(answers::list(Collection::ENDPOINTS))
        .register(api);
    Routes::at("/v3/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}")
        .get(check_endpoint)
        .answers(answers::NOTHING)
        .put(add_endpoint)
        .delete(remove_endpoint)
        .register(api);
    Routes::at("/v3/OS-EP-FILTER/projects/{project_id}/endpoint_groups")
        .get(list_groups_of_project)
        .answers(answers::list(Collection::ENDPOINT_GROUPS))
        .register(api);
}

fn filters() -> Schema {
    object()
        .optional("interface", endpoints::interface())
        .optional("service_id", text())
        .optional("region_id", text().nullable())
        .optional("enabled", boolean())
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let group = object()
        .optional("description", text().nullable())
        .optional("filters", filters())
        .required("name", schema::name())
        .requires("filters")
        .closed();
    object().optional("endpoint_group", group).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let group = object()
        .optional("description", text().nullable())
        .optional("filters", filters())
        .optional("name", schema::name())
        .closed()
        .not_empty();
    object().required("endpoint_group", group).closed()
});

static QUERY: LazyLock<Schema> =
    LazyLock::new(|| object().optional("name", schema::name()).closed());

impl Body for Option<NewEndpointGroup> {
    fn read(json: &Value) -> Result<Self, ApiError> {
        NEW.check(json)?;
        let group = json.get("endpoint_group").cloned();
        group.map(call::from_json).transpose()
    }
}

impl Body for EndpointGroupPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "endpoint_group", &PATCH)
    }
}

/// Of what the schema lets through, only these make a group.
fn check_filters(filters: &Map<String, Value>) -> Result<(), ApiError> {
    const KNOWN: [&str; 3] = ["service_id", "region_id", "interface"];
    match filters.keys().all(|name| KNOWN.contains(&name.as_str())) {
        true => Ok(()),
        false => Err(ApiError::expecting(
            "service_id or region_id or interface",
            "endpoint_group",
        )),
    }
}

fn shown(group: &EndpointGroup) -> (&str, &EndpointGroup) {
    (group.id.as_str(), group)
}

/// Lists groups of endpoints: `GET /v3/OS-EP-FILTER/endpoint_groups`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListEndpointGroups, Target::new())?;
    let names = call.query.texts("name");
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let matching = inventory.groups();
    let matching = matching.filter(|group| names.iter().all(|filter| filter.matches(&group.name)));
    let paging = call.paging_by_client()?;
    call.list_held(
        Collection::ENDPOINT_GROUPS,
        matching.cloned(),
        &paging,
        shown,
    )
}

/// Creates a group of endpoints: `POST /v3/OS-EP-FILTER/endpoint_groups`.
async fn create(call: Call<Option<NewEndpointGroup>>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateEndpointGroup, Target::new())?;
    let group = call.body.clone().filter(|group| !group.filters.is_empty());
    let empty = || ApiError::bad_request("filters field is required and cannot be empty");
    let group = group.ok_or_else(empty)?;
    check_filters(&group.filters)?;
    let create = CreateEndpointGroup { group };
    let group = call.providers().catalog.send(create).await?;
    call.created(Collection::ENDPOINT_GROUPS, group.id.as_str(), &*group)
}

/// Shows a group: `GET /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}`.
async fn show(call: Call, id: web::Path<EndpointGroupId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetEndpointGroup, Target::new())?;
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let group = inventory.group(&id)?;
    call.one(Collection::ENDPOINT_GROUPS, id.as_str(), &**group)
}

/// Changes a group: `PATCH /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}`.
async fn update(
    call: Call<EndpointGroupPatch>,
    id: web::Path<EndpointGroupId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::UpdateEndpointGroup, Target::new())?;
    if let Some(filters) = &call.body.filters {
        check_filters(filters)?;
    }
    let update = UpdateEndpointGroup {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let group = call.providers().catalog.send(update).await?;
    call.one(Collection::ENDPOINT_GROUPS, group.id.as_str(), &*group)
}

/// Deletes a group: `DELETE /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}`.
async fn delete(call: Call, id: web::Path<EndpointGroupId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::DeleteEndpointGroup, Target::new())?;
    let id = id.into_inner();
    call.providers()
        .catalog
        .send(DeleteEndpointGroup { id })
        .await?;
    Ok(no_content())
}

/// `GET /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/endpoints`.
async fn list_endpoints_of_group(
    call: Call,
    id: web::Path<EndpointGroupId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(
        Rule::ListEndpointsAssociatedWithEndpointGroup,
        Target::new(),
    )?;
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let group = inventory.group(&id)?;
    let members = inventory.endpoints_of(group).cloned();
    call.list_whole(Collection::ENDPOINTS, members, endpoints::shown)
}

/// `GET /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects`; empty for a group that
/// there isn't, as in Keystone.
async fn list_projects_of_group(
    call: Call,
    id: web::Path<EndpointGroupId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListProjectsAssociatedWithEndpointGroup, Target::new())?;
    let group = id.into_inner();
    let list = ListProjectsOfGroup { group };
    let ids = call.providers().catalog.read(list).await?;
    list_projects(&call, ids).await
}

/// `GET /v3/OS-EP-FILTER/endpoints/{endpoint_id}/projects`.
async fn list_projects_of_endpoint(
    call: Call,
    id: web::Path<EndpointId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListProjectsForEndpoint, Target::new())?;
    let inventory = call.providers().catalog.read(GetInventory).await?;
    inventory.endpoint(&id)?;
    let endpoint = id.into_inner();
    let list = ListProjectsOfEndpoint { endpoint };
    let ids = call.providers().catalog.read(list).await?;
    list_projects(&call, ids).await
}

/// A list of these projects; those that are gone by now are left out.
async fn list_projects(call: &Call, ids: Vec<ProjectId>) -> Result<HttpResponse, ApiError> {
    let mut found = call.providers().resource.read(GetProjects { ids }).await?;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    call.list_whole(Collection::PROJECTS, found.into_iter(), projects::shown)
}

/// `GET /v3/OS-EP-FILTER/projects/{project_id}/endpoints`: by themselves or by groups.
async fn list_endpoints_of_project(
    call: Call,
    id: web::Path<ProjectId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListEndpointsForProject, Target::new())?;
    require_project(&call, &id).await?;
    let filter = project_filter(&call, &id).await?;
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let members = inventory.endpoints_shown(&filter).into_iter().cloned();
    call.list_whole(Collection::ENDPOINTS, members, endpoints::shown)
}

/// `GET /v3/OS-EP-FILTER/projects/{project_id}/endpoint_groups`.
async fn list_groups_of_project(
    call: Call,
    id: web::Path<ProjectId>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListEndpointGroupsForProject, Target::new())?;
    require_project(&call, &id).await?;
    let filter = project_filter(&call, &id).await?;
    let inventory = call.providers().catalog.read(GetInventory).await?;
    let groups = filter.groups.iter();
    let members = groups.filter_map(|id| inventory.group(id).ok());
    call.list_whole(Collection::ENDPOINT_GROUPS, members.cloned(), shown)
}

/// What a project is shown.
async fn project_filter(call: &Call, project: &ProjectId) -> Result<Arc<ProjectFilter>, ApiError> {
    let project = project.clone();
    Ok(call
        .providers()
        .catalog
        .read(GetProjectFilter { project })
        .await?)
}

async fn require_project(call: &Call, id: &ProjectId) -> Result<(), ApiError> {
    call.providers()
        .resource
        .read(GetProject { id: id.clone() })
        .await?;
    Ok(())
}

async fn require_endpoint(call: &Call, id: &EndpointId) -> Result<(), ApiError> {
    let inventory = call.providers().catalog.read(GetInventory).await?;
    inventory.endpoint(id)?;
    Ok(())
}

async fn require_group(call: &Call, id: &EndpointGroupId) -> Result<(), ApiError> {
    let inventory = call.providers().catalog.read(GetInventory).await?;
    inventory.group(id)?;
    Ok(())
}

/// `GET /v3/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}`.
async fn check_endpoint(
    call: Call,
    path: web::Path<(ProjectId, EndpointId)>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CheckEndpointInProject, Target::new())?;
    let (project, endpoint) = path.into_inner();
    require_endpoint(&call, &endpoint).await?;
    require_project(&call, &project).await?;
    let filter = project_filter(&call, &project).await?;
    match filter.endpoints.contains(&endpoint) {
        true => Ok(no_content()),
        false => Err(Error::EndpointNotInProject { endpoint, project }.into()),
    }
}

/// `PUT /v3/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}`.
async fn add_endpoint(
    call: Call,
    path: web::Path<(ProjectId, EndpointId)>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::AddEndpointToProject, Target::new())?;
    let (project, endpoint) = path.into_inner();
    require_endpoint(&call, &endpoint).await?;
    require_project(&call, &project).await?;
    let add = AddEndpointToProject { endpoint, project };
    call.providers().catalog.send(add).await?;
    Ok(no_content())
}

/// `DELETE /v3/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}`.
async fn remove_endpoint(
    call: Call,
    path: web::Path<(ProjectId, EndpointId)>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::RemoveEndpointFromProject, Target::new())?;
    let (project, endpoint) = path.into_inner();
    let remove = RemoveEndpointFromProject { endpoint, project };
    call.providers().catalog.send(remove).await?;
    Ok(no_content())
}

/// The project and the group of a path, which both have to exist.
async fn pair(
    call: &Call,
    path: web::Path<(EndpointGroupId, ProjectId)>,
) -> Result<(EndpointGroupId, ProjectId), ApiError> {
    let (group, project) = path.into_inner();
    require_project(call, &project).await?;
    require_group(call, &group).await?;
    Ok((group, project))
}

/// `GET /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}`: with a link
/// that has no server in it, as Keystone's.
async fn show_group_of_project(
    call: Call,
    path: web::Path<(EndpointGroupId, ProjectId)>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetEndpointGroupInProject, Target::new())?;
    let (group, project) = pair(&call, path).await?;
    let filter = project_filter(&call, &project).await?;
    if !filter.groups.contains(&group) {
        return Err(Error::GroupNotInProject.into());
    }
    let url = format!("/OS-EP-FILTER/endpoint_groups/{group}/projects/{project}");
    answer(
        StatusCode::OK,
        &json!({"project_endpoint_group": {
            "endpoint_group_id": group, "project_id": project, "links": call::self_link(url),
        }}),
    )
}

/// `PUT /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}`.
async fn add_group(
    call: Call,
    path: web::Path<(EndpointGroupId, ProjectId)>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::AddEndpointGroupToProject, Target::new())?;
    let (group, project) = pair(&call, path).await?;
    let add = AddGroupToProject { group, project };
    call.providers().catalog.send(add).await?;
    Ok(no_content())
}

/// `DELETE /v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}`.
async fn remove_group(
    call: Call,
    path: web::Path<(EndpointGroupId, ProjectId)>,
) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::RemoveEndpointGroupFromProject, Target::new())?;
    let (group, project) = pair(&call, path).await?;
    let remove = RemoveGroupFromProject { group, project };
    call.providers().catalog.send(remove).await?;
    Ok(no_content())
}
