//! What the transactions of other providers do to these tables. Each gives the entities that are not
//! what they were.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::schema::{
    ng_webauthn_credential, ng_webauthn_device, ng_webauthn_given, ng_webauthn_invitation,
    ng_webauthn_recovery, ng_webauthn_recovery_limit, ng_webauthn_token, ng_webauthn_user,
};
use crate::db::{BATCH, on_connection};
use crate::epoch::Entity;

on_connection! {
    /// Deletes the passkeys of users and all that belongs to them, when the users are deleted.
    /// Nothing of it is cached; the tokens of the users are revoked by who deletes them.
    pub(crate) async fn delete_of_users<'a>(conn, users: &'a [String]) -> Vec<Entity> {
        use ng_webauthn_credential as c;
        for users in users.chunks(BATCH) {
            // First: who registers a passkey holds this row, and is waited for.
            diesel::delete(ng_webauthn_user::table.filter(ng_webauthn_user::user_id.eq_any(users)))
                .execute(conn)
                .await?;
            let ids: Vec<String> = c::table
                .filter(c::user_id.eq_any(users))
                .select(c::id)
                .load(conn)
                .await?;
            for ids in ids.chunks(BATCH) {
                let made = ng_webauthn_token::passkey_id.eq_any(ids);
                diesel::delete(ng_webauthn_token::table.filter(made)).execute(conn).await?;
            }
            diesel::delete(c::table.filter(c::user_id.eq_any(users))).execute(conn).await?;
            let theirs = ng_webauthn_recovery_limit::user_id.eq_any(users);
            diesel::delete(ng_webauthn_recovery_limit::table.filter(theirs)).execute(conn).await?;
            let theirs = ng_webauthn_given::user_id.eq_any(users);
            diesel::delete(ng_webauthn_given::table.filter(theirs)).execute(conn).await?;
            let theirs = ng_webauthn_recovery::user_id.eq_any(users);
            diesel::delete(ng_webauthn_recovery::table.filter(theirs)).execute(conn).await?;
            let theirs = ng_webauthn_invitation::user_id.eq_any(users);
            diesel::delete(ng_webauthn_invitation::table.filter(theirs)).execute(conn).await?;
            let theirs = ng_webauthn_device::user_id.eq_any(users);
            diesel::delete(ng_webauthn_device::table.filter(theirs)).execute(conn).await?;
        }
        Ok(Vec::new())
    }
}
