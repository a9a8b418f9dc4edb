use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::store::Rows;
use super::super::{
    Actor, AssignmentProvider, EffectiveRoles, Error, GetEffectiveRoles, Grant, GrantTarget,
    ListScopes, Scopes, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::{GroupId, ProjectId, RoleId, UserId};
use crate::resource::{GetAncestors, GetDescendants};
use crate::role::{GetRoleGraph, RoleGraph};

impl AssignmentProvider {
    pub(super) async fn graph(&self) -> Result<Arc<RoleGraph>, Error> {
        Ok(self.roles.read(GetRoleGraph).await?)
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
                self.resources.read(GetAncestors { project }).await?
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

impl Serve<ListScopes> for AssignmentProvider {
    async fn serve(self, ListScopes { user, groups }: ListScopes) -> Result<Scopes, Error> {
        let graph = self.graph().await?;
        let grants = self.grants(&actors(user, &groups)).await?;
        // A role of a domain gives no scope, unless it implies a global one.
        let mut shown: HashMap<RoleId, bool> = HashMap::new();
        let shows = |grant: &&Grant| {
            *shown.entry(grant.role_id.clone()).or_insert_with(|| {
                let roles = graph.expand([&grant.role_id]);
                roles.iter().any(|role| role.domain_id.is_none())
            })
        };
        let grants = grants.iter().flat_map(|grants| grants.iter());
        let (mut projects, mut domains) = (BTreeSet::new(), BTreeSet::new());
        let (mut roots, mut system) = (BTreeSet::new(), false);
        for grant in grants.filter(shows) {
            match &grant.target {
                target if grant.inherited => {
                    roots.insert(ProjectId::from(target.id()));
                }
                GrantTarget::Project(id) => {
                    projects.insert(id.clone());
                }
                GrantTarget::Domain(id) => {
                    domains.insert(id.clone());
                }
                GrantTarget::System => system = true,
            }
        }
        if !roots.is_empty() {
            let of = roots.into_iter().collect();
            let below = self.resources.read(GetDescendants { of }).await?;
            projects.extend(below.into_iter().map(|project| project.id));
        }
        Ok(Scopes {
            projects: projects.into_iter().collect(),
            domains: domains.into_iter().collect(),
            system,
        })
    }
}
