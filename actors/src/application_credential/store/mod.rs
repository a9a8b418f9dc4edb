//! The tables `application_credential`, `application_credential_role`,
//! `application_credential_access_rule` and `access_rule`.

mod exports;
mod rules;

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
pub(crate) use exports::{delete_of_role, delete_of_users};
pub(super) use rules::{delete_rule, find_rule, list_rules};

use super::{AccessRule, ApplicationCredential, Error, NewApplicationCredential, Numbered};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{
    access_rule, application_credential, application_credential_access_rule,
    application_credential_role,
};
use crate::db::{Db, InsertRows, on_unique};
use crate::epoch::{Entity, Kind};
use crate::identity::{self, hold_user};
use crate::ids::{ApplicationCredentialId, RoleId, UserId};
use crate::{transaction, with_conn};

/// All but the hash of the secret, which is selected where it is compared, and nowhere else.
#[derive(Queryable, Selectable)]
#[diesel(table_name = application_credential)]
struct CredentialRow {
    internal_id: i32,
    id: String,
    name: String,
    description: Option<String>,
    user_id: String,
    project_id: Option<String>,
    /// Microseconds since 1970.
    expires_at: Option<i64>,
    system: Option<String>,
    unrestricted: Option<bool>,
}

/// A row to write.
#[derive(Insertable)]
#[diesel(table_name = application_credential)]
struct NewRow<'a> {
    id: &'a str,
    name: &'a str,
    secret_hash: &'a str,
    description: Option<&'a str>,
    user_id: &'a str,
    project_id: Option<&'a str>,
    expires_at: Option<i64>,
    unrestricted: Option<bool>,
}

#[derive(Insertable)]
#[diesel(table_name = application_credential_role)]
struct RoleRow {
    application_credential_id: i32,
    role_id: String,
}

#[derive(Insertable)]
#[diesel(table_name = application_credential_access_rule)]
struct RestrictionRow {
    application_credential_id: i32,
    access_rule_id: i32,
}

crate::insert_rows!(
    RoleRow => crate::db::schema::application_credential_role,
    RestrictionRow => crate::db::schema::application_credential_access_rule,
);

#[derive(Queryable, Selectable)]
#[diesel(table_name = access_rule)]
struct RuleRow {
    external_id: Option<String>,
    service: Option<String>,
    path: Option<String>,
    method: Option<String>,
}

impl From<RuleRow> for AccessRule {
    fn from(row: RuleRow) -> Self {
        Self {
            id: row.external_id.unwrap_or_default(),
            service: row.service,
            path: row.path,
            method: row.method,
        }
    }
}

fn assemble(
    row: CredentialRow,
    roles: Vec<RoleId>,
    access_rules: Vec<AccessRule>,
) -> ApplicationCredential {
    ApplicationCredential {
        id: row.id.into(),
        name: row.name,
        description: row.description,
        user_id: row.user_id.into(),
        project_id: row.project_id.map(Into::into),
        system: row.system,
        expires_at: row.expires_at.map(|micros| micros.div_euclid(1_000_000)),
        expires_at_micros: row.expires_at,
        unrestricted: row.unrestricted == Some(true),
        unrestricted_given: row.unrestricted,
        roles,
        access_rules,
    }
}

/// The roles of some application credentials, and the rules that restrict them, by the numbers of
/// their rows: two statements, however many they are.
#[derive(Default)]
struct Belongings {
    roles: HashMap<i32, Vec<RoleId>>,
    rules: HashMap<i32, Vec<AccessRule>>,
}

impl Belongings {
    fn new(roles: Vec<(i32, String)>, rules: Vec<(i32, RuleRow)>) -> Self {
        let mut found = Self::default();
        for (number, role) in roles {
            found.roles.entry(number).or_default().push(role.into());
        }
        for (number, rule) in rules {
            found.rules.entry(number).or_default().push(rule.into());
        }
        found
    }

    fn assemble(&mut self, row: CredentialRow) -> Arc<ApplicationCredential> {
        let number = row.internal_id;
        let roles = self.roles.remove(&number).unwrap_or_default();
        let rules = self.rules.remove(&number).unwrap_or_default();
        Arc::new(assemble(row, roles, rules))
    }
}

/// A macro, as all that several functions here share: for three backends a generic function would
/// need a page of bounds. `$of` is a closure that makes the condition, on `application_credential`.
macro_rules! load_belongings {
    ($conn:expr, $of:expr) => {{
        let of = $of;
        let roles: Vec<(i32, String)> = application_credential_role::table
            .inner_join(application_credential::table)
            .filter(of())
            .select((
                application_credential_role::application_credential_id,
                application_credential_role::role_id,
            ))
            .order(application_credential_role::role_id)
            .load($conn)
            .await?;
        let rules: Vec<(i32, RuleRow)> = application_credential_access_rule::table
            .inner_join(access_rule::table)
            .inner_join(application_credential::table)
            .filter(of())
            .select((
                application_credential_access_rule::application_credential_id,
                RuleRow::as_select(),
            ))
            .order(access_rule::id)
            .load($conn)
            .await?;
        Belongings::new(roles, rules)
    }};
}

pub(super) async fn find(db: &Db, id: &ApplicationCredentialId) -> Result<Option<Numbered>, Error> {
    with_conn!(db, |conn| {
        let row: Option<CredentialRow> = application_credential::table
            .filter(application_credential::id.eq(id.as_str()))
            .select(CredentialRow::as_select())
            .first(conn)
            .await
            .optional()?;
        let Some(row) = row else {
            return Ok(None);
        };
        let number = row.internal_id;
        let mut belongings =
            load_belongings!(conn, || application_credential::internal_id.eq(number));
        Ok::<_, Error>(Some((number, belongings.assemble(row))))
    })
}

/// A user's application credentials, in the order in which they were made.
pub(super) async fn list(
    db: &Db,
    user_id: &UserId,
) -> Result<Vec<Arc<ApplicationCredential>>, Error> {
    let user = user_id.as_str();
    with_conn!(db, |conn| {
        let rows: Vec<CredentialRow> = application_credential::table
            .filter(application_credential::user_id.eq(user))
            .select(CredentialRow::as_select())
            .order(application_credential::internal_id)
            .load(conn)
            .await?;
        let mut belongings = load_belongings!(conn, || application_credential::user_id.eq(user));
        Ok::<_, Error>(
            rows.into_iter()
                .map(|row| belongings.assemble(row))
                .collect(),
        )
    })
}

/// The ID of a user's application credential of this name.
pub(super) async fn find_by_name(
    db: &Db,
    user_id: &UserId,
    name: &str,
) -> Result<Option<ApplicationCredentialId>, Error> {
    let id: Option<String> = with_conn!(db, |conn| {
        application_credential::table
            .filter(application_credential::user_id.eq(user_id.as_str()))
            .filter(application_credential::name.eq(name))
            .select(application_credential::id)
            .first(conn)
            .await
            .optional()
            .map_err(Error::from)
    })?;
    Ok(id.map(Into::into))
}

/// The hash of the secret of the application credential in this row.
pub(super) async fn find_secret_hash(db: &Db, number: i32) -> Result<Option<Arc<str>>, Error> {
    let hash: Option<String> = with_conn!(db, |conn| {
        application_credential::table
            .find(number)
            .select(application_credential::secret_hash)
            .first(conn)
            .await
            .optional()
            .map_err(Error::from)
    })?;
    Ok(hash.map(Arc::from))
}

pub(super) async fn insert(
    db: &Db,
    new: NewApplicationCredential,
    secret_hash: &str,
    user_limit: Option<u32>,
) -> Result<ApplicationCredential, Error> {
    let id = ApplicationCredentialId::random();
    transaction!(db, |conn| {
        let user = new.user_id.as_str();
        // Of two at once, the second counts what the first made, and sees its rules; and none is
        // made while its owner is deleted, nor later.
        if !hold_user(conn, user).await?.is_there() {
            return Err(identity::Error::UserNotFound(user.to_owned()).into());
        }
        if let Some(limit) = user_limit {
            let count: i64 = application_credential::table
                .filter(application_credential::user_id.eq(user))
                .count()
                .get_result(conn)
                .await?;
            if count >= i64::from(limit) {
                return Err(Error::LimitExceeded(limit));
            }
        }
        let (choice, rule_numbers) = rules::choose!(conn, user, &new.access_rules);
        diesel::insert_into(application_credential::table)
            .values(NewRow {
                id: id.as_str(),
                name: &new.name,
                secret_hash,
                description: new.description.as_deref(),
                user_id: user,
                project_id: new.project_id.as_ref().map(AsRef::as_ref),
                expires_at: new.expires_at_micros,
                unrestricted: new.unrestricted,
            })
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::NameTaken(new.name.clone())))?;
        let row: CredentialRow = application_credential::table
            .filter(application_credential::user_id.eq(user))
            .filter(application_credential::name.eq(&new.name))
            .select(CredentialRow::as_select())
            .first(conn)
            .await?;
        let number = row.internal_id;
        let roles = new.roles.iter().map(|role| RoleRow {
            application_credential_id: number,
            role_id: role.to_string(),
        });
        conn.insert_rows(roles.collect()).await?;
        let restrictions = rule_numbers.iter().map(|rule| RestrictionRow {
            application_credential_id: number,
            access_rule_id: *rule,
        });
        conn.insert_rows(restrictions.collect()).await?;
        Ok(assemble(row, new.roles.clone(), choice.rules))
    })
}

pub(super) async fn delete(
    db: &Db,
    node: &str,
    number: i32,
    id: &ApplicationCredentialId,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        // Its roles and links to rules go with it: ON DELETE CASCADE.
        let row = application_credential::table
            .find(number)
            .filter(application_credential::id.eq(id.as_str()));
        if diesel::delete(row).execute(conn).await? == 0 {
            return Err(Error::NotFound(id.clone()));
        }
        let change = Change::of([Entity::new(Kind::ApplicationCredential, id.as_str())]);
        Ok(record_change(conn, node, change).await?)
    })
}
