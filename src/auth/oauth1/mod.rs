//! OAuth 1.0a (RFC 5849): requests that consumers sign, and the method `oauth1`, by which one acts in
//! the name of the user who let it.

mod signed;

use actix_web::HttpRequest;
use keystone_actors::ids::ConsumerId;
use keystone_actors::oauth1::{
    Error, FindSigningSecrets, GetAccessToken, SignedWith, SigningSecrets, has_expired,
};
use keystone_actors::token::PayloadScope;
use tracing::info;
use url::Url;

pub use signed::{Fault, Signed};

use super::{Proof, refused};
use crate::api::context::{base_url, called_url};
use crate::api::error::ApiError;
use crate::node::Node;

/// Proves the user who authorised the access token that the request is signed with, and prescribes
/// the token's project and roles.
pub(super) async fn prove(
    node: &Node,
    proof: &mut Proof,
    request: &HttpRequest,
    now: i64,
) -> Result<(), ApiError> {
    // Keystone leaves the query out of what is signed here.
    let signed = Signed::of(request, "")?;
    let id = signed.required("oauth_token")?.to_owned();
    let checked = signed.check(now).and_then(|()| signed.check_token());
    if let Err(fault) = checked {
        info!(%fault, "login by access token refused");
        return Err(refused(node, &fault));
    }
    let with = SignedWith::AccessToken(id.clone());
    require_signature(node, request, &signed, with).await?;
    let token = match node.providers.oauth1.read(GetAccessToken { id }).await {
        Ok(token) => token,
        Err(error @ Error::AccessTokenNotFound(_)) => return Err(refused(node, &error)),
        Err(error) => return Err(error.into()),
    };
    if has_expired(token.expires_at, now) {
        info!("login by access token refused: it has expired");
        return Err(refused(node, &"Access token is expired"));
    }
    proof.is(&token.authorizing_user_id)?;
    proof.methods.insert("oauth1");
    proof.ends(token.expires_at.map(|end| end.seconds()));
    proof.scope = Some(PayloadScope::Project(token.project_id.to_string()));
    proof.access_token = Some(token.id.clone());
    Ok(())
}

/// Fails unless the request is signed by its consumer, with the secret of this token of that
/// consumer: who can't sign learns nothing, and what isn't known costs the same.
///
/// # Errors
/// 401.
pub async fn require_signature(
    node: &Node,
    request: &HttpRequest,
    signed: &Signed,
    with: SignedWith,
) -> Result<(), ApiError> {
    let consumer = ConsumerId::from(signed.required("oauth_consumer_key")?);
    let find = FindSigningSecrets { consumer, with };
    let found = node.providers.oauth1.read(find).await?;
    let is_known = found.is_some();
    let secrets = found.unwrap_or_else(|| SigningSecrets {
        consumer: "".into(),
        token: "".into(),
    });
    if signed.is_signed_with(&secrets, &urls(request)) && is_known {
        return Ok(());
    }
    let reason = match is_known {
        true => "Invalid signature",
        false => "no such consumer, or no such token of it",
    };
    info!(reason, "a signed request is refused");
    Err(refused(node, &reason))
}

/// The URLs that the request may have been signed for: what it calls is known to clients by
/// `[DEFAULT] public_endpoint`, or else by that one's scheme and the host that they have named.
fn urls(request: &HttpRequest) -> Vec<String> {
    let (public, called) = (base_url(request), called_url(request));
    let scheme = public.split("://").next().unwrap_or_default();
    let called = match called.split_once("://") {
        Some((_, rest)) => format!("{scheme}://{rest}"),
        None => called,
    };
    let mut bases = vec![public, called];
    bases.dedup();
    let url = |base: String| Url::parse(&format!("{base}{}", request.path())).ok();
    let urls = bases.into_iter().filter_map(url);
    // In small letters, and without the scheme's own port (RFC 5849 section 3.4.1.2).
    urls.map(String::from).collect()
}
