use std::collections::{BTreeSet, HashMap};

use super::super::model::{Expansion, Tree};
use super::super::store::{Rows, Targets};
use super::super::{
    Actor, Assignment, AssignmentFilter, AssignmentProvider, Error, Grant, GrantTarget,
    ListAssignments, store,
};
use crate::actor::Serve;
use crate::identity::{ListGroupsOfUser, ListMembers};
use crate::ids::{DomainId, GroupId, ProjectId, UserId};
use crate::resource::{self, GetAncestors, GetDescendants, GetProject};

impl AssignmentProvider {
    /// Everything below a project, and itself.
    async fn subtree(&self, project: &ProjectId) -> Result<BTreeSet<ProjectId>, Error> {
        let of = vec![project.clone()];
        let below = self.resources.read(GetDescendants { of }).await?;
        let below = below.into_iter().map(|project| project.id);
        Ok(below.chain([project.clone()]).collect())
    }

    async fn domain_of(&self, project: &ProjectId) -> Result<DomainId, Error> {
        let get = GetProject {
            id: project.clone(),
        };
        let project = self.resources.read(get).await?;
        let own = || DomainId::from(&project.id);
        Ok(project.domain_id.clone().unwrap_or_else(own))
    }

    /// The rows as they are.
    async fn list_direct(&self, filter: &AssignmentFilter) -> Result<Vec<Assignment>, Error> {
        let actor = filter.actor.as_ref().map(std::slice::from_ref);
        let mut rows = Rows {
            actors: actor,
            role: filter.role.as_ref(),
            inherited: filter.inherited,
            ..Rows::default()
        };
        let (project, wanted, domain);
        match &filter.target {
            None => {}
            Some(GrantTarget::System) => rows.targets = Targets::System,
            Some(GrantTarget::Domain(id)) => rows.targets = Targets::Domain(id.as_str()),
            Some(GrantTarget::Project(id)) if filter.subtree => {
                wanted = self.subtree(id).await?;
                domain = self.domain_of(id).await?;
                rows.targets = Targets::Within(domain.as_str());
                let found = store::list_rows(&self.db, &rows).await?;
                let of_subtree = found.into_iter().filter(|(_, grant)| match &grant.target {
                    GrantTarget::Project(id) => wanted.contains(id),
                    GrantTarget::Domain(_) | GrantTarget::System => false,
                });
                return Ok(of_subtree.map(Assignment::from).collect());
            }
            Some(GrantTarget::Project(id)) => {
                project = [id.as_str()];
                rows.targets = Targets::Projects(&project);
            }
        }
        let found = store::list_rows(&self.db, &rows).await?;
        Ok(found.into_iter().map(Assignment::from).collect())
    }

    /// What the rows amount to for each user.
    async fn list_effective(
        &self,
        filter: &AssignmentFilter,
        now: i64,
    ) -> Result<Vec<Assignment>, Error> {
        let user = match &filter.actor {
            Some(Actor::User(user)) => Some(user),
            // Whatever a group has is its members'.
            Some(Actor::Group(_)) => return Ok(Vec::new()),
            None => None,
        };
        let mut expansion = Expansion {
            user: user.cloned(),
            ..Expansion::default()
        };
        let rows = match &filter.target {
            // Nobody has a role on it by another way.
            Some(GrantTarget::System) => return Ok(Vec::new()),
            Some(GrantTarget::Domain(_)) if filter.inherited == Some(true) => return Ok(Vec::new()),
            Some(GrantTarget::Domain(id)) => {
                let (targets, inherited) = (Targets::Domain(id.as_str()), Some(false));
                self.rows_for(user, targets, inherited, now).await?
            }
            Some(GrantTarget::Project(id)) => {
                expansion.project = Some(id.clone());
                if filter.subtree {
                    expansion.within = self.subtree(id).await?;
                } else {
                    expansion.within.insert(id.clone());
                }
                self.rows_above(filter, user, id, &expansion.within, now)
                    .await?
            }
            None => {
                let targets = Targets::Anything;
                self.rows_for(user, targets, filter.inherited, now).await?
            }
        };
        expansion.tree = self.tree(&rows, &expansion).await?;
        expansion.members = self.members(&rows, user).await?;
        let graph = self.graph().await?;
        Ok(expansion.expand(rows, filter.role.as_ref(), &graph))
    }

    /// The rows of a user and the user's groups, or of everybody.
    async fn rows_for(
        &self,
        user: Option<&UserId>,
        targets: Targets<'_>,
        inherited: Option<bool>,
        now: i64,
    ) -> Result<Vec<(Actor, Grant)>, Error> {
        let actors = match user {
            None => None,
            Some(user) => {
                let groups = ListGroupsOfUser {
                    user: user.clone(),
                    now,
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
            inherited,
            ..Rows::default()
        };
        store::list_rows(&self.db, &rows).await
    }

    /// The rows that may reach a project, or one below it.
    async fn rows_above(
        &self,
        filter: &AssignmentFilter,
        user: Option<&UserId>,
        project: &ProjectId,
        within: &BTreeSet<ProjectId>,
        now: i64,
    ) -> Result<Vec<(Actor, Grant)>, Error> {
        let ancestors = GetAncestors {
            project: project.clone(),
        };
        let ancestors = match self.resources.read(ancestors).await {
            Err(resource::Error::NotFound(_)) if filter.inherited == Some(false) => {
                return Ok(Vec::new());
            }
            found => found?,
        };
        let domain = self.domain_of(project).await?;
        if filter.subtree {
            let targets = Targets::Within(domain.as_str());
            let mut rows = self.rows_for(user, targets, filter.inherited, now).await?;
            // The neighbours' are of no concern.
            rows.retain(|(_, grant)| match &grant.target {
                GrantTarget::Domain(_) => true,
                GrantTarget::Project(id) => within.contains(id) || ancestors.contains(id),
                GrantTarget::System => false,
            });
            return Ok(rows);
        }
        let ids = ancestors.iter().chain([project]);
        let ids: Vec<&str> = ids.map(ProjectId::as_str).collect();
        let targets = Targets::Either(domain.as_str(), &ids);
        self.rows_for(user, targets, filter.inherited, now).await
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
        let below = self.resources.read(GetDescendants { of }).await?;
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

impl Serve<ListAssignments> for AssignmentProvider {
    async fn serve(self, message: ListAssignments) -> Result<Vec<Assignment>, Error> {
        let ListAssignments { filter, now } = message;
        let mut found = if filter.effective {
            self.list_effective(&filter, now).await?
        } else {
            self.list_direct(&filter).await?
        };
        if let Some(domain) = &filter.within {
            let projects = self.subtree(&domain.into()).await?;
            found.retain(|assignment| match &assignment.target {
                GrantTarget::Domain(id) => id == domain,
                GrantTarget::Project(id) => projects.contains(id) && *id != *domain.as_str(),
                GrantTarget::System => false,
            });
        }
        Ok(found)
    }
}
