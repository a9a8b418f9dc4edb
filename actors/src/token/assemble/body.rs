//! A token as it is shown: its own part, and the catalog that it shares with others.

use std::sync::Arc;

use bytes::Bytes;

use super::super::model::{NamedDomain, RoleRef, Scope};
use super::super::render::{
    self, All, Body, BodyApplicationCredential, BodyFederation, BodyOauth1, BodyProject, BodyRoles,
    BodyTrust, BodyUser, Id, Thumbprint, head,
};
use super::roles::Roles;
use super::{Assembly, Stop, TrustParts};
use crate::application_credential::ApplicationCredential;
use crate::catalog::{GetCatalog, Substitutions};
use crate::db::DbTime;
use crate::epoch::Kind;
use crate::federation::ListEnabledServiceProviders;
use crate::identity::User;
use crate::ids::ProjectId;
use crate::oauth1::AccessToken;

impl Assembly<'_> {
    #[expect(
        clippy::too_many_arguments,
        reason = "a body shows all that was found out"
    )]
    pub(super) async fn body(
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
        if let Some((project, _)) = project {
            self.depends(Kind::Catalog, project.id.as_str());
        }
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
