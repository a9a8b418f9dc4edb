//! Requests that no client should send. Each is answered as Python Keystone answers it, which
//! `tests/support/bad_input.json` holds; where that has no answer or a 500, ours is 400.
//!
//! `UPDATE_BAD_INPUT=1` writes that file afresh, from what Python Keystone says. Else it is asked a
//! share of them alone, as its answers take minutes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::login::application_credential;
use crate::support::{Answer, Api, Scope, each_keystone, password, scoped, seed, token};
use crate::testdb::each_database;

/// How Keystone ends its message about a request that it cannot read.
const MALFORMED: &str = "The server could not comply with the request since it is either malformed or otherwise incorrect. \
                         The client is assumed to be in error.";
/// Whoever fails to authenticate gets this.
const REFUSED: &str = "401 The request you have made requires authentication.";

/// Status and message, by what was sent.
type Told = BTreeMap<String, String>;

fn support(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/support")
        .join(file)
}

/// What takes the place of a right value, by a word for it.
fn wrong_values() -> Vec<(&'static str, Value)> {
    vec![
        ("null", json!(null)),
        ("true", json!(true)),
        ("a number", json!(7)),
        ("a fraction", json!(-1.5)),
        ("empty text", json!("")),
        ("a text", json!("x")),
        ("an empty list", json!([])),
        ("a list", json!([["x"]])),
        ("an empty object", json!({})),
        ("an object", json!({"x": {"y": []}})),
    ]
}

/// Every place in a value, as a JSON pointer; the value itself is not among them.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, value)| (i.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, value) in members {
        let place = format!("{at}/{name}");
        places(value, &place, found);
        found.push(place);
    }
}

/// Requests that are right, one for each method and scope.
fn right_requests(good: &str) -> Vec<(&'static str, Value)> {
    let by_name = json!({"methods": ["application_credential"], "application_credential": {
        "name": "alices", "secret": "x", "user": {"name": "alice", "domain": {"id": "default"}}}});
    let scope = |scope: Value| json!({"auth": {"identity": password("alice"), "scope": scope}});
    vec![
        (
            "password, project",
            scoped(password("alice"), Scope::Project("demo")),
        ),
        ("token, unscoped", scoped(token(good), Scope::Unscoped)),
        (
            "credential by id",
            json!({"auth": {"identity": application_credential("alices")}}),
        ),
        ("credential by name", json!({"auth": {"identity": by_name}})),
        (
            "domain",
            scope(json!({"domain": {"id": "default", "name": "Default"}})),
        ),
        ("project by id", scope(json!({"project": {"id": "demo"}}))),
        ("system", scope(json!({"system": {"all": true}}))),
        ("trust", scope(json!({"OS-TRUST:trust": {"id": "none"}}))),
    ]
}

/// Each of the above with one thing wrong.
fn malformed(good: &str) -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    for (name, right) in right_requests(good) {
        let mut all = Vec::new();
        places(&right, "", &mut all);
        for place in all {
            for (what, value) in wrong_values() {
                let mut body = right.clone();
                *body.pointer_mut(&place).unwrap() = value;
                cases.push((format!("{name}: {place} is {what}"), body));
            }
            let (parent, member) = place.rsplit_once('/').unwrap();
            let mut body = right.clone();
            if let Some(object) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
                object.remove(member);
                cases.push((format!("{name}: {place} is absent"), body));
            }
        }
    }
    cases
}

/// Bodies that are not what JSON, or a JSON parser, expects.
fn no_json() -> Vec<(&'static str, Vec<u8>)> {
    let right = scoped(password("alice"), Scope::Project("demo")).to_string();
    let with = |from: &str, to: &str| {
        assert!(right.contains(from), "{right}");
        right.replacen(from, to, 1).into_bytes()
    };
    let nested = |open: &str, close: &str, times: usize| {
        format!("{}{}", open.repeat(times), close.repeat(times))
    };
    vec![
        (
            "not UTF-8, in a name",
            [&with("alice", "al\u{1}ice")[..], b""]
                .concat()
                .iter()
                .map(|b| if *b == 1 { 0xff } else { *b })
                .collect(),
        ),
        ("not UTF-8, outside", [right.as_bytes(), b"\xff"].concat()),
        (
            "UTF-16",
            right.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        ("cut", right.as_bytes()[..right.len() - 2].to_vec()),
        ("something behind it", [right.as_bytes(), b"}"].concat()),
        ("two of them", [right.as_bytes(), right.as_bytes()].concat()),
        ("single quotes", right.replace('"', "'").into_bytes()),
        ("a comma too many", with("{\"auth\":{", "{\"auth\":{,")),
        ("a comment", with("{\"auth\"", "{/* x */\"auth\"")),
        ("a list", format!("[{right}]").into_bytes()),
        ("a text", b"\"auth\"".to_vec()),
        ("a number", b"7".to_vec()),
        ("null", b"null".to_vec()),
        ("white space", b" \n ".to_vec()),
        (
            "NaN for a scope",
            with("\"scope\":{", "\"other\":NaN,\"scope\":{"),
        ),
        (
            "a huge number",
            with("\"scope\":{", "\"other\":1e999,\"scope\":{"),
        ),
        (
            "a long number",
            with(
                "\"scope\":{",
                &format!("\"other\":{},\"scope\":{{", "9".repeat(4000)),
            ),
        ),
        (
            "auth twice, the last good",
            with("{\"auth\"", "{\"auth\":7,\"auth\""),
        ),
        (
            "identity twice, the last good",
            with("\"identity\"", "\"identity\":7,\"identity\""),
        ),
        (
            "nested lists",
            with(
                "\"scope\":{",
                &format!("\"other\":{},\"scope\":{{", nested("[", "]", 100)),
            ),
        ),
        ("a control character", with("alice", "al\u{7}ice")),
        ("an unfinished escape", with("alice", "al\\u00")),
        ("half a character", with("alice", "al\\ud800ice")),
        ("a NUL in a name", with("alice", "al\\u0000ice")),
        ("a NUL in a password", with("battery", "bat\\u0000tery")),
        ("a NUL in a domain", with("default", "def\\u0000ault")),
        ("a name of 300 characters", with("alice", &"a".repeat(300))),
        (
            "a name of 50,000 characters",
            with("alice", &"a".repeat(50_000)),
        ),
        ("a name beyond the basic plane", with("alice", "\u{1f511}")),
        (
            "a password of 50,000 characters",
            with("battery", &"b".repeat(50_000)),
        ),
        (
            "a project of 50,000 characters",
            with("\"demo\"", &format!("\"{}\"", "p".repeat(50_000))),
        ),
        (
            "4,000 times a method",
            with(
                "[\"password\"]",
                &format!("[{}\"password\"]", "\"password\",".repeat(4000)),
            ),
        ),
        (
            "a method of 10,000 characters",
            with(
                "[\"password\"]",
                &format!("[\"password\",\"{}\"]", "m".repeat(10_000)),
            ),
        ),
        (
            "white space around all of it",
            format!("\r\n\t {right} \r\n").into_bytes(),
        ),
    ]
}

/// What an answer says, without what one of the two shows and the other does not.
fn gist(answer: Result<Answer, String>, good: &str) -> String {
    let Ok(answer) = answer else {
        return "no answer".to_owned();
    };
    let message = answer.message().replace(MALFORMED, "(malformed)");
    let message = message.replace(good, "(the token)");
    // Python adds what its schema says.
    let message = message.lines().next().unwrap_or_default();
    // Which value it was is shown by Python always, and by ours where it can be no secret.
    let message = match message.split_once(" is not of type ") {
        Some((before, kind)) => {
            let place = before
                .split_once("': ")
                .map(|(place, _)| format!("{place}': "));
            let place = place.unwrap_or_default();
            format!("{place}(the value) is not of type {kind}")
        }
        None => message.chars().take(300).collect(),
    };
    format!("{} {message}", answer.status())
        .trim_end()
        .to_owned()
}

/// Whether ours answers as Python Keystone did, or better.
fn agrees(what: &str, told: &str, pythons: &str) -> bool {
    let refused = told == REFUSED || told.starts_with("400 ");
    // Python tells who has no account that there is none, and takes a number for a name.
    if pythons.starts_with("404 Could not find user")
        || pythons.starts_with("404 Could not find App")
    {
        return refused;
    }
    // Where MariaDB keeps three bytes a character it can't even compare such a name.
    if what == "a name beyond the basic plane" {
        return refused;
    }
    // It looks for the trust before it reads the password.
    if what.starts_with("trust: /auth/identity/password") && pythons == REFUSED {
        return refused;
    }
    // What its JSON parser takes is none, or more than a number can hold.
    if [
        "NaN for a scope",
        "UTF-16",
        "a huge number",
        "a long number",
    ]
    .contains(&what)
    {
        return told == "400 Expecting to find valid JSON in request body. (malformed)";
    }
    if pythons == "no answer" || pythons.starts_with("500") {
        return told.starts_with("400 ");
    }
    // A message from inside Python's interpreter is nobody's interface: there the status counts.
    let keystones = [
        "Invalid input",
        "Expecting to find",
        "'",
        "(the value)",
        "The request you",
        "Could not",
        "No token",
    ];
    let message = pythons.get(4..).unwrap_or_default();
    match keystones.iter().any(|begin| message.starts_with(begin)) {
        true => told == pythons,
        false => told.get(..3) == pythons.get(..3),
    }
}

/// Compares with what Python Keystone said, or writes that down: the cases by their answer.
fn compare(part: &str, told: Told, python: bool) {
    type Cases = BTreeMap<String, BTreeMap<String, Vec<String>>>;
    let file = support("bad_input.json");
    let mut known: Cases = fs::read(&file)
        .map(|text| serde_json::from_slice(&text).unwrap())
        .unwrap_or_default();
    if python && updates() {
        let mut cases = BTreeMap::<String, Vec<String>>::new();
        for (what, answer) in told {
            cases.entry(answer).or_default().push(what);
        }
        known.insert(part.to_owned(), cases);
        fs::write(&file, format!("{:#}\n", json!(known))).unwrap();
        return;
    }
    let mut expected: BTreeMap<&str, &str> = BTreeMap::new();
    for (answer, cases) in known.get(part).into_iter().flatten() {
        expected.extend(cases.iter().map(|what| (what.as_str(), answer.as_str())));
    }
    let mut different = Vec::new();
    for (what, answer) in &told {
        let Some(pythons) = expected.remove(what.as_str()) else {
            different.push(format!("{what}: {answer:?}, and nobody knows what is due"));
            continue;
        };
        let agrees = match python {
            true => answer == pythons,
            false => agrees(what, answer, pythons),
        };
        if !agrees {
            different.push(format!("{what}: {answer:?}, due: {pythons:?}"));
        }
    }
    if !python {
        let untried = expected.into_keys();
        different.extend(untried.map(|what| format!("{what}: not tried")));
    }
    assert!(
        different.is_empty(),
        "{} differences:\n{}",
        different.len(),
        different.join("\n")
    );
}

/// Whether what Python Keystone says is to be written down.
fn updates() -> bool {
    std::env::var_os("UPDATE_BAD_INPUT").is_some()
}

async fn post(api: &Api, body: Vec<u8>) -> Result<Answer, String> {
    let request = api.request(Method::POST, "/v3/auth/tokens");
    request
        .header("Content-Type", "application/json")
        .body(body)
        .try_send()
        .await
}

fn people() -> Vec<String> {
    [
        seed::world(),
        seed::application_credential("alices", "alice", "demo", "member"),
    ]
    .concat()
}

each_keystone! {
    async fn a_malformed_login_is_answered_as_by_python_keystone(builder: Builder) {
        let cloud = builder.seed(people()).start().await;
        let good = cloud.api().login("alice", Scope::Unscoped).await;
        let mut told = Told::new();
        let share = if cloud.is_python() && !updates() { 8 } else { 1 };
        for (what, body) in malformed(good.token()).into_iter().step_by(share) {
            let answer = post(cloud.api(), body.to_string().into_bytes()).await;
            told.insert(what, gist(answer, good.token()));
        }
        compare("malformed", told, cloud.is_python());
    }

    async fn a_body_that_is_no_json_is_answered_as_by_python_keystone(builder: Builder) {
        let cloud = builder.seed(people()).start().await;
        let mut told = Told::new();
        for (what, body) in no_json() {
            told.insert(what.to_owned(), gist(post(cloud.api(), body).await, "-"));
        }
        compare("no JSON", told, cloud.is_python());
    }
}

each_database! {
    async fn what_is_too_much_is_refused_and_the_server_goes_on(db: TestDb) {
        let cloud = Builder::new(&db).start().await;
        let right = scoped(password("admin"), Scope::System).to_string();
        let deep = |open: &str, close: &str| {
            let inside = format!("{}{}", open.repeat(9000), close.repeat(9000));
            right.replacen("{\"auth\":{", &format!("{{\"other\":{inside},\"auth\":{{"), 1)
        };
        for (what, body) in [
            ("lists in lists", deep("[", "]")),
            ("objects in objects", deep("{\"a\":", "1").replace("1111", "}}}}")),
            ("only beginnings", "[".repeat(100_000)),
            ("many members", format!("{{{}\"auth\":1}}", (0..9000).map(|i| format!("\"m{i}\":1,")).collect::<String>())),
            ("many methods", right.replacen("\"password\"]", &format!("{}\"password\"]", (0..9000).map(|i| format!("\"m{i}\",")).collect::<String>()), 1)),
        ] {
            let answer = post(cloud.api(), body.into_bytes()).await.unwrap();
            assert_eq!(answer.status(), 400, "{what}: {answer:?}");
        }
        cloud.api().admin().await;
    }

    async fn a_broken_token_of_whichever_shape_is_no_token(db: TestDb) {
        let vectors: Value = serde_json::from_slice(&fs::read(support("vectors/tokens.json")).unwrap()).unwrap();
        let keys = db.scratch().join("fernet-keys");
        put_keys(&keys, &vectors);
        let cloud = Builder::new(&db).start().await;
        let admin = cloud.api().admin().await;
        let mut shapes = broken_tokens(&vectors);
        shapes.extend(["", " ", "=", ".", "..", "...", "gAAAAA", "gAAAAA==", "null", "%00", "../../etc/passwd", "' OR '1'='1"].map(|text| (text.to_owned(), text.to_owned())));
        shapes.push(("long".to_owned(), "gAAAAA".repeat(1200)));
        let mut different = Vec::new();
        for (name, text) in &shapes {
            let subject = admin.validate(text).await.status();
            let caller = cloud.api().request(Method::GET, "/v3/auth/projects").token(text).send().await.status();
            let proof = cloud.api().authenticate(&scoped(token(text), Scope::Unscoped)).await.status();
            // One that is genuine, and whose user or project is not here, is 404 for a caller too.
            if !([400, 404].contains(&subject) && [401, 404].contains(&caller) && [400, 404].contains(&proof)) {
                different.push(format!("{name}: subject {subject}, caller {caller}, proof {proof}"));
            }
        }
        assert!(different.is_empty(), "{different:#?}");
        cloud.api().admin().await;
    }
}

/// The keys that the vectors were made with, as the server's own.
fn put_keys(folder: &Path, vectors: &Value) {
    fs::create_dir(folder).unwrap();
    for (name, key) in vectors["keys"].as_object().unwrap() {
        // "primary 3": the number is the file's.
        if let Some(number) = name
            .rsplit(' ')
            .next()
            .filter(|_| !name.starts_with("rotated"))
        {
            fs::write(folder.join(number), key.as_str().unwrap()).unwrap();
        }
    }
}

fn broken_tokens(vectors: &Value) -> Vec<(String, String)> {
    let text = |vector: &Value, name: &str| vector[name].as_str().unwrap().to_owned();
    let bad = vectors["bad_tokens"].as_array().unwrap();
    let receipts = vectors["receipts"].as_array().unwrap();
    let jws = vectors["jws"]["tokens"].as_array().unwrap();
    bad.iter()
        .map(|vector| (text(vector, "name"), text(vector, "token")))
        .chain(
            receipts
                .iter()
                .map(|vector| ("a receipt".to_owned(), text(vector, "receipt"))),
        )
        .chain(
            jws.iter()
                .map(|vector| ("a JWS token".to_owned(), text(vector, "token"))),
        )
        // A header can hold no more than this.
        .filter(|(_, token)| {
            token
                .bytes()
                .all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte))
        })
        .collect()
}
