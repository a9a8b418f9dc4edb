//! The shape of an authentication request: Keystone's JSON schema and its further checks, with
//! their statuses. Values come out typed; nothing is looked up here.

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::webauthn::{METHOD, Webauthn};
use crate::api::error::ApiError;

/// More methods than this no client names.
const MAX_METHODS: usize = 64;

/// A well-formed request.
#[derive(Debug)]
pub struct AuthRequest {
    /// The methods, each once, in the request's order.
    pub methods: Vec<Method>,
    /// What the token should be good for.
    pub scope: ScopeRequest,
}

/// One authentication method with what it needs.
#[derive(Debug)]
pub enum Method {
    /// A user and a password.
    Password(Password),
    /// A token. A secret.
    Token(SecretString),
    /// An application credential.
    ApplicationCredential(ApplicationCredential),
    /// A user and a one-time password.
    Totp(Totp),
    /// An OAuth 1 access token, with which the request's header is signed.
    Oauth1,
    /// A passkey, or a recovery code in its place.
    Webauthn(Webauthn),
    /// One that this server does not have, configured or not.
    Other(String),
}

/// A user by ID, or by name and domain.
#[derive(Debug, PartialEq, Eq)]
pub enum UserRef {
    /// By ID.
    Id(String),
    /// By name.
    Name {
        /// The name.
        name: String,
        /// Whose it is.
        domain: DomainRef,
    },
}

/// A domain by ID or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainRef {
    /// By ID.
    Id(String),
    /// By name.
    Name(String),
}

/// Method `password`.
#[derive(Debug)]
pub struct Password {
    /// Who.
    pub user: UserRef,
    /// The password; `None` authenticates nobody.
    pub password: Option<SecretString>,
}

/// Method `totp`.
#[derive(Debug)]
pub struct Totp {
    /// Who.
    pub user: UserRef,
    /// The passcode; `None` authenticates nobody.
    pub passcode: Option<SecretString>,
}

/// Method `application_credential`.
#[derive(Debug)]
pub struct ApplicationCredential {
    /// Which.
    pub lookup: ApplicationCredentialRef,
    /// Its secret.
    pub secret: SecretString,
}

/// An application credential by ID, or by name and user.
#[derive(Debug)]
pub enum ApplicationCredentialRef {
    /// By ID; a user that is named all the same must be its owner.
    Id(String, Option<UserRef>),
    /// By name.
    Name(String, UserRef),
}

/// The scope that is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum ScopeRequest {
    /// None named: the user's default project, or unscoped.
    Default,
    /// Unscoped on purpose.
    Unscoped,
    /// A project.
    Project(ProjectRef),
    /// A domain.
    Domain(DomainRef),
    /// The whole deployment.
    System,
    /// What a trust delegates.
    Trust(String),
}

/// A project by ID, or by name and domain.
#[derive(Debug, PartialEq, Eq)]
pub enum ProjectRef {
    /// By ID.
    Id(String),
    /// By name.
    Name {
        /// The name.
        name: String,
        /// Where it is.
        domain: DomainRef,
    },
}

impl UserRef {
    /// Reads a user by ID, or by name and domain.
    ///
    /// # Errors
    /// 400.
    pub fn parse(user: &Value) -> Result<Self, ApiError> {
        let user = object(user, "user")?;
        strings(user, &["id", "name"], "user")?;
        parse_user(user)
    }
}

impl ScopeRequest {
    /// Reads a scope.
    ///
    /// # Errors
    /// 400 with Keystone's texts.
    pub fn parse(scope: &Value) -> Result<Self, ApiError> {
        check_scope(scope)?;
        parse_scope(scope)
    }
}

impl Method {
    /// Its name in requests and tokens.
    pub fn name(&self) -> &str {
        match self {
            Self::Password(_) => "password",
            Self::Token(_) => "token",
            Self::ApplicationCredential(_) => "application_credential",
            Self::Totp(_) => "totp",
            Self::Oauth1 => "oauth1",
            Self::Webauthn(_) => METHOD,
            Self::Other(name) => name,
        }
    }

    /// Whether it is among the configured ones.
    pub fn is_configured(&self, configured: &[String]) -> bool {
        configured.iter().any(|name| name == self.name())
    }
}

impl AuthRequest {
    /// Reads the body of `POST /v3/auth/tokens`.
    ///
    /// # Errors
    /// 400 with Keystone's texts. What was sent is not repeated where it may be a secret.
    pub fn parse(body: &Value) -> Result<Self, ApiError> {
        let auth = match body.get("auth") {
            None | Some(Value::Null) => return Err(ApiError::expecting("auth", "request body")),
            Some(auth) => object(auth, "")?,
        };
        let Some(identity) = auth.get("identity") else {
            return Err(ApiError::bad_request("'identity' is a required property"));
        };
        let identity = object(identity, "identity")?;
        let Some(names) = identity.get("methods") else {
            return Err(invalid("identity", "'methods' is a required property"));
        };
        let Value::Array(names) = names else {
            return Err(wrong_type(names, "array", "identity/methods"));
        };
        if names.len() > MAX_METHODS * MAX_METHODS {
            return Err(invalid("identity/methods", "the array is too long"));
        }
        let mut methods: Vec<&str> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let name = string(name, &format!("identity/methods/{index}"))?;
            if !methods.contains(&name) {
                methods.push(name);
            }
        }
        // The schema speaks of these whether or not they are among the methods.
        let password = identity
            .get("password")
            .map(|it| object(it, "identity/password"))
            .transpose()?;
        let token = identity
            .get("token")
            .map(|it| object(it, "identity/token"))
            .transpose()?;
        if let Some(token) = token {
            let id = token.get("id");
            let Some(id) = id else {
                return Err(invalid("identity/token", "'id' is a required property"));
            };
            string(id, "identity/token/id")?;
        }
        if let Some(password) = password {
            check_password(password)?;
        }
        let scope_value = auth.get("scope");
        if let Some(scope) = scope_value {
            check_scope(scope)?;
        }
        for name in &methods {
            if !identity.contains_key(*name) {
                return Err(ApiError::expecting(name, "identity"));
            }
        }
        if methods.len() > MAX_METHODS {
            return Err(invalid("identity/methods", "the array is too long"));
        }
        let parse = |name: &&str| -> Result<Method, ApiError> {
            Ok(match (*name, password, token) {
                ("password", Some(password), _) => Method::Password(parse_password(password)?),
                ("token", _, Some(token)) => Method::Token(text(token, "id").unwrap_or("").into()),
                ("application_credential", ..) => {
                    let credential = identity.get(*name);
                    Method::ApplicationCredential(parse_application_credential(credential)?)
                }
                ("totp", ..) => Method::Totp(parse_totp(identity.get(*name))?),
                ("oauth1", ..) => Method::Oauth1,
                (METHOD, ..) => {
                    let shown = identity.get(*name);
                    Method::Webauthn(Webauthn::parse(shown, scope_value)?)
                }
                (name, ..) => Method::Other(name.to_owned()),
            })
        };
        let methods = methods.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let has_credential = |it: &Method| matches!(it, Method::ApplicationCredential(_));
        let scope = match scope_value {
            None => ScopeRequest::Default,
            // Keystone refuses any, without reading what it says.
            Some(_) if methods.iter().any(has_credential) => ScopeRequest::Unscoped,
            Some(scope) => parse_scope(scope)?,
        };
        Ok(Self { methods, scope })
    }
}

/// Takes arbitrary bytes for the body of a request. For fuzzing: whatever they are, it returns, and what is wrong with
/// them is the client's fault.
pub fn fuzz_auth_request(data: &[u8]) {
    let request = crate::api::body::parse(None, data).and_then(|body| AuthRequest::parse(&body));
    debug_assert!(request.map_or_else(|error| error.status().is_client_error(), |_| true));
}

fn check_password(password: &Map<String, Value>) -> Result<(), ApiError> {
    const PLACE: &str = "identity/password/user";
    let Some(user) = password.get("user") else {
        return Ok(());
    };
    let user = object(user, PLACE)?;
    strings(user, &["id", "name", "password"], PLACE)?;
    let domain = check_domain(user, PLACE)?;
    id_or_name(user, PLACE)?;
    domain.map_or(Ok(()), |domain| {
        id_or_name(domain, &format!("{PLACE}/domain"))
    })
}

fn check_scope(scope: &Value) -> Result<(), ApiError> {
    let scope = match scope {
        Value::Object(scope) => scope,
        Value::String(_) => return Ok(()),
        other => return Err(wrong_type(other, "object', 'string", "scope")),
    };
    let member = |name: &str| {
        let place = format!("scope/{name}");
        scope
            .get(name)
            .map(|value| object(value, &place))
            .transpose()
    };
    let (project, domain) = (member("project")?, member("domain")?);
    let project_domain = match project {
        Some(project) => {
            strings(project, &["id", "name"], "scope/project")?;
            check_domain(project, "scope/project")?
        }
        None => None,
    };
    if let Some(domain) = domain {
        strings(domain, &["id", "name"], "scope/domain")?;
    }
    if let Some(trust) = member("OS-TRUST:trust")? {
        strings(trust, &["id"], "scope/OS-TRUST:trust")?;
    }
    if let Some(all) = member("system")?.and_then(|system| system.get("all"))
        && !all.is_boolean()
    {
        return Err(wrong_type(all, "boolean", "scope/system/all"));
    }
    if let Some(project) = project {
        id_or_name(project, "scope/project")?;
    }
    if let Some(domain) = project_domain {
        id_or_name(domain, "scope/project/domain")?;
    }
    domain.map_or(Ok(()), |domain| id_or_name(domain, "scope/domain"))
}

fn check_domain<'a>(
    of: &'a Map<String, Value>,
    place: &str,
) -> Result<Option<&'a Map<String, Value>>, ApiError> {
    let Some(domain) = of.get("domain") else {
        return Ok(None);
    };
    let place = format!("{place}/domain");
    let domain = object(domain, &place)?;
    strings(domain, &["id", "name"], &place)?;
    Ok(Some(domain))
}

fn parse_password(password: &Map<String, Value>) -> Result<Password, ApiError> {
    let Some(user) = password.get("user").and_then(Value::as_object) else {
        // Keystone's own words: it has lost the name of the place here.
        return Err(ApiError::expecting("user", "None"));
    };
    Ok(Password {
        user: parse_user(user)?,
        password: text(user, "password").map(SecretString::from),
    })
}

fn parse_totp(totp: Option<&Value>) -> Result<Totp, ApiError> {
    let user = totp.and_then(|totp| totp.get("user"));
    let Some(user) = user.and_then(Value::as_object) else {
        return Err(ApiError::expecting("user", "None"));
    };
    Ok(Totp {
        user: parse_user(user)?,
        passcode: text(user, "passcode").map(SecretString::from),
    })
}

fn parse_user(user: &Map<String, Value>) -> Result<UserRef, ApiError> {
    // Keystone prefers the name, as with domains and projects.
    let Some(name) = sought(user, "name") else {
        let id = sought(user, "id").map(UserRef::Id);
        return id.ok_or_else(|| ApiError::expecting("id or name", "user"));
    };
    Ok(UserRef::Name {
        name,
        domain: match domain_in(user, "user")? {
            DomainRef::Id(id) if id.is_empty() => {
                return Err(ApiError::expecting("id or name", "domain"));
            }
            domain => domain,
        },
    })
}

fn domain_in(of: &Map<String, Value>, place: &str) -> Result<DomainRef, ApiError> {
    match of.get("domain").and_then(Value::as_object) {
        Some(domain) => Ok(domain_ref(domain)),
        None => Err(ApiError::expecting("domain", place)),
    }
}

/// A domain by what it says, by an empty ID where that is nothing: no domain has one.
fn domain_ref(domain: &Map<String, Value>) -> DomainRef {
    // Keystone prefers the name.
    match sought(domain, "name") {
        Some(name) => DomainRef::Name(name),
        None => DomainRef::Id(sought(domain, "id").unwrap_or_default()),
    }
}

fn parse_application_credential(
    credential: Option<&Value>,
) -> Result<ApplicationCredential, ApiError> {
    const PLACE: &str = "application credential";
    let empty = Map::new();
    let credential = credential.and_then(Value::as_object).unwrap_or(&empty);
    let user = match credential.get("user") {
        Some(Value::Object(user)) if !user.is_empty() => Some(owner(user)?),
        // What Python takes for nothing.
        None | Some(Value::Null | Value::Bool(false) | Value::Object(_)) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::Array(items)) if items.is_empty() => None,
        Some(other) => return Err(wrong_type(other, "object", "application_credential/user")),
    };
    let lookup = match (sought(credential, "id"), sought(credential, "name"), user) {
        (Some(id), _, user) => ApplicationCredentialRef::Id(id, user),
        (None, Some(name), Some(user)) => ApplicationCredentialRef::Name(name, user),
        (None, Some(_), None) => return Err(ApiError::expecting("user", PLACE)),
        (None, None, _) => return Err(ApiError::expecting("name or ID", PLACE)),
    };
    let secret = match credential.get("secret") {
        None | Some(Value::Null) => "",
        Some(Value::String(secret)) => secret,
        Some(_) => return Err(ApiError::expecting("string", "password")),
    };
    Ok(ApplicationCredential {
        lookup,
        secret: secret.into(),
    })
}

/// Whose application credential it is. Keystone's schema says nothing of this, and its answers to
/// what makes no sense are many, or none. Of an ID and a name the ID counts: by it Keystone looks for
/// the credential's project, and by the name for the credential.
fn owner(user: &Map<String, Value>) -> Result<UserRef, ApiError> {
    if let Some(id) = sought(user, "id") {
        return Ok(UserRef::Id(id));
    }
    let domain = domain_in(user, "user")?;
    let id = user.get("domain").and_then(|domain| domain.get("id"));
    if let Some(id @ (Value::Array(_) | Value::Object(_))) = id {
        return Err(wrong_type(
            id,
            "string",
            "application_credential/user/domain/id",
        ));
    }
    match sought(user, "name") {
        Some(name) => Ok(UserRef::Name { name, domain }),
        None => Err(ApiError::expecting("id or name", "user")),
    }
}

fn parse_scope(scope: &Value) -> Result<ScopeRequest, ApiError> {
    const KINDS: [&str; 5] = ["project", "domain", "unscoped", "system", "OS-TRUST:trust"];
    let ambiguous = || {
        ApiError::expecting(
            "system, project, domain, OS-TRUST:trust or unscoped",
            "scope",
        )
    };
    let scope = match scope {
        Value::Object(scope) => scope,
        // Old clients send the word; Python looks for it inside the text.
        Value::String(text) if text.contains("unscoped") => return Ok(ScopeRequest::Unscoped),
        Value::String(text) if text.contains("system") => return Ok(ScopeRequest::System),
        _ => return Err(ambiguous()),
    };
    let mut named = KINDS.iter().filter(|kind| scope.contains_key(**kind));
    let (Some(kind), None) = (named.next(), named.next()) else {
        return Err(ambiguous());
    };
    let empty = Map::new();
    let value = scope
        .get(*kind)
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    Ok(match *kind {
        "unscoped" => ScopeRequest::Unscoped,
        "system" => ScopeRequest::System,
        "domain" => ScopeRequest::Domain(domain_ref(value)),
        "project" => ScopeRequest::Project(match sought(value, "name") {
            Some(name) => ProjectRef::Name {
                name,
                domain: domain_in(value, "project")?,
            },
            None => ProjectRef::Id(sought(value, "id").unwrap_or_default()),
        }),
        _ => match sought(value, "id") {
            Some(id) => ScopeRequest::Trust(id),
            None => return Err(ApiError::expecting("trust_id", "trust")),
        },
    })
}

fn text<'a>(of: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    of.get(name).and_then(Value::as_str)
}

/// A name or an ID that is looked for. Nothing is called by a text with a NUL in it, which PostgreSQL
/// does not even take; nor by this character in its place, which stands for none.
fn sought(of: &Map<String, Value>, name: &str) -> Option<String> {
    let text = text(of, name).filter(|text| !text.is_empty())?;
    Some(text.replace('\0', "\u{fffd}"))
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, ApiError> {
    value
        .as_object()
        .ok_or_else(|| wrong_type(value, "object", place))
}

fn string<'a>(value: &'a Value, place: &str) -> Result<&'a str, ApiError> {
    value
        .as_str()
        .ok_or_else(|| wrong_type(value, "string", place))
}

fn strings(of: &Map<String, Value>, names: &[&str], place: &str) -> Result<(), ApiError> {
    for name in names {
        if let Some(value) = of.get(*name) {
            string(value, &format!("{place}/{name}"))?;
        }
    }
    Ok(())
}

fn id_or_name(of: &Map<String, Value>, place: &str) -> Result<(), ApiError> {
    if of.contains_key("id") || of.contains_key("name") {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Invalid input for field {place}: id or name must be present."
    )))
}

fn invalid(place: &str, what: &str) -> ApiError {
    ApiError::bad_request(format!("Invalid input for field '{place}': {what}"))
}

/// Keystone's text, in Python's notation; the value itself is shown only where it can be no
/// secret.
fn wrong_type(value: &Value, due: &str, place: &str) -> ApiError {
    let shown = match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) if !place.ends_with("password") => number.to_string(),
        Value::String(text)
            if matches!(place, "identity/methods" | "scope") && text.len() <= 64 =>
        {
            format!("'{text}'")
        }
        _ => "the value".to_owned(),
    };
    let what = format!("{shown} is not of type '{due}'");
    if place.is_empty() {
        ApiError::bad_request(what)
    } else {
        invalid(place, &what)
    }
}
