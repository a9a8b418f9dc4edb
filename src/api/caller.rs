//! Who asks: `X-Auth-Token`, validated, and what policy makes of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use chrono::Utc;
use keystone_actors::token::{Refusal, Scope, Token, ValidateToken, Verdict};
use tracing::debug;

use super::access_rules;
use super::context::{Progress, note_caller};
use super::error::ApiError;
use super::step_up::Standing;
use crate::node::Node;
use crate::policy::{Decision, Lookup, Rule, Subject, Target, Value, json_attribute};

/// The bearer of a good token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The token.
    pub token: Arc<Token>,
    standing: Standing,
}

/// The token in this header, if there is one; what is no text is no token of ours, and neither are two,
/// for whoever else reads them may take the other.
pub fn token_in(headers: &HeaderMap, name: &str) -> Option<Arc<str>> {
    let mut values = headers.get_all(name);
    let value = values.next()?.to_str().unwrap_or("\u{fffd}").trim();
    Some(values.next().map_or(value, |_| "\u{fffd}").into())
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = token_in(request.headers(), "X-Auth-Token");
        let node = request.app_data::<web::Data<Node>>().cloned();
        let request = request.clone();
        Box::pin(async move {
            let (Some(text), Some(node)) = (text, node) else {
                return Err(ApiError::unauthenticated());
            };
            let now = Utc::now().timestamp();
            let validate = ValidateToken {
                text,
                now,
                allow_expired: false,
            };
            let mut caller = Self::from_verdict(node.providers.token.read(validate).await?)?;
            access_rules::enforce(&node, &request, &caller.token).await?;
            if may_need_step_up(&node, &request) {
                caller.standing = node.step_up.standing(&node, &caller.token, now).await?;
            }
            Ok(caller)
        })
    }
}

/// Whether the path that is asked for may need a login of just now, or by passkey.
fn may_need_step_up(node: &Node, request: &HttpRequest) -> bool {
    if node.step_up.has_no_paths() {
        return false;
    }
    let extensions = request.extensions();
    let route = extensions.get::<Progress>().and_then(Progress::route);
    route.is_some_and(|path| node.step_up.may_be_asked(request.method().as_str(), path))
}

impl Caller {
    /// The bearer of a token that was found good.
    pub fn of(token: Arc<Token>) -> Self {
        Self {
            token,
            standing: Standing::Unknown,
        }
    }

    /// The caller, of whom it is known what this rule asks for ([`super::step_up`]). For what is not
    /// asked for by way of the API's paths.
    ///
    /// # Errors
    /// 503.
    pub async fn known_for(&self, node: &Node, rule: Rule) -> Result<Self, ApiError> {
        let mut caller = self.clone();
        if node.step_up.is_asked_by(rule) && self.standing == Standing::Unknown {
            let now = Utc::now().timestamp();
            caller.standing = node.step_up.standing(node, &self.token, now).await?;
        }
        Ok(caller)
    }

    /// The caller whose token this verdict is about.
    pub fn from_verdict(verdict: Verdict) -> Result<Self, ApiError> {
        match verdict {
            Verdict::Valid(token) => {
                // Good for what services do with it, and for nothing here (A13).
                if token.methods.contains("ec2credential") {
                    return Err(ApiError::forbidden());
                }
                let caller = Self::of(token);
                caller.note();
                Ok(caller)
            }
            Verdict::Refused(refusal) => Err(match refusal {
                Refusal::Empty | Refusal::Unreadable(_) | Refusal::Invalid | Refusal::NotFound => {
                    ApiError::unauthenticated()
                }
                // Keystone's token middleware answers these as what they are.
                Refusal::Gone(why) => ApiError::not_found(why),
                Refusal::BrokenTrust => ApiError::forbidden(),
            }),
        }
    }

    /// Names the caller in the log of this request.
    pub fn note(&self) {
        note_caller(self.token.acting_user.as_str(), self.project_id());
    }

    /// Fails unless policy lets the caller do this to the target, after a login as the rule asks for it
    /// ([`super::step_up`]).
    ///
    /// # Errors
    /// 403 that names the rule.
    pub fn enforce(&self, node: &Node, rule: Rule, target: &Target<'_>) -> Result<(), ApiError> {
        match node.policy.load().check(rule, self, target) {
            Decision::Allowed => node.step_up.check(rule, self.standing),
            Decision::Denied(denial) => {
                debug!(rule = rule.name(), cause = ?denial.cause, "policy refuses");
                Err(ApiError::forbidden_action(rule.name()))
            }
        }
    }
}

impl Subject for Caller {
    fn user_id(&self) -> Option<&str> {
        Some(self.token.acting_user.as_str())
    }

    fn user_domain_id(&self) -> Option<&str> {
        Some(self.token.acting_domain.id.as_str())
    }

    fn project_id(&self) -> Option<&str> {
        match &self.token.scope {
            Scope::Project { project, .. } => Some(project.id.as_str()),
            _ => None,
        }
    }

    fn project_domain_id(&self) -> Option<&str> {
        match &self.token.scope {
            Scope::Project { domain, .. } => Some(domain.id.as_str()),
            _ => None,
        }
    }

    fn domain_id(&self) -> Option<&str> {
        match &self.token.scope {
            Scope::Domain(domain) => Some(domain.id.as_str()),
            _ => None,
        }
    }

    fn system_scope(&self) -> Option<&str> {
        matches!(self.token.scope, Scope::System).then_some("all")
    }

    fn any_role(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.token.roles.iter().any(|role| test(&role.name))
    }

    fn token_attribute(&self, path: &str, test: &mut dyn FnMut(Value<'_>) -> bool) -> Lookup {
        // What the default rules ask for.
        match (path, &self.token.scope) {
            ("domain.id", Scope::Domain(domain))
            | ("project.domain.id", Scope::Project { domain, .. }) => {
                return test(Value::Text(domain.id.as_str())).into();
            }
            ("domain.id" | "project.domain.id", _) => return Lookup::Unmatched,
            _ => {}
        }
        // The catalog is much longer than all the rest.
        let body = match path.split('.').next() {
            Some("catalog") => self.token.body(),
            _ => self.token.body_without_catalog(),
        };
        let body: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
        match body.as_ref().and_then(|body| body.get("token")) {
            Some(token) => json_attribute(token, path, test),
            None => Lookup::NoSuchPart,
        }
    }
}
