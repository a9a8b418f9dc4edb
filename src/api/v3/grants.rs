//! Which roles a user or a group was given on a project, on a domain, or on the system: what all
//! these paths have in common, and `/v3/OS-INHERIT`, where they are to be inherited.

use actix_web::HttpResponse;
use chrono::Utc;
use keystone_actors::assignment::{
    Actor, CheckGrant, CreateGrant, DeleteGrant, Grant, GrantTarget, ListGrants,
};
use keystone_actors::identity::{self, GetGroup, GetUser};
use keystone_actors::ids::RoleId;
use keystone_actors::resource::{self, GetDomain, GetProject};
use keystone_actors::role::{self, GetRole};
use serde_json::Value;

use super::roles::shown;
use crate::api::call::{Call, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::notify::{self, Operation, Outcome};
use crate::policy::{Rule, Target};

/// Where below `/v3/` grants are, and whether there is a list of them.
const PATHS: [(&str, &str, bool); 10] = [
    ("/v3/projects/{project_id}/users/{user_id}/roles", "", true),
    (
        "/v3/projects/{project_id}/groups/{group_id}/roles",
        "",
        true,
    ),
    ("/v3/domains/{domain_id}/users/{user_id}/roles", "", true),
    ("/v3/domains/{domain_id}/groups/{group_id}/roles", "", true),
    ("/v3/system/users/{user_id}/roles", "", true),
    ("/v3/system/groups/{group_id}/roles", "", true),
    (
        "/v3/OS-INHERIT/projects/{project_id}/users/{user_id}/roles",
        INHERITED,
        false,
    ),
    (
        "/v3/OS-INHERIT/projects/{project_id}/groups/{group_id}/roles",
        INHERITED,
        false,
    ),
    (
        "/v3/OS-INHERIT/domains/{domain_id}/users/{user_id}/roles",
        INHERITED,
        true,
    ),
    (
        "/v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles",
        INHERITED,
        true,
    ),
];

const INHERITED: &str = "/inherited_to_projects";

/// Routes them.
pub fn routes(api: &mut Router) {
    for (path, end, has_list) in PATHS {
        if has_list {
            Routes::at(&format!("{path}{end}"))
                .get(list)
                .answers(answers::list(Collection::ROLES))
                .register(api);
        }
        Routes::at(&format!("{path}/{{role_id}}{end}"))
            .get(check)
            .answers(answers::NOTHING)
            .put(create)
            .delete(delete)
            .register(api);
    }
}

/// What a path names.
struct Place {
    actor: Actor,
    target: GrantTarget,
    role: Option<RoleId>,
    inherited: bool,
}

/// What is asked of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    List,
    Check,
    Create,
    Delete,
}

impl Question {
    fn rule(self, place: &Place) -> Rule {
        match (self, &place.target, &place.actor) {
            (Self::List, GrantTarget::System, Actor::User(_)) => Rule::ListSystemGrantsForUser,
            (Self::List, GrantTarget::System, Actor::Group(_)) => Rule::ListSystemGrantsForGroup,
            (Self::Check, GrantTarget::System, Actor::User(_)) => Rule::CheckSystemGrantForUser,
            (Self::Check, GrantTarget::System, Actor::Group(_)) => Rule::CheckSystemGrantForGroup,
            (Self::Create, GrantTarget::System, Actor::User(_)) => Rule::CreateSystemGrantForUser,
            (Self::Create, GrantTarget::System, Actor::Group(_)) => Rule::CreateSystemGrantForGroup,
            (Self::Delete, GrantTarget::System, Actor::User(_)) => Rule::RevokeSystemGrantForUser,
            (Self::Delete, GrantTarget::System, Actor::Group(_)) => Rule::RevokeSystemGrantForGroup,
            (Self::List, ..) => Rule::ListGrants,
            (Self::Check, ..) => Rule::CheckGrant,
            (Self::Create, ..) => Rule::CreateGrant,
            (Self::Delete, ..) => Rule::RevokeGrant,
        }
    }
}

impl Place {
    fn of(call: &Call) -> Result<Self, ApiError> {
        let request = call.request();
        let named = |name: &str| request.match_info().get(name);
        let actor = match (named("user_id"), named("group_id")) {
            (Some(id), _) => Actor::User(id.into()),
            (None, Some(id)) => Actor::Group(id.into()),
            // No path is without.
            (None, None) => return Err(ApiError::forbidden()),
        };
        let target = match (named("project_id"), named("domain_id")) {
            (Some(id), _) => GrantTarget::Project(id.into()),
            (None, Some(id)) => GrantTarget::Domain(id.into()),
            (None, None) => GrantTarget::System,
        };
        Ok(Self {
            actor,
            target,
            role: named("role_id").map(RoleId::from),
            inherited: request.path().trim_end_matches('/').ends_with(INHERITED),
        })
    }

    fn grant(&self) -> Grant {
        Grant {
            target: self.target.clone(),
            role_id: self.role.clone().unwrap_or_else(|| "".into()),
            inherited: self.inherited,
        }
    }
}

/// A thing that a path names.
struct Part {
    /// Where rules see it.
    name: &'static str,
    /// All its attributes, or that there is none.
    found: Result<Value, ApiError>,
    /// Whether it may be missing.
    may_miss: bool,
}

/// What is there of a provider's answer; errors that are no answer are errors.
macro_rules! found {
    ($answer:expr, $show:expr, $missing:pat) => {
        match $answer {
            Ok(found) => Ok($show(&*found)?),
            Err(error @ $missing) => Err(ApiError::from(error)),
            Err(error) => return Err(error.into()),
        }
    };
}

impl Place {
    /// What the path names, in the order in which Keystone looks for it.
    async fn parts(&self, call: &Call, question: Question) -> Result<Vec<Part>, ApiError> {
        let providers = call.providers();
        let mut parts = Vec::with_capacity(3);
        if let Some(id) = &self.role {
            let answer = providers.role.read(GetRole { id: id.clone() }).await;
            parts.push(Part {
                name: "target.role",
                found: found!(answer, seen, role::Error::NotFound(_)),
                may_miss: false,
            });
        }
        let (name, found) = match &self.actor {
            Actor::User(id) => {
                let answer = providers.identity.read(GetUser { id: id.clone() }).await;
                let show = |user: &identity::User| seen(&user.view(Utc::now().timestamp()));
                let found = found!(answer, show, identity::Error::UserNotFound(_));
                ("target.user", found)
            }
            Actor::Group(id) => {
                let answer = providers.identity.read(GetGroup { id: id.clone() }).await;
                let found = found!(answer, seen, identity::Error::GroupNotFound(_));
                ("target.group", found)
            }
        };
        parts.push(Part {
            name,
            found,
            // What is left of those that there are no longer can be taken back.
            may_miss: question == Question::Delete || self.inherited,
        });
        match &self.target {
            GrantTarget::System => {}
            GrantTarget::Project(id) => {
                let answer = providers.resource.read(GetProject { id: id.clone() }).await;
                parts.push(Part {
                    name: "target.project",
                    found: found!(answer, seen, resource::Error::NotFound(_)),
                    may_miss: false,
                });
            }
            GrantTarget::Domain(id) => {
                let answer = providers.resource.read(GetDomain { id: id.clone() }).await;
                let domain = Part {
                    name: "target.domain",
                    found: found!(answer, seen, resource::Error::DomainNotFound(_)),
                    may_miss: false,
                };
                parts.insert(0, domain);
            }
        }
        Ok(parts)
    }
}

/// What the path names, if the caller may do this to it. Whoever has a token learns here whether
/// role, user, group, project and domain exist, as in Keystone; below `OS-INHERIT` only who may.
async fn permitted(call: &Call, question: Question) -> Result<Place, ApiError> {
    let place = Place::of(call)?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for part in place.parts(call, question).await? {
        match part.found {
            Ok(value) => found.push((part.name, value)),
            Err(_) if part.may_miss => {}
            Err(error) => missing.push(error),
        }
    }
    let mut missing = missing.into_iter();
    if !place.inherited
        && let Some(error) = missing.next()
    {
        return Err(error);
    }
    let mut target = Target::new();
    for (name, value) in &found {
        target = target.with(name, value);
    }
    for name in ["role_id", "user_id", "group_id", "project_id", "domain_id"] {
        if let Some(id) = call.request().match_info().get(name) {
            target = target.with(name, id);
        }
    }
    call.enforce(question.rule(&place), target)?;
    match missing.next() {
        Some(error) => Err(error),
        None => Ok(place),
    }
}

/// Lists roles: `GET …/roles`.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let place = permitted(&call, Question::List).await?;
    let list = ListGrants {
        actor: place.actor,
        target: place.target,
        inherited: place.inherited,
    };
    let roles = call.providers().assignment.read(list).await?;
    call.list_whole(Collection::ROLES, roles.into_iter(), shown)
}

/// Whether a role was given: `GET …/roles/{role_id}`.
async fn check(call: Call) -> Result<HttpResponse, ApiError> {
    let place = permitted(&call, Question::Check).await?;
    let grant = place.grant();
    let actor = place.actor;
    let check = CheckGrant { actor, grant };
    call.providers().assignment.read(check).await?;
    Ok(no_content())
}

/// Gives a role: `PUT …/roles/{role_id}`.
async fn create(call: Call) -> Result<HttpResponse, ApiError> {
    let place = permitted(&call, Question::Create).await?;
    let create = CreateGrant {
        actor: place.actor.clone(),
        grant: place.grant(),
    };
    let created = call.providers().assignment.send(create).await;
    tell(&call, place, Operation::Created, created.is_ok());
    created?;
    Ok(no_content())
}

/// Takes a role back: `DELETE …/roles/{role_id}`.
async fn delete(call: Call) -> Result<HttpResponse, ApiError> {
    let place = permitted(&call, Question::Delete).await?;
    let delete = DeleteGrant {
        actor: place.actor.clone(),
        grant: place.grant(),
    };
    let deleted = call.providers().assignment.send(delete).await;
    tell(&call, place, Operation::Deleted, deleted.is_ok());
    deleted?;
    Ok(no_content())
}

/// Nobody is told of roles on the system, as in Keystone; of others also when it did not succeed.
fn tell(call: &Call, place: Place, operation: Operation, succeeded: bool) {
    let target = match place.target {
        GrantTarget::Project(id) => ("project", id.to_string()),
        GrantTarget::Domain(id) => ("domain", id.to_string()),
        GrantTarget::System => return,
    };
    let actor = match place.actor {
        Actor::User(id) => ("user", id.to_string()),
        Actor::Group(id) => ("group", id.to_string()),
    };
    let subject = notify::Subject::Assignment {
        operation,
        role: place.role.map(|role| role.to_string()).unwrap_or_default(),
        actor,
        target,
        inherited: place.inherited,
    };
    let outcome = match succeeded {
        true => Outcome::Success,
        false => Outcome::Failure,
    };
    call.tell_how(subject, outcome);
}
