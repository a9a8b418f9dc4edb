use crate::actor::Unavailable;
use crate::ids::{DomainId, ProjectId};

/// What can go wrong here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No project has this ID or name.
    #[error("Could not find project: {0}.")]
    NotFound(String),
    /// No domain has this ID or name.
    #[error("Could not find domain: {0}.")]
    DomainNotFound(String),
    /// The project hasn't this tag.
    #[error("Could not find project tag: {0}.")]
    TagNotFound(String),
    /// A page should begin behind something that there is not.
    #[error("Marker {0} could not be found.")]
    MarkerNotFound(String),
    /// A new project names a parent that there is not. A malformed request, to Keystone.
    #[error("Could not find project: {0}.")]
    UnknownParent(ProjectId),
    /// A new project names a domain that there is not. A malformed request too.
    #[error("Could not find domain: {0}.")]
    UnknownDomain(DomainId),
    /// The name is taken in the domain, or among the domains.
    #[error(
        "Conflict occurred attempting to store project - it is not permitted to have two projects \
         {}.",
        alike(*.is_domain, name, id)
    )]
    NameTaken {
        /// Whether it is about domains.
        is_domain: bool,
        /// The name.
        name: String,
        /// The ID that has it not, or would have had it.
        id: ProjectId,
    },
    /// Two tags are the same to the database, though not in case.
    #[error("Conflict occurred attempting to store project - Duplicate entry.")]
    TagsCollide,
    /// The project has as many tags as one may have.
    #[error("a project has {0} tags at most")]
    TooManyTags(usize),
    /// The project has this tag.
    #[error("{0:?} is a tag of the project already")]
    TagExists(String),
    /// The name has characters that URLs reserve, and must not.
    #[error("{kind} name cannot contain the following reserved characters: {characters}")]
    ReservedCharacters {
        /// `Project` or `Domain`.
        kind: &'static str,
        /// Those of the name, in its order.
        characters: String,
    },
    /// No domain may be called so.
    #[error("Domain cannot be named {0}")]
    ReservedDomain(String),
    /// An ID that was given for a domain is no UUID.
    #[error("Domain ID does not conform to required UUID format.")]
    DomainIdInvalid,
    /// A domain is nowhere in the tree.
    #[error("only root projects are allowed to act as domains.")]
    DomainBelowAnother,
    /// The parent is another domain than that of the project.
    #[error(
        "Cannot create project, the parent ({parent}) is acting as a domain, but this project's \
         domain id ({domain}) does not match the parent's id."
    )]
    ParentIsOtherDomain {
        /// The parent.
        parent: ProjectId,
        /// The project's domain.
        domain: DomainId,
    },
    /// The parent is in another domain.
    #[error(
        "Cannot create project, since it specifies its domain_id {domain}, but specifies a parent \
         in a different domain ({of_parent})."
    )]
    ParentInOtherDomain {
        /// The project's domain.
        domain: DomainId,
        /// The parent's.
        of_parent: DomainId,
    },
    /// Nothing is made below what is disabled.
    #[error("cannot create a project in a branch containing a disabled project: {0}")]
    BranchDisabled(ProjectId),
    /// The tree is as deep as it may be below this project.
    #[error("Max hierarchy depth reached for {0} branch.")]
    TooDeep(ProjectId),
    /// A project stays in its domain.
    #[error("Cannot change Domain ID")]
    DomainIsFixed,
    /// A project stays where it is in the tree.
    #[error("Update of `parent_id` is not allowed.")]
    ParentIsFixed,
    /// A project is a domain for ever, or never.
    #[error("Update of `is_domain` is not allowed.")]
    KindIsFixed,
    /// What is below has to be disabled first.
    #[error("Cannot disable project {0} since its subtree contains enabled projects.")]
    SubtreeEnabled(ProjectId),
    /// What is above has to be enabled first.
    #[error("Cannot enable project {0} since it has disabled parents")]
    ParentDisabled(ProjectId),
    /// There are projects below. The words are Keystone's, whose API has no such option either.
    #[error(
        "Cannot delete the project {0} since it is not a leaf in the hierarchy. Use the cascade \
         option if you want to delete a whole subtree."
    )]
    NotLeaf(ProjectId),
    /// So that nobody deletes a domain by mistake.
    #[error("Cannot delete a domain that is enabled, please disable it first.")]
    DomainEnabled,
    /// `options.immutable` has to be cleared first, in a request of its own.
    #[error(
        "Unable to update immutable {kind} resource: `{id}. Set resource option \"immutable\" to \
         false first."
    )]
    Immutable {
        /// `project` or `domain`.
        kind: &'static str,
        /// Which.
        id: ProjectId,
    },
    /// The same, for a deletion.
    #[error(
        "Unable to delete immutable {kind} resource: `{id}. Set resource option \"immutable\" to \
         false first."
    )]
    ImmutableDeletion {
        /// `project` or `domain`.
        kind: &'static str,
        /// Which.
        id: ProjectId,
    },
    /// The same, for tags.
    #[error(
        "Cannot {verb} project tags for {id}, project is immutable. Set \"immutable\" option to \
         false before creating project tags."
    )]
    ImmutableTags {
        /// `create`, `update` or `delete`.
        verb: &'static str,
        /// Which project.
        id: ProjectId,
    },
    /// Trying again may help.
    #[error("the resource provider is unavailable: {0}")]
    Unavailable(#[from] Unavailable),
    /// Our defect. Logged with its cause, told to no client.
    #[error("resource storage failed")]
    Storage(#[source] diesel::result::Error),
}
crate::triage!(Error);

fn alike(is_domain: bool, name: &str, id: &ProjectId) -> String {
    if is_domain {
        format!("acting as domains with the same name: {name}")
    } else {
        format!(
            "with either the same name or same id in the same domain: name is {name}, project id {id}"
        )
    }
}
