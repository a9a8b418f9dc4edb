use std::collections::HashSet;
use std::sync::Arc;

use super::super::store::{self, GroupRequest};
use super::super::{
    CreateGroup, DeleteGroup, Error, FindGroup, GetGroup, GetGroups, Group, GroupFilter,
    IdentityProvider, ListGroups, UpdateGroup,
};
use crate::actor::Serve;
use crate::epoch::{Dependencies, Kind};
use crate::ids::GroupId;
use crate::listing::{Listed, Page};

impl IdentityProvider {
    pub(super) async fn group(&self, id: &GroupId) -> Result<Arc<Group>, Error> {
        let load = async || {
            let group = store::find_group(&self.db, id).await?;
            let group = group.ok_or_else(|| Error::GroupNotFound(id.to_string()))?;
            let on = self.depends_on_group(&group.id);
            Ok((Arc::new(group), on))
        };
        self.caches.groups.get_or_load(id, load).await
    }

    fn depends_on_group(&self, id: &GroupId) -> Dependencies {
        let epochs = self.caches.groups.epochs();
        epochs.dependencies([(Kind::Group, id.as_str())])
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
        // That there is no such group is an error here, as errors are not remembered.
        let load = async || {
            let id = store::find_group_by_name(&self.db, &key.1, &key.0).await?;
            let id = id.ok_or_else(|| Error::GroupNotFound(key.1.clone()))?;
            let on = self.depends_on_group(&id);
            Ok((id, on))
        };
        let found = match self.caches.group_names.get_or_load(&key, load).await {
            Ok(id) => self.group(&id).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(group) => Ok(Some(group)),
            Err(Error::GroupNotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Serve<GetGroups> for IdentityProvider {
    async fn serve(self, GetGroups { ids }: GetGroups) -> Result<Vec<Arc<Group>>, Error> {
        let cache = &self.caches.groups;
        let ids: HashSet<GroupId> = ids.into_iter().collect();
        let (mut groups, mut missing) = (Vec::new(), Vec::new());
        for id in &ids {
            match cache.get(id) {
                Some(group) => groups.push(group),
                None => missing.push(id.as_str()),
            }
        }
        if missing.is_empty() {
            return Ok(groups);
        }
        let stamp = cache.epochs().now();
        let request = GroupRequest {
            filter: &GroupFilter::default(),
            among: Some(missing),
            page: &Page::default(),
        };
        for group in store::list_groups(&self.db, &request).await?.members {
            let group = Arc::new(group);
            let on = self.depends_on_group(&group.id);
            cache.insert(group.id.clone(), Arc::clone(&group), stamp, on);
            groups.push(group);
        }
        Ok(groups)
    }
}

impl Serve<ListGroups> for IdentityProvider {
    async fn serve(self, message: ListGroups) -> Result<Listed<Arc<Group>>, Error> {
        let ListGroups { filter, page } = message;
        let request = GroupRequest {
            filter: &filter,
            among: None,
            page: &page,
        };
        let listed = store::list_groups(&self.db, &request).await?;
        Ok(Listed {
            members: listed.members.into_iter().map(Arc::new).collect(),
            full: listed.full,
        })
    }
}

impl Serve<CreateGroup> for IdentityProvider {
    async fn serve(self, CreateGroup { group }: CreateGroup) -> Result<Arc<Group>, Error> {
        let group = group.into_group(&self.settings.default_domain_id);
        self.check_domain(&group.domain_id).await?;
        let change = store::insert_group(&self.db, self.invalidations.node(), &group).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(group))
    }
}

impl Serve<UpdateGroup> for IdentityProvider {
    async fn serve(self, UpdateGroup { id, patch }: UpdateGroup) -> Result<Arc<Group>, Error> {
        let (group, change) =
            store::update_group(&self.db, self.invalidations.node(), &id, &patch).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(group))
    }
}

impl Serve<DeleteGroup> for IdentityProvider {
    async fn serve(self, DeleteGroup { id, now }: DeleteGroup) -> Result<(), Error> {
        let change = store::delete_group(&self.db, self.invalidations.node(), &id, now).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
