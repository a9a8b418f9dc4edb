//! What each provider's errors are to a client. No `_` arms: a new variant has to choose.

use keystone_actors::{
    application_credential, assignment, catalog, credential, domain_config, federation, identity,
    limit, oauth1, policy_store, resource, revocation, role, token, trust, webauthn,
};

use super::ApiError;

impl From<role::Error> for ApiError {
    fn from(error: role::Error) -> Self {
        use role::Error as E;
        match error {
            E::NotFound(_) | E::NotImplied { .. } => Self::not_found(error.to_string()),
            E::NameTaken { .. } | E::ImplicationExists => Self::conflict(error.to_string()),
            E::ProhibitedImplication(_) | E::Immutable(_) | E::ImmutableDeletion(_) => {
                Self::forbidden_as(error.to_string())
            }
            E::DomainIsFixed => Self::bad_request(error.to_string()),
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<revocation::Error> for ApiError {
    fn from(error: revocation::Error) -> Self {
        use revocation::Error as E;
        match error {
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<catalog::Error> for ApiError {
    fn from(error: catalog::Error) -> Self {
        use catalog::Error as E;
        match error {
            E::RegionNotFound(_)
            | E::ServiceNotFound(_)
            | E::EndpointNotFound(_)
            | E::GroupNotFound(_)
            | E::EndpointNotInProject { .. }
            | E::GroupNotInProject => Self::not_found(error.to_string()),
            E::RegionExists(_) | E::EndpointInProject | E::GroupInProject => {
                Self::conflict(error.to_string())
            }
            E::RegionInUse(_) => Self::forbidden_as(error.to_string()),
            E::CircularRegions(_) | E::InvalidUrl(_) => Self::bad_request(error.to_string()),
            E::UnknownRegion => Self::expecting("endpoint region_id", "region table"),
            E::UnknownService => Self::expecting("endpoint service_id", "service table"),
            E::Resource(error) => error.into(),
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<policy_store::Error> for ApiError {
    fn from(error: policy_store::Error) -> Self {
        use policy_store::Error as E;
        match error {
            E::NotFound(_)
            | E::NotAssociated
            | E::NoPolicy(_)
            | E::ServiceNotFound(_)
            | E::RegionNotFound(_)
            | E::EndpointNotFound(_) => Self::not_found(error.to_string()),
            E::RegionIdTooLong => Self::bad_request(error.to_string()),
            E::Catalog(error) => error.into(),
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<limit::Error> for ApiError {
    fn from(error: limit::Error) -> Self {
        use limit::Error as E;
        match error {
            E::RegisteredNotFound(_) | E::NotFound(_) => Self::not_found(error.to_string()),
            E::Unknown { attribute, kind } => Self::expecting(attribute, kind),
            E::RegisteredExists | E::Exists => Self::conflict(error.to_string()),
            E::NotRegistered | E::RegisteredInUse(_) | E::Invalid(_) => {
                Self::forbidden_as(error.to_string())
            }
            E::Catalog(error) => error.into(),
            E::Resource(error) => error.into(),
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<domain_config::Error> for ApiError {
    fn from(error: domain_config::Error) -> Self {
        use domain_config::Error as E;
        match error {
            E::NotFound { .. } | E::DomainNotFound(_) => Self::not_found(error.to_string()),
            E::Invalid(_) => Self::forbidden_as(error.to_string()),
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<token::Error> for ApiError {
    fn from(error: token::Error) -> Self {
        use token::Error as E;
        match error {
            E::Unavailable(why) => Self::unavailable(why),
            E::Seal(_) | E::Internal { .. } => Self::internal(&error),
        }
    }
}

impl From<identity::Error> for ApiError {
    fn from(error: identity::Error) -> Self {
        use identity::Error as E;
        match error {
            E::UserNotFound(_)
            | E::GroupNotFound(_)
            | E::NotInGroup { .. }
            | E::MarkerNotFound(_) => Self::not_found(error.to_string()),
            E::NameTaken { .. } | E::FederatedIdentityTaken => Self::conflict(error.to_string()),
            E::DomainIsFixed
            | E::DefaultProjectIsDomain(_)
            | E::UnknownIdentityProvider(_)
            | E::UnknownProtocol { .. }
            | E::PasswordRequirements(_)
            | E::PasswordIsNoText
            | E::PasswordReused(_)
            | E::PasswordTooYoung { .. }
            | E::PasswordChangeDisabled => Self::bad_request(error.to_string()),
            E::PasswordTooLong(_) => Self::forbidden_as(error.to_string()),
            E::Resource(error) => error.into(),
            E::Unavailable(why) => Self::unavailable(why),
            E::Hashing(_) | E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<resource::Error> for ApiError {
    fn from(error: resource::Error) -> Self {
        use resource::Error as E;
        match error {
            E::NotFound(_) | E::DomainNotFound(_) | E::TagNotFound(_) | E::MarkerNotFound(_) => {
                Self::not_found(error.to_string())
            }
            E::NameTaken { .. } | E::TagsCollide => Self::conflict(error.to_string()),
            E::UnknownParent(_)
            | E::UnknownDomain(_)
            | E::TooManyTags(_)
            | E::TagExists(_)
            | E::ReservedCharacters { .. }
            | E::ReservedDomain(_)
            | E::DomainIdInvalid
            | E::DomainBelowAnother
            | E::ParentIsOtherDomain { .. }
            | E::ParentInOtherDomain { .. }
            | E::BranchDisabled(_)
            | E::DomainIsFixed
            | E::KindIsFixed => Self::bad_request(error.to_string()),
            E::TooDeep(_)
            | E::ParentIsFixed
            | E::SubtreeEnabled(_)
            | E::ParentDisabled(_)
            | E::NotLeaf(_)
            | E::DomainEnabled
            | E::Immutable { .. }
            | E::ImmutableDeletion { .. }
            | E::ImmutableTags { .. } => Self::forbidden_as(error.to_string()),
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<assignment::Error> for ApiError {
    fn from(error: assignment::Error) -> Self {
        use assignment::Error as E;
        match error {
            E::NotGranted { .. } => Self::not_found(error.to_string()),
            E::RoleOfOtherDomain { .. } => Self::forbidden_as(error.to_string()),
            E::DomainRoleOnSystem(_) => Self::bad_request(error.to_string()),
            E::Role(error) => error.into(),
            E::Resource(error) => error.into(),
            E::Identity(error) => error.into(),
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<trust::Error> for ApiError {
    fn from(error: trust::Error) -> Self {
        use trust::Error as E;
        match error {
            E::NotFound(_) => Self::not_found(error.to_string()),
            E::Redelegation(_) => Self::forbidden_as(error.to_string()),
            E::UsesNotPositive | E::UsesWithRedelegation => Self::bad_request(error.to_string()),
            // Keystone's text for it is one that clients don't see.
            E::UseLimitReached(_) => Self::forbidden(),
            E::Duplicate(_) => Self::conflict(error.to_string()),
            E::Identity(error) => error.into(),
            E::Resource(error) => error.into(),
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<application_credential::Error> for ApiError {
    fn from(error: application_credential::Error) -> Self {
        use application_credential::Error as E;
        match error {
            E::NotFound(_) | E::AccessRuleNotFound(_) => Self::not_found(error.to_string()),
            E::NameTaken(_) => Self::conflict(error.to_string()),
            E::LimitExceeded(_) | E::AccessRuleInUse | E::SecretTooLong(_) => {
                Self::forbidden_as(error.to_string())
            }
            E::UnassignedRole => Self::bad_request(error.to_string()),
            E::Identity(error) => error.into(),
            E::Unavailable(why) => Self::unavailable(why),
            E::Hashing(_) | E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<credential::Error> for ApiError {
    fn from(error: credential::Error) -> Self {
        use credential::Error as E;
        match error {
            E::NotFound(_) => Self::not_found(error.to_string()),
            E::Duplicate(_) => Self::conflict(error.to_string()),
            E::LimitExceeded(_) => Self::forbidden_as(error.to_string()),
            E::Blob(_) => Self::bad_request(error.to_string()),
            E::Unavailable(why) => Self::unavailable(why),
            E::Keys(_) | E::Unopened { .. } | E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<oauth1::Error> for ApiError {
    fn from(error: oauth1::Error) -> Self {
        use oauth1::Error as E;
        match error {
            E::ConsumerNotFound(_) | E::AccessTokenNotFound(_) | E::RequestTokenNotFound => {
                Self::not_found(error.to_string())
            }
            // Keystone's texts for them are ones that clients don't see.
            E::RequestTokenExpired | E::NotAuthorized | E::NotTheirs => Self::unauthenticated(),
            E::DescriptionTooLong(_) | E::ExtraTooLarge | E::TooManyRoles => {
                Self::bad_request(error.to_string())
            }
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<federation::Error> for ApiError {
    fn from(error: federation::Error) -> Self {
        use federation::Error as E;
        match error {
            E::IdentityProviderNotFound(_)
            | E::ProtocolNotFound { .. }
            | E::MappingNotFound(_)
            | E::ServiceProviderNotFound(_)
            | E::DomainNotFound(_) => Self::not_found(error.to_string()),
            E::IdentityProviderExists(_)
            | E::RemoteIdTaken(_)
            | E::ProtocolExists(_)
            | E::MappingExists(_)
            | E::ServiceProviderExists(_) => Self::conflict(error.to_string()),
            E::UnknownMapping(_) | E::TooLong { .. } | E::TooLarge(_) => {
                Self::bad_request(error.to_string())
            }
            E::Unavailable(why) => Self::unavailable(why),
            E::Storage(_) => Self::internal(&error),
        }
    }
}

impl From<webauthn::Error> for ApiError {
    fn from(error: webauthn::Error) -> Self {
        use webauthn::Error as E;
        match error {
            E::NotFound(_) => Self::not_found(error.to_string()),
            E::AlreadyRegistered => Self::conflict(error.to_string()),
            E::TooMany(_) => Self::forbidden_as(error.to_string()),
            E::Invitation => Self::unauthenticated_as(error.to_string()),
            E::Ceremony(_) => Self::bad_request(error.to_string()),
            E::Unavailable(why) => Self::unavailable(why),
            E::Crypto(_) | E::Damaged(_) | E::Storage(_) => Self::internal(&error),
        }
    }
}
