//! The catalog as tokens show it.

use serde::Serialize;

use super::url::{Substitutions, UrlTemplate};

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
    pub endpoints: Vec<CatalogEndpoint>,
}

/// An endpoint in the catalog.
#[derive(Clone, Debug)]
pub struct CatalogEndpoint {
    /// Its ID.
    pub id: String,
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

    /// The catalog for one token: endpoints whose URL can't be made are left out, services
    /// without endpoints stay.
    pub fn render<'a>(&'a self, with: Substitutions<'a>) -> impl Iterator<Item = Rendered<'a>> {
        self.services.iter().map(move |service| Rendered {
            endpoints: service
                .endpoints
                .iter()
                .filter_map(|endpoint| {
                    Some(RenderedEndpoint {
                        id: &endpoint.id,
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
