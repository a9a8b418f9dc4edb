//! What is handed on: application credentials, trusts, signed requests, one-time passwords; made and
//! used as clients do.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Answer, Api, Session};

/// The secret of RFC 6238's examples, as users store it.
pub(crate) const TOTP_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The same as what it means.
const TOTP_KEY: &[u8] = b"12345678901234567890";

/// An application credential that its owner has just made.
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) body: Value,
}

impl Made {
    /// The body of a login with it.
    pub(crate) fn login(&self) -> Value {
        json!({"auth": {"identity": {
            "methods": ["application_credential"],
            "application_credential": {"id": self.id, "secret": self.secret},
        }}})
    }
}

/// Makes an application credential of the session's user, with these attributes.
pub(crate) async fn application_credential(session: &Session, attributes: Value) -> Made {
    let user = session.text("/user/id");
    let path = format!("/v3/users/{user}/application_credentials");
    let body = json!({ "application_credential": attributes });
    let body = session.post(&path, &body).await.expect(201).json();
    let made = &body["application_credential"];
    let text = |name: &str| {
        made[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {body}"))
            .to_owned()
    };
    Made {
        id: text("id"),
        secret: text("secret"),
        body: made.clone(),
    }
}

/// A trust from the session's user to another (both by id, here their names) for the role `member`
/// on the project of the session, with more attributes. Gives its id.
pub(crate) async fn trust(session: &Session, trustee: &str, attributes: &Value) -> String {
    let mut trust = json!({
        "trustor_user_id": session.text("/user/id"),
        "trustee_user_id": trustee,
        "project_id": session.text("/project/id"),
        "impersonation": false,
        "roles": [{"name": "member"}],
    });
    for (name, value) in attributes.as_object().into_iter().flatten() {
        trust[name] = value.clone();
    }
    let body = json!({ "trust": trust });
    let made = session
        .post("/v3/OS-TRUST/trusts", &body)
        .await
        .expect(201)
        .json();
    made["trust"]["id"].as_str().expect("an id").to_owned()
}

/// The body of a login with this identity, scoped to a trust.
pub(crate) fn in_trust(identity: &Value, trust: &str) -> Value {
    json!({"auth": {"identity": identity, "scope": {"OS-TRUST:trust": {"id": trust}}}})
}

/// An access key and its secret.
#[derive(Clone, Debug)]
pub(crate) struct Ec2 {
    pub(crate) access: String,
    pub(crate) secret: String,
}

/// Makes an EC2 key of the session's user for this project.
pub(crate) async fn ec2_key(session: &Session, project: &str) -> Ec2 {
    let user = session.text("/user/id");
    let path = format!("/v3/users/{user}/credentials/OS-EC2");
    let body = json!({ "tenant_id": project });
    let made = session.post(&path, &body).await.expect(201).json();
    let text = |name: &str| made["credential"][name].as_str().expect(name).to_owned();
    Ec2 {
        access: text("access"),
        secret: text("secret"),
    }
}

impl Ec2 {
    /// A request signed at this time (version 2), as a service shows it.
    pub(crate) fn signed(&self, at: DateTime<Utc>) -> Value {
        let timestamp = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let query = format!(
            "AWSAccessKeyId={}&Action=DescribeInstances&SignatureMethod=HmacSHA256&SignatureVersion=2&Timestamp={}",
            self.access,
            timestamp.replace(':', "%3A"),
        );
        let signed = format!("GET\ncloud.example\n/services/Cloud/\n{query}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        json!({"credentials": {
            "access": self.access,
            "signature": STANDARD.encode(hmac::sign(&key, signed.as_bytes())),
            "host": "cloud.example", "verb": "GET", "path": "/services/Cloud/",
            "params": {
                "AWSAccessKeyId": self.access, "Action": "DescribeInstances", "SignatureVersion": "2",
                "SignatureMethod": "HmacSHA256", "Timestamp": timestamp,
            },
        }})
    }

    /// An S3 request signed at this time (version 1), as a service shows it.
    pub(crate) fn signed_s3(&self, at: DateTime<Utc>) -> Value {
        let date = at.format("%a, %d %b %Y %H:%M:%S GMT");
        let signed = format!("GET\n\n\n{date}\n/bucket/object");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        json!({"credentials": {
            "access": self.access,
            "signature": STANDARD.encode(hmac::sign(&key, signed.as_bytes())),
            "token": base64::engine::general_purpose::URL_SAFE.encode(signed),
        }})
    }
}

/// Stores [`TOTP_SECRET`] for a user, by id; the session's user has to be allowed to.
pub(crate) async fn totp_secret(session: &Session, user: &str) {
    let credential = json!({"credential": {"type": "totp", "blob": TOTP_SECRET, "user_id": user}});
    session
        .post("/v3/credentials", &credential)
        .await
        .expect(201);
}

/// The passcode of [`TOTP_SECRET`] at this time.
pub(crate) fn passcode(at: DateTime<Utc>) -> String {
    let step = at.timestamp() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOTP_KEY);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0xf);
    let word = u32::from_be_bytes(tag[offset..offset + 4].try_into().expect("four bytes"));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// The `identity` of a user, by id, with this passcode.
pub(crate) fn totp(user: &str, passcode: &str) -> Value {
    json!({"methods": ["totp"], "totp": {"user": {"id": user, "passcode": passcode}}})
}

/// A session by a signed request, which the service `session` shows.
pub(crate) async fn ec2_token(api: &Api, session: &Session, key: &Ec2) -> String {
    let path = "/v3/ec2tokens";
    let answer = session
        .at(api)
        .post(path, &key.signed(Utc::now()))
        .await
        .expect(200);
    answer
        .header("X-Subject-Token")
        .expect("a token")
        .to_owned()
}

/// The ways by which a login that is not enough may go on, in order: Python Keystone tells the
/// methods of each in any.
#[track_caller]
pub(crate) fn ways_due(answer: &Answer) -> Vec<Vec<String>> {
    let told = answer.json()["required_auth_methods"].clone();
    let mut ways: Vec<Vec<String>> = serde_json::from_value(told).expect("lists of methods");
    for way in &mut ways {
        way.sort_unstable();
    }
    ways.sort_unstable();
    ways
}
