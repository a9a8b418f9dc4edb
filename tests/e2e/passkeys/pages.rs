//! The pages, by what goes over the wire: who may send what to them, and what browsers are told. What
//! people see is tested with browsers, in `tests/browser`.

use awc::http::Method;
use serde_json::{Value, json};

use super::forged::unlimited;
use super::{alice, passkeys_of, post, register};
use crate::support::api::Request;
use crate::support::{Answer, Api, Scope};

const COOKIE: &str = "__Host-keystone-ng";
const OWN: (&str, &str) = ("Sec-Fetch-Site", "same-origin");
const FORM: &str = "application/x-www-form-urlencoded";

/// A browser where somebody is signed in.
pub(crate) struct Browser {
    api: Api,
    /// Its name and value.
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

/// Signs in by the form, with more fields.
async fn by_password(api: &Api, user: &str, more: &str) -> Answer {
    let fields = format!("user={user}&domain=default&password=correct+horse+battery+staple{more}");
    let request = api.request(Method::POST, "/passkeys/sign-in");
    let request = request.header(OWN.0, OWN.1).header("Content-Type", FORM);
    request.body(fields).send().await
}

/// The cookie that signs in, with its attributes.
pub(super) fn session_of(answer: &Answer) -> Option<&str> {
    let set = answer
        .headers()
        .iter()
        .filter(|header| header.0.eq_ignore_ascii_case("set-cookie"));
    let mut set = set.map(|header| header.1.as_str());
    set.find(|cookie| {
        cookie
            .strip_prefix(COOKIE)
            .is_some_and(|rest| rest.starts_with('=') && !rest.starts_with("=;"))
    })
}

impl Browser {
    pub(crate) async fn of(api: &Api, user: &str) -> Self {
        Self::let_in(api, &by_password(api, user, "").await.expect(303)).await
    }

    /// Who was signed in by this answer.
    pub(super) async fn let_in(api: &Api, answer: &Answer) -> Self {
        let cookie = session_of(answer).unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let mut browser = Self {
            api: api.clone(),
            cookie,
            csrf: String::new(),
        };
        let page = browser.get("/passkeys").await.expect(200);
        let page = String::from_utf8(page.bytes().to_vec()).unwrap();
        let (_, csrf) = page.split_once("data-csrf=\"").unwrap();
        browser.csrf = csrf.split('"').next().unwrap().to_owned();
        assert!(browser.csrf.len() >= 43, "{page}");
        browser
    }

    /// The same at another node.
    pub(super) fn at(&self, api: &Api) -> Self {
        Self {
            api: api.clone(),
            cookie: self.cookie.clone(),
            csrf: self.csrf.clone(),
        }
    }

    fn request(&self, method: Method, path: &str) -> Request {
        self.api
            .request(method, path)
            .header("Cookie", &self.cookie)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// As the script sends it.
    pub(crate) async fn json(&self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).header(OWN.0, OWN.1);
        request
            .header("X-CSRF-Token", &self.csrf)
            .json(body)
            .send()
            .await
    }

    /// As a form is sent.
    pub(crate) async fn form(&self, path: &str, fields: &str) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header(OWN.0, OWN.1)
            .header("Content-Type", FORM);
        request
            .body(format!("csrf={}&{fields}", self.csrf))
            .send()
            .await
    }
}

/// What changes something for who is signed in, as a form or as the script sends it.
const FORMS: [&str; 5] = [
    "/passkeys/change",
    "/passkeys/sign-in/recovery",
    "/passkeys/recovery-codes",
    "/passkeys/sign-out",
    "/passkeys/device",
];
const SCRIPTED: [&str; 4] = [
    "/passkeys/add/begin",
    "/passkeys/add/finish",
    "/passkeys/device/begin",
    "/passkeys/device/allow",
];
/// What anybody may send.
const OPEN: [&str; 5] = [
    "/passkeys/sign-in",
    "/passkeys/sign-in/begin",
    "/passkeys/sign-in/finish",
    "/passkeys/invitation/begin",
    "/passkeys/invitation/finish",
];

on_sqlite! {
    async fn d8_what_another_site_sends_does_nothing(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let (session, _, passkey) = alice(api).await;
        let browser = Browser::of(api, "alice").await;
        let id = passkey["id"].as_str().unwrap();
        let port = format!("{}0", api.base());
        let sites: [&[(&str, &str)]; 9] = [
            &[],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Sec-Fetch-Site", "none")],
            &[("Sec-Fetch-Site", "cross-site"), ("Origin", api.base())],
            &[("Origin", "null")],
            &[("Origin", "https://evil.example")],
            &[("Origin", &port)],
            &[("Referer", api.base())],
        ];
        let fields = format!(
            "csrf={}&id={id}&do=remove&user=alice&domain=default&password=correct+horse+battery+staple&code=BCDF-GHJK",
            browser.csrf
        );
        let body = json!({"user": "alice", "code": "BCDF-GHJK", "secret": "x", "credential": {}}).to_string();
        for path in FORMS.iter().chain(&SCRIPTED).chain(&OPEN) {
            let is_form = FORMS.contains(path) || *path == "/passkeys/sign-in";
            let (kind, body) = if is_form { (FORM, &fields) } else { ("application/json", &body) };
            for site in sites {
                let mut request = browser.request(Method::POST, path).header("X-CSRF-Token", &browser.csrf);
                for (name, value) in site {
                    request = request.header(name, value);
                }
                let answer = request.header("Content-Type", kind).body(body.clone()).send().await;
                assert_eq!(answer.status(), 403, "{path} {site:?}: {answer:?}");
                assert_eq!(session_of(&answer), None, "{path}");
            }
        }
        // All is as it was.
        browser.get("/passkeys").await.expect(200);
        let listed = session.get(&passkeys_of("alice")).await.expect(200).json();
        assert_eq!(listed["passkeys"].as_array().unwrap().len(), 1);
    }

    async fn d8_what_has_not_the_proof_of_its_session_does_nothing(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let (session, _, passkey) = alice(api).await;
        let (browser, other) = (Browser::of(api, "alice").await, Browser::of(api, "bob").await);
        let again = Browser::of(api, "alice").await;
        assert_ne!(browser.csrf, again.csrf);
        let id = passkey["id"].as_str().unwrap();
        let short = &browser.csrf[..20];
        for csrf in ["", "AAAA", short, &other.csrf, &again.csrf, &"A".repeat(43), &browser.csrf.to_lowercase()] {
            let wrong = Browser { api: api.clone(), cookie: browser.cookie.clone(), csrf: csrf.to_owned() };
            for path in FORMS {
                let answer = wrong.form(path, &format!("id={id}&do=remove&code=BCDF-GHJK")).await;
                assert_eq!(answer.status(), 403, "{path} {csrf}: {answer:?}");
            }
            for path in SCRIPTED {
                let answer = wrong.json(path, &json!({"code": "BCDF-GHJK", "credential": {}})).await;
                assert_eq!(answer.status(), 403, "{path} {csrf}: {answer:?}");
            }
        }
        // Nor without a session, or with one that is none.
        for cookie in ["", "a=b", "__Host-keystone-ng=", "__Host-keystone-ng=gAAAA", "keystone-ng=x"] {
            let nobody = Browser { api: api.clone(), cookie: cookie.to_owned(), csrf: browser.csrf.clone() };
            for path in SCRIPTED {
                assert_eq!(nobody.json(path, &json!({"credential": {}})).await.status(), 401, "{path} {cookie}");
            }
            for path in ["/passkeys/change", "/passkeys/recovery-codes", "/passkeys/device"] {
                assert_eq!(nobody.form(path, &format!("id={id}&do=remove")).await.status(), 401, "{path} {cookie}");
            }
            let way = nobody.get("/passkeys").await.expect(303);
            assert_eq!(way.header("Location"), Some("/passkeys/sign-in?next=%2Fpasskeys"));
        }
        // Another's passkey is not there for bob.
        let answer = other.form("/passkeys/change", &format!("id={id}&do=remove")).await;
        assert_eq!(answer.status(), 404, "{answer:?}");
        let listed = session.get(&passkeys_of("alice")).await.expect(200).json();
        assert_eq!(listed["passkeys"].as_array().unwrap().len(), 1);
        // The session's own proof is what lacked.
        browser.form("/passkeys/change", &format!("id={id}&do=remove")).await.expect(303);
        // Signed out is signed out, here and everywhere.
        browser.form("/passkeys/sign-out", "").await.expect(303);
        browser.get("/passkeys").await.expect(303);
        let (_, token) = browser.cookie.split_once('=').unwrap();
        assert_eq!(api.request(Method::GET, &passkeys_of("alice")).token(token).send().await.status(), 401);
    }

    async fn d8_a_session_is_for_this_host_alone_and_leads_to_our_pages_alone(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let answer = by_password(api, "alice", "").await.expect(303);
        let (_, attributes) = session_of(&answer).unwrap().split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict");
        for (next, place) in [
            ("", "/passkeys"),
            ("/passkeys/add", "/passkeys/add"),
            ("/passkeys/device?code=BCDF-GHJK", "/passkeys/device?code=BCDF-GHJK"),
            ("https://evil.example/", "/passkeys"),
            ("//evil.example/passkeys", "/passkeys"),
            ("/\\evil.example", "/passkeys"),
            ("/passkeys/../../evil", "/passkeys"),
            ("/passkeys//evil.example", "/passkeys"),
            ("/passkeys@evil.example", "/passkeys"),
            ("/passkeys\r\nSet-Cookie: a=b", "/passkeys"),
            ("/passkeys/%2e%2e/", "/passkeys"),
            ("javascript:alert(1)", "/passkeys"),
            ("/v3/users", "/passkeys"),
            ("/passkeys/sign-out", "/passkeys"),
        ] {
            let more: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            let answer = by_password(api, "alice", &format!("&next={more}")).await.expect(303);
            assert_eq!(answer.header("Location"), Some(place), "{next}");
            let page = api.get(&format!("/passkeys/sign-in?next={more}")).await.expect(200);
            let page = String::from_utf8_lossy(page.bytes()).into_owned();
            assert!(!page.contains("evil") && !page.contains("javascript:"), "{next}");
        }
        // What is said in the query or the form is text on the page.
        let page = by_password(api, "%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "x").await.expect(401);
        assert!(!String::from_utf8_lossy(page.bytes()).contains("<script>alert"));
    }

    async fn d8_no_answer_of_the_pages_may_be_framed_kept_or_guessed(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let browser = Browser::of(api, "alice").await;
        let mut answers = Vec::new();
        for path in [
            "/passkeys", "/passkeys/add", "/passkeys/sign-in", "/passkeys/device", "/passkeys/device?code=BCDF-GHJK",
            "/passkeys/invitation", "/passkeys/remove?id=x", "/passkeys/assets/nothing.js", "/passkeys/nothing",
            "/passkeys/change", "/passkeys/recovery-codes", "/passkeys/sign-out",
        ] {
            answers.push((path, browser.get(path).await));
            answers.push((path, api.get(path).await));
        }
        answers.push(("refused", browser.form("/passkeys/change", "do=nothing").await));
        answers.push(("refused by JSON", browser.json("/passkeys/device/allow", &json!({})).await));
        answers.push(("begun", browser.json("/passkeys/add/begin", &json!({})).await));
        answers.push(("wrong", by_password(api, "nobody", "").await));
        for (what, answer) in &answers {
            assert!(answer.status() < 500, "{what}: {answer:?}");
            let policy = answer.header("Content-Security-Policy").unwrap_or_else(|| panic!("{what}: {answer:?}"));
            for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
                assert!(policy.contains(part), "{what}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
            for (name, value) in [
                ("X-Frame-Options", "DENY"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
                ("Cache-Control", "no-store"), ("Cross-Origin-Opener-Policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{what}: {name}");
            }
            assert_eq!(answer.header("Access-Control-Allow-Origin"), None, "{what}");
        }
    }

    async fn a_command_line_is_let_in_by_the_passkey_of_who_is_signed_in_and_once(db: TestDb) {
        let cloud = unlimited(&db).start().await;
        let api = cloud.api();
        let (session, mut key, passkey) = alice(api).await;
        let bob = api.login("bob", Scope::Unscoped).await;
        let (mut bobs, _) = register(&bob).await;
        let (browser, other) = (Browser::of(api, "alice").await, Browser::of(api, "bob").await);
        let device = async || post(api, "/v4/auth/passkey/device", &json!({})).await.expect(201).json();
        let poll = async |begun: &Value| post(api, "/v4/auth/passkey/device/token", &json!({"device_code": begun["device_code"]})).await;
        let allow = async |who: &Browser, code: &Value, credential: &Value| {
            who.json("/passkeys/device/allow", &json!({"code": code, "credential": credential})).await
        };
        let options = async |who: &Browser| who.json("/passkeys/device/begin", &json!({})).await.expect(200).json()["publicKey"].clone();
        let begun = device().await;
        let code = &begun["user_code"];

        // Somebody else's passkey; one that was begun for somebody else; a code that nothing waits for.
        let by_bob = bobs.get(&options(&browser).await);
        assert_eq!(allow(&browser, code, &by_bob).await.status(), 401);
        let by_alice = key.get(&options(&browser).await);
        assert_eq!(allow(&other, code, &by_alice).await.status(), 401);
        assert_eq!(allow(&browser, &json!("BCDF-GHJK"), &by_alice).await.status(), 404);
        assert_eq!(allow(&browser, code, &by_alice).await.status(), 401);
        assert_eq!(poll(&begun).await.expect(400).json()["error"]["title"], "authorization_pending");
        let good = key.get(&options(&browser).await);
        allow(&browser, code, &good).await.expect(200);
        // It is answered: nobody answers it again.
        let again = bobs.get(&options(&other).await);
        assert_eq!(allow(&other, code, &again).await.status(), 404);
        let page = other.form("/passkeys/device", &format!("code={}", code.as_str().unwrap())).await;
        assert!(String::from_utf8_lossy(page.bytes()).contains("Nothing waits"));
        let granted = poll(&begun).await.expect(201);
        assert_eq!(granted.json()["token"]["user"]["id"], "alice");
        let over = poll(&begun).await.expect(400);
        assert_eq!((&over.json()["error"]["title"], over.header("X-Subject-Token")), (&json!("expired_token"), None));

        // A passkey that is turned off or gone by then lets nobody in.
        let one = format!("{}/{}", passkeys_of("alice"), passkey["id"].as_str().unwrap());
        let (first, second) = (device().await, device().await);
        for begun in [&first, &second] {
            let good = key.get(&options(&browser).await);
            allow(&browser, &begun["user_code"], &good).await.expect(200);
        }
        session.patch(&one, &json!({"passkey": {"state": "disabled"}})).await.expect(200);
        let late = poll(&first).await.expect(401);
        assert_eq!(late.header("X-Subject-Token"), None);
        session.delete(&one).await.expect(204);
        poll(&second).await.expect(401);
        // Whoever says no is heard once.
        let third = device().await;
        let page = other.form("/passkeys/device", &format!("code={}", third["user_code"].as_str().unwrap())).await;
        page.expect(200);
        assert_eq!(poll(&third).await.expect(400).json()["error"]["title"], "access_denied");
        assert_eq!(poll(&third).await.expect(400).json()["error"]["title"], "expired_token");
    }
}
