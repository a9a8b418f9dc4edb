//! Bodies of `POST /v3/auth/tokens`, for the users of these tests: all in the domain `default`,
//! all with the same password.

use serde_json::{Value, json};

/// The password of every user here, the bootstrap admin included.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// What a token is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'a> {
    /// Nothing is said: the user's default project, or else no scope.
    Default,
    /// No scope, said so.
    Unscoped,
    /// A project of the domain `default`, by name.
    Project(&'a str),
    /// A domain, by id.
    Domain(&'a str),
    /// The whole deployment.
    System,
}

/// The `identity` of a user, by name, with the password that is right.
pub(crate) fn password(user: &str) -> Value {
    password_is(user, PASSWORD)
}

/// The `identity` of a user, by name, with this password.
pub(crate) fn password_is(user: &str, password: &str) -> Value {
    json!({"methods": ["password"], "password": {"user": {
        "name": user, "domain": {"id": "default"}, "password": password,
    }}})
}

/// The `identity` of the bearer of a token.
pub(crate) fn token(token: &str) -> Value {
    json!({"methods": ["token"], "token": {"id": token}})
}

/// The `identity` of who has an application credential, by its id.
pub(crate) fn application_credential(id: &str) -> Value {
    json!({"methods": ["application_credential"], "application_credential": {"id": id, "secret": PASSWORD}})
}

/// Several `identity`s in one, in this order.
pub(crate) fn together(identities: &[Value]) -> Value {
    let mut all = json!({"methods": []});
    for identity in identities {
        for method in identity["methods"].as_array().into_iter().flatten() {
            let name = method.as_str().unwrap_or_default();
            all[name] = identity[name].clone();
            if let Some(methods) = all["methods"].as_array_mut() {
                methods.push(method.clone());
            }
        }
    }
    all
}

/// A whole body: this identity, in this scope.
pub(crate) fn scoped(identity: Value, scope: Scope<'_>) -> Value {
    let scope = match scope {
        Scope::Default => return json!({"auth": {"identity": identity}}),
        Scope::Unscoped => json!({"unscoped": {}}),
        Scope::Project(name) => json!({"project": {"name": name, "domain": {"id": "default"}}}),
        Scope::Domain(id) => json!({"domain": {"id": id}}),
        Scope::System => json!({"system": {"all": true}}),
    };
    json!({"auth": {"identity": identity, "scope": scope}})
}
