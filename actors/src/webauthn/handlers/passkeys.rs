use std::sync::Arc;

use super::super::{
    DeletePasskey, DeletePasskeys, Error, GetPasskey, HasPasskey, ListPasskeys, Passkey,
    UpdatePasskey, WebauthnProvider, codes, store,
};
use super::{checked, shown};
use crate::actor::Serve;
use crate::ids::UserId;

impl WebauthnProvider {
    async fn of_user(&self, user: &UserId, id: &str) -> Result<store::Row, Error> {
        let found = store::find_of_user(&self.db, user, &codes::passkey_ids(id)).await?;
        found.ok_or_else(|| not_found(id))
    }
}

fn not_found(id: &str) -> Error {
    Error::NotFound(id.chars().take(64).collect())
}

impl Serve<ListPasskeys> for WebauthnProvider {
    async fn serve(
        self,
        ListPasskeys { user }: ListPasskeys,
    ) -> Result<Arc<[Arc<Passkey>]>, Error> {
        Ok(shown(store::list(&self.db, user.as_str()).await?))
    }
}

impl Serve<HasPasskey> for WebauthnProvider {
    async fn serve(self, HasPasskey { user }: HasPasskey) -> Result<bool, Error> {
        store::has_usable(&self.db, user.as_str(), &self.settings.rp_id).await
    }
}

impl Serve<GetPasskey> for WebauthnProvider {
    async fn serve(self, GetPasskey { user, id }: GetPasskey) -> Result<Arc<Passkey>, Error> {
        Ok(Arc::new(self.of_user(&user, &id).await?.into()))
    }
}

impl Serve<UpdatePasskey> for WebauthnProvider {
    async fn serve(self, message: UpdatePasskey) -> Result<Arc<Passkey>, Error> {
        let UpdatePasskey {
            user,
            id,
            description,
            state,
            now,
        } = message;
        checked(description.as_ref().and_then(Option::as_deref))?;
        let row = self.of_user(&user, &id).await?;
        let patch = store::Patch::new(description, state, now);
        let row = store::update_passkey(&self.db, &row.id, &patch).await?;
        Ok(Arc::new(row.ok_or_else(|| not_found(&id))?.into()))
    }
}

impl Serve<DeletePasskey> for WebauthnProvider {
    async fn serve(self, message: DeletePasskey) -> Result<(), Error> {
        let DeletePasskey {
            user,
            id,
            revoke_tokens,
            now,
        } = message;
        let row = self.of_user(&user, &id).await?;
        let node = self.invalidations.node();
        let deleted = store::delete_passkey(&self.db, node, &row.id, revoke_tokens, now).await?;
        let change = deleted.ok_or_else(|| not_found(&id))?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<DeletePasskeys> for WebauthnProvider {
    async fn serve(self, DeletePasskeys { user, now }: DeletePasskeys) -> Result<usize, Error> {
        let node = self.invalidations.node();
        let (deleted, change) = store::delete_passkeys(&self.db, node, &user, now).await?;
        self.invalidations.publish(&change);
        Ok(deleted)
    }
}
