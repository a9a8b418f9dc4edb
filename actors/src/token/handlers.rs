use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tracing::debug;

use super::assemble::Stop;
use super::{
    Error, InspectPair, Issue, IssueToken, Issued, Pair, Payload, Refusal, Token, TokenKey,
    TokenProvider, ValidateToken, Verdict,
};
use crate::actor::Serve;
use crate::epoch::Dependencies;

impl Serve<ValidateToken> for TokenProvider {
    async fn serve(self, message: ValidateToken) -> Result<Verdict, Error> {
        self.validate(&message.text, message.now, message.allow_expired)
            .await
    }
}

impl Serve<InspectPair> for TokenProvider {
    async fn serve(self, message: InspectPair) -> Result<Pair, Error> {
        let caller = self.validate(&message.caller, message.now, false).await?;
        let subject = if message.caller == message.subject && !message.allow_expired {
            caller.clone()
        } else {
            self.validate(&message.subject, message.now, message.allow_expired)
                .await?
        };
        Ok(Pair { caller, subject })
    }
}

impl Serve<IssueToken> for TokenProvider {
    async fn serve(self, request: IssueToken) -> Result<Issue, Error> {
        let mut now = request.now;
        let end = now.saturating_add(self.settings.expiration);
        let payload = Payload {
            scope: request.scope,
            federation: request.federation,
            trust_id: request.trust,
            access_token_id: request.access_token,
            app_cred_id: request.application_credential,
            ..Payload::new(
                request.user.to_string(),
                self.format.ordered(&request.methods),
                request.not_after.map_or(end, |latest| latest.min(end)),
                request.audit_ids,
            )
        };
        let stamp = self.cache.epochs().now();
        let mut assembled = self.assemble(&payload, None, now).await;
        if let Err(Stop::Refused(Refusal::Invalid)) = &assembled {
            // Revocations know whole seconds: who has just changed the password would get a token
            // that is revoked already. One of the next second is good, so that is waited for.
            let later = now.saturating_add(1);
            let next = self.assemble(&payload, None, later).await;
            if next.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
                (now, assembled) = (later, next);
            }
        }
        let (token, on) = match assembled {
            Ok(assembled) => assembled,
            Err(Stop::Refused(refusal)) => return Ok(Issue::Refused(refusal)),
            Err(Stop::Failed(error)) => return Err(error),
        };
        let text = self.format.seal(&payload, now)?;
        self.cache
            .insert(key_of(&text), Arc::clone(&token), stamp, on);
        Ok(Issue::Granted(Issued { text, token }))
    }
}

impl TokenProvider {
    /// Whether `text` is a good token at `now`.
    async fn validate(&self, text: &str, now: i64, allow_expired: bool) -> Result<Verdict, Error> {
        if text.is_empty() {
            return Ok(Verdict::Refused(Refusal::Empty));
        }
        let key = key_of(text);
        let cached = self
            .cache
            .get_or_load(&key, async || self.read(text, now).await)
            .await;
        let token = match cached {
            Ok(token) if now < token.stale_at => token,
            // Something in it has ended by itself.
            Ok(_) => match self.read(text, now).await {
                Ok((token, _)) => token,
                Err(Stop::Refused(refusal)) => return Ok(Verdict::Refused(refusal)),
                Err(Stop::Failed(error)) => return Err(error),
            },
            Err(Stop::Refused(refusal)) => return Ok(Verdict::Refused(refusal)),
            Err(Stop::Failed(error)) => return Err(error),
        };
        let grace = if allow_expired {
            self.settings.allow_expired_window
        } else {
            0
        };
        if now >= token.expires_at.saturating_add(grace) {
            return Ok(Verdict::Refused(Refusal::Invalid));
        }
        Ok(Verdict::Valid(token))
    }

    /// Opens a token and puts it together from what the other providers know.
    async fn read(&self, text: &str, now: i64) -> Result<(Arc<Token>, Dependencies), Stop> {
        let opened = self.format.open(text, now).map_err(|error| {
            debug!(%error, "a token does not open");
            Stop::Refused(Refusal::Unreadable(error.to_string()))
        })?;
        let token = self
            .assemble(&opened.payload, Some(opened.issued_at), now)
            .await;
        token.inspect_err(|stop| {
            if let Stop::Refused(refusal) = stop {
                let audit_id = opened.payload.audit_ids.own;
                debug!(token.audit_id = %audit_id, %refusal, "a token is refused");
            }
        })
    }
}

fn key_of(text: &str) -> TokenKey {
    let mut key = TokenKey::default();
    for (to, from) in key
        .iter_mut()
        .zip(digest(&SHA256, text.as_bytes()).as_ref())
    {
        *to = *from;
    }
    key
}
