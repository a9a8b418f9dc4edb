//! What is told: CADF events (DMTF DSP0262), and OpenStack's older basic form.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

/// What was done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It is new.
    Created,
    /// It changed.
    Updated,
    /// It is gone.
    Deleted,
    /// It was disabled, by the server itself.
    Disabled,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Disabled => "disabled",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $uri:literal;)*) => {
        /// A kind of resource.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Its place in CADF's taxonomy.
            fn type_uri(self) -> &'static str {
                match self { $(Self::$kind => $uri,)* }
            }
        }
    };
}

kinds! {
    /// A user.
    User = "user", "data/security/account/user";
    /// A group.
    Group = "group", "data/security/group";
    /// A project.
    Project = "project", "data/security/project";
    /// A domain.
    Domain = "domain", "data/security/domain";
    /// A project's tag.
    ProjectTag = "project tag", "unknown";
    /// A role.
    Role = "role", "data/security/role";
    /// A region.
    Region = "region", "data/security/region";
    /// A service.
    Service = "service", "data/security/service";
    /// An endpoint.
    Endpoint = "endpoint", "data/security/endpoint";
    /// A policy that services fetch.
    Policy = "policy", "data/security/policy";
    /// A credential.
    Credential = "credential", "unknown";
    /// An application credential.
    ApplicationCredential = "application_credential", "data/security/credential";
    /// An access rule.
    AccessRule = "access_rule", "unknown";
    /// A passkey.
    Passkey = "passkey", "data/security/identity/passkey";
    /// A trust.
    Trust = "OS-TRUST:trust", "data/security/trust";
    /// An OAuth 1 consumer.
    Consumer = "OS-OAUTH1:consumer", "data/security/account";
    /// What an OAuth 1 consumer asks for.
    RequestToken = "OS-OAUTH1:request_token", "data/security/credential";
    /// What a user has let an OAuth 1 consumer do.
    AccessToken = "OS-OAUTH1:access_token", "data/security/credential";
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it was meant to.
    Success,
    /// Otherwise.
    Failure,
    /// It is not finished: another method is needed.
    Pending,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Pending => "pending",
        }
    }
}

/// Who did it, and from where. By default nobody: so Keystone tells of most of what followed from
/// something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Initiator {
    /// The user.
    pub user_id: Option<String>,
    /// The project that the token was scoped to.
    pub project_id: Option<String>,
    /// The domain that the token was scoped to.
    pub domain_id: Option<String>,
    /// The address of the client.
    pub address: Option<String>,
    /// The program of the client.
    pub agent: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// What a chain of services calls it.
    pub global_request_id: Option<String>,
}

/// Who was put into, or taken out of, what changed.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user.
    pub user_id: String,
    /// Put into it; else taken out.
    pub added: bool,
}

/// Why something failed, as the client was told.
#[derive(Clone, Debug)]
pub struct Reason {
    /// The status.
    pub code: u16,
    /// The text.
    pub text: String,
}

/// What it was done to.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A resource.
    Resource {
        /// Its kind.
        kind: Kind,
        /// What happened to it.
        operation: Operation,
        /// Its ID.
        id: String,
        /// The member of a group that came or went.
        actor: Option<Actor>,
    },
    /// A role of somebody somewhere.
    Assignment {
        /// Created or deleted.
        operation: Operation,
        /// The role.
        role: String,
        /// `("user", id)` or `("group", id)`.
        actor: (&'static str, String),
        /// `("project", id)` or `("domain", id)`.
        target: (&'static str, String),
        /// Whether projects below inherit it.
        inherited: bool,
    },
    /// A login.
    Authentication,
}

impl Subject {
    /// What was done to a resource.
    pub fn resource(kind: Kind, operation: Operation, id: impl Into<String>) -> Self {
        Self::Resource {
            kind,
            operation,
            id: id.into(),
            actor: None,
        }
    }
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// What it was done to.
    pub subject: Subject,
    /// Who did it.
    pub initiator: Initiator,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed.
    pub reason: Option<Reason>,
}

impl Event {
    /// `identity.<resource>.<operation>`.
    pub fn event_type(&self) -> String {
        match &self.subject {
            Subject::Resource {
                kind, operation, ..
            } => format!("identity.{}.{}", kind.name(), operation.name()),
            Subject::Assignment { operation, .. } => {
                format!("identity.role_assignment.{}", operation.name())
            }
            Subject::Authentication => "identity.authenticate".to_owned(),
        }
    }

    /// Whether `[DEFAULT] notification_opt_out` names it. Authentications are named with their
    /// outcome.
    pub(super) fn is_in(&self, opt_out: &[String]) -> bool {
        let mut name = self.event_type();
        if matches!(self.subject, Subject::Authentication) {
            name = format!("{name}.{}", self.outcome.name());
        }
        opt_out.contains(&name)
    }

    /// The basic payload; `None` for events that have no such form, as it says nothing of how they
    /// ended.
    pub(super) fn basic(&self) -> Option<Value> {
        let (Subject::Resource { id, actor, .. }, Outcome::Success) = (&self.subject, self.outcome)
        else {
            return None;
        };
        let mut payload = Map::new();
        payload.insert("resource_info".to_owned(), json!(id));
        if let Some(actor) = actor {
            payload.insert("actor_id".to_owned(), json!(actor.user_id));
            payload.insert("actor_type".to_owned(), json!("user"));
            let operation = if actor.added { "added" } else { "removed" };
            payload.insert("actor_operation".to_owned(), json!(operation));
        }
        let ids = [
            ("request_id", &self.initiator.request_id),
            ("global_request_id", &self.initiator.global_request_id),
        ];
        for (name, id) in ids {
            if let Some(id) = id {
                payload.insert(name.to_owned(), json!(id));
            }
        }
        Some(payload.into())
    }

    /// The CADF payload; `name` is the initiator's, `observer` the service that this is.
    pub(super) fn cadf(
        &self,
        time: DateTime<Utc>,
        name: Option<&str>,
        observer: Option<&str>,
    ) -> Value {
        let (action, target) = match &self.subject {
            Subject::Resource {
                kind,
                operation,
                id,
                ..
            } => (
                format!("{}.{}", operation.name(), kind.name()),
                json!({"id": id, "typeURI": kind.type_uri()}),
            ),
            Subject::Assignment { operation, .. } => (
                format!("{}.role_assignment", operation.name()),
                anonymous_account(),
            ),
            Subject::Authentication => ("authenticate".to_owned(), anonymous_account()),
        };
        let observer = observer.map_or_else(random_id, str::to_owned);
        let mut event = json!({
            "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
            "eventType": "activity",
            "id": random_id(),
            "eventTime": time.format("%Y-%m-%dT%H:%M:%S%.6f+0000").to_string(),
            "action": action,
            "outcome": self.outcome.name(),
            "observer": {"id": observer, "typeURI": "service/security"},
            "target": target,
        });
        if let Value::Object(members) = &mut event {
            let mut put = |name: &str, value: Value| {
                members.insert(name.to_owned(), value);
            };
            if self.initiator != Initiator::default() {
                put("initiator", self.initiator.cadf(name));
            }
            if let Some(reason) = &self.reason {
                put(
                    "reason",
                    json!({"reasonType": reason.text, "reasonCode": reason.code.to_string()}),
                );
            }
            match &self.subject {
                Subject::Resource { id, .. } => put("resource_info", json!(id)),
                Subject::Assignment {
                    role,
                    actor,
                    target,
                    inherited,
                    ..
                } => {
                    put(target.0, json!(target.1));
                    put(actor.0, json!(actor.1));
                    put("inherited_to_projects", json!(inherited));
                    put("role", json!(role));
                }
                Subject::Authentication => {}
            }
        }
        event
    }
}

impl Initiator {
    fn cadf(&self, name: Option<&str>) -> Value {
        let id = self.user_id.as_deref().map_or_else(random_id, as_uuid);
        let mut host = Map::new();
        let optional = |members: &mut Map<String, Value>, name: &str, value: Option<&str>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), json!(value));
            }
        };
        optional(&mut host, "address", self.address.as_deref());
        optional(&mut host, "agent", self.agent.as_deref());
        let mut members = Map::new();
        members.insert("id".to_owned(), json!(id));
        members.insert("typeURI".to_owned(), json!("service/security/account/user"));
        members.insert("host".to_owned(), host.into());
        optional(&mut members, "user_id", self.user_id.as_deref());
        optional(&mut members, "project_id", self.project_id.as_deref());
        optional(&mut members, "domain_id", self.domain_id.as_deref());
        optional(&mut members, "request_id", self.request_id.as_deref());
        let global = self.global_request_id.as_deref();
        optional(&mut members, "global_request_id", global);
        // Keystone's new name for it, and the old one.
        optional(&mut members, "name", name);
        optional(&mut members, "username", name);
        members.into()
    }
}

fn anonymous_account() -> Value {
    json!({"id": random_id(), "typeURI": "service/security/account/user"})
}

fn random_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// An ID as CADF wants it: what is no UUID becomes one, always the same (Keystone's
/// `resource_uuid`).
fn as_uuid(id: &str) -> String {
    const NAMESPACE: uuid::Uuid = uuid::uuid!("4332ecab-770b-4288-a680-b9aca3b1b153");
    match uuid::Uuid::parse_str(id) {
        Ok(_) => id.to_owned(),
        Err(_) => uuid::Uuid::new_v5(&NAMESPACE, id.as_bytes())
            .simple()
            .to_string(),
    }
}
