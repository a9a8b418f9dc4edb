//! A call of the API: who asks, what for, and how the answer is written.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use keystone_actors::ids::DomainId;
use keystone_actors::listing::Listed;
use keystone_actors::providers::Providers;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::body::JsonBody;
use super::caller::Caller;
use super::context::{RequestId, base_url, client_address, global_id};
use super::error::ApiError;
use super::links::{Collection, Linked, List, own_url};
use super::query::{Paging, Query};
use super::schema::Schema;
use super::stream;
use crate::node::Node;
use crate::notify::{Event, Initiator, Kind, Operation, Outcome, Subject};
use crate::policy::{Rule, Subject as _, Target};

/// A request by the bearer of a good token. Its body was read and checked before the token was
/// looked at, as Keystone does it: a malformed body is 400, whoever sends it.
pub struct Call<B = Nothing> {
    /// The body.
    pub body: B,
    /// Who asks.
    pub caller: Caller,
    /// The parameters of the query.
    pub query: Query,
    json: Value,
    node: web::Data<Node>,
    request: HttpRequest,
}

/// What can be read from a request's body.
pub trait Body: Sized + 'static {
    /// Reads it.
    ///
    /// # Errors
    /// 400 when it is not as it should be.
    fn read(json: &Value) -> Result<Self, ApiError>;
}

/// No body, or one that does not matter.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Body for Nothing {
    fn read(_: &Value) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// Whether nobody sets this attribute: the server gives an ID to new things and the path has it of
/// others, links are its own, and `extra` is its word for all that it does not know, but of people.
fn is_own(name: &str, member: &str) -> bool {
    match name {
        "id" | "links" => true,
        "extra" => !matches!(member, "user" | "group"),
        _ => false,
    }
}

/// The one member of a body, `{"role": {…}}`, checked with the schema of the whole; without what
/// nobody sets.
///
/// # Errors
/// 400, in the words of the schema.
pub fn member<T: DeserializeOwned>(
    json: &Value,
    name: &str,
    schema: &Schema,
) -> Result<T, ApiError> {
    schema.check(json)?;
    let Some(Value::Object(attributes)) = json.get(name) else {
        return from_json(Value::Null);
    };
    require_links(attributes)?;
    let set = attributes.iter().filter(|(one, _)| !is_own(one, name));
    let set = set.map(|(one, value)| (one.clone(), value.clone()));
    from_json(Value::Object(set.collect()))
}

/// The same for something new: `-` and `:` in the names of attributes become `_`, as Keystone
/// stores them.
///
/// # Errors
/// 400, in the words of the schema.
pub fn new_member<T: DeserializeOwned>(
    json: &Value,
    name: &str,
    schema: &Schema,
) -> Result<T, ApiError> {
    schema.check(json)?;
    let Some(Value::Object(attributes)) = json.get(name) else {
        return from_json(Value::Null);
    };
    require_links(attributes)?;
    let set = attributes.iter();
    let set = set.map(|(one, value)| (one.replace(['-', ':'], "_"), value.clone()));
    let set = set.filter(|(one, _)| !is_own(one, name));
    from_json(Value::Object(set.collect()))
}

/// Links that a client sends back with the rest are objects; Keystone stumbles over others.
fn require_links(attributes: &Map<String, Value>) -> Result<(), ApiError> {
    match attributes.get("links") {
        None | Some(Value::Object(_)) => Ok(()),
        Some(_) => Err(ApiError::bad_request(super::error::MALFORMED)),
    }
}

/// A value that a schema has let through. What fails here kills the request in Keystone (a text in
/// `enabled`, say); what was wrong is not repeated, since it may be a secret.
pub fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|error| {
        tracing::debug!(category = ?error.classify(), "a body of the right shape can't be read");
        ApiError::bad_request(super::error::MALFORMED)
    })
}

impl<B: Body> FromRequest for Call<B> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = JsonBody::from_request(request, payload);
        let caller = Caller::from_request(request, &mut Payload::None);
        let request = request.clone();
        Box::pin(async move {
            let JsonBody(json) = body.await?;
            let body = B::read(&json)?;
            let caller = caller.await?;
            let node = request.app_data::<web::Data<Node>>().cloned();
            let node = node.ok_or_else(ApiError::unauthenticated)?;
            Ok(Self {
                body,
                caller,
                query: Query::parse(request.query_string()),
                json,
                node,
                request,
            })
        })
    }
}

impl<B> Call<B> {
    /// This node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// All providers.
    pub fn providers(&self) -> &Providers {
        &self.node.providers
    }

    /// The body as it came.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The request.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The URL under which the client knows this server.
    pub fn base(&self) -> String {
        base_url(&self.request)
    }

    /// Fails unless policy lets the caller do this to the target. Body and query are seen below
    /// `request_body` and `filter_attr`.
    ///
    /// # Errors
    /// 403 that names the rule.
    pub fn enforce(&self, rule: Rule, target: Target<'_>) -> Result<(), ApiError> {
        let mut target = target.with_body(&self.json);
        for (name, value) in self.query.pairs() {
            target = target.with_query(name, value);
        }
        self.caller.enforce(&self.node, rule, &target)
    }

    /// What was looked for, if policy lets the caller do this to it. Whoever may not learns nothing
    /// of whether there is one: the rule is asked of what is missing, too, and before that is told.
    ///
    /// `target` is what is known without it, `seen` gives the attributes that rules see.
    ///
    /// # Errors
    /// 403 that names the rule, then 404; and whatever else the look-up failed with.
    pub fn enforce_found<T, E: Into<ApiError>>(
        &self,
        rule: Rule,
        target: Target<'_>,
        found: Found<T, E>,
        seen: impl FnOnce(&T) -> Result<Value, ApiError>,
    ) -> Result<Arc<T>, ApiError> {
        let shown = match &found.result {
            Ok(resource) => Some(seen(resource)?),
            Err(error) if (found.is_missing)(error) => None,
            Err(_) => return found.result.map_err(Into::into),
        };
        self.enforce(rule, target.with_some(found.name, shown.as_ref()))?;
        found.result.map_err(Into::into)
    }

    /// Tells whoever listens of a change that the caller made.
    pub fn notify(&self, kind: Kind, operation: Operation, id: impl Into<String>) {
        self.tell(Subject::Resource {
            kind,
            operation,
            id: id.into(),
            actor: None,
        });
    }

    /// The same of any subject.
    pub fn tell(&self, subject: Subject) {
        self.tell_how(subject, Outcome::Success);
    }

    /// The same, and how it ended.
    pub fn tell_how(&self, subject: Subject, outcome: Outcome) {
        let initiator = Initiator {
            user_id: self.caller.user_id().map(str::to_owned),
            project_id: self.caller.project_id().map(str::to_owned),
            domain_id: self.caller.domain_id().map(str::to_owned),
            ..initiator(&self.request)
        };
        self.node.notifier.send(Event {
            subject,
            initiator,
            outcome,
            reason: None,
        });
    }

    /// Fails if the body's member of this name has another `id` than the path.
    ///
    /// # Errors
    /// 400.
    pub fn require_same_id(&self, member: &str, id: &str) -> Result<(), ApiError> {
        let given = self.json.get(member).and_then(|member| member.get("id"));
        match given {
            Some(given) if !given.is_null() && given != id => {
                Err(ApiError::bad_request("Cannot change ID"))
            }
            _ => Ok(()),
        }
    }

    /// The domain of things that are made without one: the token's, else the default domain
    /// (`[identity] default_domain_id`).
    pub fn own_domain(&self) -> DomainId {
        let domain = self.caller.domain_id();
        domain
            .unwrap_or(&self.node.config.identity.default_domain_id)
            .into()
    }

    /// The page that is asked for; `list_limit` is that of the section.
    ///
    /// # Errors
    /// 400 when `limit` is no number.
    pub fn paging(&self, list_limit: Option<u64>) -> Result<Paging, ApiError> {
        let default = &self.node.config.default;
        let set = |limit: Option<u64>| limit.filter(|limit| *limit > 0);
        let limit = set(list_limit).or(set(default.list_limit));
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        self.query
            .paging(limit.map(size), size(default.max_db_limit))
    }

    /// 201 and several new resources, without the links of a list; `show` as in [`Self::list`].
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn created_all<'a, T, V: Serialize>(
        &self,
        collection: Collection,
        created: &'a [T],
        show: impl Fn(&'a T) -> (&'a str, V),
    ) -> Result<HttpResponse, ApiError> {
        let base = self.base();
        let created = created.iter().map(|resource| {
            let (id, shown) = show(resource);
            Linked::new(&base, collection, id, shown)
        });
        let created: Vec<_> = created.collect();
        answer(StatusCode::CREATED, &Member(collection.list, created))
    }

    /// 200 and one resource: `{"role": {…, "links": {…}}}`.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn one(
        &self,
        collection: Collection,
        id: &str,
        resource: impl Serialize,
    ) -> Result<HttpResponse, ApiError> {
        self.answer(StatusCode::OK, collection, id, resource)
    }

    /// 201 and the new resource.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn created(
        &self,
        collection: Collection,
        id: &str,
        resource: impl Serialize,
    ) -> Result<HttpResponse, ApiError> {
        self.answer(StatusCode::CREATED, collection, id, resource)
    }

    fn answer(
        &self,
        status: StatusCode,
        collection: Collection,
        id: &str,
        resource: impl Serialize,
    ) -> Result<HttpResponse, ApiError> {
        let linked = Linked::new(&self.base(), collection, id, resource);
        answer(status, &Member(collection.member, linked))
    }

    /// 200 and a list; `show` gives a member's ID and how it is shown.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn list<'a, T, V: Serialize>(
        &self,
        collection: Collection,
        found: &'a Listed<T>,
        paging: &Paging,
        show: impl Fn(&'a T) -> (&'a str, V) + Clone,
    ) -> Result<HttpResponse, ApiError> {
        let truncated = found.full && paging.is_asked();
        let base = &self.base();
        let url = own_url(&self.request, base);
        let last = found.members.last().map(|last| show(last).0);
        let next = if truncated {
            self.query.next(paging, last)
        } else {
            None
        };
        let members = found.members.iter().map(|member| {
            let (id, shown) = show(member);
            Linked::listed(base, collection, id, shown)
        });
        let path = url.split('?').next().unwrap_or_default();
        answer(
            StatusCode::OK,
            &List {
                name: collection.list,
                members,
                next: next.map(|query| format!("{path}?{query}")),
                url,
                truncated,
            },
        )
    }

    /// 200 and the page that is asked for of a list that the server holds whole; `list_limit` is
    /// that of the section, `show` as in [`Self::list`].
    ///
    /// # Errors
    /// 400 when `limit` is no number, 404 when the marker is no member, 500 when it can't be
    /// written.
    pub fn list_held<'a, T: 'a, V: Serialize>(
        &self,
        collection: Collection,
        members: impl Iterator<Item = &'a T>,
        list_limit: Option<u64>,
        show: impl Fn(&'a T) -> (&'a str, V) + Clone,
    ) -> Result<HttpResponse, ApiError> {
        let paging = self.paging(list_limit)?;
        let (members, full) = paging.cut(members.collect(), |member: &&'a T| show(*member).0)?;
        let found = Listed { members, full };
        self.list(collection, &found, &paging, |member: &&'a T| show(*member))
    }

    /// 200 and a whole list, of which Keystone has no pages; `show` as in [`Self::list`].
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn list_whole<'a, T: 'a, V: Serialize>(
        &self,
        collection: Collection,
        members: impl Iterator<Item = &'a T>,
        show: impl Fn(&'a T) -> (&'a str, V) + Clone,
    ) -> Result<HttpResponse, ApiError> {
        let (members, full) = (members.collect(), false);
        let found = Listed { members, full };
        let show = |member: &&'a T| show(*member);
        self.list(collection, &found, &Paging::default(), show)
    }

    /// 200 and a whole list, of members that are shown as they are, each made when it is written:
    /// [`stream::list`].
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn stream<I>(&self, name: &str, members: I) -> Result<HttpResponse, ApiError>
    where
        I: Iterator + Unpin + 'static,
        I::Item: Serialize,
    {
        let url = own_url(&self.request, &self.base());
        stream::list(self.request.version(), name, members, &url)
    }

    /// 200 and a whole list, of members that are shown as they are.
    ///
    /// # Errors
    /// 500 when it can't be written.
    pub fn plain_list(
        &self,
        name: &'static str,
        members: &[impl Serialize],
    ) -> Result<HttpResponse, ApiError> {
        answer(
            StatusCode::OK,
            &List {
                name,
                members,
                url: own_url(&self.request, &self.base()),
                next: None,
                truncated: false,
            },
        )
    }
}

struct Member<T>(&'static str, T);

impl<T: Serialize> Serialize for Member<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, &self.1)])
    }
}

/// An answer in JSON.
///
/// # Errors
/// 500 when it can't be written: a defect of ours.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let body = serde_json::to_vec(body).map_err(|error| ApiError::internal(&error))?;
    Ok(HttpResponse::build(status)
        .insert_header(ContentType::json())
        .body(body))
}

/// Who sends this request, as far as the connection tells.
pub fn initiator(request: &HttpRequest) -> Initiator {
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    let id = request.extensions().get::<RequestId>().cloned();
    Initiator {
        address: client_address(request).map(|address| address.to_string()),
        // What a client says of itself is bounded.
        agent: agent.map(|agent| agent.chars().take(256).collect()),
        request_id: id.map(|id| id.0.to_string()),
        global_request_id: global_id(request.headers()).map(str::to_owned),
        ..Initiator::default()
    }
}

/// 204.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// What a rule is to see of a resource, all its attributes.
///
/// # Errors
/// 500 when it can't be written: a defect of ours.
pub fn seen(resource: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(resource).map_err(|error| ApiError::internal(&error))
}

/// What a look-up gave, for [`Call::enforce_found`].
#[derive(Debug)]
pub struct Found<T, E> {
    /// Below which rules see it: `target.user`.
    pub name: &'static str,
    /// What the provider said.
    pub result: Result<Arc<T>, E>,
    /// Whether this error says that there is none.
    pub is_missing: fn(&E) -> bool,
}

/// The `links` of an answer that is neither a member nor a page of a list.
pub fn self_link(url: String) -> Value {
    json!({ "self": url })
}
