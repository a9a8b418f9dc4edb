//! `OS-ENDPOINT-POLICY`: which policy is for which endpoints.

use actix_web::{HttpResponse, web};
use keystone_actors::catalog::Endpoint;
use keystone_actors::ids::{EndpointId, PolicyId, RegionId, ServiceId};
use keystone_actors::policy_store::{
    Associate, CheckAssociation, Dissociate, GetPolicyOfEndpoint, ListEndpointsOfPolicy,
    PolicyTarget,
};

use crate::api::call::{Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::policy::{Rule, Target};

/// Routes it.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints")
        .get(list_endpoints)
        .answers(answers::list(Collection::ENDPOINTS))
        .register(api);
    Routes::at("/v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}")
        .get(check_endpoint)
        .answers(answers::NOTHING)
        .put(add_endpoint)
        .delete(remove_endpoint)
        .register(api);
    Routes::at("/v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}")
        .get(check_service)
        .answers(answers::NOTHING)
        .put(add_service)
        .delete(remove_service)
        .register(api);
    Routes::at(
        "/v3/policies/{policy_id}/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}",
    )
    .get(check_in_region)
    .answers(answers::NOTHING)
    .put(add_in_region)
    .delete(remove_in_region)
    .register(api);
    Routes::at("/v3/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy")
        .get(show_policy)
        .answers(answers::one(Collection::POLICIES))
        .register(api);
}

/// Keystone links an endpoint's policy to the wrong place, and so do we.
const OF_ENDPOINT: Collection = Collection::POLICIES.at("endpoints");

/// The policy for an endpoint: `GET /v3/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy`.
async fn show_policy(call: Call, id: web::Path<EndpointId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::GetPolicyForEndpoint, Target::new())?;
    let get = GetPolicyOfEndpoint {
        endpoint: id.into_inner(),
    };
    let policy = call.providers().policy_store.read(get).await?;
    call.one(OF_ENDPOINT, policy.id.as_str(), &policy)
}

/// The endpoints that a policy is for: `GET /v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints`.
/// They are shown without `region`, as Keystone does here.
async fn list_endpoints(call: Call, id: web::Path<PolicyId>) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListEndpointsForPolicy, Target::new())?;
    let list = ListEndpointsOfPolicy {
        policy: id.into_inner(),
    };
    let endpoints = call.providers().policy_store.read(list).await?;
    call.list_whole(Collection::ENDPOINTS, endpoints.into_iter(), shown)
}

fn shown(endpoint: &Endpoint) -> (&str, &Endpoint) {
    (endpoint.id.as_str(), endpoint)
}

/// 204 where the policy is for this.
async fn check(
    call: &Call,
    rule: Rule,
    (policy, target): (PolicyId, PolicyTarget),
) -> Result<HttpResponse, ApiError> {
    call.enforce(rule, Target::new())?;
    let check = CheckAssociation { policy, target };
    call.providers().policy_store.read(check).await?;
    Ok(no_content())
}

/// From now on the policy is for this.
async fn add(
    call: &Call,
    rule: Rule,
    (policy, target): (PolicyId, PolicyTarget),
) -> Result<HttpResponse, ApiError> {
    call.enforce(rule, Target::new())?;
    let associate = Associate { policy, target };
    call.providers().policy_store.send(associate).await?;
    Ok(no_content())
}

/// From now on the policy is not for this.
async fn remove(
    call: &Call,
    rule: Rule,
    (policy, target): (PolicyId, PolicyTarget),
) -> Result<HttpResponse, ApiError> {
    call.enforce(rule, Target::new())?;
    let dissociate = Dissociate { policy, target };
    call.providers().policy_store.send(dissociate).await?;
    Ok(no_content())
}

type OfEndpoint = web::Path<(PolicyId, EndpointId)>;
type OfService = web::Path<(PolicyId, ServiceId)>;
type OfRegion = web::Path<(PolicyId, ServiceId, RegionId)>;

fn endpoint(path: OfEndpoint) -> (PolicyId, PolicyTarget) {
    let (policy, endpoint) = path.into_inner();
    (policy, PolicyTarget::Endpoint(endpoint))
}

fn service(path: OfService) -> (PolicyId, PolicyTarget) {
    let (policy, service) = path.into_inner();
    (policy, PolicyTarget::Service(service))
}

fn in_region(path: OfRegion) -> (PolicyId, PolicyTarget) {
    let (policy, service, region) = path.into_inner();
    (policy, PolicyTarget::ServiceInRegion(service, region))
}

/// `GET …/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}`.
async fn check_endpoint(call: Call, path: OfEndpoint) -> Result<HttpResponse, ApiError> {
    check(
        &call,
        Rule::CheckPolicyAssociationForEndpoint,
        endpoint(path),
    )
    .await
}

/// `PUT …/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}`.
async fn add_endpoint(call: Call, path: OfEndpoint) -> Result<HttpResponse, ApiError> {
    add(
        &call,
        Rule::CreatePolicyAssociationForEndpoint,
        endpoint(path),
    )
    .await
}

/// `DELETE …/OS-ENDPOINT-POLICY/endpoints/{endpoint_id}`.
async fn remove_endpoint(call: Call, path: OfEndpoint) -> Result<HttpResponse, ApiError> {
    remove(
        &call,
        Rule::DeletePolicyAssociationForEndpoint,
        endpoint(path),
    )
    .await
}

/// `GET …/OS-ENDPOINT-POLICY/services/{service_id}`.
async fn check_service(call: Call, path: OfService) -> Result<HttpResponse, ApiError> {
    check(&call, Rule::CheckPolicyAssociationForService, service(path)).await
}

/// `PUT …/OS-ENDPOINT-POLICY/services/{service_id}`.
async fn add_service(call: Call, path: OfService) -> Result<HttpResponse, ApiError> {
    add(
        &call,
        Rule::CreatePolicyAssociationForService,
        service(path),
    )
    .await
}

/// `DELETE …/OS-ENDPOINT-POLICY/services/{service_id}`.
async fn remove_service(call: Call, path: OfService) -> Result<HttpResponse, ApiError> {
    remove(
        &call,
        Rule::DeletePolicyAssociationForService,
        service(path),
    )
    .await
}

/// `GET …/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}`.
async fn check_in_region(call: Call, path: OfRegion) -> Result<HttpResponse, ApiError> {
    let rule = Rule::CheckPolicyAssociationForRegionAndService;
    check(&call, rule, in_region(path)).await
}

/// `PUT …/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}`.
async fn add_in_region(call: Call, path: OfRegion) -> Result<HttpResponse, ApiError> {
    let rule = Rule::CreatePolicyAssociationForRegionAndService;
    add(&call, rule, in_region(path)).await
}

/// `DELETE …/OS-ENDPOINT-POLICY/services/{service_id}/regions/{region_id}`.
async fn remove_in_region(call: Call, path: OfRegion) -> Result<HttpResponse, ApiError> {
    let rule = Rule::DeletePolicyAssociationForRegionAndService;
    remove(&call, rule, in_region(path)).await
}
