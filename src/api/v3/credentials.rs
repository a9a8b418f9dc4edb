//! `/v3/credentials`: secrets that users keep here.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::attributes::Extra;
use keystone_actors::credential::{
    BlobSource, CreateCredential, Credential, CredentialFilter, DeleteCredential,
    DescribeCredential, Error, GetCredential, GetOpener, ListCredentials, NewCredential, Opener,
    SealedCredential, UpdateCredential,
};
use keystone_actors::ids::{CredentialId, ProjectId, UserId};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::delegation::refuse_credentials;
use crate::api::call::{self, Body, Call, Found, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{Schema, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Subject, Target};

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/credentials")
        .get(list)
        .answers(answers::pages(Collection::CREDENTIALS))
        .heeds("user_id", "Only those of this user.")
        .heeds("type", "Only those of this type.")
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::CREDENTIALS))
        .register(api);
    Routes::at("/v3/credentials/{credential_id}")
        .get(show)
        .answers(answers::one(Collection::CREDENTIALS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::CREDENTIALS))
        .delete(delete)
        .register(api);
}

fn new() -> Schema {
    object()
        .optional("id", text())
        .required("blob", text().secret())
        .optional("project_id", text().nullable())
        .required("type", text())
        .required("user_id", text())
}

static NEW: LazyLock<Schema> = LazyLock::new(|| object().required("credential", new()));

static NEW_EC2: LazyLock<Schema> =
    LazyLock::new(|| object().required("credential", new().requires("project_id")));

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let credential = object().required("blob", text().secret()).closed();
    object().required("credential", credential)
});

/// What a change has that it may not is told before what it lacks.
static PATCHABLE: LazyLock<Schema> = LazyLock::new(|| {
    let credential = object().optional("blob", text().secret()).closed();
    object().optional("credential", credential)
});

/// A credential as it is asked for.
#[derive(Deserialize)]
struct Wanted {
    user_id: UserId,
    project_id: Option<ProjectId>,
    #[serde(rename = "type")]
    kind: String,
    blob: String,
    #[serde(flatten)]
    extra: Extra,
}

impl Body for Wanted {
    fn read(json: &Value) -> Result<Self, ApiError> {
        let ec2 = json
            .pointer("/credential/type")
            .is_some_and(|kind| kind == "ec2");
        call::new_member(json, "credential", if ec2 { &NEW_EC2 } else { &NEW })
    }
}

impl Wanted {
    /// Neither user nor project has to exist, but both have to fit into their columns.
    fn require_short(&self) -> Result<(), ApiError> {
        let project = self.project_id.as_ref().map_or("", ProjectId::as_str);
        for (value, column, limit) in [
            (self.user_id.as_str(), "user_id", 64),
            (project, "project_id", 64),
            (self.kind.as_str(), "type", 255),
        ] {
            if value.chars().count() > limit {
                return Err(ApiError::too_long(value, column, limit));
            }
        }
        Ok(())
    }
}

/// A new secret.
#[derive(Deserialize)]
struct Patch {
    blob: String,
}

impl Body for Patch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        PATCHABLE.check(json)?;
        call::member(json, "credential", &PATCH)
    }
}

/// As v3 shows one; rules see it without the secret.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    extra: &'a Extra,
    id: &'a CredentialId,
    user_id: &'a UserId,
    project_id: Option<&'a ProjectId>,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<&'a str>,
}

impl<'a> From<&'a Credential> for Shown<'a> {
    fn from(credential: &'a Credential) -> Self {
        Self {
            extra: &credential.extra,
            id: &credential.id,
            user_id: &credential.user_id,
            project_id: credential.project_id.as_ref(),
            kind: &credential.kind,
            blob: Some(credential.blob.expose_secret()),
        }
    }
}

/// What a rule is to see of a credential.
pub(super) fn seen_credential(credential: &SealedCredential) -> Result<Value, ApiError> {
    seen(&Shown {
        extra: &credential.extra,
        id: &credential.id,
        user_id: &credential.user_id,
        project_id: credential.project_id.as_ref(),
        kind: &credential.kind,
        blob: None,
    })
}

/// Lists credentials: `GET /v3/credentials`. Those that the caller may not read are left out,
/// whichever the query names (A18).
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let own = call.caller.user_id();
    let target = match call.caller.system_scope() {
        None => Target::new().with("target.credential.user_id", own),
        Some(_) => Target::new(),
    };
    call.enforce(Rule::ListCredentials, target)?;
    let paging = call.paging_by_client()?;
    let filter = CredentialFilter {
        users: call.query.texts("user_id"),
        kinds: call.query.texts("type"),
    };
    let provider = &call.providers().credential;
    let mut visible = Vec::new();
    for credential in provider.read(ListCredentials { filter }).await? {
        let target = seen_credential(&credential)?;
        let target = Target::new().with("target.credential", &target);
        let readable = call.enforce(Rule::GetCredential, target).is_ok();
        if readable && refuse_credentials(&call, Some(&credential.kind)).is_ok() {
            visible.push(credential);
        }
    }
    let mut members = Vec::new();
    // Without one, no keys are needed.
    if !visible.is_empty() {
        let opener = provider.read(GetOpener).await?;
        // While an error can still be the answer: what is begun can only be broken off.
        for sealed in &visible {
            opener.check_key(sealed)?;
        }
        members.extend(visible.into_iter().map(|sealed| Sealed {
            sealed,
            opener: opener.clone(),
        }));
    }
    call.list_held(
        Collection::CREDENTIALS,
        members.into_iter(),
        &paging,
        sealed,
    )
}

/// One of a list, whose secret is opened when it is written.
struct Sealed {
    sealed: Arc<SealedCredential>,
    opener: Opener,
}

fn sealed(one: &Sealed) -> (&str, &Sealed) {
    (one.sealed.id.as_str(), one)
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let opened = self.opener.open(&self.sealed);
        let opened = opened.map_err(serde::ser::Error::custom)?;
        Shown::from(&opened).serialize(serializer)
    }
}

/// Creates a credential: `POST /v3/credentials`.
async fn create(call: Call<Wanted>) -> Result<HttpResponse, ApiError> {
    let asked = call.json().get("credential").unwrap_or(&Value::Null);
    let target = Target::new().with("target.credential", asked);
    call.enforce(Rule::CreateCredential, target)?;
    let wanted = &call.body;
    refuse_credentials(&call, Some(&wanted.kind))?;
    wanted.require_short()?;
    let token = &call.caller.token;
    let credential = NewCredential {
        user_id: wanted.user_id.clone(),
        project_id: wanted.project_id.clone(),
        kind: wanted.kind.clone(),
        blob: wanted.blob.as_str().into(),
        extra: wanted.extra.clone(),
        source: BlobSource {
            trust_id: token.trust.as_ref().map(|trust| trust.id.to_string()),
            app_cred_id: token
                .application_credential
                .as_ref()
                .map(|one| one.id.to_string()),
            access_token_id: token.access_token.clone(),
        },
    };
    let now = Utc::now().timestamp();
    let create = CreateCredential { credential, now };
    let credential = call.providers().credential.send(create).await?;
    call.notify(Kind::Credential, Operation::Created, credential.id.as_str());
    call.created(
        Collection::CREDENTIALS,
        credential.id.as_str(),
        Shown::from(&credential),
    )
}

/// Shows a credential: `GET /v3/credentials/{credential_id}`.
async fn show(call: Call, id: web::Path<CredentialId>) -> Result<HttpResponse, ApiError> {
    permit(&call, &id, Rule::GetCredential).await?;
    let get = GetCredential {
        id: id.into_inner(),
    };
    let credential = call.providers().credential.read(get).await?;
    call.one(
        Collection::CREDENTIALS,
        credential.id.as_str(),
        Shown::from(&credential),
    )
}

/// Changes the secret of a credential: `PATCH /v3/credentials/{credential_id}`.
async fn update(call: Call<Patch>, id: web::Path<CredentialId>) -> Result<HttpResponse, ApiError> {
    permit(&call, &id, Rule::UpdateCredential).await?;
    let update = UpdateCredential {
        id: id.into_inner(),
        blob: call.body.blob.as_str().into(),
        now: Utc::now().timestamp(),
    };
    let credential = call.providers().credential.send(update).await?;
    call.one(
        Collection::CREDENTIALS,
        credential.id.as_str(),
        Shown::from(&credential),
    )
}

/// Deletes a credential: `DELETE /v3/credentials/{credential_id}`.
async fn delete(call: Call, id: web::Path<CredentialId>) -> Result<HttpResponse, ApiError> {
    permit(&call, &id, Rule::DeleteCredential).await?;
    let delete = DeleteCredential { id: id.clone() };
    call.providers().credential.send(delete).await?;
    call.notify(Kind::Credential, Operation::Deleted, id.as_str());
    Ok(no_content())
}

/// Fails unless the caller may do to the credential what the rule guards. Whoever may not learns
/// nothing of whether there is one.
async fn permit<B>(call: &Call<B>, id: &CredentialId, rule: Rule) -> Result<(), ApiError> {
    let describe = DescribeCredential { id: id.clone() };
    let found = Found {
        name: "target.credential",
        result: call.providers().credential.read(describe).await,
        is_missing: |error| matches!(error, Error::NotFound(_)),
    };
    let found = call.enforce_found(rule, Target::new(), found, seen_credential)?;
    refuse_credentials(call, Some(&found.kind))
}
