use std::sync::Arc;

use super::{
    Associate, CheckAssociation, CreatePolicy, DeletePolicy, Dissociate, Error, GetPolicy,
    GetPolicyOfEndpoint, ListEndpointsOfPolicy, ListPolicies, Policy, PolicyStoreProvider,
    PolicyTarget, UpdatePolicy, store,
};
use crate::actor::Serve;
use crate::catalog::{Endpoint, GetInventory, Inventory};
use crate::ids::PolicyId;

impl PolicyStoreProvider {
    async fn get(&self, id: &PolicyId) -> Result<Policy, Error> {
        let policy = store::find(&self.db, id).await?;
        policy.ok_or_else(|| Error::NotFound(id.clone()))
    }

    async fn inventory(&self) -> Result<Arc<Inventory>, Error> {
        Ok(self.catalog.read(GetInventory).await?)
    }

    /// Fails unless there are both.
    async fn require(&self, policy: &PolicyId, target: &PolicyTarget) -> Result<(), Error> {
        self.get(policy).await?;
        let inventory = self.inventory().await?;
        match target {
            PolicyTarget::Endpoint(endpoint) => drop(inventory.endpoint(endpoint)?),
            PolicyTarget::Service(service) => drop(inventory.service(service)?),
            PolicyTarget::ServiceInRegion(service, region) => {
                inventory.service(service)?;
                inventory.region(region)?;
            }
        }
        Ok(())
    }
}

impl Serve<ListPolicies> for PolicyStoreProvider {
    async fn serve(self, ListPolicies: ListPolicies) -> Result<Vec<Policy>, Error> {
        store::list(&self.db).await
    }
}

impl Serve<GetPolicy> for PolicyStoreProvider {
    async fn serve(self, GetPolicy { id }: GetPolicy) -> Result<Policy, Error> {
        self.get(&id).await
    }
}

impl Serve<CreatePolicy> for PolicyStoreProvider {
    async fn serve(self, CreatePolicy { policy }: CreatePolicy) -> Result<Policy, Error> {
        let policy = Policy::from(policy);
        store::insert(&self.db, &policy).await?;
        Ok(policy)
    }
}

impl Serve<UpdatePolicy> for PolicyStoreProvider {
    async fn serve(self, UpdatePolicy { id, patch }: UpdatePolicy) -> Result<Policy, Error> {
        store::update(&self.db, &id, patch).await
    }
}

impl Serve<DeletePolicy> for PolicyStoreProvider {
    async fn serve(self, DeletePolicy { id }: DeletePolicy) -> Result<(), Error> {
        store::delete(&self.db, &id).await
    }
}

impl Serve<Associate> for PolicyStoreProvider {
    async fn serve(self, Associate { policy, target }: Associate) -> Result<(), Error> {
        store::associate(&self.db, &policy, &target).await
    }
}

impl Serve<CheckAssociation> for PolicyStoreProvider {
    async fn serve(self, message: CheckAssociation) -> Result<(), Error> {
        let CheckAssociation { policy, target } = message;
        self.require(&policy, &target).await?;
        let associations = store::list_associations(&self.db, &policy).await?;
        match associations.contains(&target) {
            true => Ok(()),
            false => Err(Error::NotAssociated),
        }
    }
}

impl Serve<Dissociate> for PolicyStoreProvider {
    async fn serve(self, Dissociate { policy, target }: Dissociate) -> Result<(), Error> {
        self.require(&policy, &target).await?;
        store::dissociate(&self.db, &policy, &target).await
    }
}

impl Serve<GetPolicyOfEndpoint> for PolicyStoreProvider {
    async fn serve(self, message: GetPolicyOfEndpoint) -> Result<Policy, Error> {
        let inventory = self.inventory().await?;
        let endpoint = inventory.endpoint(&message.endpoint)?;
        let regions = match &endpoint.region_id {
            Some(region) => inventory.region_and_above(region),
            None => Vec::new(),
        };
        let service = &endpoint.service_id;
        let in_regions = regions
            .into_iter()
            .map(|region| PolicyTarget::ServiceInRegion(service.clone(), region));
        let targets = [PolicyTarget::Endpoint(endpoint.id.clone())]
            .into_iter()
            .chain(in_regions)
            .chain([PolicyTarget::Service(service.clone())]);
        let associations =
            store::find_associations(&self.db, &endpoint.id, &endpoint.service_id).await?;
        let nearest = targets
            .filter_map(|target| associations.iter().find(|(_, of)| *of == target))
            .map(|(policy, _)| policy)
            .next();
        match nearest {
            Some(policy) => self.get(policy).await,
            None => Err(Error::NoPolicy(message.endpoint)),
        }
    }
}

impl Serve<ListEndpointsOfPolicy> for PolicyStoreProvider {
    async fn serve(self, message: ListEndpointsOfPolicy) -> Result<Vec<Arc<Endpoint>>, Error> {
        self.get(&message.policy).await?;
        let associations = store::list_associations(&self.db, &message.policy).await?;
        let inventory = self.inventory().await?;
        let endpoints = associations
            .iter()
            .flat_map(|target| of(target, &inventory));
        Ok(endpoints.collect())
    }
}

/// The endpoints that a policy for this is for. What is gone by now is left out.
fn of(target: &PolicyTarget, inventory: &Inventory) -> Vec<Arc<Endpoint>> {
    let all = inventory.endpoints();
    match target {
        PolicyTarget::Endpoint(id) => inventory.endpoint(id).into_iter().cloned().collect(),
        PolicyTarget::Service(service) => {
            let of_service = all.filter(|endpoint| endpoint.service_id == *service);
            of_service.cloned().collect()
        }
        PolicyTarget::ServiceInRegion(service, region) => {
            let regions = inventory.region_and_below(region);
            let in_regions = all.filter(|endpoint| {
                let region = endpoint.region_id.as_ref();
                endpoint.service_id == *service && region.is_some_and(|id| regions.contains(id))
            });
            in_regions.cloned().collect()
        }
    }
}
