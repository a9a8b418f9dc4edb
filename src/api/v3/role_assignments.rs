//! `/v3/role_assignments`: who has which role where, as it was granted or as it amounts to.

mod shown;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use chrono::Utc;
use keystone_actors::assignment::{Actor, AssignmentFilter, GrantTarget, ListAssignments};
use keystone_actors::identity::GetUser;
use keystone_actors::ids::{DomainId, RoleId};
use keystone_actors::resource::GetProject;

use self::shown::{Names, Shown, View};
use super::shapes;
use crate::api::call::{Call, seen};
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::query::Query;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, object};
use crate::policy::{Rule, Subject, Target};

/// Routes it.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/role_assignments")
        .get(list)
        .asks(&QUERY)
        .heeds("user.id", "Only those of this user.")
        .heeds("scope.system", "`all`: only those on the system.")
        .heeds(
            "scope.OS-INHERIT:inherited_to",
            "`projects`: only those that projects inherit.",
        )
        .heeds(
            "effective",
            "What the assignments amount to, with groups, inheritance and implied roles.",
        )
        .heeds("include_subtree", "Also those on projects below.")
        .heeds("include_names", "Names beside IDs.")
        .answers(answers::json(shapes::assignments))
        .register(api);
}

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("group.id", schema::id())
        .optional("role.id", schema::id())
        .optional("scope.domain.id", schema::id())
        .optional("scope.project.id", schema::id())
});

/// Lists role assignments: `GET /v3/role_assignments`. A token of a domain sees those on that
/// domain and its projects alone.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let mut filter = filter(&call.query)?;
    if filter.subtree {
        enforce_for_tree(&call, &filter).await?;
    } else {
        let own = call.caller.domain_id();
        let target = Target::new().with_some("target.domain_id", own);
        call.enforce(Rule::ListRoleAssignments, target)?;
        filter.within = own.map(DomainId::from);
    }
    check_combinations(&call.query, &filter)?;
    if let (true, Some(Actor::User(id))) = (filter.effective, &filter.actor) {
        // What somebody's roles amount to is asked of somebody: else 404.
        let get = GetUser { id: id.clone() };
        call.providers().identity.read(get).await?;
    }
    let now = Utc::now().timestamp();
    let found = ListAssignments { filter, now };
    let found = call.providers().assignment.read(found).await?;
    let names = if call.query.flag("include_names") {
        Some(Names::load(&call, &found).await?)
    } else {
        None
    };
    let view = View::new(call.base(), names);
    let shown = found
        .iter()
        .map(move |assignment| Shown::new(assignment, &view));
    call.stream("role_assignments", shown)
}

/// The rule of a subtree sees the project at its top.
async fn enforce_for_tree(call: &Call, filter: &AssignmentFilter) -> Result<(), ApiError> {
    let Some(GrantTarget::Project(id)) = &filter.target else {
        return Err(ApiError::bad_request(
            "scope.project.id must be specified if include_subtree is also specified",
        ));
    };
    let get = GetProject { id: id.clone() };
    let project = call.providers().resource.read(get).await?;
    let shown = seen(&*project)?;
    let domain = project.domain_id.as_ref().map(DomainId::as_str);
    let target = Target::new()
        .with("target.project", &shown)
        .with("target.domain_id", domain);
    call.enforce(Rule::ListRoleAssignmentsForTree, target)
}

/// What the query asks for.
fn filter(query: &Query) -> Result<AssignmentFilter, ApiError> {
    let set = |name: &str| query.first(name).filter(|value| !value.is_empty());
    if query.first("include_subtree").is_some() && query.first("scope.project.id").is_none() {
        return Err(ApiError::bad_request(
            "'scope.project.id' is a dependency of 'include_subtree'",
        ));
    }
    if query.first("user.id").is_some() && query.first("group.id").is_some() {
        return Err(ApiError::bad_request("Specify a user or group, not both"));
    }
    let effective = query.flag("effective");
    let target = match (set("scope.project.id"), set("scope.domain.id")) {
        (Some(id), _) => Some(GrantTarget::Project(id.into())),
        (None, Some(id)) => Some(GrantTarget::Domain(id.into())),
        // Keystone does not look at it where effective assignments are asked for.
        (None, None) if set("scope.system") == Some("all") && !effective => {
            Some(GrantTarget::System)
        }
        (None, None) => None,
    };
    let user = set("user.id").map(|id| Actor::User(id.into()));
    let group = set("group.id").map(|id| Actor::Group(id.into()));
    Ok(AssignmentFilter {
        actor: user.or(group),
        role: set("role.id").map(RoleId::from),
        target,
        subtree: query.flag("include_subtree"),
        inherited: query
            .first("scope.OS-INHERIT:inherited_to")
            .map(|to| to == "projects"),
        effective,
        within: None,
    })
}

/// Refuses what could only have an empty answer, or means two things.
fn check_combinations(query: &Query, filter: &AssignmentFilter) -> Result<(), ApiError> {
    let set = |name: &str| query.first(name).is_some_and(|value| !value.is_empty());
    let (project, domain) = (set("scope.project.id"), set("scope.domain.id"));
    let system = set("scope.system");
    let group = matches!(filter.actor, Some(Actor::Group(_)));
    let inherited = filter.inherited == Some(true);
    for (wrong, message) in [
        (domain && project, "Specify a domain or project, not both"),
        (domain && system, "Specify system or domain, not both"),
        (project && system, "Specify system or project, not both"),
        (
            filter.effective && group,
            "Combining effective and group filter will always result in an empty list.",
        ),
        (
            filter.effective && inherited && domain,
            "Combining effective, domain and inherited filters will always result in an empty list.",
        ),
    ] {
        if wrong {
            return Err(ApiError::bad_request(message));
        }
    }
    Ok(())
}
