use std::sync::Arc;

use super::{
    ApplicationCredential, ApplicationCredentialProvider, AuthenticateApplicationCredential,
    Authentication, Error, GetApplicationCredential, Lookup, Numbered, Refusal, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::hashing::Verdict;
use crate::ids::ApplicationCredentialId;

impl ApplicationCredentialProvider {
    async fn get(&self, id: &ApplicationCredentialId) -> Result<Numbered, Error> {
        let load = async || {
            let found = store::find(&self.db, id).await?;
            let found = found.ok_or_else(|| Error::NotFound(id.clone()))?;
            let on = [(Kind::ApplicationCredential, id.as_str())];
            Ok((found, self.cache.epochs().dependencies(on)))
        };
        self.cache.get_or_load(id, load).await
    }

    async fn look_up(&self, lookup: Lookup) -> Result<Option<Numbered>, Error> {
        let id = match lookup {
            Lookup::ById(id) => Some(id),
            Lookup::ByName { name, user_id } => {
                store::find_by_name(&self.db, &user_id, &name).await?
            }
        };
        let Some(id) = id else {
            return Ok(None);
        };
        match self.get(&id).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Serve<GetApplicationCredential> for ApplicationCredentialProvider {
    async fn serve(
        self,
        GetApplicationCredential { id }: GetApplicationCredential,
    ) -> Result<Arc<ApplicationCredential>, Error> {
        let (_, credential) = self.get(&id).await?;
        Ok(credential)
    }
}

impl Serve<AuthenticateApplicationCredential> for ApplicationCredentialProvider {
    async fn serve(
        self,
        message: AuthenticateApplicationCredential,
    ) -> Result<Authentication, Error> {
        let AuthenticateApplicationCredential {
            lookup,
            secret,
            now,
        } = message;
        let found = self.look_up(lookup).await?;
        // From the database each time: one that was deleted a moment ago lets nobody in.
        let hash = match &found {
            Some((number, _)) => store::find_secret_hash(&self.db, *number).await?,
            None => None,
        };
        let known = hash.is_some();
        let verdict = self.hashing.verify(secret, hash).await?;
        let Some((_, credential)) = found.filter(|_| known) else {
            return Ok(Authentication::Refused(Refusal::Unknown));
        };
        Ok(match verdict {
            Verdict::Right if credential.has_expired(now) => {
                Authentication::Refused(Refusal::Expired)
            }
            Verdict::Right => Authentication::Accepted(credential),
            Verdict::Wrong => Authentication::Refused(Refusal::WrongSecret),
            Verdict::Unreadable(why) => {
                tracing::error!(
                    application_credential.id = %credential.id,
                    user.id = %credential.user_id,
                    %why,
                    "the stored hash of an application credential's secret is unreadable; \
                     delete it and make a new one"
                );
                Authentication::Refused(Refusal::WrongSecret)
            }
        })
    }
}
