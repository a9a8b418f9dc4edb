//! `/v3/ec2tokens` and `/v3/s3tokens`: a service shows a request that a user has signed, and gets a
//! token of that user.

use actix_web::HttpResponse;
use actix_web::http::header::{ContentType, HeaderValue};
use chrono::Utc;
use keystone_actors::token::Issued;
use serde_json::Value;

use super::shapes;
use crate::api::call::Call;
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::auth::ec2::{self, METHOD, Scheme, Shown};
use crate::policy::{Rule, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/ec2tokens")
        .post(ec2)
        .takes(&shapes::SIGNED)
        .tells("X-Subject-Token", "The token.")
        .answers(answers::json(shapes::token))
        .register(api);
    Routes::at("/v3/s3tokens")
        .post(s3)
        .takes(&shapes::SIGNED)
        .answers(answers::json(shapes::token))
        .register(api);
}

/// A token for an EC2 request: `POST /v3/ec2tokens`.
async fn ec2(call: Call) -> Result<HttpResponse, ApiError> {
    let Issued { text, token } = exchange(&call, Rule::Ec2tokensValidate, Scheme::Ec2).await?;
    let mut response = HttpResponse::Ok();
    if let Ok(mut value) = HeaderValue::try_from(text) {
        value.set_sensitive(true);
        response.insert_header(("X-Subject-Token", value));
    }
    Ok(response
        .insert_header(ContentType::json())
        .body(token.body()))
}

/// Whose an S3 request is: `POST /v3/s3tokens`. The token itself is not told, as in Keystone.
async fn s3(call: Call) -> Result<HttpResponse, ApiError> {
    let issued = exchange(&call, Rule::S3tokensValidate, Scheme::S3).await?;
    let mut response = HttpResponse::Ok();
    Ok(response
        .insert_header(ContentType::json())
        .body(issued.token.body()))
}

async fn exchange(call: &Call, rule: Rule, scheme: Scheme) -> Result<Issued, ApiError> {
    call.enforce(rule, Target::new())?;
    let node = call.node();
    let configured = &node.config.auth.methods;
    if !configured.iter().any(|method| method == METHOD) {
        return Err(ApiError::not_configured(
            "Cannot mint a token from an EC2 or S3 credential: the ec2credential auth method is \
             not enabled. Add ec2credential to the [auth] methods configuration option.",
        ));
    }
    let body = call.json();
    if body.as_object().is_none_or(|body| body.is_empty()) {
        return Err(ApiError::bad_request("request must include a request body"));
    }
    // Clients have three names for it; Keystone takes the first that is not empty.
    let names = ["credentials", "credential", "ec2Credentials"];
    let mut shown = names
        .into_iter()
        .filter_map(|name| body.get(name).and_then(Value::as_object))
        .filter(|shown| !shown.is_empty());
    let nothing = Shown::new();
    let shown = shown.next().unwrap_or(&nothing);
    ec2::exchange(node, shown, scheme, Utc::now().timestamp()).await
}
