//! `/v3/projects/{project_id}/tags`.

use std::sync::{Arc, LazyLock};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType, HeaderValue};
use actix_web::{HttpResponse, web};
use keystone_actors::ids::ProjectId;
use keystone_actors::resource::{EditTags, Error, Project, TagEdit};
use serde_json::{Value, json};

use super::projects::permitted;
use super::shapes;
use crate::api::call::{self, Body, Call, answer, no_content};
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, array, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::Rule;

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/projects/{project_id}/tags")
        .get(list)
        .answers(answers::json(shapes::tags))
        .put(replace)
        .takes(&BODY)
        .answers(answers::json(shapes::tags))
        .delete(clear)
        .register(api);
    Routes::at("/v3/projects/{project_id}/tags/{value}")
        .get(check)
        .answers(answers::NOTHING)
        .put(add)
        .answers(answers::file("text/html").with_status(201))
        .delete(remove)
        .register(api);
}

fn tag() -> Schema {
    text().length(1, 255).pattern("^[^,/]*$")
}

static BODY: LazyLock<Schema> = LazyLock::new(|| object().optional("tags", array(tag())).closed());

static TAGS: LazyLock<Schema> = LazyLock::new(schema::tags);

static TAG: LazyLock<Schema> = LazyLock::new(tag);

/// The tags of a body: whatever they are, for the older validator to say.
#[derive(Clone, Debug)]
struct Tags(Value);

impl Body for Tags {
    fn read(json: &Value) -> Result<Self, ApiError> {
        BODY.check(json)?;
        let nothing = || json!({});
        Ok(Self(json.get("tags").cloned().unwrap_or_else(nothing)))
    }
}

/// The project, if what is to be done to it can be: as in Keystone, that is told to who may do it
/// before it is said that there is no such project.
fn found(
    project: Result<Arc<Project>, ApiError>,
    check: impl FnOnce() -> Result<(), ApiError>,
) -> Result<Arc<Project>, ApiError> {
    match project {
        Err(error) if error.status() != StatusCode::NOT_FOUND => Err(error),
        project => check().and(project),
    }
}

/// The tags of a project: `GET /v3/projects/{project_id}/tags`.
async fn list(call: Call, id: web::Path<ProjectId>) -> Result<HttpResponse, ApiError> {
    let project = permitted(&call, &id, Rule::ListProjectTags).await?;
    show(&call, &project.tags)
}

/// Replaces all tags: `PUT /v3/projects/{project_id}/tags`.
async fn replace(call: Call<Tags>, id: web::Path<ProjectId>) -> Result<HttpResponse, ApiError> {
    let project = permitted(&call, &id, Rule::UpdateProjectTags).await;
    found(project, || TAGS.check_older(&call.body.0))?;
    let tags: Vec<String> = call::from_json(call.body.0.clone())?;
    // Shown in the order in which they were sent.
    let shown: Vec<&str> = tags.iter().map(|tag| tag.trim()).collect();
    edit(&call, id.into_inner(), TagEdit::Replace(tags.clone())).await?;
    show(&call, &shown)
}

/// Removes all tags: `DELETE /v3/projects/{project_id}/tags`.
async fn clear(call: Call, id: web::Path<ProjectId>) -> Result<HttpResponse, ApiError> {
    permitted(&call, &id, Rule::DeleteProjectTags).await?;
    edit(&call, id.into_inner(), TagEdit::Replace(Vec::new())).await?;
    Ok(no_content())
}

/// Whether a project has a tag: `GET /v3/projects/{project_id}/tags/{value}`.
async fn check(call: Call, path: web::Path<(ProjectId, String)>) -> Result<HttpResponse, ApiError> {
    let (id, tag) = path.into_inner();
    let project = permitted(&call, &id, Rule::GetProjectTag).await?;
    if project.tags.contains(&tag) {
        Ok(no_content())
    } else {
        Err(Error::TagNotFound(tag).into())
    }
}

/// Adds a tag, which the project may not have yet: `PUT /v3/projects/{project_id}/tags/{value}`.
async fn add(call: Call, path: web::Path<(ProjectId, String)>) -> Result<HttpResponse, ApiError> {
    let (id, tag) = path.into_inner();
    let project = permitted(&call, &id, Rule::CreateProjectTag).await;
    let project = found(project, || TAG.check_older(&Value::from(tag.as_str())))?;
    let all: Vec<&str> = project
        .tags
        .iter()
        .map(String::as_str)
        .chain([&*tag])
        .collect();
    TAGS.check_older(&json!(all))?;
    let location = format!("{}/v3/{id}/tags/{tag}", call.base());
    edit(&call, id, TagEdit::Add(tag)).await?;
    let mut answer = HttpResponse::Created();
    answer.insert_header(ContentType::html());
    // A tag may have characters that no URL takes as they are.
    let location = url::Url::parse(&location).map(String::from).ok();
    if let Some(Ok(location)) = location.map(HeaderValue::try_from) {
        answer.insert_header((header::LOCATION, location));
    }
    Ok(answer.finish())
}

/// Removes a tag: `DELETE /v3/projects/{project_id}/tags/{value}`.
async fn remove(
    call: Call,
    path: web::Path<(ProjectId, String)>,
) -> Result<HttpResponse, ApiError> {
    let (id, tag) = path.into_inner();
    permitted(&call, &id, Rule::DeleteProjectTag).await?;
    edit(&call, id, TagEdit::Remove(tag)).await?;
    Ok(no_content())
}

async fn edit<B>(call: &Call<B>, project: ProjectId, edit: TagEdit) -> Result<(), ApiError> {
    let one = match &edit {
        TagEdit::Add(tag) => Some((Operation::Created, tag.clone())),
        TagEdit::Remove(tag) => Some((Operation::Deleted, tag.clone())),
        TagEdit::Replace(_) => None,
    };
    let edit = EditTags { project, edit };
    let project = call.providers().resource.send(edit).await?;
    call.notify(Kind::Project, Operation::Updated, project.id.as_str());
    if let Some((operation, tag)) = one {
        call.notify(Kind::ProjectTag, operation, tag);
    }
    Ok(())
}

/// `links.self` is where the API begins, as in Keystone.
fn show<B>(call: &Call<B>, tags: &[impl serde::Serialize]) -> Result<HttpResponse, ApiError> {
    let url = format!("{}/v3", call.base());
    answer(
        StatusCode::OK,
        &json!({"links": call::self_link(url), "tags": tags}),
    )
}
