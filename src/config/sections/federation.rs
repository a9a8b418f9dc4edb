//! Federation.

use super::super::options::{choices, section};

choices! {
    /// The form of a mapping's rules.
    pub enum MappingVersion {
        /// Users, groups and projects, these in the provider's domain.
        V1 = "1.0",
        /// Projects name their domain.
        V2 = "2.0",
        /// Projects may be named by the assertion, in JSON.
        V3 = "3.0",
    }
}

section! {
    /// Federation: users whom identity providers vouch for.
    pub struct Federation in "federation", ours = false {
        /// Minutes for which membership in a group that an assertion gave outlives the login, where
        /// the identity provider says nothing else.
        pub default_authorization_ttl: u32 = 0;
        /// The form of the rules of mappings that name none.
        pub attribute_mapping_default_schema_version: MappingVersion = MappingVersion::V1;
    }
}

section! {
    /// Keystone as an identity provider of SAML.
    pub struct Saml in "saml", ours = false {
        /// What RelayState begins with for service providers that are given nothing else.
        pub relay_state_prefix: String = "ss:mem:".to_owned();
    }
}
