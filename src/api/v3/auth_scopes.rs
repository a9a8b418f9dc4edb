//! `/v3/auth/catalog`, `projects`, `domains`, `system`: what the caller may scope to, and the
//! catalog of its token.

use std::sync::Arc;

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use chrono::Utc;
use keystone_actors::assignment::{ListScopes, Scopes};
use keystone_actors::identity::ListGroupsOfUser;
use keystone_actors::ids::{GroupId, ProjectId};
use keystone_actors::resource::{Domain, GetProjects, Project};
use serde_json::{Value, json};

use super::domains;
use super::projects;
use super::shapes;
use crate::api::body::JsonBody;
use crate::api::call::Call;
use crate::api::caller::Caller;
use crate::api::context::base_url;
use crate::api::error::{ApiError, FORBIDDEN};
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::node::Node;
use crate::policy::{Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/auth/catalog")
        .get(catalog)
        .answers(answers::json(shapes::catalog))
        .register(api);
    Routes::at("/v3/auth/projects")
        .get(projects)
        .answers(answers::list(Collection::PROJECTS))
        .register(api);
    Routes::at("/v3/auth/domains")
        .get(domains)
        .answers(answers::list(Collection::DOMAINS))
        .register(api);
    // Their former places.
    Routes::at("/v3/OS-FEDERATION/projects")
        .get(projects)
        .does("The same at its former place.")
        .answers(answers::list(Collection::PROJECTS))
        .register(api);
    Routes::at("/v3/OS-FEDERATION/domains")
        .get(domains)
        .does("The same at its former place.")
        .answers(answers::list(Collection::DOMAINS))
        .register(api);
    Routes::at("/v3/auth/system")
        .get(system)
        .answers(answers::json(shapes::system))
        .register(api);
}

/// The catalog of the caller's token: `GET /v3/auth/catalog`.
async fn catalog(
    node: web::Data<Node>,
    request: HttpRequest,
    _: JsonBody,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    caller.enforce(&node, Rule::GetAuthCatalog, &Target::new())?;
    let scoped_to_project = crate::policy::Subject::project_id(&caller).is_some();
    let Some(catalog) = caller.token.catalog().filter(|_| scoped_to_project) else {
        return Err(ApiError::forbidden_as(FORBIDDEN));
    };
    let links = json!({"self": format!("{}/v3/auth/catalog", base_url(&request))});
    let body = [
        br#"{"catalog":"#,
        &*catalog,
        format!(r#","links":{links}}}{}"#, "\n").as_bytes(),
    ]
    .concat();
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(Bytes::from(body)))
}

/// The projects on which the caller has a role: `GET /v3/auth/projects`. Keystone lists disabled
/// ones as well, although no token can be had for them.
async fn projects(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetAuthProjects, Target::new())?;
    let scopes = scopes(call.node(), &call.caller).await?;
    let found = existing(call.node(), scopes.projects).await?;
    let found = found.into_iter().filter(|project| !project.is_domain);
    call.list_whole(Collection::PROJECTS, found, projects::shown)
}

/// The domains that the caller may scope to: `GET /v3/auth/domains`.
async fn domains(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetAuthDomains, Target::new())?;
    let scopes = scopes(call.node(), &call.caller).await?;
    let ids = scopes.domains.iter().map(ProjectId::from).collect();
    let found = existing(call.node(), ids).await?;
    let found = found.iter().filter_map(|domain| Domain::of(domain));
    call.list_whole(Collection::DOMAINS, found, domains::shown)
}

/// Whether the caller may scope to the system: `GET /v3/auth/system`.
async fn system(
    node: web::Data<Node>,
    request: HttpRequest,
    _: JsonBody,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    caller.enforce(&node, Rule::GetAuthSystem, &Target::new())?;
    let system: &[Value] = match scopes(&node, &caller).await?.system {
        true => &[json!({"all": true})],
        false => &[],
    };
    let url = format!("{}/v3/auth/system", base_url(&request));
    Ok(HttpResponse::Ok().json(json!({"system": system, "links": {"self": url}})))
}

async fn scopes(node: &Node, caller: &Caller) -> Result<Scopes, ApiError> {
    let user = caller.token.acting_user.clone();
    let groups = ListGroupsOfUser {
        user: user.clone(),
        now: Utc::now().timestamp(),
    };
    let mut groups = node.providers.identity.read(groups).await?.to_vec();
    if let Some(federation) = &caller.token.federation {
        groups.extend(
            federation
                .group_ids
                .iter()
                .map(|id| GroupId::from(id.as_str())),
        );
    }
    let list = ListScopes {
        user,
        groups: groups.into(),
    };
    Ok(node.providers.assignment.read(list).await?)
}

async fn existing(node: &Node, ids: Vec<ProjectId>) -> Result<Vec<Arc<Project>>, ApiError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = node.providers.resource.read(GetProjects { ids }).await?;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}
