//! `/v3/limits`: what single projects and domains may use.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use keystone_actors::ids::{LimitId, ProjectId};
use keystone_actors::limit::{
    CreateLimits, DeleteLimit, Error, GetLimit, Limit, LimitFilter, LimitPatch, ListLimits,
    NewLimit, UpdateLimit,
};
use keystone_actors::resource::{self, GetDescendants, GetDomain, GetProject};
use keystone_actors::token::Scope;
use serde_json::{Value, json};

use super::regions::region_id;
use super::registered_limits::{description, number, service_id};
use super::shapes;
use crate::api::call::{self, Body, Call, answer, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, array, object};
use crate::node::enforcement_model;
use crate::policy::{self, Rule, Target, python_repr};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/limits")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::LIMITS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created_all(Collection::LIMITS))
        .register(api);
    Routes::at("/v3/limits/model")
        .get(model)
        .answers(answers::json(shapes::limit_model))
        .register(api);
    Routes::at("/v3/limits/{limit_id}")
        .get(show)
        .answers(answers::one(Collection::LIMITS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::LIMITS))
        .delete(delete)
        .register(api);
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let limit = object()
        .optional("project_id", schema::id().nullable())
        .optional("domain_id", schema::id().nullable())
        .optional("resource_name", schema::name())
        .optional("region_id", region_id())
        .required("service_id", service_id())
        .requires("resource_name")
        .required("resource_limit", number())
        .optional("description", description());
    let limits = array(limit.closed()).items(Some(1), None);
    object().required("limits", limits).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let limit = object()
        .optional("resource_limit", number())
        .optional("description", description());
    object().required("limit", limit.closed()).closed_first()
});

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("service_id", service_id())
        .optional("region_id", region_id())
        .optional("resource_name", schema::name())
        .optional("project_id", schema::id())
        .optional("domain_id", schema::id())
});

impl Body for Vec<NewLimit> {
    fn read(json: &Value) -> Result<Self, ApiError> {
        NEW.check(json)?;
        let limits = json.get("limits").cloned().unwrap_or_default();
        for (at, limit) in limits.as_array().into_iter().flatten().enumerate() {
            check_owner(at, limit)?;
        }
        call::from_json(limits)
    }
}

/// A limit names either a project or a domain.
fn check_owner(at: usize, limit: &Value) -> Result<(), ApiError> {
    let has = |name| limit.get(name).is_some();
    let mistake = match (has("project_id"), has("domain_id")) {
        (false, false) => "is not valid under any of the given schemas",
        (true, true) => {
            "is valid under each of {'required': ['service_id', 'resource_name', 'resource_limit', \
             'project_id']}, {'required': ['service_id', 'resource_name', 'resource_limit', \
             'domain_id']}"
        }
        _ => return Ok(()),
    };
    Err(ApiError::bad_request(format!(
        "Invalid input for field/attribute {at}. Value: {}. {} {mistake}",
        policy::Value::from(limit).text(),
        python_repr(limit),
    )))
}

impl Body for LimitPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "limit", &PATCH)
    }
}

fn shown(limit: &Limit) -> (&str, &Limit) {
    (limit.id.as_str(), limit)
}

/// Lists limits: `GET /v3/limits`. Administrators and services see all, others those of the domain
/// or the project that their token is for.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListLimits, Target::new())?;
    let filter = LimitFilter {
        service_id: call.query.texts("service_id"),
        region_id: call.query.texts("region_id"),
        resource_name: call.query.texts("resource_name"),
        project_id: call.query.texts("project_id"),
        domain_id: call.query.texts("domain_id"),
    };
    let owners = owners_seen(&call).await?;
    let list = ListLimits { filter, owners };
    let limits = call.providers().limit.read(list).await?;
    let paging = call.paging(call.node().config.unified_limit.list_limit)?;
    call.list_held(Collection::LIMITS, limits.into_iter(), &paging, shown)
}

/// The projects and domains whose limits the caller may see; `None`: all.
async fn owners_seen(call: &Call) -> Result<Option<Vec<String>>, ApiError> {
    let token = &call.caller.token;
    let mut roles = token.roles.iter().map(|role| role.name.as_str());
    if roles.any(|role| role == "admin" || role == "service") {
        return Ok(None);
    }
    Ok(match &token.scope {
        Scope::System => None,
        Scope::Domain(domain) => {
            let of = vec![ProjectId::from(&domain.id)];
            let below = call
                .providers()
                .resource
                .read(GetDescendants { of })
                .await?;
            let projects = below.into_iter().map(|project| project.id.to_string());
            Some(projects.chain([domain.id.to_string()]).collect())
        }
        Scope::Project { project, .. } => Some(vec![project.id.to_string()]),
        Scope::Unscoped => Some(Vec::new()),
    })
}

/// Creates limits, all or none: `POST /v3/limits`.
async fn create(call: Call<Vec<NewLimit>>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::CreateLimits, Target::new())?;
    let limits = call.body.clone();
    let limits = call.providers().limit.send(CreateLimits { limits }).await?;
    call.created_all(Collection::LIMITS, &limits, shown)
}

/// How the limits of projects above and below one another go together: `GET /v3/limits/model`.
async fn model(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetLimitModel, Target::new())?;
    let model = enforcement_model(&call.node().config);
    let shown = json!({"description": model.description(), "name": model.name()});
    answer(StatusCode::OK, &json!({ "model": shown }))
}

/// Shows a limit: `GET /v3/limits/{limit_id}`.
async fn show(call: Call, id: web::Path<LimitId>) -> Result<HttpResponse, ApiError> {
    let get = GetLimit { id: id.clone() };
    let limit = match call.providers().limit.read(get).await {
        Ok(limit) => Ok(limit),
        // Whether there is one is told to those who may see it.
        Err(error @ Error::NotFound(_)) => Err(error),
        Err(error) => return Err(error.into()),
    };
    let target = match &limit {
        Ok(limit) => Some(with_owner(&call, limit).await?),
        Err(_) => None,
    };
    let rule = Rule::GetLimit;
    match &target {
        Some(target) => call.enforce(rule, Target::new().with("target.limit", target))?,
        None => call.enforce(rule, Target::new())?,
    }
    call.one(Collection::LIMITS, id.as_str(), limit?)
}

/// The limit with its project or domain, if there still is one, as the rule sees it.
async fn with_owner(call: &Call, limit: &Limit) -> Result<Value, ApiError> {
    let resource = &call.providers().resource;
    let owner = if let Some(id) = limit.project_id.clone() {
        match resource.read(GetProject { id }).await {
            Ok(project) => Some(("project", seen(&*project)?)),
            Err(resource::Error::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        }
    } else if let Some(id) = limit.domain_id.clone() {
        match resource.read(GetDomain { id }).await {
            Ok(domain) => Some(("domain", seen(&*domain)?)),
            Err(resource::Error::DomainNotFound(_)) => None,
            Err(error) => return Err(error.into()),
        }
    } else {
        None
    };
    let mut target = seen(limit)?;
    if let (Some((name, owner)), Value::Object(attributes)) = (owner, &mut target) {
        attributes.insert(name.to_owned(), owner);
    }
    Ok(target)
}

/// Changes a limit: `PATCH /v3/limits/{limit_id}`. Whoever has a token learns whether there is one,
/// as in Keystone; likewise below.
async fn update(call: Call<LimitPatch>, id: web::Path<LimitId>) -> Result<HttpResponse, ApiError> {
    permitted(&call, &id, Rule::UpdateLimit).await?;
    let update = UpdateLimit {
        id: id.into_inner(),
        patch: call.body.clone(),
    };
    let limit = call.providers().limit.send(update).await?;
    call.one(Collection::LIMITS, limit.id.as_str(), &limit)
}

/// Deletes a limit: `DELETE /v3/limits/{limit_id}`.
async fn delete(call: Call, id: web::Path<LimitId>) -> Result<HttpResponse, ApiError> {
    permitted(&call, &id, Rule::DeleteLimit).await?;
    let id = id.into_inner();
    call.providers().limit.send(DeleteLimit { id }).await?;
    Ok(no_content())
}

async fn permitted<B>(call: &Call<B>, id: &LimitId, rule: Rule) -> Result<(), ApiError> {
    let limit = call
        .providers()
        .limit
        .read(GetLimit { id: id.clone() })
        .await?;
    let limit = seen(&limit)?;
    call.enforce(rule, Target::new().with("target.limit", &limit))
}
