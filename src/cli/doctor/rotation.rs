//! Keys of a repository as they get older: when they were rotated, how many there are, whose they are.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use keystone_actors::token::{KeyFacts, KeyRepository};
use rustix::process::geteuid;

use super::findings::Findings;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Who rotates keys once a month is not reminded.
const SELDOM: i64 = 35 * DAY;
/// The primary, the one before it, and the staged one.
const FEWEST: usize = 3;

/// `lifetime`: how long what a key has sealed can be used; `None`: for ever, as credentials. `now` in
/// seconds since 1970.
pub(super) fn look(
    findings: &mut Findings,
    check: &'static str,
    at: &KeyRepository,
    lifetime: Option<Duration>,
    now: i64,
) {
    // Where they can't be read, that was told.
    let Ok(keys) = at.inspect() else { return };
    owners(findings, check, &keys, &at.path);
    match lifetime {
        Some(lifetime) => {
            let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
            count(findings, check, &keys, at.max_active_keys);
            age(
                findings,
                check,
                &keys,
                Some((at.max_active_keys, lifetime)),
                now,
            );
            next(findings, check, &keys, at.max_active_keys, lifetime, now);
        }
        None => age(findings, check, &keys, None, now),
    }
}

/// Whether somebody else than the server's user has made or could change a key.
fn owners(findings: &mut Findings, check: &'static str, keys: &[KeyFacts], directory: &Path) {
    let me = geteuid();
    let due = match me.is_root() {
        // The server is to run as the directory's owner.
        true => match directory.metadata() {
            Ok(meta) => meta.uid(),
            Err(_) => return,
        },
        false => me.as_raw(),
    };
    for key in keys {
        let harmless = key.owner == 0 && !me.is_root();
        if key.owner == due || harmless {
            continue;
        }
        let path = key.path.display();
        findings.odd(
            check,
            format_args!("{path} belongs to user {}, not to {due}", key.owner),
            format_args!(
                "chown {due} {path}, and rotate with --keystone-user: the server's user has to be able \
                 to read it, and nobody else"
            ),
        );
    }
}

fn count(findings: &mut Findings, check: &'static str, keys: &[KeyFacts], most: usize) {
    if most < FEWEST {
        findings.odd(
            check,
            format_args!(
                "max_active_keys is {most}: a rotation drops the very key that has sealed till then"
            ),
            "set it to 3 or more, on all nodes",
        );
    }
    if keys.len() > most.max(FEWEST) {
        findings.odd(
            check,
            format_args!(
                "there are {}, and max_active_keys is {most}: the next rotation drops several at once",
                keys.len()
            ),
            "make max_active_keys the same wherever keys are rotated, Python Keystone included",
        );
    }
}

fn age(
    findings: &mut Findings,
    check: &'static str,
    keys: &[KeyFacts],
    bound: Option<(usize, i64)>,
    now: i64,
) {
    let Some(last) = keys.iter().map(|key| key.made_at).max() else {
        return;
    };
    let age = now.saturating_sub(last).max(0);
    let is_first = keys.iter().all(|key| key.number <= 1);
    let said = match is_first {
        true => format!("made {} ago, and never rotated", span(age)),
        false => format!("rotated {} ago", span(age)),
    };
    let too_old = bound.is_some_and(|(most, lifetime)| {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        age > lifetime.saturating_mul(most).max(SELDOM)
    });
    match too_old {
        true => findings.odd(
            check,
            format_args!("{said}: whoever has got hold of one could use it ever since"),
            "rotate on one node, copy to all others, and let a timer do it from now on",
        ),
        false => findings.good(check, said),
    }
}

/// From when on the next rotation drops no key that is still needed.
fn next(
    findings: &mut Findings,
    check: &'static str,
    keys: &[KeyFacts],
    most: usize,
    lifetime: i64,
    now: i64,
) {
    // In the order in which they became primary; the staged one comes last.
    let mut order: Vec<&KeyFacts> = keys.iter().filter(|key| key.number != 0).collect();
    order.reverse();
    order.extend(keys.iter().find(|key| key.number == 0));
    // One is staged, so many go.
    let dropped = (order.len() + 1).saturating_sub(most.max(FEWEST));
    let Some(last) = dropped.checked_sub(1) else {
        return;
    };
    // A key sealed until the next became primary, which is when the one after that was staged.
    let Some(until) = order.get(last + 2).map(|key| key.made_at) else {
        return;
    };
    let wait = until.saturating_add(lifetime).saturating_sub(now);
    if wait > 0 {
        let number = order.get(last).map_or(0, |key| key.number);
        let unit = if wait < HOUR { MINUTE } else { HOUR };
        findings.good(
            check,
            format_args!(
                "not to be rotated for another {}: key {number}, which goes then, has sealed what is \
                 good till then",
                span(wait.saturating_add(unit - 1))
            ),
        );
    }
}

/// So many whole minutes, hours or days.
fn span(seconds: i64) -> String {
    const LONG: i64 = 3 * DAY;
    match seconds {
        ..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..LONG => format!("{} h", seconds / HOUR),
        _ => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys by number, and how many hours ago they were made.
    fn keys(made: &[(i64, i64)]) -> Vec<KeyFacts> {
        let key = |&(number, hours): &(i64, i64)| KeyFacts {
            number,
            path: format!("/keys/{number}").into(),
            made_at: -hours * HOUR,
            owner: 0,
        };
        made.iter().map(key).collect()
    }

    /// What is said of these at 0, for tokens of two hours.
    fn said(made: &[(i64, i64)], most: usize) -> String {
        let mut findings = Findings::default();
        let keys = keys(made);
        count(&mut findings, "keys", &keys, most);
        age(&mut findings, "keys", &keys, Some((most, 2 * HOUR)), 0);
        next(&mut findings, "keys", &keys, most, 2 * HOUR, 0);
        findings.text()
    }

    #[test]
    fn keys_that_nobody_rotates_are_told() {
        assert!(said(&[(1, 5), (0, 5)], 3).contains("ok    keys: made 5 h ago, and never rotated"));
        let rotated = said(&[(3, 900), (2, 1000), (0, 50)], 3);
        assert!(
            rotated.contains("ok    keys: rotated 50 h ago"),
            "{rotated}"
        );
        let forgotten = said(&[(3, 1800), (2, 1900), (0, 1700)], 3);
        assert!(
            forgotten.contains("warn  keys: rotated 70 days ago"),
            "{forgotten}"
        );
    }

    #[test]
    fn a_rotation_that_would_drop_what_is_needed_is_not_advised() {
        // Key 2 sealed until an hour ago, when 3 became primary and 0 was staged.
        let early = said(&[(3, 30), (2, 60), (0, 1)], 3);
        assert!(
            early.contains("not to be rotated for another 1 h: key 2"),
            "{early}"
        );
        let later = said(&[(3, 30), (2, 60), (0, 2)], 3);
        assert!(!later.contains("not to be"), "{later}");
        let roomy = said(&[(3, 30), (2, 60), (0, 1)], 4);
        assert!(!roomy.contains("not to be"), "{roomy}");
        // Of more than fit, the last of those that go decides: 2, not 1.
        let many = said(&[(4, 3), (3, 4), (2, 5), (1, 6), (0, 0)], 4);
        assert!(!many.contains("key 1"), "{many}");
        assert!(!said(&[(1, 0), (0, 0)], 3).contains("not to be"));
    }

    #[test]
    fn too_few_and_too_many_keys_are_told() {
        assert!(said(&[(1, 1), (0, 1)], 2).contains("max_active_keys is 2"));
        let many = said(&[(4, 3), (3, 4), (2, 5), (1, 6), (0, 0)], 3);
        assert!(
            many.contains("there are 5, and max_active_keys is 3"),
            "{many}"
        );
        assert!(!said(&[(2, 3), (1, 4), (0, 0)], 3).contains("warn"));
    }
}
