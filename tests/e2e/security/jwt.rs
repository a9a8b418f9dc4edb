//! C2: what is known to go wrong with JSON Web Tokens, one by one. Every forgery has a twin that is
//! right and is taken, so that it is the one fault that is refused.

use std::fs;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::jws::with_jws;
use crate::support::cloud::Builder;
use crate::support::{Cloud, Scope, Session, scoped, token};
use crate::testdb::{TestDb, each_database};

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// What stands between the lines of a PEM file.
fn der(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    STANDARD.decode(body).unwrap()
}

/// A server with JWS tokens, its key, and claims that it takes.
struct Target<'db> {
    cloud: Cloud<'db>,
    admin: Session,
    key: EcdsaKeyPair,
    private: Vec<u8>,
    /// The public keys' files.
    public: Vec<std::path::PathBuf>,
    claims: Value,
}

impl<'db> Target<'db> {
    async fn start(db: &'db TestDb) -> Self {
        let cloud = with_jws(Builder::new(db)).start().await;
        let admin = cloud.api().admin().await;
        let keys = db.scratch().join("jws-keys");
        let private = der(&keys.join("private/private.pem"));
        let public = fs::read_dir(keys.join("public")).unwrap();
        let claims = admin.token().split('.').nth(1).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private).unwrap(),
            private,
            public: public.map(|entry| entry.unwrap().path()).collect(),
            claims: serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap(),
            cloud,
            admin,
        }
    }

    /// A token with a good signature of the server's own key.
    fn signed(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        format!("{message}.{}", encode(signature))
    }

    /// The same with ordinary claims.
    fn headed(&self, header: Value) -> String {
        self.signed(&header.to_string(), &self.claims.to_string())
    }

    /// The same with an ordinary header, and other claims.
    fn claiming(&self, change: impl Fn(&mut Value)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        self.signed(
            &json!({"alg": "ES256", "typ": "JWT"}).to_string(),
            &claims.to_string(),
        )
    }

    /// What the three doors of the server say to it: as a subject, as a caller, as a proof.
    async fn statuses(&self, forged: &str) -> [u16; 3] {
        let api = self.cloud.api();
        let login = scoped(token(forged), Scope::Unscoped);
        [
            self.admin.validate(forged).await.status(),
            api.request(awc::http::Method::GET, "/v3/auth/projects")
                .token(forged)
                .send()
                .await
                .status(),
            api.authenticate(&login).await.status(),
        ]
    }

    async fn takes(&self, what: &str, good: &str) {
        assert_eq!(self.statuses(good).await, [200, 200, 201], "{what}: {good}");
    }

    async fn refuses(&self, what: &str, forged: &str) {
        assert_eq!(
            self.statuses(forged).await,
            [404, 401, 404],
            "{what}: {forged}"
        );
    }
}

each_database! {
    async fn c2_the_token_chooses_no_algorithm(db: TestDb) {
        let target = Target::start(&db).await;
        target.takes("a good one", &target.headed(json!({"alg": "ES256", "typ": "JWT"}))).await;
        let claims = encode(target.claims.to_string());
        let good = target.headed(json!({"alg": "ES256"}));
        let signature = good.rsplit('.').next().unwrap();

        for none in ["none", "None", "NONE", "nOnE", ""] {
            let header = encode(json!({"alg": none, "typ": "JWT"}).to_string());
            target.refuses("no algorithm, no signature", &format!("{header}.{claims}.")).await;
            target.refuses("no algorithm, some signature", &format!("{header}.{claims}.{signature}")).await;
        }
        for wrong in [json!("ES384"), json!("EdDSA"), json!("RS256"), json!("HS256"), json!("es256"), json!(null), json!(["ES256"]), json!(7)] {
            target.refuses("another algorithm than signed", &target.headed(json!({"alg": wrong}))).await;
        }
        target.refuses("no algorithm named", &target.headed(json!({"typ": "JWT"}))).await;
        // HMAC, with what everybody knows for the secret.
        for public in &target.public {
            let header = encode(json!({"alg": "HS256", "typ": "JWT"}).to_string());
            let message = format!("{header}.{claims}");
            let text = fs::read(public).unwrap();
            for secret in [text.clone(), text.trim_ascii().to_vec(), der(public)] {
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
                target.refuses("HMAC with a public key", &format!("{message}.{}", encode(tag))).await;
            }
        }
    }

    async fn c2_the_token_brings_no_key(db: TestDb) {
        let target = Target::start(&db).await;
        let strangers = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let stranger = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, strangers.as_ref()).unwrap();
        let point = stranger.public_key().as_ref();
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])});
        let url = "https://evil.example/keys";
        for (name, value) in [
            ("jwk", jwk), ("jku", json!(url)), ("x5u", json!(url)), ("x5c", json!([STANDARD.encode(strangers.as_ref())])),
        ] {
            let header = json!({"alg": "ES256", "typ": "JWT", name: value});
            let message = format!("{}.{}", encode(header.to_string()), encode(target.claims.to_string()));
            let signature = stranger.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            target.refuses("a stranger's key", &format!("{message}.{}", encode(signature))).await;
            target.refuses("a key in a header, rightly signed", &target.headed(header)).await;
        }
        for kid in ["../../../../dev/null", "' OR 1=1 --", "|true"] {
            let header = json!({"alg": "ES256", "kid": kid});
            let message = format!("{}.{}", encode(header.to_string()), encode(target.claims.to_string()));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), message.as_bytes());
            target.refuses("a key named by a path", &format!("{message}.{}", encode(tag))).await;
        }
    }

    async fn c2_headers_that_change_the_meaning_are_refused(db: TestDb) {
        let target = Target::start(&db).await;
        target.takes("no type", &target.headed(json!({"alg": "ES256"}))).await;
        for (name, value) in [
            ("crit", json!(["exp"])), ("crit", json!([])), ("b64", json!(false)), ("zip", json!("DEF")),
            ("typ", json!("at+jwt")), ("typ", json!("logout+jwt")), ("typ", json!(null)), ("typ", json!(["JWT"])),
        ] {
            let header = json!({"alg": "ES256", name: value});
            target.refuses("a header", &target.headed(header)).await;
        }
        let claims = target.claims.to_string();
        for header in [r#"{"alg":"ES256","alg":"ES256"}"#, r#"{"alg":"none","alg":"ES256"}"#, "[]", r#""ES256""#, "", "{"] {
            target.refuses("a header", &target.signed(header, &claims)).await;
        }
    }

    async fn c2_claims_that_say_two_things_or_none_are_refused(db: TestDb) {
        let target = Target::start(&db).await;
        target.takes("claims unchanged", &target.claiming(|_| {})).await;
        let header = r#"{"alg":"ES256","typ":"JWT"}"#;
        let claims = target.claims.to_string();
        let twice = |extra: &str| format!("{{{extra},{}", &claims[1..]);
        for extra in [r#""sub":"somebody""#, r#""exp":99999999999"#, r#""openstack_project_id":"x","openstack_project_id":"y""#] {
            target.refuses("a claim twice", &target.signed(header, &twice(extra))).await;
        }
        for name in ["sub", "exp", "iat", "openstack_methods", "openstack_audit_ids"] {
            target.refuses(name, &target.claiming(|claims| { claims.as_object_mut().unwrap().remove(name); })).await;
            for value in [json!(null), json!({}), json!(true), json!([[]])] {
                target.refuses(name, &target.claiming(|claims| claims[name] = value.clone())).await;
            }
        }
        let expired = target.claiming(|claims| claims["exp"] = json!(1));
        target.refuses("expired", &expired).await;
        let ahead = target.claiming(|claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() + 3600));
        target.refuses("from the future", &ahead).await;
        let not_yet = target.claiming(|claims| claims["nbf"] = json!(claims["iat"].as_i64().unwrap() + 3600));
        target.refuses("not yet good", &not_yet).await;
        for claims in ["", "[]", "null", "7", r#""sub""#] {
            target.refuses("no claims", &target.signed(header, claims)).await;
        }
    }

    async fn c2_the_signature_is_one_over_all_of_it_in_one_form(db: TestDb) {
        let target = Target::start(&db).await;
        let good = target.claiming(|_| {});
        target.takes("a good one", &good).await;
        let (message, signature) = good.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let asn1 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &target.private).unwrap();
        let asn1 = asn1.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        let (header, claims) = message.split_once('.').unwrap();
        let hash = digest::digest(&digest::SHA256, message.as_bytes());
        for (what, forged) in [
            ("no signature", format!("{message}.")),
            ("two parts", message.to_owned()),
            ("four parts", format!("{good}.{signature}")),
            ("the whole twice", format!("{good}{good}")),
            ("zeros", format!("{message}.{}", encode([0; 64]))),
            ("the hash", format!("{message}.{}", encode(hash))),
            ("half", format!("{message}.{}", encode(&bytes[..32]))),
            ("more", format!("{message}.{}", encode([&bytes[..], &[0]].concat()))),
            ("ASN.1", format!("{message}.{}", encode(asn1))),
            ("padded", format!("{message}.{}", URL_SAFE.encode(&bytes))),
            ("of other claims", format!("{header}.{}.{signature}", encode(target.claims.to_string().replace("\"exp\":1", "\"exp\":2")))),
            ("claims with white space", format!("{header}.{}.{signature}", encode(format!(" {}", target.claims)))),
            ("padded claims", format!("{header}.{claims}=.{signature}")),
            ("a line's end", format!("{header}.{claims}.{signature}%0a")),
        ] {
            if forged != good {
                target.refuses(what, &forged).await;
            }
        }
    }
}
