//! A token put together: from what it says itself, and what is true now.
//!
//! The order of the checks is Keystone's, as it decides which of several refusals is told: the
//! project and its domain, the trust's people, the user's domain, roles in the scope, the trust's
//! roles, then revocation events, then the user. Expiry is for the caller, who may allow it.

use std::sync::Arc;

use bytes::Bytes;

use super::model::{NamedDomain, Refusal, RoleRef, Scope, Token};
use super::render::{
    self, All, Body, BodyApplicationCredential, BodyFederation, BodyOauth1, BodyProject, BodyRoles,
    BodyTrust, BodyUser, Id, Thumbprint, head,
};
use super::{Error, Payload, PayloadScope, TokenProvider};
use crate::actor::Unavailable;
use crate::application_credential::{self, ApplicationCredential, GetApplicationCredential};
use crate::assignment::{self, EffectiveRoles, GetEffectiveRoles, GrantTarget};
use crate::catalog::{self, GetCatalog, Substitutions};
use crate::db::DbTime;
use crate::epoch::{Dependencies, Kind};
use crate::federation::{self, GetIdentityProvider, ListEnabledServiceProviders};
use crate::identity::{self, GetMemberships, GetUser, User};
use crate::ids::{ApplicationCredentialId, DomainId, GroupId, ProjectId, RoleId, TrustId, UserId};
use crate::oauth1::{self, AccessToken, GetAccessToken};
use crate::resource::{self, Domain, GetDomain, GetProject, Project};
use crate::revocation::{self, Event, MatchEvents, RevokeEvents, TokenFacts};
use crate::role::{self, GetRoleGraph, Role};
use crate::trust::{self, GetTrustOfToken, Trust};

/// Why no token came of it.
pub(super) enum Stop {
    /// It is not good.
    Refused(Refusal),
    /// It could not be found out.
    Failed(Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What a provider could not tell is a failure, unless the caller picks its "not found" first.
macro_rules! failures_of {
    ($($provider:ident),*) => {$(
        impl From<$provider::Error> for Stop {
            fn from(error: $provider::Error) -> Self {
                Self::Failed(match error {
                    $provider::Error::Unavailable(why) => Error::Unavailable(why),
                    error => Error::Internal {
                        what: concat!("asking the ", stringify!($provider), " provider"),
                        source: Box::new(error),
                    },
                })
            }
        }
    )*};
}
failures_of!(
    application_credential,
    assignment,
    catalog,
    federation,
    identity,
    oauth1,
    resource,
    revocation,
    role,
    trust
);

impl From<Unavailable> for Stop {
    fn from(why: Unavailable) -> Self {
        Self::Failed(Error::Unavailable(why))
    }
}

/// The answer of a provider; its "not found" is a refusal with the provider's text.
macro_rules! found {
    ($answer:expr, $not_found:pat) => {
        match $answer {
            Ok(found) => found,
            Err(error @ $not_found) => return Err(Refusal::Gone(error.to_string()).into()),
            Err(error) => return Err(error.into()),
        }
    };
}

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

/// Roles as the token has them, and how its body shows them.
struct Roles {
    roles: Vec<Arc<Role>>,
    whole: bool,
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

    async fn roles(
        &mut self,
        user: &User,
        scope: &Scope,
        trust: Option<&TrustParts>,
        credential: Option<&ApplicationCredential>,
        access_token: Option<&AccessToken>,
    ) -> Result<Roles, Stop> {
        let target = match scope {
            Scope::Unscoped => {
                return Ok(Roles {
                    roles: Vec::new(),
                    whole: false,
                });
            }
            Scope::System => GrantTarget::System,
            Scope::Domain(domain) => GrantTarget::Domain(domain.id.clone()),
            Scope::Project { project, .. } => GrantTarget::Project(project.id.clone()),
        };
        self.depends(Kind::Roles, "");
        if let Some(parts) = trust {
            return self.trust_roles(parts, target).await;
        }
        let mut groups = self.groups(&user.id).await?.to_vec();
        let federated = self.payload.federation.as_ref();
        if let Some(federation) = federated {
            groups.extend(
                federation
                    .group_ids
                    .iter()
                    .map(|id| GroupId::from(id.as_str())),
            );
        }
        let held = self.effective(&user.id, groups.into(), target).await?;
        let mut roles: Vec<Arc<Role>> = held.visible().cloned().collect();
        if let Some(credential) = credential {
            roles.retain(|role| credential.roles.contains(&role.id));
        }
        if let Some(access_token) = access_token {
            let authorised = self.expand(&access_token.role_ids).await?;
            roles.retain(|role| authorised.iter().any(|one| one.id == role.id));
        }
        Ok(Roles {
            roles,
            whole: federated.is_some(),
        })
    }

    /// The trust's roles with what they imply, each of which the trustor, or in a chain the first
    /// of them, must still have.
    async fn trust_roles(
        &mut self,
        parts: &TrustParts,
        target: GrantTarget,
    ) -> Result<Roles, Stop> {
        let first = parts
            .trust
            .original_trustor
            .as_ref()
            .unwrap_or(&parts.trustor.id);
        let groups = self.groups(first).await?;
        let held = self.effective(first, groups, target).await?;
        let delegated = self.expand(&parts.trust.roles).await?;
        let has = |role: &Arc<Role>| held.roles.iter().any(|one| one.id == role.id);
        if delegated.len() < parts.trust.roles.len() || !delegated.iter().all(has) {
            return Err(Refusal::BrokenTrust.into());
        }
        Ok(Roles {
            roles: delegated
                .into_iter()
                .filter(|role| role.domain_id.is_none())
                .collect(),
            whole: true,
        })
    }

    async fn groups(&mut self, user: &UserId) -> Result<Arc<[GroupId]>, Stop> {
        self.depends(Kind::Membership, user.as_str());
        let user = user.clone();
        let memberships = self
            .provider
            .sources
            .identity
            .read(GetMemberships { user })
            .await?;
        self.ends(memberships.settled_until(self.now));
        Ok(memberships.at(self.now))
    }

    async fn effective(
        &mut self,
        user: &UserId,
        groups: Arc<[GroupId]>,
        target: GrantTarget,
    ) -> Result<Arc<EffectiveRoles>, Stop> {
        self.depends(Kind::Assignments, user.as_str());
        for group in groups.iter() {
            self.on.push((Kind::Assignments, group.to_string()));
        }
        let user = user.clone();
        let question = GetEffectiveRoles {
            user,
            groups,
            target,
        };
        let held = self.provider.sources.assignment.read(question).await;
        let held = found!(
            held,
            assignment::Error::Resource(resource::Error::NotFound(_))
        );
        for ancestor in held.ancestors.iter() {
            self.on.push((Kind::Project, ancestor.to_string()));
        }
        Ok(held)
    }

    async fn expand(&self, roles: &[RoleId]) -> Result<Vec<Arc<Role>>, Stop> {
        let graph = self.provider.sources.role.read(GetRoleGraph).await?;
        Ok(graph.expand(roles).into_iter().cloned().collect())
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

    #[expect(
        clippy::too_many_arguments,
        reason = "a body shows all that was found out"
    )]
    async fn body(
        &mut self,
        issued_at: i64,
        scope: &Scope,
        (user, user_domain): (&User, &NamedDomain),
        trust: Option<&TrustParts>,
        (brief, roles): (&[RoleRef], &Roles),
        credential: Option<&ApplicationCredential>,
        access_token: Option<&AccessToken>,
    ) -> Result<(Bytes, Option<Bytes>), Stop> {
        let payload = self.payload;
        self.depends(Kind::Catalog, "");
        // The service providers.
        self.depends(Kind::IdentityProvider, "");
        let sources = &self.provider.sources;
        let providers = sources.federation.read(ListEnabledServiceProviders).await?;
        let scoped = !matches!(scope, Scope::Unscoped);
        let project = match scope {
            Scope::Project { project, domain } => Some((project, domain)),
            _ => None,
        };
        let admin_project = self.provider.settings.admin_project.as_ref();
        let body = Body {
            methods: payload.methods.iter().collect(),
            user: BodyUser {
                domain: user_domain,
                id: &user.id,
                name: &user.name,
                password_expires_at: payload
                    .federation
                    .is_none()
                    .then(|| user.password_expires_at.map(DbTime::iso_without_zone)),
                federation: payload.federation.as_ref().map(|from| BodyFederation {
                    groups: from.group_ids.iter().map(|id| Id { id }).collect(),
                    identity_provider: Id { id: &from.idp_id },
                    protocol: Id {
                        id: &from.protocol_id,
                    },
                }),
            },
            audit_ids: payload.audit_ids,
            expires_at: payload.expires_at,
            issued_at,
            domain: match scope {
                Scope::Domain(domain) => Some(domain),
                _ => None,
            },
            trust: trust.map(|parts| BodyTrust {
                id: parts.trust.id.as_str(),
                trustor_user: Id {
                    id: parts.trustor.id.as_str(),
                },
                trustee_user: Id {
                    id: parts.trust.trustee_user_id.as_str(),
                },
                impersonation: parts.trust.impersonation,
            }),
            project: project.map(|(project, domain)| BodyProject {
                domain,
                id: &project.id,
                name: &project.name,
            }),
            is_domain: project
                .filter(|_| trust.is_none())
                .map(|(project, _)| project.is_domain),
            roles: scoped.then(|| {
                if roles.whole {
                    BodyRoles::Whole(roles.roles.iter().map(Arc::as_ref).collect())
                } else {
                    BodyRoles::Brief(brief)
                }
            }),
            is_admin_project: project.zip(admin_project).filter(|_| trust.is_none()).map(
                |((project, domain), (name, domain_name))| {
                    project.name == *name && domain.name == *domain_name
                },
            ),
            system: matches!(scope, Scope::System).then_some(All { all: true }),
            service_providers: &providers,
            oauth1: access_token.map(|token| BodyOauth1 {
                access_token_id: &token.id,
                consumer_id: &token.consumer_id,
            }),
            application_credential: credential.map(|credential| BodyApplicationCredential {
                id: credential.id.as_str(),
                name: &credential.name,
                restricted: !credential.unrestricted,
                access_rules: &credential.access_rules,
            }),
            oauth2_credential: payload
                .thumbprint
                .as_deref()
                .map(|sha256| Thumbprint { sha256 }),
        };
        let head = head(&body)?;
        if !scoped {
            return Ok((head, None));
        }
        // In a trust the trustor's, impersonation or not.
        let user_id = trust.map_or(payload.user_id.as_str(), |parts| parts.trustor.id.as_str());
        let project = project.map(|(project, _)| &project.id);
        let shown = self.catalog(project, user_id).await?;
        Ok((head, Some(shown)))
    }

    /// The catalog as the token shows it: the same for all tokens of a project, unless a URL has
    /// the user in it.
    async fn catalog(&self, project: Option<&ProjectId>, user_id: &str) -> Result<Bytes, Stop> {
        let rendered = &self.provider.catalogs;
        // Before the read of what is rendered: it may change meanwhile.
        let stamp = rendered.epochs().now();
        let get = GetCatalog {
            project: project.cloned(),
        };
        let catalog = self.provider.sources.catalog.read(get).await?;
        let user = if catalog.names_users() { user_id } else { "" };
        let project_id = project.map(ProjectId::as_str);
        let key = (project_id.map(str::to_owned), user.to_owned());
        if let Some(shown) = rendered.get(&key) {
            return Ok(shown);
        }
        let with = Substitutions {
            project_id,
            user_id,
        };
        let shown = render::catalog(&catalog, with)?;
        let on = [
            (Kind::Catalog, ""),
            (Kind::Catalog, project_id.unwrap_or_default()),
        ];
        rendered.insert(
            key,
            shown.clone(),
            stamp,
            rendered.epochs().dependencies(on),
        );
        Ok(shown)
    }
}

fn named(domain: &Domain) -> NamedDomain {
    NamedDomain {
        id: domain.id.clone(),
        name: domain.name.clone(),
    }
}
