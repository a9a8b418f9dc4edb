//! Multi-factor rules, and the receipts by which a login in several steps goes on.

use awc::http::Method;
use serde_json::{Value, json};

use crate::support::cloud::Builder;
use crate::support::delegation::ways_due;
use crate::support::login::{application_credential, together};
use crate::support::{
    Answer, Api, Cloud, Options, Scope, Session, each_keystone, password, scoped, seed, token,
};

const RECEIPT: &str = "Openstack-Auth-Receipt";

/// mia and max have to show a password and a token; otto his password and something that nobody here
/// can show; ole has rules that are switched off; zoe may choose.
fn people() -> Vec<String> {
    let user = |id| {
        [
            seed::user(id, "default", true),
            seed::grant("UserProject", id, "demo", "member"),
        ]
        .concat()
    };
    [
        seed::world(),
        user("mia"),
        user("max"),
        user("otto"),
        user("ole"),
        user("zoe"),
        seed::application_credential("zoes", "zoe", "demo", "member"),
    ]
    .concat()
}

/// The rules come after everybody has a token.
fn rules() -> Vec<String> {
    let rule = |user, rules| seed::user_option(user, "MFAR", rules);
    [
        rule("mia", r#"[["password", "token"]]"#),
        rule("max", r#"[["password", "token"]]"#),
        rule("otto", r#"[["password", "totp"]]"#),
        rule("ole", r#"[["password", "totp"]]"#),
        seed::user_option("ole", "MFAE", "false"),
        rule(
            "zoe",
            r#"[["password", "totp"], ["password", "application_credential"], ["token"]]"#,
        ),
    ]
    .concat()
}

async fn start<'db>(builder: Builder<'db>) -> (Cloud<'db>, [Session; 2]) {
    let mut cloud = builder
        .seed(people())
        .set(
            "auth",
            "methods",
            "external,password,token,oauth1,mapped,application_credential,ec2credential,totp",
        )
        .start()
        .await;
    let tokens = [
        cloud.api().login("mia", Scope::Unscoped).await,
        cloud.api().login("max", Scope::Unscoped).await,
    ];
    seed::behind_its_back(&mut cloud, &rules()).await;
    (cloud, tokens)
}

fn body(identity: Value) -> Value {
    json!({"auth": {"identity": identity}})
}

/// A login that shows this receipt.
async fn go_on(api: &Api, receipt: &str, identity: Value) -> Answer {
    let request = api
        .request(Method::POST, "/v3/auth/tokens")
        .header(RECEIPT, receipt);
    request.json(&body(identity)).send().await
}

/// The receipt of a login that is not enough yet.
fn receipt_of(answer: &Answer) -> String {
    assert_eq!(answer.status(), 401, "{answer:?}");
    let receipt = answer
        .header(RECEIPT)
        .unwrap_or_else(|| panic!("no receipt: {answer:?}"));
    receipt.to_owned()
}

/// Python Keystone repeats the receipt in this message; ours repeats no secret.
#[track_caller]
fn assert_no_receipt(answer: &Answer) {
    assert_eq!(answer.status(), 401, "{answer:?}");
    assert!(
        answer.message().starts_with("Could not find auth receipt"),
        "{answer:?}"
    );
    assert_eq!(answer.header(RECEIPT), None, "{answer:?}");
}

each_keystone! {
    async fn what_is_not_enough_gets_a_receipt_and_no_token(builder: Builder) {
        let (cloud, _) = start(builder).await;
        let api = cloud.api();

        let due = api.authenticate(&scoped(password("mia"), Scope::Project("demo"))).await;

        receipt_of(&due);
        assert_eq!(due.header("X-Subject-Token"), None);
        let told = due.json();
        assert_eq!(ways_due(&due), [["password", "token"]]);
        assert_eq!(told["receipt"]["methods"], json!(["password"]));
        assert_eq!(told["receipt"]["user"], json!({"domain": {"id": "default", "name": "Default"}, "id": "mia", "name": "mia"}));
        for time in ["issued_at", "expires_at"] {
            assert!(told["receipt"][time].as_str().unwrap().ends_with(".000000Z"), "{told}");
        }
        // A wrong password is a wrong password.
        let wrong = api.authenticate(&body(crate::support::login::password_is("mia", "wrong"))).await.expect(401);
        assert_eq!((wrong.header(RECEIPT), wrong.json()["error"]["code"].as_u64()), (None, Some(401)));
    }

    async fn a_rule_is_met_in_one_step_or_in_two(builder: Builder) {
        let (cloud, [mias, _]) = start(builder).await;
        let api = cloud.api();

        let at_once = api.session(&body(together(&[password("mia"), token(mias.token())]))).await;
        let mut methods: Vec<_> = at_once.issued()["methods"].as_array().unwrap().clone();
        methods.sort_by_key(Value::to_string);
        assert_eq!(methods, [json!("password"), json!("token")]);

        let receipt = receipt_of(&api.authenticate(&body(password("mia"))).await);
        let done = go_on(api, &receipt, token(mias.token())).await.expect(201);
        assert_eq!(done.json()["token"]["user"]["id"], "mia");
        // A receipt is for its time, not for once.
        go_on(api, &receipt, token(mias.token())).await.expect(201);
        // One that shows the same again gets another.
        receipt_of(&go_on(api, &receipt, password("mia")).await);
    }

    async fn a_receipt_is_good_for_its_user_and_its_time_alone(builder: Builder) {
        let (cloud, [_, maxs]) = start(builder).await;
        let hasty = cloud.start_twin(Options::default().set("receipt", "expiration", 0)).await;
        let api = cloud.api();
        let receipt = receipt_of(&api.authenticate(&body(password("mia"))).await);
        let over = receipt_of(&hasty.api().authenticate(&body(password("max"))).await);

        assert_no_receipt(&go_on(api, &receipt, token(maxs.token())).await);
        assert_no_receipt(&go_on(api, &over, token(maxs.token())).await);
        assert_no_receipt(&go_on(api, "gAAAAAB", token(maxs.token())).await);
        let swapped = go_on(api, &receipt_of(&api.authenticate(&body(password("max"))).await), token(maxs.token())).await;
        swapped.expect(201);
        // An empty one is none.
        receipt_of(&go_on(api, "", password("max")).await);
        // It is no token.
        assert_eq!(maxs.at(api).validate(&receipt).await.status(), 404);
    }

    async fn rules_that_are_off_ask_for_nothing_and_one_of_several_is_enough(builder: Builder) {
        let (cloud, _) = start(builder).await;
        let api = cloud.api();

        api.session(&scoped(password("ole"), Scope::Project("demo"))).await;
        let due = api.authenticate(&body(password("zoe"))).await;
        receipt_of(&due);
        // Only the ways on which the password is a step.
        assert_eq!(ways_due(&due), [["application_credential", "password"], ["password", "totp"]]);
        let both = together(&[password("zoe"), application_credential("zoes")]);
        let session = api.session(&body(both)).await;
        assert_eq!(session.text("/project/id"), "demo");
        receipt_of(&api.authenticate(&body(password("otto"))).await);
    }
}
