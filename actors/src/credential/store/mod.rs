//! The tables `credential` and `ng_totp_use`.

mod exports;
mod passcodes;

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
pub(crate) use exports::{delete_of_projects, delete_of_users};
pub(super) use passcodes::use_step;
use secrecy::SecretString;

use super::keys::Sealed;
use super::model::BlobFault;
use super::{Credential, CredentialFilter, Error, SealedCredential};
use crate::attributes::{extra_column, parse_extra};
use crate::db::outbox::{Change, record_change};
use crate::db::schema::credential;
use crate::db::{Db, on_unique};
use crate::epoch::{Entity, Kind};
use crate::identity::hold_user;
use crate::ids::CredentialId;
use crate::listing::{Comparator, TextFilter};
use crate::token::KeySet;
use crate::{lock_by_id, transaction, with_conn};

/// Rows that are sealed anew in one transaction.
const MIGRATED: i64 = 100;

/// The longest text that the column takes on MySQL, in bytes.
const LONGEST: usize = 65_535;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = credential)]
struct Row {
    id: String,
    user_id: String,
    project_id: Option<String>,
    kind: String,
    extra: Option<String>,
    key_hash: String,
    encrypted_blob: String,
}

impl From<Row> for SealedCredential {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            project_id: row.project_id.map(Into::into),
            kind: row.kind,
            extra: parse_extra(row.extra.as_deref()),
            sealed: Sealed {
                text: row.encrypted_blob,
                key_hash: row.key_hash,
            },
        }
    }
}

impl Row {
    fn new(credential: &Credential, sealed: &Sealed) -> Self {
        Self {
            id: credential.id.to_string(),
            user_id: credential.user_id.to_string(),
            project_id: credential.project_id.as_ref().map(ToString::to_string),
            kind: credential.kind.clone(),
            extra: Some(extra_column(&credential.extra)),
            key_hash: sealed.key_hash.clone(),
            encrypted_blob: sealed.text.clone(),
        }
    }
}

fn check_length(sealed: &Sealed) -> Result<(), BlobFault> {
    match sealed.text.len() {
        0..=LONGEST => Ok(()),
        _ => Err(BlobFault::TooLong),
    }
}

fn change_of(id: &CredentialId) -> Change {
    Change::of([Entity::new(Kind::Credential, id.as_str())])
}

/// What is compared with the whole value, which the database does.
fn exactly(filters: &[TextFilter]) -> impl Iterator<Item = &str> {
    let exact = filters
        .iter()
        .filter(|one| one.comparator == Comparator::Equals);
    exact.map(|one| one.value.as_str())
}

pub(super) async fn find(db: &Db, id: &CredentialId) -> Result<Option<SealedCredential>, Error> {
    let row: Option<Row> = with_conn!(db, |conn| {
        credential::table
            .find(id.as_str())
            .select(Row::as_select())
            .first(conn)
            .await
            .optional()
            .map_err(Error::from)
    })?;
    Ok(row.map(Into::into))
}

pub(super) async fn list(
    db: &Db,
    filter: &CredentialFilter,
) -> Result<Vec<Arc<SealedCredential>>, Error> {
    let rows: Vec<Row> = with_conn!(db, |conn| {
        let mut query = credential::table
            .select(Row::as_select())
            .order(credential::id)
            .into_boxed();
        for user in exactly(&filter.users) {
            query = query.filter(credential::user_id.eq(user));
        }
        for kind in exactly(&filter.kinds) {
            query = query.filter(credential::kind.eq(kind));
        }
        query.load(conn).await.map_err(Error::from)
    })?;
    let found = rows.into_iter().map(SealedCredential::from);
    Ok(found
        .filter(|one| filter.matches(one))
        .map(Arc::new)
        .collect())
}

pub(super) async fn insert(
    db: &Db,
    node: &str,
    new: &Credential,
    sealed: &Sealed,
    user_limit: Option<u32>,
) -> Result<Change, Error> {
    check_length(sealed)?;
    transaction!(db, |conn| {
        if let Some(limit) = user_limit {
            // Of two at once, the second counts what the first made. Like Python Keystone, it makes
            // credentials also for IDs that are no user's.
            let _ = hold_user(conn, new.user_id.as_str()).await?;
            let count: i64 = credential::table
                .filter(credential::user_id.eq(new.user_id.as_str()))
                .count()
                .get_result(conn)
                .await?;
            if count >= i64::from(limit) {
                return Err(Error::LimitExceeded(limit));
            }
        }
        diesel::insert_into(credential::table)
            .values(Row::new(new, sealed))
            .execute(conn)
            .await
            .map_err(|error| on_unique(error, || Error::Duplicate(new.id.clone())))?;
        // An access key that was deleted may come back with the ID that it had.
        Ok(record_change(conn, node, change_of(&new.id)).await?)
    })
}

/// The row of a credential, locked for the rest of the transaction.
macro_rules! lock_credential {
    ($conn:expr, $id:expr) => {{
        if !lock_by_id!($conn, credential, $id) {
            return Err(Error::NotFound($id.clone()));
        }
        let row: Row = credential::table
            .find($id.as_str())
            .select(Row::as_select())
            .first($conn)
            .await?;
        SealedCredential::from(row)
    }};
}

pub(super) async fn update(
    db: &Db,
    node: &str,
    keys: &KeySet,
    id: &CredentialId,
    blob: &SecretString,
    now: i64,
) -> Result<(Credential, Change), Error> {
    transaction!(db, |conn| {
        let (credential, sealed) = lock_credential!(conn, id).change(keys, blob, now)?;
        check_length(&sealed)?;
        diesel::update(credential::table.find(id.as_str()))
            .set((
                credential::encrypted_blob.eq(&sealed.text),
                credential::key_hash.eq(&sealed.key_hash),
            ))
            .execute(conn)
            .await?;
        let change = record_change(conn, node, change_of(id)).await?;
        Ok((credential, change))
    })
}

pub(super) async fn delete(db: &Db, node: &str, id: &CredentialId) -> Result<Change, Error> {
    transaction!(db, |conn| {
        let row = credential::table.find(id.as_str());
        if diesel::delete(row).execute(conn).await? == 0 {
            return Err(Error::NotFound(id.clone()));
        }
        Ok(record_change(conn, node, change_of(id)).await?)
    })
}

pub(super) async fn count_under_other_keys(db: &Db, primary_hash: &str) -> Result<i64, Error> {
    with_conn!(db, |conn| {
        let others = credential::table.filter(credential::key_hash.ne(primary_hash));
        let count: i64 = others.count().get_result(conn).await?;
        Ok(count)
    })
}

/// Some of the credentials under other keys, in the order of their IDs, those behind `after`.
pub(super) async fn under_other_keys(
    db: &Db,
    primary_hash: &str,
    after: Option<&CredentialId>,
) -> Result<Vec<SealedCredential>, Error> {
    let rows: Vec<Row> = with_conn!(db, |conn| {
        credential::table
            .filter(credential::key_hash.ne(primary_hash))
            .filter(credential::id.gt(after.map_or("", CredentialId::as_str)))
            .select(Row::as_select())
            .order(credential::id)
            .limit(MIGRATED)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Puts what was sealed anew in place of the old, where that is still there; gives how many.
pub(super) async fn reseal(
    db: &Db,
    node: &str,
    renewed: &[(SealedCredential, Sealed)],
) -> Result<u64, Error> {
    let (_, count) = transaction!(db, |conn| {
        let (mut changed, mut count) = (Vec::new(), 0);
        for (old, new) in renewed {
            let unchanged = credential::table
                .find(old.id.as_str())
                .filter(credential::encrypted_blob.eq(&old.sealed.text));
            let done = diesel::update(unchanged)
                .set((
                    credential::encrypted_blob.eq(&new.text),
                    credential::key_hash.eq(&new.key_hash),
                ))
                .execute(conn)
                .await?;
            if done > 0 {
                changed.push(Entity::new(Kind::Credential, old.id.as_str()));
                count += 1;
            }
        }
        let change = record_change(conn, node, Change::of(changed)).await?;
        Ok::<_, Error>((change, count))
    })?;
    Ok(count)
}
