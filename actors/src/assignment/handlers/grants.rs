use std::sync::Arc;

use super::super::{
    Actor, AssignmentProvider, CheckGrant, CreateGrant, DeleteGrant, Error, Grant, GrantTarget,
    ListGrants, store,
};
use crate::actor::Serve;
use crate::resource::GetProject;
use crate::role::{self, Role};

impl AssignmentProvider {
    /// All that an actor was granted.
    async fn grants_of(&self, actor: &Actor) -> Result<Arc<[Grant]>, Error> {
        let found = self.grants(std::slice::from_ref(actor)).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    async fn role(&self, grant: &Grant) -> Result<Arc<Role>, Error> {
        let graph = self.graph().await?;
        let role = graph.get(&grant.role_id).cloned();
        Ok(role.ok_or_else(|| role::Error::NotFound(grant.role_id.clone()))?)
    }
}

impl Serve<CreateGrant> for AssignmentProvider {
    async fn serve(self, CreateGrant { actor, grant }: CreateGrant) -> Result<(), Error> {
        let role = self.role(&grant).await?;
        if role.domain_id.is_some() && grant.target == GrantTarget::System {
            return Err(Error::DomainRoleOnSystem(role.id.clone()));
        }
        if let (Some(domain), GrantTarget::Project(id)) = (&role.domain_id, &grant.target) {
            let project = self.resource.read(GetProject { id: id.clone() }).await?;
            if project.domain_id.as_ref() != Some(domain) {
                return Err(Error::RoleOfOtherDomain {
                    project: id.clone(),
                    role: role.id.clone(),
                });
            }
        }
        let node = self.invalidations.node();
        let change = store::insert_grant(&self.db, node, &actor, &grant, &role).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<CheckGrant> for AssignmentProvider {
    async fn serve(self, CheckGrant { actor, grant }: CheckGrant) -> Result<(), Error> {
        self.role(&grant).await?;
        if self.grants_of(&actor).await?.contains(&grant) {
            Ok(())
        } else {
            Err(Error::not_granted(&actor, &grant))
        }
    }
}

impl Serve<ListGrants> for AssignmentProvider {
    async fn serve(self, message: ListGrants) -> Result<Vec<Arc<Role>>, Error> {
        let ListGrants {
            actor,
            target,
            inherited,
        } = message;
        let graph = self.graph().await?;
        let grants = self.grants_of(&actor).await?;
        let here = grants
            .iter()
            .filter(|grant| grant.target == target && grant.inherited == inherited);
        let roles = here.filter_map(|grant| graph.get(&grant.role_id).cloned());
        let mut roles: Vec<_> = roles.collect();
        roles.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(roles)
    }
}

impl Serve<DeleteGrant> for AssignmentProvider {
    async fn serve(self, DeleteGrant { actor, grant }: DeleteGrant) -> Result<(), Error> {
        self.role(&grant).await?;
        let node = self.invalidations.node();
        let change = store::delete_grant(&self.db, node, &actor, &grant).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
