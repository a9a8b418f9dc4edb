use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::store::Rows;
use super::super::{
    Actor, AssignmentProvider, EffectiveRoles, Error, GetEffectiveRoles, Grant, GrantTarget,
    ListScopes, RetainWithRole, Scopes, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::{DomainId, GroupId, ProjectId, RoleId, UserId};
use crate::resource::{GetAncestors, GetDescendants};
use crate::role::{GetRoleGraph, RoleGraph};

impl AssignmentProvider {
    pub(super) async fn graph(&self) -> Result<Arc<RoleGraph>, Error> {
        Ok(self.role.read(GetRoleGraph).await?)
    }

    /// What each of these was granted; those that are not cached are loaded in one statement.
    pub(super) async fn grants(&self, actors: &[Actor]) -> Result<Vec<Arc<[Grant]>>, Error> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for actor in actors {
            match self.grants.get(actor) {
                Some(grants) => found.push(grants),
                None => missing.push(actor.clone()),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let epochs = self.grants.epochs();
        // Before the read: if a change commits meanwhile, what is inserted is already a miss.
        let stamp = epochs.now();
        let mut loaded: HashMap<Actor, Vec<Grant>> = HashMap::new();
        let rows = Rows {
            actors: Some(&missing),
            ..Rows::default()
        };
        for (actor, grant) in store::list_rows(&self.db, &rows).await? {
            loaded.entry(actor).or_default().push(grant);
        }
        for actor in missing {
            // That somebody has none is worth knowing too.
            let grants: Arc<[Grant]> = loaded.remove(&actor).unwrap_or_default().into();
            found.push(Arc::clone(&grants));
            let on = epochs.dependencies([(Kind::Assignments, actor.id())]);
            self.grants.insert(actor, grants, stamp, on);
        }
        Ok(found)
    }
}

/// A user and the groups that it is in.
fn actors(user: UserId, groups: &[GroupId]) -> Vec<Actor> {
    let groups = groups.iter().cloned().map(Actor::Group);
    groups.chain([Actor::User(user)]).collect()
}

impl Serve<GetEffectiveRoles> for AssignmentProvider {
    async fn serve(self, message: GetEffectiveRoles) -> Result<Arc<EffectiveRoles>, Error> {
        let GetEffectiveRoles {
            user,
            groups,
            target,
        } = message;
        let ancestors = match &target {
            GrantTarget::Project(id) => {
                let project = id.clone();
                self.resource.read(GetAncestors { project }).await?
            }
            GrantTarget::Domain(_) | GrantTarget::System => Arc::default(),
        };
        let grants = self.grants(&actors(user, &groups)).await?;
        let grants = grants.iter().flat_map(|grants| grants.iter());
        let graph = self.graph().await?;
        let roles = EffectiveRoles::new(grants, &target, ancestors, &graph);
        Ok(Arc::new(roles))
    }
}

/// What somebody was granted that gives a scope.
#[derive(Default)]
struct Reach {
    projects: BTreeSet<ProjectId>,
    domains: BTreeSet<DomainId>,
    /// Projects and domains below which roles are inherited.
    roots: BTreeSet<ProjectId>,
    system: bool,
}

impl AssignmentProvider {
    async fn reach(&self, user: UserId, groups: &[GroupId]) -> Result<Reach, Error> {
        let graph = self.graph().await?;
        let grants = self.grants(&actors(user, groups)).await?;
        // A role of a domain gives no scope, unless it implies a global one.
        let mut shown: HashMap<RoleId, bool> = HashMap::new();
        let shows = |grant: &&Grant| {
            *shown.entry(grant.role_id.clone()).or_insert_with(|| {
                let roles = graph.expand([&grant.role_id]);
                roles.iter().any(|role| role.domain_id.is_none())
            })
        };
        let mut reach = Reach::default();
        let grants = grants.iter().flat_map(|grants| grants.iter());
        for grant in grants.filter(shows) {
            match &grant.target {
                target if grant.inherited => {
                    reach.roots.insert(ProjectId::from(target.id()));
                }
                GrantTarget::Project(id) => {
                    reach.projects.insert(id.clone());
                }
                GrantTarget::Domain(id) => {
                    reach.domains.insert(id.clone());
                }
                GrantTarget::System => reach.system = true,
            }
        }
        Ok(reach)
    }

    /// All projects below these.
    async fn below(
        &self,
        roots: BTreeSet<ProjectId>,
    ) -> Result<impl Iterator<Item = ProjectId> + use<>, Error> {
        let of: Vec<ProjectId> = roots.into_iter().collect();
        let below = match of.is_empty() {
            true => Vec::new(),
            false => self.resource.read(GetDescendants { of }).await?,
        };
        Ok(below.into_iter().map(|project| project.id))
    }
}

impl Serve<ListScopes> for AssignmentProvider {
    async fn serve(self, ListScopes { user, groups }: ListScopes) -> Result<Scopes, Error> {
        let reach = self.reach(user, &groups).await?;
        let mut projects = reach.projects;
        projects.extend(self.below(reach.roots).await?);
        Ok(Scopes {
            projects: projects.into_iter().collect(),
            domains: reach.domains.into_iter().collect(),
            system: reach.system,
        })
    }
}

impl Serve<RetainWithRole> for AssignmentProvider {
    async fn serve(self, message: RetainWithRole) -> Result<Vec<ProjectId>, Error> {
        let RetainWithRole {
            user,
            groups,
            mut projects,
            is_chain,
        } = message;
        let reach = self.reach(user, &groups).await?;
        let mut reached = reach.projects;
        if is_chain {
            let root = projects.iter().rposition(|id| reach.roots.contains(id));
            reached.extend(projects.iter().take(root.unwrap_or(0)).cloned());
        } else {
            reached.extend(self.below(reach.roots).await?);
        }
        projects.retain(|id| reached.contains(id));
        Ok(projects)
    }
}
