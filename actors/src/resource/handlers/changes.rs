use std::sync::Arc;

use super::super::{
    CreateDomain, CreateProject, DeleteDomain, DeleteProject, Domain, DomainContents, EditTags,
    Error, Project, ProjectPatch, ResourceProvider, UpdateDomain, UpdateProject, store,
};
use crate::actor::Serve;
use crate::ids::{DomainId, ProjectId};

impl ResourceProvider {
    async fn create(&self, project: Project) -> Result<Project, Error> {
        let change = store::insert(
            &self.db,
            self.invalidations.node(),
            &project,
            self.settings.max_tree_depth,
        );
        self.invalidations.publish(&change.await?);
        Ok(project)
    }

    async fn update(&self, id: &ProjectId, patch: ProjectPatch) -> Result<Project, Error> {
        let domain = self.project(id).await?.own_domain();
        let update = store::Update {
            domain: &domain,
            id,
            patch: &patch,
            settings: &self.settings,
        };
        let (project, change) = store::update(&self.db, self.invalidations.node(), &update).await?;
        self.invalidations.publish(&change);
        Ok(project)
    }

    async fn delete(&self, project: &Project, now: i64) -> Result<DomainContents, Error> {
        let node = self.invalidations.node();
        let id = &project.id;
        let (contents, change) = if project.is_domain {
            store::delete_domain(&self.db, node, id, now).await?
        } else {
            let domain = project.own_domain();
            let change = store::delete_project(&self.db, node, &domain, id, now).await?;
            (DomainContents::default(), change)
        };
        self.invalidations.publish(&change);
        Ok(contents)
    }
}

/// The project that acts as a domain, as the domain.
fn as_domain(project: &Project) -> Result<Arc<Domain>, Error> {
    let missing = || Error::DomainNotFound(project.id.to_string());
    Domain::of(project).map(Arc::new).ok_or_else(missing)
}

/// What is not found is a domain.
fn of_domain(id: &DomainId) -> impl FnOnce(Error) -> Error {
    |error| match error {
        Error::NotFound(_) => Error::DomainNotFound(id.to_string()),
        other => other,
    }
}

impl Serve<CreateProject> for ResourceProvider {
    async fn serve(self, CreateProject { project }: CreateProject) -> Result<Arc<Project>, Error> {
        let project = project.into_project(&self.settings)?;
        self.create(project).await.map(Arc::new)
    }
}

impl Serve<CreateDomain> for ResourceProvider {
    async fn serve(self, CreateDomain { domain }: CreateDomain) -> Result<Arc<Domain>, Error> {
        let project = domain.into_project(&self.settings)?;
        as_domain(&self.create(project).await?)
    }
}

impl Serve<UpdateProject> for ResourceProvider {
    async fn serve(self, message: UpdateProject) -> Result<Arc<Project>, Error> {
        let UpdateProject { id, patch } = message;
        self.update(&id, patch).await.map(Arc::new)
    }
}

impl Serve<UpdateDomain> for ResourceProvider {
    async fn serve(self, UpdateDomain { id, patch }: UpdateDomain) -> Result<Arc<Domain>, Error> {
        self.domain(&id).await?;
        let updated = self.update(&(&id).into(), patch.into()).await;
        as_domain(&updated.map_err(of_domain(&id))?)
    }
}

impl Serve<DeleteProject> for ResourceProvider {
    async fn serve(self, message: DeleteProject) -> Result<DomainContents, Error> {
        let DeleteProject { id, now } = message;
        let project = self.project(&id).await?;
        self.delete(&project, now).await
    }
}

impl Serve<DeleteDomain> for ResourceProvider {
    async fn serve(self, message: DeleteDomain) -> Result<DomainContents, Error> {
        let DeleteDomain { id, now } = message;
        self.domain(&id).await?;
        let project = self.project(&(&id).into()).await;
        let project = project.map_err(of_domain(&id))?;
        let deleted = self.delete(&project, now).await;
        deleted.map_err(of_domain(&id))
    }
}

impl Serve<EditTags> for ResourceProvider {
    async fn serve(self, EditTags { project, edit }: EditTags) -> Result<Arc<Project>, Error> {
        let (project, change) =
            store::edit_tags(&self.db, self.invalidations.node(), &project, &edit).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(project))
    }
}
