use std::sync::Arc;

use super::super::{
    Error, FindGroup, GetGroup, GetMemberships, Group, IdentityProvider, ListGroupsOfUser,
    Memberships, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::{GroupId, UserId};

impl IdentityProvider {
    pub(super) async fn group(&self, id: &GroupId) -> Result<Arc<Group>, Error> {
        let load = async || {
            let group = store::find_group(&self.db, id).await?;
            let group = group.ok_or_else(|| Error::GroupNotFound(id.to_string()))?;
            let on = self
                .caches
                .groups
                .epochs()
                .dependencies([(Kind::Group, group.id.as_str())]);
            Ok((Arc::new(group), on))
        };
        self.caches.groups.get_or_load(id, load).await
    }

    pub(super) async fn memberships(&self, user: &UserId) -> Result<Arc<Memberships>, Error> {
        let load = async || {
            let ttl = self.settings.default_authorization_ttl;
            let memberships = store::memberships(&self.db, user, ttl).await?;
            // How long a membership lasts is up to its identity provider.
            let providers = memberships
                .expiring
                .iter()
                .map(|membership| (Kind::IdentityProvider, membership.idp_id.as_str()));
            let on = self
                .caches
                .memberships
                .epochs()
                .dependencies(providers.chain([(Kind::Membership, user.as_str())]));
            Ok((Arc::new(memberships), on))
        };
        self.caches.memberships.get_or_load(user, load).await
    }
}

impl Serve<GetGroup> for IdentityProvider {
    async fn serve(self, GetGroup { id }: GetGroup) -> Result<Arc<Group>, Error> {
        self.group(&id).await
    }
}

impl Serve<FindGroup> for IdentityProvider {
    async fn serve(self, message: FindGroup) -> Result<Option<Arc<Group>>, Error> {
        let FindGroup { name, domain_id } = message;
        let key = (domain_id, name);
        let load = async || {
            let id = store::find_group_by_name(&self.db, &key.1, &key.0)
                .await
                .map_err(Some)?
                .ok_or(None)?;
            let on = self
                .caches
                .group_names
                .epochs()
                .dependencies([(Kind::Group, id.as_str())]);
            Ok((id, on))
        };
        let id = match self.caches.group_names.get_or_load(&key, load).await {
            Ok(id) => id,
            Err(None) => return Ok(None),
            Err(Some(error)) => return Err(error),
        };
        match self.group(&id).await {
            Ok(group) => Ok(Some(group)),
            Err(Error::GroupNotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Serve<ListGroupsOfUser> for IdentityProvider {
    async fn serve(self, message: ListGroupsOfUser) -> Result<Arc<[GroupId]>, Error> {
        let ListGroupsOfUser { user, now } = message;
        Ok(self.memberships(&user).await?.at(now))
    }
}

impl Serve<GetMemberships> for IdentityProvider {
    async fn serve(
        self,
        GetMemberships { user }: GetMemberships,
    ) -> Result<Arc<Memberships>, Error> {
        self.memberships(&user).await
    }
}
