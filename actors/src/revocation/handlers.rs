use super::{
    Error, Event, ListEvents, MatchEvents, RevocationProvider, RevokeEvents, RevokeToken, store,
};
use crate::actor::Serve;

impl Serve<RevokeToken> for RevocationProvider {
    async fn serve(self, message: RevokeToken) -> Result<(), Error> {
        let RevokeToken {
            audit_id,
            cascade,
            now,
        } = message;
        let mut events = vec![Event::audit(&audit_id, now)];
        if cascade {
            events.push(Event::audit_chain(&audit_id, now));
        }
        let change = store::revoke(&self.db, self.invalidations.node(), events).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<RevokeEvents> for RevocationProvider {
    async fn serve(self, RevokeEvents { events }: RevokeEvents) -> Result<(), Error> {
        let change = store::revoke(&self.db, self.invalidations.node(), events).await?;
        self.invalidations.publish(&change);
        Ok(())
    }
}

impl Serve<ListEvents> for RevocationProvider {
    async fn serve(self, ListEvents { since }: ListEvents) -> Result<Vec<Event>, Error> {
        store::list(&self.db, since).await
    }
}

impl Serve<MatchEvents> for RevocationProvider {
    async fn serve(self, MatchEvents { facts }: MatchEvents) -> Result<bool, Error> {
        let candidates = store::candidates(&self.db, &facts).await?;
        Ok(candidates.iter().any(|event| event.revokes(&facts)))
    }
}
