//! What transactions do that delete where users come from.

/// Deletes the identities that users have of a provider or by a protocol, when that is deleted, with
/// the users who have no other and all that is theirs: `delete_identities!(conn, || …, now)`, with a
/// closure that makes the condition on `federated_user`, and `now` in seconds since 1970; inside a
/// transaction whose error is made of a diesel error. Evaluates to the `Change` to record.
macro_rules! delete_identities {
    ($conn:expr, $theirs:expr, $now:expr) => {{
        use $crate::db::outbox::Change;
        use $crate::epoch::{Entity, Kind};
        let now: i64 = $now;
        let (actors, had) = $crate::identity::delete_identities!($conn, $theirs);
        let with_them: [Vec<Entity>; 4] = [
            $crate::assignment::delete_of_users!($conn, actors.users),
            $crate::application_credential::delete_of_users!($conn, actors.users),
            $crate::credential::delete_of_users!($conn, actors.users),
            $crate::trust::delete_of_users!($conn, actors.users, now),
        ];
        let had = had.into_iter().map(|id| Entity::new(Kind::User, id));
        Change::of(had.chain(with_them.concat())).and(actors.change(now))
    }};
}
pub(crate) use delete_identities;

/// Deletes the identity providers of a domain (its ID as `&str`), when the domain is deleted
/// (Keystone's rule): `delete_providers_of_domain!(conn, id, now)`, as [`delete_identities`].
macro_rules! delete_providers_of_domain {
    ($conn:expr, $domain:expr, $now:expr) => {{
        use $crate::db::schema::{federated_user, identity_provider};
        let domain: &str = $domain;
        let of_domain = || identity_provider::table.filter(identity_provider::domain_id.eq(domain));
        let ids: Vec<String> = of_domain()
            .select(identity_provider::id)
            .load($conn)
            .await?;
        let theirs = || federated_user::idp_id.eq_any(of_domain().select(identity_provider::id));
        let users = $crate::federation::delete_identities!($conn, theirs, $now);
        // Protocols, remote IDs and memberships go with them: ON DELETE CASCADE.
        diesel::delete(of_domain()).execute($conn).await?;
        let gone = ids
            .into_iter()
            .map(|id| $crate::epoch::Entity::new($crate::epoch::Kind::IdentityProvider, id));
        users.and($crate::db::outbox::Change::of(gone))
    }};
}
pub(crate) use delete_providers_of_domain;
