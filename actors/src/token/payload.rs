//! What a token says, and which version of Python Keystone's fernet payload can say it.

use super::audit::AuditIds;
use super::methods::Methods;

/// What every token says, of whichever format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Whose token it is.
    pub user_id: String,
    /// How the user authenticated.
    pub methods: Methods,
    /// What it is good for.
    pub scope: PayloadScope,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
    /// Its own id, and that of the token its chain began with.
    pub audit_ids: AuditIds,
    /// Set for a user who came in through federation.
    pub federation: Option<FederationRef>,
    /// The trust it was made from.
    pub trust_id: Option<String>,
    /// The OAuth1 access token it was made from.
    pub access_token_id: Option<String>,
    /// The application credential it was made from.
    pub app_cred_id: Option<String>,
    /// OAuth2 mTLS: the thumbprint of the certificate it is bound to.
    pub thumbprint: Option<String>,
    /// OAuth2 mTLS only: the domain that such a payload can name beside its project.
    pub oauth2_domain_id: Option<String>,
}

/// What a token is scoped to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum PayloadScope {
    /// Nothing: it identifies its user.
    #[default]
    Unscoped,
    /// The project of this id.
    Project(String),
    /// The domain of this id.
    Domain(String),
    /// The whole system (`all`, the only system there is).
    System,
}

/// Where a federated user came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederationRef {
    /// The groups the mapping gave, in its order.
    pub group_ids: Vec<String>,
    /// The identity provider.
    pub idp_id: String,
    /// The protocol, as configured with the identity provider.
    pub protocol_id: String,
}

/// Why bytes are no payload. Who holds the keys made them, or a version that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// A version that Python Keystone 30 does not know either; holds it as Python shows it.
    #[error("This is not a recognized Fernet payload version: {0}")]
    UnknownVersion(String),
    /// The element named is absent or is not what it should be.
    #[error("malformed payload: {0}")]
    Malformed(&'static str),
}

/// Why a payload cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealablePayload {
    /// No version can say all of it; sealing would drop what the text names.
    #[error("no token payload can hold {0}")]
    NotRepresentable(&'static str),
    /// The end is outside of the years 1 to 9999.
    #[error("the token's expiry is out of range")]
    ExpiryOutOfRange,
}

impl Payload {
    /// An unscoped one; the rest is set afterwards.
    pub fn new(user_id: String, methods: Methods, expires_at: i64, audit_ids: AuditIds) -> Self {
        Self {
            user_id,
            methods,
            scope: PayloadScope::Unscoped,
            expires_at,
            audit_ids,
            federation: None,
            trust_id: None,
            access_token_id: None,
            app_cred_id: None,
            thumbprint: None,
            oauth2_domain_id: None,
        }
    }

    /// The payload's version, chosen in Python Keystone's order. Where Python would silently drop
    /// what binds a token (a second delegation, a scope), this refuses; a federation reference is
    /// dropped as there, when the token comes from a trust or an access token.
    pub(super) fn version(&self) -> Result<u8, UnsealablePayload> {
        use PayloadScope::{Domain, Project, System, Unscoped};
        let refuse = |what| Err(UnsealablePayload::NotRepresentable(what));

        let delegations = [
            &self.access_token_id,
            &self.trust_id,
            &self.app_cred_id,
            &self.thumbprint,
        ];
        if delegations.iter().filter(|id| id.is_some()).count() > 1 {
            return refuse("two delegations at once");
        }
        if self.oauth2_domain_id.is_some()
            && (self.thumbprint.is_none() || !matches!(self.scope, Project(_)))
        {
            return refuse("a domain beside a project without OAuth2 mTLS");
        }
        let project_only = |version| match self.scope {
            Project(_) | Unscoped => Ok(version),
            Domain(_) | System => refuse("this delegation with another scope than a project"),
        };
        if self.access_token_id.is_some() {
            project_only(7)
        } else if self.trust_id.is_some() {
            project_only(3)
        } else if self.federation.is_some() {
            if self.app_cred_id.is_some() || self.thumbprint.is_some() {
                return refuse("federation and a delegation at once");
            }
            match self.scope {
                Project(_) => Ok(5),
                Domain(_) => Ok(6),
                Unscoped => Ok(4),
                System => refuse("federation with system scope"),
            }
        } else if self.app_cred_id.is_some() {
            project_only(9)
        } else if self.thumbprint.is_some() {
            match self.scope {
                System => refuse("OAuth2 mTLS with system scope"),
                Project(_) | Domain(_) | Unscoped => Ok(10),
            }
        } else {
            Ok(match self.scope {
                Project(_) => 2,
                Domain(_) => 1,
                System => 8,
                Unscoped => 0,
            })
        }
    }
}
