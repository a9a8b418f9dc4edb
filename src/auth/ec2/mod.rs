//! Tokens for requests that users have signed with their EC2 keys. The service that got the request
//! shows it here, and is told whose it is.

mod aws;
mod s3;
mod time;

use keystone_actors::application_credential::GetApplicationCredential;
use keystone_actors::credential::{
    Credential, DescribeCredential, Ec2Key, Error, GetCredential, ec2_id,
};
use keystone_actors::identity::GetUser;
use keystone_actors::ids::UserId;
use keystone_actors::oauth1::GetAccessToken;
use keystone_actors::resource::GetProject;
use keystone_actors::token::{AuditIds, Issue, IssueToken, Issued, PayloadScope, Refusal};
use keystone_actors::trust::{ConsumeTrustUse, GetTrust};
use serde_json::{Map, Value};
use tracing::info;

use super::refused;
use super::scope::is_usable;
use crate::api::error::ApiError;
use crate::node::Node;

/// The method of tokens that are made here. Where it isn't configured, they could not be told from
/// a user's own.
pub const METHOD: &str = "ec2credential";

/// What a service shows of a request.
pub type Shown = Map<String, Value>;

/// How a request was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A request to EC2's API: versions 0, 1, 2 and 4 of AWS signatures.
    Ec2,
    /// A request to S3's API, of which the service shows what was signed.
    S3,
}

/// Why a signature is not good. For the log; clients learn only that it is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("the request does not say its {0}")]
    Lacks(&'static str),
    #[error("the form of the signature is unknown")]
    UnknownForm,
    #[error("the signature is not that of the request")]
    Mismatch,
    #[error("the request does not say when it was signed")]
    Timeless,
    #[error("the request was signed too long ago, or in the future")]
    OutOfTime,
}

/// A text that the service shows.
fn text<'a>(of: &'a Shown, name: &'static str) -> Result<&'a str, Fault> {
    of.get(name)
        .and_then(Value::as_str)
        .ok_or(Fault::Lacks(name))
}

/// Issues a token of the user whose key has signed the request: for the key's project, and no more
/// than what the key was made with (A10).
pub async fn exchange(
    node: &Node,
    shown: &Shown,
    scheme: Scheme,
    now: i64,
) -> Result<Issued, ApiError> {
    let (credential, key) = find(node, shown).await?;
    let ttl = i64::from(node.config.credential.auth_ttl).saturating_mul(60);
    let verdict = match scheme {
        Scheme::Ec2 => aws::verify(shown, &key.secret, now, ttl),
        Scheme::S3 => s3::verify(shown, &key.secret, now, ttl),
    };
    if let Err(fault) = verdict {
        info!(credential.id = %credential.id, %fault, "a signed request is refused");
        return Err(refused(node, &fault));
    }
    let project = match &credential.project_id {
        Some(id) => GetProject { id: id.clone() },
        None => return Err(refused(node, &"the credential is of no project")),
    };
    let project = node.providers.resource.read(project).await?;
    let user = GetUser {
        id: credential.user_id.clone(),
    };
    let user = node.providers.identity.read(user).await?;
    if !user.is_enabled(now) || !is_usable(node, &project).await? {
        return Err(refused(node, &"the user or the project is disabled"));
    }
    let origin = Origin::of(node, &credential, &key, now).await?;
    let issue = IssueToken {
        user: origin.bearer,
        methods: [METHOD].into_iter().collect(),
        scope: PayloadScope::Project(project.id.to_string()),
        audit_ids: AuditIds::fresh(),
        not_after: origin.not_after,
        trust: key.source.trust_id.clone(),
        application_credential: key.source.app_cred_id.clone(),
        access_token: key.source.access_token_id.clone(),
        federation: None,
        now,
    };
    match node.providers.token.read(issue).await? {
        Issue::Granted(issued) => {
            if let Some(id) = key.source.trust_id {
                let id = id.into();
                node.providers.trust.send(ConsumeTrustUse { id }).await?;
            }
            info!(
                user.id = %credential.user_id,
                token.audit_id = %issued.token.audit_ids.own,
                "issued a token for a signed request"
            );
            Ok(issued)
        }
        Issue::Refused(Refusal::BrokenTrust) => Err(ApiError::forbidden()),
        Issue::Refused(refusal) => Err(refused(node, &refusal)),
    }
}

/// The credential of the access key that the request names.
async fn find(node: &Node, shown: &Shown) -> Result<(Credential, Ec2Key), ApiError> {
    let access = text(shown, "access").map_err(|fault| refused(node, &fault))?;
    let unknown = || ApiError::not_found("EC2 access key not found.");
    let id = ec2_id(access);
    let provider = &node.providers.credential;
    match provider.read(DescribeCredential { id: id.clone() }).await {
        Ok(sealed) if sealed.kind == "ec2" => {}
        Ok(_) | Err(Error::NotFound(_)) => return Err(unknown()),
        Err(error) => return Err(error.into()),
    }
    let credential = provider.read(GetCredential { id }).await?;
    let key = credential.ec2_key().ok_or_else(unknown)?;
    Ok((credential, key))
}

/// What a key was made with, still good: its project and user are the key's (A4), and its end is
/// that of the token (A6).
struct Origin {
    /// Whose the token will be: with a trust the trustee's.
    bearer: UserId,
    not_after: Option<i64>,
}

impl Origin {
    async fn of(
        node: &Node,
        credential: &Credential,
        key: &Ec2Key,
        now: i64,
    ) -> Result<Self, ApiError> {
        let providers = &node.providers;
        let (user, project) = (&credential.user_id, &credential.project_id);
        let foreign = || {
            refused(
                node,
                &"the credential is of another project or user than its source",
            )
        };
        let expired = || refused(node, &"the source of the credential has expired");
        if let Some(id) = &key.source.trust_id {
            let id = id.as_str().into();
            let trust = providers.trust.read(GetTrust { id, now }).await?;
            if trust.project_id != *project || trust.acting_user() != user {
                return Err(foreign());
            }
            return Ok(Self {
                bearer: trust.trustee_user_id.clone(),
                not_after: trust.expires_at,
            });
        }
        let (owner, of, end): (_, _, Option<i64>) = if let Some(id) = &key.source.app_cred_id {
            let id = id.as_str().into();
            let get = GetApplicationCredential { id };
            let source = providers.application_credential.read(get).await?;
            (
                source.user_id.clone(),
                source.project_id.clone(),
                source.expires_at,
            )
        } else if let Some(id) = &key.source.access_token_id {
            let get = GetAccessToken { id: id.clone() };
            let source = providers.oauth1.read(get).await?;
            let of = Some(source.project_id.clone());
            let end = source.expires_at.map(|end| end.seconds());
            (source.authorizing_user_id.clone(), of, end)
        } else {
            (user.clone(), project.clone(), None)
        };
        if owner != *user || of != *project {
            return Err(foreign());
        }
        if end.is_some_and(|end| end <= now) {
            return Err(expired());
        }
        Ok(Self {
            bearer: owner,
            not_after: end,
        })
    }
}
