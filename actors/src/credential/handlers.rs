use std::sync::Arc;

use super::keys;
use super::model::{TOTP, sealed_form};
use super::totp::{TotpSecret, forgotten};
use super::{
    CreateCredential, Credential, CredentialFilter, CredentialProvider, DeleteCredential,
    DescribeCredential, Error, GetCredential, GetOpener, ListCredentials, Opener, SealedCredential,
    TotpVerdict, UpdateCredential, VerifyPasscode, store,
};
use crate::actor::Serve;
use crate::epoch::Kind;
use crate::ids::CredentialId;

impl CredentialProvider {
    async fn describe(&self, id: &CredentialId) -> Result<Arc<SealedCredential>, Error> {
        let load = async || {
            let found = store::find(&self.db, id).await?;
            let found = found.ok_or_else(|| Error::NotFound(id.clone()))?;
            let on = [(Kind::Credential, id.as_str())];
            Ok((Arc::new(found), self.cache.epochs().dependencies(on)))
        };
        self.cache.get_or_load(id, load).await
    }
}

impl Serve<DescribeCredential> for CredentialProvider {
    async fn serve(
        self,
        DescribeCredential { id }: DescribeCredential,
    ) -> Result<Arc<SealedCredential>, Error> {
        self.describe(&id).await
    }
}

impl Serve<GetCredential> for CredentialProvider {
    async fn serve(self, GetCredential { id }: GetCredential) -> Result<Credential, Error> {
        let sealed = self.describe(&id).await?;
        sealed.open(&*self.keys.current().await?)
    }
}

impl Serve<ListCredentials> for CredentialProvider {
    async fn serve(
        self,
        ListCredentials { filter }: ListCredentials,
    ) -> Result<Vec<Arc<SealedCredential>>, Error> {
        store::list(&self.db, &filter).await
    }
}

impl Serve<GetOpener> for CredentialProvider {
    async fn serve(self, _: GetOpener) -> Result<Opener, Error> {
        Ok(Opener(self.keys.current().await?))
    }
}

impl Serve<CreateCredential> for CredentialProvider {
    async fn serve(self, message: CreateCredential) -> Result<Credential, Error> {
        let CreateCredential { credential, now } = message;
        let credential = credential.into_credential()?;
        let keys = self.keys.current().await?;
        let text = sealed_form(&credential.kind, &credential.blob);
        let sealed = keys::seal(&keys, &text, now)?;
        let limit = self.settings.user_limit;
        let node = self.invalidations.node();
        let change = store::insert(&self.db, node, &credential, &sealed, limit).await?;
        self.invalidations.publish(&change);
        Ok(credential)
    }
}

impl Serve<UpdateCredential> for CredentialProvider {
    async fn serve(self, message: UpdateCredential) -> Result<Credential, Error> {
        let UpdateCredential { id, blob, now } = message;
        let keys = self.keys.current().await?;
        let node = self.invalidations.node();
        let (credential, change) = store::update(&self.db, node, &keys, &id, &blob, now).await?;
        self.invalidations.publish(&change);
        Ok(credential)
    }
}

impl Serve<DeleteCredential> for CredentialProvider {
    async fn serve(self, DeleteCredential { id }: DeleteCredential) -> Result<(), Error> {
        let change = store::delete(&self.db, self.invalidations.node(), &id).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<VerifyPasscode> for CredentialProvider {
    async fn serve(self, message: VerifyPasscode) -> Result<TotpVerdict, Error> {
        let VerifyPasscode {
            user,
            passcode,
            now,
        } = message;
        let previous = self.settings.previous_windows;
        // From the database each time: one that was deleted a moment ago lets nobody in.
        let filter = CredentialFilter::of_user(&user, Some(TOTP));
        let mut verdict = TotpVerdict::Wrong;
        for sealed in store::list(&self.db, &filter).await? {
            let opened = sealed.open(&*self.keys.current().await?);
            let credential = match opened {
                Ok(credential) => credential,
                // The user may have another.
                Err(error) => {
                    tracing::error!(user.id = %user, %error, "a TOTP secret can't be used");
                    continue;
                }
            };
            let secret = TotpSecret::from_base32(&credential.blob);
            let Some(step) = secret.and_then(|one| one.step_of(&passcode, previous, now)) else {
                continue;
            };
            if store::use_step(&self.db, &sealed.id, step, forgotten(previous, now)).await? {
                return Ok(TotpVerdict::Accepted);
            }
            verdict = TotpVerdict::Used;
        }
        Ok(verdict)
    }
}
