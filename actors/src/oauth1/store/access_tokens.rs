//! Access tokens.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{AccessToken, Error};
use super::time;
use crate::db::outbox::{Change, record_change};
use crate::db::schema::access_token;
use crate::db::{Db, sought};
use crate::epoch::{Entity, Kind};
use crate::ids::UserId;
use crate::{lock_by_id, transaction, with_conn};

#[derive(Queryable, Selectable)]
#[diesel(table_name = access_token)]
struct AccessTokenRow {
    id: String,
    authorizing_user_id: String,
    project_id: String,
    /// A JSON array of IDs.
    role_ids: String,
    consumer_id: String,
    expires_at: Option<String>,
}

impl From<AccessTokenRow> for AccessToken {
    fn from(row: AccessTokenRow) -> Self {
        Self {
            id: row.id,
            consumer_id: row.consumer_id,
            authorizing_user_id: row.authorizing_user_id.into(),
            project_id: row.project_id.into(),
            // What can't be read gives nothing.
            role_ids: serde_json::from_str(&row.role_ids).unwrap_or_default(),
            expires_at: row.expires_at.map(|text| time(&text)),
        }
    }
}

pub(in super::super) async fn find_access_token(
    db: &Db,
    id: &str,
) -> Result<Option<AccessToken>, Error> {
    let row: Option<AccessTokenRow> = with_conn!(db, |conn| {
        access_token::table
            .find(sought(id))
            .select(AccessTokenRow::as_select())
            .first(conn)
            .await
            .optional()
            .map_err(Error::from)
    })?;
    Ok(row.map(AccessToken::from))
}

pub(in super::super) async fn list_access_tokens(
    db: &Db,
    user: &UserId,
) -> Result<Vec<AccessToken>, Error> {
    let rows: Vec<AccessTokenRow> = with_conn!(db, |conn| {
        access_token::table
            .filter(access_token::authorizing_user_id.eq(sought(user.as_str())))
            .order(access_token::id)
            .select(AccessTokenRow::as_select())
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(AccessToken::from).collect())
}

pub(in super::super) async fn delete_access_token(
    db: &Db,
    node: &str,
    id: &str,
    user: &UserId,
) -> Result<Change, Error> {
    let id = sought(id).to_owned();
    transaction!(db, |conn| {
        if !lock_by_id!(conn, access_token, id) {
            return Err(Error::AccessTokenNotFound(id.clone()));
        }
        let (own, whose): (String, String) = access_token::table
            .find(&id)
            .select((access_token::id, access_token::authorizing_user_id))
            .first(conn)
            .await?;
        if whose != user.as_str() {
            return Err(Error::NotTheirs);
        }
        diesel::delete(access_token::table.find(&own))
            .execute(conn)
            .await?;
        let change = Change::of([Entity::new(Kind::AccessToken, own)]);
        Ok(record_change(conn, node, change).await?)
    })
}
