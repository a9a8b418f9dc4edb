use std::sync::Arc;

use super::{
    CreateImplication, CreateRole, DeleteImplication, DeleteRole, Error, GetRole, GetRoleGraph,
    Role, RoleGraph, RoleProvider, UpdateRole, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;

impl RoleProvider {
    async fn graph(&self) -> Result<Arc<RoleGraph>, Error> {
        let load = async || {
            let graph = store::load(&self.db).await?;
            Ok((
                Arc::new(graph),
                self.graph.epochs().dependencies([(Kind::Roles, "")]),
            ))
        };
        self.graph.get_or_load(&(), load).await
    }
}

impl Serve<GetRoleGraph> for RoleProvider {
    async fn serve(self, GetRoleGraph: GetRoleGraph) -> Result<Arc<RoleGraph>, Error> {
        self.graph().await
    }
}

impl Serve<GetRole> for RoleProvider {
    async fn serve(self, GetRole { id }: GetRole) -> Result<Arc<Role>, Error> {
        let graph = self.graph().await?;
        graph.get(&id).cloned().ok_or(Error::NotFound(id))
    }
}

impl Serve<CreateRole> for RoleProvider {
    async fn serve(self, CreateRole { role }: CreateRole) -> Result<Arc<Role>, Error> {
        let role = Role::from(role);
        let change = store::insert(&self.db, self.invalidations.node(), &role).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(role))
    }
}

impl Serve<UpdateRole> for RoleProvider {
    async fn serve(self, UpdateRole { id, patch }: UpdateRole) -> Result<Arc<Role>, Error> {
        let (role, change) = store::update(&self.db, self.invalidations.node(), &id, patch).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(role))
    }
}

impl Serve<DeleteRole> for RoleProvider {
    async fn serve(self, DeleteRole { id }: DeleteRole) -> Result<(), Error> {
        let change = store::delete(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<CreateImplication> for RoleProvider {
    async fn serve(self, message: CreateImplication) -> Result<(), Error> {
        let CreateImplication { prior, implied } = message;
        let node = self.invalidations.node();
        let prohibited = &self.prohibited;
        let change = store::insert_implication(&self.db, node, &prior, &implied, prohibited);
        let change = change.await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<DeleteImplication> for RoleProvider {
    async fn serve(self, message: DeleteImplication) -> Result<(), Error> {
        let DeleteImplication { prior, implied } = message;
        let change =
            store::delete_implication(&self.db, self.invalidations.node(), &prior, &implied)
                .await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
