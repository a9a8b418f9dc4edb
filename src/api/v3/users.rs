//! `/v3/users`: people and services that log in.

use std::sync::{Arc, LazyLock};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, NaiveDateTime, Utc};
use keystone_actors::attributes::Extra;
use keystone_actors::identity::{
    ChangePassword, CreateUser, DeleteUser, DeletedUser, Error, ExpiryFilter, GetUser, GroupOfUser,
    ListUserGroups, ListUsers, NewUser, PasswordChange, Refusal, RevokeUserTokens, TimeComparison,
    UpdateUser, User, UserFilter, UserPatch, UserView,
};
use keystone_actors::ids::UserId;
use keystone_actors::listing::{Listed, TextFilter};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use super::fitting::require_fitting;
use super::shapes;
use crate::api::body::JsonBody;
use crate::api::call::{self, Body, Call, Found, no_content, seen};
use crate::api::error::{ApiError, MALFORMED};
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::query::{Paging, Query};
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, any, array, loose_boolean, nullable_boolean, object, text};
use crate::auth::{limits, refused};
use crate::node::Node;
use crate::notify::{self, Event, Initiator, Kind, Operation, Outcome, Reason};
use crate::policy::{Rule, Subject, Target};

/// What the filter `password_expires_at` means.
pub(super) const EXPIRY: &str =
    "Whose password expires then: `lt:` a time, `lte:`, `gt:`, `gte:`, `eq:` or `neq:`.";

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/users")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::USERS))
        .heeds("password_expires_at", EXPIRY)
        .heeds("protocol_id", "Who comes by this protocol.")
        .heeds("idp_id", "Who comes from this identity provider.")
        .heeds("unique_id", "Whom it knows by this ID.")
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::USERS))
        .register(api);
    Routes::at("/v3/users/{user_id}")
        .get(show)
        .answers(answers::one(Collection::USERS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::USERS))
        .delete(delete)
        .register(api);
    Routes::at("/v3/users/{user_id}/password")
        .post(change_password)
        .takes(&shapes::PASSWORDS)
        .does("Change the own password.")
        .public()
        .answers(answers::NOTHING)
        .answers(answers::error(429))
        .register(api);
    Routes::at("/v3/users/{user_id}/groups")
        .get(groups)
        .heeds("name", "Only groups of this name.")
        .answers(answers::pages(Collection::GROUPS))
        .register(api);
    Routes::at("/v3/users/{user_id}/tokens")
        .delete(revoke_tokens)
        .register(api);
}

fn attributes() -> Schema {
    let protocol = object()
        .required("protocol_id", text())
        .required("unique_id", text());
    let federated = object()
        .required("idp_id", text())
        .required("protocols", array(protocol).items(Some(1), None));
    object()
        .optional("domain_id", schema::id())
        .optional("default_project_id", text().nullable())
        .optional("description", schema::description())
        .optional("enabled", loose_boolean())
        .optional("federated", array(federated))
        .optional("name", schema::name())
        .optional("password", text().nullable().secret())
        .optional("options", options())
}

fn options() -> Schema {
    let rule = array(text()).items(Some(1), None).unique();
    object()
        .optional("ignore_change_password_upon_first_use", nullable_boolean())
        .optional("ignore_password_expiry", nullable_boolean())
        .optional("ignore_lockout_failure_attempts", nullable_boolean())
        .optional("lock_password", nullable_boolean())
        .optional("ignore_user_inactivity", nullable_boolean())
        .optional("multi_factor_auth_enabled", nullable_boolean())
        .optional("multi_factor_auth_rules", array(rule).unique().nullable())
        .closed()
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let user = attributes().requires("name");
    object().required("user", user).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let user = attributes().not_empty();
    object().required("user", user).closed()
});

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("domain_id", schema::id())
        .optional("enabled", loose_boolean())
        .optional("name", schema::name())
        .optional("marker", any())
        .optional("sort_dir", text().one_of(["asc".into(), "desc".into()]))
});

static PASSWORDS: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .required("original_password", text().secret())
        .required("password", text().secret())
        .closed()
});

impl Body for NewUser {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "user", &NEW)
    }
}

impl Body for UserPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "user", &PATCH)
    }
}

/// Lists users: `GET /v3/users`. A token of a domain sees the users of that domain alone.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let own = call.caller.domain_id();
    let target = Target::new().with_some("target.domain_id", own);
    call.enforce(Rule::ListUsers, target)?;
    let paging = call.paging(call.node().config.identity.list_limit)?;
    let mut filter = filter(&call.query)?;
    let of = listed_domain(&call)?;
    filter
        .domain_id
        .extend(of.into_iter().chain(own).map(TextFilter::equals));
    let page = paging.page.clone();
    let found = ListUsers { filter, page };
    let found = call.providers().identity.read(found).await?;
    answer_list(&call, found, &paging)
}

/// 200 and a list of users.
pub(super) fn answer_list(
    call: &Call,
    found: Listed<Arc<User>>,
    paging: &Paging,
) -> Result<HttpResponse, ApiError> {
    let now = Utc::now().timestamp();
    let members = found.members.into_iter().map(|user| Member { user, now });
    let (members, full) = (members.collect(), found.full);
    let found = Listed { members, full };
    call.list(Collection::USERS, found, paging, member_shown)
}

/// A user of a list, at this time.
struct Member {
    user: Arc<User>,
    now: i64,
}

fn member_shown(one: &Member) -> (&str, UserView<'_>) {
    (one.user.id.as_str(), one.user.list_view(one.now))
}

/// With `[identity] domain_specific_drivers_enabled` a list is of one domain: that of the query, or
/// else that of the token, whether it is scoped to a domain or to a project.
pub(super) fn listed_domain(call: &Call) -> Result<Option<&str>, ApiError> {
    if !call.node().config.identity.domain_specific_drivers_enabled {
        return Ok(None);
    }
    let asked = call.query.first("domain_id").filter(|id| !id.is_empty());
    let caller = &call.caller;
    let domain = asked.or(caller.domain_id()).or(caller.project_domain_id());
    if domain.is_none() && caller.system_scope().is_none() {
        return Err(ApiError::unauthenticated());
    }
    Ok(domain)
}

/// What users are narrowed by.
pub(super) fn filter(query: &Query) -> Result<UserFilter, ApiError> {
    // Of these Keystone heeds no comparator.
    let texts = |name: &str| query.compared(name).map(str::to_owned).collect();
    let expiry = query.compared("password_expires_at").map(expiry);
    Ok(UserFilter {
        name: query.texts("name"),
        domain_id: query.texts("domain_id"),
        enabled: query.booleans("enabled")?,
        password_expires_at: expiry.collect::<Result<_, _>>()?,
        idp_id: texts("idp_id"),
        protocol_id: texts("protocol_id"),
        unique_id: texts("unique_id"),
    })
}

/// `lt:2016-12-08T22:02:00Z`, or a time alone, which is to be met exactly.
fn expiry(text: &str) -> Result<ExpiryFilter, ApiError> {
    let (operator, time) = match text.split_once(':') {
        Some((operator, time)) if !operator.starts_with(|c: char| c.is_ascii_digit()) => {
            (operator, time)
        }
        _ => ("eq", text),
    };
    let comparison = TimeComparison::named(operator).ok_or_else(|| {
        let operator: String = operator.chars().take(64).collect();
        ApiError::bad_request(format!(
            "The given operator {operator} is not valid. It must be one of the following: 'eq', \
             'neq', 'lt', 'lte', 'gt', or 'gte'."
        ))
    })?;
    let parsed = DateTime::parse_from_rfc3339(time).map(|time| time.to_utc());
    let parsed = parsed.or_else(|_| {
        let day = format!("{time}T00:00");
        NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M"))
            .or_else(|_| NaiveDateTime::parse_from_str(&day, "%Y-%m-%dT%H:%M"))
            .map(|time| time.and_utc())
    });
    let time = parsed.map_err(|_| {
        ApiError::bad_request(format!("Timestamp not in expected format. {MALFORMED}"))
    })?;
    Ok(ExpiryFilter {
        comparison,
        time: time.timestamp_micros(),
    })
}

/// There need not be a default project, but its ID has to fit into the table.
fn require_fitting_project<B>(call: &Call<B>) -> Result<(), ApiError> {
    let place = "/user/default_project_id";
    require_fitting(call.json(), place, "default_project_id", 64)
}

/// Creates a user: `POST /v3/users`.
async fn create(call: Call<NewUser>) -> Result<HttpResponse, ApiError> {
    let asked = call.json().get("user").unwrap_or(&Value::Null);
    call.enforce(Rule::CreateUser, Target::new().with("target.user", asked))?;
    require_fitting_project(&call)?;
    let mut user = call.body.clone();
    user.domain_id.get_or_insert_with(|| call.own_domain());
    let now = Utc::now().timestamp();
    let user = call.providers().identity.send(CreateUser { user, now });
    let user = user.await?;
    call.notify(Kind::User, Operation::Created, user.id.as_str());
    call.created(Collection::USERS, user.id.as_str(), user.view(now))
}

/// Shows a user: `GET /v3/users/{user_id}`.
async fn show(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = permitted(&call, &id, Rule::GetUser).await?;
    let view = user.view(Utc::now().timestamp());
    call.one(Collection::USERS, user.id.as_str(), view)
}

/// The answer to a change shows the attributes of unknown name twice.
#[derive(Serialize)]
struct Changed<'a> {
    #[serde(flatten)]
    user: UserView<'a>,
    extra: &'a Extra,
}

/// Changes a user: `PATCH /v3/users/{user_id}`.
async fn update(call: Call<UserPatch>, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = permitted(&call, &id, Rule::UpdateUser).await?;
    call.require_same_id("user", user.id.as_str())?;
    if call.json().pointer("/user/id") == Some(&Value::Null) {
        return Err(ApiError::bad_request("Cannot change user ID"));
    }
    require_fitting_project(&call)?;
    let now = Utc::now().timestamp();
    let update = UpdateUser {
        id: user.id.clone(),
        patch: call.body.clone(),
        now,
    };
    let user = call.providers().identity.send(update).await?;
    call.notify(Kind::User, Operation::Updated, user.id.as_str());
    let shown = Changed {
        user: user.view(now),
        extra: &user.extra,
    };
    call.one(Collection::USERS, user.id.as_str(), shown)
}

/// Deletes a user and what depends on it: `DELETE /v3/users/{user_id}`.
async fn delete(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = permitted(&call, &id, Rule::DeleteUser).await?;
    let delete = DeleteUser {
        id: user.id.clone(),
        now: Utc::now().timestamp(),
    };
    let deleted = call.providers().identity.send(delete).await?;
    let own = notify::Subject::resource(Kind::User, Operation::Deleted, user.id.as_str());
    call.notify_all(gone_with(&deleted), [own]);
    Ok(no_content())
}

/// What went with a user and is told of before it.
pub(super) fn gone_with(user: &DeletedUser) -> impl Iterator<Item = notify::Subject> {
    let gone = |kind, id: &str| notify::Subject::resource(kind, Operation::Deleted, id);
    let credentials = user.application_credentials.iter();
    let credentials = credentials.map(move |id| gone(Kind::ApplicationCredential, id.as_str()));
    let rules = user.access_rules.iter();
    credentials.chain(rules.map(move |id| gone(Kind::AccessRule, id)))
}

/// The groups of a user: `GET /v3/users/{user_id}/groups`.
async fn groups(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = permitted(&call, &id, Rule::ListGroupsForUser).await?;
    let list = ListUserGroups {
        user: user.id.clone(),
        name: call.query.texts("name"),
        now: Utc::now().timestamp(),
    };
    let mut groups = call.providers().identity.read(list).await?;
    if let Some(own) = call.caller.domain_id() {
        groups.retain(|one| one.group.domain_id.as_str() == own);
    }
    let paging = call.paging(call.node().config.identity.list_limit)?;
    call.list_held(Collection::GROUPS, groups.into_iter(), &paging, group_shown)
}

fn group_shown(one: &GroupOfUser) -> (&str, &GroupOfUser) {
    (one.group.id.as_str(), one)
}

/// Ends all tokens of a user: `DELETE /v3/users/{user_id}/tokens`.
async fn revoke_tokens(call: Call, id: web::Path<UserId>) -> Result<HttpResponse, ApiError> {
    let user = permitted(&call, &id, Rule::RevokeTokensForUser).await?;
    let revoke = RevokeUserTokens {
        id: user.id.clone(),
        now: Utc::now().timestamp(),
    };
    call.providers().identity.send(revoke).await?;
    Ok(no_content())
}

/// The user, if the caller may do to it what the rule guards. Whoever may not learns nothing of
/// whether there is one.
pub(super) async fn permitted<B>(
    call: &Call<B>,
    id: &UserId,
    rule: Rule,
) -> Result<Arc<User>, ApiError> {
    let get = GetUser { id: id.clone() };
    let found = Found {
        name: "target.user",
        result: call.providers().identity.read(get).await,
        is_missing: |error| matches!(error, Error::UserNotFound(_)),
    };
    let target = Target::new().with("user_id", id.as_str());
    call.enforce_found(rule, target, found, |user| {
        seen(&user.view(Utc::now().timestamp()))
    })
}

/// A user's own change of the password: `POST /v3/users/{user_id}/password`. Needs no token, but
/// the present password, which may have expired. Whoever guesses at it is heard of, and limited, as at
/// a login.
async fn change_password(
    node: web::Data<Node>,
    request: HttpRequest,
    id: web::Path<UserId>,
    JsonBody(json): JsonBody,
) -> Result<HttpResponse, ApiError> {
    let nothing = Value::Object(serde_json::Map::new());
    let passwords = json.get("user").unwrap_or(&nothing);
    PASSWORDS.check_older(passwords)?;
    let password = |name| {
        let text = passwords.get(name).and_then(Value::as_str);
        SecretString::from(text.unwrap_or_default())
    };
    let (user, now) = (id.into_inner(), Utc::now().timestamp());
    limits::before_change(&node, &request, &user, now)?;
    let change = ChangePassword {
        user: user.clone(),
        original: password("original_password"),
        password: password("password"),
        now,
    };
    let changed = node.providers.identity.send(change).await;
    let auditors = Auditors {
        node: &node,
        initiator: Initiator {
            user_id: Some(user.as_str().chars().take(LONGEST_ID).collect()),
            ..call::initiator(&request)
        },
    };
    match changed {
        Ok(PasswordChange::Changed) => {
            auditors.hear_of_proof(Ok(()));
            auditors.hear_of_change(&user, None);
            Ok(no_content())
        }
        Ok(PasswordChange::Refused(refusal)) => {
            limits::after_refused_change(&node, &request, &user, now);
            let (told, heard) = refused_change(&node, &user, &refusal);
            auditors.hear_of_proof(Err(&heard));
            Err(told)
        }
        Err(error) => {
            let is_a_rule = matches!(
                error,
                Error::PasswordRequirements(_)
                    | Error::PasswordTooYoung { .. }
                    | Error::PasswordReused(_)
                    | Error::PasswordChangeDisabled
            );
            let is_known = is_a_rule || matches!(error, Error::PasswordTooLong(_));
            let error = ApiError::from(error);
            if is_known {
                auditors.hear_of_proof(Ok(()));
            }
            if is_a_rule {
                // The password was right and the new one is against the rules: auditors want to know.
                auditors.hear_of_change(&user, Some(&error));
            }
            Err(error)
        }
    }
}

/// The most characters of a user's ID that Keystone's tables hold.
const LONGEST_ID: usize = 64;

/// What a client is told whose password was not taken for a change, and what auditors hear of it.
fn refused_change(node: &Node, user: &UserId, refusal: &Refusal) -> (ApiError, String) {
    let (reason, heard) = match refusal {
        Refusal::Disabled => {
            // The password was right: its owner may know.
            let text = format!("The account is disabled for user: {user}.");
            return (ApiError::unauthenticated_as(text.clone()), text);
        }
        Refusal::Locked => (
            "account locked",
            Some(format!("The account is locked for user: {user}.")),
        ),
        Refusal::UnknownUser => ("unknown user", None),
        Refusal::WrongPassword | Refusal::PasswordExpired { .. } => ("wrong password", None),
    };
    tracing::info!(reason, "change of password refused");
    let heard = heard.unwrap_or_else(|| ApiError::unauthenticated().message().to_owned());
    (refused(node, &reason), heard)
}

/// Who hears of a user's own change of the password: first of who it was, as of a login, then of the
/// change.
struct Auditors<'a> {
    node: &'a Node,
    initiator: Initiator,
}

impl Auditors<'_> {
    /// Whether the present password was taken; if not, why.
    fn hear_of_proof(&self, proof: Result<(), &str>) {
        self.hear(Event {
            subject: notify::Subject::Authentication,
            initiator: self.initiator.clone(),
            outcome: match proof {
                Ok(()) => Outcome::Success,
                Err(_) => Outcome::Failure,
            },
            reason: proof.err().map(|text| Reason {
                code: StatusCode::UNAUTHORIZED.as_u16(),
                text: text.to_owned(),
            }),
        });
    }

    /// That the password changed, or which rule the new one breaks.
    fn hear_of_change(&self, user: &UserId, broken: Option<&ApiError>) {
        self.hear(Event {
            subject: notify::Subject::Resource {
                kind: Kind::User,
                operation: Operation::Updated,
                id: user.to_string(),
                actor: None,
            },
            initiator: self.initiator.clone(),
            outcome: Outcome::Success,
            reason: broken.map(|error| Reason {
                code: error.status().as_u16(),
                text: error.message().to_owned(),
            }),
        });
    }

    fn hear(&self, event: Event) {
        self.node.notifier.send(event);
    }
}
