//! `/v3/OS-FEDERATION`: who is trusted to vouch for users, and to whom this Keystone vouches for its
//! own.

mod identity_providers;
mod mapping_rules;
mod mappings;
mod protocols;
mod service_providers;

use std::sync::LazyLock;

use crate::api::router::Router;
use keystone_actors::listing::TextFilter;

use crate::api::query::Query;
use crate::api::schema::{Schema, loose_boolean, object, text};

/// Routes them.
pub fn routes(api: &mut Router) {
    identity_providers::routes(api);
    protocols::routes(api);
    mappings::routes(api);
    service_providers::routes(api);
}

/// The query of both lists of providers.
static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("id", text())
        .optional("enabled", loose_boolean())
});

/// Which providers, of either kind, a query asks for.
struct Asked {
    ids: Vec<TextFilter>,
    enabled: Option<bool>,
}

impl Asked {
    fn of(query: &Query) -> Self {
        Self {
            ids: query.texts("id"),
            enabled: query.boolean("enabled"),
        }
    }

    fn matches(&self, id: &str, enabled: bool) -> bool {
        self.enabled.is_none_or(|asked| asked == enabled)
            && self.ids.iter().all(|filter| filter.matches(id))
    }
}
