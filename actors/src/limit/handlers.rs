use std::sync::Arc;

use super::model::Family;
use super::{
    CreateLimits, CreateRegisteredLimits, DeleteLimit, DeleteRegisteredLimit, EnforcementModel,
    Error, GetLimit, GetRegisteredLimits, Limit, LimitProvider, ListLimits, NewLimit,
    RegisteredLimit, RegisteredLimits, UpdateLimit, UpdateRegisteredLimit, store,
};
use crate::actor::Serve;
use crate::catalog::{GetInventory, Inventory};
use crate::epoch::Kind;
use crate::ids::{DomainId, ProjectId, RegionId, ServiceId};
use crate::resource::{self, GetDescendants, GetDomain, GetProject};

/// The longest ID of a region that Keystone's table of registered limits takes.
const MAX_REGION: usize = 64;

impl LimitProvider {
    /// All limits of a project or domain.
    async fn owned(&self, owner: &str) -> Result<Arc<[Limit]>, Error> {
        let cache = &self.caches.owned;
        let load = async || {
            let limits = store::list_owned(&self.db, owner).await?;
            let on = cache.epochs().dependencies([(Kind::Limits, owner)]);
            Ok((limits.into(), on))
        };
        cache.get_or_load(&owner.to_owned(), load).await
    }

    /// Finds out whose the limit is to be, and whether all that it names exists.
    async fn settle(&self, inventory: &Inventory, limit: &mut NewLimit) -> Result<(), Error> {
        let unknown = |attribute| unknown(attribute, "limit");
        require(
            inventory,
            Some(&limit.service_id),
            limit.region_id.as_ref(),
            "limit",
        )?;
        if let Some(id) = &limit.project_id {
            match self.resource.read(GetProject { id: id.clone() }).await {
                Ok(project) if project.is_domain => {
                    limit.domain_id = Some(DomainId::from(&project.id));
                    limit.project_id = None;
                }
                Ok(_) => {}
                Err(resource::Error::NotFound(_)) => return Err(unknown("project_id")),
                Err(error) => return Err(error.into()),
            }
        }
        match (&limit.project_id, &limit.domain_id) {
            (_, Some(id)) => match self.resource.read(GetDomain { id: id.clone() }).await {
                Ok(_) => Ok(()),
                Err(resource::Error::DomainNotFound(_)) => Err(unknown("domain_id")),
                Err(error) => Err(error.into()),
            },
            (Some(_), None) => Ok(()),
            (None, None) => Err(unknown("project_id")),
        }
    }

    /// What the enforcement model has to know to judge these limits; `None` if it judges none.
    async fn family(&self, limits: &[NewLimit]) -> Result<Option<Family>, Error> {
        if self.model == EnforcementModel::Flat {
            return Ok(None);
        }
        let mut family = Family::default();
        for limit in limits {
            if let Some(id) = &limit.project_id {
                let project = self.resource.read(GetProject { id: id.clone() }).await?;
                if let Some(parent) = &project.parent_id {
                    family.parents.insert(id.clone(), parent.clone());
                }
            } else if let Some(domain) = &limit.domain_id
                && !family.below.contains_key(domain)
            {
                let of = vec![ProjectId::from(domain)];
                let below = self.resource.read(GetDescendants { of }).await?;
                let below = below.into_iter().map(|project| project.id);
                family.below.insert(domain.clone(), below.collect());
            }
        }
        Ok(Some(family))
    }
}

fn unknown(attribute: &'static str, kind: &'static str) -> Error {
    Error::Unknown { attribute, kind }
}

/// Fails unless the service and the region of a limit exist.
fn require(
    inventory: &Inventory,
    service: Option<&ServiceId>,
    region: Option<&RegionId>,
    kind: &'static str,
) -> Result<(), Error> {
    if service.is_some_and(|id| inventory.service(id).is_err()) {
        return Err(unknown("service_id", kind));
    }
    let missing =
        |id: &RegionId| inventory.region(id).is_err() || id.as_str().chars().count() > MAX_REGION;
    if region.is_some_and(missing) {
        return Err(unknown("region_id", kind));
    }
    Ok(())
}

impl Serve<GetRegisteredLimits> for LimitProvider {
    async fn serve(self, _: GetRegisteredLimits) -> Result<Arc<RegisteredLimits>, Error> {
        let cache = &self.caches.registered;
        let load = async || {
            let limits = store::load_registered(&self.db).await?;
            let on = cache.epochs().dependencies([(Kind::Limits, "")]);
            Ok((Arc::new(RegisteredLimits::new(limits)), on))
        };
        cache.get_or_load(&(), load).await
    }
}

impl Serve<CreateRegisteredLimits> for LimitProvider {
    async fn serve(self, message: CreateRegisteredLimits) -> Result<Vec<RegisteredLimit>, Error> {
        let inventory = self.catalog.read(GetInventory).await?;
        for limit in &message.limits {
            let region = limit.region_id.as_ref();
            require(
                &inventory,
                Some(&limit.service_id),
                region,
                "registered_limit",
            )?;
        }
        let limits: Vec<_> = message.limits.into_iter().map(Into::into).collect();
        let change = store::insert_registered(&self.db, self.invalidations.node(), &limits).await?;
        self.invalidations.publish(&change);
        Ok(limits)
    }
}

impl Serve<UpdateRegisteredLimit> for LimitProvider {
    async fn serve(self, message: UpdateRegisteredLimit) -> Result<RegisteredLimit, Error> {
        let UpdateRegisteredLimit { id, patch } = message;
        let inventory = self.catalog.read(GetInventory).await?;
        let region = patch.region_id.as_ref().and_then(Option::as_ref);
        require(
            &inventory,
            patch.service_id.as_ref(),
            region,
            "registered_limit",
        )?;
        let (limit, change) =
            store::update_registered(&self.db, self.invalidations.node(), &id, patch).await?;
        self.invalidations.publish(&change);
        Ok(limit)
    }
}

impl Serve<DeleteRegisteredLimit> for LimitProvider {
    async fn serve(self, DeleteRegisteredLimit { id }: DeleteRegisteredLimit) -> Result<(), Error> {
        let change = store::delete_registered(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<GetLimit> for LimitProvider {
    async fn serve(self, GetLimit { id }: GetLimit) -> Result<Limit, Error> {
        let limit = store::find(&self.db, &id).await?;
        limit.ok_or(Error::NotFound(id))
    }
}

impl Serve<ListLimits> for LimitProvider {
    async fn serve(self, ListLimits { filter, owners }: ListLimits) -> Result<Vec<Limit>, Error> {
        let sees = |owner: &str| {
            let owners = owners.as_ref();
            owners.is_none_or(|owners| owners.iter().any(|seen| seen == owner))
        };
        let only = owners.as_deref().filter(|owners| owners.len() == 1);
        let only = only.and_then(|owners| owners.first()).map(String::as_str);
        let mut limits: Vec<Limit> = match (filter.owner().or(only), &owners) {
            (Some(owner), _) if sees(owner) => self.owned(owner).await?.to_vec(),
            (Some(_), _) => Vec::new(),
            (None, Some(owners)) => store::list_of(&self.db, owners).await?,
            (None, None) => store::list(&self.db).await?,
        };
        limits.retain(|limit| filter.matches(limit));
        Ok(limits)
    }
}

impl Serve<CreateLimits> for LimitProvider {
    async fn serve(self, CreateLimits { mut limits }: CreateLimits) -> Result<Vec<Limit>, Error> {
        let inventory = self.catalog.read(GetInventory).await?;
        for limit in &mut limits {
            self.settle(&inventory, limit).await?;
        }
        let family = self.family(&limits).await?;
        let (limits, change) = store::insert(
            &self.db,
            self.invalidations.node(),
            &limits,
            family.as_ref(),
        )
        .await?;
        self.invalidations.publish(&change);
        Ok(limits)
    }
}

impl Serve<UpdateLimit> for LimitProvider {
    async fn serve(self, UpdateLimit { id, patch }: UpdateLimit) -> Result<Limit, Error> {
        let old = store::find(&self.db, &id).await?;
        let old = old.ok_or_else(|| Error::NotFound(id.clone()))?;
        // Whose it is does not change.
        let family = match as_new(&old) {
            Some(limit) => self.family(&[limit]).await?,
            None => None,
        };
        let (limit, change) = store::update(
            &self.db,
            self.invalidations.node(),
            &id,
            patch,
            family.as_ref(),
        )
        .await?;
        self.invalidations.publish(&change);
        Ok(limit)
    }
}

/// A limit as the enforcement model judges it; `None` for one that is dangling.
pub(super) fn as_new(limit: &Limit) -> Option<NewLimit> {
    Some(NewLimit {
        project_id: limit.project_id.clone(),
        domain_id: limit.domain_id.clone(),
        service_id: limit.service_id.clone()?,
        region_id: limit.region_id.clone(),
        resource_name: limit.resource_name.clone()?,
        resource_limit: limit.resource_limit,
        description: None,
    })
}

impl Serve<DeleteLimit> for LimitProvider {
    async fn serve(self, DeleteLimit { id }: DeleteLimit) -> Result<(), Error> {
        let change = store::delete(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
