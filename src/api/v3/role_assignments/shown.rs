//! An assignment as it is shown, with names where they are asked for.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use keystone_actors::assignment::{Actor, Assignment, Assignments, GrantTarget};
use keystone_actors::identity::{GetGroups, Group, NameUsers, UserName};
use keystone_actors::ids::{DomainId, GroupId, ProjectId, RoleId, UserId};
use keystone_actors::resource::{GetProjects, Project};
use keystone_actors::role::{GetRoleGraph, RoleGraph};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::api::call::Call;
use crate::api::error::ApiError;

/// What everything is called.
pub(super) struct Names {
    users: HashMap<UserId, UserName>,
    groups: HashMap<GroupId, Arc<Group>>,
    /// Domains too.
    projects: HashMap<ProjectId, Arc<Project>>,
    roles: Arc<RoleGraph>,
}

impl Names {
    /// Looks everything up, each once.
    pub(super) async fn load(call: &Call, assignments: &Assignments) -> Result<Self, ApiError> {
        let mentioned = assignments.mentioned();
        let providers = call.providers();
        let ids = mentioned.users.into_iter().collect();
        let users = providers.identity.read(NameUsers { ids }).await?;
        let ids = mentioned.groups.into_iter().collect();
        let groups = providers.identity.read(GetGroups { ids }).await?;
        let domains = mentioned.domains.iter().map(ProjectId::from);
        let ids = domains.chain(mentioned.projects).collect();
        let mut projects = providers.resource.read(GetProjects { ids }).await?;
        let roles = providers.role.read(GetRoleGraph).await?;
        let domains = users
            .iter()
            .map(|user| &user.domain_id)
            .chain(groups.iter().map(|group| &group.domain_id))
            .chain(projects.iter().filter_map(|one| one.domain_id.as_ref()))
            .chain(roles.iter().filter_map(|role| role.domain_id.as_ref()));
        let domains: HashSet<&DomainId> = domains.collect();
        let ids = domains.into_iter().map(ProjectId::from).collect();
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

    fn domain<'a>(&'a self, id: &'a str) -> Domain<'a> {
        let name = self.projects.get(id).map(|domain| domain.name.as_str());
        let name = name.unwrap_or_default();
        Domain { id, name }
    }

    /// Of what there is no longer name and domain are empty, as Keystone shows leftovers.
    fn member<'a>(&'a self, id: &'a str, found: Option<(&'a str, &'a str)>) -> Reference<'a> {
        let (name, domain) = match found {
            Some((name, domain)) => (name, self.domain(domain)),
            None => ("", Domain { id: "", name: "" }),
        };
        Reference {
            id,
            name: Some(name),
            domain: Some(domain),
        }
    }

    fn user<'a>(&'a self, id: &'a UserId) -> Reference<'a> {
        let user = self.users.get(id);
        let found = user.map(|user| (user.name.as_str(), user.domain_id.as_str()));
        self.member(id.as_str(), found)
    }

    fn group<'a>(&'a self, id: &'a GroupId) -> Reference<'a> {
        let group = self.groups.get(id);
        let found = group.map(|group| (group.name.as_str(), group.domain_id.as_str()));
        self.member(id.as_str(), found)
    }

    fn project<'a>(&'a self, id: &'a ProjectId) -> Reference<'a> {
        let project = self.projects.get(id);
        let found = project.map(|project| {
            let domain = project.domain_id.as_ref();
            (project.name.as_str(), domain.map_or("", DomainId::as_str))
        });
        self.member(id.as_str(), found)
    }

    fn role<'a>(&'a self, id: &'a RoleId) -> Reference<'a> {
        let role = self.roles.get(id);
        let domain = role.and_then(|role| role.domain_id.as_ref());
        Reference {
            id: id.as_str(),
            name: Some(role.map_or("", |role| &role.name)),
            domain: domain.map(|id| self.domain(id.as_str())),
        }
    }
}

/// A thing by its ID; by its name and domain too, where they are asked for.
#[derive(Serialize)]
struct Reference<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Domain<'a>>,
}

#[derive(Serialize)]
struct Domain<'a> {
    id: &'a str,
    name: &'a str,
}

/// What it takes to show an assignment.
pub(super) struct View {
    names: Option<Names>,
    base: String,
}

impl View {
    /// Assignments seen at `base`, with these names.
    pub(super) fn new(base: String, names: Option<Names>) -> Rc<Self> {
        Rc::new(Self { names, base })
    }

    /// A thing of this ID, as one that knows the names shows it.
    fn reference<'a>(
        &'a self,
        id: &'a str,
        named: impl FnOnce(&'a Names) -> Reference<'a>,
    ) -> Reference<'a> {
        let bare = Reference {
            id,
            name: None,
            domain: None,
        };
        self.names.as_ref().map_or(bare, named)
    }
}

/// An assignment as it is shown, made when it is written.
pub(super) struct Shown {
    assignment: Assignment,
    view: Rc<View>,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { assignment, view } = self;
        let mut shown = serializer.serialize_map(Some(4))?;
        shown.serialize_entry("links", &Links(self))?;
        shown.serialize_entry("scope", &Scope(self))?;
        match &assignment.actor {
            Actor::User(id) => {
                let user = view.reference(id.as_str(), |names| names.user(id));
                shown.serialize_entry("user", &user)?;
            }
            Actor::Group(id) => {
                let group = view.reference(id.as_str(), |names| names.group(id));
                shown.serialize_entry("group", &group)?;
            }
        }
        let role = &assignment.role_id;
        let role = view.reference(role.as_str(), |names| names.role(role));
        shown.serialize_entry("role", &role)?;
        shown.end()
    }
}

impl Shown {
    /// This one.
    pub(super) fn new(assignment: Assignment, view: &Rc<View>) -> Self {
        Self {
            assignment,
            view: Rc::clone(view),
        }
    }

    fn is_inherited(&self) -> bool {
        self.assignment.inherited || self.assignment.inherited_from.is_some()
    }
}

/// Where it holds.
struct Scope<'a>(&'a Shown);

impl Serialize for Scope<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct System {
            all: bool,
        }

        let Shown { assignment, view } = self.0;
        let mut scope = serializer.serialize_map(None)?;
        match &assignment.target {
            GrantTarget::System => scope.serialize_entry("system", &System { all: true })?,
            GrantTarget::Project(id) => {
                let project = view.reference(id.as_str(), |names| names.project(id));
                scope.serialize_entry("project", &project)?;
            }
            GrantTarget::Domain(id) => {
                let domain = view.reference(id.as_str(), |names| Reference {
                    id: id.as_str(),
                    name: Some(names.domain(id.as_str()).name),
                    domain: None,
                });
                scope.serialize_entry("domain", &domain)?;
            }
        }
        if self.0.is_inherited() {
            scope.serialize_entry("OS-INHERIT:inherited_to", "projects")?;
        }
        scope.end()
    }
}

/// URLs of the grant that it comes from; of the membership by which it does; and of the role that
/// implies it, which Keystone has at a path that does not exist, with the two exchanged.
struct Links<'a>(&'a Shown);

impl Serialize for Links<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Shown { assignment, view } = self.0;
        let (base, role) = (&view.base, &assignment.role_id);
        let mut links = serializer.serialize_map(None)?;
        if let Some(group) = &assignment.group {
            let user = assignment.actor.id();
            let url = format_args!("{base}/v3/groups/{group}/users/{user}");
            links.serialize_entry("membership", &url)?;
        }
        let (begin, end) = if self.0.is_inherited() {
            ("/OS-INHERIT", "/inherited_to_projects")
        } else {
            ("", "")
        };
        let origin = assignment.inherited_from.as_ref();
        let target = Path::Target(origin.unwrap_or(&assignment.target));
        let actor = match &assignment.group {
            Some(group) => Path::Group(group),
            None => Path::Actor(&assignment.actor),
        };
        let granted = assignment.implied_by.as_ref().unwrap_or(role);
        let url = format_args!("{base}/v3{begin}{target}{actor}/roles/{granted}{end}");
        links.serialize_entry("assignment", &url)?;
        if let Some(prior) = &assignment.implied_by {
            let url = format_args!("{base}/v3/prior_role/{role}/implies/{prior}");
            links.serialize_entry("prior_role", &url)?;
        }
        links.end()
    }
}

/// A part of the URL of a grant.
enum Path<'a> {
    Target(&'a GrantTarget),
    Actor(&'a Actor),
    Group(&'a GroupId),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(GrantTarget::Project(id)) => write!(f, "/projects/{id}"),
            Self::Target(GrantTarget::Domain(id)) => write!(f, "/domains/{id}"),
            Self::Target(GrantTarget::System) => f.write_str("/system"),
            Self::Actor(Actor::User(id)) => write!(f, "/users/{id}"),
            Self::Actor(Actor::Group(id)) => write!(f, "/groups/{id}"),
            Self::Group(id) => write!(f, "/groups/{id}"),
        }
    }
}
