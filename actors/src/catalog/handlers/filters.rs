use std::sync::Arc;

use super::super::{
    AddEndpointToProject, AddGroupToProject, CatalogProvider, CreateEndpointGroup,
    DeleteEndpointGroup, EndpointGroup, Error, GetProjectFilter, ListProjectsOfEndpoint,
    ListProjectsOfGroup, ProjectFilter, RemoveEndpointFromProject, RemoveGroupFromProject,
    UpdateEndpointGroup, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::ProjectId;

impl CatalogProvider {
    pub(super) async fn filter(&self, project: ProjectId) -> Result<Arc<ProjectFilter>, Error> {
        let cache = &self.caches.filters;
        let load = async || {
            let filter = store::find_filter(&self.db, &project).await?;
            let on = [(Kind::Catalog, ""), (Kind::Catalog, project.as_str())];
            Ok((Arc::new(filter), cache.epochs().dependencies(on)))
        };
        cache.get_or_load(&project, load).await
    }
}

impl Serve<CreateEndpointGroup> for CatalogProvider {
    async fn serve(self, message: CreateEndpointGroup) -> Result<Arc<EndpointGroup>, Error> {
        let group = EndpointGroup::from(message.group);
        let change = store::insert_group(&self.db, self.invalidations.node(), &group).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(group))
    }
}

impl Serve<UpdateEndpointGroup> for CatalogProvider {
    async fn serve(self, message: UpdateEndpointGroup) -> Result<Arc<EndpointGroup>, Error> {
        let UpdateEndpointGroup { id, patch } = message;
        let (group, change) =
            store::update_group(&self.db, self.invalidations.node(), &id, patch).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(group))
    }
}

impl Serve<DeleteEndpointGroup> for CatalogProvider {
    async fn serve(self, DeleteEndpointGroup { id }: DeleteEndpointGroup) -> Result<(), Error> {
        let change = store::delete_group(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<GetProjectFilter> for CatalogProvider {
    async fn serve(self, message: GetProjectFilter) -> Result<Arc<ProjectFilter>, Error> {
        self.filter(message.project).await
    }
}

impl Serve<AddEndpointToProject> for CatalogProvider {
    async fn serve(self, message: AddEndpointToProject) -> Result<(), Error> {
        let AddEndpointToProject { endpoint, project } = message;
        let change =
            store::show_endpoint(&self.db, self.invalidations.node(), &endpoint, &project).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<RemoveEndpointFromProject> for CatalogProvider {
    async fn serve(self, message: RemoveEndpointFromProject) -> Result<(), Error> {
        let RemoveEndpointFromProject { endpoint, project } = message;
        let change =
            store::hide_endpoint(&self.db, self.invalidations.node(), &endpoint, &project).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<AddGroupToProject> for CatalogProvider {
    async fn serve(
        self,
        AddGroupToProject { group, project }: AddGroupToProject,
    ) -> Result<(), Error> {
        let change =
            store::show_group(&self.db, self.invalidations.node(), &group, &project).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<RemoveGroupFromProject> for CatalogProvider {
    async fn serve(self, message: RemoveGroupFromProject) -> Result<(), Error> {
        let RemoveGroupFromProject { group, project } = message;
        let change =
            store::hide_group(&self.db, self.invalidations.node(), &group, &project).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<ListProjectsOfEndpoint> for CatalogProvider {
    async fn serve(self, message: ListProjectsOfEndpoint) -> Result<Vec<ProjectId>, Error> {
        store::list_projects_of_endpoint(&self.db, &message.endpoint).await
    }
}

impl Serve<ListProjectsOfGroup> for CatalogProvider {
    async fn serve(self, message: ListProjectsOfGroup) -> Result<Vec<ProjectId>, Error> {
        store::list_projects_of_group(&self.db, &message.group).await
    }
}
