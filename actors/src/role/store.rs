//! The tables `role`, `role_option` and `implied_role`.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Error, Role, RoleGraph, RolePatch};
use crate::attributes::{ResourceOptions, extra_column, parse_extra};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{implied_role, role, role_option};
use crate::db::{Db, InsertRows, on_unique};
use crate::epoch::Entity;
use crate::ids::{DomainId, RoleId};
use crate::{application_credential, assignment, lock_by_id, transaction, with_conn};

/// What the column holds for a global role: with NULL the unique index would not hold.
const NO_DOMAIN: &str = "<<null>>";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = role, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
struct RoleRow {
    id: String,
    name: String,
    extra: Option<String>,
    domain_id: String,
    description: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = role_option)]
struct OptionRow {
    role_id: String,
    option_id: String,
    option_value: Option<String>,
}

crate::insert_rows!(OptionRow => crate::db::schema::role_option);

impl From<&Role> for RoleRow {
    fn from(role: &Role) -> Self {
        Self {
            id: role.id.to_string(),
            name: role.name.clone(),
            extra: Some(extra_column(&role.extra)),
            domain_id: role
                .domain_id
                .as_ref()
                .map_or(NO_DOMAIN, DomainId::as_str)
                .to_owned(),
            description: role.description.clone(),
        }
    }
}

fn assemble(row: RoleRow, options: &[OptionRow]) -> Role {
    let options = options
        .iter()
        .map(|option| (option.option_id.as_str(), option.option_value.as_deref()));
    Role {
        extra: parse_extra(row.extra.as_deref()),
        id: row.id.into(),
        name: row.name,
        domain_id: (row.domain_id != NO_DOMAIN).then(|| row.domain_id.into()),
        description: row.description,
        options: ResourceOptions::from_rows(options),
    }
}

fn option_rows(role: &Role) -> Vec<OptionRow> {
    let rows = role.options.to_rows().into_iter();
    rows.map(|(id, value)| OptionRow {
        role_id: role.id.to_string(),
        option_id: id.to_owned(),
        option_value: Some(value),
    })
    .collect()
}

/// A macro, as all that several functions here share: for three backends a generic function
/// would need a page of bounds.
macro_rules! replace_options {
    ($conn:expr, $role:expr) => {{
        diesel::delete(role_option::table.filter(role_option::role_id.eq($role.id.as_str())))
            .execute($conn)
            .await?;
        $conn.insert_rows(option_rows($role)).await?;
    }};
}

/// One role with its options, its row locked for the rest of the transaction.
macro_rules! lock_role {
    ($conn:expr, $id:expr) => {{
        if !lock_by_id!($conn, role, $id) {
            return Err(Error::NotFound($id.clone()));
        }
        read_role!($conn, $id)
    }};
}

/// One role with its options; its row is locked.
macro_rules! read_role {
    ($conn:expr, $id:expr) => {{
        let row: RoleRow = role::table
            .find($id.as_str())
            .select(RoleRow::as_select())
            .first($conn)
            .await?;
        let options: Vec<OptionRow> = role_option::table
            .filter(role_option::role_id.eq($id.as_str()))
            .select(OptionRow::as_select())
            .load($conn)
            .await?;
        assemble(row, &options)
    }};
}

/// All roles and implications.
pub(super) async fn load(db: &Db) -> Result<RoleGraph, Error> {
    with_conn!(db, |conn| {
        let rows: Vec<RoleRow> = role::table.select(RoleRow::as_select()).load(conn).await?;
        let options: Vec<OptionRow> = role_option::table
            .select(OptionRow::as_select())
            .load(conn)
            .await?;
        let implied: Vec<(String, String)> = implied_role::table
            .select((implied_role::prior_role_id, implied_role::implied_role_id))
            .order((implied_role::prior_role_id, implied_role::implied_role_id))
            .load(conn)
            .await?;
        let mut by_role: HashMap<String, Vec<OptionRow>> = HashMap::new();
        for option in options {
            by_role
                .entry(option.role_id.clone())
                .or_default()
                .push(option);
        }
        let roles = rows.into_iter().map(|row| {
            let options = by_role.remove(&row.id).unwrap_or_default();
            assemble(row, &options)
        });
        let implied = implied
            .into_iter()
            .map(|(prior, implied)| (prior.into(), implied.into()));
        Ok(RoleGraph::new(roles, implied))
    })
}

pub(super) async fn insert(db: &Db, node: &str, new: &Role) -> Result<Change, Error> {
    transaction!(db, |conn| {
        diesel::insert_into(role::table)
            .values(RoleRow::from(new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || name_taken(new)))?;
        replace_options!(conn, new);
        let change = record_change(conn, node, Change::of([Entity::roles()])).await?;
        Ok(change)
    })
}

/// The change and its invalidation in one transaction: both last, or neither.
pub(super) async fn update(
    db: &Db,
    node: &str,
    id: &RoleId,
    patch: RolePatch,
) -> Result<(Role, Change), Error> {
    transaction!(db, |conn| {
        let old = lock_role!(conn, id);
        let new = patch.clone().apply(&old)?;
        diesel::update(role::table.find(id.as_str()))
            .set(RoleRow::from(&new))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || name_taken(&new)))?;
        replace_options!(conn, &new);
        let change = record_change(conn, node, Change::of([Entity::roles()])).await?;
        Ok((new, change))
    })
}

pub(super) async fn delete(db: &Db, node: &str, id: &RoleId) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let old = lock_role!(conn, id);
        if old.options.is_immutable() {
            return Err(Error::ImmutableDeletion(id.clone()));
        }
        // While the assignments are there, by which Keystone finds them.
        let credentials = application_credential::delete_of_role(conn, id.as_str()).await?;
        assignment::delete_of_role(conn, id.as_str()).await?;
        // Options and implications go with it: ON DELETE CASCADE.
        diesel::delete(role::table.find(id.as_str()))
            .execute(conn)
            .await?;
        let gone = credentials.into_iter().chain([Entity::roles()]);
        let change = record_change(conn, node, Change::of(gone).bounded()).await?;
        Ok(change)
    })
}

/// `prohibited` are the names of roles that none may imply.
pub(super) async fn insert_implication(
    db: &Db,
    node: &str,
    prior: &RoleId,
    implied: &RoleId,
    prohibited: &[String],
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        // In one order, whichever of the two implies the other, and both before either is read.
        let mut missing = Vec::new();
        for id in [prior.min(implied), prior.max(implied)] {
            if !lock_by_id!(conn, role, id) {
                missing.push(id);
            }
        }
        // The implied one is named, where both are gone.
        if let Some(id) = [implied, prior].into_iter().find(|id| missing.contains(id)) {
            return Err(Error::NotFound(id.clone()));
        }
        let from = read_role!(conn, prior);
        let to = read_role!(conn, implied);
        from.check_implication(&to, prohibited)?;
        diesel::insert_into(implied_role::table)
            .values((
                implied_role::prior_role_id.eq(from.id.as_str()),
                implied_role::implied_role_id.eq(to.id.as_str()),
            ))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::ImplicationExists))?;
        let change = record_change(conn, node, Change::of([Entity::roles()])).await?;
        Ok(change)
    })
}

pub(super) async fn delete_implication(
    db: &Db,
    node: &str,
    prior: &RoleId,
    implied: &RoleId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let row = implied_role::table.find((prior.as_str(), implied.as_str()));
        if diesel::delete(row).execute(conn).await? == 0 {
            return Err(Error::NotImplied {
                prior: prior.clone(),
                implied: implied.clone(),
            });
        }
        let change = record_change(conn, node, Change::of([Entity::roles()])).await?;
        Ok(change)
    })
}

fn name_taken(role: &Role) -> Error {
    Error::NameTaken {
        name: role.name.clone(),
        domain: role.domain_id.as_ref().map(DomainId::to_string),
    }
}
