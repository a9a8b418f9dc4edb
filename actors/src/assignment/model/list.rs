//! Lists of role assignments: as they were granted, or what they amount to for each user.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{Actor, Grant, GrantTarget};
use crate::ids::{DomainId, GroupId, ProjectId, RoleId, UserId};
use crate::resource::Descendant;
use crate::role::RoleGraph;

/// Which role assignments are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignmentFilter {
    /// Whose.
    pub actor: Option<Actor>,
    /// Of which role.
    pub role: Option<RoleId>,
    /// On what. `None`: on anything.
    pub target: Option<GrantTarget>,
    /// With a project: also on everything below it.
    pub subtree: bool,
    /// Only those that are inherited, or only those that are not. Those on the system are neither,
    /// and always there.
    pub inherited: Option<bool>,
    /// What they amount to for each user, instead of what was granted.
    pub effective: bool,
    /// Only those on this domain and its projects.
    pub within: Option<DomainId>,
}

/// A role that somebody has somewhere, and how that comes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assignment {
    /// Who has it.
    pub actor: Actor,
    /// On what.
    pub target: GrantTarget,
    /// Which role.
    pub role_id: RoleId,
    /// `true`: granted to be inherited by what is below the target.
    pub inherited: bool,
    /// The group by which a user has it.
    pub group: Option<GroupId>,
    /// What it was granted on, to be inherited by the target.
    pub inherited_from: Option<GrantTarget>,
    /// The role that implies it.
    pub implied_by: Option<RoleId>,
}

impl From<(Actor, Grant)> for Assignment {
    fn from((actor, grant): (Actor, Grant)) -> Self {
        Self {
            actor,
            target: grant.target,
            role_id: grant.role_id,
            inherited: grant.inherited,
            group: None,
            inherited_from: None,
            implied_by: None,
        }
    }
}

/// Projects, by what they are right below.
#[derive(Debug, Default)]
pub(in super::super) struct Tree(HashMap<ProjectId, Vec<ProjectId>>);

impl Tree {
    pub fn new(projects: impl IntoIterator<Item = Descendant>) -> Self {
        let mut below: HashMap<ProjectId, Vec<ProjectId>> = HashMap::new();
        for Descendant { id, parent_id } in projects {
            below.entry(parent_id).or_default().push(id);
        }
        Self(below)
    }

    /// Everything below a project or domain.
    fn below(&self, root: &str) -> Vec<ProjectId> {
        let (mut found, mut next) = (Vec::new(), vec![root]);
        let mut seen: HashSet<&str> = next.iter().copied().collect();
        while let Some(parent) = next.pop() {
            for id in self.0.get(parent).into_iter().flatten() {
                if seen.insert(id.as_str()) {
                    found.push(id.clone());
                    next.push(id.as_str());
                }
            }
        }
        found
    }
}

/// How grants become what each user has: Keystone's `_list_effective_role_assignments`. Groups become
/// their members, what is inherited goes to where it ends up, implied roles come along, and roles of
/// domains, which no token shows, go.
#[derive(Debug, Default)]
pub(in super::super) struct Expansion {
    /// For this user only, whose and whose groups' grants they are.
    pub user: Option<UserId>,
    /// On this project only, and on those of `within`.
    pub project: Option<ProjectId>,
    /// The project and, where they are asked for too, all below it.
    pub within: BTreeSet<ProjectId>,
    /// What is below the targets of inherited grants.
    pub tree: Tree,
    /// Who is in the groups that were granted something.
    pub members: HashMap<GroupId, Vec<UserId>>,
    /// What each granted role amounts to.
    pub roles: HashMap<RoleId, Arc<[Reached]>>,
}

/// A role that comes with another, and the one that implies it; `None`: the granted one itself.
pub(super) type Reached = (RoleId, Option<RoleId>);

impl Expansion {
    /// What the roles of these grants amount to, as far as `role` is asked for.
    pub fn with_roles(
        mut self,
        rows: &[(Actor, Grant)],
        role: Option<&RoleId>,
        graph: &RoleGraph,
    ) -> Self {
        for (_, grant) in rows {
            if self.roles.contains_key(&grant.role_id) {
                continue;
            }
            let mut reached = visible(with_implied(&grant.role_id, graph), graph);
            reached.retain(|(id, _)| role.is_none_or(|role| role == id));
            self.roles.insert(grant.role_id.clone(), reached.into());
        }
        self
    }

    /// Where a grant gives its role.
    pub(super) fn targets(&self, grant: &Grant) -> Vec<GrantTarget> {
        if !grant.inherited {
            let wanted = match (&grant.target, &self.project) {
                // Keystone leaves them out where effective ones are asked for.
                (GrantTarget::System, _) => false,
                (GrantTarget::Project(id), Some(_)) => self.within.contains(id),
                (_, Some(_)) => false,
                (_, None) => true,
            };
            return wanted.then(|| grant.target.clone()).into_iter().collect();
        }
        let root = grant.target.id();
        let projects = match &self.project {
            None => self.tree.below(root),
            // Granted inside: only what is below there.
            Some(project)
                if self.within.contains(root) && self.within.len() > 1 || *project == *root =>
            {
                self.tree.below(root)
            }
            Some(_) => self.within.iter().cloned().collect(),
        };
        projects.into_iter().map(GrantTarget::Project).collect()
    }

    /// Whom a grant gives its role, and by which group.
    pub(super) fn users(&self, actor: &Actor) -> Vec<(UserId, Option<GroupId>)> {
        match (actor, &self.user) {
            (Actor::User(user), _) => vec![(user.clone(), None)],
            (Actor::Group(group), Some(user)) => vec![(user.clone(), Some(group.clone()))],
            (Actor::Group(group), None) => {
                let members = self.members.get(group).into_iter().flatten();
                let members = members.map(|user| (user.clone(), Some(group.clone())));
                members.collect()
            }
        }
    }
}

/// A role, and each that it implies with the one that implies it: of several ways each once.
fn with_implied(role: &RoleId, graph: &RoleGraph) -> Vec<(RoleId, Option<RoleId>)> {
    let mut found = vec![(role.clone(), None)];
    let mut next = vec![role];
    let mut seen = HashSet::new();
    while let Some(prior) = next.pop() {
        for implied in graph.implied_by(prior) {
            if seen.insert((implied, prior)) {
                found.push((implied.clone(), Some(prior.clone())));
                next.push(implied);
            }
        }
    }
    found
}

/// Those of them that tokens show: the global ones.
fn visible(
    mut roles: Vec<(RoleId, Option<RoleId>)>,
    graph: &RoleGraph,
) -> Vec<(RoleId, Option<RoleId>)> {
    roles.retain(|(id, _)| graph.get(id).is_some_and(|role| role.domain_id.is_none()));
    roles
}
