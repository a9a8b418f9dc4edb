//! A token put together: from what it says itself, and what is true now.
//!
//! The order of the checks is Keystone's, as it decides which of several refusals is told: the
//! project and its domain, the trust's people, the user's domain, roles in the scope, the trust's
//! roles, then revocation events, then the user. Expiry is for the caller, who may allow it.

mod body;
mod roles;
mod stop;

use std::sync::Arc;

pub(super) use self::stop::Stop;
use self::stop::found;
use super::model::{NamedDomain, Refusal, RoleRef, Scope, Token};
use super::{Payload, PayloadScope, TokenProvider};
use crate::application_credential::{self, ApplicationCredential, GetApplicationCredential};
use crate::epoch::{Dependencies, Kind};
use crate::federation::{self, GetIdentityProvider};
use crate::identity::{self, GetUser, User};
use crate::ids::{ApplicationCredentialId, DomainId, ProjectId, TrustId, UserId};
use crate::oauth1::{self, AccessToken, GetAccessToken};
use crate::resource::{self, Domain, GetDomain, GetProject, Project};
use crate::revocation::{Event, MatchEvents, RevokeEvents, TokenFacts};
use crate::trust::{self, GetTrustOfToken, Trust};

/// What is being found out about one token.
struct Assembly<'a> {
    provider: &'a TokenProvider,
    payload: &'a Payload,
    now: i64,
    /// Nobody has it yet.
    is_new: bool,
    /// What the token depends on.
    on: Vec<(Kind, String)>,
    /// The first moment at which something in it ends by itself.
    stale_at: i64,
}

/// The people and the limits of a trust.
struct TrustParts {
    trust: Arc<Trust>,
    trustor: Arc<User>,
    trustor_domain: NamedDomain,
}

impl TokenProvider {
    /// The token that `payload` says, issued at `issued_at`, as things are now, and what it
    /// depends on. `None`: it is to be issued now, which ends no tokens, whoever is refused.
    pub(super) async fn assemble(
        &self,
        payload: &Payload,
        issued_at: Option<i64>,
        now: i64,
    ) -> Result<(Arc<Token>, Dependencies), Stop> {
        let mut assembly = Assembly {
            provider: self,
            payload,
            now,
            is_new: issued_at.is_none(),
            on: Vec::new(),
            stale_at: i64::MAX,
        };
        let token = assembly.token(issued_at.unwrap_or(now)).await?;
        let on = assembly.on.iter().map(|(kind, id)| (*kind, id.as_str()));
        Ok((Arc::new(token), self.cache.epochs().dependencies(on)))
    }
}

impl Assembly<'_> {
    async fn token(&mut self, issued_at: i64) -> Result<Token, Stop> {
        let payload = self.payload;
        self.depends(Kind::Audit, payload.audit_ids.own.to_string());
        let root = payload.audit_ids.root.unwrap_or(payload.audit_ids.own);
        self.depends(Kind::AuditChain, root.to_string());

        let user = self.user(&UserId::from(payload.user_id.as_str())).await?;
        let scope = self.scope().await?;
        let trust = self.trust(&user).await?;
        let user_domain = self.enabled_domain(&user.domain_id).await?;
        let credential = self.application_credential().await?;
        let access_token = self.access_token().await?;
        let roles = self
            .roles(
                &user,
                &scope,
                trust.as_ref(),
                credential.as_deref(),
                access_token.as_deref(),
            )
            .await?;
        if !matches!(scope, Scope::Unscoped) && roles.roles.is_empty() {
            return Err(Refusal::NotFound.into());
        }
        self.not_revoked(
            &user,
            &scope,
            trust.as_ref(),
            access_token.as_deref(),
            issued_at,
        )
        .await?;
        self.user_is_enabled(&user).await?;
        self.federation_stands().await?;

        let (acting_user, acting_domain) = match &trust {
            Some(parts) if parts.trust.impersonation => {
                (Arc::clone(&parts.trustor), parts.trustor_domain.clone())
            }
            _ => (Arc::clone(&user), user_domain.clone()),
        };
        let brief: Vec<RoleRef> = roles
            .roles
            .iter()
            .map(|role| RoleRef {
                id: role.id.clone(),
                name: role.name.clone(),
            })
            .collect();
        let body = self.body(
            issued_at,
            &scope,
            (&acting_user, &acting_domain),
            trust.as_ref(),
            (&brief, &roles),
            credential.as_deref(),
            access_token.as_deref(),
        );
        let (head, catalog) = body.await?;
        let settings = &self.provider.settings;
        let by_delegation = payload.methods.is_empty()
            || !payload
                .methods
                .iter()
                .all(|method| settings.is_primary(method));
        Ok(Token {
            user,
            user_domain,
            acting_user: acting_user.id.clone(),
            acting_domain,
            scope,
            roles: brief,
            methods: payload.methods.clone(),
            audit_ids: payload.audit_ids,
            issued_at,
            expires_at: payload.expires_at,
            stale_at: self.stale_at,
            trust: trust.map(|parts| parts.trust),
            application_credential: credential,
            access_token: payload.access_token_id.clone(),
            federation: payload.federation.clone(),
            thumbprint: payload.thumbprint.clone(),
            by_delegation,
            head,
            catalog,
        })
    }

    fn depends(&mut self, kind: Kind, id: impl Into<String>) {
        self.on.push((kind, id.into()));
    }

    /// Something in the token ends at this time, in seconds since 1970.
    fn ends(&mut self, at: Option<i64>) {
        if let Some(at) = at {
            self.stale_at = self.stale_at.min(at);
        }
    }

    async fn user(&mut self, id: &UserId) -> Result<Arc<User>, Stop> {
        self.depends(Kind::User, id.as_str());
        let answer = self
            .provider
            .sources
            .identity
            .read(GetUser { id: id.clone() })
            .await;
        Ok(found!(answer, identity::Error::UserNotFound(_)))
    }

    async fn scope(&mut self) -> Result<Scope, Stop> {
        Ok(match &self.payload.scope {
            PayloadScope::Unscoped => Scope::Unscoped,
            PayloadScope::System => Scope::System,
            PayloadScope::Domain(id) => {
                Scope::Domain(self.enabled_domain(&id.as_str().into()).await?)
            }
            PayloadScope::Project(id) => {
                let project = self.project(&id.as_str().into()).await?;
                if !project.enabled {
                    let why = format!("Unable to validate token because project {id} is disabled");
                    return Err(Refusal::Gone(why).into());
                }
                let domain = match &project.domain_id {
                    Some(domain) => self.enabled_domain(domain).await?,
                    // A domain that acts as project.
                    None => NamedDomain {
                        id: DomainId::from(&project.id),
                        name: project.name.clone(),
                    },
                };
                Scope::Project { project, domain }
            }
        })
    }

    async fn project(&mut self, id: &ProjectId) -> Result<Arc<Project>, Stop> {
        self.depends(Kind::Project, id.as_str());
        let answer = self
            .provider
            .sources
            .resource
            .read(GetProject { id: id.clone() })
            .await;
        Ok(found!(answer, resource::Error::NotFound(_)))
    }

    async fn enabled_domain(&mut self, id: &DomainId) -> Result<NamedDomain, Stop> {
        self.depends(Kind::Project, id.as_str());
        let answer = self
            .provider
            .sources
            .resource
            .read(GetDomain { id: id.clone() })
            .await;
        let domain = found!(answer, resource::Error::DomainNotFound(_));
        if !domain.enabled {
            let why = format!("Unable to validate token because domain {id} is disabled");
            return Err(Refusal::Gone(why).into());
        }
        Ok(named(&domain))
    }

    async fn trust(&mut self, bearer: &User) -> Result<Option<TrustParts>, Stop> {
        let Some(id) = &self.payload.trust_id else {
            return Ok(None);
        };
        self.depends(Kind::Trust, id.as_str());
        let id = TrustId::from(id.as_str());
        let answer = self
            .provider
            .sources
            .trust
            .read(GetTrustOfToken { id, now: self.now })
            .await;
        let trust = found!(answer, trust::Error::NotFound(_));
        if trust.trustee_user_id != bearer.id {
            return Err(Refusal::BrokenTrust.into());
        }
        self.ends(trust.expires_at);
        let trustor = self.user(&trust.trustor_user_id).await?;
        let trustor_domain = self.enabled_domain(&trustor.domain_id).await?;
        if !trustor.enabled {
            return Err(Refusal::BrokenTrust.into());
        }
        self.chain_holds(&trust).await?;
        Ok(Some(TrustParts {
            trust,
            trustor,
            trustor_domain,
        }))
    }

    /// A trust that was handed on falls with any of those above it, and with whoever of its people
    /// is gone or disabled.
    async fn chain_holds(&mut self, trust: &Trust) -> Result<(), Stop> {
        for id in &trust.above {
            self.depends(Kind::Trust, id.as_str());
        }
        for user in trust.original_trustor.iter().chain(&trust.intermediaries) {
            match self.user(user).await {
                Ok(user) if user.is_enabled(self.now) => {}
                Ok(_) | Err(Stop::Refused(_)) => return Err(Refusal::BrokenTrust.into()),
                Err(failed) => return Err(failed),
            }
        }
        Ok(())
    }

    async fn application_credential(&mut self) -> Result<Option<Arc<ApplicationCredential>>, Stop> {
        let Some(id) = &self.payload.app_cred_id else {
            return Ok(None);
        };
        self.depends(Kind::ApplicationCredential, id.as_str());
        let id = ApplicationCredentialId::from(id.as_str());
        let credentials = &self.provider.sources.application_credential;
        let answer = credentials.read(GetApplicationCredential { id }).await;
        let credential = found!(answer, application_credential::Error::NotFound(_));
        Ok(Some(credential))
    }

    async fn access_token(&mut self) -> Result<Option<Arc<AccessToken>>, Stop> {
        let Some(id) = &self.payload.access_token_id else {
            return Ok(None);
        };
        self.depends(Kind::AccessToken, id.as_str());
        let answer = self
            .provider
            .sources
            .oauth1
            .read(GetAccessToken { id: id.clone() })
            .await;
        let token = found!(answer, oauth1::Error::AccessTokenNotFound(_));
        self.depends(Kind::Consumer, token.consumer_id.as_str());
        Ok(Some(token))
    }

    async fn not_revoked(
        &mut self,
        user: &User,
        scope: &Scope,
        trust: Option<&TrustParts>,
        access_token: Option<&AccessToken>,
        issued_at: i64,
    ) -> Result<(), Stop> {
        let payload = self.payload;
        let mut facts = TokenFacts {
            users: vec![user.id.to_string()],
            domains: vec![user.domain_id.to_string()],
            trust: payload.trust_id.clone(),
            consumer: access_token.map(|token| token.consumer_id.clone()),
            access_token: payload.access_token_id.clone(),
            audit: payload.audit_ids.own.to_string(),
            audit_chain: payload
                .audit_ids
                .root
                .unwrap_or(payload.audit_ids.own)
                .to_string(),
            issued_at,
            expires_at: payload.expires_at,
            ..TokenFacts::default()
        };
        if let Some(parts) = trust {
            facts.users.push(parts.trustor.id.to_string());
        }
        match scope {
            Scope::Project { project, .. } => facts.project = Some(project.id.to_string()),
            Scope::Domain(domain) => {
                facts.domains.push(domain.id.to_string());
                // Deleting a domain revokes by the project that it acted as.
                facts.project = Some(domain.id.to_string());
            }
            Scope::System | Scope::Unscoped => {}
        }
        let revoked = match self.provider.invalidations.revokes(&facts) {
            Some(revoked) => revoked,
            None => {
                self.provider
                    .sources
                    .revocation
                    .read(MatchEvents { facts })
                    .await?
            }
        };
        if revoked {
            return Err(Refusal::Invalid.into());
        }
        Ok(())
    }

    /// A disabled user's tokens end for good: enabling the user again does not revive them.
    async fn user_is_enabled(&self, user: &User) -> Result<(), Stop> {
        if user.is_enabled(self.now) {
            return Ok(());
        }
        if self.is_new {
            return Err(Refusal::NotFound.into());
        }
        let events = vec![Event::user(user.id.as_str(), self.now)];
        self.provider
            .sources
            .revocation
            .read(RevokeEvents { events })
            .await?;
        Err(Refusal::NotFound.into())
    }

    async fn federation_stands(&mut self) -> Result<(), Stop> {
        if let Some(federation) = &self.payload.federation {
            self.depends(Kind::IdentityProvider, federation.idp_id.as_str());
            let id = federation.idp_id.as_str().into();
            let answer = self
                .provider
                .sources
                .federation
                .read(GetIdentityProvider { id })
                .await;
            found!(answer, federation::Error::IdentityProviderNotFound(_));
        }
        Ok(())
    }
}

fn named(domain: &Domain) -> NamedDomain {
    NamedDomain {
        id: domain.id.clone(),
        name: domain.name.clone(),
    }
}
