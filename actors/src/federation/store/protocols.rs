//! Protocols.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, Protocol, ProtocolPatch};
use super::exports::delete_identities;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::federation_protocol;
use crate::db::{Db, on_unique, sought};
use crate::epoch::{Entity, Kind};
use crate::ids::{IdentityProviderId, ProtocolId};
use crate::{lock_by_id, transaction, with_conn};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = federation_protocol, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
#[diesel(primary_key(id, idp_id))]
struct ProtocolRow {
    id: String,
    idp_id: String,
    mapping_id: String,
    remote_id_attribute: Option<String>,
}

impl From<ProtocolRow> for Protocol {
    fn from(row: ProtocolRow) -> Self {
        Self {
            id: row.id.into(),
            idp_id: row.idp_id.into(),
            mapping_id: row.mapping_id.into(),
            remote_id_attribute: row.remote_id_attribute,
        }
    }
}

impl From<&Protocol> for ProtocolRow {
    fn from(protocol: &Protocol) -> Self {
        Self {
            id: protocol.id.to_string(),
            idp_id: protocol.idp_id.to_string(),
            mapping_id: protocol.mapping_id.to_string(),
            remote_id_attribute: protocol.remote_id_attribute.clone(),
        }
    }
}

/// The row of a protocol.
macro_rules! at {
    ($idp:expr, $id:expr) => {
        federation_protocol::table.find((sought($id.as_str()), sought($idp.as_str())))
    };
}

macro_rules! find {
    ($conn:expr, $idp:expr, $id:expr) => {{
        let row: Option<ProtocolRow> = at!($idp, $id)
            .select(ProtocolRow::as_select())
            .first($conn)
            .await
            .optional()?;
        row.map(Protocol::from)
    }};
}

/// Holds the mapping of a protocol to be, which has to exist.
macro_rules! hold_mapping {
    ($conn:expr, $mapping:expr) => {
        if !lock_by_id!($conn, mapping, $mapping) {
            return Err(Error::UnknownMapping($mapping.clone()));
        }
    };
}

fn missing(idp: &IdentityProviderId, id: &ProtocolId) -> Error {
    Error::ProtocolNotFound {
        idp: idp.clone(),
        id: id.clone(),
    }
}

pub(in super::super) async fn find_protocol(
    db: &Db,
    idp: &IdentityProviderId,
    id: &ProtocolId,
) -> Result<Option<Protocol>, Error> {
    with_conn!(db, |conn| Ok(find!(conn, idp, id)))
}

pub(in super::super) async fn list_protocols(
    db: &Db,
    idp: &IdentityProviderId,
) -> Result<Vec<Protocol>, Error> {
    let rows: Vec<ProtocolRow> = with_conn!(db, |conn| {
        federation_protocol::table
            .filter(federation_protocol::idp_id.eq(sought(idp.as_str())))
            .select(ProtocolRow::as_select())
            .order(federation_protocol::id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(Protocol::from).collect())
}

pub(in super::super) async fn insert_protocol(db: &Db, new: &Protocol) -> Result<(), Error> {
    transaction!(db, |conn| {
        hold_mapping!(conn, new.mapping_id);
        if !lock_by_id!(conn, identity_provider, new.idp_id) {
            return Err(Error::IdentityProviderNotFound(new.idp_id.clone()));
        }
        diesel::insert_into(federation_protocol::table)
            .values(ProtocolRow::from(new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::ProtocolExists(new.id.clone())))?;
        Ok(())
    })
}

pub(in super::super) async fn update_protocol(
    db: &Db,
    idp: &IdentityProviderId,
    id: &ProtocolId,
    patch: ProtocolPatch,
) -> Result<Protocol, Error> {
    transaction!(db, |conn| {
        hold_mapping!(conn, patch.mapping_id);
        let missing = || missing(idp, id);
        if !lock_by_id!(conn, identity_provider, idp) {
            return Err(missing());
        }
        let old = find!(conn, idp, id).ok_or_else(missing)?;
        let new = patch.clone().apply(&old);
        diesel::update(at!(idp, id))
            .set(ProtocolRow::from(&new))
            .execute(conn)
            .await?;
        Ok(new)
    })
}

pub(in super::super) async fn delete_protocol(
    db: &Db,
    node: &str,
    idp: &IdentityProviderId,
    id: &ProtocolId,
    now: i64,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        if !lock_by_id!(conn, identity_provider, idp) {
            return Err(missing(idp, id));
        }
        let provider = [sought(idp.as_str()).to_owned()];
        let users = delete_identities(conn, &provider, Some(sought(id.as_str())), now).await?;
        if diesel::delete(at!(idp, id)).execute(conn).await? == 0 {
            return Err(missing(idp, id));
        }
        let entity = Entity::new(Kind::IdentityProvider, idp.as_str());
        let change = users.and(Change::of([entity])).bounded();
        Ok(record_change(conn, node, change).await?)
    })
}
