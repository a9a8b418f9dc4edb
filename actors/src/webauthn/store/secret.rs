//! The deployment's own secret, which decoys and hashes of recovery codes are made with. It stands
//! in the database and not with the keys, for it must not change as those do; who reads the
//! database sees anyway who has passkeys.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::{Error, codes};
use crate::db::schema::ng_webauthn_secret;
use crate::db::{Db, is_unique_violation};
use crate::with_conn;

/// The secret, drawn the first time that any node asks.
pub(in super::super) async fn secret(db: &Db) -> Result<Vec<u8>, Error> {
    use ng_webauthn_secret as s;
    let drawn = codes::random::<32>()?;
    with_conn!(db, |conn| {
        let find = || s::table.find(1).select(s::secret);
        let found: Option<Vec<u8>> = find().first(conn).await.optional()?;
        if let Some(secret) = found {
            return Ok(secret);
        }
        let insert = diesel::insert_into(s::table)
            .values((s::id.eq(1), s::secret.eq(drawn.as_slice())))
            .execute(conn)
            .await;
        match insert {
            // Another node was first.
            Err(error) if !is_unique_violation(&error) => Err(Error::from(error)),
            _ => Ok(find().first::<Vec<u8>>(conn).await?),
        }
    })
}
