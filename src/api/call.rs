//! A call of the API: who asks, what for, and how the answer is written.

mod answers;
mod body;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
pub use answers::{answer, no_content, self_link};
pub use body::{Body, Nothing, from_json, member, new_member};
use keystone_actors::ids::DomainId;
use keystone_actors::providers::Providers;
use serde::Serialize;
use serde_json::Value;

use super::body::JsonBody;
use super::caller::Caller;
use super::context::{RequestId, base_url, client_address, global_id};
use super::error::ApiError;
use super::query::{Paging, Query};
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
        self.tell(Subject::resource(kind, operation, id));
    }

    /// Tells of what followed from a change, of which Keystone says to nobody who did it, and then of
    /// what the caller did. There is room for that also where there is none for all that followed.
    pub fn notify_all(
        &self,
        followed: impl IntoIterator<Item = Subject>,
        done: impl IntoIterator<Item = Subject>,
    ) {
        let followed = followed.into_iter().map(|subject| Event {
            subject,
            initiator: Initiator::default(),
            outcome: Outcome::Success,
            reason: None,
        });
        self.node.notifier.send_all(followed);
        for subject in done {
            self.tell(subject);
        }
    }

    /// The same of any subject.
    pub fn tell(&self, subject: Subject) {
        self.tell_how(subject, Outcome::Success);
    }

    /// The same, and how it ended.
    pub fn tell_how(&self, subject: Subject, outcome: Outcome) {
        self.node.notifier.send(Event {
            subject,
            initiator: self.initiator(),
            outcome,
            reason: None,
        });
    }

    /// Who does this.
    fn initiator(&self) -> Initiator {
        Initiator {
            user_id: self.caller.user_id().map(str::to_owned),
            project_id: self.caller.project_id().map(str::to_owned),
            domain_id: self.caller.domain_id().map(str::to_owned),
            ..initiator(&self.request)
        }
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

    /// The page that is asked for, of a list that no `list_limit` counts for: whole where the client
    /// names none.
    ///
    /// # Errors
    /// 400 when `limit` is no number.
    pub fn paging_by_client(&self) -> Result<Paging, ApiError> {
        let max = self.node.config.default.max_db_limit;
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        self.query.paging(None, max)
    }
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
