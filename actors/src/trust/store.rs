//! The tables `trust` and `trust_role`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Error, RedelegationFault, Trust};
use crate::attributes::parse_extra;
use crate::db::schema::{trust, trust_role};
use crate::db::{Db, DbTime};
use crate::ids::{RoleId, TrustId};
use crate::with_conn;

#[derive(Queryable, Selectable)]
#[diesel(table_name = trust)]
struct TrustRow {
    id: String,
    trustor_user_id: String,
    trustee_user_id: String,
    project_id: Option<String>,
    impersonation: bool,
    /// What rows have that are older than `expires_at_int`.
    expires_at: Option<DbTime>,
    /// Microseconds since 1970; it counts where both are set.
    expires_at_int: Option<i64>,
    remaining_uses: Option<i32>,
    extra: Option<String>,
    redelegated_trust_id: Option<String>,
    redelegation_count: Option<i32>,
}

fn assemble(row: TrustRow, roles: Vec<String>) -> Trust {
    let precise = row
        .expires_at_int
        .map(|micros| micros.div_euclid(1_000_000));
    Trust {
        extra: parse_extra(row.extra.as_deref()),
        id: row.id.into(),
        trustor_user_id: row.trustor_user_id.into(),
        trustee_user_id: row.trustee_user_id.into(),
        project_id: row.project_id.map(Into::into),
        impersonation: row.impersonation,
        expires_at: precise.or_else(|| row.expires_at.map(DbTime::seconds)),
        remaining_uses: row.remaining_uses,
        redelegated_trust_id: row.redelegated_trust_id.map(Into::into),
        redelegation_count: row.redelegation_count.unwrap_or(0),
        roles: roles.into_iter().map(RoleId::from).collect(),
        original_trustor: None,
        intermediaries: Vec::new(),
    }
}

/// A trust that is not deleted, without what its chain says.
macro_rules! find_link {
    ($conn:expr, $id:expr) => {{
        let row: Option<TrustRow> = trust::table
            .find($id.as_str())
            .filter(trust::deleted_at.is_null())
            .select(TrustRow::as_select())
            .first($conn)
            .await
            .optional()?;
        match row {
            None => None,
            Some(row) => {
                let roles: Vec<String> = trust_role::table
                    .filter(trust_role::trust_id.eq($id.as_str()))
                    .select(trust_role::role_id)
                    .order(trust_role::role_id)
                    .load($conn)
                    .await?;
                Some(assemble(row, roles))
            }
        }
    }};
}

/// A trust that is not deleted, with all above it in its chain, itself first.
///
/// A chain is as long as the rules let it become, and no longer: each link may be handed on fewer
/// times than the one above.
pub(super) async fn chain(
    db: &Db,
    id: &TrustId,
    max_redelegation_count: i32,
) -> Result<Vec<Trust>, Error> {
    with_conn!(db, |conn| {
        let mut chain: Vec<Trust> = Vec::new();
        let mut next = Some(id.clone());
        for _ in 0..=max_redelegation_count.max(0) {
            let Some(id) = next else {
                return Ok(chain);
            };
            let link = find_link!(conn, id).ok_or(Error::NotFound(id))?;
            next = link.redelegated_trust_id.clone();
            chain.push(link);
        }
        match next {
            None => Ok(chain),
            Some(_) => Err(Error::Redelegation(RedelegationFault::Depth)),
        }
    })
}
