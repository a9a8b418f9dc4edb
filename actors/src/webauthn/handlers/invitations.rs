use super::super::{
    CreateInvitation, Error, Invitation, LookInvitation, WebauthnProvider, codes, store,
};
use crate::actor::Serve;
use crate::ids::UserId;

impl Serve<CreateInvitation> for WebauthnProvider {
    async fn serve(self, message: CreateInvitation) -> Result<Invitation, Error> {
        let CreateInvitation {
            user,
            created_by,
            now,
        } = message;
        let secret = codes::secret()?;
        let expires_at = now.saturating_add(self.settings.invitation_ttl);
        let hash = codes::hash_of(&secret);
        store::insert_invitation(&self.db, &hash, &user, &created_by, expires_at, now).await?;
        self.prune(now);
        Ok(Invitation { secret, expires_at })
    }
}

impl Serve<LookInvitation> for WebauthnProvider {
    async fn serve(self, message: LookInvitation) -> Result<Option<UserId>, Error> {
        let hash = codes::hash_of(&message.secret);
        store::find_invitation(&self.db, &hash, message.now).await
    }
}
