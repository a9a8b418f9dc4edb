//! Operations that ask for a login of just now, and by passkey of who has one.

use serde_json::{Value, json};

use super::factors::{RECEIPT, body, codes_of, left, passkey, recovery};
use super::pages::{Browser, session_of};
use super::{alice, passkeys_of, refused, register};
use crate::support::cloud::Builder;
use crate::support::login::together;
use crate::support::passkey::{Authenticator, enabled};
use crate::support::{Answer, Api, Options, Scope, Session, password, scoped, seed, token};
use crate::testdb::{TestDb, each_database};

fn world(db: &TestDb) -> Builder<'_> {
    Builder::new(db).seed(seed::world()).options(options())
}

fn options() -> Options {
    let rules =
        "identity:v4_passkey_register, identity:v4_passkey_update, identity:v4_passkey_delete";
    enabled().set("webauthn", "step_up_policies", rules)
}

async fn by_passkey(api: &Api, key: &mut Authenticator, scope: Scope<'_>) -> Session {
    let shown = passkey(api, key).await;
    api.session(&scoped(shown, scope)).await
}

/// Fails unless it is refused for want of a passkey.
fn wants_a_passkey(answer: &Answer, rule: &str) {
    assert_eq!(answer.status(), 403, "{answer:?}");
    let due =
        "needs a login with a passkey of the last 600 seconds. Sign in again with your passkey";
    assert!(
        answer.message().contains(&format!("{due} ({rule}).")),
        "{answer:?}"
    );
}

/// Fails unless it is put off until more methods are shown.
fn refused_for_more(answer: &Answer) {
    assert_eq!(answer.status(), 401, "{answer:?}");
    assert!(answer.header(RECEIPT).is_some(), "{answer:?}");
}

each_database! {
    async fn who_has_a_passkey_manages_passkeys_with_it(db: TestDb) {
        let cloud = world(&db).start().await;
        let api = cloud.api();
        // The first one by password.
        let (by_password, mut key, made) = alice(api).await;
        let all = passkeys_of("alice");
        let one = format!("{all}/{}", made["id"].as_str().unwrap());
        let begin = format!("{all}/register_start");
        let change = |change: Value| json!({"passkey": change});
        let put = |state: &str| change(json!({"state": state}));

        let registers = by_password.post(&begin, &change(json!({}))).await;
        wants_a_passkey(&registers, "identity:v4_passkey_register");
        let codes = by_password.post(&format!("{all}/recovery_codes"), &json!({})).await;
        wants_a_passkey(&codes, "identity:v4_passkey_register");
        wants_a_passkey(&by_password.patch(&one, &put("disabled")).await, "identity:v4_passkey_update");
        wants_a_passkey(&by_password.delete(&one).await, "identity:v4_passkey_delete");
        by_password.get(&one).await.expect(200);

        let session = by_passkey(api, &mut key, Scope::Unscoped).await;
        let (_, second) = register(&session).await;
        let second = format!("{all}/{}", second["id"].as_str().unwrap());
        session.delete(&second).await.expect(204);
        session.patch(&one, &change(json!({"description": "blue"}))).await.expect(200);
        // A token that is made of it is as good.
        let again = api.session(&scoped(token(session.token()), Scope::Project("demo"))).await;
        again.patch(&one, &put("disabled")).await.expect(200);
        // None is left to sign in with.
        by_password.patch(&one, &put("active")).await.expect(200);
        wants_a_passkey(&by_password.patch(&one, &put("disabled")).await, "identity:v4_passkey_update");
    }

    async fn an_administrator_gets_around_it_neither_by_an_invitation_nor_by_a_reset(db: TestDb) {
        let cloud = world(&db).start().await;
        let api = cloud.api();
        let by_password = api.admin().await;
        let all = passkeys_of(by_password.text("/user/id"));
        let invitation = format!("{all}/invitation");
        // Who has none, by a login of just now.
        by_password.post(&invitation, &json!({})).await.expect(201);
        by_password.delete(&all).await.expect(204);
        let (mut key, _) = register(&by_password).await;

        let invited = by_password.post(&invitation, &json!({})).await;
        wants_a_passkey(&invited, "identity:v4_passkey_register");
        wants_a_passkey(&by_password.delete(&all).await, "identity:v4_passkey_delete");

        let session = by_passkey(api, &mut key, Scope::Project("admin")).await;
        session.post(&invitation, &json!({})).await.expect(201);
        session.delete(&all).await.expect(204);
        let left = by_password.get(&all).await.expect(200).json();
        assert_eq!(left["passkeys"], json!([]));
    }

    async fn for_others_it_is_asked_for_where_that_is_named(db: TestDb) {
        let cloud = world(&db).start().await;
        let api = cloud.api();
        let by_password = api.admin().await;
        let (mut key, _) = register(&by_password).await;
        let of_bob = passkeys_of("bob");
        let invitation = format!("{of_bob}/invitation");
        by_password.post(&invitation, &json!({})).await.expect(201);
        by_password.delete(&of_bob).await.expect(204);

        let rules = "identity:v4_passkey_invite, identity:v4_passkey_reset";
        let other = cloud.start_node(enabled().set("webauthn", "step_up_policies", rules)).await;
        let by_password = by_password.at(other.api());
        let invited = by_password.post(&invitation, &json!({})).await;
        wants_a_passkey(&invited, "identity:v4_passkey_invite");
        wants_a_passkey(&by_password.delete(&of_bob).await, "identity:v4_passkey_reset");
        let session = by_passkey(api, &mut key, Scope::Project("admin")).await.at(other.api());
        session.post(&invitation, &json!({})).await.expect(201);
        session.delete(&of_bob).await.expect(204);
    }

    async fn a_token_of_others_that_names_the_method_is_no_login_by_passkey(db: TestDb) {
        let methods = "external,password,token,oauth1,mapped,application_credential,ec2credential,x509";
        let mut cloud = world(&db).set("auth", "methods", methods).start().await;
        let (_, mut key, _) = alice(cloud.api()).await;
        let session = by_passkey(cloud.api(), &mut key, Scope::Unscoped).await;
        assert_eq!(session.text("/methods/0"), "x509");
        let begin = format!("{}/register_start", passkeys_of("alice"));
        let nothing = json!({"passkey": {}});
        session.post(&begin, &nothing).await.expect(201);
        let again = scoped(token(session.token()), Scope::Project("demo"));
        cloud.api().session(&again).await.post(&begin, &nothing).await.expect(201);

        // As one of Python Keystone, for who comes by a protocol of this name: here it is not known.
        let unknown = "DELETE FROM ng_webauthn_token".to_owned();
        seed::behind_its_back(&mut cloud, &[unknown]).await;
        let api = cloud.api();
        wants_a_passkey(&session.at(api).post(&begin, &nothing).await, "identity:v4_passkey_register");
        let made = api.session(&again).await;
        let names = made.issued()["methods"].as_array().unwrap();
        assert!(names.contains(&json!("x509")), "{names:?}");
        wants_a_passkey(&made.post(&begin, &nothing).await, "identity:v4_passkey_register");
        // Nor does it become one by what is shown beside it.
        let both = together(&[token(session.token()), passkey(api, &mut key).await]);
        api.session(&body(&both)).await.post(&begin, &nothing).await.expect(201);
        wants_a_passkey(&session.at(api).post(&begin, &nothing).await, "identity:v4_passkey_register");

        // Nor does it pass rules that ask for a passkey, when another token is made of it.
        let rule = seed::user_option("alice", "MFAR", r#"[["password", "x509"]]"#);
        seed::behind_its_back(&mut cloud, &rule).await;
        let api = cloud.api();
        refused_for_more(&api.authenticate(&again).await);
        let session = by_passkey(api, &mut key, Scope::Unscoped).await;
        session.post(&begin, &nothing).await.expect(201);
        api.session(&scoped(token(session.token()), Scope::Project("demo"))).await;
    }

    async fn any_rule_can_ask_for_it(db: TestDb) {
        let rules = "identity:delete_user, identity:update_user";
        let options = || enabled().set("webauthn", "step_up_policies", rules);
        let cloud = world(&db).options(options()).start().await;
        let api = cloud.api();
        let admin = api.admin().await;
        let user = json!({"user": {"name": "gone", "domain_id": "default"}});
        let new = async |session: &Session| {
            let made = session.post("/v3/users", &user).await.expect(201).json();
            format!("/v3/users/{}", made["user"]["id"].as_str().unwrap())
        };

        // Of who has none nothing but a login of just now is asked.
        admin.delete(&new(&admin).await).await.expect(204);
        let other = cloud.start_node(options().set("token", "expiration", 7200)).await;
        let one = new(&admin).await;
        let old = admin.at(other.api()).delete(&one).await.expect(403);
        let text = old.message();
        assert!(text.contains("needs a login of the last 600 seconds. Sign in again (identity:delete_user)."), "{text}");
        admin.at(other.api()).get(&one).await.expect(200);

        let (mut key, _) = register(&admin).await;
        wants_a_passkey(&admin.delete(&one).await, "identity:delete_user");
        let change = json!({"user": {"description": "x"}});
        wants_a_passkey(&admin.patch(&one, &change).await, "identity:update_user");
        admin.get(&one).await.expect(200);
        // Policy is asked first: who may not learns nothing else.
        let bob = api.login("bob", Scope::Unscoped).await;
        let refused = bob.delete(&one).await.expect(403);
        assert!(!refused.message().contains("Sign in"), "{refused:?}");
        // What manages passkeys is not named here.
        register(&admin).await;

        let session = by_passkey(api, &mut key, Scope::System).await;
        session.patch(&one, &change).await.expect(200);
        wants_a_passkey(&session.at(other.api()).delete(&one).await, "identity:delete_user");
        session.delete(&one).await.expect(204);
    }
}

on_sqlite! {
    async fn a_token_of_where_they_live_longer_counts_as_old_and_so_does_what_is_made_of_it(db: TestDb) {
        let cloud = world(&db).start().await;
        let api = cloud.api();
        let other = cloud.start_node(options().set("token", "expiration", 14_400)).await;
        let begin = format!("{}/register_start", passkeys_of("alice"));
        let nothing = json!({"passkey": {}});
        let session = other.api().login("alice", Scope::Unscoped).await;
        session.post(&begin, &nothing).await.expect(201);

        let made = scoped(token(session.token()), Scope::Project("demo"));
        for session in [session.at(api), api.session(&made).await] {
            let old = session.post(&begin, &nothing).await.expect(403);
            assert!(old.message().contains("Sign in again"), "{old:?}");
        }
        let session = api.login("alice", Scope::Unscoped).await;
        session.post(&begin, &nothing).await.expect(201);
        let made = scoped(token(session.token()), Scope::Project("demo"));
        api.session(&made).await.post(&begin, &nothing).await.expect(201);
    }

    async fn a_token_that_outlived_its_passkey_gets_no_better_by_what_is_shown_beside_it(db: TestDb) {
        let cloud = world(&db).start().await;
        let api = cloud.api();
        let (_, mut lost, made) = alice(api).await;
        let session = by_passkey(api, &mut lost, Scope::Unscoped).await;
        let (mut kept, _) = register(&session).await;
        let codes = codes_of(&session).await;
        let both = together(&[password("alice"), passkey(api, &mut lost).await]);
        let spared = api.session(&body(&both)).await;
        let begin = format!("{}/register_start", passkeys_of("alice"));
        let nothing = json!({"passkey": {}});
        spared.post(&begin, &nothing).await.expect(201);
        let one = format!("{}/{}", passkeys_of("alice"), made["id"].as_str().unwrap());
        session.delete(&format!("{one}?revoke_tokens=false")).await.expect(204);
        let is_none = async || {
            let answer = spared.post(&begin, &nothing).await;
            wants_a_passkey(&answer, "identity:v4_passkey_register");
        };
        is_none().await;
        let with = |shown: Value| body(&together(&[token(spared.token()), shown]));

        refused(&api.authenticate(&with(recovery("alice", "made up"))).await);
        is_none().await;
        let by_code = api.session(&with(recovery("alice", &codes[0]))).await;
        let by_both = api.session(&with(passkey(api, &mut kept).await)).await;
        // They are, and what is made of them; it is not.
        for session in [by_code, by_both] {
            session.post(&begin, &nothing).await.expect(201);
            let made = scoped(token(session.token()), Scope::Project("demo"));
            api.session(&made).await.post(&begin, &nothing).await.expect(201);
        }
        is_none().await;
    }

    async fn a_recovery_code_stands_for_the_passkey_that_is_asked_for(db: TestDb) {
        let cloud = world(&db).start().await;
        let api = cloud.api();
        let (_, mut key, made) = alice(api).await;
        let session = by_passkey(api, &mut key, Scope::Unscoped).await;
        let codes = codes_of(&session).await;
        let both = |code: &str| body(&together(&[password("alice"), recovery("alice", code)]));

        refused(&api.authenticate(&both("made up")).await);
        assert_eq!(left(&session).await, 10);
        let by_code = api.session(&both(&codes[0])).await;
        assert_eq!(left(&session).await, 9);
        refused(&api.authenticate(&both(&codes[0])).await);
        let one = format!("{}/{}", passkeys_of("alice"), made["id"].as_str().unwrap());
        by_code.delete(&one).await.expect(204);
        register(&by_code).await;

        // On the pages, for who is signed in without the passkey.
        let offers = async |page: &str, who: &Browser| {
            let page = who.get(page).await.expect(200);
            String::from_utf8_lossy(page.bytes()).contains("I do not have my passkey here")
        };
        let browser = Browser::of(api, "alice").await;
        let begin = json!({});
        assert_eq!(browser.json("/passkeys/add/begin", &begin).await.status(), 403);
        assert!(offers("/passkeys/sign-in?next=/passkeys/add", &browser).await);
        let show_as = async |who: &Browser, fields: &str| {
            who.form("/passkeys/sign-in/recovery", &format!("next=/passkeys/add&{fields}")).await
        };
        let show = async |fields: &str| show_as(&browser, fields).await;
        let page_of = |answer: &Answer| String::from_utf8_lossy(answer.bytes()).into_owned();
        let known = format!("recovery_code={}", codes[1]);
        let by_both = format!("user=alice&password=wrong&{known}");
        for (wrong, open) in [("recovery_code=made+up", true), (by_both.as_str(), true), ("", false)] {
            let answer = show(wrong).await.expect(401);
            assert_eq!(session_of(&answer), None, "{wrong}");
            let page = page_of(&answer);
            assert!(page.contains("That was not right"), "{wrong}");
            assert_eq!(page.contains(r#"<details class="more" open>"#), open, "{wrong}");
            // The user of this form is not typed into the one for passwords.
            assert!(page.contains(r#"name="user" value="" autocomplete="username webauthn""#), "{page}");
        }
        assert_eq!(left(&by_code).await, 9);
        // Where the login counts as old, a code would be lost without the password.
        let session = api.login("alice", Scope::Unscoped).await;
        let other = cloud.start_node(options().set("token", "expiration", 7200)).await;
        let old = show_as(&browser.at(other.api()), &known).await.expect(403);
        let page = page_of(&old);
        assert!(page.contains("type your password, too") && page.contains("Password of alice"), "{page}");
        assert_eq!(session_of(&old), None);
        let both_old = together(&[token(session.token()), recovery("alice", &codes[1])]);
        refused(&other.api().authenticate(&body(&both_old)).await);
        assert_eq!(left(&by_code).await, 9);
        let let_in = show(&known).await.expect(303);
        assert_eq!(let_in.header("Location"), Some("/passkeys/add"));
        let by_page = Browser::let_in(api, &let_in).await;
        by_page.json("/passkeys/add/begin", &begin).await.expect(200);
        assert!(!offers("/passkeys/sign-in", &by_page).await);
        let known = format!("password=correct+horse+battery+staple&recovery_code={}", codes[2]);
        show(&known).await.expect(303);
        assert_eq!(left(&by_code).await, 7);

        // Who has no passkey does not need it.
        let bob = api.login("bob", Scope::Unscoped).await;
        let codes = codes_of(&bob).await;
        let bobs = together(&[password("bob"), recovery("bob", &codes[0])]);
        refused(&api.authenticate(&body(&bobs)).await);
        assert_eq!(left(&bob).await, 10);
        assert!(!offers("/passkeys/sign-in", &Browser::of(api, "bob").await).await);
    }
}
