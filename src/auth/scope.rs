//! The scope of the token to come.

use keystone_actors::assignment::{GetEffectiveRoles, GrantTarget};
use keystone_actors::identity::{GetUser, ListGroupsOfUser};
use keystone_actors::ids::{DomainId, ProjectId, TrustId, UserId};
use keystone_actors::resource::{self, FindProject, GetProject, Project};
use keystone_actors::token::PayloadScope;
use keystone_actors::trust::{self, GetTrust};

use super::application_credential::scope_refused;
use super::password::domain_id;
use super::request::{DomainRef, ProjectRef, ScopeRequest};
use super::{Proof, refused};
use crate::api::error::ApiError;
use crate::config::sections::UrlSafe;
use crate::node::Node;

/// Characters that URLs reserve (RFC 3986 section 2.2).
const RESERVED: &str = ":/?#[]@!$&'()*+,;=";

/// A scope that exists and is enabled; whether the user has a role there shows when the token is
/// put together.
pub(super) struct Resolved {
    pub scope: PayloadScope,
    /// The trust that it comes from.
    pub trust: Option<TrustId>,
    /// The end of that trust, in seconds since 1970.
    pub not_after: Option<i64>,
}

impl From<PayloadScope> for Resolved {
    fn from(scope: PayloadScope) -> Self {
        Self {
            scope,
            trust: None,
            not_after: None,
        }
    }
}

pub(super) async fn resolve(
    node: &Node,
    proof: &Proof,
    user: &UserId,
    request: &ScopeRequest,
    now: i64,
) -> Result<Resolved, ApiError> {
    let Some(scope) = &proof.scope else {
        return asked_for(node, proof, user, request, now).await;
    };
    match request {
        ScopeRequest::Default => {}
        // Keystone looks for it, and gives what the access token is good for.
        _ if proof.access_token.is_some() => {
            asked_for(node, proof, user, request, now).await?;
        }
        _ => return Err(scope_refused()),
    }
    Ok(scope.clone().into())
}

async fn asked_for(
    node: &Node,
    proof: &Proof,
    user: &UserId,
    request: &ScopeRequest,
    now: i64,
) -> Result<Resolved, ApiError> {
    Ok(match request {
        ScopeRequest::Unscoped => PayloadScope::Unscoped.into(),
        ScopeRequest::System => PayloadScope::System.into(),
        ScopeRequest::Domain(domain) => match domain_to_scope_to(node, domain).await? {
            Some(id) => PayloadScope::Domain(id.to_string()).into(),
            None => return Err(refused(node, &"no such domain, or it is disabled")),
        },
        ScopeRequest::Project(project) => match find_project(node, project).await? {
            Some(id) => PayloadScope::Project(id.to_string()).into(),
            None => return Err(refused(node, &"no such project, or it is disabled")),
        },
        ScopeRequest::Trust(id) => of_trust(node, proof, user, id, now).await?,
        ScopeRequest::Default => match default_project(node, user, now).await? {
            Some(id) if proof.federation.is_none() => PayloadScope::Project(id.to_string()).into(),
            _ => PayloadScope::Unscoped.into(),
        },
    })
}

async fn of_trust(
    node: &Node,
    proof: &Proof,
    user: &UserId,
    id: &str,
    now: i64,
) -> Result<Resolved, ApiError> {
    let id = TrustId::from(id);
    let trust = match node.providers.trust.read(GetTrust { id, now }).await {
        Ok(trust) => trust,
        Err(error @ trust::Error::NotFound(_)) => return Err(refused(node, &error)),
        Err(error) => return Err(error.into()),
    };
    // A trust is used by who it was given to, and by nobody on that one's behalf.
    if trust.trustee_user_id != *user || proof.application_credential.is_some() {
        return Err(ApiError::forbidden());
    }
    // Keystone's answer: without a project a trust delegates nothing that a token could be for.
    let Some(project) = &trust.project_id else {
        return Err(ApiError::not_found("Could not find project: None."));
    };
    let project = ProjectRef::Id(project.to_string());
    let Some(project) = find_project(node, &project).await? else {
        return Err(refused(node, &"the trust's project is disabled"));
    };
    let scope = PayloadScope::Project(project.to_string());
    Ok(Resolved {
        scope,
        trust: Some(trust.id.clone()),
        not_after: trust.expires_at,
    })
}

/// The ID of an enabled domain that a scope names.
async fn domain_to_scope_to(node: &Node, domain: &DomainRef) -> Result<Option<DomainId>, ApiError> {
    if let DomainRef::Name(name) = domain {
        refuse_reserved(node, node.config.resource.domain_name_url_safe, name)?;
    }
    domain_id(node, domain).await
}

/// `strict`: no scope is named by what URLs reserve.
fn refuse_reserved(node: &Node, rule: UrlSafe, name: &str) -> Result<(), ApiError> {
    if rule == UrlSafe::Strict && name.contains(|one| RESERVED.contains(one)) {
        return Err(refused(
            node,
            &"a name in the scope has reserved characters",
        ));
    }
    Ok(())
}

/// An enabled project in an enabled domain; never a domain that acts as project, which is scoped
/// to as a domain.
async fn find_project(node: &Node, project: &ProjectRef) -> Result<Option<ProjectId>, ApiError> {
    let resource = &node.providers.resource;
    let found = match project {
        ProjectRef::Id(id) => {
            let id = ProjectId::from(id.as_str());
            resource.read(GetProject { id }).await
        }
        ProjectRef::Name { name, domain } => {
            refuse_reserved(node, node.config.resource.project_name_url_safe, name)?;
            let Some(domain_id) = domain_to_scope_to(node, domain).await? else {
                return Ok(None);
            };
            let name = name.clone();
            resource.read(FindProject { name, domain_id }).await
        }
    };
    match found {
        Ok(project) if is_usable(node, &project).await? => Ok(Some(project.id.clone())),
        Ok(_) | Err(resource::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn is_usable(node: &Node, project: &Project) -> Result<bool, ApiError> {
    let Some(domain) = &project.domain_id else {
        return Ok(false);
    };
    if !project.enabled {
        return Ok(false);
    }
    let domain = DomainRef::Id(domain.to_string());
    Ok(domain_id(node, &domain).await?.is_some())
}

/// The user's default project, if a token for it would be good; never an error.
async fn default_project(
    node: &Node,
    user: &UserId,
    now: i64,
) -> Result<Option<ProjectId>, ApiError> {
    let identity = &node.providers.identity;
    let default = identity.read(GetUser { id: user.clone() }).await?;
    let Some(id) = &default.default_project_id else {
        return Ok(None);
    };
    let Some(project) = find_project(node, &ProjectRef::Id(id.to_string())).await? else {
        return Ok(None);
    };
    let user = user.clone();
    let groups = identity
        .read(ListGroupsOfUser {
            user: user.clone(),
            now,
        })
        .await?;
    let roles = GetEffectiveRoles {
        user,
        groups,
        target: GrantTarget::Project(project.clone()),
    };
    let roles = node.providers.assignment.read(roles).await?;
    Ok(roles.visible().next().is_some().then_some(project))
}
