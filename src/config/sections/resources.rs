//! Domains, projects, roles, the catalog, and limits.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::options::{choices, section};
use super::{Driver, texts};

choices! {
    /// Whether names may contain characters that URLs reserve.
    pub enum UrlSafe {
        /// They may.
        Off = "off",
        /// New names may not.
        New = "new",
        /// Nor may those that a token is scoped to.
        Strict = "strict",
    }
}

choices! {
    /// How the limits of projects above and below one another go together.
    pub enum EnforcementModel {
        /// Each project by itself.
        Flat = "flat",
        /// A child's limits are within its parent's; two levels at most.
        StrictTwoLevel = "strict_two_level",
    }
}

section! {
    /// Domains and projects.
    pub struct Resource in "resource", ours = false {
        /// Where they are kept.
        pub driver: Driver = Driver::Sql;
        /// How many projects or domains a list has at most. Unset or 0: [DEFAULT] list_limit.
        pub list_limit: Option<u64> = None, deprecated_names = &[("assignment", "list_limit")];
        /// Domain of the project named by admin_project_name.
        pub admin_project_domain_name: Option<String> = None;
        /// Project whose tokens say is_admin_project, which policies of services can ask for.
        pub admin_project_name: Option<String> = None;
        /// Whether names of projects may contain characters that URLs reserve.
        pub project_name_url_safe: UrlSafe = UrlSafe::Off;
        /// Whether names of domains may contain characters that URLs reserve.
        pub domain_name_url_safe: UrlSafe = UrlSafe::Off;
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true, deprecated_names = &[("assignment", "caching")];
        /// How long Python Keystone caches them, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = None, inert = true,
            deprecated_names = &[("assignment", "cache_time")];
    }
}

section! {
    /// Who has which role where.
    pub struct Assignment in "assignment", ours = false {
        /// Where assignments are kept.
        pub driver: Driver = Driver::Sql;
        /// Roles that no other may imply.
        pub prohibited_implied_role: Vec<String> = texts(&["admin"]);
    }
}

section! {
    /// Roles.
    pub struct Role in "role", ours = false {
        /// Where roles are kept. Unset: as assignments.
        pub driver: Option<Driver> = None;
        /// How many roles a list has at most. Unset or 0: [DEFAULT] list_limit.
        pub list_limit: Option<u64> = None;
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches roles, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = None, inert = true;
    }
}

section! {
    /// The service catalog.
    pub struct Catalog in "catalog", ours = false {
        /// Where it is kept.
        pub driver: Driver = Driver::Sql;
        /// How many entries a list of it has at most. Unset or 0: [DEFAULT] list_limit.
        pub list_limit: Option<u64> = None;
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches it, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = None, inert = true;
    }
}

section! {
    /// Endpoints of single projects.
    pub struct EndpointFilter in "endpoint_filter", ours = false {
        /// Where they are kept.
        pub driver: Driver = Driver::Sql;
        /// A project without endpoints of its own gets all of them in its catalog, not none.
        pub return_all_endpoints_if_no_filter: bool = true;
    }
}

section! {
    /// Policies kept for services, a deprecated part of the API.
    pub struct Policy in "policy", ours = false {
        /// Where they are kept.
        pub driver: Driver = Driver::Sql;
        /// How many a list has at most. Unset or 0: [DEFAULT] list_limit.
        pub list_limit: Option<u64> = None;
    }
}

section! {
    /// Limits of services for projects.
    pub struct UnifiedLimit in "unified_limit", ours = false {
        /// Where they are kept.
        pub driver: Driver = Driver::Sql;
        /// How many a list has at most. Unset or 0: [DEFAULT] list_limit.
        pub list_limit: Option<u64> = None;
        /// How limits of projects above and below one another go together. Changing it may make
        /// limits that exist invalid.
        pub enforcement_model: EnforcementModel = EnforcementModel::Flat;
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches them, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = None, inert = true;
    }
}

section! {
    /// Settings of domains that are kept in the database.
    pub struct DomainConfig in "domain_config", ours = false {
        /// Where they are kept.
        pub driver: Driver = Driver::Sql;
        /// Options that may be set, as group:[option,option], in the place of a group's usual ones.
        pub additional_whitelisted_options: BTreeMap<String, Vec<String>> = BTreeMap::new();
        /// Options that may be set but are never shown; likewise.
        pub additional_sensitive_options: BTreeMap<String, Vec<String>> = BTreeMap::new();
        /// Cache of Python Keystone; here see [cache_coherence].
        pub caching: bool = true, inert = true;
        /// How long Python Keystone caches them, in seconds; here see [cache_coherence].
        pub cache_time: Option<Duration> = Some(Duration::from_secs(300)), inert = true;
    }
}
