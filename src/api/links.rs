//! Links: Keystone's way to name a resource's own URL, and the envelope of lists.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::ApiError;

/// Where a kind of resource lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collection {
    /// The name of a list of them.
    pub list: &'static str,
    /// The name of one.
    pub member: &'static str,
    /// Their path below `/v3/`.
    pub path: &'static str,
    /// What is below each, to which the members of a list link.
    pub below: Option<&'static str>,
}

impl Collection {
    /// A collection whose path is its name.
    pub const fn new(list: &'static str, member: &'static str) -> Self {
        Self {
            list,
            member,
            path: list,
            below: None,
        }
    }

    /// The same at another path below `/v3/`.
    pub const fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// The same whose members link to what is below them, in lists.
    pub const fn with(self, below: &'static str) -> Self {
        Self {
            below: Some(below),
            ..self
        }
    }

    /// Domains.
    pub const DOMAINS: Self = Self::new("domains", "domain");
    /// Projects.
    pub const PROJECTS: Self = Self::new("projects", "project");
    /// Users.
    pub const USERS: Self = Self::new("users", "user");
    /// Groups.
    pub const GROUPS: Self = Self::new("groups", "group");
    /// Roles.
    pub const ROLES: Self = Self::new("roles", "role");
    /// Application credentials. Keystone, too, links them to a path that it has not.
    pub const APPLICATION_CREDENTIALS: Self =
        Self::new("application_credentials", "application_credential");
    /// Access rules; likewise.
    pub const ACCESS_RULES: Self = Self::new("access_rules", "access_rule");
    /// Credentials.
    pub const CREDENTIALS: Self = Self::new("credentials", "credential");
    /// Trusts.
    pub const TRUSTS: Self = Self::new("trusts", "trust").at("OS-TRUST/trusts");
    /// Services.
    pub const SERVICES: Self = Self::new("services", "service");
    /// Endpoints.
    pub const ENDPOINTS: Self = Self::new("endpoints", "endpoint");
    /// Regions.
    pub const REGIONS: Self = Self::new("regions", "region");
    /// Groups of endpoints.
    pub const ENDPOINT_GROUPS: Self =
        Self::new("endpoint_groups", "endpoint_group").at("OS-EP-FILTER/endpoint_groups");
    /// Policies.
    pub const POLICIES: Self = Self::new("policies", "policy");
    /// Registered limits.
    pub const REGISTERED_LIMITS: Self = Self::new("registered_limits", "registered_limit");
    /// Limits.
    pub const LIMITS: Self = Self::new("limits", "limit");

    /// Identity providers.
    pub const IDENTITY_PROVIDERS: Self = Self::new("identity_providers", "identity_provider")
        .at("OS-FEDERATION/identity_providers")
        .with("protocols");
    /// Mappings.
    pub const MAPPINGS: Self = Self::new("mappings", "mapping").at("OS-FEDERATION/mappings");
    /// Service providers.
    pub const SERVICE_PROVIDERS: Self =
        Self::new("service_providers", "service_provider").at("OS-FEDERATION/service_providers");
    /// OAuth 1 consumers.
    pub const CONSUMERS: Self = Self::new("consumers", "consumer").at("OS-OAUTH1/consumers");

    /// The URL of a member.
    pub fn url(self, base: &str, id: &str) -> String {
        format!("{base}/v3/{}/{id}", self.path)
    }
}

/// A resource with `links.self` as its last member.
#[derive(Debug, Serialize)]
pub struct Linked<T> {
    #[serde(flatten)]
    resource: T,
    links: SelfLink,
}

#[derive(Debug, Serialize)]
struct SelfLink {
    #[serde(rename = "self")]
    url: String,
    #[serde(flatten)]
    below: Option<BTreeMap<&'static str, String>>,
}

impl<T> Linked<T> {
    /// The resource of this ID, seen at `base`.
    pub fn new(base: &str, collection: Collection, id: &str, resource: T) -> Self {
        let url = collection.url(base, id);
        Self {
            resource,
            links: SelfLink { url, below: None },
        }
    }

    /// The same in a list.
    pub fn listed(base: &str, collection: Collection, id: &str, resource: T) -> Self {
        let mut linked = Self::new(base, collection, id, resource);
        let url = &linked.links.url;
        let below = collection.below.map(|name| (name, format!("{url}/{name}")));
        linked.links.below = below.map(|below| BTreeMap::from([below]));
        linked
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
    serde_json::to_value(Linked::new(base, collection, id, resource))
        .map_err(|error| ApiError::internal(&error))
}

/// What is around the members of a list.
#[derive(Debug)]
pub struct Envelope {
    /// The name of the list.
    pub name: &'static str,
    /// URL of this list, its query included.
    pub url: String,
    /// URL of the next page.
    pub next: Option<String>,
    /// Whether there may be more than this.
    pub truncated: bool,
}

impl Envelope {
    /// What is written before the members, and what behind them.
    pub fn halves(&self) -> (String, String) {
        let name = Value::from(self.name);
        let links = json!({"next": self.next, "self": self.url, "previous": null});
        let truncated = match self.truncated {
            true => r#","truncated":true"#,
            false => "",
        };
        (
            format!("{{{name}:["),
            format!("],\"links\":{links}{truncated}}}"),
        )
    }
}

/// The URL of a request as it was asked, below `base`: path, by now without slashes too many, and query.
pub fn own_url(request: &HttpRequest, base: &str) -> String {
    let mut url = format!("{base}{}", request.path());
    if !request.query_string().is_empty() {
        url.push('?');
        url.push_str(request.query_string());
    }
    url
}
