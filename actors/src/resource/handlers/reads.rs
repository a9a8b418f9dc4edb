use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{
    Descendant, Domain, Error, FindDomain, FindProject, GetAncestors, GetDescendants, GetDomain,
    GetProject, GetProjects, ListDomains, ListProjects, Project, ResourceProvider, store,
};
use crate::actor::Serve;
use crate::epoch::{Dependencies, Kind};
use crate::ids::{DomainId, ProjectId};
use crate::listing::Listed;

impl ResourceProvider {
    fn depends_on<'a>(&self, ids: impl IntoIterator<Item = &'a ProjectId>) -> Dependencies {
        let epochs = self.caches.projects.epochs();
        epochs.dependencies(ids.into_iter().map(|id| (Kind::Project, id.as_str())))
    }

    pub(super) async fn project(&self, id: &ProjectId) -> Result<Arc<Project>, Error> {
        let load = async || {
            let found = store::find(&self.db, id).await?;
            let project = found.ok_or_else(|| Error::NotFound(id.to_string()))?;
            // By the ID that it has: the database may not heed the case of the one asked for.
            let on = self.depends_on([&project.id]);
            Ok((Arc::new(project), on))
        };
        self.caches.projects.get_or_load(id, load).await
    }

    pub(super) async fn domain(&self, id: &DomainId) -> Result<Arc<Domain>, Error> {
        let load = async || {
            let missing = || Error::DomainNotFound(id.to_string());
            let project = match self.project(&id.into()).await {
                Err(Error::NotFound(_)) => Err(missing()),
                found => found,
            }?;
            // Domains are compared exactly, whatever the database thinks of case: Keystone's
            // get_domain.
            let domain = Domain::of(&project).filter(|domain| domain.id == *id);
            let on = self.depends_on([&project.id]);
            Ok((Arc::new(domain.ok_or_else(missing)?), on))
        };
        self.caches.domains.get_or_load(id, load).await
    }

    /// A name is that of the same project until that project changes; so it depends on that alone.
    async fn find(&self, name: String, domain: Option<DomainId>) -> Result<ProjectId, Error> {
        let key = (domain, name);
        let load = async || {
            let (domain, name) = &key;
            let found = store::find_id(&self.db, name, domain.as_ref()).await?;
            let id = found.ok_or_else(|| match domain {
                Some(_) => Error::NotFound(name.clone()),
                None => Error::DomainNotFound(name.clone()),
            })?;
            let on = self.depends_on([&id]);
            Ok((id, on))
        };
        self.caches.names.get_or_load(&key, load).await
    }

    async fn ancestors(&self, id: &ProjectId) -> Result<Arc<[ProjectId]>, Error> {
        let load = async || {
            let found = store::find_ancestors(&self.db, id).await?;
            let (own, ancestors) = found.ok_or_else(|| Error::NotFound(id.to_string()))?;
            let on = self.depends_on(ancestors.iter().chain([&own]));
            Ok((ancestors.into(), on))
        };
        self.caches.ancestors.get_or_load(id, load).await
    }

    async fn projects(&self, ids: Vec<ProjectId>) -> Result<Vec<Arc<Project>>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids.into_iter().collect::<BTreeSet<_>>() {
            match self.caches.projects.get(&id) {
                Some(project) => found.push(project),
                None => missing.push(id),
            }
        }
        let stamp = self.caches.projects.epochs().now();
        for project in store::find_many(&self.db, &missing).await? {
            let (id, on) = (project.id.clone(), self.depends_on([&project.id]));
            let project = Arc::new(project);
            found.push(Arc::clone(&project));
            self.caches.projects.insert(id, project, stamp, on);
        }
        Ok(found)
    }
}

impl Serve<GetProject> for ResourceProvider {
    async fn serve(self, GetProject { id }: GetProject) -> Result<Arc<Project>, Error> {
        self.project(&id).await
    }
}

impl Serve<GetProjects> for ResourceProvider {
    async fn serve(self, GetProjects { ids }: GetProjects) -> Result<Vec<Arc<Project>>, Error> {
        self.projects(ids).await
    }
}

impl Serve<GetDomain> for ResourceProvider {
    async fn serve(self, GetDomain { id }: GetDomain) -> Result<Arc<Domain>, Error> {
        self.domain(&id).await
    }
}

impl Serve<FindProject> for ResourceProvider {
    async fn serve(self, message: FindProject) -> Result<Arc<Project>, Error> {
        let FindProject { name, domain_id } = message;
        let id = self.find(name, Some(domain_id)).await?;
        self.project(&id).await
    }
}

impl Serve<FindDomain> for ResourceProvider {
    async fn serve(self, FindDomain { name }: FindDomain) -> Result<Arc<Domain>, Error> {
        let id = self.find(name, None).await?;
        self.domain(&(&id).into()).await
    }
}

impl Serve<GetAncestors> for ResourceProvider {
    async fn serve(self, message: GetAncestors) -> Result<Arc<[ProjectId]>, Error> {
        self.ancestors(&message.project).await
    }
}

impl Serve<GetDescendants> for ResourceProvider {
    async fn serve(self, GetDescendants { of }: GetDescendants) -> Result<Vec<Descendant>, Error> {
        store::list_descendants(&self.db, &of).await
    }
}

impl Serve<ListProjects> for ResourceProvider {
    async fn serve(self, message: ListProjects) -> Result<Listed<Arc<Project>>, Error> {
        let ListProjects { filter, page } = message;
        let found = store::list(&self.db, &filter, &page).await?;
        Ok(Listed {
            members: found.members.into_iter().map(Arc::new).collect(),
            full: found.full,
        })
    }
}

impl Serve<ListDomains> for ResourceProvider {
    async fn serve(self, message: ListDomains) -> Result<Listed<Arc<Domain>>, Error> {
        let ListDomains { filter, page } = message;
        let found = store::list(&self.db, &filter.into(), &page).await?;
        let domains = found.members.iter().filter_map(Domain::of);
        Ok(Listed {
            members: domains.map(Arc::new).collect(),
            full: found.full,
        })
    }
}
