//! Lists of role assignments, each made when it is looked at.

use std::collections::HashSet;
use std::sync::Arc;

use super::list::Reached;
use super::{Actor, Assignment, Expansion, Grant, GrantTarget};
use crate::ids::{DomainId, GroupId, ProjectId, UserId};

/// Only what is on a domain and the projects below it.
#[derive(Debug)]
pub(in super::super) struct Bounds {
    pub domain: DomainId,
    pub projects: HashSet<ProjectId>,
}

impl Bounds {
    fn admit(&self, target: &GrantTarget) -> bool {
        match target {
            GrantTarget::Domain(id) => *id == self.domain,
            GrantTarget::Project(id) => self.projects.contains(id) && *id != *self.domain.as_str(),
            GrantTarget::System => false,
        }
    }
}

/// Role assignments, in no order. What is held are the grants that they come from; each assignment is
/// made when it is looked at, since of a thousand grants there may be a million. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Assignments(Arc<Source>);

#[derive(Debug)]
struct Source {
    rows: Vec<(Actor, Grant)>,
    /// `None`: as they were granted.
    expansion: Option<Expansion>,
    bounds: Option<Bounds>,
}

/// Whom and what assignments are about, each once.
#[derive(Debug, Default)]
pub struct Mentioned {
    /// Users who have one, by whatever way.
    pub users: HashSet<UserId>,
    /// Groups that were granted one, where they are listed as they were granted.
    pub groups: HashSet<GroupId>,
    /// Projects on which somebody has one.
    pub projects: HashSet<ProjectId>,
    /// Domains on which somebody has one.
    pub domains: HashSet<DomainId>,
}

impl Assignments {
    pub(in super::super) fn new(
        rows: Vec<(Actor, Grant)>,
        expansion: Option<Expansion>,
        bounds: Option<Bounds>,
    ) -> Self {
        Self(Arc::new(Source {
            rows,
            expansion,
            bounds,
        }))
    }

    /// Each of them, made one at a time.
    pub fn iter(&self) -> AssignmentsIter {
        AssignmentsIter {
            source: Arc::clone(&self.0),
            next: 0,
            product: Product::default(),
        }
    }

    /// Whom and what they are about: no more work than there are grants, members and projects.
    pub fn mentioned(&self) -> Mentioned {
        let mut mentioned = Mentioned::default();
        let (mut actors, mut targets) = (HashSet::new(), HashSet::new());
        for (actor, grant) in &self.0.rows {
            if self.0.roles(grant).is_some_and(|roles| roles.is_empty()) {
                continue;
            }
            if actors.insert(actor) {
                self.0.mention_actor(actor, &mut mentioned);
            }
            if targets.insert((&grant.target, grant.inherited)) {
                for target in self.0.targets(grant) {
                    match target {
                        GrantTarget::Project(id) => mentioned.projects.insert(id),
                        GrantTarget::Domain(id) => mentioned.domains.insert(id),
                        GrantTarget::System => false,
                    };
                }
            }
        }
        mentioned
    }
}

impl IntoIterator for &Assignments {
    type Item = Assignment;
    type IntoIter = AssignmentsIter;

    fn into_iter(self) -> AssignmentsIter {
        self.iter()
    }
}

impl Source {
    /// What a grant's role amounts to; `None` where that is not asked for.
    fn roles(&self, grant: &Grant) -> Option<&Arc<[Reached]>> {
        self.expansion.as_ref()?.roles.get(&grant.role_id)
    }

    fn targets(&self, grant: &Grant) -> Vec<GrantTarget> {
        let mut targets = match &self.expansion {
            Some(expansion) => expansion.targets(grant),
            None => vec![grant.target.clone()],
        };
        if let Some(bounds) = &self.bounds {
            targets.retain(|target| bounds.admit(target));
        }
        targets
    }

    fn mention_actor(&self, actor: &Actor, mentioned: &mut Mentioned) {
        match (&self.expansion, actor) {
            (Some(expansion), _) => {
                let users = expansion.users(actor).into_iter();
                mentioned.users.extend(users.map(|(user, _)| user));
            }
            (None, Actor::User(id)) => {
                mentioned.users.insert(id.clone());
            }
            (None, Actor::Group(id)) => {
                mentioned.groups.insert(id.clone());
            }
        }
    }

    /// All that a grant amounts to.
    fn product(&self, (actor, grant): &(Actor, Grant)) -> Product {
        let mut product = Product::default();
        let Some(expansion) = &self.expansion else {
            let is_wanted = !self.targets(grant).is_empty();
            let row = is_wanted.then(|| (actor.clone(), grant.clone()));
            product.granted = row.map(Assignment::from);
            return product;
        };
        // Where nobody gets a role of it, its targets are of no concern, nor are its members.
        if let Some(roles) = self.roles(grant).filter(|roles| !roles.is_empty()) {
            product.roles = Some(Arc::clone(roles));
            product.users = expansion.users(actor);
        }
        if !product.users.is_empty() {
            product.targets = self.targets(grant);
            product.from = grant.inherited.then(|| grant.target.clone());
        }
        product
    }
}

/// What one grant amounts to, and how much of that has been looked at.
#[derive(Debug, Default)]
struct Product {
    /// The grant itself, where that is what is asked for.
    granted: Option<Assignment>,
    /// Else each of these, for each of these, with each of these.
    targets: Vec<GrantTarget>,
    users: Vec<(UserId, Option<GroupId>)>,
    roles: Option<Arc<[Reached]>>,
    from: Option<GrantTarget>,
    next: usize,
}

impl Iterator for Product {
    type Item = Assignment;

    fn next(&mut self) -> Option<Assignment> {
        let Some(roles) = &self.roles else {
            return self.granted.take();
        };
        let (users, role) = (
            self.next.checked_div(roles.len())?,
            self.next.checked_rem(roles.len())?,
        );
        let (target, user) = (
            users.checked_div(self.users.len())?,
            users.checked_rem(self.users.len())?,
        );
        let target = self.targets.get(target)?;
        let (user, group) = self.users.get(user)?;
        let (role_id, implied_by) = roles.get(role)?;
        self.next += 1;
        Some(Assignment {
            actor: Actor::User(user.clone()),
            target: target.clone(),
            role_id: role_id.clone(),
            inherited: false,
            group: group.clone(),
            inherited_from: self.from.clone(),
            implied_by: implied_by.clone(),
        })
    }
}

/// See [`Assignments::iter`].
#[derive(Debug)]
pub struct AssignmentsIter {
    source: Arc<Source>,
    next: usize,
    product: Product,
}

impl Iterator for AssignmentsIter {
    type Item = Assignment;

    fn next(&mut self) -> Option<Assignment> {
        loop {
            if let Some(assignment) = self.product.next() {
                return Some(assignment);
            }
            let row = self.source.rows.get(self.next)?;
            self.next += 1;
            self.product = self.source.product(row);
        }
    }
}
