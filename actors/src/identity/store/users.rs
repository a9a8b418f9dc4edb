//! Users.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::model::{NewPassword, PasswordRecord};
use super::super::{DeletedUser, Error, FederatedIdentity, IdentitySettings, User, UserPatch};
use super::neighbours::check_identities;
use super::passwords::set_password;
use super::{FederatedRow, OptionRow, UserRow, UserRows, load_rows, sought};
use crate::attributes::extra_column;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{
    expiring_user_group_membership, federated_user, id_mapping, local_user, nonlocal_user, user,
    user_group_membership, user_option,
};
use crate::db::{Db, DbTime, InsertRows, on_unique};
use crate::epoch::{Entity, Kind};
use crate::ids::{DomainId, UserId};
use crate::revocation::Event;
use crate::{
    application_credential, assignment, credential, oauth1, transaction, trust, webauthn, with_conn,
};

/// A user as it is stored, its row locked.
pub(super) struct Stored {
    pub user: User,
    /// The row itself.
    pub row: UserRow,
    /// The row of a local user.
    pub local: Option<i32>,
    /// Whether a directory knows the user.
    pub nonlocal: bool,
    /// All passwords, in the order of their age.
    pub passwords: Vec<PasswordRecord>,
}

impl Stored {
    /// From the rows of one user; `days` is the inactivity rule.
    pub(super) fn new(rows: UserRows, days: Option<u32>) -> Option<Self> {
        let (row, local, nonlocal) = rows.one()?;
        let (row, local, nonlocal) = (
            row.clone(),
            local.as_ref().map(|local| local.id),
            nonlocal.is_some(),
        );
        let mut passwords: Vec<_> = rows.passwords.iter().collect();
        passwords.sort_by_key(|row| row.age());
        let passwords = passwords.into_iter().map(PasswordRecord::from).collect();
        Some(Self {
            row,
            local,
            nonlocal,
            passwords,
            user: rows.assemble(days).pop()?,
        })
    }
}

/// One user with all its rows, its own locked for the rest of the transaction.
macro_rules! lock_user {
    ($conn:expr, $id:expr, $days:expr) => {{
        if !$crate::lock_by_id!($conn, user, $id) {
            return Err(Error::UserNotFound($id.to_string()));
        }
        let ids = vec![$id.to_string()];
        let rows = $crate::identity::store::load_rows($conn, &ids).await?;
        $crate::identity::store::users::Stored::new(rows, $days)
            .ok_or_else(|| Error::UserNotFound($id.to_string()))?
    }};
}
pub(super) use lock_user;

/// Gives a user a name, and a place for a password.
macro_rules! insert_local {
    ($conn:expr, $user:expr, $taken:expr) => {{
        let user: &User = $user;
        diesel::insert_into(local_user::table)
            .values((
                local_user::user_id.eq(user.id.as_str()),
                local_user::domain_id.eq(user.domain_id.as_str()),
                local_user::name.eq(user.name.as_str()),
            ))
            .execute($conn)
            .await
            .map_err(|error| on_unique(error, $taken))?;
        // MySQL has no RETURNING.
        let id: i32 = local_user::table
            .filter(local_user::user_id.eq(user.id.as_str()))
            .select(local_user::id)
            .first($conn)
            .await?;
        id
    }};
}

macro_rules! insert_identities {
    ($conn:expr, $user:expr) => {
        $conn
            .insert_rows(federated_rows($user))
            .await
            .map_err(|error| on_unique(error, || Error::FederatedIdentityTaken))?
    };
}

/// One user; `days` is the inactivity rule.
pub(in super::super) async fn find_user(
    db: &Db,
    id: &UserId,
    days: Option<u32>,
) -> Result<Option<User>, Error> {
    let ids = vec![sought(id.as_str()).to_owned()];
    with_conn!(db, |conn| {
        let rows = load_rows(conn, &ids).await?;
        Ok(rows.assemble(days).pop())
    })
}

/// How a name is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Spelling {
    /// As the database does: on some case, accents and spaces at the end are no matter.
    Databases,
    /// Letter by letter.
    Exact,
}

/// The ID of the user that has this name, local or from a directory. Two statements, always: how long
/// it takes says of nobody whether they are known.
pub(in super::super) async fn find_user_by_name(
    db: &Db,
    name: &str,
    domain: &DomainId,
    spelling: Spelling,
) -> Result<Option<UserId>, Error> {
    let typed = name;
    let (name, domain) = (sought(name), sought(domain.as_str()));
    with_conn!(db, |conn| {
        let local: Option<(String, String)> = local_user::table
            .filter(local_user::domain_id.eq(domain))
            .filter(local_user::name.eq(name))
            .select((local_user::user_id, local_user::name))
            .first(conn)
            .await
            .optional()?;
        let nonlocal: Option<(String, String)> = nonlocal_user::table
            .find((domain, name))
            .select((nonlocal_user::user_id, nonlocal_user::name))
            .first(conn)
            .await
            .optional()?;
        let found = [local, nonlocal].into_iter().flatten();
        let mut fitting =
            found.filter(|(_, stored)| spelling == Spelling::Databases || stored == typed);
        Ok(fitting.next().map(|(id, _)| id.into()))
    })
}

/// A new user. `hash`: no password at all, one that is never right, or the hash of one.
pub(in super::super) async fn insert_user(
    db: &Db,
    node: &str,
    new: &User,
    hash: Option<Option<String>>,
    settings: &IdentitySettings,
    now: i64,
) -> Result<(User, Change), Error> {
    let days = settings.inactivity_days();
    let row = UserRow {
        id: new.id.to_string(),
        created_at: Some(DbTime::from_seconds(now)),
        last_active_at: days.filter(|_| new.enabled).map(|_| day(now)),
        ..UserRow::from(new)
    };
    let ids = vec![new.id.to_string()];
    transaction!(db, |conn| {
        check_identities!(conn, &new.federated);
        diesel::insert_into(user::table)
            .values(row.clone())
            .execute(conn)
            .await?;
        conn.insert_rows(option_rows(new)).await?;
        let local = insert_local!(conn, new, || taken(new, Some(new.domain_id.clone())));
        if let Some(hash) = hash.clone() {
            let password = NewPassword {
                hash,
                expires_at: settings.expiry_after_reset(&new.options, now),
                self_service: false,
            };
            set_password!(conn, local, &[], &password, 0, now);
        }
        insert_identities!(conn, new);
        let change = Change::of([Entity::new(Kind::User, new.id.as_str())]);
        let change = record_change(conn, node, change).await?;
        let rows = load_rows(conn, &ids).await?;
        let user = rows.assemble(days).pop();
        Ok((user.unwrap_or_else(|| new.clone()), change))
    })
}

/// `hash` as for [`insert_user`]; `None` leaves the password as it is.
pub(in super::super) async fn update_user(
    db: &Db,
    node: &str,
    id: &UserId,
    patch: &UserPatch,
    hash: Option<Option<String>>,
    settings: &IdentitySettings,
    now: i64,
) -> Result<(User, Change), Error> {
    let days = settings.inactivity_days();
    transaction!(db, |conn| {
        let old = lock_user!(conn, id, days);
        let new = patch.apply(&old.user)?;
        let id = new.id.as_str();
        let name_taken = || taken(&new, patch.domain_id.clone());
        let renamed = new.name != old.user.name;
        // Who is enabled by name, or given a password, begins anew.
        let welcome = new.enabled && (patch.enabled.is_some() || hash.is_some());

        let row = UserRow {
            created_at: old.row.created_at,
            last_active_at: days
                .filter(|_| welcome)
                .map_or(old.row.last_active_at, |_| Some(day(now))),
            ..UserRow::from(&new)
        };
        diesel::update(user::table.find(id))
            .set(row)
            .execute(conn)
            .await?;
        diesel::delete(user_option::table.filter(user_option::user_id.eq(id)))
            .execute(conn)
            .await?;
        conn.insert_rows(option_rows(&new)).await?;

        if new.federated != old.user.federated {
            check_identities!(conn, &new.federated);
            diesel::delete(federated_user::table.filter(federated_user::user_id.eq(id)))
                .execute(conn)
                .await?;
            insert_identities!(conn, &new);
        } else if renamed {
            diesel::update(federated_user::table.filter(federated_user::user_id.eq(id)))
                .set(federated_user::display_name.eq(new.name.as_str()))
                .execute(conn)
                .await?;
        }

        let named_elsewhere = old.nonlocal || !new.federated.is_empty();
        let local = match old.local {
            Some(local) => Some(local),
            None if hash.is_some() || (renamed && !named_elsewhere) => {
                Some(insert_local!(conn, &new, name_taken))
            }
            None => None,
        };
        if renamed && old.local.is_some() {
            diesel::update(local_user::table.filter(local_user::user_id.eq(id)))
                .set(local_user::name.eq(new.name.as_str()))
                .execute(conn)
                .await
                .map_err(|error| on_unique(error, name_taken))?;
        }
        if renamed && old.nonlocal {
            diesel::update(nonlocal_user::table.filter(nonlocal_user::user_id.eq(id)))
                .set(nonlocal_user::name.eq(new.name.as_str()))
                .execute(conn)
                .await
                .map_err(|error| on_unique(error, name_taken))?;
        }
        if welcome {
            diesel::update(local_user::table.filter(local_user::user_id.eq(id)))
                .set((
                    local_user::failed_auth_count.eq(0),
                    local_user::failed_auth_at.eq(None::<DbTime>),
                ))
                .execute(conn)
                .await?;
        }
        if let (Some(local), Some(hash)) = (local, hash.clone()) {
            let password = NewPassword {
                hash,
                expires_at: settings.expiry_after_reset(&new.options, now),
                self_service: false,
            };
            let keep = settings.kept_passwords();
            set_password!(conn, local, &old.passwords, &password, keep, now);
        }

        let revoked = patch.revokes_tokens(&old.user);
        let events = revoked.then(|| Event::user(id, now)).into_iter().collect();
        let change = Change::of([Entity::new(Kind::User, id)]).and_revoking(events);
        let change = record_change(conn, node, change).await?;
        let ids = vec![id.to_owned()];
        let rows = load_rows(conn, &ids).await?;
        let user = rows.assemble(days).pop();
        Ok((user.unwrap_or_else(|| new.clone()), change))
    })
}

pub(in super::super) async fn delete_user(
    db: &Db,
    node: &str,
    id: &UserId,
    now: i64,
) -> Result<(DeletedUser, Change), Error> {
    transaction!(db, |conn| {
        let user = lock_user!(conn, id, None).user;
        let id = user.id.as_str();
        let permanent = user_group_membership::user_id.eq(id);
        diesel::delete(user_group_membership::table.filter(permanent))
            .execute(conn)
            .await?;
        let expiring = expiring_user_group_membership::user_id.eq(id);
        diesel::delete(expiring_user_group_membership::table.filter(expiring))
            .execute(conn)
            .await?;
        diesel::delete(id_mapping::table.filter(id_mapping::public_id.eq(id)))
            .execute(conn)
            .await?;
        let own = [id.to_owned()];
        let theirs = application_credential::delete_of_users(conn, &own).await?;
        let delegated = [
            theirs.entities(),
            credential::delete_of_users(conn, &own).await?,
            trust::delete_of_users(conn, &own, now).await?,
            oauth1::delete_of_users(conn, &own).await?,
            webauthn::delete_of_users(conn, &own).await?,
            assignment::delete_of_users(conn, &own).await?,
        ];
        // Names, passwords, options and federated identities go with it: ON DELETE CASCADE.
        diesel::delete(user::table.find(id)).execute(conn).await?;
        let gone = [
            Entity::new(Kind::User, id),
            Entity::new(Kind::Membership, id),
            Entity::new(Kind::Assignments, id),
        ];
        let change = Change::of(gone.into_iter().chain(delegated.concat()))
            .and_revoking(vec![Event::user(id, now)]);
        let change = record_change(conn, node, change).await?;
        Ok((DeletedUser::of(&user.id, theirs), change))
    })
}

pub(in super::super) async fn revoke_tokens(
    db: &Db,
    node: &str,
    id: &UserId,
    now: i64,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let user = lock_user!(conn, id, None).user;
        let change = Change::revoking(vec![Event::user(user.id.as_str(), now)]);
        Ok(record_change(conn, node, change).await?)
    })
}

impl From<&User> for UserRow {
    /// The times aside, which the row has and the user hasn't.
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            extra: Some(extra_column(&user.extra)),
            enabled: Some(user.enabled),
            default_project_id: user.default_project_id.as_ref().map(ToString::to_string),
            created_at: None,
            last_active_at: None,
            domain_id: user.domain_id.to_string(),
        }
    }
}

fn option_rows(user: &User) -> Vec<OptionRow> {
    let rows = user.options.to_rows().into_iter();
    rows.map(|(id, value)| OptionRow {
        user_id: user.id.to_string(),
        option_id: id.to_owned(),
        option_value: Some(value),
    })
    .collect()
}

fn federated_rows(user: &User) -> Vec<FederatedRow> {
    let rows = user.federated.iter().flat_map(|identity| {
        let protocols = identity.protocols.iter();
        protocols.map(|protocol| FederatedRow {
            user_id: user.id.to_string(),
            idp_id: identity.idp_id.clone(),
            protocol_id: protocol.protocol_id.clone(),
            unique_id: protocol.unique_id.clone(),
            display_name: Some(user.name.clone()),
        })
    });
    rows.collect()
}

fn taken(user: &User, domain: Option<DomainId>) -> Error {
    Error::NameTaken {
        kind: "user",
        name: user.name.clone(),
        domain,
    }
}

/// The day of a time in seconds since 1970, in UTC.
fn day(now: i64) -> chrono::NaiveDate {
    DbTime::from_seconds(now).0.date()
}
