//! Table definitions: those of Python Keystone 30, and ours (`ng_`).
//!
//! One definition serves the three databases, so a column's type is what they have in common:
//! `VARCHAR` of any length and `TEXT` are `Text`, `DATETIME` and `TIMESTAMP` are `Timestamp`
//! (without zone, UTC), `TINYINT(1)` is `Bool`. A column named `type` is `kind` here.
//!
//! `migrations/` makes the tables; the lengths and constraints are there.

/// Columns that are an enum on PostgreSQL, MariaDB and MySQL, and text on SQLite.
///
/// PostgreSQL compares an enum with no text, so that a parameter has to be sent as the enum that
/// it is: hence an SQL type for each, and the Rust enum that stands for its values.
pub mod sql_types {
    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql, FromSqlRow};
    use diesel::expression::AsExpression;
    use diesel::query_builder::QueryId;
    use diesel::serialize::{self, Output, ToSql};
    use diesel::sql_types::{SqlType, Text};

    macro_rules! text_enum {
        (
            $(#[$sql_doc:meta])* $sql_type:ident = $postgres:literal,
            $(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }
        ) => {
            $(#[$sql_doc])*
            #[derive(Clone, Copy, Debug, SqlType, QueryId)]
            #[diesel(postgres_type(name = $postgres), sqlite_type(name = "Text"), mysql_type(name = "String"))]
            pub struct $sql_type;

            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
            #[diesel(sql_type = $sql_type)]
            pub enum $name {
                $($(#[$variant_doc])* $variant,)*
            }

            impl $name {
                /// As it is in the database.
                pub fn as_str(self) -> &'static str {
                    match self {
                        $(Self::$variant => $text,)*
                    }
                }
            }

            impl<DB: Backend> ToSql<$sql_type, DB> for $name
            where
                str: ToSql<Text, DB>,
            {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                    self.as_str().to_sql(out)
                }
            }

            impl<DB: Backend> FromSql<$sql_type, DB> for $name
            where
                String: FromSql<Text, DB>,
            {
                fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                    match String::from_sql(value)?.as_str() {
                        $($text => Ok(Self::$variant),)*
                        other => Err(format!("{other:?} is no {}", stringify!($name)).into()),
                    }
                }
            }
        };
    }

    text_enum! {
        /// SQL type of `assignment.type`.
        AssignmentType = "type",
        /// Who is given a role on what.
        AssignmentKind {
            /// A user, on a project.
            UserProject = "UserProject",
            /// A group, on a project.
            GroupProject = "GroupProject",
            /// A user, on a domain.
            UserDomain = "UserDomain",
            /// A group, on a domain.
            GroupDomain = "GroupDomain",
        }
    }

    text_enum! {
        /// SQL type of `id_mapping.entity_type`.
        EntityType = "entity_type",
        /// What a public ID stands for.
        MappedEntity {
            /// A user of a directory.
            User = "user",
            /// A group of a directory.
            Group = "group",
        }
    }
}

// Resource: domains and projects.

diesel::table! {
    /// Projects, and domains, which are projects with `is_domain`.
    project (id) {
        id -> Text,
        name -> Text,
        extra -> Nullable<Text>,
        description -> Nullable<Text>,
        enabled -> Nullable<Bool>,
        domain_id -> Text,
        parent_id -> Nullable<Text>,
        is_domain -> Bool,
    }
}

diesel::table! {
    /// Options of a project, such as `IMMU` (immutable).
    project_option (project_id, option_id) {
        project_id -> Text,
        option_id -> Text,
        option_value -> Nullable<Text>,
    }
}

diesel::table! {
    /// Tags of a project.
    project_tag (project_id, name) {
        project_id -> Text,
        name -> Text,
    }
}

// Identity: users, groups and what they log in with.

diesel::table! {
    /// Users of every kind; the tables below hold what is special to each.
    user (id) {
        id -> Text,
        extra -> Nullable<Text>,
        enabled -> Nullable<Bool>,
        default_project_id -> Nullable<Text>,
        created_at -> Nullable<Timestamp>,
        last_active_at -> Nullable<Date>,
        domain_id -> Text,
    }
}

diesel::table! {
    /// Options of a user, such as `1000` (ignore that the password has expired).
    user_option (user_id, option_id) {
        user_id -> Text,
        option_id -> Text,
        option_value -> Nullable<Text>,
    }
}

diesel::table! {
    /// Names of the users that have their password here.
    local_user (id) {
        id -> Integer,
        user_id -> Text,
        domain_id -> Text,
        name -> Text,
        failed_auth_count -> Nullable<Integer>,
        failed_auth_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// Names of the users that a driver outside of SQL authenticates.
    nonlocal_user (domain_id, name) {
        domain_id -> Text,
        name -> Text,
        user_id -> Text,
    }
}

diesel::table! {
    /// Passwords of a local user, the present one and its history.
    password (id) {
        id -> Integer,
        local_user_id -> Integer,
        expires_at -> Nullable<Timestamp>,
        self_service -> Bool,
        password_hash -> Nullable<Text>,
        created_at_int -> BigInt,
        expires_at_int -> Nullable<BigInt>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// Groups of users.
    group (id) {
        id -> Text,
        domain_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        extra -> Nullable<Text>,
    }
}

diesel::table! {
    /// Which user is in which group.
    user_group_membership (user_id, group_id) {
        user_id -> Text,
        group_id -> Text,
    }
}

// Roles and their assignment.

diesel::table! {
    /// Roles; `domain_id` is `<<null>>` for a global one.
    role (id) {
        id -> Text,
        name -> Text,
        extra -> Nullable<Text>,
        domain_id -> Text,
        description -> Nullable<Text>,
    }
}

diesel::table! {
    /// Options of a role, such as `IMMU` (immutable).
    role_option (role_id, option_id) {
        role_id -> Text,
        option_id -> Text,
        option_value -> Nullable<Text>,
    }
}

diesel::table! {
    /// Which role brings which other with it.
    implied_role (prior_role_id, implied_role_id) {
        prior_role_id -> Text,
        implied_role_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::*;
    /// Roles of users and groups on projects and domains.
    assignment (kind, actor_id, target_id, role_id, inherited) {
        #[sql_name = "type"]
        kind -> AssignmentType,
        actor_id -> Text,
        target_id -> Text,
        role_id -> Text,
        inherited -> Bool,
    }
}

diesel::table! {
    /// Roles of users and groups on the system.
    system_assignment (kind, actor_id, target_id, role_id, inherited) {
        #[sql_name = "type"]
        kind -> Text,
        actor_id -> Text,
        target_id -> Text,
        role_id -> Text,
        inherited -> Bool,
    }
}

// Catalog.

diesel::table! {
    /// Regions, a tree.
    region (id) {
        id -> Text,
        description -> Text,
        parent_region_id -> Nullable<Text>,
        extra -> Nullable<Text>,
    }
}

diesel::table! {
    /// Services of the catalog.
    service (id) {
        id -> Text,
        #[sql_name = "type"]
        kind -> Nullable<Text>,
        enabled -> Bool,
        extra -> Nullable<Text>,
    }
}

diesel::table! {
    /// Endpoints of services.
    endpoint (id) {
        id -> Text,
        legacy_endpoint_id -> Nullable<Text>,
        interface -> Text,
        service_id -> Text,
        url -> Text,
        extra -> Nullable<Text>,
        enabled -> Bool,
        region_id -> Nullable<Text>,
    }
}

diesel::table! {
    /// Endpoints chosen by a filter.
    endpoint_group (id) {
        id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        filters -> Text,
    }
}

diesel::table! {
    /// Which endpoint is shown to which project.
    project_endpoint (endpoint_id, project_id) {
        endpoint_id -> Text,
        project_id -> Text,
    }
}

diesel::table! {
    /// Which endpoint group is shown to which project.
    project_endpoint_group (endpoint_group_id, project_id) {
        endpoint_group_id -> Text,
        project_id -> Text,
    }
}

diesel::table! {
    /// Policy files, kept for others.
    policy (id) {
        id -> Text,
        #[sql_name = "type"]
        kind -> Text,
        blob -> Text,
        extra -> Nullable<Text>,
    }
}

diesel::table! {
    /// What a policy is for: an endpoint, a service, or a service in a region.
    policy_association (id) {
        id -> Text,
        policy_id -> Text,
        endpoint_id -> Nullable<Text>,
        service_id -> Nullable<Text>,
        region_id -> Nullable<Text>,
    }
}

// Credentials.

diesel::table! {
    /// Credentials of users: EC2, TOTP and others, encrypted.
    credential (id) {
        id -> Text,
        user_id -> Text,
        project_id -> Nullable<Text>,
        #[sql_name = "type"]
        kind -> Text,
        extra -> Nullable<Text>,
        key_hash -> Text,
        encrypted_blob -> Text,
    }
}

diesel::table! {
    /// Application credentials.
    application_credential (internal_id) {
        internal_id -> Integer,
        id -> Text,
        name -> Text,
        secret_hash -> Text,
        description -> Nullable<Text>,
        user_id -> Text,
        project_id -> Nullable<Text>,
        expires_at -> Nullable<BigInt>,
        system -> Nullable<Text>,
        unrestricted -> Nullable<Bool>,
    }
}

diesel::table! {
    /// Roles that an application credential gives.
    application_credential_role (application_credential_id, role_id) {
        application_credential_id -> Integer,
        role_id -> Text,
    }
}

diesel::table! {
    /// Requests that an application credential can be restricted to.
    access_rule (id) {
        id -> Integer,
        service -> Nullable<Text>,
        path -> Nullable<Text>,
        method -> Nullable<Text>,
        external_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
    }
}

diesel::table! {
    /// Which access rule restricts which application credential.
    application_credential_access_rule (application_credential_id, access_rule_id) {
        application_credential_id -> Integer,
        access_rule_id -> Integer,
    }
}

// Trusts and tokens.

diesel::table! {
    /// Trusts: what a user lets another do in its name.
    trust (id) {
        id -> Text,
        trustor_user_id -> Text,
        trustee_user_id -> Text,
        project_id -> Nullable<Text>,
        impersonation -> Bool,
        deleted_at -> Nullable<Timestamp>,
        expires_at -> Nullable<Timestamp>,
        remaining_uses -> Nullable<Integer>,
        extra -> Nullable<Text>,
        expires_at_int -> Nullable<BigInt>,
        redelegated_trust_id -> Nullable<Text>,
        redelegation_count -> Nullable<Integer>,
    }
}

diesel::table! {
    /// Roles that a trust gives.
    trust_role (trust_id, role_id) {
        trust_id -> Text,
        role_id -> Text,
    }
}

diesel::table! {
    /// Tokens of a driver that is gone. Unused.
    token (id) {
        id -> Text,
        expires -> Nullable<Timestamp>,
        extra -> Nullable<Text>,
        valid -> Bool,
        trust_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
    }
}

diesel::table! {
    /// What has been revoked: a token is invalid if an event matches it.
    revocation_event (id) {
        id -> Integer,
        domain_id -> Nullable<Text>,
        project_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
        role_id -> Nullable<Text>,
        trust_id -> Nullable<Text>,
        consumer_id -> Nullable<Text>,
        access_token_id -> Nullable<Text>,
        issued_before -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Timestamp,
        audit_id -> Nullable<Text>,
        audit_chain_id -> Nullable<Text>,
    }
}

// OAuth 1.

diesel::table! {
    /// OAuth 1 consumers.
    consumer (id) {
        id -> Text,
        description -> Nullable<Text>,
        secret -> Text,
        extra -> Text,
    }
}

diesel::table! {
    /// OAuth 1 request tokens.
    request_token (id) {
        id -> Text,
        request_secret -> Text,
        verifier -> Nullable<Text>,
        authorizing_user_id -> Nullable<Text>,
        requested_project_id -> Text,
        role_ids -> Nullable<Text>,
        consumer_id -> Text,
        expires_at -> Nullable<Text>,
    }
}

diesel::table! {
    /// OAuth 1 access tokens.
    access_token (id) {
        id -> Text,
        access_secret -> Text,
        authorizing_user_id -> Text,
        project_id -> Text,
        role_ids -> Text,
        consumer_id -> Text,
        expires_at -> Nullable<Text>,
    }
}

// Federation.

diesel::table! {
    /// Identity providers of federated users.
    identity_provider (id) {
        id -> Text,
        enabled -> Bool,
        description -> Nullable<Text>,
        domain_id -> Text,
        authorization_ttl -> Nullable<Integer>,
    }
}

diesel::table! {
    /// Names by which an identity provider calls itself, each of one provider only.
    idp_remote_ids (remote_id) {
        idp_id -> Nullable<Text>,
        remote_id -> Text,
    }
}

diesel::table! {
    /// Rules that make a user of an assertion.
    mapping (id) {
        id -> Text,
        rules -> Text,
        schema_version -> Text,
    }
}

diesel::table! {
    /// Protocols of an identity provider, each with its mapping.
    federation_protocol (id, idp_id) {
        id -> Text,
        idp_id -> Text,
        mapping_id -> Text,
        remote_id_attribute -> Nullable<Text>,
    }
}

diesel::table! {
    /// Other Keystones, to which this one vouches for its users.
    service_provider (id) {
        auth_url -> Text,
        id -> Text,
        enabled -> Bool,
        description -> Nullable<Text>,
        sp_url -> Text,
        relay_state_prefix -> Text,
    }
}

diesel::table! {
    /// Who a federated user is at its identity provider.
    federated_user (id) {
        id -> Integer,
        user_id -> Text,
        idp_id -> Text,
        protocol_id -> Text,
        unique_id -> Text,
        display_name -> Nullable<Text>,
    }
}

diesel::table! {
    /// Groups that a federated user is in until they have to be confirmed again.
    expiring_user_group_membership (user_id, group_id, idp_id) {
        user_id -> Text,
        group_id -> Text,
        idp_id -> Text,
        last_verified -> Timestamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::*;
    /// Public IDs of users and groups that are in a directory.
    id_mapping (public_id) {
        public_id -> Text,
        domain_id -> Text,
        local_id -> Text,
        entity_type -> EntityType,
    }
}

// Limits.

diesel::table! {
    /// Limits that hold where there is no other.
    registered_limit (internal_id) {
        id -> Text,
        service_id -> Nullable<Text>,
        region_id -> Nullable<Text>,
        resource_name -> Nullable<Text>,
        default_limit -> Integer,
        description -> Nullable<Text>,
        internal_id -> Integer,
    }
}

diesel::table! {
    /// Limits of one project or domain.
    limit (internal_id) {
        id -> Text,
        project_id -> Nullable<Text>,
        resource_limit -> Integer,
        description -> Nullable<Text>,
        internal_id -> Integer,
        registered_limit_id -> Nullable<Text>,
        domain_id -> Nullable<Text>,
    }
}

// Configuration of domains.

diesel::table! {
    /// Which domain is the one with a driver of which only one may be configured.
    config_register (kind) {
        #[sql_name = "type"]
        kind -> Text,
        domain_id -> Text,
    }
}

diesel::table! {
    /// Options of a domain that are not shown, such as passwords.
    sensitive_config (domain_id, group, option) {
        domain_id -> Text,
        group -> Text,
        option -> Text,
        value -> Text,
    }
}

diesel::table! {
    /// Options of a domain.
    whitelisted_config (domain_id, group, option) {
        domain_id -> Text,
        group -> Text,
        option -> Text,
        value -> Text,
    }
}

// Where Python Keystone's own migrations stand: the heads of release 30, expand and contract. Last, so that it
// vouches for all of the above.

diesel::table! {
    /// The newest of Python Keystone's own migrations that were applied.
    alembic_version (version_num) {
        version_num -> Text,
    }
}

// Ours. Times are microseconds since 1970, UTC.

diesel::table! {
    /// Which of our migrations were applied. `applied_at` is 0 while one is under way.
    ng_migration (name) {
        name -> Text,
        applied_at -> BigInt,
    }
}

diesel::table! {
    /// The outbox: what a committed change made stale, for the other nodes to read.
    ng_invalidation (id) {
        id -> BigInt,
        entity -> Text,
        entity_id -> Text,
        node -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    /// The nodes that run, or ran of late.
    ng_node (id) {
        id -> Text,
        started_at -> BigInt,
        seen_at -> BigInt,
        listen -> Text,
        version -> Text,
    }
}

diesel::table! {
    /// The last time step of each TOTP credential whose passcode has been used.
    ng_totp_use (credential_id) {
        credential_id -> Text,
        step -> BigInt,
    }
}

diesel::table! {
    /// Passkeys.
    ng_webauthn_credential (id) {
        id -> Text,
        credential_id -> Binary,
        user_id -> Text,
        user_handle -> Binary,
        rp_id -> Text,
        public_key -> Binary,
        alg -> Integer,
        sign_count -> BigInt,
        transports -> Nullable<Text>,
        aaguid -> Nullable<Text>,
        attestation_format -> Nullable<Text>,
        attestation_object -> Nullable<Binary>,
        attestation_client_data -> Nullable<Binary>,
        uv_initialized -> Bool,
        backup_eligible -> Bool,
        backup_state -> Bool,
        discoverable -> Nullable<Bool>,
        description -> Nullable<Text>,
        state -> Text,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
        updated_at -> Nullable<BigInt>,
        created_by -> Nullable<Text>,
        revision -> BigInt,
    }
}

diesel::table! {
    /// What authenticators know users by: random, so that no ID is told.
    ng_webauthn_user (user_id) {
        user_id -> Text,
        user_handle -> Binary,
    }
}

diesel::table! {
    /// The challenges that have been answered, until they are over: each is answered once.
    ng_webauthn_consumed (challenge_hash) {
        challenge_hash -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    /// The tokens and, as `receipt:…`, the receipts that were made with a passkey, to be revoked with it.
    ng_webauthn_token (passkey_id, audit_id) {
        passkey_id -> Text,
        audit_id -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    /// Recovery codes that have not been used.
    ng_webauthn_recovery (user_id, code_hash) {
        user_id -> Text,
        code_hash -> Text,
    }
}

diesel::table! {
    /// Who has been given recovery codes, and how often wrong ones were tried of late.
    ng_webauthn_recovery_limit (user_id) {
        user_id -> Text,
        failures -> Integer,
        failing_since -> BigInt,
    }
}

diesel::table! {
    /// When a user was last given recovery codes or an invitation.
    ng_webauthn_given (user_id) {
        user_id -> Text,
        given_at -> BigInt,
    }
}

diesel::table! {
    /// Links that let a user register a passkey.
    ng_webauthn_invitation (secret_hash) {
        secret_hash -> Text,
        user_id -> Text,
        created_by -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    /// Logins of command lines that go on in a browser (RFC 8628).
    ng_webauthn_device (device_hash) {
        device_hash -> Text,
        user_hash -> Text,
        client -> Text,
        state -> Text,
        user_id -> Nullable<Text>,
        passkey_id -> Nullable<Text>,
        polled_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    /// One row: 32 random bytes, drawn once.
    ng_webauthn_secret (id) {
        id -> Integer,
        secret -> Binary,
    }
}

// Joins that `inner_join` and `left_join` find by themselves. Not among them, so to be given with `.on()`: parents
// with more than one key (implied_role to role, trust to user), composite keys (federated_user to
// federation_protocol), keys that aren't the parent's primary one (limit to registered_limit).

diesel::joinable!(project_option -> project (project_id));
diesel::joinable!(project_tag -> project (project_id));
diesel::joinable!(user -> project (domain_id));
diesel::joinable!(user_option -> user (user_id));
diesel::joinable!(local_user -> user (user_id));
diesel::joinable!(nonlocal_user -> user (user_id));
diesel::joinable!(password -> local_user (local_user_id));
diesel::joinable!(group -> project (domain_id));
diesel::joinable!(user_group_membership -> user (user_id));
diesel::joinable!(user_group_membership -> group (group_id));
diesel::joinable!(role_option -> role (role_id));
diesel::joinable!(assignment -> role (role_id));
diesel::joinable!(system_assignment -> role (role_id));
diesel::joinable!(endpoint -> service (service_id));
diesel::joinable!(endpoint -> region (region_id));
diesel::joinable!(project_endpoint -> endpoint (endpoint_id));
diesel::joinable!(project_endpoint -> project (project_id));
diesel::joinable!(project_endpoint_group -> endpoint_group (endpoint_group_id));
diesel::joinable!(project_endpoint_group -> project (project_id));
diesel::joinable!(policy_association -> policy (policy_id));
diesel::joinable!(policy_association -> endpoint (endpoint_id));
diesel::joinable!(policy_association -> service (service_id));
diesel::joinable!(policy_association -> region (region_id));
diesel::joinable!(credential -> user (user_id));
diesel::joinable!(credential -> project (project_id));
diesel::joinable!(application_credential -> user (user_id));
diesel::joinable!(application_credential -> project (project_id));
diesel::joinable!(application_credential_role -> application_credential (application_credential_id));
diesel::joinable!(application_credential_role -> role (role_id));
diesel::joinable!(access_rule -> user (user_id));
diesel::joinable!(application_credential_access_rule -> application_credential (application_credential_id));
diesel::joinable!(application_credential_access_rule -> access_rule (access_rule_id));
diesel::joinable!(trust -> project (project_id));
diesel::joinable!(trust_role -> trust (trust_id));
diesel::joinable!(trust_role -> role (role_id));
diesel::joinable!(request_token -> consumer (consumer_id));
diesel::joinable!(access_token -> consumer (consumer_id));
diesel::joinable!(identity_provider -> project (domain_id));
diesel::joinable!(idp_remote_ids -> identity_provider (idp_id));
diesel::joinable!(federation_protocol -> identity_provider (idp_id));
diesel::joinable!(federation_protocol -> mapping (mapping_id));
diesel::joinable!(federated_user -> user (user_id));
diesel::joinable!(federated_user -> identity_provider (idp_id));
diesel::joinable!(expiring_user_group_membership -> user (user_id));
diesel::joinable!(expiring_user_group_membership -> group (group_id));
diesel::joinable!(expiring_user_group_membership -> identity_provider (idp_id));
diesel::joinable!(registered_limit -> service (service_id));
diesel::joinable!(registered_limit -> region (region_id));
diesel::joinable!(limit -> project (project_id));

diesel::allow_tables_to_appear_in_same_query!(
    access_rule,
    access_token,
    application_credential,
    application_credential_access_rule,
    application_credential_role,
    assignment,
    config_register,
    consumer,
    credential,
    endpoint,
    endpoint_group,
    expiring_user_group_membership,
    federated_user,
    federation_protocol,
    group,
    id_mapping,
    identity_provider,
    idp_remote_ids,
    implied_role,
    limit,
    local_user,
    mapping,
    nonlocal_user,
    password,
    policy,
    policy_association,
    project,
    project_endpoint,
    project_endpoint_group,
    project_option,
    project_tag,
    region,
    registered_limit,
    request_token,
    revocation_event,
    role,
    role_option,
    sensitive_config,
    service,
    service_provider,
    system_assignment,
    token,
    trust,
    trust_role,
    user,
    user_group_membership,
    user_option,
    whitelisted_config,
);

diesel::allow_tables_to_appear_in_same_query!(ng_invalidation, ng_node);
diesel::allow_tables_to_appear_in_same_query!(ng_webauthn_credential, ng_webauthn_token);
