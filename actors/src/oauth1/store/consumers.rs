//! Consumers.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use secrecy::{ExposeSecret as _, SecretString};

use super::super::{Consumer, ConsumerDraft, Error, SignedWith, SigningSecrets};
use crate::attributes::{extra_column, parse_extra};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::{access_token, consumer, request_token};
use crate::db::{Db, sought};
use crate::ids::ConsumerId;
use crate::revocation::Event;
use crate::{lock_by_id, transaction, with_conn};

/// Bytes of the column `extra`, as MySQL has them.
const LONGEST: usize = 65_535;

/// A consumer without its secret.
type Row = (String, Option<String>, String);

fn assemble((id, description, extra): Row) -> Consumer {
    Consumer {
        extra: parse_extra(Some(&extra)),
        id: id.into(),
        description,
    }
}

fn column(consumer: &Consumer) -> Result<String, Error> {
    let column = extra_column(&consumer.extra);
    match column.len() > LONGEST {
        true => Err(Error::ExtraTooLarge),
        false => Ok(column),
    }
}

macro_rules! find {
    ($conn:expr, $id:expr) => {{
        let row: Option<Row> = consumer::table
            .find(sought($id.as_str()))
            .select((consumer::id, consumer::description, consumer::extra))
            .first($conn)
            .await
            .optional()?;
        row.map(assemble)
    }};
}

pub(in super::super) async fn find_consumer(
    db: &Db,
    id: &ConsumerId,
) -> Result<Option<Consumer>, Error> {
    with_conn!(db, |conn| Ok(find!(conn, id)))
}

/// In one round trip, whichever token it is.
pub(in super::super) async fn find_secrets(
    db: &Db,
    id: &ConsumerId,
    with: &SignedWith,
) -> Result<Option<SigningSecrets>, Error> {
    let id = sought(id.as_str());
    let found: Option<(String, String)> = with_conn!(db, |conn| {
        let found = match with {
            SignedWith::Nothing => {
                consumer::table
                    .find(id)
                    .select((consumer::secret, "".into_sql::<Text>()))
                    .first(conn)
                    .await
            }
            SignedWith::RequestToken(token) => {
                request_token::table
                    .inner_join(consumer::table)
                    .filter(request_token::id.eq(sought(token)).and(consumer::id.eq(id)))
                    .select((consumer::secret, request_token::request_secret))
                    .first(conn)
                    .await
            }
            SignedWith::AccessToken(token) => {
                access_token::table
                    .inner_join(consumer::table)
                    .filter(access_token::id.eq(sought(token)).and(consumer::id.eq(id)))
                    .select((consumer::secret, access_token::access_secret))
                    .first(conn)
                    .await
            }
        };
        found.optional().map_err(Error::from)
    })?;
    Ok(found.map(|(consumer, token)| SigningSecrets {
        consumer: consumer.into(),
        token: token.into(),
    }))
}

pub(in super::super) async fn list_consumers(db: &Db) -> Result<Vec<Consumer>, Error> {
    let rows: Vec<Row> = with_conn!(db, |conn| {
        consumer::table
            .select((consumer::id, consumer::description, consumer::extra))
            .order(consumer::id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(assemble).collect())
}

pub(in super::super) async fn insert_consumer(
    db: &Db,
    new: &Consumer,
    secret: &SecretString,
) -> Result<(), Error> {
    let extra = column(new)?;
    with_conn!(db, |conn| {
        diesel::insert_into(consumer::table)
            .values((
                consumer::id.eq(new.id.as_str()),
                consumer::description.eq(new.description.as_deref()),
                // As Python Keystone has it: signatures are computed with it.
                consumer::secret.eq(secret.expose_secret()),
                consumer::extra.eq(&extra),
            ))
            .execute(conn)
            .await?;
        Ok(())
    })
}

pub(in super::super) async fn update_consumer(
    db: &Db,
    id: &ConsumerId,
    patch: ConsumerDraft,
) -> Result<Consumer, Error> {
    transaction!(db, |conn| {
        let missing = || Error::ConsumerNotFound(id.clone());
        if !lock_by_id!(conn, consumer, id) {
            return Err(missing());
        }
        let old = find!(conn, id).ok_or_else(missing)?;
        let new = patch.clone().apply(&old)?;
        diesel::update(consumer::table.find(new.id.as_str()))
            .set((
                consumer::description.eq(new.description.as_deref()),
                consumer::extra.eq(column(&new)?),
            ))
            .execute(conn)
            .await?;
        Ok(new)
    })
}

pub(in super::super) async fn delete_consumer(
    db: &Db,
    node: &str,
    id: &ConsumerId,
    now: i64,
) -> Result<Change, Error> {
    transaction!(db, |conn| {
        if !lock_by_id!(conn, consumer, id) {
            return Err(Error::ConsumerNotFound(id.clone()));
        }
        let asked = request_token::consumer_id.eq(id.as_str());
        diesel::delete(request_token::table.filter(asked))
            .execute(conn)
            .await?;
        let given = access_token::consumer_id.eq(id.as_str());
        diesel::delete(access_token::table.filter(given))
            .execute(conn)
            .await?;
        diesel::delete(consumer::table.find(id.as_str()))
            .execute(conn)
            .await?;
        let change = Change::revoking(vec![Event::consumer(id.as_str(), now)]);
        Ok(record_change(conn, node, change).await?)
    })
}
