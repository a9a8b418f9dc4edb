//! Options of Python Keystone itself.

use super::super::options::{SectionMeta, accepted};

pub(super) const SECTIONS: &[SectionMeta] = accepted! {
    "api", "Checks of Python Keystone on its own answers. Here their types are checked when the program is compiled." => {
        response_validation: Text = Some("warn");
    }
    "auth", "Names of Python classes for the methods of authentication. Here each method has one implementation." => {
        password: Text = None;
        token: Text = None;
        external: Text = None;
        oauth1: Text = None;
        mapped: Text = None;
        application_credential: Text = None;
        ec2credential: Text = None;
    }
    "endpoint_policy", "Where associations of policies and endpoints are kept: always in SQL." => {
        driver: Text = Some("sql");
    }
    "federation", "Federation as in Python Keystone, where Apache speaks the protocols." => {
        driver: Text = Some("sql");
        assertion_prefix: Text = Some("");
        remote_id_attribute: Text = None;
        federated_domain_name: Text = Some("Federated");
        trusted_dashboard: Multi = None;
        sso_callback_template: Text = Some("/etc/keystone/sso_callback_template.html");
        caching: Boolean = Some("true");
    }
    "identity_mapping", "Names of users that come from LDAP." => {
        driver: Text = Some("sql");
        generator: Text = Some("sha256");
        backward_compatible_ids: Boolean = Some("true");
    }
    "ldap", "Users in LDAP." => {
        url: Text = Some("ldap://localhost");
        randomize_urls: Boolean = Some("false");
        user: Text = None;
        password: Secret = None, secret = true;
        suffix: Text = Some("cn=example,cn=com");
        query_scope: Text = Some("one");
        page_size: Integer = Some("0");
        alias_dereferencing: Text = Some("default");
        debug_level: Integer = None;
        chase_referrals: Boolean = None;
        user_tree_dn: Text = None;
        user_filter: Text = None;
        user_objectclass: Text = Some("inetOrgPerson");
        user_id_attribute: Text = Some("cn");
        user_name_attribute: Text = Some("sn");
        user_description_attribute: Text = Some("description");
        user_mail_attribute: Text = Some("mail");
        user_pass_attribute: Text = Some("userPassword");
        user_enabled_attribute: Text = Some("enabled");
        user_enabled_invert: Boolean = Some("false");
        user_enabled_mask: Integer = Some("0");
        user_enabled_default: Text = Some("True");
        user_attribute_ignore: List = Some("default_project_id");
        user_default_project_id_attribute: Text = None;
        user_enabled_emulation: Boolean = Some("false");
        user_enabled_emulation_dn: Text = None;
        user_enabled_emulation_use_group_config: Boolean = Some("false");
        user_additional_attribute_mapping: List = Some("");
        group_tree_dn: Text = None;
        group_filter: Text = None;
        group_objectclass: Text = Some("groupOfNames");
        group_id_attribute: Text = Some("cn");
        group_name_attribute: Text = Some("ou");
        group_member_attribute: Text = Some("member");
        group_members_are_ids: Boolean = Some("false");
        group_desc_attribute: Text = Some("description");
        group_attribute_ignore: List = Some("");
        group_additional_attribute_mapping: List = Some("");
        group_ad_nesting: Boolean = Some("false");
        tls_cacertfile: Text = None;
        tls_cacertdir: Text = None;
        use_tls: Boolean = Some("false");
        tls_req_cert: Text = Some("demand");
        connection_timeout: Integer = Some("-1");
        use_pool: Boolean = Some("true");
        pool_size: Integer = Some("10");
        pool_retry_max: Integer = Some("3");
        pool_retry_delay: Float = Some("0.1");
        pool_connection_timeout: Integer = Some("-1");
        pool_connection_lifetime: Integer = Some("600");
        use_auth_pool: Boolean = Some("true");
        auth_pool_size: Integer = Some("100");
        auth_pool_connection_lifetime: Integer = Some("60");
    }
    "oauth2", "OAuth 2.0 client credentials by mutual TLS." => {
        oauth2_authn_methods: List = Some("tls_client_auth,client_secret_basic");
        oauth2_cert_dn_mapping_id: Text = Some("oauth2_mapping");
    }
    "saml", "Keystone as an identity provider of SAML." => {
        assertion_expiration_time: Integer = Some("3600");
        xmlsec1_binary: Text = Some("xmlsec1");
        certfile: Text = Some("/etc/keystone/ssl/certs/signing_cert.pem");
        keyfile: Text = Some("/etc/keystone/ssl/private/signing_key.pem");
        idp_entity_id: Uri = None;
        idp_sso_endpoint: Uri = None;
        idp_lang: Text = Some("en");
        idp_organization_name: Text = Some("SAML Identity Provider");
        idp_organization_display_name: Text = Some("OpenStack SAML Identity Provider");
        idp_organization_url: Uri = Some("https://example.com/");
        idp_contact_company: Text = Some("Example, Inc.");
        idp_contact_name: Text = Some("SAML Identity Provider Support");
        idp_contact_surname: Text = Some("Support");
        idp_contact_email: Text = Some("support@example.com");
        idp_contact_telephone: Text = Some("+1 800 555 0100");
        idp_contact_type: Text = Some("other");
        idp_metadata_path: Text = Some("/etc/keystone/saml2_idp_metadata.xml");
    }
    "shadow_users", "Where users of federation are kept: always in SQL." => {
        driver: Text = Some("sql");
    }
    "tokenless_auth", "Authentication of services by client certificates alone." => {
        trusted_issuer: Multi = None;
        protocol: Text = Some("x509");
        issuer_attribute: Text = Some("SSL_CLIENT_I_DN");
    }
    "wsgi", "Debugging of Python's WSGI." => {
        debug_middleware: Boolean = Some("false");
    }
};
