//! What a decision costs: `cargo bench --bench policy`. The callers are what handlers have: bearers of tokens that
//! a server in this process validated, on a database of its own.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use awc::Client;
use awc::http::Method;
use chrono::Utc;
use keystone_actors::token::ValidateToken;
use keystone_ng::api::caller::Caller;
use keystone_ng::config::{Config, Sources};
use keystone_ng::node::Node;
use keystone_ng::policy::{Rule, Target};
use keystone_ng::server::{self, ServeOptions};
use serde_json::{Value, json};

/// Decisions of a round; the best of five rounds counts, as the others were disturbed.
const DECISIONS: u32 = 100_000;

/// Of everybody in the database of one run.
const PASSWORD: &str = "only-for-this-run";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("keystone-ng-policy.{}", std::process::id()));
    fs::create_dir(&folder)?;
    let measured = actix_rt::System::new().block_on(measure(&folder));
    fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &Path) -> Outcome<()> {
    let loaded = Config::load(&Sources {
        files: vec![prepare(folder)?],
        ..Sources::default()
    })?;
    let (ready, is_ready) = mpsc::channel();
    let options = ServeOptions {
        listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))],
        ready: Some(Box::new(move |running| {
            let address = running.addresses.first().copied();
            // Who waits for it is gone only with the process.
            let _ = ready.send((address, running.node.clone(), running.server.clone()));
        })),
        ..ServeOptions::default()
    };
    let folder = folder.to_owned();
    let running = thread::spawn(move || {
        server::run(loaded, folder, options).map_err(|error| error.to_string())
    });
    let Ok((Some(address), node, server)) = is_ready.recv() else {
        return Err("the server does not start".into());
    };
    let cloud = Cloud {
        url: format!("http://{address}/v3"),
        client: Client::default(),
    };
    let told = match cloud.callers(&node).await {
        Ok(callers) => {
            decide(&node, &callers);
            Ok(())
        }
        Err(error) => Err(error),
    };
    server.stop(false).await;
    running.join().map_err(|_| "the server panicked")??;
    told
}

/// Configuration, keys, tables and an administrator, in this folder. The configuration's file.
fn prepare(folder: &Path) -> Outcome<PathBuf> {
    let (dir, file) = (folder.display(), folder.join("keystone.conf"));
    fs::write(
        &file,
        format!(
            "[database]\nconnection = sqlite:///{dir}/keystone.sqlite\n\
             [fernet_tokens]\nkey_repository = {dir}/fernet-keys\n\
             [credential]\nkey_repository = {dir}/credential-keys\n\
             [api_server]\nmetrics_listen =\n"
        ),
    )?;
    let steps: [(&[&str], &[&str]); 4] = [
        (&["db", "sync"], &[]),
        (&["fernet", "setup"], &[]),
        (&["credential", "setup"], &[]),
        (&["bootstrap"], &["--bootstrap-password", PASSWORD]),
    ];
    for (command, options) in steps {
        let done = Command::new(env!("CARGO_BIN_EXE_keystone-ng"))
            .args(command)
            .arg("--config-file")
            .arg(&file)
            .args(options)
            .stdout(Stdio::null())
            .status()?;
        if !done.success() {
            return Err(format!("{command:?}: {done}").into());
        }
    }
    Ok(file)
}

struct Cloud {
    url: String,
    client: Client,
}

impl Cloud {
    /// An administrator of everything, and a reader of a domain and of a project in it.
    async fn callers(&self, node: &Node) -> Outcome<[(&'static str, Caller); 3]> {
        let admin = self
            .log_in("admin", json!({"system": {"all": true}}))
            .await?;
        let roles = self
            .ask(&admin, Method::GET, "roles?name=reader", None)
            .await?;
        let role = id(&roles, "/roles/0/id")?;
        let new = json!({"user": {"name": "reader", "domain_id": "default", "password": PASSWORD}});
        let user = self.ask(&admin, Method::POST, "users", Some(new)).await?;
        let user = id(&user, "/user/id")?;
        let new = json!({"project": {"name": "read", "domain_id": "default"}});
        let project = self
            .ask(&admin, Method::POST, "projects", Some(new))
            .await?;
        let project = id(&project, "/project/id")?;
        for target in ["domains/default", &format!("projects/{project}")] {
            let grant = format!("{target}/users/{user}/roles/{role}");
            self.ask(&admin, Method::PUT, &grant, None).await?;
        }
        let of_domain = self
            .log_in("reader", json!({"domain": {"id": "default"}}))
            .await?;
        let of_project = self
            .log_in("reader", json!({"project": {"id": project}}))
            .await?;
        Ok([
            ("system admin", caller(node, admin).await?),
            ("domain reader", caller(node, of_domain).await?),
            ("project reader", caller(node, of_project).await?),
        ])
    }

    async fn log_in(&self, name: &str, scope: Value) -> Outcome<String> {
        let user = json!({"name": name, "domain": {"id": "default"}, "password": PASSWORD});
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": scope,
        }});
        let request = self.client.post(format!("{}/auth/tokens", self.url));
        let answer = request
            .send_json(&body)
            .await
            .map_err(|error| error.to_string())?;
        let token = answer.headers().get("x-subject-token");
        let token = token.ok_or_else(|| format!("{name} logs in: {}", answer.status()))?;
        Ok(token.to_str()?.to_owned())
    }

    async fn ask(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Outcome<Value> {
        let url = format!("{}/{path}", self.url);
        let request = self
            .client
            .request(method, url)
            .insert_header(("X-Auth-Token", token));
        let sent = match body {
            Some(body) => request.send_json(&body).await,
            None => request.send().await,
        };
        let mut answer = sent.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("{path}: {}", answer.status()).into());
        }
        let body = answer.body().await?;
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

fn id(answer: &Value, pointer: &str) -> Outcome<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .ok_or_else(|| format!("no {pointer} in an answer"))?
        .to_owned())
}

async fn caller(node: &Node, token: String) -> Outcome<Caller> {
    let validate = ValidateToken {
        text: token.into(),
        now: Utc::now().timestamp(),
        allow_expired: false,
    };
    let verdict = node.providers.token.read(validate).await?;
    Caller::from_verdict(verdict).map_err(|error| error.to_string().into())
}

/// Prints what each rule costs.
fn decide(node: &Node, callers: &[(&'static str, Caller); 3]) {
    let policy = node.policy.load();
    let user = json!({"id": "u2", "name": "u2", "domain_id": "d2", "enabled": true});
    let [first, second, third] = callers.each_ref().map(|(name, _)| *name);
    println!("{:<28}{first:>16}{second:>16}{third:>16}", "ns for each");
    let mut slowest = (0.0_f64, "");
    for &rule in Rule::ALL {
        let costs = callers.each_ref().map(|(_, caller)| {
            let rounds = (0..5).map(|_| {
                let began = Instant::now();
                for _ in 0..DECISIONS {
                    let target = Target::new()
                        .with("user_id", "u2")
                        .with("target.user", &user);
                    black_box(policy.check(black_box(rule), caller, &target)).is_allowed();
                }
                began.elapsed().as_secs_f64() * 1e9 / f64::from(DECISIONS)
            });
            rounds.fold(f64::INFINITY, f64::min)
        });
        let most = costs.into_iter().fold(0.0, f64::max);
        if most > slowest.0 {
            slowest = (most, rule.name());
        }
        if matches!(
            rule,
            Rule::GetUser
                | Rule::GetDomain
                | Rule::ListUsers
                | Rule::ValidateToken
                | Rule::CreateGrant
        ) {
            let [a, b, c] = costs;
            println!("{:<28}{a:>16.1}{b:>16.1}{c:>16.1}", rule.name());
        }
    }
    println!(
        "slowest of {}: {} with {:.1} ns",
        Rule::ALL.len(),
        slowest.1,
        slowest.0
    );
}
