use subtle::ConstantTimeEq as _;

use super::super::ceremony::{Failure, Stored};
use super::super::challenge::{Binding, Purpose, Subject};
use super::super::decoy::Decoys;
use super::super::{
    BackupChange, Error, FinishLogin, IsByPasskey, LoggedIn, NoteReceipt, NoteToken,
    PasskeyOfReceipt, Reason, RequestOptions, StartLogin, State, Verdict, WebauthnProvider,
    ceremony, codes, store,
};
use super::descriptors;
use crate::actor::Serve;

impl WebauthnProvider {
    fn login<'a>(&'a self, subject: Subject<'a>, bound: Option<[u8; 32]>) -> Binding<'a> {
        Binding {
            purpose: Purpose::LogIn,
            rp_id: &self.settings.rp_id,
            subject,
            bound,
        }
    }

    async fn log_in(&self, message: &FinishLogin) -> Result<Verdict, Error> {
        let (settings, answer, now) = (&self.settings, &message.credential, message.now);
        let challenge = match ceremony::challenge_of_login(settings, answer) {
            Ok(challenge) => challenge,
            Err(reason) => return Ok(Verdict::Refused(reason)),
        };
        let subject = Subject::of(message.user.as_ref(), message.named.as_deref());
        let (keys, ttl) = (self.keys.current(), settings.challenge_ttl);
        let verify = |bound| {
            let binding = self.login(subject, bound);
            binding.verify(&keys, &challenge, ttl, now)
        };
        let good = match verify(message.bound) {
            Err(Reason::UnknownChallenge) if message.or_unbound => verify(None),
            good => good,
        };
        let expires_at = match good {
            Ok(expires_at) => expires_at,
            Err(reason) => return Ok(Verdict::Refused(reason)),
        };
        let id = codes::hash(&answer.raw_id);
        let found = store::find(&self.db, &id).await?;
        let owned = found.ok_or(Reason::UnknownCredential);
        let owned = owned.and_then(|(row, present)| {
            self.check_owner(subject, message, &row, present)?;
            Ok(row)
        });
        let row = match owned {
            Ok(row) => row,
            Err(reason) => {
                ceremony::log_in_in_vain(settings, &challenge, answer);
                return Ok(Verdict::Refused(reason));
            }
        };
        let stored = Stored {
            id: &row.credential_id,
            public_key: &row.public_key,
            backup_eligible: row.backup_eligible,
        };
        let used = match ceremony::log_in(settings, &challenge, answer, stored) {
            Ok(used) => used,
            Err(Failure::Refused(reason)) => return Ok(Verdict::Refused(reason)),
            Err(Failure::Damaged) => return Err(Error::Damaged(row.id)),
        };
        let login = store::Login {
            id: &row.id,
            challenge_hash: codes::hash(&challenge),
            expires_at,
            sign_count: used.sign_count,
            backup_was: row.backup_state,
            backup_state: used.backup_state,
            user_verified: used.user_verified,
            on_regression: settings.on_counter_regression,
            on_backup_change: settings.on_backup_change,
            now,
        };
        let backup_changed = match store::log_in(&self.db, &login).await? {
            Ok(changed) => changed,
            Err(
                reason @ (Reason::CounterRegression { .. } | Reason::BackupStateChanged { .. }),
            ) => {
                return Ok(Verdict::RefusedOwner(row.user_id.into(), reason));
            }
            Err(reason) => return Ok(Verdict::Refused(reason)),
        };
        let is_told = backup_changed && settings.on_backup_change != BackupChange::Ignore;
        Ok(Verdict::Accepted(LoggedIn {
            user: row.user_id.into(),
            passkey: row.id,
            user_verified: used.user_verified,
            backup_changed_to: is_told.then_some(used.backup_state),
        }))
    }

    /// Whether a passkey may be used by who is logging in.
    fn check_owner(
        &self,
        subject: Subject<'_>,
        message: &FinishLogin,
        row: &store::Row,
        present: bool,
    ) -> Result<(), Reason> {
        match subject {
            Subject::User(user) if user.as_str() == row.user_id => {}
            Subject::User(_) | Subject::Unknown(_) => return Err(Reason::OtherUser),
            // Only the authenticator knows who it is.
            Subject::Anybody if message.credential.user_handle.is_some() => {}
            Subject::Anybody => return Err(Reason::WrongUserHandle),
        }
        let handle = message.credential.user_handle.as_deref();
        if handle.is_some_and(|handle| !bool::from(handle.ct_eq(&row.user_handle))) {
            return Err(Reason::WrongUserHandle);
        }
        if row.rp_id != self.settings.rp_id {
            return Err(Reason::UnknownCredential);
        }
        if !present {
            return Err(Reason::UserGone);
        }
        match row.state() {
            State::Disabled => Err(Reason::Inactive(State::Disabled)),
            State::Active | State::Suspect => Ok(()),
        }
    }
}

impl Serve<StartLogin> for WebauthnProvider {
    async fn serve(self, message: StartLogin) -> Result<RequestOptions, Error> {
        let StartLogin {
            user,
            named,
            bound,
            now,
        } = message;
        let subject = Subject::of(user.as_ref(), named.as_deref());
        let challenge = self
            .login(subject, bound)
            .challenge(&self.keys.current(), now)?;
        let allow = match subject {
            Subject::Anybody => Vec::new(),
            Subject::User(_) | Subject::Unknown(_) => {
                // Whoever it is, the same is asked of the database; a user without an ID is none.
                let id = user.as_ref().map_or("", |user| user.as_str());
                let mut rows = store::list(&self.db, id).await?;
                rows.retain(|row| {
                    row.state() != State::Disabled && row.rp_id == self.settings.rp_id
                });
                let decoys = Decoys::new(self.secret().await?, named.as_deref().unwrap_or(id));
                let models = store::models(&self.db, &decoys.place(), decoys.count()).await?;
                let made_up = decoys.after(&models);
                match rows.is_empty() {
                    true => made_up,
                    false => descriptors(&rows),
                }
            }
        };
        Ok(RequestOptions {
            challenge,
            rp_id: self.settings.rp_id.clone(),
            timeout_ms: self.settings.timeout_ms,
            allow,
            user_verification: self.settings.user_verification,
        })
    }
}

impl Serve<FinishLogin> for WebauthnProvider {
    async fn serve(self, message: FinishLogin) -> Result<Verdict, Error> {
        let verdict = self.log_in(&message).await?;
        self.prune(message.now);
        Ok(verdict)
    }
}

impl Serve<NoteToken> for WebauthnProvider {
    async fn serve(self, message: NoteToken) -> Result<(), Error> {
        let NoteToken {
            passkey,
            audit_id,
            expires_at,
        } = message;
        store::note_token(&self.db, &passkey, &audit_id, expires_at).await
    }
}

impl Serve<IsByPasskey> for WebauthnProvider {
    async fn serve(self, message: IsByPasskey) -> Result<bool, Error> {
        store::is_noted(&self.db, &message.audit_id).await
    }
}

impl Serve<NoteReceipt> for WebauthnProvider {
    async fn serve(self, message: NoteReceipt) -> Result<(), Error> {
        let NoteReceipt {
            passkey,
            receipt,
            expires_at,
        } = message;
        store::note_token(&self.db, &passkey, &codes::receipt_id(&receipt), expires_at).await
    }
}

impl Serve<PasskeyOfReceipt> for WebauthnProvider {
    async fn serve(self, message: PasskeyOfReceipt) -> Result<Option<String>, Error> {
        store::passkey_of(&self.db, &codes::receipt_id(&message.receipt), message.now).await
    }
}
