//! Revocation events, and what of a token they are compared with.

use crate::epoch::{Entity, Kind};

/// "Tokens with these attributes, issued at or before this time, are revoked." Of the attributes
/// only those that are set count, and a token has to have all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The domain of the user, or of a domain scope.
    pub domain_id: Option<String>,
    /// The project of the scope.
    pub project_id: Option<String>,
    /// The user; in a trust, trustor and trustee too.
    pub user_id: Option<String>,
    /// Any role of the token.
    pub role_id: Option<String>,
    /// The trust that it was made from.
    pub trust_id: Option<String>,
    /// The OAuth1 consumer.
    pub consumer_id: Option<String>,
    /// The OAuth1 access token.
    pub access_token_id: Option<String>,
    /// The token's expiry, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// The token's own audit ID.
    pub audit_id: Option<String>,
    /// The audit ID of the root of the token's chain.
    pub audit_chain_id: Option<String>,
    /// Seconds since 1970. A token issued in this very second is revoked.
    pub issued_before: i64,
    /// When it was written, in seconds since 1970; from then on its retention counts.
    pub revoked_at: i64,
}

impl Event {
    /// All tokens of this user.
    pub fn user(id: &str, now: i64) -> Self {
        Self {
            user_id: Some(id.to_owned()),
            ..Self::at(now)
        }
    }

    /// All tokens scoped to this project, or to this domain.
    pub fn project(id: &str, now: i64) -> Self {
        Self {
            project_id: Some(id.to_owned()),
            ..Self::at(now)
        }
    }

    /// All tokens made from this trust.
    pub fn trust(id: &str, now: i64) -> Self {
        Self {
            trust_id: Some(id.to_owned()),
            ..Self::at(now)
        }
    }

    /// All tokens made from what users have let this OAuth1 consumer do.
    pub fn consumer(id: &str, now: i64) -> Self {
        Self {
            consumer_id: Some(id.to_owned()),
            ..Self::at(now)
        }
    }

    /// One token.
    pub fn audit(id: &str, now: i64) -> Self {
        Self {
            audit_id: Some(id.to_owned()),
            ..Self::at(now)
        }
    }

    /// All tokens made by rescoping this one.
    pub fn audit_chain(id: &str, now: i64) -> Self {
        Self {
            audit_chain_id: Some(id.to_owned()),
            ..Self::at(now)
        }
    }

    /// An event of this moment that names nothing yet.
    pub fn at(now: i64) -> Self {
        Self {
            issued_before: now,
            revoked_at: now,
            ..Self::default()
        }
    }

    /// The attributes that are set, the expiry aside.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (Attribute, &str)> {
        [
            (Attribute::Domain, &self.domain_id),
            (Attribute::Project, &self.project_id),
            (Attribute::User, &self.user_id),
            (Attribute::Role, &self.role_id),
            (Attribute::Trust, &self.trust_id),
            (Attribute::Consumer, &self.consumer_id),
            (Attribute::AccessToken, &self.access_token_id),
            (Attribute::Audit, &self.audit_id),
            (Attribute::AuditChain, &self.audit_chain_id),
        ]
        .into_iter()
        .filter_map(|(attribute, value)| Some((attribute, value.as_deref()?)))
    }

    /// The cached entries that this event is about. One attribute is enough, as an event that
    /// names more matches no token without it.
    pub fn entity(&self) -> Entity {
        let most_telling = self.attributes().max_by_key(|(attribute, _)| *attribute);
        match most_telling {
            Some((attribute, id)) => match attribute.kind() {
                Kind::Anything => Entity::new(Kind::Anything, ""),
                kind => Entity::new(kind, id),
            },
            None => Entity::new(Kind::Anything, ""),
        }
    }

    /// Whether a token of these facts is revoked by this event.
    pub fn revokes(&self, token: &TokenFacts) -> bool {
        token.issued_at <= self.issued_before
            && self.expires_at.is_none_or(|at| at == token.expires_at)
            && self
                .attributes()
                .all(|(attribute, value)| token.has(attribute, value))
    }
}

/// An attribute that an event may name; later ones match fewer tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Attribute {
    Role,
    Domain,
    Consumer,
    Project,
    User,
    AccessToken,
    Trust,
    AuditChain,
    Audit,
}

impl Attribute {
    fn kind(self) -> Kind {
        match self {
            Self::Role | Self::Domain => Kind::Anything,
            Self::Consumer => Kind::Consumer,
            Self::Project => Kind::Project,
            Self::User => Kind::User,
            Self::AccessToken => Kind::AccessToken,
            Self::Trust => Kind::Trust,
            Self::AuditChain => Kind::AuditChain,
            Self::Audit => Kind::Audit,
        }
    }
}

/// What of a token events are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// The user; with a trust, trustor and trustee too.
    pub users: Vec<String>,
    /// The domain of the user, and of the scope where that is a domain.
    pub domains: Vec<String>,
    /// The project of the scope; a domain's ID where the scope is one.
    pub project: Option<String>,
    /// The roles.
    pub roles: Vec<String>,
    /// The trust.
    pub trust: Option<String>,
    /// The OAuth1 consumer.
    pub consumer: Option<String>,
    /// The OAuth1 access token.
    pub access_token: Option<String>,
    /// The token's own audit ID.
    pub audit: String,
    /// The audit ID of the root of its chain; its own where it is the root.
    pub audit_chain: String,
    /// Seconds since 1970.
    pub issued_at: i64,
    /// Seconds since 1970.
    pub expires_at: i64,
}

impl TokenFacts {
    fn has(&self, attribute: Attribute, value: &str) -> bool {
        match attribute {
            Attribute::User => self.users.iter().any(|one| one == value),
            Attribute::Domain => self.domains.iter().any(|one| one == value),
            Attribute::Project => self.project.as_deref() == Some(value),
            Attribute::Role => self.roles.iter().any(|one| one == value),
            Attribute::Trust => self.trust.as_deref() == Some(value),
            Attribute::Consumer => self.consumer.as_deref() == Some(value),
            Attribute::AccessToken => self.access_token.as_deref() == Some(value),
            Attribute::Audit => self.audit == value,
            Attribute::AuditChain => self.audit_chain == value,
        }
    }

    /// Every attribute that an event could name.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (Attribute, &str)> {
        let many = [
            (Attribute::User, &self.users),
            (Attribute::Domain, &self.domains),
            (Attribute::Role, &self.roles),
        ];
        let one = [
            (Attribute::Project, self.project.as_deref()),
            (Attribute::Trust, self.trust.as_deref()),
            (Attribute::Consumer, self.consumer.as_deref()),
            (Attribute::AccessToken, self.access_token.as_deref()),
            (Attribute::Audit, Some(self.audit.as_str())),
            (Attribute::AuditChain, Some(self.audit_chain.as_str())),
        ];
        many.into_iter()
            .flat_map(|(attribute, values)| {
                values.iter().map(move |value| (attribute, value.as_str()))
            })
            .chain(
                one.into_iter()
                    .filter_map(|(attribute, value)| Some((attribute, value?))),
            )
    }
}
