//! Slashes too many in a path, before anything else looks at it: as in Keystone, those at its end
//! are dropped, and a path with doubled ones inside is answered with the one that it should be.

use std::str::FromStr;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::header;
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::forwarded;

/// Middleware: drops slashes at the end of the path, and redirects (308, which keeps method and
/// body) from a path with doubled ones to the merged one.
///
/// # Errors
/// What comes from within.
pub async fn tidy<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let path = request.path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.contains("//") {
        let place = format!("{}{}", forwarded::base_url(request.request()), merged(path));
        let place = match request.query_string() {
            "" => place,
            query => format!("{place}?{query}"),
        };
        let answer = HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, place))
            .finish();
        return Ok(request.into_response(answer));
    }
    if trimmed.len() != path.len()
        && !trimmed.is_empty()
        && let Some(uri) = with_path(request.uri(), trimmed)
    {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The same path with one slash for each run of them, and none at its end.
fn merged(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts.fold(String::with_capacity(path.len()), |merged, part| {
        merged + "/" + part
    })
}

/// The same URI with another path.
fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(match uri.query() {
        Some(query) => PathAndQuery::from_str(&format!("{path}?{query}")).ok()?,
        None => PathAndQuery::from_str(path).ok()?,
    });
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_slashes_become_one() {
        assert_eq!(merged("//v3///users//"), "/v3/users");
        assert_eq!(merged("//evil.example/%2e"), "/evil.example/%2e");
    }

    #[test]
    fn the_query_stays_with_another_path() {
        let uri = Uri::from_static("/v3/users/?name=a/b");
        assert_eq!(
            with_path(&uri, "/v3/users"),
            Some(Uri::from_static("/v3/users?name=a/b"))
        );
    }
}
