//! The tables `identity_provider`, `idp_remote_ids`, `federation_protocol`, `mapping` and
//! `service_provider`.

mod exports;
mod mappings;
mod protocols;
mod providers;
mod service_providers;

pub(crate) use exports::delete_providers_of_domain;
pub(super) use mappings::{
    delete_mapping, find_mapping, insert_mapping, list_mappings, update_mapping,
};
pub(super) use protocols::{
    delete_protocol, find_protocol, insert_protocol, list_protocols, update_protocol,
};
pub(super) use providers::{
    delete_provider, find_provider, insert_provider, list_providers, update_provider,
};
pub(super) use service_providers::{
    delete_service_provider, enabled_service_providers, find_service_provider,
    insert_service_provider, list_service_providers, update_service_provider,
};
