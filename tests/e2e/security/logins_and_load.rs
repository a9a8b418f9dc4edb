//! Guesses, storms of logins, slow clients, and clients that hang up.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use awc::http::Method;
use serde_json::json;

use crate::support::cloud::Builder;
use crate::support::load::{Ask, Load};
use crate::support::login::{PASSWORD, password_is};
use crate::support::{Api, Cloud, Options, Scope, password, scoped, seed, until};
use crate::testdb::each_database;

/// No answer may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The sum of a metric's values whose labels contain this.
async fn metric(metrics: &Api, name: &str, labels: &str) -> f64 {
    let text = metrics.get("/metrics").await.expect(200);
    let text = String::from_utf8_lossy(text.bytes()).into_owned();
    text.lines()
        .filter(|line| line.starts_with(name) && line.contains(labels))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        .sum()
}

async fn hashes_done(cloud: &Cloud<'_>) -> f64 {
    metric(&cloud.metrics(), "keystone_hash_done_total", "").await
}

/// Logs in many times at once, at each of these servers in turn; gives the statuses.
async fn guess(servers: &[&Api], user: &str, password: &str, times: usize) -> Vec<u16> {
    let body = scoped(password_is(user, password), Scope::Unscoped);
    let all = (0..times).map(|n| {
        let request = servers[n % servers.len()].request(Method::POST, "/v3/auth/tokens");
        request.json(&body).send()
    });
    let all = futures_util::future::join_all(all).await;
    all.iter().map(|answer| answer.status()).collect()
}

async fn login(api: &Api, user: &str) -> u16 {
    let body = scoped(password(user), Scope::Unscoped);
    api.authenticate(&body).await.status()
}

each_database! {
    async fn b3_what_is_named_a_thousand_times_costs_what_it_costs_once(db: TestDb) {
        let cloud = Builder::new(&db).seed(seed::world()).start().await;
        let mut identity = password("alice");
        identity["methods"] = json!(vec!["password"; 1000]);

        let before = hashes_done(&cloud).await;
        cloud.api().authenticate(&scoped(identity, Scope::Unscoped)).await.expect(201);

        assert_eq!(hashes_done(&cloud).await - before, 1.0);
    }

    async fn b3_what_is_too_large_is_refused_before_any_work(db: TestDb) {
        let cloud = Builder::new(&db).seed(seed::world()).start().await;
        let before = hashes_done(&cloud).await;
        let name = |length: usize| scoped(password_is(&"n".repeat(length), PASSWORD), Scope::Unscoped);

        cloud.api().authenticate(&name(1_000_000)).await.expect(413);
        let many = json!({"auth": {"identity": {"methods": vec!["x"; 30_000]}}});
        let many = cloud.api().authenticate(&many).await;
        assert!([400, 401, 413].contains(&many.status()), "{many:?}");
        assert_eq!(hashes_done(&cloud).await, before);

        // A name that is only too long for anybody's is nobody's, at the same cost.
        cloud.api().authenticate(&name(100_000)).await.expect(401);
        assert_eq!(login(cloud.api(), "alice").await, 201);
    }

    async fn b6_parallel_guesses_at_two_nodes_are_all_counted_and_lock(db: TestDb) {
        let options = Options::default()
            .set("security_compliance", "lockout_failure_attempts", 5)
            .set("security_compliance", "lockout_duration", 1800);
        let first = Builder::new(&db).options(options.clone()).seed(seed::world()).start().await;
        let second = first.start_node(options).await;
        let nodes = [first.api(), second.api()];
        assert_eq!(login(first.api(), "alice").await, 201);

        let guesses = guess(&nodes, "alice", "a guess", 64).await;

        assert_eq!(guesses, [401; 64]);
        for node in nodes {
            assert_eq!(login(node, "alice").await, 401, "a right password is told to nobody now");
            assert_eq!(login(node, "bob").await, 201);
        }
        let count = r#"SELECT "failed_auth_count" FROM "local_user" WHERE "name" = 'alice'"#;
        assert_eq!(db.number(count).await, 5, "no guess beyond the fifth was looked at");

        // The lock ends with its time.
        db.execute(r#"UPDATE "local_user" SET "failed_auth_at" = '2020-01-01 00:00:00' WHERE "name" = 'alice'"#).await;
        assert_eq!(login(second.api(), "alice").await, 201);
    }

    async fn b6_unknown_names_lock_nobody_and_the_excepted_are_never_locked(db: TestDb) {
        let cloud = Builder::new(&db)
            .set("security_compliance", "lockout_failure_attempts", 2)
            .set("security_compliance", "lockout_duration", 1800)
            .seed(seed::world())
            .start()
            .await;
        let api = cloud.api();
        let admin = api.admin().await;
        let excepted = json!({"user": {"options": {"ignore_lockout_failure_attempts": true}}});
        let path = format!("/v3/users/{}", admin.text("/user/id"));
        admin.patch(&path, &excepted).await.expect(200);

        assert_eq!(guess(&[api], "nobody", "a guess", 32).await, [401; 32]);
        assert_eq!(guess(&[api], "admin", "a guess", 32).await, [401; 32]);

        assert_eq!(login(api, "admin").await, 201);
        assert_eq!(login(api, "alice").await, 201);
        let locked = r#"SELECT COUNT(*) FROM "local_user" WHERE "failed_auth_count" > 0"#;
        assert_eq!(db.number(locked).await, 0);
    }

    async fn b10_a_login_storm_gets_503_with_retry_after_and_validation_goes_on(db: TestDb) {
        let cloud = Builder::new(&db)
            // A hash takes long enough for others to wait for it.
            .set("identity", "password_hash_rounds", 8)
            .set("hashing", "threads", 1)
            .set("hashing", "queue", 4)
            .seed(seed::world())
            .start()
            .await;
        let admin = cloud.api().admin().await;

        let storm = Load::start(&admin, "nobody", &[(Ask::Login, 100)], PATIENCE);
        let others = Load::start(&admin, "alice", &[(Ask::Validate, 2), (Ask::List, 2)], PATIENCE);
        others.next(100).await;
        let refused = async || metric(&cloud.metrics(), "keystone_hash_rejected_total", "").await > 0.0;
        until("a full queue", refused).await;
        others.next(50).await;

        let (storm, others) = (storm.end().await, others.end().await);
        eprintln!("{storm}{others}");
        others.assert_good();
        storm.assert_each("a refusal of one of two kinds", |one| {
            let answer = one.outcome.as_ref().expect("an answer");
            let later = answer.header("Retry-After").and_then(|seconds| seconds.parse::<u32>().ok());
            match answer.status() {
                401 => true,
                503 => later.is_some_and(|seconds| (1..=30).contains(&seconds)),
                _ => false,
            }
        });
        assert!(storm.0.iter().any(|one| one.status() == 503), "{storm}");
    }

    async fn d9_slow_clients_do_not_starve_others(db: TestDb) {
        let cloud = Builder::new(&db).seed(seed::world()).start().await;
        let admin = cloud.api().admin().await;
        let slow: Vec<TcpStream> = (0..2000)
            .map(|n| {
                let mut client = TcpStream::connect(cloud.address()).expect("a connection");
                let begun: &[u8] = match n % 3 {
                    0 => b"",
                    1 => b"GET /v3/auth/tokens HTTP/1.1\r\nX-Auth-Token: ",
                    _ => b"POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"auth\"",
                };
                client.write_all(begun).expect("a beginning");
                client
            })
            .collect();

        let load = Load::start(&admin, "alice", &[(Ask::Validate, 4), (Ask::Login, 1)], PATIENCE);
        for client in slow.iter().step_by(7) {
            // A byte now and then, so that it is not idle.
            let mut client: &TcpStream = client;
            let _ = client.write_all(b"x");
        }
        load.next(50).await;

        let record = load.end().await;
        eprintln!("{record}");
        record.assert_good();
        drop(slow);
    }

    async fn d10_clients_that_hang_up_leave_no_connection_behind(db: TestDb) {
        let cloud = Builder::new(&db).seed(seed::world()).start().await;
        let admin = cloud.api().admin().await;
        let login = scoped(password("alice"), Scope::Project("demo")).to_string();
        let login = format!(
            "POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{login}",
            login.len()
        );
        let events = format!("GET /v3/OS-REVOKE/events HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {}\r\n\r\n", admin.token());
        let address = cloud.address();
        let hang_up = move || {
            for n in 0..10_000 {
                let mut client = TcpStream::connect(&address).expect("a connection");
                // Few log in: each that is not noticed to be gone takes a hash.
                let asked: &[u8] = if n % 41 == 0 { login.as_bytes() } else { events.as_bytes() };
                // Some hang up in the middle of what they ask.
                let asked = if n % 5 == 0 { &asked[..asked.len() / 2] } else { asked };
                client.write_all(asked).expect("a request");
                match n % 3 {
                    0 => {}
                    1 => client.shutdown(Shutdown::Write).expect("half an end"),
                    _ => drop(client.set_read_timeout(Some(Duration::from_millis(1)))
                        .map(|()| client.read(&mut [0; 8]))),
                }
            }
        };
        actix_rt::task::spawn_blocking(hang_up).await.unwrap();

        let metrics = cloud.metrics();
        until("all work is done", async || {
            metric(&metrics, "keystone_provider_messages", "").await == 0.0
                && metric(&metrics, "keystone_hash_waiting", "").await == 0.0
        })
        .await;
        // The follower of other nodes has one from time to time.
        until("all connections are back", async || {
            let (size, idle) = (
                metric(&metrics, "keystone_pool_size", "").await,
                metric(&metrics, "keystone_pool_idle", "").await,
            );
            size == idle && metric(&metrics, "keystone_pool_waiting", "").await == 0.0
        })
        .await;
        until("no transaction is open", async || db.open_transactions().await == 0).await;
        admin.get("/v3/auth/projects").await.expect(200);
    }
}
