//! What is read of other providers' tables, by key and inside a transaction of this one.

use super::super::{Error, FederatedIdentity};

/// Refuses federated identities of providers, or by protocols, that there are not.
macro_rules! check_identities {
    ($conn:expr, $identities:expr) => {{
        use $crate::db::schema::{federation_protocol, identity_provider};
        let identities: &[FederatedIdentity] = $identities;
        if !identities.is_empty() {
            let named: Vec<&str> = identities
                .iter()
                .map(|identity| identity.idp_id.as_str())
                .collect();
            let providers: Vec<String> = identity_provider::table
                .filter(identity_provider::id.eq_any(named.clone()))
                .select(identity_provider::id)
                .load($conn)
                .await?;
            let protocols: Vec<(String, String)> = federation_protocol::table
                .filter(federation_protocol::idp_id.eq_any(named))
                .select((federation_protocol::idp_id, federation_protocol::id))
                .load($conn)
                .await?;
            $crate::identity::store::neighbours::check_known(identities, &providers, &protocols)?;
        }
    }};
}
pub(super) use check_identities;

/// Whether an actor has any role anywhere.
macro_rules! has_assignments {
    ($conn:expr, $actor:expr) => {{
        use $crate::db::schema::{assignment, system_assignment};
        let somewhere: Option<String> = assignment::table
            .filter(assignment::actor_id.eq($actor))
            .select(assignment::actor_id)
            .first($conn)
            .await
            .optional()?;
        let on_the_system: Option<String> = system_assignment::table
            .filter(system_assignment::actor_id.eq($actor))
            .select(system_assignment::actor_id)
            .first($conn)
            .await
            .optional()?;
        somewhere.is_some() || on_the_system.is_some()
    }};
}
pub(super) use has_assignments;

/// `protocols` are pairs of provider and protocol.
pub(super) fn check_known(
    identities: &[FederatedIdentity],
    providers: &[String],
    protocols: &[(String, String)],
) -> Result<(), Error> {
    for identity in identities {
        if !providers.contains(&identity.idp_id) {
            return Err(Error::UnknownIdentityProvider(identity.idp_id.clone()));
        }
        let known = |protocol: &str| {
            protocols
                .iter()
                .any(|(idp, id)| *idp == identity.idp_id && id == protocol)
        };
        for protocol in &identity.protocols {
            if !known(&protocol.protocol_id) {
                return Err(Error::UnknownProtocol {
                    protocol: protocol.protocol_id.clone(),
                    idp: identity.idp_id.clone(),
                });
            }
        }
    }
    Ok(())
}
