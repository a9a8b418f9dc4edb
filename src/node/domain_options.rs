//! Which options a domain may have in its own configuration.

use keystone_actors::domain_config::Options;
use serde_json::{Map, Value, json};

use crate::config::Config;

/// The options that a domain may have: Keystone's, and what the operator puts in their place,
/// group by group.
pub(super) fn of(config: &Config) -> Options {
    let mut shown = whitelist(&SHOWN_OPTIONS);
    let mut secret = whitelist(&SECRET_OPTIONS);
    let additional = &config.domain_config;
    for (groups, others) in [
        (&mut shown, &additional.additional_whitelisted_options),
        (&mut secret, &additional.additional_sensitive_options),
    ] {
        for (group, options) in others {
            match groups.iter_mut().find(|(name, _)| name == group) {
                Some((_, known)) => known.clone_from(options),
                None => groups.push((group.clone(), options.clone())),
            }
        }
    }
    let identity = &config.identity;
    let defaults = json!({
        "identity": {"driver": identity.driver.as_str(), "list_limit": identity.list_limit},
        "ldap": config.ldap,
    });
    let defaults = match defaults {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    };
    Options {
        shown,
        secret,
        defaults,
    }
}

fn whitelist(groups: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let group = |(name, options): &(&str, &[&str])| {
        let options = options.iter().map(|option| (*option).to_owned());
        ((*name).to_owned(), options.collect())
    };
    groups.iter().map(group).collect()
}

/// Keystone's `DomainConfigManager.whitelisted_options`, in its order.
const SHOWN_OPTIONS: [(&str, &[&str]); 2] = [
    ("identity", &["driver", "list_limit"]),
    (
        "ldap",
        &[
            "url",
            "user",
            "suffix",
            "query_scope",
            "page_size",
            "alias_dereferencing",
            "debug_level",
            "chase_referrals",
            "user_tree_dn",
            "user_filter",
            "user_objectclass",
            "user_id_attribute",
            "user_name_attribute",
            "user_mail_attribute",
            "user_description_attribute",
            "user_pass_attribute",
            "user_enabled_attribute",
            "user_enabled_invert",
            "user_enabled_mask",
            "user_enabled_default",
            "user_attribute_ignore",
            "user_default_project_id_attribute",
            "user_enabled_emulation",
            "user_enabled_emulation_dn",
            "user_enabled_emulation_use_group_config",
            "user_additional_attribute_mapping",
            "group_tree_dn",
            "group_filter",
            "group_objectclass",
            "group_id_attribute",
            "group_name_attribute",
            "group_members_are_ids",
            "group_member_attribute",
            "group_desc_attribute",
            "group_attribute_ignore",
            "group_additional_attribute_mapping",
            "tls_cacertfile",
            "tls_cacertdir",
            "use_tls",
            "tls_req_cert",
            "use_pool",
            "pool_size",
            "pool_retry_max",
            "pool_retry_delay",
            "pool_connection_timeout",
            "pool_connection_lifetime",
            "use_auth_pool",
            "auth_pool_size",
            "auth_pool_connection_lifetime",
        ],
    ),
];

/// Keystone's `DomainConfigManager.sensitive_options`.
const SECRET_OPTIONS: [(&str, &[&str]); 2] = [("identity", &[]), ("ldap", &["password"])];
