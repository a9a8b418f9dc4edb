//! What transactions do that delete where users come from.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::on_connection;
use crate::db::outbox::Change;
use crate::db::schema::identity_provider;
use crate::epoch::{Entity, Kind};
use crate::{application_credential, assignment, credential, identity, oauth1, trust, webauthn};

on_connection! {
    /// Deletes the identities that users have of these providers (by a protocol, if one is named),
    /// when those are deleted, with the users who have no other and all that is theirs; `now` in
    /// seconds since 1970. Gives the change to record.
    pub(super) async fn delete_identities<'a>(
        conn,
        providers: &'a [String],
        protocol: Option<&'a str>,
        now: i64,
    ) -> Change {
        let (actors, had) = identity::delete_identities(conn, providers, protocol).await?;
        let users = &actors.users;
        let with_them: [Vec<Entity>; 6] = [
            assignment::delete_of_users(conn, users).await?,
            application_credential::delete_of_users(conn, users)
                .await?
                .entities(),
            credential::delete_of_users(conn, users).await?,
            trust::delete_of_users(conn, users, now).await?,
            oauth1::delete_of_users(conn, users).await?,
            webauthn::delete_of_users(conn, users).await?,
        ];
        let had = had.into_iter().map(|id| Entity::new(Kind::User, id));
        Ok(Change::of(had.chain(with_them.concat())).and(actors.change(now)))
    }

    /// Deletes the identity providers of a domain, when the domain is deleted (Keystone's rule); as
    /// [`delete_identities`].
    pub(crate) async fn delete_providers_of_domain<'a>(conn, domain: &'a str, now: i64) -> Change {
        let of_domain = || identity_provider::table.filter(identity_provider::domain_id.eq(domain));
        // Changes nothing, but locks them: nobody comes by them meanwhile.
        diesel::update(of_domain())
            .set(identity_provider::domain_id.eq(identity_provider::domain_id))
            .execute(conn)
            .await?;
        let ids: Vec<String> = of_domain()
            .select(identity_provider::id)
            .load(conn)
            .await?;
        let users = delete_identities(conn, &ids, None, now).await?;
        // Protocols, remote IDs and memberships go with them: ON DELETE CASCADE.
        diesel::delete(of_domain()).execute(conn).await?;
        let gone = ids.into_iter().map(|id| Entity::new(Kind::IdentityProvider, id));
        Ok(users.and(Change::of(gone)))
    }
}
