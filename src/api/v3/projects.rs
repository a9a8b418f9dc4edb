//! `/v3/projects`, and the projects of a user.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::ids::{DomainId, ProjectId, UserId};
use keystone_actors::listing::TextFilter;
use keystone_actors::resource::{
    CreateProject, DeleteProject, Error, GetProject, GetProjects, ListProjects, NewProject,
    Project, ProjectFilter, ProjectPatch, TagFilter, UpdateProject,
};
use serde::Serialize;
use serde_json::Value;

use super::domains::tell_of_deletion;
use super::perhaps::Perhaps;
use super::project_tree::{self, Relatives};
use super::users;
use crate::api::call::{self, Body, Call, Found, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::query::Query;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Format, Schema, loose_boolean, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Subject, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/projects")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::PROJECTS))
        .heeds(
            "tags",
            "Only projects with all of these tags, separated by commas.",
        )
        .heeds("tags-any", "With any of them.")
        .heeds("not-tags", "Without all of them.")
        .heeds("not-tags-any", "Without any of them.")
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::PROJECTS))
        .register(api);
    Routes::at("/v3/projects/{project_id}")
        .get(show)
        .answers(answers::one(Collection::PROJECTS))
        .heeds(
            "parents_as_list",
            "Also those above it on which the caller has a role.",
        )
        .heeds("parents_as_ids", "Also the IDs of those above it.")
        .heeds(
            "subtree_as_list",
            "Also those below it on which the caller has a role.",
        )
        .heeds("subtree_as_ids", "Also the IDs of those below it.")
        .heeds("include_limits", "Also the limits of those.")
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::PROJECTS))
        .delete(delete)
        .register(api);
    Routes::at("/v3/users/{user_id}/projects")
        .get(list_of_user)
        .heeds("name", "Only projects of this name.")
        .heeds("enabled", "Only those that are enabled, or not.")
        .heeds("domain_id", "Only those of this domain.")
        .answers(answers::pages(Collection::PROJECTS))
        .register(api);
}

/// A name of a project or a domain: 1 to 64 characters, not only blanks.
pub(super) fn name() -> Schema {
    text().length(1, 64).pattern(r"[\S]+")
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let project = object()
        .optional("description", schema::description())
        .optional("domain_id", schema::id().nullable())
        .optional("enabled", loose_boolean())
        .optional("is_domain", loose_boolean())
        .optional("parent_id", schema::id().nullable())
        .required("name", name())
        .optional("tags", schema::tags())
        .optional("options", schema::resource_options());
    object().optional("project", project).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let project = object()
        .optional("description", schema::description())
        .optional("enabled", loose_boolean())
        .optional("name", name())
        .optional("options", schema::resource_options())
        .optional("tags", schema::tags());
    object().optional("project", project).closed()
});

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("domain_id", schema::id())
        .optional("enabled", loose_boolean())
        .optional("name", name())
        .optional("parent_id", text().format(Format::Uuid))
        .optional("is_domain", loose_boolean())
});

impl Body for NewProject {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "project", &NEW)
    }
}

impl Body for ProjectPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        if json.get("project").is_none() {
            PATCH.check(json)?;
            return Ok(Self::default());
        }
        call::member(json, "project", &PATCH)
    }
}

/// Lists projects: `GET /v3/projects`. A token of a domain sees the projects of that domain alone.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let own = call.caller.domain_id();
    let target = Target::new().with_some("target.domain_id", own);
    call.enforce(Rule::ListProjects, target)?;
    let paging = call.paging(call.node().config.resource.list_limit)?;
    let mut filter = filter(&call.query)?;
    filter.is_domain = call.query.booleans("is_domain")?;
    if call.query.first("is_domain").is_none() {
        filter.is_domain.push(false);
    }
    filter.domain_id.extend(own.map(TextFilter::equals));
    let page = paging.page.clone();
    let list = ListProjects { filter, page };
    let found = call.providers().resource.read(list).await?;
    call.list(Collection::PROJECTS, found, &paging, shown)
}

/// What projects are narrowed by.
fn filter(query: &Query) -> Result<ProjectFilter, ApiError> {
    let tags = |name| {
        let tags = query.first(name)?;
        Some(tags.split(',').map(str::to_owned).collect())
    };
    Ok(ProjectFilter {
        name: query.texts("name"),
        domain_id: query.texts("domain_id"),
        parent_id: query.texts("parent_id"),
        enabled: query.booleans("enabled")?,
        tags: TagFilter {
            all: tags("tags"),
            any: tags("tags-any"),
            not_all: tags("not-tags"),
            not_any: tags("not-tags-any"),
        },
        ..ProjectFilter::default()
    })
}

/// Creates a project: `POST /v3/projects`.
async fn create(call: Call<Perhaps<NewProject>>) -> Result<HttpResponse, ApiError> {
    let asked = call.json().get("project").unwrap_or(&Value::Null);
    call.enforce(
        Rule::CreateProject,
        Target::new().with("target.project", asked),
    )?;
    let mut project = call.body.given()?;
    if !project.is_domain && project.domain_id.is_none() {
        project.domain_id = Some(call.own_domain());
    }
    let project = call.providers().resource.send(CreateProject { project });
    let project = project.await?;
    let kind = if project.is_domain {
        Kind::Domain
    } else {
        Kind::Project
    };
    call.notify(kind, Operation::Created, project.id.as_str());
    call.created(Collection::PROJECTS, project.id.as_str(), &*project)
}

/// Shows a project, if asked for with what is above and below it:
/// `GET /v3/projects/{project_id}`.
async fn show(call: Call, id: web::Path<ProjectId>) -> Result<HttpResponse, ApiError> {
    let project = permitted(&call, &id, Rule::GetProject).await?;
    let shown = WithRelatives {
        project: &project,
        relatives: project_tree::relatives(&call, &project).await?,
    };
    call.one(Collection::PROJECTS, project.id.as_str(), shown)
}

#[derive(Serialize)]
struct WithRelatives<'a> {
    #[serde(flatten)]
    project: &'a Project,
    #[serde(flatten)]
    relatives: Relatives,
}

/// Changes a project: `PATCH /v3/projects/{project_id}`. The answer shows the attributes of unknown
/// name twice.
async fn update(
    call: Call<ProjectPatch>,
    id: web::Path<ProjectId>,
) -> Result<HttpResponse, ApiError> {
    let project = permitted(&call, &id, Rule::UpdateProject).await?;
    call.require_same_id("project", project.id.as_str())?;
    let update = UpdateProject {
        id: project.id.clone(),
        patch: call.body.clone(),
    };
    let project = call.providers().resource.send(update).await?;
    tell(&call, &project, Operation::Updated);
    let mut shown = seen(&*project)?;
    if let Value::Object(members) = &mut shown {
        let options = members.shift_remove("options");
        members.insert("extra".to_owned(), Value::Object(project.extra.clone()));
        members.insert("options".to_owned(), options.unwrap_or_default());
    }
    call.one(Collection::PROJECTS, project.id.as_str(), shown)
}

/// Deletes a project and what depends on it: `DELETE /v3/projects/{project_id}`.
async fn delete(call: Call, id: web::Path<ProjectId>) -> Result<HttpResponse, ApiError> {
    let project = permitted(&call, &id, Rule::DeleteProject).await?;
    let delete = DeleteProject {
        id: project.id.clone(),
        now: Utc::now().timestamp(),
    };
    let contents = call.providers().resource.send(delete).await?;
    if project.is_domain {
        tell_of_deletion(&call, &DomainId::from(&project.id), &contents);
    } else {
        tell(&call, &project, Operation::Deleted);
    }
    Ok(no_content())
}

/// A domain is told of as the project that it is, and as the domain.
fn tell<B>(call: &Call<B>, project: &Project, operation: Operation) {
    call.notify(Kind::Project, operation, project.id.as_str());
    if project.is_domain {
        call.notify(Kind::Domain, operation, project.id.as_str());
    }
}

/// The projects on which a user has a role: `GET /v3/users/{user_id}/projects`. Disabled ones are
/// among them.
async fn list_of_user(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = users::permitted(&call, &id, Rule::ListUserProjects).await?;
    let ids = project_tree::projects_of(&call, &user.id)
        .await?
        .into_iter()
        .collect();
    let mut projects = call.providers().resource.read(GetProjects { ids }).await?;
    let filter = filter(&call.query)?;
    projects.retain(|project| {
        let domain = project.domain_id.as_ref().map_or("", |id| id.as_str());
        let matches = |filters: &[TextFilter], value: &str| {
            filters.iter().all(|filter| filter.matches(value))
        };
        matches(&filter.name, &project.name)
            && matches(&filter.domain_id, domain)
            && filter.enabled.iter().all(|on| *on == project.enabled)
    });
    let paging = call.paging_by_client()?;
    call.list_held(Collection::PROJECTS, projects.into_iter(), &paging, shown)
}

/// How a project is shown.
pub(super) fn shown(project: &Project) -> (&str, &Project) {
    (project.id.as_str(), project)
}

/// The project, if the caller may do to it what the rule guards. Whoever may not learns nothing of
/// whether there is one.
pub(super) async fn permitted<B>(
    call: &Call<B>,
    id: &ProjectId,
    rule: Rule,
) -> Result<Arc<Project>, ApiError> {
    let get = GetProject { id: id.clone() };
    let found = Found {
        name: "target.project",
        result: call.providers().resource.read(get).await,
        is_missing: |error| matches!(error, Error::NotFound(_)),
    };
    let target = Target::new().with("project_id", id.as_str());
    call.enforce_found(rule, target, found, seen)
}
