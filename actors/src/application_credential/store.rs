//! The tables `application_credential`, `application_credential_role`,
//! `application_credential_access_rule` and `access_rule`.

mod exports;

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
pub(crate) use exports::{
    delete_of_role, delete_of_user_on_project, delete_of_users, delete_where,
};

use super::{AccessRule, ApplicationCredential, Error, Numbered};
use crate::db::Db;
use crate::db::schema::{
    access_rule, application_credential, application_credential_access_rule,
    application_credential_role,
};
use crate::ids::{ApplicationCredentialId, RoleId, UserId};
use crate::with_conn;

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
        let roles: Vec<String> = application_credential_role::table
            .filter(application_credential_role::application_credential_id.eq(row.internal_id))
            .select(application_credential_role::role_id)
            .order(application_credential_role::role_id)
            .load(conn)
            .await?;
        let rules: Vec<RuleRow> = application_credential_access_rule::table
            .inner_join(access_rule::table)
            .filter(
                application_credential_access_rule::application_credential_id.eq(row.internal_id),
            )
            .select(RuleRow::as_select())
            .order(access_rule::id)
            .load(conn)
            .await?;
        let number = row.internal_id;
        let roles = roles.into_iter().map(RoleId::from).collect();
        let rules = rules.into_iter().map(AccessRule::from).collect();
        Ok::<_, Error>(Some((number, Arc::new(assemble(row, roles, rules)))))
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
