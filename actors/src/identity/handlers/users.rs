use std::sync::Arc;

use super::super::{Error, FindUser, GetUser, IdentityProvider, User, store};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::UserId;

impl IdentityProvider {
    pub(super) async fn user(&self, id: &UserId) -> Result<Arc<User>, Error> {
        let load = async || {
            let user = store::find_user(&self.db, id, self.settings.inactivity_days()).await?;
            let user = user.ok_or_else(|| Error::UserNotFound(id.to_string()))?;
            // By the ID that is stored: the database may have found it under another spelling.
            let on = self
                .caches
                .users
                .epochs()
                .dependencies([(Kind::User, user.id.as_str())]);
            Ok((Arc::new(user), on))
        };
        self.caches.users.get_or_load(id, load).await
    }
}

impl Serve<GetUser> for IdentityProvider {
    async fn serve(self, GetUser { id }: GetUser) -> Result<Arc<User>, Error> {
        self.user(&id).await
    }
}

impl Serve<FindUser> for IdentityProvider {
    async fn serve(self, message: FindUser) -> Result<Option<Arc<User>>, Error> {
        let FindUser { name, domain_id } = message;
        let key = (domain_id, name);
        // Its error is `None` where there is no such name, which is not remembered.
        let load = async || {
            let id = store::find_user_by_name(&self.db, &key.1, &key.0)
                .await
                .map_err(Some)?
                .ok_or(None)?;
            // Whatever gives the name to another user changes this one.
            let on = self
                .caches
                .user_names
                .epochs()
                .dependencies([(Kind::User, id.as_str())]);
            Ok((id, on))
        };
        let id = match self.caches.user_names.get_or_load(&key, load).await {
            Ok(id) => id,
            Err(None) => return Ok(None),
            Err(Some(error)) => return Err(error),
        };
        match self.user(&id).await {
            Ok(user) => Ok(Some(user)),
            // Deleted since.
            Err(Error::UserNotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
