//! Passkeys that another implementation keeps.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_cbor_2::Value as Cbor;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::db::Db;
use crate::testdb::{Backend, each_database};

/// As the other implementation makes IDs.
const CAROL: &str = "2fd93ac2d0f04c4f9b1b8a4f2e0d7c11";
/// With dashes, which it takes as well.
const DAVE: &str = "7b0c1de2-5f63-4d8c-9d7d-3a1f6f5f0d42";

/// How binary is written there: now, and in older rows.
#[derive(Clone, Copy)]
enum Form {
    Text,
    List,
}

impl Form {
    fn bytes(self, bytes: &[u8]) -> Value {
        match self {
            Self::Text => URL_SAFE_NO_PAD.encode(bytes).into(),
            Self::List => bytes.into(),
        }
    }
}

/// Its table, on this database.
async fn make_table(db: &TestDb) {
    let time = match db.backend() {
        Backend::Mariadb => "datetime(6)",
        Backend::Sqlite | Backend::Postgres => "timestamp",
    };
    db.execute(&format!(
        "CREATE TABLE webauthn_credential (
            user_id varchar(64) NOT NULL, credential_id varchar(512) NOT NULL PRIMARY KEY,
            description varchar(64), passkey text NOT NULL, counter bigint NOT NULL,
            \"type\" varchar(25) NOT NULL, aaguid varchar(36), created_at {time} NOT NULL,
            last_used_at {time}, last_updated_at {time})"
    ))
    .await;
}

/// What it has in its column `passkey`.
fn stored(authenticator: &Authenticator, form: Form) -> Value {
    let Cbor::Map(key) = authenticator.public_key() else {
        panic!("a map");
    };
    let part = |label: i128| match key.get(&Cbor::Integer(label)) {
        Some(Cbor::Bytes(bytes)) => form.bytes(bytes),
        other => panic!("{other:?}"),
    };
    let (alg, key) = match key.get(&Cbor::Integer(1)) {
        Some(Cbor::Integer(2)) => {
            let key = json!({"curve": "SECP256R1", "x": part(-2), "y": part(-3)});
            ("ES256", json!({"EC_EC2": key}))
        }
        _ => ("RS256", json!({"RSA": {"n": part(-1), "e": part(-2)}})),
    };
    json!({"cred": {
        "cred_id": form.bytes(&authenticator.credential_id),
        "cred": {"type_": alg, "key": key},
        "counter": 0,
        "transports": ["usb", "nfc"],
        "user_verified": true,
        "backup_eligible": false,
        "backup_state": false,
        "registration_policy": "required",
        "extensions": {
            "cred_protect": "Ignored", "hmac_create_secret": "NotRequested",
            "appid": "NotRequested", "cred_props": {"Unsigned": {"rk": true}},
        },
        "attestation": {"data": "None", "metadata": "None"},
        "attestation_format": "none",
    }})
}

async fn insert(db: &TestDb, user: &str, id: &[u8], passkey: &Value, counter: u32) {
    let id = URL_SAFE_NO_PAD.encode(id);
    db.execute(&format!(
        "INSERT INTO webauthn_credential VALUES ('{user}', '{id}', 'old key', '{passkey}', {counter},
         'cross-platform', NULL, '2026-11-10 08:00:00.250000', '2026-11-11 08:00:00', NULL)"
    ))
    .await;
}

/// A passkey that was registered there, and is known by the user's UUID.
async fn foreign(
    db: &TestDb,
    user: &str,
    mut authenticator: Authenticator,
    form: Form,
) -> Authenticator {
    let handle = Uuid::try_parse(user).unwrap_or_default();
    authenticator.user_handle = Some(handle.as_bytes().to_vec());
    let passkey = stored(&authenticator, form);
    let counter = authenticator.counter;
    insert(db, user, &authenticator.credential_id, &passkey, counter).await;
    authenticator
}

/// Imports, and gives what there was and what was refused, with its reasons.
async fn take_over(
    to: &Db,
    settings: &Settings,
    dry_run: bool,
) -> (Counts, Vec<(String, ImportRefusal)>) {
    let job = Import {
        from: to,
        to,
        settings,
        dry_run,
    };
    let mut refused = Vec::new();
    let counts = import(job, |step| {
        if let Step::Refused { user_id, why, .. } = step {
            refused.push((user_id.to_owned(), why.clone()));
        }
    })
    .await
    .unwrap();
    assert_eq!(counts.refused, refused.len());
    (counts, refused)
}

fn counts(read: usize, imported: usize, known: usize, gone: usize, refused: usize) -> Counts {
    Counts {
        read,
        imported,
        known,
        gone,
        refused,
    }
}

/// A database with its table and its users besides ours.
async fn start_beside(db: &TestDb) -> (Handle<WebauthnProvider>, Bench, Db) {
    let (provider, bench) = start(db, settings()).await;
    make_table(db).await;
    for user in [CAROL, DAVE] {
        add_user(db, user, "2026-11-01 00:00:00").await;
    }
    let pool = bench.pool("import");
    (provider, bench, pool)
}

each_database! {
    async fn authenticators_that_were_registered_elsewhere_go_on_working(db: TestDb) {
        let (provider, _bench, pool) = start_beside(&db).await;
        let mut counting = Authenticator::new();
        counting.counter = 7;
        let mut carol = foreign(&db, CAROL, counting, Form::Text).await;
        let dave = foreign(&db, DAVE, Authenticator::rs256(), Form::List).await;

        let (done, _) = take_over(&pool, &settings(), false).await;
        assert_eq!(done, counts(2, 2, 0, 0, 0));

        // Its counter is kept: what it said there it can't say again here.
        let again = log_in(&provider, &start_login(CAROL), &carol).await;
        assert_eq!(again, Verdict::RefusedOwner(user(CAROL), Reason::CounterRegression { stored: 7, received: 7 }));
        carol.counter = 8;
        assert_eq!(log_in(&provider, &start_login(CAROL), &carol).await, accepted(CAROL, &carol));
        assert_eq!(log_in(&provider, &start_anybody(), &dave).await, accepted(DAVE, &dave));
        let kept = &list(&provider, CAROL).await[0];
        assert_eq!((kept.description.as_deref(), kept.discoverable), (Some("old key"), Some(true)));
        assert_eq!(kept.transports, ["usb", "nfc"]);
        assert_eq!(kept.created_at, 1_794_297_600_250_000);
        assert!(kept.uv_initialized && kept.attestation_format.as_deref() == Some("none"));
        // What is registered from now on is of the same user to the authenticator.
        assert_eq!(options(&provider, CAROL).await.user_handle, carol.user_handle.clone().unwrap());
    }

    async fn a_second_import_changes_nothing(db: TestDb) {
        let (provider, _bench, pool) = start_beside(&db).await;
        let mut carol = foreign(&db, CAROL, Authenticator::new(), Form::Text).await;
        take_over(&pool, &settings(), false).await;
        carol.counter = 5;
        log_in(&provider, &start_login(CAROL), &carol).await;
        let before = list(&provider, CAROL).await;

        let (done, _) = take_over(&pool, &settings(), false).await;

        assert_eq!(done, counts(1, 0, 1, 0, 0));
        assert_eq!(list(&provider, CAROL).await, before);
    }

    async fn a_dry_run_says_the_same_and_writes_nothing(db: TestDb) {
        let (_provider, _bench, pool) = start_beside(&db).await;
        foreign(&db, CAROL, Authenticator::new(), Form::Text).await;
        foreign(&db, "gone", Authenticator::new(), Form::Text).await;
        foreign(&db, &Uuid::new_v4().simple().to_string(), Authenticator::new(), Form::Text).await;

        let (said, _) = take_over(&pool, &settings(), true).await;

        assert_eq!(db.number("SELECT COUNT(*) FROM ng_webauthn_credential").await, 0);
        assert_eq!(db.number("SELECT COUNT(*) FROM ng_webauthn_user").await, 0);
        assert_eq!(said, counts(3, 1, 0, 1, 1));
        let (done, _) = take_over(&pool, &settings(), false).await;
        assert_eq!(done, said);
        assert_eq!(db.number("SELECT COUNT(*) FROM webauthn_credential").await, 3);
    }

    async fn what_can_not_be_used_is_refused_for_a_reason(db: TestDb) {
        let (_provider, _bench, pool) = start_beside(&db).await;
        let changed = async |name: &str, value: Value| {
            let one = Authenticator::new();
            let mut passkey = stored(&one, Form::Text);
            *passkey.pointer_mut(name).unwrap() = value;
            insert(&db, CAROL, &one.credential_id, &passkey, 0).await;
        };
        changed("/cred/cred/type_", json!("EDDSA")).await;
        changed("/cred/cred/key/EC_EC2/x", json!(URL_SAFE.encode([1; 32]))).await;
        changed("/cred/cred/key/EC_EC2/curve", json!("SECP384R1")).await;
        changed("/cred/cred_id", json!("AAAA")).await;
        changed("/cred/backup_state", json!(true)).await;
        changed("/cred/counter", json!(-1)).await;
        foreign(&db, BOB, Authenticator::new(), Form::Text).await;

        let (done, refused) = take_over(&pool, &settings(), false).await;

        assert_eq!(done, counts(7, 0, 0, 0, 7));
        for due in [
            ImportRefusal::Algorithm("EDDSA".to_owned()),
            ImportRefusal::Key,
            ImportRefusal::Malformed("credential_id"),
            ImportRefusal::Malformed("passkey"),
            ImportRefusal::NotAllowed(Reason::BackupContradiction),
            ImportRefusal::NoUuid,
        ] {
            assert!(refused.iter().any(|(_, why)| *why == due), "{due:?}: {refused:?}");
        }
        assert_eq!(db.number("SELECT COUNT(*) FROM ng_webauthn_credential").await, 0);
    }

    async fn what_could_not_be_registered_here_is_not_imported_either(db: TestDb) {
        let (_provider, _bench, pool) = start_beside(&db).await;
        let rsa = foreign(&db, CAROL, Authenticator::rs256(), Form::Text).await;
        let why = async |settings: Settings| take_over(&pool, &settings, true).await.1.remove(0).1;

        let curves = Settings { algorithms: vec![-7], ..settings() };
        assert_eq!(why(curves).await, ImportRefusal::NotAllowed(Reason::WrongAlgorithm));
        let listed = Settings { attestation: Attestation::Listed, ..settings() };
        assert_eq!(why(listed).await, ImportRefusal::NotAllowed(Reason::BadAttestation));
        let models = Settings { aaguid_allow: vec![Uuid::from_bytes([7; 16])], ..settings() };
        assert_eq!(why(models).await, ImportRefusal::NotAllowed(Reason::ModelRefused));
        let mut passkey = stored(&rsa, Form::Text);
        passkey["cred"]["backup_eligible"] = json!(true);
        db.execute(&format!("UPDATE webauthn_credential SET passkey = '{passkey}'")).await;
        let bound = Settings { hardware_bound_only: true, ..settings() };
        assert_eq!(why(bound).await, ImportRefusal::NotAllowed(Reason::NotHardwareBound));
    }

    async fn what_is_another_users_stays_that_users(db: TestDb) {
        let (provider, _bench, pool) = start_beside(&db).await;
        let alice = passkey_of_alice(&provider).await;
        let passkey = stored(&alice, Form::Text);
        insert(&db, CAROL, &alice.credential_id, &passkey, 0).await;

        let (done, refused) = take_over(&pool, &settings(), false).await;

        assert_eq!(done, counts(1, 0, 0, 0, 1));
        let due = ImportRefusal::OtherUser(ALICE.to_owned());
        assert_eq!(refused, [(CAROL.to_owned(), due)]);
        assert_eq!(log_in(&provider, &start_login(ALICE), &alice).await, accepted(ALICE, &alice));

        // One UUID, spelt in two ways.
        let twin = Uuid::try_parse(CAROL).unwrap().to_string();
        add_user(&db, &twin, "2026-11-01 00:00:00").await;
        foreign(&db, CAROL, Authenticator::new(), Form::Text).await;
        take_over(&pool, &settings(), false).await;
        foreign(&db, &twin, Authenticator::new(), Form::Text).await;
        let (_, refused) = take_over(&pool, &settings(), false).await;
        let due = (twin, ImportRefusal::OtherHandle(CAROL.to_owned()));
        assert!(refused.contains(&due), "{refused:?}");
    }

    async fn a_passkey_of_one_who_had_the_id_before_is_not_imported(db: TestDb) {
        let (_provider, _bench, pool) = start_beside(&db).await;
        let next = Uuid::new_v4().simple().to_string();
        add_user(&db, &next, "2026-11-15 00:00:00").await;
        foreign(&db, &next, Authenticator::new(), Form::Text).await;

        let (_, refused) = take_over(&pool, &settings(), false).await;

        assert_eq!(refused, [(next, ImportRefusal::OlderThanUser)]);
    }

    async fn who_has_registered_here_before_goes_on_with_all_passkeys(db: TestDb) {
        let (provider, _bench, pool) = start_beside(&db).await;
        let mut new = Authenticator::new();
        register(&provider, CAROL, &mut new).await.unwrap();
        let old = foreign(&db, CAROL, Authenticator::new(), Form::Text).await;

        take_over(&pool, &settings(), false).await;

        for one in [&new, &old] {
            assert_eq!(log_in(&provider, &start_anybody(), one).await, accepted(CAROL, one));
        }
        assert_eq!(options(&provider, CAROL).await.user_handle, new.user_handle.clone().unwrap());
    }

    async fn more_passkeys_than_one_transaction_takes_are_imported(db: TestDb) {
        let (provider, _bench, pool) = start_beside(&db).await;
        let one = Authenticator::new();
        let rows: Vec<String> = (0..450)
            .map(|_| {
                let id = Uuid::new_v4().into_bytes();
                let mut passkey = stored(&one, Form::Text);
                passkey["cred"]["cred_id"] = Form::Text.bytes(&id);
                let id = URL_SAFE_NO_PAD.encode(id);
                format!(
                    "('{CAROL}', '{id}', NULL, '{passkey}', 0, 'cross-platform', NULL,
                      '2026-11-10 08:00:00', NULL, NULL)"
                )
            })
            .collect();
        db.execute(&format!("INSERT INTO webauthn_credential VALUES {}", rows.join(","))).await;

        let (done, _) = take_over(&pool, &settings(), false).await;

        assert_eq!(done, counts(450, 450, 0, 0, 0));
        assert_eq!(list(&provider, CAROL).await.len(), 450);
    }
}
