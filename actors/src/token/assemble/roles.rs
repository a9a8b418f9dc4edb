//! The roles that a token has: those of its user, or what was delegated of them.

use std::sync::Arc;

use super::super::model::{Refusal, Scope};
use super::stop::found;
use super::{Assembly, Stop, TrustParts};
use crate::application_credential::ApplicationCredential;
use crate::assignment::{self, EffectiveRoles, GetEffectiveRoles, GrantTarget};
use crate::epoch::Kind;
use crate::identity::{GetMemberships, User};
use crate::ids::{GroupId, RoleId, UserId};
use crate::oauth1::AccessToken;
use crate::resource;
use crate::role::{GetRoleGraph, Role};

/// Roles as the token has them, and how its body shows them.
pub(super) struct Roles {
    pub(super) roles: Vec<Arc<Role>>,
    pub(super) whole: bool,
}

impl Assembly<'_> {
    pub(super) async fn roles(
        &mut self,
        user: &User,
        scope: &Scope,
        trust: Option<&TrustParts>,
        credential: Option<&ApplicationCredential>,
        access_token: Option<&AccessToken>,
    ) -> Result<Roles, Stop> {
        let target = match scope {
            Scope::Unscoped => {
                return Ok(Roles {
                    roles: Vec::new(),
                    whole: false,
                });
            }
            Scope::System => GrantTarget::System,
            Scope::Domain(domain) => GrantTarget::Domain(domain.id.clone()),
            Scope::Project { project, .. } => GrantTarget::Project(project.id.clone()),
        };
        self.depends(Kind::Roles, "");
        if let Some(parts) = trust {
            return self.trust_roles(parts, target).await;
        }
        let mut groups = self.groups(&user.id).await?.to_vec();
        let federated = self.payload.federation.as_ref();
        if let Some(federation) = federated {
            groups.extend(
                federation
                    .group_ids
                    .iter()
                    .map(|id| GroupId::from(id.as_str())),
            );
        }
        let held = self.effective(&user.id, groups.into(), target).await?;
        let mut roles: Vec<Arc<Role>> = held.visible().cloned().collect();
        if let Some(credential) = credential {
            roles.retain(|role| credential.roles.contains(&role.id));
        }
        if let Some(access_token) = access_token {
            let authorised = self.expand(&access_token.role_ids).await?;
            roles.retain(|role| authorised.iter().any(|one| one.id == role.id));
        }
        Ok(Roles {
            roles,
            whole: federated.is_some(),
        })
    }

    /// The trust's roles with what they imply, each of which the trustor, or in a chain the first
    /// of them, must still have.
    async fn trust_roles(
        &mut self,
        parts: &TrustParts,
        target: GrantTarget,
    ) -> Result<Roles, Stop> {
        let first = parts
            .trust
            .original_trustor
            .as_ref()
            .unwrap_or(&parts.trustor.id);
        let groups = self.groups(first).await?;
        let held = self.effective(first, groups, target).await?;
        let delegated = self.expand(&parts.trust.roles).await?;
        let has = |role: &Arc<Role>| held.roles.iter().any(|one| one.id == role.id);
        // One that was deleted since is nobody's.
        let exists = |id: &RoleId| delegated.iter().any(|role| role.id == *id);
        if !parts.trust.roles.iter().all(exists) || !delegated.iter().all(has) {
            return Err(Refusal::BrokenTrust.into());
        }
        Ok(Roles {
            roles: delegated
                .into_iter()
                .filter(|role| role.domain_id.is_none())
                .collect(),
            whole: true,
        })
    }

    async fn groups(&mut self, user: &UserId) -> Result<Arc<[GroupId]>, Stop> {
        self.depends(Kind::Membership, user.as_str());
        let user = user.clone();
        let memberships = self
            .provider
            .sources
            .identity
            .read(GetMemberships { user })
            .await?;
        self.ends(memberships.settled_until(self.now));
        Ok(memberships.at(self.now))
    }

    async fn effective(
        &mut self,
        user: &UserId,
        groups: Arc<[GroupId]>,
        target: GrantTarget,
    ) -> Result<Arc<EffectiveRoles>, Stop> {
        self.depends(Kind::Assignments, user.as_str());
        for group in groups.iter() {
            self.on.push((Kind::Assignments, group.to_string()));
        }
        let user = user.clone();
        let question = GetEffectiveRoles {
            user,
            groups,
            target,
        };
        let held = self.provider.sources.assignment.read(question).await;
        let held = found!(
            held,
            assignment::Error::Resource(resource::Error::NotFound(_))
        );
        for ancestor in held.ancestors.iter() {
            self.on.push((Kind::Project, ancestor.to_string()));
        }
        Ok(held)
    }

    async fn expand(&self, roles: &[RoleId]) -> Result<Vec<Arc<Role>>, Stop> {
        let graph = self.provider.sources.role.read(GetRoleGraph).await?;
        Ok(graph.expand(roles).into_iter().cloned().collect())
    }
}
