use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{
    AccessRule, ApplicationCredential, ApplicationCredentialProvider,
    AuthenticateApplicationCredential, Authentication, CreateApplicationCredential, Created,
    DeleteAccessRule, DeleteApplicationCredential, Error, GetAccessRule, GetApplicationCredential,
    ListAccessRules, ListApplicationCredentials, Lookup, Numbered, Refusal, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::hashing::{HashError, Verdict};
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

impl Serve<ListApplicationCredentials> for ApplicationCredentialProvider {
    async fn serve(
        self,
        ListApplicationCredentials { user, name }: ListApplicationCredentials,
    ) -> Result<Vec<Arc<ApplicationCredential>>, Error> {
        let mut found = store::list(&self.db, &user).await?;
        found.retain(|one| name.iter().all(|filter| filter.matches(&one.name)));
        Ok(found)
    }
}

impl Serve<CreateApplicationCredential> for ApplicationCredentialProvider {
    async fn serve(self, message: CreateApplicationCredential) -> Result<Created, Error> {
        let CreateApplicationCredential { mut credential } = message;
        let secret = match credential.secret.take() {
            Some(secret) => secret,
            None => random_secret()?,
        };
        let hash = self.hashing.hash(secret.clone()).await?;
        // Nothing to invalidate: nobody can have cached what has a new ID.
        let credential = store::insert(&self.db, credential, &hash, self.user_limit).await?;
        Ok(Created {
            credential: Arc::new(credential),
            secret,
        })
    }
}

impl Serve<DeleteApplicationCredential> for ApplicationCredentialProvider {
    async fn serve(
        self,
        DeleteApplicationCredential { id }: DeleteApplicationCredential,
    ) -> Result<(), Error> {
        let (number, _) = self.get(&id).await?;
        let change = store::delete(&self.db, self.invalidations.node(), number, &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<ListAccessRules> for ApplicationCredentialProvider {
    async fn serve(
        self,
        ListAccessRules { user, filters }: ListAccessRules,
    ) -> Result<Vec<AccessRule>, Error> {
        let mut rules = store::list_rules(&self.db, &user).await?;
        rules.retain(|rule| filters.iter().all(|filter| filter.matches(rule)));
        Ok(rules)
    }
}

impl Serve<GetAccessRule> for ApplicationCredentialProvider {
    async fn serve(self, GetAccessRule { id, user }: GetAccessRule) -> Result<AccessRule, Error> {
        let found = store::find_rule(&self.db, &id, &user).await?;
        found.ok_or(Error::AccessRuleNotFound(id))
    }
}

impl Serve<DeleteAccessRule> for ApplicationCredentialProvider {
    async fn serve(self, DeleteAccessRule { id, user }: DeleteAccessRule) -> Result<(), Error> {
        store::delete_rule(&self.db, &id, &user).await
    }
}

/// 72 characters, 432 random bits: as long as what bcrypt takes whole. (Keystone's have 86, of
/// which it cuts off what bcrypt does not take.)
fn random_secret() -> Result<SecretString, Error> {
    let mut bytes = Zeroizing::new([0; 54]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| Error::Hashing(HashError::Failed))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_slice()).into())
}
