//! The catalog as tokens show it.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use super::super::url::{Substitutions, UrlTemplate};
use crate::attributes::Extra;
use crate::ids::EndpointId;

/// The enabled services, with their enabled endpoints.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// In the order of their IDs.
    pub services: Vec<CatalogService>,
}

/// A service in the catalog.
#[derive(Clone, Debug)]
pub struct CatalogService {
    /// Its ID.
    pub id: String,
    /// Its type, such as `compute`.
    pub kind: Option<String>,
    /// Its name; empty where it has none.
    pub name: String,
    /// Its enabled endpoints whose URLs are well-formed.
    pub endpoints: Vec<Arc<CatalogEndpoint>>,
}

/// An endpoint in the catalog.
#[derive(Clone, Debug)]
pub struct CatalogEndpoint {
    /// Attributes that Keystone does not know: shown as well.
    pub extra: Extra,
    /// Its ID.
    pub id: EndpointId,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// The region that it is in.
    pub region_id: Option<String>,
    /// Where it is.
    pub url: UrlTemplate,
}

/// A service in a token's body.
#[derive(Debug, Serialize)]
pub struct Rendered<'a> {
    endpoints: Vec<RenderedEndpoint<'a>>,
    id: &'a str,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct RenderedEndpoint<'a> {
    #[serde(flatten)]
    extra: &'a Extra,
    id: &'a str,
    interface: &'a str,
    region_id: Option<&'a str>,
    url: String,
    region: Option<&'a str>,
}

impl Catalog {
    /// Whether a URL has the user in it, so that users of one project see different catalogs.
    pub fn names_users(&self) -> bool {
        let mut endpoints = self.services.iter().flat_map(|service| &service.endpoints);
        endpoints.any(|endpoint| endpoint.url.names_user())
    }

    /// The part of it that has these endpoints; services without any of them are left out.
    pub(super) fn only(&self, endpoints: &HashSet<&EndpointId>) -> Self {
        let services = self.services.iter().map(|service| CatalogService {
            endpoints: service
                .endpoints
                .iter()
                .filter(|endpoint| endpoints.contains(&endpoint.id))
                .cloned()
                .collect(),
            ..service.clone()
        });
        Self {
            services: services
                .filter(|service| !service.endpoints.is_empty())
                .collect(),
        }
    }

    /// The catalog for one token: endpoints whose URL can't be made are left out, services
    /// without endpoints stay.
    pub fn render<'a>(&'a self, with: Substitutions<'a>) -> impl Iterator<Item = Rendered<'a>> {
        self.services.iter().map(move |service| Rendered {
            endpoints: service
                .endpoints
                .iter()
                .filter_map(|endpoint| {
                    Some(RenderedEndpoint {
                        extra: &endpoint.extra,
                        id: endpoint.id.as_str(),
                        interface: &endpoint.interface,
                        region_id: endpoint.region_id.as_deref(),
                        url: endpoint.url.render(with)?,
                        region: endpoint.region_id.as_deref(),
                    })
                })
                .collect(),
            id: &service.id,
            kind: service.kind.as_deref(),
            name: &service.name,
        })
    }
}
