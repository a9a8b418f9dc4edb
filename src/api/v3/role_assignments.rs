//! `/v3/role_assignments`: who has which role where, as it was granted or as it amounts to.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use actix_web::HttpResponse;
use chrono::Utc;
use keystone_actors::assignment::{
    Actor, Assignment, AssignmentFilter, GrantTarget, ListAssignments,
};
use keystone_actors::identity::{GetGroups, GetUser, GetUsers, Group, User};
use keystone_actors::ids::{DomainId, GroupId, ProjectId, RoleId, UserId};
use keystone_actors::resource::{GetProject, GetProjects, Project};
use keystone_actors::role::{GetRoleGraph, RoleGraph};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

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
    call.query.check(&QUERY)?;
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
    let base = call.base();
    let shown = found.iter().map(|assignment| Shown {
        assignment,
        names: names.as_ref(),
        base: &base,
    });
    let shown: Vec<Shown<'_>> = shown.collect();
    call.plain_list("role_assignments", &shown)
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
    if query.first("user.id").is_some() && query.first("group.id").is_some() {
        return Err(ApiError::bad_request("Specify a user or group, not both"));
    }
    if query.first("include_subtree").is_some() && query.first("scope.project.id").is_none() {
        return Err(ApiError::bad_request(
            "'scope.project.id' is a dependency of 'include_subtree'",
        ));
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

/// What everything is called.
struct Names {
    users: HashMap<UserId, Arc<User>>,
    groups: HashMap<GroupId, Arc<Group>>,
    /// Domains too.
    projects: HashMap<ProjectId, Arc<Project>>,
    roles: Arc<RoleGraph>,
}

impl Names {
    /// Looks everything up, each once.
    async fn load(call: &Call, assignments: &[Assignment]) -> Result<Self, ApiError> {
        let (mut users, mut groups) = (BTreeSet::new(), BTreeSet::new());
        let mut projects: BTreeSet<ProjectId> = BTreeSet::new();
        for assignment in assignments {
            match &assignment.actor {
                Actor::User(id) => users.insert(id.clone()),
                Actor::Group(id) => groups.insert(id.clone()),
            };
            match &assignment.target {
                GrantTarget::Project(id) => projects.insert(id.clone()),
                GrantTarget::Domain(id) => projects.insert(id.into()),
                GrantTarget::System => false,
            };
        }
        let providers = call.providers();
        let ids = users.into_iter().collect();
        let users = providers.identity.read(GetUsers { ids }).await?;
        let ids = groups.into_iter().collect();
        let groups = providers.identity.read(GetGroups { ids }).await?;
        let ids = projects.into_iter().collect();
        let mut projects = providers.resource.read(GetProjects { ids }).await?;
        let roles = providers.role.read(GetRoleGraph).await?;
        let domains = users
            .iter()
            .map(|user| &user.domain_id)
            .chain(groups.iter().map(|group| &group.domain_id))
            .chain(projects.iter().filter_map(|one| one.domain_id.as_ref()))
            .chain(roles.iter().filter_map(|role| role.domain_id.as_ref()))
            .map(ProjectId::from);
        let domains: BTreeSet<ProjectId> = domains.collect();
        let ids = domains.into_iter().collect();
        projects.extend(providers.resource.read(GetProjects { ids }).await?);
        let users = users.into_iter().map(|user| (user.id.clone(), user));
        let groups = groups.into_iter().map(|group| (group.id.clone(), group));
        let projects = projects.into_iter().map(|one| (one.id.clone(), one));
        Ok(Self {
            users: users.collect(),
            groups: groups.collect(),
            projects: projects.collect(),
            roles,
        })
    }

    fn domain(&self, id: &str) -> Value {
        let name = self.projects.get(id).map(|domain| domain.name.as_str());
        json!({"id": id, "name": name.unwrap_or_default()})
    }

    /// Of what there is no longer name and domain are empty, as Keystone shows leftovers.
    fn member(&self, id: &str, found: Option<(&str, &str)>) -> Value {
        match found {
            Some((name, domain)) => json!({"id": id, "name": name, "domain": self.domain(domain)}),
            None => json!({"id": id, "name": "", "domain": {"id": "", "name": ""}}),
        }
    }

    fn user(&self, id: &UserId) -> Value {
        let user = self.users.get(id);
        let found = user.map(|user| (user.name.as_str(), user.domain_id.as_str()));
        self.member(id.as_str(), found)
    }

    fn group(&self, id: &GroupId) -> Value {
        let group = self.groups.get(id);
        let found = group.map(|group| (group.name.as_str(), group.domain_id.as_str()));
        self.member(id.as_str(), found)
    }

    fn project(&self, id: &ProjectId) -> Value {
        let project = self.projects.get(id);
        let found = project.map(|project| {
            let domain = project.domain_id.as_ref();
            (project.name.as_str(), domain.map_or("", DomainId::as_str))
        });
        self.member(id.as_str(), found)
    }

    fn role(&self, id: &RoleId) -> Value {
        match self.roles.get(id) {
            Some(role) => match &role.domain_id {
                Some(domain) => {
                    json!({"id": id, "name": role.name, "domain": self.domain(domain.as_str())})
                }
                None => json!({"id": id, "name": role.name}),
            },
            None => json!({"id": id, "name": ""}),
        }
    }
}

/// An assignment as it is shown, made when it is written.
struct Shown<'a> {
    assignment: &'a Assignment,
    names: Option<&'a Names>,
    base: &'a str,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let assignment = self.assignment;
        let mut shown = Map::new();
        shown.insert("links".to_owned(), self.links());
        let mut scope = match (&assignment.target, self.names) {
            (GrantTarget::System, _) => json!({"system": {"all": true}}),
            (GrantTarget::Project(id), None) => json!({"project": {"id": id}}),
            (GrantTarget::Domain(id), None) => json!({"domain": {"id": id}}),
            (GrantTarget::Project(id), Some(names)) => json!({"project": names.project(id)}),
            (GrantTarget::Domain(id), Some(names)) => json!({"domain": names.domain(id.as_str())}),
        };
        if let (true, Value::Object(scope)) = (self.is_inherited(), &mut scope) {
            scope.insert("OS-INHERIT:inherited_to".to_owned(), "projects".into());
        }
        shown.insert("scope".to_owned(), scope);
        let (kind, actor) = match (&assignment.actor, self.names) {
            (Actor::User(id), None) => ("user", json!({"id": id})),
            (Actor::Group(id), None) => ("group", json!({"id": id})),
            (Actor::User(id), Some(names)) => ("user", names.user(id)),
            (Actor::Group(id), Some(names)) => ("group", names.group(id)),
        };
        shown.insert(kind.to_owned(), actor);
        let id = &assignment.role_id;
        let bare = || json!({ "id": id });
        let role = self.names.map_or_else(bare, |names| names.role(id));
        shown.insert("role".to_owned(), role);
        Value::Object(shown).serialize(serializer)
    }
}

impl Shown<'_> {
    fn is_inherited(&self) -> bool {
        self.assignment.inherited || self.assignment.inherited_from.is_some()
    }

    /// URLs of the grant that it comes from; of the membership by which it does; and of the role
    /// that implies it, which Keystone has at a path that does not exist, with the two exchanged.
    fn links(&self) -> Value {
        let Shown {
            assignment, base, ..
        } = self;
        let mut links = Map::new();
        let origin = assignment.inherited_from.as_ref();
        let target = match origin.unwrap_or(&assignment.target) {
            GrantTarget::Project(id) => format!("/projects/{id}"),
            GrantTarget::Domain(id) => format!("/domains/{id}"),
            GrantTarget::System => "/system".to_owned(),
        };
        let actor = match (&assignment.group, &assignment.actor) {
            (Some(group), actor) => {
                let membership = format!("{base}/v3/groups/{group}/users/{}", actor.id());
                links.insert("membership".to_owned(), membership.into());
                format!("/groups/{group}")
            }
            (None, Actor::User(id)) => format!("/users/{id}"),
            (None, Actor::Group(id)) => format!("/groups/{id}"),
        };
        let role = &assignment.role_id;
        let granted = assignment.implied_by.as_ref().unwrap_or(role);
        let (begin, end) = if self.is_inherited() {
            ("/OS-INHERIT", "/inherited_to_projects")
        } else {
            ("", "")
        };
        let url = format!("{base}/v3{begin}{target}{actor}/roles/{granted}{end}");
        links.insert("assignment".to_owned(), url.into());
        if let Some(prior) = &assignment.implied_by {
            let url = format!("{base}/v3/prior_role/{role}/implies/{prior}");
            links.insert("prior_role".to_owned(), url.into());
        }
        Value::Object(links)
    }
}
