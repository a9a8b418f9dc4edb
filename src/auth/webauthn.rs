//! Method `webauthn`: a passkey, or beside other methods a recovery code in its place.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use aws_lc_rs::digest::{SHA256, digest};
use keystone_actors::identity::{AdmitUser, Authenticated, IdentifyUser, Refusal};
use keystone_actors::ids::{DomainId, UserId};
use keystone_actors::resource::Domain;
use keystone_actors::token::{AuditIds, Methods, Token};
use keystone_actors::webauthn::{
    Asserted, Error, FinishLogin, IsByPasskey, LoggedIn, Reason, Verdict,
};
use secrecy::SecretString;
use serde_json::Value;
use tracing::{info, warn};

use super::password::find_domain;
use super::request::{DomainRef, ScopeRequest, UserRef};
use super::{Outcome, Proof, complete, limits, recovery, refused};
use crate::api::call::initiator;
use crate::api::error::ApiError;
use crate::config::sections::CounterRegression;
use crate::node::Node;
use crate::notify::{self, Event, Initiator, Kind, Operation, Subject};
use crate::passkeys::{self, spelling};

/// What the method is called here, whatever tokens call it (`[webauthn] token_method`).
pub const METHOD: &str = "webauthn";

/// The characters of a user's ID, at most.
const LONGEST_ID: usize = 64;

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

/// Who is named, if known, or might be, by an ID; and a name for that one, by which nobody else goes.
/// It is the same for one who is known, however named, so that nothing that is made of it differs; and
/// for one who is not it is the same whether the domain is named by ID or by name, so that two
/// questions tell no more than one. It takes the same of the database whoever is named: no cache knows
/// who is not there.
///
/// Whatever is named has to be spelled as it is stored, also on databases to which case, accents or
/// spaces at the end are no matter: who is named otherwise is unknown. An ID is compared so with those
/// of the passkeys' owners; one that fits into no column is nobody's. In a disabled domain nobody is
/// known by name.
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
    let (known, claimed) = match user {
        // Whose passkeys these are is looked at anyhow, and by that whether there is such a user.
        UserRef::Id(id) => {
            let id = Some(id.as_str()).filter(|id| can_be(id));
            (id.map(UserId::from), claimed(user))
        }
        UserRef::Name { name, domain } => {
            let found = find_domain(node, domain).await?;
            let found = found.filter(|found| is_spelled(domain, found));
            let enabled = found.as_ref().filter(|domain| domain.enabled);
            let named = IdentifyUser {
                name: name.clone(),
                // A domain that there is not has no users: it costs the same to look for one there.
                domain_id: enabled.map_or_else(|| DomainId::from(""), |domain| domain.id.clone()),
            };
            let known = node.providers.identity.read(named).await?;
            let claimed = claimed(&UserRef::Name {
                name: name.clone(),
                domain: found.map_or_else(
                    || domain.clone(),
                    |found| DomainRef::Id(found.id.to_string()),
                ),
            });
            (known, claimed)
        }
    };
    let named = known.as_ref().map(ToString::to_string);
    Ok((known, named.or(Some(claimed))))
}

/// Whether this is what the domain is called, letter by letter.
fn is_spelled(named: &DomainRef, domain: &Domain) -> bool {
    match named {
        DomainRef::Id(id) => domain.id.as_str() == id,
        DomainRef::Name(name) => domain.name == *name,
    }
}

/// Whether a database could have this as an ID.
fn can_be(id: &str) -> bool {
    !id.contains('\0') && id.chars().count() <= LONGEST_ID
}

pub(super) fn claimed(user: &UserRef) -> String {
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

/// Whether a token was made here by a login with a passkey, or from such a token. That it names the
/// method is not enough where others have a method of that name: Python Keystone makes tokens with
/// `x509` for who comes by a federation protocol that is called so.
///
/// # Errors
/// 503.
pub async fn is_by_passkey(node: &Node, token: &Token) -> Result<bool, ApiError> {
    let says = |name: &str| meant(node, name) == METHOD;
    if !node.config.webauthn.enabled || !token.methods.iter().any(says) {
        return Ok(false);
    }
    let audit_id = chain(&token.audit_ids);
    let look = IsByPasskey { audit_id };
    Ok(node.providers.webauthn.read(look).await?)
}

/// The audit ID of the token with which a chain begins.
pub(super) fn chain(ids: &AuditIds) -> String {
    ids.root.unwrap_or(ids.own).to_string()
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

/// Proves the user by what is shown. Whoever is refused learns nothing, whatever the reason; but who
/// tries too often is told so.
pub(super) async fn prove(
    node: &Node,
    proof: &mut Proof,
    http: &HttpRequest,
    method: &Webauthn,
    receipt: Option<&str>,
    now: i64,
) -> Result<(), ApiError> {
    let user = method.user.as_ref();
    match &method.shown {
        Shown::Passkey(credential, bounds) => {
            limits::end(node, http, user, &credential.raw_id, now)?;
            by_passkey(node, proof, http, user, bounds, credential, now).await
        }
        // Counted before anything was proven.
        Shown::RecoveryCode(code) => recovery::prove(node, proof, user, code, receipt, now).await,
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
    let finish = FinishLogin {
        user: user.clone(),
        named,
        bound: bounds.iter().copied().flatten().next(),
        or_unbound: bounds.contains(&None),
        credential: credential.clone(),
        now,
    };
    match node.providers.webauthn.send(finish).await? {
        Verdict::Accepted(LoggedIn {
            user,
            passkey,
            user_verified,
            backup_changed_to,
        }) => {
            // Whatever becomes of the login.
            if let Some(to) = backup_changed_to {
                let reason = Reason::BackupStateChanged { to };
                let id = passkey.clone();
                note_backup_change(node, http, &user, id, Operation::Updated, &reason);
            }
            admit(node, &user, now).await?;
            is_same(proof, &user)?;
            proof.methods.insert(METHOD);
            proof.passkey = Some(passkey);
            proof.user_verified = user_verified;
            Ok(())
        }
        Verdict::Refused(reason) => Err(no_login(node, user.as_ref(), &reason)),
        Verdict::RefusedOwner(owner, reason) => {
            let id = passkeys::id_of(&credential.raw_id);
            match reason {
                Reason::BackupStateChanged { .. } => {
                    let operation = Operation::Disabled;
                    note_backup_change(node, http, &owner, id, operation, &reason);
                }
                _ => note_regression(node, http, &owner, id, &reason),
            }
            Err(no_login(node, Some(&owner), &reason))
        }
    }
}

/// The refusal of what an authenticator has signed.
fn no_login(node: &Node, user: Option<&UserId>, reason: &Reason) -> ApiError {
    info!(%reason, "login by passkey refused");
    refused(node, reason).audited(reason.class()).about(user)
}

/// Fails where the user may not log in, whatever was proven.
pub(super) async fn admit(node: &Node, user: &UserId, now: i64) -> Result<(), ApiError> {
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
    Err(refused(node, &reason).audited(class).about(Some(user)))
}

/// Fails where another method has proven somebody else.
pub(super) fn is_same(proof: &mut Proof, user: &UserId) -> Result<(), ApiError> {
    let same = proof.is(user);
    same.map_err(|error| error.audited("OtherUser").about(Some(user)))
}

/// Whether what was made with a passkey was noted, so that it goes with the passkey.
///
/// # Errors
/// 401 where the passkey was deleted just now; 503.
pub(super) fn noted(node: &Node, result: Result<(), Error>) -> Result<(), ApiError> {
    match result {
        Err(Error::NotFound(_)) => Err(refused(node, &"the passkey is gone").audited("Inactive")),
        result => Ok(result?),
    }
}

/// Tells operator and auditors that there may be a copy of an authenticator.
fn note_regression(node: &Node, http: &HttpRequest, owner: &UserId, id: String, reason: &Reason) {
    warn!(passkey.id = id, %reason, "an authenticator may have been copied");
    node.metrics.logins.counter_went_back();
    let operation = match node.config.webauthn.on_counter_regression {
        CounterRegression::Disable => Operation::Disabled,
        CounterRegression::Refuse => Operation::Updated,
    };
    tell(node, initiated_by(owner, http), id, operation, 401, reason);
}

/// Tells operator and auditors that a passkey was copied to other devices, or is on one alone again.
fn note_backup_change(
    node: &Node,
    http: &HttpRequest,
    owner: &UserId,
    id: String,
    operation: Operation,
    reason: &Reason,
) {
    info!(passkey.id = id, %reason, "a passkey's backup state has changed");
    node.metrics.logins.backup_state_changed();
    let code = match operation {
        Operation::Disabled => 401,
        _ => 200,
    };
    tell(node, initiated_by(owner, http), id, operation, code, reason);
}

/// As from this client, by the owner of the passkey: that has been proven.
fn initiated_by(owner: &UserId, http: &HttpRequest) -> Initiator {
    Initiator {
        user_id: Some(owner.to_string()),
        ..initiator(http)
    }
}

/// Tells auditors that a passkey is not what it was, for this reason and with this answer.
fn tell(
    node: &Node,
    initiator: Initiator,
    id: String,
    operation: Operation,
    code: u16,
    reason: &Reason,
) {
    node.notifier.send(Event {
        subject: Subject::Resource {
            kind: Kind::Passkey,
            operation,
            id,
            actor: None,
        },
        initiator,
        outcome: notify::Outcome::Success,
        reason: Some(notify::Reason {
            code,
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
    prove(node, &mut proof, http, method, receipt, now).await?;
    let user = proof.user.clone();
    let outcome = complete(node, proof, scope, receipt, now).await;
    outcome.map_err(|error| no_token(error, user.as_ref()))
}

/// Gives a class to why a user who has proven who it is gets no token.
fn no_token(error: ApiError, user: Option<&UserId>) -> ApiError {
    let error = match (error.status(), error.class()) {
        (StatusCode::UNAUTHORIZED, None) => error.audited("NoToken"),
        _ => error,
    };
    error.about(user)
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
    let outcome = complete(node, proof, scope, None, now).await;
    outcome.map_err(|error| no_token(error, Some(user)))
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
    fn what_is_too_long_or_no_text_is_nobodys_id() {
        assert!(can_be(&"\u{e9}".repeat(64)) && can_be(""));
        assert!(!can_be(&"a".repeat(65)) && !can_be("a\0"));
    }

    #[test]
    fn who_is_named_by_a_name_is_not_who_has_it_for_an_id() {
        let name = |domain| UserRef::Name {
            name: "a".to_owned(),
            domain,
        };
        let one = claimed(&name(DomainRef::Id("b".to_owned())));
        let other = claimed(&name(DomainRef::Name("b".to_owned())));
        assert_ne!(one, other);
        assert_ne!(claimed(&UserRef::Id("a".to_owned())), one);
    }
}
