use std::sync::Arc;

use super::super::challenge::{Binding, Purpose, Subject};
use super::super::{
    Attestation, CreationOptions, Error, FinishRegistration, Passkey, StartRegistration, State,
    WebauthnProvider, ceremony, codes, store,
};
use super::{checked, descriptors, transports};
use crate::actor::Serve;
use crate::ids::UserId;

impl WebauthnProvider {
    fn registration<'a>(&'a self, user: &'a UserId) -> Binding<'a> {
        Binding {
            purpose: Purpose::Register,
            rp_id: &self.settings.rp_id,
            subject: Subject::User(user),
            bound: None,
        }
    }
}

impl Serve<StartRegistration> for WebauthnProvider {
    async fn serve(self, message: StartRegistration) -> Result<CreationOptions, Error> {
        let StartRegistration {
            user,
            user_name,
            now,
        } = message;
        let settings = &self.settings;
        let user_handle = store::ensure_handle(&self.db, &user).await?;
        let rows = store::list(&self.db, user.as_str()).await?;
        if rows.len() >= settings.max_per_user {
            return Err(Error::TooMany(settings.max_per_user));
        }
        let challenge = self
            .registration(&user)
            .challenge(&self.keys.current(), now)?;
        Ok(CreationOptions {
            challenge,
            rp_id: settings.rp_id.clone(),
            rp_name: settings.rp_name.clone(),
            user_handle,
            user_name,
            algorithms: settings.algorithms.clone(),
            timeout_ms: settings.timeout_ms,
            attestation: settings.attestation.as_str(),
            resident_key: settings.resident_key,
            user_verification: settings.user_verification,
            exclude: descriptors(&rows),
        })
    }
}

impl Serve<FinishRegistration> for WebauthnProvider {
    async fn serve(self, message: FinishRegistration) -> Result<Arc<Passkey>, Error> {
        let FinishRegistration {
            user,
            created_by,
            credential,
            description,
            invitation,
            now,
        } = message;
        checked(description.as_deref())?;
        let settings = &self.settings;
        let challenge =
            ceremony::challenge_of_registration(settings, &credential).map_err(Error::Ceremony)?;
        let expires_at = self
            .registration(&user)
            .verify(
                &self.keys.current(),
                &challenge,
                settings.challenge_ttl,
                now,
            )
            .map_err(Error::Ceremony)?;
        let made =
            ceremony::register(settings, &challenge, &credential, now).map_err(Error::Ceremony)?;
        let told = transports(&credential.transports);
        let row = store::Row {
            id: codes::hash(&credential.raw_id),
            credential_id: credential.raw_id,
            user_id: user.to_string(),
            user_handle: Vec::new(),
            rp_id: settings.rp_id.clone(),
            public_key: made.public_key,
            alg: made.alg,
            sign_count: made.sign_count,
            transports: serde_json::to_string(&told).ok(),
            aaguid: made.aaguid.map(|aaguid| aaguid.to_string()),
            attestation_format: Some(made.attestation_format),
            uv_initialized: made.user_verified,
            backup_eligible: made.backup_eligible,
            backup_state: made.backup_state,
            discoverable: credential.discoverable,
            description,
            state: State::Active.as_str().to_owned(),
            created_at: store::micros(now),
            last_used_at: None,
            updated_at: None,
            created_by,
            revision: 0,
        };
        let kept = settings.attestation != Attestation::None;
        let attested = (
            credential.attestation_object.as_slice(),
            credential.client_data_json.as_slice(),
        );
        let registration = store::Registration {
            row,
            attested: kept.then_some(attested),
            challenge_hash: codes::hash(&challenge),
            expires_at,
            invitation: invitation.as_ref().map(codes::hash_of),
            max_per_user: settings.max_per_user,
            now,
        };
        let row = store::register(&self.db, &registration).await?;
        self.prune(now);
        Ok(Arc::new(row.into()))
    }
}
