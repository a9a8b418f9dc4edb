//! The tables `consumer`, `request_token` and `access_token`.

mod consumers;

use chrono::DateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

pub(super) use consumers::{
    delete_consumer, find_consumer, insert_consumer, list_consumers, update_consumer,
};

use super::{AccessToken, Error};
use crate::db::Db;
use crate::db::schema::access_token;
use crate::ids::RoleId;
use crate::with_conn;

#[derive(Queryable, Selectable)]
#[diesel(table_name = access_token)]
struct AccessTokenRow {
    id: String,
    authorizing_user_id: String,
    project_id: String,
    /// A JSON array of IDs.
    role_ids: String,
    consumer_id: String,
    /// ISO 8601 with microseconds and `Z`.
    expires_at: Option<String>,
}

impl From<AccessTokenRow> for AccessToken {
    fn from(row: AccessTokenRow) -> Self {
        // What can't be read gives nothing: no roles; an end that has passed.
        let roles: Vec<RoleId> = serde_json::from_str(&row.role_ids).unwrap_or_default();
        let seconds =
            |text: String| DateTime::parse_from_rfc3339(&text).map_or(0, |time| time.timestamp());
        Self {
            id: row.id,
            consumer_id: row.consumer_id,
            authorizing_user_id: row.authorizing_user_id.into(),
            project_id: row.project_id.into(),
            role_ids: roles,
            expires_at: row.expires_at.map(seconds),
        }
    }
}

pub(super) async fn find_access_token(db: &Db, id: &str) -> Result<Option<AccessToken>, Error> {
    let row: Option<AccessTokenRow> = with_conn!(db, |conn| {
        access_token::table
            .find(id)
            .select(AccessTokenRow::as_select())
            .first(conn)
            .await
            .optional()
            .map_err(Error::from)
    })?;
    Ok(row.map(AccessToken::from))
}
