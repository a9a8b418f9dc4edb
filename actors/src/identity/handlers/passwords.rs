use std::sync::Arc;

use secrecy::SecretString;

use super::super::store::{self, Account};
use super::super::{
    AdmitUser, AuthenticatePassword, Authenticated, ChangePassword, Error, IdentityProvider,
    Lockout, PasswordChange, Refusal, UserLookup,
};
use crate::actor::Serve;
use crate::db::DbTime;
use crate::hashing::Verdict;

/// What came of comparing a password, where there was an account to compare it with.
enum Compared {
    Right,
    Wrong,
    /// Whether it was right is not told.
    Locked,
}

impl IdentityProvider {
    /// The rule that locks this account, if any does.
    fn lockout(&self, account: &Account) -> Option<Lockout> {
        let exempt = account.user.options.ignore_lockout_failure_attempts == Some(true);
        self.settings.lockout.filter(|_| !exempt)
    }

    /// Compares a password with an account's, if it is not locked, and counts a failure.
    ///
    /// What makes an attacker's tries few is not the look before the work, which any number of
    /// parallel tries pass, but the one after it: no more failures are told than the rule allows,
    /// and a right password is not told once the account is locked.
    ///
    /// The pool does the same work, and the database gets the same statements, whether there is
    /// an account or not.
    async fn compare(
        &self,
        account: Option<&Account>,
        password: SecretString,
        now: i64,
    ) -> Result<Compared, Error> {
        let rule = account.and_then(|account| self.lockout(account));
        let locked = account
            .zip(rule)
            .is_some_and(|(account, rule)| rule.locks(account.failures, now));
        let open = account.filter(|_| !locked);
        let hash = open.and_then(|account| account.hash.clone());

        let right = match self.hashing.verify(password, hash).await? {
            Verdict::Right => true,
            Verdict::Wrong => false,
            Verdict::Unreadable(error) => {
                let user = account.map(|account| account.user.id.as_str());
                tracing::warn!(user.id = user, %error, "a stored password hash can't be used");
                false
            }
        };
        if let (true, Some(account)) = (right, open) {
            let Some(rule) = rule else {
                return Ok(Compared::Right);
            };
            let failures = store::failures(&self.db, &account.user.id).await?;
            return Ok(match rule.locks(failures, now) {
                true => Compared::Locked,
                false => Compared::Right,
            });
        }
        let Some(configured) = self.settings.lockout else {
            return Ok(Compared::Wrong);
        };
        let counts = open.filter(|account| rule.is_some() && account.local);
        let id = counts.map_or("", |account| account.user.id.as_str());
        let counted = store::count_failure(&self.db, id, configured, now).await?;
        Ok(match locked || (counts.is_some() && !counted) {
            true => Compared::Locked,
            false => Compared::Wrong,
        })
    }

    /// What a good login leaves behind: no failures, and the day of the activity.
    async fn welcome(&self, account: &Account, now: i64) -> Result<(), Error> {
        let id = &account.user.id;
        if account.failures.count > 0 {
            store::clear_failures(&self.db, id, self.lockout(account), now).await?;
        }
        self.note_activity(account, now).await
    }

    /// Notes the day of the activity, where a rule asks for it.
    async fn note_activity(&self, account: &Account, now: i64) -> Result<(), Error> {
        let id = &account.user.id;
        let today = DbTime::from_seconds(now).0.date();
        if self.settings.inactivity_days().is_some() && account.last_active != Some(today) {
            let node = self.invalidations.node();
            let change = store::record_activity(&self.db, node, id, today).await?;
            self.invalidations.publish(&change);
        }
        Ok(())
    }
}

impl Serve<AdmitUser> for IdentityProvider {
    async fn serve(self, AdmitUser { user, now }: AdmitUser) -> Result<Authenticated, Error> {
        let lookup = UserLookup::ById(user);
        let days = self.settings.inactivity_days();
        let Some(account) = store::find_account(&self.db, &lookup, days).await? else {
            return Ok(Authenticated::Refused(Refusal::UnknownUser));
        };
        if !account.user.is_enabled(now) {
            return Ok(Authenticated::Refused(Refusal::Disabled));
        }
        let rule = self.lockout(&account);
        if rule.is_some_and(|rule| rule.locks(account.failures, now)) {
            return Ok(Authenticated::Refused(Refusal::Locked));
        }
        self.note_activity(&account, now).await?;
        Ok(Authenticated::Accepted(account.user))
    }
}

impl Serve<AuthenticatePassword> for IdentityProvider {
    async fn serve(self, message: AuthenticatePassword) -> Result<Authenticated, Error> {
        let AuthenticatePassword {
            user,
            password,
            domain_enabled,
            now,
        } = message;
        let account = store::find_account(&self.db, &user, self.settings.inactivity_days()).await?;
        let enabled = account
            .as_ref()
            .filter(|account| domain_enabled && account.user.is_enabled(now));

        let compared = self.compare(enabled, password, now).await?;

        let Some(account) = &account else {
            return Ok(Authenticated::Refused(Refusal::UnknownUser));
        };
        if enabled.is_none() {
            return Ok(Authenticated::Refused(Refusal::Disabled));
        }
        Ok(match compared {
            Compared::Locked => Authenticated::Refused(Refusal::Locked),
            Compared::Wrong => Authenticated::Refused(Refusal::WrongPassword),
            Compared::Right => {
                let user = Arc::clone(&account.user);
                if user.password_is_expired(now) {
                    return Ok(Authenticated::Refused(Refusal::PasswordExpired { user }));
                }
                self.welcome(account, now).await?;
                Authenticated::Accepted(user)
            }
        })
    }
}

impl IdentityProvider {
    /// Refuses a password that the user had lately.
    async fn check_history(&self, account: &Account, password: &SecretString) -> Result<(), Error> {
        let count = self.settings.unique_last_password_count;
        if count == 0 {
            return Ok(());
        }
        for hash in store::recent_hashes(&self.db, &account.user.id, count).await? {
            let verdict = self.hashing.verify(password.clone(), Some(hash.into()));
            if verdict.await? == Verdict::Right {
                return Err(Error::PasswordReused(count));
            }
        }
        Ok(())
    }
}

impl Serve<ChangePassword> for IdentityProvider {
    async fn serve(self, message: ChangePassword) -> Result<PasswordChange, Error> {
        let ChangePassword {
            user,
            original,
            password,
            now,
        } = message;
        let settings = &self.settings;
        let lookup = UserLookup::ById(user);
        let account = store::find_account(&self.db, &lookup, settings.inactivity_days()).await?;

        let compared = self.compare(account.as_ref(), original, now).await?;

        let refused = |refusal| Ok(PasswordChange::Refused(refusal));
        let Some(account) = account else {
            return refused(Refusal::UnknownUser);
        };
        match compared {
            Compared::Locked => return refused(Refusal::Locked),
            Compared::Wrong => return refused(Refusal::WrongPassword),
            Compared::Right if !account.user.is_enabled(now) => return refused(Refusal::Disabled),
            Compared::Right => {}
        }
        let Some(present) = account.present else {
            return refused(Refusal::WrongPassword);
        };
        if !account.user.password_is_expired(now) {
            self.welcome(&account, now).await?;
        }
        settings.check_password(Some(&password))?;
        settings.check_own_change(&account.user.options, Some(present), now)?;
        self.check_history(&account, &password).await?;
        let hash = self.hashing.hash(password).await?;

        let (node, id) = (self.invalidations.node(), &account.user.id);
        let change =
            store::change_password(&self.db, node, id, present.id, &hash, settings, now).await?;
        let Some(change) = change else {
            // Another change came first, and what was right is no longer.
            return refused(Refusal::WrongPassword);
        };
        self.invalidations.publish(&change);
        Ok(PasswordChange::Changed)
    }
}
