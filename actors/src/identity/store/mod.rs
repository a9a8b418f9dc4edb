//! The tables `user`, `user_option`, `local_user`, `nonlocal_user`, `password`, `federated_user`,
//! `group`, `user_group_membership`, `expiring_user_group_membership` and `id_mapping`.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{Failures, PasswordRecord, inactive_from, storable};
use super::{FederatedIdentity, FederatedProtocol, Group, User, UserOptions};
use crate::attributes::{extra_column, parse_extra};
use crate::db::schema::{federated_user, group, local_user, password, user, user_option};
use crate::db::{DbTime, sought};

#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = user, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
struct UserRow {
    id: String,
    extra: Option<String>,
    enabled: Option<bool>,
    default_project_id: Option<String>,
    created_at: Option<DbTime>,
    last_active_at: Option<NaiveDate>,
    domain_id: String,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = user_option)]
struct OptionRow {
    user_id: String,
    option_id: String,
    option_value: Option<String>,
}

crate::insert_rows!(OptionRow => crate::db::schema::user_option);

#[derive(Queryable, Selectable)]
#[diesel(table_name = local_user)]
struct LocalRow {
    id: i32,
    name: String,
    failed_auth_count: Option<i32>,
    failed_auth_at: Option<DbTime>,
}

/// A password, the hash aside.
#[derive(Queryable, Selectable)]
#[diesel(table_name = password)]
struct PasswordRow {
    id: i32,
    local_user_id: i32,
    expires_at: Option<DbTime>,
    expires_at_int: Option<i64>,
    created_at_int: i64,
    self_service: bool,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = federated_user)]
struct FederatedRow {
    user_id: String,
    idp_id: String,
    protocol_id: String,
    unique_id: String,
    display_name: Option<String>,
}

crate::insert_rows!(FederatedRow => crate::db::schema::federated_user);

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = group, treat_none_as_null = true)]
struct GroupRow {
    id: String,
    domain_id: String,
    name: String,
    description: Option<String>,
    extra: Option<String>,
}

impl PasswordRow {
    /// Their order: the last is the present one.
    fn age(&self) -> (i64, i32) {
        (self.created_at_int, self.id)
    }

    /// Rows from before the columns of integers have only the other.
    fn expires(&self) -> Option<DbTime> {
        self.expires_at_int
            .filter(|micros| *micros != 0)
            .map_or(self.expires_at, from_micros)
    }
}

impl From<&PasswordRow> for PasswordRecord {
    fn from(row: &PasswordRow) -> Self {
        Self {
            id: row.id,
            created_at: row.created_at_int,
            self_service: row.self_service,
        }
    }
}

/// A time in microseconds since 1970.
fn from_micros(micros: i64) -> Option<DbTime> {
    chrono::DateTime::from_timestamp_micros(micros).map(DbTime::from)
}

impl LocalRow {
    fn failures(&self) -> Failures {
        Failures {
            count: self
                .failed_auth_count
                .and_then(|count| count.try_into().ok())
                .unwrap_or_default(),
            last_at: self.failed_auth_at,
        }
    }
}

impl From<&Group> for GroupRow {
    fn from(group: &Group) -> Self {
        Self {
            id: group.id.to_string(),
            domain_id: group.domain_id.to_string(),
            name: group.name.clone(),
            description: group.description.clone(),
            extra: Some(extra_column(&group.extra)),
        }
    }
}

impl From<GroupRow> for Group {
    fn from(row: GroupRow) -> Self {
        Self {
            extra: storable(parse_extra(row.extra.as_deref())),
            id: row.id.into(),
            name: row.name,
            domain_id: row.domain_id.into(),
            description: row.description,
        }
    }
}

/// All rows of some users.
struct UserRows {
    users: Vec<(UserRow, Option<LocalRow>, Option<String>)>,
    options: Vec<OptionRow>,
    passwords: Vec<PasswordRow>,
    federated: Vec<FederatedRow>,
}

impl UserRows {
    /// The row of the one user that was asked for.
    fn one(&self) -> Option<&(UserRow, Option<LocalRow>, Option<String>)> {
        self.users.first()
    }

    /// The present password of the one user that was asked for.
    fn present_password(&self) -> Option<&PasswordRow> {
        self.passwords.iter().max_by_key(|row| row.age())
    }

    /// The users, in the order of the rows; `days` is the inactivity rule.
    fn assemble(self, days: Option<u32>) -> Vec<User> {
        let mut options = by_key(self.options, |row| row.user_id.clone());
        let mut passwords = by_key(self.passwords, |row| row.local_user_id);
        let mut federated = by_key(self.federated, |row| row.user_id.clone());
        let users = self.users.into_iter().map(|(row, local, nonlocal)| {
            let options = options.remove(&row.id).unwrap_or_default();
            let federated = federated.remove(&row.id).unwrap_or_default();
            let passwords = local.as_ref().and_then(|local| passwords.remove(&local.id));
            let present = passwords
                .unwrap_or_default()
                .into_iter()
                .max_by_key(PasswordRow::age);
            assemble(row, local, nonlocal, &options, present, federated, days)
        });
        users.collect()
    }
}

fn by_key<K: Eq + std::hash::Hash, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Vec<R>> {
    let mut map: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        map.entry(key(&row)).or_default().push(row);
    }
    map
}

fn assemble(
    row: UserRow,
    local: Option<LocalRow>,
    nonlocal: Option<String>,
    options: &[OptionRow],
    password: Option<PasswordRow>,
    federated: Vec<FederatedRow>,
    days: Option<u32>,
) -> User {
    let options = options
        .iter()
        .map(|option| (option.option_id.as_str(), option.option_value.as_deref()));
    let options = UserOptions::from_rows(options);
    let display_name = federated.first().and_then(|row| row.display_name.clone());
    let created = row.created_at.map(|time| time.0.date());
    User {
        id: row.id.into(),
        name: local
            .map(|local| local.name)
            .or(nonlocal)
            .or(display_name)
            .unwrap_or_default(),
        domain_id: row.domain_id.into(),
        // NULL is disabled, as for Keystone.
        enabled: row.enabled.unwrap_or_default(),
        inactive_from: inactive_from(days, row.last_active_at, created, &options),
        default_project_id: row.default_project_id.map(Into::into),
        password_expires_at: password.and_then(|password| password.expires()),
        options,
        federated: identities(federated),
        extra: storable(parse_extra(row.extra.as_deref())),
    }
}

/// The rows of one user, grouped by identity provider.
fn identities(rows: Vec<FederatedRow>) -> Vec<FederatedIdentity> {
    let mut identities: Vec<FederatedIdentity> = Vec::new();
    for row in rows {
        let protocol = FederatedProtocol {
            protocol_id: row.protocol_id,
            unique_id: row.unique_id,
        };
        match identities
            .iter_mut()
            .find(|known| known.idp_id == row.idp_id)
        {
            Some(known) => known.protocols.push(protocol),
            None => identities.push(FederatedIdentity {
                idp_id: row.idp_id,
                protocols: vec![protocol],
            }),
        }
    }
    identities
}

mod accounts;
mod exports;
mod groups;
mod lists;
mod memberships;
mod neighbours;
mod passwords;
mod rows;
mod users;

pub(super) use accounts::{
    Account, clear_failures, count_failure, failures, find_account, record_activity,
};
pub(crate) use exports::{clear_default_projects, delete_identities, delete_of_domain, hold_user};
pub(super) use groups::{delete_group, find_group, find_group_by_name, insert_group, update_group};
pub(super) use lists::{GroupRequest, UserRequest, list_groups, list_users, name_users};
pub(super) use memberships::{add_to_group, list_members, memberships, remove_from_group};
pub(super) use passwords::{change_password, recent_hashes};
use rows::load_rows;
pub(super) use users::{
    Spelling, delete_user, find_user, find_user_by_name, insert_user, revoke_tokens, update_user,
};
