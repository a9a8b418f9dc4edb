//! Fernet keys are rotated as operators are told to: at one node, then copied to the others. At no
//! moment is a token refused that one of them issued. Without usable keys no node starts.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use awc::http::Method;

use crate::support::cloud::Builder;
use crate::support::{Api, Cloud, Options, Scope, Session, scoped, token, until};
use crate::testdb::{Backend, TestDb, run};

/// Between two files of a copy: a slow line.
const BETWEEN_FILES: Duration = Duration::from_millis(120);
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Makes a folder what another is, as `rsync --delete` does: what is too much goes first, then
/// each file is written under another name and renamed, in the order of their names.
async fn copy(from: &Path, to: &Path) {
    let wanted = names(from);
    for name in names(to) {
        if !wanted.contains(&name) {
            fs::remove_file(to.join(name)).unwrap();
        }
    }
    for name in wanted {
        let (theirs, ours) = (fs::read(from.join(&name)).unwrap(), to.join(&name));
        if fs::read(&ours).is_ok_and(|key| key == theirs) {
            continue;
        }
        let temporary = to.join(format!(".{name}.copy"));
        fs::write(&temporary, theirs).unwrap();
        fs::rename(temporary, ours).unwrap();
        actix_rt::time::sleep(BETWEEN_FILES).await;
    }
}

/// Issues tokens at each node in turn and shows all of them to both, until told to end. Gives how
/// many answers there were.
async fn issue_and_validate(nodes: [Api; 2], caller: Session, ending: Rc<Cell<bool>>) -> usize {
    let mut tokens = vec![caller.token().to_owned()];
    let mut answers = 0;
    while !ending.get() {
        for node in &nodes {
            let body = scoped(token(caller.token()), Scope::Project("admin"));
            let fresh = node.session(&body).await;
            tokens.push(fresh.token().to_owned());
            // The newest, the oldest, and some of those between.
            let older = tokens.len() * answers % 7 % tokens.len();
            for subject in [tokens.len() - 1, 0, older] {
                for asked in &nodes {
                    let request = asked.request(Method::GET, "/v3/auth/tokens");
                    let answer = request
                        .token(fresh.token())
                        .subject(&tokens[subject])
                        .send()
                        .await;
                    assert_eq!(
                        answer.status(),
                        200,
                        "token {subject} of {}: {answer:?}",
                        tokens.len()
                    );
                    answers += 1;
                }
            }
        }
    }
    answers
}

fn reloads(node: &Cloud<'_>) -> usize {
    node.log().matches("keys reloaded").count()
}

async fn until_both_have_reloaded(nodes: [&Cloud<'_>; 2], before: [usize; 2]) {
    until("keys reloaded", async || {
        // Two repositories each: that of tokens, and that of receipts.
        let mut both = nodes.iter().zip(before);
        both.all(|(node, before)| reloads(node) >= before + 2)
    })
    .await;
}

#[test]
fn c3_every_token_is_good_everywhere_at_each_moment_of_many_rotations() {
    run(Backend::Sqlite, async |db: TestDb| {
        // Nothing from memory: each token is opened by a key.
        let options = Options::default()
            .set("cache_coherence", "entries", 0)
            .set("fernet_tokens", "max_active_keys", 10)
            .set("fernet_receipts", "max_active_keys", 10);
        let first = Builder::new(&db).options(options.clone()).start().await;
        let keys = db.scratch().join("fernet-keys");
        let copied = db.scratch().join("copied-keys");
        fs::create_dir(&copied).unwrap();
        copy(&keys, &copied).await;
        let own = options
            .set("fernet_tokens", "key_repository", copied.display())
            .set("fernet_receipts", "key_repository", copied.display());
        let second = first.start_node(own).await;
        let caller = first.api().admin().await;
        let ending = Rc::new(Cell::new(false));
        let nodes = [first.api().clone(), second.api().clone()];
        let load = actix_rt::spawn(issue_and_validate(nodes, caller, Rc::clone(&ending)));

        const ROUNDS: usize = 4;
        for _ in 0..ROUNDS {
            let before = [reloads(&first), reloads(&second)];
            first.run_aside(&["fernet", "rotate"]).await;
            copy(&keys, &copied).await;
            until_both_have_reloaded([&first, &second], before).await;
        }

        ending.set(true);
        let answers = load.await.unwrap();
        eprintln!("{answers} validations while keys were rotated {ROUNDS} times");
        assert_eq!(names(&keys), names(&copied));
        assert_eq!(names(&keys).len(), 2 + ROUNDS);
    });
}

/// What a node says that refuses to start, and how it ends.
async fn refusal(node: &Cloud<'_>) -> (Option<i32>, String) {
    let mut server = Cloud::command(&["serve"]);
    server
        .arg("--config-file")
        .arg(node.config_file())
        .stdout(Stdio::null());
    let ended = actix_rt::task::spawn_blocking(move || server.output().unwrap());
    let output = actix_rt::time::timeout(Duration::from_secs(120), ended);
    let output = output.await.expect("it refuses to start").unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn c3_a_node_without_usable_keys_refuses_to_start_and_says_what_to_do() {
    run(Backend::Sqlite, async |db: TestDb| {
        let cloud = Cloud::start(&db).await;
        let folder = |name: &str, keys: &[(&str, String)]| -> PathBuf {
            let path = db.scratch().join(name);
            fs::create_dir(&path).unwrap();
            for (file, key) in keys {
                fs::write(path.join(file), key).unwrap();
            }
            path
        };
        let null = format!("{}=", "A".repeat(43));
        let absent = db.scratch().join("absent");
        let empty = folder("empty", &[]);
        let with_null = folder("null", &[("0", null)]);
        let rubbish = folder("rubbish", &[("1", "no key".to_owned())]);

        // None gives its ports back before the last is through.
        let mut nodes = Vec::new();
        for (keys, way_out) in [
            (&absent, "run `keystone-ng fernet setup`"),
            (&empty, "run `keystone-ng fernet setup`"),
            (&with_null, "restore it, or remove it if no token needs it"),
            (&rubbish, "restore it, or remove it if no token needs it"),
        ] {
            for section in ["fernet_tokens", "fernet_receipts"] {
                let options = Options::default().set(section, "key_repository", keys.display());
                nodes.push(cloud.prepare_node(options));
                let (code, told) = refusal(&nodes[nodes.len() - 1]).await;
                assert_eq!(code, Some(2), "{told}");
                assert!(
                    told.contains(&*keys.to_string_lossy()) && told.contains(way_out),
                    "{told}"
                );
            }
        }
    });
}
