use std::collections::{BTreeSet, HashMap};

use super::super::model::{Bounds, Expansion, Tree};
use super::super::store::{Rows, Sought, Targets};
use super::super::{
    Actor, AssignmentFilter, AssignmentProvider, Assignments, Error, Grant, GrantTarget,
    ListAssignments, store,
};
use crate::actor::Serve;
use crate::db::BATCH;
use crate::epoch::Kind;
use crate::identity::{ListGroupsOfUser, ListMembers};
use crate::ids::{DomainId, GroupId, ProjectId, RoleId, UserId};
use crate::resource::{self, GetAncestors, GetDescendants, GetProject};

/// Rows that are kept of one question, at most.
const KEPT: usize = 1000;

impl AssignmentProvider {
    /// The rows, from the cache where the question was asked before and nobody's grants have changed since.
    async fn rows(&self, rows: &Rows<'_>) -> Result<Vec<(Actor, Grant)>, Error> {
        let (Some(sought), Some(kept)) = (Sought::of(rows), &self.found) else {
            return store::list_rows(&self.db, rows).await;
        };
        if let Some(found) = kept.get(&sought) {
            return Ok(found.to_vec());
        }
        let epochs = kept.epochs();
        // Before the read: if a change commits meanwhile, what is inserted is already a miss.
        let stamp = epochs.now();
        let found = store::list_rows(&self.db, rows).await?;
        if found.len() <= KEPT {
            let on = epochs.dependencies([(Kind::Assignments, ""), (Kind::Roles, "")]);
            kept.insert(sought, found.as_slice().into(), stamp, on);
        }
        Ok(found)
    }

    /// Everything below a project, and itself.
    async fn subtree(&self, project: &ProjectId) -> Result<BTreeSet<ProjectId>, Error> {
        let of = vec![project.clone()];
        let below = self.resource.read(GetDescendants { of }).await?;
        let below = below.into_iter().map(|project| project.id);
        Ok(below.chain([project.clone()]).collect())
    }

    async fn domain_of(&self, project: &ProjectId) -> Result<DomainId, Error> {
        let get = GetProject {
            id: project.clone(),
        };
        let project = self.resource.read(get).await?;
        let own = || DomainId::from(&project.id);
        Ok(project.domain_id.clone().unwrap_or_else(own))
    }

    /// The rows as they are.
    async fn list_direct(&self, filter: &AssignmentFilter) -> Result<Vec<(Actor, Grant)>, Error> {
        let actor = filter.actor.as_ref().map(std::slice::from_ref);
        let mut rows = Rows {
            actors: actor,
            roles: filter.role.as_ref().map(std::slice::from_ref),
            inherited: filter.inherited,
            ..Rows::default()
        };
        let (wanted, ids, domain): (BTreeSet<ProjectId>, Vec<&str>, DomainId);
        match (&filter.target, &filter.within) {
            // Of a domain no more than what is in it; for what else is asked, there is little.
            (None, Some(domain)) => rows.targets = Targets::Within(domain.as_str()),
            (None, None) => {}
            (Some(GrantTarget::System), _) => rows.targets = Targets::System,
            (Some(GrantTarget::Domain(id)), _) => rows.targets = Targets::Domain(id.as_str()),
            (Some(GrantTarget::Project(id)), _) if filter.subtree => {
                wanted = self.subtree(id).await?;
                domain = self.domain_of(id).await?;
                ids = wanted.iter().map(ProjectId::as_str).collect();
                rows.targets = Targets::projects(&domain, &ids);
                let mut found = self.rows(&rows).await?;
                found.retain(|(_, grant)| match &grant.target {
                    GrantTarget::Project(id) => wanted.contains(id),
                    GrantTarget::Domain(_) | GrantTarget::System => false,
                });
                return Ok(found);
            }
            (Some(GrantTarget::Project(id)), _) => {
                ids = vec![id.as_str()];
                rows.targets = Targets::Projects(&ids);
            }
        }
        self.rows(&rows).await
    }

    /// What the rows amount to for each user.
    async fn list_effective(
        &self,
        filter: &AssignmentFilter,
        now: i64,
    ) -> Result<(Vec<(Actor, Grant)>, Expansion), Error> {
        let none = || Ok((Vec::new(), Expansion::default()));
        let user = match &filter.actor {
            Some(Actor::User(user)) => Some(user),
            // Whatever a group has is its members'.
            Some(Actor::Group(_)) => return none(),
            None => None,
        };
        let graph = self.graph().await?;
        let roles = filter.role.as_ref().map(|role| graph.implying(role));
        let asked = Asked {
            user,
            roles: roles.as_deref(),
            inherited: filter.inherited,
            now,
        };
        let mut expansion = Expansion {
            user: user.cloned(),
            ..Expansion::default()
        };
        let rows = match &filter.target {
            // Nobody has a role on it by another way.
            Some(GrantTarget::System) => return none(),
            Some(GrantTarget::Domain(_)) if filter.inherited == Some(true) => return none(),
            Some(GrantTarget::Domain(id)) => {
                let asked = Asked {
                    inherited: Some(false),
                    ..asked
                };
                self.rows_for(asked, Targets::Domain(id.as_str())).await?
            }
            Some(GrantTarget::Project(id)) => {
                expansion.project = Some(id.clone());
                if filter.subtree {
                    expansion.within = self.subtree(id).await?;
                } else {
                    expansion.within.insert(id.clone());
                }
                self.rows_above(asked, id, &expansion.within).await?
            }
            None => {
                // What is inherited by the projects of a domain comes from inside it.
                let within = filter.within.as_ref().map(DomainId::as_str);
                let targets = within.map_or(Targets::Anything, Targets::Within);
                self.rows_for(asked, targets).await?
            }
        };
        expansion.tree = self.tree(&rows, &expansion).await?;
        expansion.members = self.members(&rows, user).await?;
        let expansion = expansion.with_roles(&rows, filter.role.as_ref(), &graph);
        Ok((rows, expansion))
    }

    /// The rows of a user and the user's groups, or of everybody.
    async fn rows_for(
        &self,
        asked: Asked<'_>,
        targets: Targets<'_>,
    ) -> Result<Vec<(Actor, Grant)>, Error> {
        let actors = match asked.user {
            None => None,
            Some(user) => {
                let groups = ListGroupsOfUser {
                    user: user.clone(),
                    now: asked.now,
                };
                let groups = self.identity.read(groups).await?;
                let groups = groups.iter().cloned().map(Actor::Group);
                Some(
                    groups
                        .chain([Actor::User(user.clone())])
                        .collect::<Vec<_>>(),
                )
            }
        };
        let rows = Rows {
            actors: actors.as_deref(),
            targets,
            roles: asked.roles,
            inherited: asked.inherited,
        };
        self.rows(&rows).await
    }

    /// The rows that may reach a project, or one of those `within`, which are below it.
    async fn rows_above(
        &self,
        asked: Asked<'_>,
        project: &ProjectId,
        within: &BTreeSet<ProjectId>,
    ) -> Result<Vec<(Actor, Grant)>, Error> {
        let ancestors = GetAncestors {
            project: project.clone(),
        };
        let ancestors = match self.resource.read(ancestors).await {
            Err(resource::Error::NotFound(_)) if asked.inherited == Some(false) => {
                return Ok(Vec::new());
            }
            found => found?,
        };
        let domain = self.domain_of(project).await?;
        let above: Vec<&str> = ancestors.iter().map(ProjectId::as_str).collect();
        let ids: Vec<&str> = within.iter().map(ProjectId::as_str).collect();
        let targets = Targets::reaching(&domain, &above, &ids);
        let mut rows = self.rows_for(asked, targets).await?;
        // The neighbours' are of no concern.
        rows.retain(|(_, grant)| match &grant.target {
            GrantTarget::Domain(_) => true,
            GrantTarget::Project(id) => within.contains(id) || ancestors.contains(id),
            GrantTarget::System => false,
        });
        Ok(rows)
    }

    /// What is below the targets of inherited rows.
    async fn tree(&self, rows: &[(Actor, Grant)], expansion: &Expansion) -> Result<Tree, Error> {
        let roots = rows.iter().filter(|(_, grant)| grant.inherited);
        let roots = roots.map(|(_, grant)| ProjectId::from(grant.target.id()));
        let roots: BTreeSet<ProjectId> = match expansion.project {
            // Only what is above it counts, whose tree is the chain itself, …
            Some(_) if expansion.within.len() == 1 => BTreeSet::new(),
            // … or what is in it.
            Some(_) => roots
                .filter(|root| expansion.within.contains(root))
                .collect(),
            None => roots.collect(),
        };
        if roots.is_empty() {
            return Ok(Tree::default());
        }
        let of = roots.into_iter().collect();
        let below = self.resource.read(GetDescendants { of }).await?;
        Ok(Tree::new(below))
    }

    /// Who is in the groups of these rows, where it is not for one user that they are asked.
    async fn members(
        &self,
        rows: &[(Actor, Grant)],
        user: Option<&UserId>,
    ) -> Result<HashMap<GroupId, Vec<UserId>>, Error> {
        let groups = rows.iter().filter_map(|(actor, _)| match actor {
            Actor::Group(group) => Some(group.clone()),
            Actor::User(_) => None,
        });
        let groups: BTreeSet<GroupId> = groups.collect();
        let mut members: HashMap<GroupId, Vec<UserId>> = HashMap::new();
        if groups.is_empty() || user.is_some() {
            return Ok(members);
        }
        let groups = groups.into_iter().collect();
        for (group, user) in self.identity.read(ListMembers { groups }).await? {
            members.entry(group).or_default().push(user);
        }
        Ok(members)
    }
}

/// Of whom and of what effective assignments are asked for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    user: Option<&'a UserId>,
    /// The roles that may amount to what is asked for.
    roles: Option<&'a [RoleId]>,
    inherited: Option<bool>,
    now: i64,
}

impl<'a> Targets<'a> {
    /// These projects, all of one domain; too many for one statement are told by their domain.
    fn projects(domain: &'a DomainId, ids: &'a [&'a str]) -> Self {
        match ids.len() {
            0..=BATCH => Self::Projects(ids),
            _ => Self::Within(domain.as_str()),
        }
    }

    /// The same, and what they inherit from above and from the domain.
    fn reaching(domain: &'a DomainId, above: &'a [&'a str], projects: &'a [&'a str]) -> Self {
        let domain = domain.as_str();
        match above.len() + projects.len() {
            0..=BATCH => Self::Reaching {
                domain,
                above,
                projects,
            },
            _ => Self::Within(domain),
        }
    }
}

impl Serve<ListAssignments> for AssignmentProvider {
    async fn serve(self, message: ListAssignments) -> Result<Assignments, Error> {
        let ListAssignments { filter, now } = message;
        let (rows, expansion) = if filter.effective {
            let (rows, expansion) = self.list_effective(&filter, now).await?;
            (rows, Some(expansion))
        } else {
            (self.list_direct(&filter).await?, None)
        };
        let bounds = match filter.within {
            None => None,
            Some(domain) => Some(Bounds {
                projects: self.subtree(&(&domain).into()).await?.into_iter().collect(),
                domain,
            }),
        };
        Ok(Assignments::new(rows, expansion, bounds))
    }
}
