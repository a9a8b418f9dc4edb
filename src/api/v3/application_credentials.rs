//! `/v3/users/{user_id}/application_credentials`: secrets by which programs log in as a user.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use keystone_actors::application_credential::{
    AccessRule, ApplicationCredential, CreateApplicationCredential, DeleteApplicationCredential,
    Error, GetApplicationCredential, ListApplicationCredentials, NewAccessRule,
    NewApplicationCredential, chosen_roles,
};
use keystone_actors::ids::{ApplicationCredentialId, RoleId, UserId};
use keystone_actors::role::{GetRoleGraph, Role, RoleGraph};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delegation::{
    RoleRef, expiry, refuse_application_credentials, require_unrestricted, role_ids, role_refs,
};
use crate::api::call::{self, Body, Call, no_content};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, array, boolean, object, text};
use crate::notify::{Kind, Operation};
use crate::policy::{Rule, Subject, Target};

/// What the columns of access rules hold. The schema lets through more, as Keystone's does.
const LONGEST_PATH: usize = 128;

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/users/{user_id}/application_credentials")
        .get(list)
        .heeds("name", "Only those of this name.")
        .answers(answers::list(Collection::APPLICATION_CREDENTIALS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::APPLICATION_CREDENTIALS))
        .register(api);
    Routes::at("/v3/users/{user_id}/application_credentials/{application_credential_id}")
        .get(show)
        .answers(answers::one(Collection::APPLICATION_CREDENTIALS))
        .delete(delete)
        .register(api);
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let methods = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
    let rule = object()
        .optional("id", schema::id())
        .optional("path", text().length(0, 225).pattern(r"^/\.*"))
        .optional("service", schema::id())
        .optional("method", text().one_of(methods.map(Value::from)))
        .closed();
    let credential = object()
        .optional("id", text())
        .optional("secret", text().nullable().secret())
        .required("name", schema::name())
        .optional("description", text().nullable())
        .optional("expires_at", text().nullable())
        .optional("project_id", text())
        .optional("access_rules", array(rule))
        .optional("unrestricted", boolean().nullable())
        .optional("system", text().nullable())
        .optional("roles", role_refs())
        .closed();
    object()
        .required("application_credential", credential)
        .closed()
});

/// An application credential as it is asked for.
#[derive(Deserialize)]
struct Wanted {
    name: String,
    description: Option<String>,
    secret: Option<SecretText>,
    expires_at: Option<String>,
    unrestricted: Option<bool>,
    #[serde(default)]
    roles: Vec<RoleRef>,
    #[serde(default)]
    access_rules: Vec<WantedRule>,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

#[derive(Clone, Deserialize)]
struct WantedRule {
    id: Option<String>,
    service: Option<String>,
    path: Option<String>,
    method: Option<String>,
}

impl Body for Wanted {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "application_credential", &NEW)
    }
}

impl WantedRule {
    /// Whether it means this rule: by its ID, or else by all that it says.
    fn is(&self, rule: &AccessRule) -> bool {
        match &self.id {
            Some(id) => *id == rule.id,
            None => {
                (&self.service, &self.path, &self.method)
                    == (&rule.service, &rule.path, &rule.method)
            }
        }
    }

    fn checked(&self) -> Result<NewAccessRule, ApiError> {
        if self.id.is_none() {
            let attributes = [
                ("service", &self.service),
                ("path", &self.path),
                ("method", &self.method),
            ];
            if let Some((name, _)) = attributes.into_iter().find(|(_, value)| value.is_none()) {
                return Err(ApiError::expecting(name, "access_rules"));
            }
        }
        if let Some(path) = self
            .path
            .as_ref()
            .filter(|it| it.chars().count() > LONGEST_PATH)
        {
            return Err(ApiError::too_long(path, "path", LONGEST_PATH));
        }
        Ok(NewAccessRule {
            id: self.id.clone(),
            service: self.service.clone(),
            path: self.path.clone(),
            method: self.method.clone(),
        })
    }
}

/// As v3 shows one.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a ApplicationCredentialId,
    name: &'a str,
    description: Option<&'a str>,
    user_id: &'a UserId,
    project_id: Option<&'a str>,
    system: Option<&'a str>,
    expires_at: Option<String>,
    unrestricted: Option<bool>,
    roles: Vec<&'a Role>,
    #[serde(skip_serializing_if = "<[AccessRule]>::is_empty")]
    access_rules: &'a [AccessRule],
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> Shown<'a> {
    /// Roles that are gone are left out.
    fn new(credential: &'a ApplicationCredential, graph: &'a RoleGraph) -> Self {
        let roles = credential.roles.iter();
        Self {
            id: &credential.id,
            name: &credential.name,
            description: credential.description.as_deref(),
            user_id: &credential.user_id,
            project_id: credential.project_id.as_ref().map(AsRef::as_ref),
            system: credential.system.as_deref(),
            expires_at: credential.expires_at_micros.map(time),
            unrestricted: credential.unrestricted_given,
            roles: roles
                .filter_map(|id| graph.get(id))
                .map(Arc::as_ref)
                .collect(),
            access_rules: &credential.access_rules,
            secret: None,
        }
    }
}

/// Without a zone, as Keystone shows this one.
fn time(micros: i64) -> String {
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// Lists a user's: `GET /v3/users/{user_id}/application_credentials`.
async fn list(call: Call, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let target = Target::new().with("user_id", user.as_str());
    call.enforce(Rule::ListApplicationCredentials, target)?;
    refuse_application_credentials(&call)?;
    let list = ListApplicationCredentials {
        user: user.into_inner(),
        name: call.query.texts("name"),
    };
    let providers = call.providers();
    let found = providers.application_credential.read(list).await?;
    let graph = providers.role.read(GetRoleGraph).await?;
    let members = found.into_iter().map(|credential| Listed {
        credential,
        graph: Arc::clone(&graph),
    });
    call.list_whole(Collection::APPLICATION_CREDENTIALS, members, listed)
}

/// One of a list, with the roles of which it has some.
struct Listed {
    credential: Arc<ApplicationCredential>,
    graph: Arc<RoleGraph>,
}

fn listed(one: &Listed) -> (&str, Shown<'_>) {
    let shown = Shown::new(&one.credential, &one.graph);
    (one.credential.id.as_str(), shown)
}

/// Creates one for oneself: `POST /v3/users/{user_id}/application_credentials`.
async fn create(call: Call<Wanted>, user: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let target = Target::new().with("user_id", user.as_str());
    call.enforce(Rule::CreateApplicationCredential, target)?;
    refuse_application_credentials(&call)?;
    require_unrestricted(&call)?;
    keep_access_rules(&call)?;
    if call.caller.user_id() != Some(user.as_str()) {
        return Err(ApiError::forbidden_action(
            "Cannot create an application credential for another user.",
        ));
    }
    let providers = call.providers();
    let graph = providers.role.read(GetRoleGraph).await?;
    let wanted = &call.body;
    let held: Vec<RoleId> = call
        .caller
        .token
        .roles
        .iter()
        .map(|role| role.id.clone())
        .collect();
    let roles = chosen_roles(&role_ids(&graph, &wanted.roles)?, &held, &graph)?;
    let expires_at_micros = match &wanted.expires_at {
        Some(text) => Some(expiry(text, Utc::now())?),
        None => None,
    };
    let rules = wanted.access_rules.iter().map(WantedRule::checked);
    let secret = wanted.secret.as_ref().map(|secret| secret.0.clone());
    let credential = NewApplicationCredential {
        name: wanted.name.clone(),
        description: wanted.description.clone(),
        user_id: user.into_inner(),
        project_id: call.caller.project_id().map(Into::into),
        expires_at_micros,
        unrestricted: wanted.unrestricted,
        // Keystone takes an empty one for none.
        secret: secret.filter(|secret| !secret.expose_secret().is_empty()),
        roles,
        access_rules: rules.collect::<Result<_, _>>()?,
    };
    let create = CreateApplicationCredential { credential };
    let made = providers.application_credential.send(create).await?;
    let shown = Shown {
        secret: Some(made.secret.expose_secret()),
        ..Shown::new(&made.credential, &graph)
    };
    call.notify(
        Kind::ApplicationCredential,
        Operation::Created,
        made.credential.id.as_str(),
    );
    call.created(
        Collection::APPLICATION_CREDENTIALS,
        made.credential.id.as_str(),
        shown,
    )
}

/// Fails where the caller's token has access rules, and the new application credential would do what
/// they do not allow: it may have these rules alone, and at least one of them.
fn keep_access_rules(call: &Call<Wanted>) -> Result<(), ApiError> {
    let own = call.caller.token.application_credential.as_ref();
    let own = own.map_or(&[][..], |credential| credential.access_rules.as_slice());
    let wanted = &call.body.access_rules;
    let within = |wanted: &WantedRule| own.iter().any(|rule| wanted.is(rule));
    match own.is_empty() || (!wanted.is_empty() && wanted.iter().all(within)) {
        true => Ok(()),
        false => Err(ApiError::forbidden_action(
            "An application credential with access rules makes others with some of the same \
             access rules only",
        )),
    }
}

/// Shows one: `GET /v3/users/{user_id}/application_credentials/{application_credential_id}`.
async fn show(
    call: Call,
    path: web::Path<(UserId, ApplicationCredentialId)>,
) -> Result<HttpResponse, ApiError> {
    let credential = permitted(&call, &path, Rule::GetApplicationCredential).await?;
    let graph = call.providers().role.read(GetRoleGraph).await?;
    call.one(
        Collection::APPLICATION_CREDENTIALS,
        credential.id.as_str(),
        Shown::new(&credential, &graph),
    )
}

/// Deletes one, and ends its tokens:
/// `DELETE /v3/users/{user_id}/application_credentials/{application_credential_id}`.
async fn delete(
    call: Call,
    path: web::Path<(UserId, ApplicationCredentialId)>,
) -> Result<HttpResponse, ApiError> {
    let credential = permitted(&call, &path, Rule::DeleteApplicationCredential).await?;
    require_unrestricted(&call)?;
    let delete = DeleteApplicationCredential {
        id: credential.id.clone(),
    };
    call.providers().application_credential.send(delete).await?;
    call.notify(
        Kind::ApplicationCredential,
        Operation::Deleted,
        credential.id.as_str(),
    );
    Ok(no_content())
}

/// The application credential, if the caller may do to it what the rule guards. Whose it is says
/// the credential, not the path (A17).
async fn permitted(
    call: &Call,
    (user, id): &(UserId, ApplicationCredentialId),
    rule: Rule,
) -> Result<Arc<ApplicationCredential>, ApiError> {
    let get = GetApplicationCredential { id: id.clone() };
    let found = match call.providers().application_credential.read(get).await {
        Err(error @ Error::NotFound(_)) => Err(error),
        answer => Ok(answer?),
    };
    let owner = found
        .as_ref()
        .map_or(user, |credential| &credential.user_id);
    call.enforce(rule, Target::new().with("user_id", owner.as_str()))?;
    refuse_application_credentials(call)?;
    Ok(found?)
}
