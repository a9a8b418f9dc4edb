//! Credentials, and the rules for those of EC2.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use super::Error;
use super::keys::{self, Sealed};
use crate::attributes::Extra;
use crate::ids::{CredentialId, ProjectId, UserId};
use crate::listing::TextFilter;
use crate::token::KeySet;

/// The kind of credential that requests are signed with, as `type` has it.
const EC2: &str = "ec2";

/// The kind of the secrets of one-time passwords.
pub(super) const TOTP: &str = "totp";

/// All of a credential but what is secret about it.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedCredential {
    /// Its ID.
    pub id: CredentialId,
    /// Whose it is.
    pub user_id: UserId,
    /// The project that it is good for: EC2's have one.
    pub project_id: Option<ProjectId>,
    /// What it is: `ec2`, `totp`, `cert` or any other word.
    pub kind: String,
    /// Attributes that Keystone does not know.
    pub extra: Extra,
    pub(super) sealed: Sealed,
}

/// A credential with its secret.
#[derive(Clone)]
pub struct Credential {
    /// Its ID.
    pub id: CredentialId,
    /// Whose it is.
    pub user_id: UserId,
    /// The project that it is good for.
    pub project_id: Option<ProjectId>,
    /// What it is.
    pub kind: String,
    /// Attributes that Keystone does not know.
    pub extra: Extra,
    /// The secret, any text; of EC2 a JSON object, see [`Ec2Key`].
    pub blob: SecretString,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Opens credentials with the keys of one moment. It is for who is about to show them, and not kept.
#[derive(Clone)]
pub struct Opener(pub(super) Arc<KeySet>);

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}

impl Opener {
    /// The credential with its secret.
    ///
    /// # Errors
    /// `Unopened`.
    pub fn open(&self, sealed: &SealedCredential) -> Result<Credential, Error> {
        sealed.open(&self.0)
    }

    /// Fails for one whose key is gone, and costs little; what is damaged shows when it is opened.
    ///
    /// # Errors
    /// `Unopened`.
    pub fn check_key(&self, sealed: &SealedCredential) -> Result<(), Error> {
        let key_hash = sealed.sealed.key_hash.as_str();
        if self.0.hashes().any(|hash| hash == key_hash) {
            return Ok(());
        }
        // Which key it is may have been noted wrongly.
        self.open(sealed).map(drop)
    }
}

impl SealedCredential {
    /// Whether the rules for EC2 hold for it; Keystone does not heed case here.
    pub fn is_ec2(&self) -> bool {
        is_ec2(&self.kind)
    }

    /// With its secret.
    pub(super) fn open(&self, keys: &KeySet) -> Result<Credential, Error> {
        match keys::open(keys, &self.sealed) {
            Ok(text) => Ok(self.with_text(&text)),
            Err(source) => {
                let id = self.id.clone();
                Err(Error::Unopened { id, source })
            }
        }
    }

    /// With its secret, which is to be `blob` from now on, and that sealed; `now` in seconds since
    /// 1970.
    pub(super) fn change(
        &self,
        keys: &KeySet,
        blob: &SecretString,
        now: i64,
    ) -> Result<(Credential, Sealed), Error> {
        let mut credential = self.open(keys)?;
        credential.may_become(blob)?;
        let sealed = keys::seal(keys, &sealed_form(&credential.kind, blob), now)?;
        credential.blob = blob.clone();
        Ok((credential, sealed))
    }

    /// With its secret, as it was sealed.
    fn with_text(&self, text: &SecretString) -> Credential {
        Credential {
            id: self.id.clone(),
            user_id: self.user_id.clone(),
            project_id: self.project_id.clone(),
            kind: self.kind.clone(),
            extra: self.extra.clone(),
            blob: blob_of(&self.kind, text),
        }
    }
}

fn is_ec2(kind: &str) -> bool {
    kind.eq_ignore_ascii_case(EC2)
}

/// What is sealed for a blob: of `ec2` the JSON of its text, which Keystone reads again as JSON.
pub(super) fn sealed_form(kind: &str, blob: &SecretString) -> SecretString {
    match kind {
        EC2 => Value::from(blob.expose_secret()).to_string().into(),
        _ => blob.clone(),
    }
}

/// The blob of what was sealed. Old rows of EC2 have an object where new ones have its text.
fn blob_of(kind: &str, text: &SecretString) -> SecretString {
    if kind != EC2 {
        return text.clone();
    }
    match serde_json::from_str(text.expose_secret()) {
        Ok(Value::String(blob)) => blob.into(),
        Ok(object) => object.to_string().into(),
        Err(_) => text.clone(),
    }
}

/// The ID of an EC2 credential of this access key: the key's SHA-256, in hexadecimal.
pub fn ec2_id(access: &str) -> CredentialId {
    let digest = digest::digest(&digest::SHA256, access.as_bytes());
    let digits: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.into()
}

/// Why the blob of an EC2 credential is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobFault {
    /// It is no JSON.
    #[error("Invalid blob in credential")]
    NotJson,
    /// It is no object, or an empty one; or it has no access key.
    #[error(
        "Expecting to find {0} in credential. The server could not comply with the request since \
         it is either malformed or otherwise incorrect. The client is assumed to be in error."
    )]
    Lacks(&'static str),
    /// What it was made from is told by another, or by nothing, after the change.
    #[error("{0} can not be updated for credential")]
    Fixed(&'static str),
    /// It is longer than the column that holds it.
    #[error("The blob is too long to be stored.")]
    TooLong,
}

/// Members of an EC2 blob that say what it was made from: nobody changes them (A11).
const SOURCES: [&str; 4] = ["trust_id", "app_cred_id", "access_token_id", "access_id"];

/// The delegated token that an EC2 credential was made with: what comes of the credential is no
/// more than what the token was (A10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobSource {
    /// Its trust.
    pub trust_id: Option<String>,
    /// Its application credential.
    pub app_cred_id: Option<String>,
    /// Its OAuth1 access token.
    pub access_token_id: Option<String>,
}

fn ec2_blob(blob: &SecretString) -> Result<Map<String, Value>, BlobFault> {
    match serde_json::from_str(blob.expose_secret()).map_err(|_| BlobFault::NotJson)? {
        Value::Object(blob) if !blob.is_empty() => match blob.get("access") {
            None | Some(Value::Null) => Err(BlobFault::Lacks("access")),
            Some(_) => Ok(blob),
        },
        _ => Err(BlobFault::Lacks("blob")),
    }
}

/// A credential to create.
#[derive(Clone)]
pub struct NewCredential {
    /// See [`SealedCredential::user_id`]. Not checked to exist, as Keystone doesn't.
    pub user_id: UserId,
    /// See [`SealedCredential::project_id`]. Likewise.
    pub project_id: Option<ProjectId>,
    /// See [`SealedCredential::kind`].
    pub kind: String,
    /// See [`Credential::blob`].
    pub blob: SecretString,
    /// See [`SealedCredential::extra`].
    pub extra: Extra,
    /// For EC2: the delegated token that it is made with.
    pub source: BlobSource,
}

impl fmt::Debug for NewCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCredential")
            .field("user_id", &self.user_id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl NewCredential {
    /// The credential with its ID: of EC2 that of its access key, and what it is made from is in
    /// its blob, whatever the blob says of that itself.
    pub(super) fn into_credential(self) -> Result<Credential, BlobFault> {
        let (mut id, mut blob) = (CredentialId::random(), self.blob);
        if is_ec2(&self.kind) {
            let mut members = ec2_blob(&blob)?;
            // Keystone fails where the key is no text.
            let access = members.get("access").and_then(Value::as_str);
            id = ec2_id(access.ok_or(BlobFault::Lacks("access"))?);
            let sources = [
                ("trust_id", self.source.trust_id),
                ("app_cred_id", self.source.app_cred_id),
                ("access_token_id", self.source.access_token_id),
            ];
            let told: Vec<_> = sources
                .into_iter()
                .filter_map(|(name, source)| Some((name.to_owned(), Value::from(source?))))
                .collect();
            if !told.is_empty() {
                members.extend(told);
                blob = Value::Object(members).to_string().into();
            }
        }
        Ok(Credential {
            id,
            user_id: self.user_id,
            project_id: self.project_id,
            kind: self.kind,
            extra: self.extra,
            blob,
        })
    }
}

impl Credential {
    /// Whether its blob may become this one.
    pub(super) fn may_become(&self, blob: &SecretString) -> Result<(), BlobFault> {
        if !is_ec2(&self.kind) {
            return Ok(());
        }
        let new = ec2_blob(blob)?;
        let old = serde_json::from_str(self.blob.expose_secret());
        let old: Map<String, Value> = old.unwrap_or_default();
        let member =
            |of: &Map<String, Value>, name: &str| of.get(name).filter(|it| !it.is_null()).cloned();
        match SOURCES
            .into_iter()
            .find(|name| member(&old, name) != member(&new, name))
        {
            Some(name) => Err(BlobFault::Fixed(name)),
            None => Ok(()),
        }
    }

    /// What requests are checked with; `None` if this is no EC2 credential, or a broken one.
    pub fn ec2_key(&self) -> Option<Ec2Key> {
        if self.kind != EC2 {
            return None;
        }
        let blob: Map<String, Value> = serde_json::from_str(self.blob.expose_secret()).ok()?;
        let text = |name: &str| Some(blob.get(name)?.as_str()?.to_owned());
        Some(Ec2Key {
            access: text("access")?,
            secret: text("secret")?.into(),
            source: BlobSource {
                trust_id: text("trust_id"),
                app_cred_id: text("app_cred_id"),
                access_token_id: text("access_token_id"),
            },
        })
    }
}

/// What an EC2 credential holds.
#[derive(Clone, Debug)]
pub struct Ec2Key {
    /// The access key, which names it.
    pub access: String,
    /// The secret that requests are signed with.
    pub secret: SecretString,
    /// What it was made with.
    pub source: BlobSource,
}

/// Which credentials are listed; all conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialFilter {
    /// On [`SealedCredential::user_id`].
    pub users: Vec<TextFilter>,
    /// On [`SealedCredential::kind`].
    pub kinds: Vec<TextFilter>,
}

impl CredentialFilter {
    /// All of one user, of one kind if it is named.
    pub fn of_user(user: &UserId, kind: Option<&str>) -> Self {
        Self {
            users: vec![TextFilter::equals(user.as_str())],
            kinds: kind.map(TextFilter::equals).into_iter().collect(),
        }
    }

    /// Whether a credential meets it, where the database was not asked.
    pub(super) fn matches(&self, credential: &SealedCredential) -> bool {
        let meets =
            |filters: &[TextFilter], value: &str| filters.iter().all(|one| one.matches(value));
        meets(&self.users, credential.user_id.as_str()) && meets(&self.kinds, &credential.kind)
    }
}

/// What came of a passcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotpVerdict {
    /// It is good, and from now on no more.
    Accepted,
    /// No secret of the user's makes it now.
    Wrong,
    /// It, or a later one, has been used.
    Used,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn new(kind: &str, blob: &Value) -> NewCredential {
        NewCredential {
            user_id: "alice".into(),
            project_id: Some("p".into()),
            kind: kind.to_owned(),
            blob: match blob {
                Value::String(text) => text.as_str().into(),
                other => other.to_string().into(),
            },
            extra: Extra::new(),
            source: BlobSource::default(),
        }
    }

    #[test]
    fn an_ec2_credential_is_named_by_its_access_key_whatever_the_case_of_its_type() {
        // SHA-256 of "abc", FIPS 180-4.
        let id = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for kind in ["ec2", "EC2"] {
            let made = new(kind, &json!({"access": "abc", "secret": "s"})).into_credential();
            assert_eq!(made.unwrap().id.as_str(), id);
        }
        let made = new("cert", &json!({"access": "abc"}))
            .into_credential()
            .unwrap();
        assert_eq!(made.id.as_str().len(), 32);
    }

    #[test]
    fn an_ec2_blob_is_an_object_with_an_access_key() {
        let fault = |blob: Value| new("ec2", &blob).into_credential().map(|_| ()).unwrap_err();
        assert_eq!(fault(json!("no json")), BlobFault::NotJson);
        assert_eq!(fault(json!({})), BlobFault::Lacks("blob"));
        assert_eq!(fault(json!([1])), BlobFault::Lacks("blob"));
        assert_eq!(fault(json!({"secret": "s"})), BlobFault::Lacks("access"));
        assert_eq!(fault(json!({"access": null})), BlobFault::Lacks("access"));
        assert_eq!(fault(json!({"access": 7})), BlobFault::Lacks("access"));
    }

    #[test]
    fn what_an_ec2_credential_was_made_from_is_told_by_the_server_and_stays() {
        let mut forged = new(
            "ec2",
            &json!({"access": "a", "secret": "s", "trust_id": "forged"}),
        );
        forged.source.trust_id = Some("real".to_owned());
        let made = forged.into_credential().unwrap();
        assert_eq!(
            made.ec2_key().unwrap().source.trust_id.as_deref(),
            Some("real")
        );

        let change = |blob: Value| made.may_become(&blob.to_string().into());
        assert_eq!(
            change(json!({"access": "b", "secret": "t", "trust_id": "real"})),
            Ok(())
        );
        assert_eq!(
            change(json!({"access": "a"})),
            Err(BlobFault::Fixed("trust_id"))
        );
        let other = json!({"access": "a", "trust_id": "other"});
        assert_eq!(change(other), Err(BlobFault::Fixed("trust_id")));
        for name in ["app_cred_id", "access_token_id", "access_id"] {
            let added = json!({"access": "a", "trust_id": "real", name: "x"});
            assert_eq!(change(added), Err(BlobFault::Fixed(name)));
        }
    }

    #[test]
    fn what_keystone_sealed_in_either_form_is_the_same_blob() {
        let blob = r#"{"access": "a"}"#;
        let sealed = sealed_form("ec2", &blob.into());
        assert_eq!(sealed.expose_secret(), r#""{\"access\": \"a\"}""#);
        assert_eq!(blob_of("ec2", &sealed).expose_secret(), blob);
        let object = blob_of("ec2", &blob.into());
        assert_eq!(object.expose_secret(), r#"{"access":"a"}"#);
        assert_eq!(blob_of("EC2", &blob.into()).expose_secret(), blob);
    }
}
