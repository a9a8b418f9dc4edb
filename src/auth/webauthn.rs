//! Method `webauthn`: a passkey, or beside other methods a recovery code in its place.

use actix_web::HttpRequest;
use aws_lc_rs::digest::{SHA256, digest};
use keystone_actors::identity::{AdmitUser, Authenticated, Refusal};
use keystone_actors::ids::UserId;
use keystone_actors::token::Methods;
use keystone_actors::webauthn::{
    Asserted, FinishLogin, LoggedIn, Reason, UseRecoveryCode, Verdict,
};
use secrecy::SecretString;
use serde_json::Value;
use tracing::{info, warn};

use super::password::find_user;
use super::request::{ScopeRequest, UserRef};
use super::{Outcome, Proof, complete, refused};
use crate::api::call::initiator;
use crate::api::error::ApiError;
use crate::config::sections::CounterRegression;
use crate::node::Node;
use crate::notify::{self, Event, Kind, Operation, Subject};
use crate::passkeys::{self, spelling};

/// What the method is called here, whatever tokens call it (`[webauthn] token_method`).
pub const METHOD: &str = "webauthn";

/// SHA-256 of the scope that a login was begun for.
pub type Bound = [u8; 32];

/// What is shown for the method.
#[derive(Debug)]
pub struct Webauthn {
    /// Who was named when the login began, if somebody was.
    pub user: Option<UserRef>,
    /// What is shown.
    pub shown: Shown,
}

/// What is shown for the method.
#[derive(Debug)]
pub enum Shown {
    /// What an authenticator has signed, and what that may be bound to.
    Passkey(Box<Asserted>, Vec<Option<Bound>>),
    /// A recovery code. A secret.
    RecoveryCode(SecretString),
}

impl Webauthn {
    /// Reads the method's member of a request for this scope.
    ///
    /// # Errors
    /// 400.
    pub(super) fn parse(method: Option<&Value>, scope: Option<&Value>) -> Result<Self, ApiError> {
        let method = method.unwrap_or(&Value::Null);
        let user = match method.get("user") {
            None | Some(Value::Null) => None,
            Some(user) => Some(UserRef::parse(user)?),
        };
        let code = method
            .get("user")
            .and_then(|user| user.get("recovery_code"));
        let shown = match code.or_else(|| method.get("recovery_code")) {
            Some(Value::String(code)) if user.is_some() => {
                Shown::RecoveryCode(code.as_str().into())
            }
            Some(Value::String(_)) => return Err(ApiError::expecting("user", METHOD)),
            Some(_) => return Err(ApiError::expecting("text", "recovery_code")),
            None => {
                // One that was begun for no scope is good for any.
                let bound = scope.map(|scope| Some(bind(scope)));
                let bounds = bound.into_iter().chain([None]).collect();
                Shown::Passkey(Box::new(spelling::asserted(method)?), bounds)
            }
        };
        Ok(Self { user, shown })
    }

    pub(super) fn is_recovery_code(&self) -> bool {
        matches!(self.shown, Shown::RecoveryCode(_))
    }
}

/// What a login that was begun for this scope is bound to. The order of members is no matter.
pub fn bind(scope: &Value) -> Bound {
    fn write(value: &Value, text: &mut String) {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| name.as_str());
                text.push('{');
                for (name, value) in members {
                    text.push_str(&Value::from(name.as_str()).to_string());
                    text.push(':');
                    write(value, text);
                    text.push(',');
                }
                text.push('}');
            }
            Value::Array(items) => {
                text.push('[');
                for item in items {
                    write(item, text);
                    text.push(',');
                }
                text.push(']');
            }
            plain => text.push_str(&plain.to_string()),
        }
    }
    let mut text = String::new();
    write(scope, &mut text);
    let mut bound = Bound::default();
    bound.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bound
}

/// Who is named, if known; and a name for that one, by which nobody else goes. It is the same for one
/// who is known, however named, so that nothing that is made of it differs.
///
/// # Errors
/// 503.
pub async fn who(
    node: &Node,
    user: Option<&UserRef>,
) -> Result<(Option<UserId>, Option<String>), ApiError> {
    let Some(user) = user else {
        return Ok((None, None));
    };
    let known = find_user(node, user).await?.map(|user| user.id.clone());
    let named = known.as_ref().map(ToString::to_string);
    Ok((known, named.or_else(|| Some(claimed(user)))))
}

fn claimed(user: &UserRef) -> String {
    match user {
        UserRef::Id(id) => id.clone(),
        UserRef::Name { name, domain } => format!("{name}\0{domain:?}"),
    }
}

/// The method that a token or receipt means by this name.
pub(super) fn meant<'a>(node: &Node, name: &'a str) -> &'a str {
    let config = &node.config;
    let ours = config.webauthn.enabled && name == config.webauthn.method(&config.auth).as_str();
    if ours { METHOD } else { name }
}

/// The methods as tokens and receipts name them.
pub(super) fn sealed(node: &Node, methods: &Methods) -> Methods {
    let config = &node.config;
    let name = config.webauthn.method(&config.auth).as_str();
    let names = methods.iter().map(|method| match method {
        METHOD if config.webauthn.enabled => name,
        method => method,
    });
    names.collect()
}

/// Proves the user by what is shown. Whoever is refused learns nothing, whatever the reason.
pub(super) async fn prove(
    node: &Node,
    proof: &mut Proof,
    http: &HttpRequest,
    method: &Webauthn,
    now: i64,
) -> Result<(), ApiError> {
    match &method.shown {
        Shown::Passkey(credential, bounds) => {
            by_passkey(
                node,
                proof,
                http,
                method.user.as_ref(),
                bounds,
                credential,
                now,
            )
            .await
        }
        Shown::RecoveryCode(code) => {
            by_recovery_code(node, proof, method.user.as_ref(), code, now).await
        }
    }
}

async fn by_passkey(
    node: &Node,
    proof: &mut Proof,
    http: &HttpRequest,
    user: Option<&UserRef>,
    bounds: &[Option<Bound>],
    credential: &Asserted,
    now: i64,
) -> Result<(), ApiError> {
    let (user, named) = who(node, user).await?;
    let mut verdict = Verdict::Refused(Reason::UnknownChallenge);
    for bound in bounds {
        let finish = FinishLogin {
            user: user.clone(),
            named: named.clone(),
            bound: *bound,
            credential: credential.clone(),
            now,
        };
        verdict = node.providers.webauthn.send(finish).await?;
        if verdict != Verdict::Refused(Reason::UnknownChallenge) {
            break;
        }
    }
    match verdict {
        Verdict::Accepted(LoggedIn {
            user,
            passkey,
            user_verified,
        }) => {
            admit(node, &user, now).await?;
            proof.is(&user)?;
            proof.methods.insert(METHOD);
            proof.passkey = Some(passkey);
            proof.user_verified = user_verified;
            Ok(())
        }
        Verdict::Refused(reason) => {
            info!(%reason, "login by passkey refused");
            if let Reason::CounterRegression { .. } = reason {
                note_regression(node, http, credential, &reason);
            }
            Err(refused(node, &reason).audited(reason.class()))
        }
    }
}

/// Fails where the user may not log in, whatever was proven.
async fn admit(node: &Node, user: &UserId, now: i64) -> Result<(), ApiError> {
    let admit = AdmitUser {
        user: user.clone(),
        now,
    };
    let (reason, class) = match node.providers.identity.send(admit).await? {
        Authenticated::Accepted(_) => return Ok(()),
        Authenticated::Refused(Refusal::Locked) => ("account locked", "UserLocked"),
        Authenticated::Refused(Refusal::Disabled) => ("user disabled", "UserDisabled"),
        Authenticated::Refused(_) => ("unknown user", "UnknownUser"),
    };
    info!(user.id = %user, reason, "login by passkey refused");
    Err(refused(node, &reason).audited(class))
}

async fn by_recovery_code(
    node: &Node,
    proof: &mut Proof,
    user: Option<&UserRef>,
    code: &SecretString,
    now: i64,
) -> Result<(), ApiError> {
    let known = match user {
        Some(user) => find_user(node, user).await?.map(|user| user.id.clone()),
        None => None,
    };
    // The others have proven who it is: nobody uses up another's codes.
    let same = known
        .clone()
        .filter(|user| proof.user.as_ref().is_none_or(|it| it == user));
    let verify = UseRecoveryCode {
        // Nobody has no codes; finding that costs the same.
        user: same.clone().unwrap_or_else(|| UserId::from("")),
        code: code.clone(),
        now,
    };
    let accepted = node.providers.webauthn.send(verify).await?;
    match same {
        Some(user) if accepted => {
            admit(node, &user, now).await?;
            proof.is(&user)?;
            proof.methods.insert(METHOD);
            proof.by_recovery_code = true;
            info!(user.id = %user, "a recovery code was used");
            Ok(())
        }
        _ => {
            let reason = "no such recovery code";
            info!(reason, "login by recovery code refused");
            Err(refused(node, &reason).audited("BadRecoveryCode"))
        }
    }
}

/// Tells operator and auditors that there may be a copy of an authenticator.
fn note_regression(node: &Node, http: &HttpRequest, credential: &Asserted, reason: &Reason) {
    let id = passkeys::id_of(&credential.raw_id);
    warn!(passkey.id = id, %reason, "an authenticator may have been copied");
    let operation = match node.config.webauthn.on_counter_regression {
        CounterRegression::Disable => Operation::Disabled,
        CounterRegression::Refuse => Operation::Updated,
    };
    node.notifier.send(Event {
        subject: Subject::Resource {
            kind: Kind::Passkey,
            operation,
            id,
            actor: None,
        },
        initiator: initiator(http),
        outcome: notify::Outcome::Success,
        reason: Some(notify::Reason {
            code: 401,
            text: reason.to_string(),
        }),
    });
}

/// Logs in by a passkey alone, or with the receipt of what was shown before.
///
/// # Errors
/// 401, whatever the reason; 503.
pub async fn log_in(
    node: &Node,
    http: &HttpRequest,
    method: &Webauthn,
    scope: &ScopeRequest,
    receipt: Option<&str>,
    now: i64,
) -> Result<Outcome, ApiError> {
    let mut proof = Proof::default();
    prove(node, &mut proof, http, method, now).await?;
    complete(node, proof, scope, receipt, now).await
}

/// Logs in whom the same user, signed in with a passkey in a browser, has let in.
///
/// # Errors
/// 401, whatever the reason; 503.
pub async fn log_in_as_granted(
    node: &Node,
    user: &UserId,
    passkey: String,
    scope: &ScopeRequest,
    now: i64,
) -> Result<Outcome, ApiError> {
    admit(node, user, now).await?;
    let mut proof = Proof::default();
    proof.is(user)?;
    proof.methods.insert(METHOD);
    proof.passkey = Some(passkey);
    // The user's rules were looked at when the browser got its token, by what was shown to it.
    proof.user_verified = true;
    complete(node, proof, scope, None, now).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_scope_is_the_same_whatever_the_order_of_its_members() {
        let one = json!({"project": {"name": "p", "domain": {"id": "d"}}});
        let same = json!({"project": {"domain": {"id": "d"}, "name": "p"}});
        let other = json!({"project": {"name": "p", "domain": {"name": "d"}}});
        assert_eq!(bind(&one), bind(&same));
        assert_ne!(bind(&one), bind(&other));
        // Nothing in a name can make one look like another.
        assert_ne!(bind(&json!({"a": "1,b:2"})), bind(&json!({"a": 1, "b": 2})));
    }

    #[test]
    fn who_is_named_by_a_name_is_not_who_has_it_for_an_id() {
        let name = |domain| UserRef::Name {
            name: "a".to_owned(),
            domain,
        };
        let one = claimed(&name(super::super::request::DomainRef::Id("b".to_owned())));
        let other = claimed(&name(super::super::request::DomainRef::Name(
            "b".to_owned(),
        )));
        assert_ne!(one, other);
        assert_ne!(claimed(&UserRef::Id("a".to_owned())), one);
    }
}
