use secrecy::SecretString;

use super::super::{
    CountRecoveryCodes, Error, NewRecoveryCodes, UseRecoveryCode, WebauthnProvider, codes, store,
};
use crate::actor::Serve;

/// How many codes are made at once.
const CODES: usize = 10;

impl Serve<NewRecoveryCodes> for WebauthnProvider {
    async fn serve(self, message: NewRecoveryCodes) -> Result<Vec<SecretString>, Error> {
        let NewRecoveryCodes { user, now } = message;
        let key = self.secret().await?;
        let made = (0..CODES).map(|_| codes::recovery_code());
        let made = made.collect::<Result<Vec<_>, _>>()?;
        let hashes: Vec<String> = made
            .iter()
            .filter_map(|code| codes::recovery_hash(key, &user, code))
            .collect();
        store::replace_codes(&self.db, &user, &hashes, now).await?;
        Ok(made)
    }
}

impl Serve<UseRecoveryCode> for WebauthnProvider {
    async fn serve(self, message: UseRecoveryCode) -> Result<bool, Error> {
        let hash = codes::recovery_hash(self.secret().await?, &message.user, &message.code);
        store::use_code(&self.db, &message, hash.as_deref()).await
    }
}

impl Serve<CountRecoveryCodes> for WebauthnProvider {
    async fn serve(self, message: CountRecoveryCodes) -> Result<usize, Error> {
        store::count_codes(&self.db, &message.user).await
    }
}
