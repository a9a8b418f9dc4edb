//! Identity providers and their remote IDs.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, IdentityProvider, IdentityProviderPatch};
use super::exports::delete_identities;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{identity_provider, idp_remote_ids};
use crate::db::{Db, InsertRows, on_unique, sought};
use crate::epoch::{Entity, Kind};
use crate::ids::IdentityProviderId;
use crate::{lock_by_id, resource, transaction, with_conn};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = identity_provider, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
struct ProviderRow {
    id: String,
    enabled: bool,
    description: Option<String>,
    domain_id: String,
    authorization_ttl: Option<i32>,
}

#[derive(Insertable)]
#[diesel(table_name = idp_remote_ids)]
struct RemoteIdRow {
    idp_id: String,
    remote_id: String,
}

crate::insert_rows!(RemoteIdRow => crate::db::schema::idp_remote_ids);

impl From<&IdentityProvider> for ProviderRow {
    fn from(provider: &IdentityProvider) -> Self {
        Self {
            id: provider.id.to_string(),
            enabled: provider.enabled,
            description: provider.description.clone(),
            domain_id: provider.domain_id.to_string(),
            authorization_ttl: provider.authorization_ttl,
        }
    }
}

fn remote_id_rows(provider: &IdentityProvider) -> Vec<RemoteIdRow> {
    let rows = provider.remote_ids.iter();
    rows.map(|remote_id| RemoteIdRow {
        idp_id: provider.id.to_string(),
        remote_id: remote_id.clone(),
    })
    .collect()
}

/// Providers from rows in which those of one provider follow each other, each with one of its
/// remote IDs, where it has any.
fn assemble(rows: Vec<(ProviderRow, Option<String>)>) -> Vec<IdentityProvider> {
    let mut providers: Vec<IdentityProvider> = Vec::new();
    for (row, remote_id) in rows {
        let known = providers.pop_if(|last| last.id == *row.id.as_str());
        let mut provider = known.unwrap_or_else(|| IdentityProvider {
            id: row.id.into(),
            domain_id: row.domain_id.into(),
            enabled: row.enabled,
            description: row.description,
            remote_ids: Vec::new(),
            authorization_ttl: row.authorization_ttl,
        });
        provider.remote_ids.extend(remote_id);
        providers.push(provider);
    }
    providers
}

/// The providers that meet a condition, in the order of their IDs.
macro_rules! select_providers {
    ($conn:expr $(, $condition:expr)?) => {{
        let rows: Vec<(ProviderRow, Option<String>)> = identity_provider::table
            .left_join(idp_remote_ids::table)
            $(.filter($condition))?
            .order((identity_provider::id, idp_remote_ids::remote_id))
            .select((
                ProviderRow::as_select(),
                idp_remote_ids::remote_id.nullable(),
            ))
            .load($conn)
            .await?;
        assemble(rows)
    }};
}

/// Stores the remote IDs of a provider that has none.
macro_rules! insert_remote_ids {
    ($conn:expr, $provider:expr) => {{
        let provider: &IdentityProvider = $provider;
        let taken: Vec<String> = idp_remote_ids::table
            .filter(idp_remote_ids::remote_id.eq_any(&provider.remote_ids))
            .select(idp_remote_ids::remote_id)
            .load($conn)
            .await?;
        if let Some(taken) = taken.into_iter().next() {
            return Err(Error::RemoteIdTaken(taken));
        }
        let first = || {
            provider
                .remote_ids
                .iter()
                .next()
                .cloned()
                .unwrap_or_default()
        };
        $conn
            .insert_rows(remote_id_rows(provider))
            .await
            .map_err(|error| on_unique(error, || Error::RemoteIdTaken(first())))?;
    }};
}

fn changed(id: &IdentityProviderId) -> Entity {
    Entity::new(Kind::IdentityProvider, id.as_str())
}

pub(in super::super) async fn find_provider(
    db: &Db,
    id: &IdentityProviderId,
) -> Result<Option<IdentityProvider>, Error> {
    with_conn!(db, |conn| {
        let found = select_providers!(conn, identity_provider::id.eq(sought(id.as_str())));
        Ok(found.into_iter().next())
    })
}

pub(in super::super) async fn list_providers(db: &Db) -> Result<Vec<IdentityProvider>, Error> {
    with_conn!(db, |conn| Ok(select_providers!(conn)))
}

/// `makes_domain`: its domain is new, and made with it.
pub(in super::super) async fn insert_provider(
    db: &Db,
    node: &str,
    new: &IdentityProvider,
    makes_domain: bool,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let domain = new.domain_id.as_str();
        let mut entities = vec![changed(&new.id)];
        if makes_domain {
            let what = "Auto generated federated domain for Identity Provider: ";
            let description = format!("{what}{}", new.id);
            let made = resource::insert_domain(conn, domain, domain, &description).await?;
            entities.push(made);
        } else {
            let held = resource::hold(conn, domain).await?;
            if !held.is_some_and(|(_, is_domain)| is_domain) {
                return Err(Error::DomainNotFound(new.domain_id.clone()));
            }
        }
        diesel::insert_into(identity_provider::table)
            .values(ProviderRow::from(new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::IdentityProviderExists(new.id.clone())))?;
        insert_remote_ids!(conn, new);
        Ok(record_change(conn, node, Change::of(entities)).await?)
    })
}

pub(in super::super) async fn update_provider(
    db: &Db,
    node: &str,
    id: &IdentityProviderId,
    patch: IdentityProviderPatch,
) -> Result<(IdentityProvider, Change), Error> {
    transaction!(db, |conn| {
        let missing = || Error::IdentityProviderNotFound(id.clone());
        if !lock_by_id!(conn, identity_provider, id) {
            return Err(missing());
        }
        let found = select_providers!(conn, identity_provider::id.eq(sought(id.as_str())));
        let old = found.into_iter().next().ok_or_else(missing)?;
        let new = patch.clone().apply(&old)?;
        diesel::update(identity_provider::table.find(new.id.as_str()))
            .set(ProviderRow::from(&new))
            .execute(conn)
            .await?;
        if new.remote_ids != old.remote_ids {
            let own = idp_remote_ids::idp_id.eq(new.id.as_str());
            diesel::delete(idp_remote_ids::table.filter(own))
                .execute(conn)
                .await?;
            insert_remote_ids!(conn, &new);
        }
        let change = record_change(conn, node, Change::of([changed(&new.id)])).await?;
        Ok((new, change))
    })
}

pub(in super::super) async fn delete_provider(
    db: &Db,
    node: &str,
    id: &IdentityProviderId,
    now: i64,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        if !lock_by_id!(conn, identity_provider, id) {
            return Err(Error::IdentityProviderNotFound(id.clone()));
        }
        let own = [id.to_string()];
        let users = delete_identities(conn, &own, None, now).await?;
        // Protocols, remote IDs and memberships go with it: ON DELETE CASCADE.
        diesel::delete(identity_provider::table.find(id.as_str()))
            .execute(conn)
            .await?;
        let change = users.and(Change::of([changed(id)]));
        Ok(record_change(conn, node, change.bounded()).await?)
    })
}
