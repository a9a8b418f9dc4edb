//! Users.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, User};
use super::{FederatedRow, LocalRow, OptionRow, PasswordRow, UserRow, UserRows};
use crate::db::Db;
use crate::db::schema::{local_user, nonlocal_user};
use crate::ids::{DomainId, UserId};
use crate::with_conn;

/// One user; `days` is the inactivity rule.
pub(in super::super) async fn find_user(
    db: &Db,
    id: &UserId,
    days: Option<u32>,
) -> Result<Option<User>, Error> {
    let ids = vec![id.to_string()];
    with_conn!(db, |conn| {
        let rows: UserRows = load_users!(conn, &ids);
        Ok(rows.assemble(days).pop())
    })
}

/// The ID of the user that has this name, local or from a directory.
pub(in super::super) async fn find_user_by_name(
    db: &Db,
    name: &str,
    domain: &DomainId,
) -> Result<Option<UserId>, Error> {
    with_conn!(db, |conn| {
        let local: Option<String> = local_user::table
            .filter(local_user::domain_id.eq(domain.as_str()))
            .filter(local_user::name.eq(name))
            .select(local_user::user_id)
            .first(conn)
            .await
            .optional()?;
        if let Some(id) = local {
            return Ok(Some(id.into()));
        }
        let nonlocal: Option<String> = nonlocal_user::table
            .find((domain.as_str(), name))
            .select(nonlocal_user::user_id)
            .first(conn)
            .await
            .optional()?;
        Ok(nonlocal.map(Into::into))
    })
}
