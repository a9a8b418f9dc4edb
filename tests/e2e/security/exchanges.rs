//! A14: whatever a token is exchanged for, and whatever is made with it, one after the other, is never
//! more than what it began with permits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;

use awc::http::Method;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::passkeys::{log_in, register, token_of};
use crate::support::cloud::Builder;
use crate::support::delegation::{Ec2, application_credential, ec2_key, in_trust, trust};
use crate::support::login::{application_credential as shown, together};
use crate::support::oauth1::{Pair, Signer, consumer, granted};
use crate::support::passkey::enabled;
use crate::support::{Answer, Api, Scope, Session, password, scoped, seed, token};

/// How many exchanges follow one another.
const LONGEST: usize = 3;

const SCOPES: [Scope<'static>; 6] = [
    Scope::Unscoped,
    Scope::Project("demo"),
    Scope::Project("side"),
    Scope::Project("third"),
    Scope::Domain("default"),
    Scope::System,
];

const OWN: &str = "own";
const RESTRICTED: &str = "restricted application credential";
const UNRESTRICTED: &str = "unrestricted application credential";
const RULED: &str = "application credential with access rules";
const TRUST: &str = "trust";
const OAUTH1: &str = "access token";
const SIGNED: &str = "signed request";

const TOKEN: &str = "another token";
const CREDENTIAL: &str = "an application credential";
const KEY: &str = "an EC2 key";
const CONSENT: &str = "an OAuth consent";

/// What a user may make with their own token, and with others.
const EVERYTHING: &[&str] = &[TOKEN, CREDENTIAL, TRUST, KEY, CONSENT];
const CREDENTIALS: &[&str] = &[CREDENTIAL];
const TRUSTS: &[&str] = &[TRUST];
const NOTHING: &[&str] = &[];

type Names = BTreeSet<String>;

/// Roles by place.
type Places = BTreeMap<String, Names>;

fn names(of: &[&str]) -> Names {
    of.iter().map(|name| (*name).to_owned()).collect()
}

/// alice and pat are `member` of demo, and `reader` of side, of the domain and of the system; bob is
/// `member` of demo; carol is of third, where nobody else is anything.
fn world() -> Vec<String> {
    let person = |id: &str| {
        [
            seed::grant("UserProject", id, "side", "reader"),
            seed::grant("UserDomain", id, "default", "reader"),
            seed::system_grant(id, "reader"),
        ]
        .concat()
    };
    [
        seed::world(),
        seed::project("side", "default", true),
        seed::project("third", "default", true),
        seed::user("carol", "default", true),
        seed::user("pat", "default", true),
        seed::grant("UserProject", "carol", "third", "member"),
        seed::grant("UserProject", "bob", "demo", "member"),
        seed::grant("UserProject", "pat", "demo", "member"),
        person("alice"),
        person("pat"),
        seed::application_credential("alices", "alice", "demo", "reader"),
    ]
    .concat()
}

/// What a token and all that comes of it may be.
#[derive(Clone, Debug)]
struct Bound {
    user: String,
    places: Places,
    /// Nothing ends later.
    ends: Option<String>,
    methods: Names,
    kind: &'static str,
    /// What may be made with it.
    makes: &'static [&'static str],
}

impl Bound {
    fn and(mut self, methods: &[&str]) -> Self {
        self.methods.extend(names(methods));
        self
    }
}

/// A token, and how it was come by.
struct Held {
    path: Vec<String>,
    text: String,
    told: Value,
    bound: Bound,
}

/// Where a token is good.
fn place(told: &Value) -> String {
    let id = |of: &str| told[of]["id"].as_str().unwrap().to_owned();
    match () {
        () if !told["system"].is_null() => "system".to_owned(),
        () if !told["domain"].is_null() => format!("domain {}", id("domain")),
        () if !told["project"].is_null() => format!("project {}", id("project")),
        () => "nowhere".to_owned(),
    }
}

fn listed(told: &Value, list: &str, name: &str) -> Names {
    let items = told[list].as_array().into_iter().flatten();
    let names = items.map(|item| if name.is_empty() { item } else { &item[name] });
    names.map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn roles(told: &Value) -> Names {
    listed(told, "roles", "name")
}

fn methods(told: &Value) -> Names {
    listed(told, "methods", "")
}

/// What a token says that it was made from.
fn kind(told: &Value) -> &'static str {
    let credential = &told["application_credential"];
    match () {
        () if !told["OS-TRUST:trust"].is_null() => TRUST,
        () if !credential["access_rules"].is_null() => RULED,
        () if credential["restricted"] == json!(true) => RESTRICTED,
        () if !credential.is_null() => UNRESTRICTED,
        () if !told["OS-OAUTH1"].is_null() => OAUTH1,
        () if methods(told).contains("ec2credential") => SIGNED,
        () => OWN,
    }
}

impl Held {
    fn user(&self) -> &str {
        self.told["user"]["id"].as_str().unwrap()
    }

    fn project(&self) -> Option<&str> {
        self.told["project"]["id"].as_str()
    }

    /// Fails where it is more than it may be.
    fn judge(&self) {
        let Self {
            path, told, bound, ..
        } = self;
        let place = place(told);
        let permitted = bound.places.get(&place);
        let permitted = permitted.unwrap_or_else(|| panic!("{path:?}: {place} is new: {told}"));
        assert_eq!(self.user(), bound.user, "{path:?}: {told}");
        assert!(
            roles(told).is_subset(permitted),
            "{path:?}: not only {permitted:?}: {told}"
        );
        assert!(
            methods(told).is_subset(&bound.methods),
            "{path:?}: not only {:?}: {told}",
            bound.methods
        );
        assert_eq!(kind(told), bound.kind, "{path:?}: {told}");
        if let Some(end) = &bound.ends {
            let ends = told["expires_at"].as_str().unwrap();
            assert!(ends <= end.as_str(), "{path:?}: later than {end}: {told}");
        }
    }

    /// The same for tokens of which nothing else can come.
    fn alike(&self) -> String {
        let told = &self.told;
        format!(
            "{} {:?} {:?} {:?}",
            place(told),
            roles(told),
            methods(told),
            self.bound
        )
    }

    /// What was come by with it in this way, which has to be one of those that it has.
    fn next(
        &self,
        way: &'static str,
        how: &str,
        (text, told): (String, Value),
        bound: Bound,
    ) -> Self {
        let mut path = self.path.clone();
        path.push(how.to_owned());
        assert!(
            self.bound.makes.contains(&way),
            "{path:?}: {way} is made with it: {told}"
        );
        Self {
            path,
            text,
            told,
            bound,
        }
    }
}

/// The token in an answer, if there is one.
fn issued(answer: &Answer) -> Option<(String, Value)> {
    let text = answer.header("X-Subject-Token")?.to_owned();
    assert!(matches!(answer.status(), 200 | 201), "{answer:?}");
    Some((text, answer.json()["token"].clone()))
}

/// Who tries it all.
struct Prober<'a> {
    api: &'a Api,
    admin: Session,
    consumer: Pair,
    /// What each user gets by password.
    rights: BTreeMap<&'static str, Places>,
    /// A trust from carol to alice.
    carols: String,
    /// When the trust ends that may be handed on: later than its tokens, and sooner than those of whom it
    /// is handed on to would.
    trusts_end: String,
    seen: BTreeSet<String>,
    /// The ways by which something was come by.
    ways: BTreeSet<String>,
    number: usize,
}

impl Prober<'_> {
    /// What a user's own token may become.
    fn own(&self, told: &Value) -> Bound {
        let user = told["user"]["id"].as_str().unwrap();
        Bound {
            user: user.to_owned(),
            places: self.rights[user].clone(),
            ends: told["expires_at"].as_str().map(str::to_owned),
            methods: methods(told),
            kind: OWN,
            makes: EVERYTHING,
        }
    }

    /// What a token that was handed on may become: nothing else than it is.
    fn handed_on(told: &Value, makes: &'static [&'static str]) -> Bound {
        Bound {
            user: told["user"]["id"].as_str().unwrap().to_owned(),
            places: [(place(told), roles(told))].into(),
            ends: told["expires_at"].as_str().map(str::to_owned),
            methods: methods(told),
            kind: kind(told),
            makes,
        }
    }

    /// Tries all sequences that begin with this token, but those that others have gone on with in the
    /// same way.
    async fn probe(&mut self, name: &str, text: String, told: Value, bound: Bound) {
        let path = vec![name.to_owned()];
        let mut waiting = VecDeque::from([Held {
            path,
            text,
            told,
            bound,
        }]);
        while let Some(held) = waiting.pop_front() {
            held.judge();
            if held.path.len() > LONGEST || !self.seen.insert(held.alike()) {
                continue;
            }
            let mut found = self.exchanged(&held).await;
            found.extend(self.credentials(&held).await);
            found.extend(self.trusts(&held).await);
            found.extend(self.keys(&held).await);
            found.extend(self.consents(&held).await);
            self.ways.extend(
                found
                    .iter()
                    .map(|one| format!("{} by {}", one.bound.kind, one.path.last().unwrap())),
            );
            waiting.extend(found);
        }
    }

    /// By the method `token`, alone and with others.
    async fn exchanged(&self, held: &Held) -> Vec<Held> {
        let mut found = Vec::new();
        let (own, bound) = (token(&held.text), || held.bound.clone());
        let both = together(&[own.clone(), password(held.user())]);
        for scope in SCOPES {
            for (how, identity, methods) in [
                ("token", &own, &["token"][..]),
                ("token and password", &both, &["token", "password"]),
            ] {
                let answer = self
                    .api
                    .authenticate(&scoped(identity.clone(), scope))
                    .await;
                if let Some(made) = issued(&answer) {
                    found.push(held.next(TOKEN, how, made, bound().and(methods)));
                }
            }
        }
        let with = together(&[own.clone(), shown("alices")]);
        let answer = self
            .api
            .authenticate(&json!({"auth": {"identity": with}}))
            .await;
        if let Some(made) = issued(&answer) {
            let bound = Bound {
                places: [("project demo".to_owned(), names(&["reader"]))].into(),
                kind: RESTRICTED,
                makes: NOTHING,
                ..bound().and(&["token", "application_credential"])
            };
            found.push(held.next(TOKEN, "token and application credential", made, bound));
        }
        let answer = self.api.authenticate(&in_trust(&own, &self.carols)).await;
        if let Some(made) = issued(&answer) {
            let bound = Bound {
                places: [("project third".to_owned(), names(&["member", "reader"]))].into(),
                kind: TRUST,
                makes: NOTHING,
                ..bound().and(&["token"])
            };
            found.push(held.next(TOKEN, "token in a trust", made, bound));
        }
        found
    }

    async fn post(&self, held: &Held, path: &str, body: &Value) -> Answer {
        let request = self.api.request(Method::POST, path).token(&held.text);
        request.json(body).send().await
    }

    async fn credentials(&mut self, held: &Held) -> Vec<Held> {
        let mut found = Vec::new();
        let path = format!("/v3/users/{}/application_credentials", held.user());
        for (attributes, kind, makes) in [
            (json!({}), RESTRICTED, NOTHING),
            (json!({"unrestricted": true}), UNRESTRICTED, CREDENTIALS),
            (
                json!({"roles": [{"name": "member"}], "unrestricted": true}),
                UNRESTRICTED,
                CREDENTIALS,
            ),
        ] {
            let mut new = attributes.clone();
            self.number += 1;
            new["name"] = json!(format!("number {}", self.number));
            let answer = self
                .post(held, &path, &json!({"application_credential": new}))
                .await;
            if answer.status() != 201 {
                continue;
            }
            let made = &answer.json()["application_credential"];
            let identity = json!({"methods": ["application_credential"], "application_credential": {
                "id": made["id"], "secret": made["secret"],
            }});
            let login = self
                .api
                .authenticate(&json!({"auth": {"identity": identity}}))
                .await;
            let where_to = held
                .project()
                .map_or("nowhere".to_owned(), |id| format!("project {id}"));
            let bound = Bound {
                user: held.user().to_owned(),
                places: [(where_to, roles(&held.told))].into(),
                // It outlives the token that made it.
                ends: None,
                methods: names(&["application_credential"]),
                kind,
                makes,
            };
            let Some(login) = issued(&login) else {
                continue;
            };
            found.push(held.next(CREDENTIAL, "application credential", login, bound));
        }
        found
    }

    async fn trusts(&self, held: &Held) -> Vec<Held> {
        let mut found = Vec::new();
        let trustee = if held.user() == "bob" { "carol" } else { "bob" };
        for (impersonation, project, role) in [
            (true, "demo", "member"),
            (false, "demo", "reader"),
            (true, "side", "member"),
            (true, "third", "member"),
        ] {
            let new = json!({"trust": {
                "trustor_user_id": held.user(), "trustee_user_id": trustee, "project_id": project,
                "impersonation": impersonation, "roles": [{"name": role}],
            }});
            let answer = self.post(held, "/v3/OS-TRUST/trusts", &new).await;
            if answer.status() != 201 {
                continue;
            }
            let id = answer.json()["trust"]["id"].as_str().unwrap().to_owned();
            let login = self
                .api
                .authenticate(&in_trust(&password(trustee), &id))
                .await;
            let place = format!("project {project}");
            let (places, ends) = match held.bound.kind {
                // The trust permits it, and not the token of it.
                TRUST => (held.bound.places.clone(), Some(self.trusts_end.clone())),
                _ => {
                    let rights = self.rights[held.user()].get(&place).cloned();
                    ([(place, rights.unwrap_or_default())].into(), None)
                }
            };
            let bound = Bound {
                user: if impersonation { held.user() } else { trustee }.to_owned(),
                places,
                ends,
                methods: names(&["password"]),
                kind: TRUST,
                makes: NOTHING,
            };
            let Some(login) = issued(&login) else {
                continue;
            };
            found.push(held.next(TRUST, "trust", login, bound));
        }
        found
    }

    async fn keys(&self, held: &Held) -> Vec<Held> {
        let mut found = Vec::new();
        let path = format!("/v3/users/{}/credentials/OS-EC2", held.user());
        for project in ["demo", "side", "third"] {
            let answer = self.post(held, &path, &json!({"tenant_id": project})).await;
            if !matches!(answer.status(), 200 | 201) {
                continue;
            }
            let made = &answer.json()["credential"];
            let text = |name: &str| made[name].as_str().unwrap().to_owned();
            let key = Ec2 {
                access: text("access"),
                secret: text("secret"),
            };
            let answer = self
                .admin
                .post("/v3/ec2tokens", &key.signed(Utc::now()))
                .await;
            let Some(login) = issued(&answer) else {
                continue;
            };
            let place = format!("project {project}");
            let rights = self.rights[held.user()].get(&place).cloned();
            let bound = Bound {
                user: held.user().to_owned(),
                places: [(place, rights.unwrap_or_default())].into(),
                ends: None,
                methods: names(&["ec2credential"]),
                kind: SIGNED,
                makes: NOTHING,
            };
            found.push(held.next(KEY, "EC2 key", login, bound));
        }
        found
    }

    async fn consents(&self, held: &Held) -> Vec<Held> {
        let mut found = Vec::new();
        for (project, role) in [("demo", "reader"), ("side", "member")] {
            let asked = Signer::new(&self.consumer).set("oauth_callback", "oob");
            let asked = asked.request_token(self.api, project).await.expect(201);
            let (asked, _) = Pair::of(&asked);
            let path = format!("/v3/OS-OAUTH1/authorize/{}", asked.id);
            let request = self.api.request(Method::PUT, &path).token(&held.text);
            let told = request
                .json(&json!({"roles": [{"name": role}]}))
                .send()
                .await;
            if told.status() != 200 {
                continue;
            }
            let told = told.json();
            let verifier = told["token"]["oauth_verifier"].as_str().unwrap();
            let signer = Signer::new(&self.consumer)
                .with(&asked)
                .set("oauth_verifier", verifier);
            let (given, _) = Pair::of(&signer.access_token(self.api).await.expect(201));
            let login = Signer::new(&self.consumer)
                .with(&given)
                .login(self.api, &Value::Null)
                .await;
            let bound = Bound {
                user: held.user().to_owned(),
                places: [(format!("project {project}"), names(&[role]))].into(),
                ends: None,
                methods: names(&["oauth1"]),
                kind: OAUTH1,
                makes: NOTHING,
            };
            let Some(login) = issued(&login) else {
                continue;
            };
            found.push(held.next(CONSENT, "OAuth consent", login, bound));
        }
        found
    }
}

/// What a user gets by password.
async fn rights(api: &Api, user: &str) -> Places {
    let mut places = Places::new();
    for scope in SCOPES {
        if let Some((_, told)) = issued(&api.authenticate(&scoped(password(user), scope)).await) {
            places.insert(place(&told), roles(&told));
        }
    }
    places
}

fn pair(session: &Session) -> (String, Value) {
    (session.token().to_owned(), session.issued().clone())
}

on_sqlite! {
    async fn a14_no_sequence_of_exchanges_makes_more_of_a_token(db: TestDb) {
        // By default administrators alone let consumers act for them.
        let policy = db.scratch().join("policy.yaml");
        fs::write(&policy, "'identity:authorize_request_token': '@'\n").unwrap();
        let options = || enabled().set("oslo_policy", "policy_file", policy.display());
        let cloud = Builder::new(&db).seed(world()).options(options()).start().await;
        // What everything begins with ends sooner than what is made here.
        let short = cloud.start_node(options().set("token", "expiration", 900)).await;
        let (api, from) = (cloud.api(), short.api());
        let admin = api.admin().await;
        let carol = api.login("carol", Scope::Project("third")).await;
        let mut prober = Prober {
            api,
            consumer: consumer(&admin).await,
            admin,
            rights: BTreeMap::from([("alice", rights(api, "alice").await), ("pat", rights(api, "pat").await)]),
            carols: trust(&carol, "alice", &json!({})).await,
            trusts_end: (Utc::now() + TimeDelta::minutes(30)).format("%Y-%m-%dT%H:%M:%S.000000Z").to_string(),
            seen: BTreeSet::new(),
            ways: BTreeSet::new(),
            number: 0,
        };
        let here = names(&["nowhere", "project demo", "project side", "domain default", "system"]);
        assert_eq!(prober.rights["alice"].keys().cloned().collect::<Names>(), here);
        assert_eq!(prober.rights["alice"]["project demo"], names(&["member", "reader"]));

        // A user's own, in each scope.
        for (name, user, scope) in [
            ("unscoped", "alice", Scope::Unscoped), ("of a project", "alice", Scope::Project("demo")),
            ("of another project", "alice", Scope::Project("side")), ("of a domain", "alice", Scope::Domain("default")),
            ("of the system", "alice", Scope::System),
        ] {
            let (text, told) = pair(&from.login(user, scope).await);
            let bound = prober.own(&told);
            prober.probe(name, text, told, bound).await;
        }
        let pat = from.login("pat", Scope::Unscoped).await;
        let (mut key, _) = register(&pat).await;
        let answer = log_in(from, &mut key).await.expect(201);
        let (text, told) = (token_of(&answer), answer.json()["token"].clone());
        let bound = prober.own(&told);
        prober.probe("by passkey", text, told, bound).await;

        // What was handed on, each with fewer roles than who gave it, and for a shorter time.
        let alice = from.login("alice", Scope::Project("demo")).await;
        let end = (Utc::now() + TimeDelta::minutes(10)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let reader = json!({"expires_at": end, "roles": [{"name": "reader"}]});
        let with = |members: Value| {
            let mut attributes = reader.clone();
            attributes.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            attributes
        };
        let rule = json!([{"service": "identity", "method": "POST", "path": "/v3/users/alice/application_credentials"}]);
        for (name, members, makes) in [
            (RESTRICTED, json!({"name": "restricted"}), NOTHING),
            (UNRESTRICTED, json!({"name": "unrestricted", "unrestricted": true}), CREDENTIALS),
            (RULED, json!({"name": "ruled", "unrestricted": true, "access_rules": rule}), NOTHING),
        ] {
            let made = application_credential(&alice, with(members)).await;
            let (text, told) = pair(&from.session(&made.login()).await);
            assert_eq!((kind(&told), roles(&told)), (name, names(&["reader"])));
            let bound = Prober::handed_on(&told, makes);
            prober.probe(name, text, told, bound).await;
        }
        // Of two alike, but for what they allow, the second is refused.
        let once = trust(&alice, "bob", &with(json!({"impersonation": true, "remaining_uses": 1}))).await;
        for (name, id, makes) in [
            ("a trust", trust(&alice, "bob", &reader).await, NOTHING),
            ("an impersonating trust", trust(&alice, "bob", &with(json!({"impersonation": true, "expires_at": "2099-01-01T00:00:00Z"}))).await, NOTHING),
            ("a trust to be used once", once.clone(), NOTHING),
            ("a trust that may be handed on", trust(&alice, "bob", &with(json!({"allow_redelegation": true, "expires_at": prober.trusts_end}))).await, TRUSTS),
        ] {
            let (text, told) = pair(&from.session(&in_trust(&password("bob"), &id)).await);
            let bound = Prober::handed_on(&told, makes);
            prober.probe(name, text, told, bound).await;
        }
        assert_ne!(api.authenticate(&in_trust(&password("bob"), &once)).await.status(), 201);
        let given = granted(&alice, &prober.consumer, "demo", &json!([{"name": "reader"}])).await;
        let answer = Signer::new(&prober.consumer).with(&given).login(from, &Value::Null).await;
        let (text, told) = issued(&answer).unwrap();
        let bound = Prober::handed_on(&told, NOTHING);
        prober.probe("by OAuth", text, told, bound).await;
        let own = ec2_key(&alice, "demo").await;
        let blob = json!({"access": "credentials", "secret": "secret", "app_cred_id": "alices"}).to_string();
        let new = json!({"credential": {"type": "ec2", "blob": blob, "user_id": "alice", "project_id": "demo"}});
        alice.post("/v3/credentials", &new).await.expect(201);
        let credentials = Ec2 { access: "credentials".to_owned(), secret: "secret".to_owned() };
        for (name, key) in [("by EC2", own), ("by EC2 and an application credential", credentials)] {
            let answer = prober.admin.at(from).post("/v3/ec2tokens", &key.signed(Utc::now())).await;
            let (text, told) = issued(&answer).unwrap();
            let bound = Prober::handed_on(&told, NOTHING);
            prober.probe(name, text, told, bound).await;
        }

        // Whatever there is to be tried was tried with what it is for.
        let ways: Vec<&str> = prober.ways.iter().map(String::as_str).collect();
        assert_eq!(ways, [
            "access token by OAuth consent",
            "own by token",
            "own by token and password",
            "restricted application credential by application credential",
            "restricted application credential by token and application credential",
            "signed request by EC2 key",
            "trust by token in a trust",
            "trust by trust",
            "unrestricted application credential by application credential",
        ]);
    }

    async fn a14_an_application_credential_with_access_rules_makes_none_with_fewer(db: TestDb) {
        let cloud = Builder::new(&db).seed(world()).start().await;
        let api = cloud.api();
        let alice = api.login("alice", Scope::Project("demo")).await;
        let path = "/v3/users/alice/application_credentials";
        let rule = |method: &str, path: &str| json!({"service": "identity", "method": method, "path": path});
        let (create, list) = (rule("POST", path), rule("GET", path));
        let made = application_credential(&alice, json!({
            "name": "bound", "unrestricted": true, "access_rules": [create, list],
        })).await;
        let ids: Vec<&Value> = made.body["access_rules"].as_array().unwrap().iter().map(|rule| &rule["id"]).collect();
        let elsewhere = application_credential(&alice, json!({
            "name": "elsewhere", "access_rules": [rule("GET", "/v3/users/alice")],
        })).await;
        let bound = api.session(&made.login()).await;
        let with = async |name: &str, rules: Value| {
            let new = json!({"application_credential": {"name": name, "access_rules": rules}});
            bound.post(path, &new).await.status()
        };

        bound.post(path, &json!({"application_credential": {"name": "none"}})).await.expect(403);
        assert_eq!(with("empty", json!([])).await, 403);
        assert_eq!(with("another", json!([rule("DELETE", path)])).await, 403);
        assert_eq!(with("one more", json!([create, rule("GET", "/v3/**")])).await, 403);
        let id = &elsewhere.body["access_rules"][0]["id"];
        assert_eq!(with("another by its ID", json!([{"id": id}])).await, 403);
        // An ID counts before what is said beside it.
        let mut both = create.clone();
        both["id"] = id.clone();
        assert_eq!(with("another with one's own words", json!([both])).await, 403);
        assert_eq!(with("one", json!([create])).await, 201);
        assert_eq!(with("all by their IDs", json!([{"id": ids[0]}, {"id": ids[1]}])).await, 201);
    }

    async fn a14_a_receipt_ends_no_later_than_what_is_remembered_in_it(db: TestDb) {
        let methods = "external,password,token,oauth1,mapped,application_credential,ec2credential,totp";
        let cloud = Builder::new(&db).set("auth", "methods", methods).set("token", "expiration", 3600)
            .set("receipt", "expiration", 86400).seed(world()).start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        let alice = api.login("alice", Scope::Project("demo")).await;
        let unscoped = api.login("alice", Scope::Unscoped).await;
        let end = (Utc::now() + TimeDelta::minutes(30)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let made = application_credential(&alice, json!({"name": "short", "expires_at": end})).await;
        let told = api.session(&made.login()).await.text("/expires_at").to_owned();
        let options = json!({"multi_factor_auth_enabled": true, "multi_factor_auth_rules": [
            ["password", "totp"], ["application_credential", "totp"],
        ]});
        admin.patch("/v3/users/alice", &json!({"user": {"options": options}})).await.expect(200);

        for (body, end) in [
            (scoped(token(unscoped.token()), Scope::Unscoped), unscoped.text("/expires_at")),
            (made.login(), told.as_str()),
        ] {
            let answer = api.authenticate(&body).await.expect(401);
            assert!(answer.header("Openstack-Auth-Receipt").is_some(), "{answer:?}");
            assert_eq!(answer.json()["receipt"]["expires_at"], end, "{answer:?}");
        }
        // What has no end of its own: as long as receipts are.
        let answer = api.authenticate(&scoped(password("alice"), Scope::Unscoped)).await.expect(401);
        assert!(answer.json()["receipt"]["expires_at"].as_str() > Some(unscoped.text("/expires_at")));
    }

    async fn a14_a_receipt_is_exchanged_for_nothing(db: TestDb) {
        let methods = "external,password,token,oauth1,mapped,application_credential,ec2credential,totp";
        let rules = seed::user_option("alice", "MFAR", r#"[["password", "totp"]]"#);
        let cloud = Builder::new(&db).set("auth", "methods", methods).seed(world()).seed(rules).start().await;
        let api = cloud.api();
        let half = api.authenticate(&scoped(password("alice"), Scope::Unscoped)).await.expect(401);
        let receipt = half.header("Openstack-Auth-Receipt").unwrap();
        for scope in SCOPES {
            for identity in [token(receipt), together(&[token(receipt), password("alice")])] {
                let answer = api.authenticate(&scoped(identity, scope)).await;
                assert!(matches!(answer.status(), 401 | 404), "{scope:?}: {answer:?}");
                assert_eq!(answer.header("X-Subject-Token"), None, "{scope:?}: {answer:?}");
            }
            for identity in [password("alice"), shown("alices"), password("pat")] {
                let request = api.request(Method::POST, "/v3/auth/tokens").header("Openstack-Auth-Receipt", receipt);
                let answer = request.json(&scoped(identity, scope)).send().await;
                assert_eq!((answer.status(), answer.header("X-Subject-Token")), (401, None), "{scope:?}: {answer:?}");
            }
        }
        for path in ["/v3/users/alice", "/v3/auth/projects", "/v3/users/alice/application_credentials"] {
            api.request(Method::GET, path).token(receipt).send().await.expect(401);
        }
    }
}
