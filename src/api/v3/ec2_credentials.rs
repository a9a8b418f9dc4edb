//! `/v3/users/{user_id}/credentials/OS-EC2`: keys with which users sign EC2 and S3 requests. They
//! are credentials of the type `ec2`, told by their access keys.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::attributes::Extra;
use keystone_actors::credential::{
    BlobSource, CreateCredential, Credential, CredentialFilter, DeleteCredential,
    DescribeCredential, Ec2Key, GetCredential, GetOpener, ListCredentials, NewCredential,
    SealedCredential, ec2_id,
};
use keystone_actors::identity::GetUser;
use keystone_actors::ids::{ProjectId, UserId, random_id};
use keystone_actors::resource::GetProject;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::credentials::seen_credential;
use super::delegation::refuse_ec2;
use super::shapes;
use crate::api::call::{self, Body, Call, no_content};
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Target};

const EC2: &str = "ec2";

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/users/{user_id}/credentials/OS-EC2")
        .get(list)
        .answers(answers::json(shapes::keys))
        .post(create)
        .takes(&shapes::NEW_KEY)
        .answers(answers::json(shapes::one_key).with_status(201))
        .register(api);
    Routes::at("/v3/users/{user_id}/credentials/OS-EC2/{credential_id}")
        .get(show)
        .answers(answers::json(shapes::one_key))
        .delete(delete)
        .register(api);
}

/// The project that a new key is for.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    tenant_id: Value,
}

impl Body for Wanted {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::from_json(json.clone())
    }
}

/// As v3 shows one, with links.
#[derive(Serialize)]
struct Shown {
    user_id: UserId,
    tenant_id: Option<ProjectId>,
    access: String,
    secret: String,
    trust_id: Option<String>,
    links: Value,
}

impl Shown {
    /// `None` for a credential that holds no key.
    fn new(base: &str, credential: &Credential) -> Option<Self> {
        let Ec2Key {
            access,
            secret,
            source,
        } = credential.ec2_key()?;
        let user = &credential.user_id;
        let url = format!("{base}/v3/users/{user}/credentials/OS-EC2/{access}");
        Some(Self {
            user_id: user.clone(),
            tenant_id: credential.project_id.clone(),
            access,
            secret: secret.expose_secret().to_owned(),
            trust_id: source.trust_id,
            links: call::self_link(url),
        })
    }
}

/// Lists a user's: `GET /v3/users/{user_id}/credentials/OS-EC2`.
async fn list(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let target = Target::new().with("user_id", user.as_str());
    call.enforce(Rule::Ec2ListCredentials, target)?;
    refuse_ec2(&call)?;
    let filter = CredentialFilter::of_user(&user, Some(EC2));
    require_user(&call, user.into_inner()).await?;
    let provider = &call.providers().credential;
    let credentials = provider.read(ListCredentials { filter }).await?;
    let base = call.base();
    let mut shown = Vec::new();
    // Without one, no keys are needed.
    if !credentials.is_empty() {
        let opener = provider.read(GetOpener).await?;
        for sealed in &credentials {
            shown.extend(Shown::new(&base, &opener.open(sealed)?));
        }
    }
    call.stream("credentials", shown.into_iter())
}

/// Makes a key for a project: `POST /v3/users/{user_id}/credentials/OS-EC2`.
async fn create(call: Call<Wanted>, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let target = Target::new()
        .with("user_id", user.as_str())
        .with("target.credential.user_id", user.as_str());
    call.enforce(Rule::Ec2CreateCredential, target)?;
    let user = user.into_inner();
    require_user(&call, user.clone()).await?;
    let project = match &call.body.tenant_id {
        Value::String(id) => id.as_str(),
        _ => "None",
    };
    let project = GetProject { id: project.into() };
    let project = call.providers().resource.read(project).await?.id.clone();
    refuse_ec2(&call)?;
    // As Python writes JSON, for `/v3/credentials` shows it as it is.
    let blob = format!(
        r#"{{"access": "{}", "secret": "{}", "trust_id": null}}"#,
        random_id(),
        random_id()
    );
    let create = CreateCredential {
        credential: NewCredential {
            user_id: user,
            project_id: Some(project),
            kind: EC2.to_owned(),
            blob: blob.into(),
            extra: Extra::new(),
            source: BlobSource::default(),
        },
        now: Utc::now().timestamp(),
    };
    let made = call.providers().credential.send(create).await?;
    call.notify(Kind::Credential, Operation::Created, made.id.as_str());
    let shown = Shown::new(&call.base(), &made).ok_or_else(not_a_key)?;
    call::answer(
        actix_web::http::StatusCode::CREATED,
        &json!({ "credential": shown }),
    )
}

/// Shows one: `GET /v3/users/{user_id}/credentials/OS-EC2/{credential_id}`.
async fn show(call: Call, path: web::Path<(UserId, String)>) -> Result<HttpResponse, ApiError> {
    let sealed = permitted(&call, path.into_inner(), Rule::Ec2GetCredential).await?;
    let get = GetCredential {
        id: sealed.id.clone(),
    };
    let credential = call.providers().credential.read(get).await?;
    let shown = Shown::new(&call.base(), &credential).ok_or_else(not_a_key)?;
    call::answer(
        actix_web::http::StatusCode::OK,
        &json!({ "credential": shown }),
    )
}

/// Deletes one: `DELETE /v3/users/{user_id}/credentials/OS-EC2/{credential_id}`.
async fn delete(call: Call, path: web::Path<(UserId, String)>) -> Result<HttpResponse, ApiError> {
    let sealed = permitted(&call, path.into_inner(), Rule::Ec2DeleteCredential).await?;
    let delete = DeleteCredential {
        id: sealed.id.clone(),
    };
    call.providers().credential.send(delete).await?;
    call.notify(Kind::Credential, Operation::Deleted, sealed.id.as_str());
    Ok(no_content())
}

/// The credential of an access key, if the caller may do to it what the rule guards. Whoever has a
/// token learns whether there is one, as in Keystone.
async fn permitted(
    call: &Call,
    (user, access): (UserId, String),
    rule: Rule,
) -> Result<Arc<SealedCredential>, ApiError> {
    let describe = DescribeCredential {
        id: ec2_id(&access),
    };
    let sealed = call.providers().credential.read(describe).await?;
    let shown = seen_credential(&sealed)?;
    let target = Target::new()
        .with("user_id", user.as_str())
        .with("target.credential", &shown);
    call.enforce(rule, target)?;
    require_user(call, user).await?;
    if sealed.kind != EC2 {
        return Err(not_a_key());
    }
    refuse_ec2(call)?;
    Ok(sealed)
}

/// The user of the path has to exist; whose the key is is another question.
async fn require_user<B>(call: &Call<B>, id: UserId) -> Result<(), ApiError> {
    call.providers().identity.read(GetUser { id }).await?;
    Ok(())
}

fn not_a_key() -> ApiError {
    ApiError::unauthenticated()
}
