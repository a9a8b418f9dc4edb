//! What projects and domains go by.

use crate::ids::DomainId;

/// The operator's rules.
#[derive(Clone, Debug)]
pub struct ResourceSettings {
    /// `[identity] default_domain_id`: where projects go for which no domain is named.
    pub default_domain_id: DomainId,
    /// `[DEFAULT] max_project_tree_depth`, and what the model of limits allows at most: levels of
    /// projects below a domain.
    pub max_tree_depth: usize,
    /// `[resource] project_name_url_safe`: whether names of projects may have no character that
    /// URLs reserve.
    pub url_safe_projects: bool,
    /// `[resource] domain_name_url_safe`: the same for domains.
    pub url_safe_domains: bool,
    /// `[federation] federated_domain_name`: no domain is called so, in whatever case.
    pub reserved_domain: String,
}

impl Default for ResourceSettings {
    fn default() -> Self {
        Self {
            default_domain_id: "default".into(),
            max_tree_depth: 5,
            url_safe_projects: false,
            url_safe_domains: false,
            reserved_domain: "Federated".to_owned(),
        }
    }
}
