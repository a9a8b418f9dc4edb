//! Links: Keystone's way to name a resource's own URL, and the envelope of lists.

use actix_web::HttpRequest;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::ApiError;

/// Where a kind of resource lives: the name of its list, which is also its path below `/v3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Domains.
    Domains,
    /// Projects.
    Projects,
}

impl Collection {
    /// The name of the list, and the last part of its path.
    pub fn name(self) -> &'static str {
        match self {
            Self::Domains => "domains",
            Self::Projects => "projects",
        }
    }
}

/// A resource with `links.self` as its last member.
///
/// # Errors
/// When it is no JSON object: a defect of ours.
pub fn linked(
    base: &str,
    collection: Collection,
    id: &str,
    resource: &impl Serialize,
) -> Result<Value, ApiError> {
    let mut value = serde_json::to_value(resource).map_err(|error| ApiError::internal(&error))?;
    if let Value::Object(members) = &mut value {
        let url = format!("{base}/v3/{}/{id}", collection.name());
        members.insert("links".to_owned(), json!({ "self": url }));
    }
    Ok(value)
}

/// A whole list in Keystone's envelope.
///
/// # Errors
/// Of its members.
pub fn list(
    request: &HttpRequest,
    base: &str,
    collection: Collection,
    members: impl Iterator<Item = Result<Value, ApiError>>,
) -> Result<Value, ApiError> {
    let members = members.collect::<Result<Vec<_>, _>>()?;
    let mut url = format!("{base}{}", request.path().trim_end_matches('/'));
    if !request.query_string().is_empty() {
        url.push('?');
        url.push_str(request.query_string());
    }
    let mut envelope = Map::new();
    envelope.insert(collection.name().to_owned(), members.into());
    let links = json!({"next": null, "self": url, "previous": null});
    envelope.insert("links".to_owned(), links);
    Ok(envelope.into())
}
