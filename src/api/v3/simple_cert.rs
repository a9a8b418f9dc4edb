//! `/v3/OS-SIMPLE-CERT`: the certificates of PKI tokens, which there are no more. Old clients are told
//! so.

use actix_web::HttpResponse;

use crate::api::body::JsonBody;
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;

const GONE: &str = "This API is no longer available due to the removal of support for PKI tokens.";

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/OS-SIMPLE-CERT/ca")
        .get(authority)
        .does("The certificate of the authority of PKI tokens, which there are no more.")
        .public()
        .answers(answers::error(410))
        .register(api);
    Routes::at("/v3/OS-SIMPLE-CERT/certificates")
        .get(certificates)
        .does("The certificates that sign PKI tokens, which there are no more.")
        .public()
        .answers(answers::error(410))
        .register(api);
}

/// `GET /v3/OS-SIMPLE-CERT/ca`.
async fn authority(_: JsonBody) -> Result<HttpResponse, ApiError> {
    Err(ApiError::gone_as(GONE))
}

/// `GET /v3/OS-SIMPLE-CERT/certificates`.
async fn certificates(_: JsonBody) -> Result<HttpResponse, ApiError> {
    Err(ApiError::gone_as(GONE))
}
