use std::collections::HashSet;
use std::sync::Arc;

use secrecy::SecretString;

use super::super::store::{self, UserRequest};
use super::super::{
    CreateUser, DeleteUser, DeletedUser, Error, FindUser, GetUser, IdentifyUser, IdentityProvider,
    ListUsers, NameUsers, RevokeUserTokens, UpdateUser, User, UserName,
};
use crate::actor::Serve;
use crate::epoch::{Dependencies, Kind};
use crate::ids::{DomainId, ProjectId, UserId};
use crate::listing::Listed;
use crate::resource::{self, GetDomain, GetProject};

impl IdentityProvider {
    pub(super) async fn user(&self, id: &UserId) -> Result<Arc<User>, Error> {
        let load = async || {
            let user = store::find_user(&self.db, id, self.settings.inactivity_days()).await?;
            let user = user.ok_or_else(|| Error::UserNotFound(id.to_string()))?;
            let on = self.depends_on(&user);
            Ok((Arc::new(user), on))
        };
        self.caches.users.get_or_load(id, load).await
    }

    /// What a cached user depends on. By the ID that is stored: the database may have found it
    /// under another spelling.
    fn depends_on(&self, user: &User) -> Dependencies {
        let providers = user
            .federated
            .iter()
            .map(|identity| (Kind::IdentityProvider, identity.idp_id.as_str()));
        let on = providers.chain([(Kind::User, user.id.as_str())]);
        self.caches.users.epochs().dependencies(on)
    }

    pub(super) async fn check_domain(&self, id: &DomainId) -> Result<(), Error> {
        self.resource.read(GetDomain { id: id.clone() }).await?;
        Ok(())
    }

    /// Refuses domains. A project that doesn't exist is none, as for Keystone.
    async fn check_default_project(&self, id: Option<&ProjectId>) -> Result<(), Error> {
        let Some(id) = id else {
            return Ok(());
        };
        match self.resource.read(GetProject { id: id.clone() }).await {
            Ok(project) if project.is_domain => Err(Error::DefaultProjectIsDomain(id.clone())),
            Ok(_) | Err(resource::Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The hash of a password that an administrator sets; see
    /// [`NewUser::password`](super::super::NewUser::password).
    async fn hash(
        &self,
        password: Option<&Option<SecretString>>,
    ) -> Result<Option<Option<String>>, Error> {
        Ok(match password {
            None => None,
            Some(None) => Some(None),
            Some(Some(password)) => Some(Some(self.hashing.hash(password.clone()).await?)),
        })
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
        // That there is no such user is an error here, as errors are not remembered.
        let load = async || {
            let spelling = store::Spelling::Databases;
            let id = store::find_user_by_name(&self.db, &key.1, &key.0, spelling).await?;
            let id = id.ok_or_else(|| Error::UserNotFound(key.1.clone()))?;
            // Whatever gives the name to another user changes this one.
            let on = [(Kind::User, id.as_str())];
            let on = self.caches.user_names.epochs().dependencies(on);
            Ok((id, on))
        };
        let found = match self.caches.user_names.get_or_load(&key, load).await {
            Ok(id) => self.user(&id).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(user) => Ok(Some(user)),
            Err(Error::UserNotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Serve<IdentifyUser> for IdentityProvider {
    async fn serve(self, message: IdentifyUser) -> Result<Option<UserId>, Error> {
        let spelling = store::Spelling::Exact;
        store::find_user_by_name(&self.db, &message.name, &message.domain_id, spelling).await
    }
}

impl Serve<NameUsers> for IdentityProvider {
    async fn serve(self, NameUsers { ids }: NameUsers) -> Result<Vec<UserName>, Error> {
        let ids: HashSet<UserId> = ids.into_iter().collect();
        let (mut names, mut missing) = (Vec::with_capacity(ids.len()), Vec::new());
        for id in ids {
            match self.caches.users.get(&id) {
                Some(user) => names.push(UserName::of(&user)),
                None => missing.push(id),
            }
        }
        // Not cached: so many users at once would drive out those that are used.
        names.extend(store::name_users(&self.db, &missing).await?);
        Ok(names)
    }
}

impl Serve<ListUsers> for IdentityProvider {
    async fn serve(
        self,
        ListUsers { filter, page }: ListUsers,
    ) -> Result<Listed<Arc<User>>, Error> {
        let request = UserRequest {
            filter: &filter,
            group: None,
            page: &page,
            after: None,
            days: self.settings.inactivity_days(),
        };
        let listed = store::list_users(&self.db, &request).await?;
        Ok(Listed {
            members: listed.members.into_iter().map(Arc::new).collect(),
            full: listed.full,
        })
    }
}

impl Serve<CreateUser> for IdentityProvider {
    async fn serve(self, CreateUser { user: new, now }: CreateUser) -> Result<Arc<User>, Error> {
        if let Some(password) = &new.password {
            self.settings.check_password(password.as_ref())?;
        }
        let user = new.to_user(&self.settings.default_domain_id);
        self.check_domain(&user.domain_id).await?;
        self.check_default_project(user.default_project_id.as_ref())
            .await?;
        // Before the transaction, which should hold its locks for milliseconds.
        let hash = self.hash(new.password.as_ref()).await?;
        let node = self.invalidations.node();
        let (user, change) =
            store::insert_user(&self.db, node, &user, hash, &self.settings, now).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(user))
    }
}

impl Serve<UpdateUser> for IdentityProvider {
    async fn serve(self, UpdateUser { id, patch, now }: UpdateUser) -> Result<Arc<User>, Error> {
        // Who doesn't exist, or would have to move, costs no hash.
        let old = self.user(&id).await?;
        patch.apply(&old)?;
        if let Some(password) = &patch.password {
            self.settings.check_password(password.as_ref())?;
        }
        let project = patch.default_project_id.as_ref().and_then(Option::as_ref);
        self.check_default_project(project).await?;
        let hash = self.hash(patch.password.as_ref()).await?;
        let node = self.invalidations.node();
        let (user, change) =
            store::update_user(&self.db, node, &id, &patch, hash, &self.settings, now).await?;
        self.invalidations.publish(&change);
        Ok(Arc::new(user))
    }
}

impl Serve<DeleteUser> for IdentityProvider {
    async fn serve(self, DeleteUser { id, now }: DeleteUser) -> Result<DeletedUser, Error> {
        let node = self.invalidations.node();
        let (deleted, change) = store::delete_user(&self.db, node, &id, now).await?;
        self.invalidations.publish(&change);
        Ok(deleted)
    }
}

impl Serve<RevokeUserTokens> for IdentityProvider {
    async fn serve(self, RevokeUserTokens { id, now }: RevokeUserTokens) -> Result<(), Error> {
        let change = store::revoke_tokens(&self.db, self.invalidations.node(), &id, now).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}
