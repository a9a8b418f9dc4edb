//! The tables `policy` and `policy_association`.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::{Error, Policy, PolicyPatch, PolicyTarget};
use crate::attributes::{extra_column, parse_extra};
use crate::db::Db;
use crate::db::on_connection;
use crate::db::schema::{endpoint, policy, policy_association};
use crate::ids::{EndpointId, PolicyId, ServiceId, random_id};
use crate::{lock_by_id, transaction, with_conn};

/// The longest ID of a region that the table takes.
const MAX_REGION: usize = 64;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = policy, treat_none_as_null = true)] // else a None is skipped, and nothing can be cleared
struct PolicyRow {
    id: String,
    kind: String,
    blob: String,
    extra: Option<String>,
}

impl From<PolicyRow> for Policy {
    fn from(row: PolicyRow) -> Self {
        Self {
            extra: parse_extra(row.extra.as_deref()),
            id: row.id.into(),
            blob: serde_json::from_str(&row.blob).unwrap_or(Value::Null),
            kind: row.kind,
        }
    }
}

impl From<&Policy> for PolicyRow {
    fn from(policy: &Policy) -> Self {
        Self {
            id: policy.id.to_string(),
            kind: policy.kind.clone(),
            blob: policy.blob.to_string(),
            extra: Some(extra_column(&policy.extra)),
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = policy_association)]
struct AssociationRow {
    id: String,
    policy_id: String,
    endpoint_id: Option<String>,
    service_id: Option<String>,
    region_id: Option<String>,
}

impl AssociationRow {
    fn new(policy: &PolicyId, target: &PolicyTarget) -> Self {
        let (endpoint, service, region) = columns(target);
        Self {
            id: random_id(),
            policy_id: policy.to_string(),
            endpoint_id: endpoint.map(str::to_owned),
            service_id: service.map(str::to_owned),
            region_id: region.map(str::to_owned),
        }
    }

    /// `None` for a combination that means nothing.
    fn target(self) -> Option<(PolicyId, PolicyTarget)> {
        let target = match (self.endpoint_id, self.service_id, self.region_id) {
            (Some(endpoint), None, None) => PolicyTarget::Endpoint(endpoint.into()),
            (None, Some(service), None) => PolicyTarget::Service(service.into()),
            (None, Some(service), Some(region)) => {
                PolicyTarget::ServiceInRegion(service.into(), region.into())
            }
            _ => return None,
        };
        Some((self.policy_id.into(), target))
    }
}

fn columns(target: &PolicyTarget) -> (Option<&str>, Option<&str>, Option<&str>) {
    match target {
        PolicyTarget::Endpoint(endpoint) => (Some(endpoint.as_str()), None, None),
        PolicyTarget::Service(service) => (None, Some(service.as_str()), None),
        PolicyTarget::ServiceInRegion(service, region) => {
            (None, Some(service.as_str()), Some(region.as_str()))
        }
    }
}

/// The IDs of all associations that may be about an endpoint or a service (`Option<&str>` each),
/// with what they say.
macro_rules! load_about {
    ($conn:expr, $endpoint:expr, $service:expr) => {{
        let (endpoint, service): (Option<&str>, Option<&str>) = ($endpoint, $service);
        let about = policy_association::endpoint_id
            .eq(endpoint)
            .or(policy_association::service_id.eq(service));
        let rows: Vec<AssociationRow> = policy_association::table
            .filter(about)
            .select(AssociationRow::as_select())
            .order(policy_association::id)
            .load($conn)
            .await?;
        rows.into_iter()
            .filter_map(|row| Some((row.id.clone(), row.target()?)))
            .collect::<Vec<(String, (PolicyId, PolicyTarget))>>()
    }};
}

/// Deletes the associations for a target that meet a condition on their policy.
macro_rules! delete_for {
    ($conn:expr, $target:expr, $of_policy:expr) => {{
        let target: &PolicyTarget = $target;
        let (endpoint, service, _) = columns(target);
        let about: Vec<(String, (PolicyId, PolicyTarget))> = load_about!($conn, endpoint, service);
        let of_policy = $of_policy;
        let gone = about
            .into_iter()
            .filter(|(_, (policy, of))| of == target && of_policy(policy))
            .map(|(id, _)| id);
        let gone: Vec<String> = gone.collect();
        diesel::delete(policy_association::table.filter(policy_association::id.eq_any(gone)))
            .execute($conn)
            .await?;
    }};
}

/// Locks the policy's row for the rest of the transaction; fails if there is none.
macro_rules! lock_policy {
    ($conn:expr, $id:expr) => {
        if !lock_by_id!($conn, policy, $id) {
            return Err(Error::NotFound($id.clone()));
        }
    };
}

/// What a policy is to be for, locked for the rest of the transaction, so that it is not deleted
/// meanwhile, and gets one policy at a time.
macro_rules! lock_target {
    ($conn:expr, $target:expr) => {
        match $target {
            PolicyTarget::Endpoint(id) => {
                if !lock_by_id!($conn, endpoint, id) {
                    return Err(Error::EndpointNotFound(id.clone()));
                }
            }
            PolicyTarget::Service(id) => {
                if !lock_by_id!($conn, service, id) {
                    return Err(Error::ServiceNotFound(id.clone()));
                }
            }
            PolicyTarget::ServiceInRegion(service, region) => {
                // In the order in which endpoints lock them; the other error is told first.
                let in_region = lock_by_id!($conn, region, region);
                if !lock_by_id!($conn, service, service) {
                    return Err(Error::ServiceNotFound(service.clone()));
                }
                if !in_region {
                    return Err(Error::RegionNotFound(region.clone()));
                }
            }
        }
    };
}

pub(super) async fn list(db: &Db) -> Result<Vec<Policy>, Error> {
    let rows: Vec<PolicyRow> = with_conn!(db, |conn| {
        policy::table
            .select(PolicyRow::as_select())
            .order(policy::id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(super) async fn find(db: &Db, id: &PolicyId) -> Result<Option<Policy>, Error> {
    let row: Option<PolicyRow> = with_conn!(db, |conn| {
        policy::table
            .find(id.as_str())
            .select(PolicyRow::as_select())
            .first(conn)
            .await
            .optional()
            .map_err(Error::from)
    })?;
    Ok(row.map(Into::into))
}

pub(super) async fn insert(db: &Db, new: &Policy) -> Result<(), Error> {
    with_conn!(db, |conn| {
        diesel::insert_into(policy::table)
            .values(PolicyRow::from(new))
            .execute(conn)
            .await?;
        Ok(())
    })
}

pub(super) async fn update(db: &Db, id: &PolicyId, patch: PolicyPatch) -> Result<Policy, Error> {
    transaction!(db, |conn| {
        lock_policy!(conn, id);
        let old: PolicyRow = policy::table
            .find(id.as_str())
            .select(PolicyRow::as_select())
            .first(conn)
            .await?;
        let new = patch.clone().apply(&old.into());
        diesel::update(policy::table.find(id.as_str()))
            .set(PolicyRow::from(&new))
            .execute(conn)
            .await?;
        Ok(new)
    })
}

pub(super) async fn delete(db: &Db, id: &PolicyId) -> Result<(), Error> {
    transaction!(db, |conn| {
        lock_policy!(conn, id);
        let of_policy = policy_association::policy_id.eq(id.as_str());
        diesel::delete(policy_association::table.filter(of_policy))
            .execute(conn)
            .await?;
        diesel::delete(policy::table.find(id.as_str()))
            .execute(conn)
            .await?;
        Ok(())
    })
}

pub(super) async fn associate(
    db: &Db,
    policy: &PolicyId,
    target: &PolicyTarget,
) -> Result<(), Error> {
    transaction!(db, |conn| {
        lock_policy!(conn, policy);
        lock_target!(conn, target);
        if let PolicyTarget::ServiceInRegion(_, region) = target
            && region.as_str().chars().count() > MAX_REGION
        {
            return Err(Error::RegionIdTooLong);
        }
        // Of any policy: where a column is NULL, Keystone's unique index holds nothing together.
        delete_for!(conn, target, |_: &PolicyId| true);
        diesel::insert_into(policy_association::table)
            .values(AssociationRow::new(policy, target))
            .execute(conn)
            .await?;
        Ok(())
    })
}

pub(super) async fn dissociate(
    db: &Db,
    policy: &PolicyId,
    target: &PolicyTarget,
) -> Result<(), Error> {
    transaction!(db, |conn| {
        lock_policy!(conn, policy);
        delete_for!(conn, target, |of: &PolicyId| of == policy);
        Ok(())
    })
}

pub(super) async fn list_associations(
    db: &Db,
    policy: &PolicyId,
) -> Result<Vec<PolicyTarget>, Error> {
    let rows: Vec<AssociationRow> = with_conn!(db, |conn| {
        policy_association::table
            .filter(policy_association::policy_id.eq(policy.as_str()))
            .select(AssociationRow::as_select())
            .order(policy_association::id)
            .load(conn)
            .await
            .map_err(Error::from)
    })?;
    let targets = rows.into_iter().filter_map(AssociationRow::target);
    Ok(targets.map(|(_, target)| target).collect())
}

/// All associations that may be about an endpoint of a service.
pub(super) async fn find_associations(
    db: &Db,
    endpoint: &EndpointId,
    service: &ServiceId,
) -> Result<Vec<(PolicyId, PolicyTarget)>, Error> {
    let about: Vec<(String, (PolicyId, PolicyTarget))> = with_conn!(db, |conn| {
        Ok::<_, Error>(load_about!(
            conn,
            Some(endpoint.as_str()),
            Some(service.as_str())
        ))
    })?;
    Ok(about
        .into_iter()
        .map(|(_, association)| association)
        .collect())
}

on_connection! {
    /// Deletes the associations of an endpoint, inside the transaction that deletes the endpoint.
    pub(crate) async fn delete_associations_of_endpoint<'a>(conn, endpoint: &'a str) -> () {
        let of_endpoint = policy_association::endpoint_id.eq(endpoint);
        diesel::delete(policy_association::table.filter(of_endpoint))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// The same for a service and its endpoints, which have to be there still.
    pub(crate) async fn delete_associations_of_service<'a>(conn, service: &'a str) -> () {
        let endpoints = endpoint::table
            .filter(endpoint::service_id.eq(service))
            .select(endpoint::id.nullable());
        let theirs = policy_association::service_id
            .eq(service)
            .or(policy_association::endpoint_id.eq_any(endpoints));
        diesel::delete(policy_association::table.filter(theirs))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// The same for regions.
    pub(crate) async fn delete_associations_of_regions<'a>(conn, regions: &'a [String]) -> () {
        let theirs = policy_association::region_id.eq_any(regions);
        diesel::delete(policy_association::table.filter(theirs))
            .execute(conn)
            .await?;
        Ok(())
    }
}
