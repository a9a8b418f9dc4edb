//! `/v3/groups`: groups of users.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpResponse, web};
use chrono::Utc;
use keystone_actors::identity::{
    AddUserToGroup, CheckUserInGroup, CreateGroup, DeleteGroup, Error, GetGroup, GetUser, Group,
    GroupFilter, GroupPatch, ListGroups, ListUsersInGroup, NewGroup, RemoveUserFromGroup,
    UpdateGroup, User, UserFilter,
};
use keystone_actors::ids::{GroupId, UserId};
use keystone_actors::listing::{Listed, Page, TextFilter};
use serde_json::Value;

use super::users;
use crate::api::call::{self, Body, Call, Found, no_content, seen};
use crate::api::error::ApiError;
use crate::api::links::Collection;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::api::schema::{self, Schema, object, text};
use crate::notify::{self, Actor, Kind, Operation};
use crate::policy::{Rule, Subject, Target};

/// Members of a group that are read at a time: with the one that shows whether there are more, what the
/// provider reads at once.
const AT_A_TIME: usize = 999;

/// Routes them.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/groups")
        .get(list)
        .asks(&QUERY)
        .answers(answers::pages(Collection::GROUPS))
        .post(create)
        .takes(&NEW)
        .answers(answers::created(Collection::GROUPS))
        .register(api);
    Routes::at("/v3/groups/{group_id}")
        .get(show)
        .answers(answers::one(Collection::GROUPS))
        .patch(update)
        .takes(&PATCH)
        .answers(answers::one(Collection::GROUPS))
        .delete(delete)
        .register(api);
    Routes::at("/v3/groups/{group_id}/users")
        .get(members)
        .heeds("name", "Only users of this name.")
        .heeds("enabled", "Only those that are enabled, or not.")
        .heeds("domain_id", "Only those of this domain.")
        .heeds("password_expires_at", users::EXPIRY)
        .answers(answers::pages(Collection::USERS))
        .register(api);
    Routes::at("/v3/groups/{group_id}/users/{user_id}")
        .get(check)
        .answers(answers::NOTHING)
        .put(add)
        .delete(remove)
        .register(api);
}

static NEW: LazyLock<Schema> = LazyLock::new(|| {
    let group = object()
        .optional("description", schema::description())
        .optional("domain_id", schema::id())
        .required("name", schema::name());
    object().required("group", group).closed()
});

static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let group = object()
        .optional("description", schema::description())
        .optional("name", schema::name())
        .not_empty();
    object().required("group", group).closed()
});

static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object()
        .optional("domain_id", schema::id())
        .optional("name", schema::name())
        .optional("sort_dir", text().one_of(["asc".into(), "desc".into()]))
});

impl Body for NewGroup {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::new_member(json, "group", &NEW)
    }
}

impl Body for GroupPatch {
    fn read(json: &Value) -> Result<Self, ApiError> {
        call::member(json, "group", &PATCH)
    }
}

/// The most characters of a group's name that Keystone's tables hold.
const LONGEST_NAME: usize = 64;

fn fits(name: &str) -> Result<(), ApiError> {
    let name = name.trim();
    if name.chars().count() > LONGEST_NAME {
        return Err(ApiError::too_long(name, "name", LONGEST_NAME));
    }
    Ok(())
}

/// Lists groups: `GET /v3/groups`. A token of a domain sees the groups of that domain alone.
async fn list(call: Call) -> Result<HttpResponse, ApiError> {
    let own = call.caller.domain_id();
    let target = Target::new().with_some("target.group.domain_id", own);
    call.enforce(Rule::ListGroups, target)?;
    let paging = call.paging(call.node().config.identity.list_limit)?;
    let mut filter = GroupFilter {
        name: call.query.texts("name"),
        domain_id: call.query.texts("domain_id"),
    };
    let of = users::listed_domain(&call)?;
    filter
        .domain_id
        .extend(of.into_iter().chain(own).map(TextFilter::equals));
    let page = paging.page.clone();
    let list = ListGroups { filter, page };
    let found = call.providers().identity.read(list).await?;
    call.list(Collection::GROUPS, found, &paging, shown)
}

fn shown(group: &Group) -> (&str, &Group) {
    (group.id.as_str(), group)
}

/// Creates a group: `POST /v3/groups`.
async fn create(call: Call<NewGroup>) -> Result<HttpResponse, ApiError> {
    let asked = call.json().get("group").unwrap_or(&Value::Null);
    call.enforce(Rule::CreateGroup, Target::new().with("target.group", asked))?;
    let mut group = call.body.clone();
    fits(&group.name)?;
    group.domain_id.get_or_insert_with(|| call.own_domain());
    let group = call
        .providers()
        .identity
        .send(CreateGroup { group })
        .await?;
    call.notify(Kind::Group, Operation::Created, group.id.as_str());
    call.created(Collection::GROUPS, group.id.as_str(), &*group)
}

/// Shows a group: `GET /v3/groups/{group_id}`.
async fn show(call: Call, id: web::Path<GroupId>) -> Result<HttpResponse, ApiError> {
    let group = permitted(&call, &id, Rule::GetGroup).await?;
    call.one(Collection::GROUPS, group.id.as_str(), &*group)
}

/// Changes a group: `PATCH /v3/groups/{group_id}`.
async fn update(call: Call<GroupPatch>, id: web::Path<GroupId>) -> Result<HttpResponse, ApiError> {
    let group = permitted(&call, &id, Rule::UpdateGroup).await?;
    call.require_same_id("group", group.id.as_str())?;
    call.body.name.as_deref().map_or(Ok(()), fits)?;
    let update = UpdateGroup {
        id: group.id.clone(),
        patch: call.body.clone(),
    };
    let group = call.providers().identity.send(update).await?;
    call.notify(Kind::Group, Operation::Updated, group.id.as_str());
    call.one(Collection::GROUPS, group.id.as_str(), &*group)
}

/// Deletes a group and what depends on it: `DELETE /v3/groups/{group_id}`.
async fn delete(call: Call, id: web::Path<GroupId>) -> Result<HttpResponse, ApiError> {
    // Whoever has a token learns here whether there is such a group, as in Keystone.
    let get = GetGroup { id: id.clone() };
    let group = call.providers().identity.read(get).await?;
    let shown = seen(&*group)?;
    call.enforce(
        Rule::DeleteGroup,
        Target::new().with("target.group", &shown),
    )?;
    let delete = DeleteGroup {
        id: group.id.clone(),
        now: Utc::now().timestamp(),
    };
    call.providers().identity.send(delete).await?;
    call.notify(Kind::Group, Operation::Deleted, group.id.as_str());
    Ok(no_content())
}

/// The users in a group: `GET /v3/groups/{group_id}/users`, all of them where nobody asks for pages.
/// Memberships that expire do not count.
async fn members(call: Call, id: web::Path<GroupId>) -> Result<HttpResponse, ApiError> {
    let group = permitted(&call, &id, Rule::ListUsersInGroup).await?;
    let paging = call.paging(call.node().config.identity.list_limit)?;
    let mut filter = UserFilter {
        // Keystone does not heed these here.
        idp_id: Vec::new(),
        protocol_id: Vec::new(),
        unique_id: Vec::new(),
        ..users::filter(&call.query)?
    };
    let own = call.caller.domain_id();
    filter.domain_id.extend(own.map(TextFilter::equals));
    let found = read_members(&call, &group.id, filter, paging.page_of_whole()).await?;
    users::answer_list(&call, found, &paging)
}

/// This page of a group's members, however long: so many at a time, so that no deadline counts for the
/// whole.
async fn read_members(
    call: &Call,
    group: &GroupId,
    filter: UserFilter,
    page: Page,
) -> Result<Listed<Arc<User>>, Error> {
    let most = page.limit.unwrap_or(usize::MAX);
    let mut marker = page.marker;
    let mut members: Vec<Arc<User>> = Vec::new();
    loop {
        let list = ListUsersInGroup {
            group: group.clone(),
            filter: filter.clone(),
            page: Page {
                marker: marker.take(),
                limit: Some(AT_A_TIME.min(most - members.len())),
            },
            after: members.last().map(|last| last.id.clone()),
        };
        let found = call.providers().identity.read(list).await?;
        members.extend(found.members);
        if !found.full || members.len() >= most {
            let full = found.full;
            return Ok(Listed { members, full });
        }
    }
}

/// Whether a user is in a group: `GET /v3/groups/{group_id}/users/{user_id}`.
async fn check(call: Call, path: web::Path<(GroupId, UserId)>) -> Result<HttpResponse, ApiError> {
    let (group, user) = membership(&call, path, Rule::CheckUserInGroup).await?;
    let now = Utc::now().timestamp();
    let check = CheckUserInGroup { group, user, now };
    call.providers().identity.read(check).await?;
    Ok(no_content())
}

/// Puts a user into a group: `PUT /v3/groups/{group_id}/users/{user_id}`.
async fn add(call: Call, path: web::Path<(GroupId, UserId)>) -> Result<HttpResponse, ApiError> {
    let (group, user) = membership(&call, path, Rule::AddUserToGroup).await?;
    let add = AddUserToGroup {
        group: group.clone(),
        user: user.clone(),
    };
    call.providers().identity.send(add).await?;
    tell(&call, &group, &user, true);
    Ok(no_content())
}

/// Takes a user out of a group: `DELETE /v3/groups/{group_id}/users/{user_id}`.
async fn remove(call: Call, path: web::Path<(GroupId, UserId)>) -> Result<HttpResponse, ApiError> {
    let (group, user) = membership(&call, path, Rule::RemoveUserFromGroup).await?;
    let now = Utc::now().timestamp();
    let remove = RemoveUserFromGroup {
        group: group.clone(),
        user: user.clone(),
        now,
    };
    call.providers().identity.send(remove).await?;
    tell(&call, &group, &user, false);
    Ok(no_content())
}

/// Whoever comes or goes, it is the group that changed.
fn tell(call: &Call, group: &GroupId, user: &UserId, added: bool) {
    call.tell(notify::Subject::Resource {
        kind: Kind::Group,
        operation: Operation::Updated,
        id: group.to_string(),
        actor: Some(Actor {
            user_id: user.to_string(),
            added,
        }),
    });
}

/// The group, if the caller may do to it what the rule guards. Whoever may not learns nothing of
/// whether there is one.
async fn permitted<B>(call: &Call<B>, id: &GroupId, rule: Rule) -> Result<Arc<Group>, ApiError> {
    let get = GetGroup { id: id.clone() };
    let found = Found {
        name: "target.group",
        result: call.providers().identity.read(get).await,
        is_missing: |error| matches!(error, Error::GroupNotFound(_)),
    };
    call.enforce_found(rule, Target::new(), found, seen)
}

/// The two of a membership, if the caller may do this to it. That both exist is the provider's to
/// find out.
async fn membership(
    call: &Call,
    path: web::Path<(GroupId, UserId)>,
    rule: Rule,
) -> Result<(GroupId, UserId), ApiError> {
    let (group, user) = path.into_inner();
    let identity = &call.providers().identity;
    let found = identity.read(GetGroup { id: group.clone() }).await;
    let group_seen = match found {
        Ok(group) => Some(seen(&*group)?),
        Err(Error::GroupNotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let found = identity.read(GetUser { id: user.clone() }).await;
    let user_seen = match found {
        Ok(user) => Some(seen(&user.view(Utc::now().timestamp()))?),
        Err(Error::UserNotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let mut target = Target::new();
    if let Some(shown) = &group_seen {
        target = target.with("target.group", shown);
    }
    if let Some(shown) = &user_seen {
        target = target.with("target.user", shown);
    }
    call.enforce(rule, target)?;
    Ok((group, user))
}
