//! A caller built from the body of a token: for the command line, and for tests.

use serde_json::Value as Json;

use super::subject::{Lookup, Subject};
use super::value::Value;

/// A caller that owns its attributes. See [`Subject`] for what each of them means.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The user's ID.
    pub user_id: Option<String>,
    /// The domain that owns the user.
    pub user_domain_id: Option<String>,
    /// The project scoped to.
    pub project_id: Option<String>,
    /// The domain that owns the project.
    pub project_domain_id: Option<String>,
    /// The domain scoped to.
    pub domain_id: Option<String>,
    /// `all` for a system-scoped token.
    pub system_scope: Option<String>,
    /// The names of the roles.
    pub roles: Vec<String>,
    /// The bootstrap administrator.
    pub is_admin: bool,
    /// The body of the token, without the envelope `{"token": …}`. `None`: there is no token (a client certificate).
    pub token: Option<Json>,
}

impl Credentials {
    /// The caller that bears the token whose body is given, with or without the envelope `{"token": …}`.
    ///
    /// Only a `domain` in the body makes it domain-scoped; a project that acts as a domain does not.
    pub fn from_token(body: &Json) -> Self {
        let token = body.get("token").unwrap_or(body);
        let text = |pointer: &str| {
            token
                .pointer(pointer)
                .and_then(Json::as_str)
                .map(str::to_owned)
        };
        let roles = token.get("roles").and_then(Json::as_array);
        Self {
            user_id: text("/user/id"),
            user_domain_id: text("/user/domain/id"),
            project_id: text("/project/id"),
            project_domain_id: text("/project/domain/id"),
            domain_id: text("/domain/id"),
            system_scope: token.get("system").map(|_| "all".to_owned()),
            roles: roles
                .into_iter()
                .flatten()
                .filter_map(|role| role.get("name").and_then(Json::as_str))
                .map(str::to_owned)
                .collect(),
            is_admin: false,
            token: Some(token.clone()),
        }
    }
}

impl Subject for Credentials {
    fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    fn user_domain_id(&self) -> Option<&str> {
        self.user_domain_id.as_deref()
    }

    fn project_id(&self) -> Option<&str> {
        self.project_id.as_deref()
    }

    fn project_domain_id(&self) -> Option<&str> {
        self.project_domain_id.as_deref()
    }

    fn domain_id(&self) -> Option<&str> {
        self.domain_id.as_deref()
    }

    fn system_scope(&self) -> Option<&str> {
        self.system_scope.as_deref()
    }

    fn any_role(&self, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.roles.iter().any(|role| test(role))
    }

    fn is_admin(&self) -> bool {
        self.is_admin
    }

    fn token_attribute(&self, path: &str, test: &mut dyn FnMut(Value<'_>) -> bool) -> Lookup {
        self.token.as_ref().map_or(Lookup::NoSuchPart, |token| {
            json_attribute(token, path, test)
        })
    }
}

/// Looks for the values at a dotted `path` in `json`, in the manner of oslo.policy's generic check; what a
/// [`Subject`] needs whose token is kept as JSON.
pub fn json_attribute(json: &Json, path: &str, test: &mut dyn FnMut(Value<'_>) -> bool) -> Lookup {
    let (key, rest) = match path.split_once('.') {
        Some((key, rest)) => (key, Some(rest)),
        None => (path, None),
    };
    let Some(object) = json.as_object() else {
        return Lookup::NoSuchPart;
    };
    let found = match object.get(key) {
        None => return Lookup::Unmatched,
        Some(Json::Array(items)) => items.as_slice(),
        Some(value) => std::slice::from_ref(value),
    };
    for value in found {
        let lookup = match rest {
            Some(rest) => json_attribute(value, rest, test),
            None => test(value.into()).into(),
        };
        if lookup != Lookup::Unmatched {
            return lookup;
        }
    }
    Lookup::Unmatched
}
