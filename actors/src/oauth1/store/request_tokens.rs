//! Request tokens, and what becomes of them.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::super::{
    AuthorizeRequestToken, Error, ExchangeRequestToken, NewToken, RequestToken, has_expired,
};
use super::time;
use crate::db::schema::{access_token, request_token};
use crate::db::{Db, DbTime, on_connection, sought};
use crate::ids::{ConsumerId, ProjectId};
use crate::{lock_by_id, transaction, with_conn};

/// Bytes of the column `role_ids`, as MySQL has them.
const LONGEST: usize = 65_535;

#[derive(Queryable, Selectable)]
#[diesel(table_name = request_token)]
struct RequestTokenRow {
    id: String,
    verifier: Option<String>,
    authorizing_user_id: Option<String>,
    requested_project_id: String,
    role_ids: Option<String>,
    consumer_id: String,
    expires_at: Option<String>,
}

impl RequestTokenRow {
    fn end(&self) -> Option<DbTime> {
        self.expires_at.as_deref().map(time)
    }

    /// Whether this verifier was given out; found in a time that does not tell where it differs.
    fn was_given(&self, verifier: &SecretString) -> bool {
        let stored = self.verifier.as_deref().unwrap_or_default().as_bytes();
        let is_same = stored.ct_eq(verifier.expose_secret().as_bytes());
        self.verifier.is_some() && bool::from(is_same)
    }
}

on_connection! {
    /// A request token, if there is one of this ID.
    async fn find_row<'a>(conn, id: &'a str) -> Option<RequestTokenRow> {
        request_token::table
            .find(id)
            .select(RequestTokenRow::as_select())
            .first(conn)
            .await
            .optional()
    }
}

pub(in super::super) async fn find_request_token(
    db: &Db,
    id: &str,
) -> Result<Option<RequestToken>, Error> {
    let id = sought(id);
    with_conn!(db, |conn| {
        let row = find_row(conn, id).await?;
        Ok(row.map(|row| RequestToken {
            expires_at: row.end(),
            id: row.id,
            project_id: row.requested_project_id.into(),
        }))
    })
}

pub(in super::super) async fn insert_request_token(
    db: &Db,
    token: &NewToken,
    consumer: &ConsumerId,
    project: &ProjectId,
) -> Result<(), Error> {
    transaction!(db, |conn| {
        if !lock_by_id!(conn, consumer, consumer) {
            return Err(Error::ConsumerNotFound(consumer.clone()));
        }
        diesel::insert_into(request_token::table)
            .values((
                request_token::id.eq(&token.id),
                // As Python Keystone has it: signatures are computed with it.
                request_token::request_secret.eq(token.secret.expose_secret()),
                request_token::requested_project_id.eq(project.as_str()),
                request_token::consumer_id.eq(consumer.as_str()),
                request_token::expires_at.eq(token.expires_at.map(DbTime::iso)),
            ))
            .execute(conn)
            .await?;
        Ok(())
    })
}

pub(in super::super) async fn authorize(
    db: &Db,
    message: &AuthorizeRequestToken,
    verifier: &SecretString,
) -> Result<(), Error> {
    let AuthorizeRequestToken {
        id,
        user,
        roles,
        now,
    } = message;
    let roles = serde_json::json!(roles).to_string();
    if roles.len() > LONGEST {
        return Err(Error::TooManyRoles);
    }
    let id = sought(id).to_owned();
    transaction!(db, |conn| {
        if !lock_by_id!(conn, request_token, id) {
            return Err(Error::RequestTokenNotFound);
        }
        let row = find_row(conn, &id).await?;
        let row = row.ok_or(Error::RequestTokenNotFound)?;
        if has_expired(row.end(), *now) {
            return Err(Error::RequestTokenExpired);
        }
        diesel::update(request_token::table.find(&row.id))
            .set((
                request_token::authorizing_user_id.eq(user.as_str()),
                request_token::verifier.eq(verifier.expose_secret()),
                request_token::role_ids.eq(&roles),
            ))
            .execute(conn)
            .await?;
        Ok(())
    })
}

/// Puts an access token in the place of a request token.
pub(in super::super) async fn exchange(
    db: &Db,
    message: &ExchangeRequestToken,
    token: &NewToken,
) -> Result<(), Error> {
    let id = sought(&message.id).to_owned();
    transaction!(db, |conn| {
        // First, as where a consumer is deleted: no two wait for each other.
        let known =
            lock_by_id!(conn, consumer, message.consumer) && lock_by_id!(conn, request_token, id);
        let row = find_row(conn, &id).await?;
        let row = row.filter(|row| known && row.consumer_id == message.consumer.as_str());
        let row = row.ok_or(Error::RequestTokenNotFound)?;
        if has_expired(row.end(), message.now) {
            return Err(Error::RequestTokenExpired);
        }
        let (Some(user), Some(roles), true) = (
            &row.authorizing_user_id,
            &row.role_ids,
            row.was_given(&message.verifier),
        ) else {
            return Err(Error::NotAuthorized);
        };
        diesel::insert_into(access_token::table)
            .values((
                access_token::id.eq(&token.id),
                access_token::access_secret.eq(token.secret.expose_secret()),
                access_token::authorizing_user_id.eq(user),
                access_token::project_id.eq(&row.requested_project_id),
                access_token::role_ids.eq(roles),
                access_token::consumer_id.eq(&row.consumer_id),
                access_token::expires_at.eq(token.expires_at.map(DbTime::iso)),
            ))
            .execute(conn)
            .await?;
        diesel::delete(request_token::table.find(&row.id))
            .execute(conn)
            .await?;
        Ok(())
    })
}
