//! Step-up: operations for which a token is not enough that was good for all else. `[webauthn]
//! step_up_policies` names their rules; policy is asked first, as ever, and in one place
//! ([`Caller::enforce`]), so any rule can be named.
//!
//! Whether the caller has a passkey only the database can tell, and `enforce` waits for nothing. So
//! it is looked up before: with the token, where the path is one that asks for such a rule. Where it
//! was not looked up the caller counts as one who has.
//!
//! [`Caller::enforce`]: super::caller::Caller::enforce

use std::collections::HashMap;

use keystone_actors::token::Token;
use keystone_actors::webauthn::HasPasskey;
use tracing::warn;

use super::error::ApiError;
use super::routes::Operation;
use crate::auth::webauthn::is_by_passkey;
use crate::config::Config;
use crate::node::Node;
use crate::policy::{self, Rule};

/// What is asked for, and where.
#[derive(Debug, Default)]
pub struct StepUp {
    /// By the number of the rule.
    rules: Box<[bool]>,
    /// Paths as they are routed, with the methods that may ask for such a rule. None for the rules of
    /// passkeys, which look by themselves.
    paths: HashMap<String, Vec<&'static str>>,
    /// How long ago a login may be, in seconds.
    max_age: i64,
    /// How long a token lives that is made by a login, in seconds.
    token_life: i64,
}

/// How far in the future a login may be, for clocks of nodes that differ, in seconds.
const SKEW: i64 = 60;

/// What is known of how the bearer of a token has signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was looked up.
    #[default]
    Unknown,
    /// As is asked for.
    Good,
    /// Too long ago.
    Old,
    /// Too long ago, or without the passkey that the user has.
    WithoutPasskey,
}

impl StepUp {
    /// By the configuration, for the operations that are routed.
    pub fn new(config: &Config, routed: &[Operation]) -> Self {
        let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let webauthn = &config.webauthn;
        let named = match webauthn.enabled {
            true => webauthn.step_up_policies.as_slice(),
            false => &[],
        };
        let mut rules = vec![false; Rule::ALL.len()];
        let mut paths: HashMap<String, Vec<&'static str>> = HashMap::new();
        for rule in named {
            if let Some(rule) = rules.get_mut(*rule as usize) {
                *rule = true;
            }
            let asking = asking(*rule, routed);
            if asking.is_empty() {
                warn!(
                    rule = rule.name(),
                    "[webauthn] step_up_policies names a rule that no path asks for"
                );
            }
            for operation in asking.into_iter().filter(|_| !is_of_passkeys(*rule)) {
                let methods = paths.entry(operation.path.clone()).or_default();
                methods.push(operation.method);
            }
        }
        Self {
            rules: rules.into(),
            paths,
            max_age: seconds(webauthn.enrolment_max_auth_age),
            token_life: seconds(config.token.expiration),
        }
    }

    /// Whether a rule is named.
    pub fn is_asked_by(&self, rule: Rule) -> bool {
        self.rules.get(rule as usize).copied().unwrap_or_default()
    }

    /// Whether any is.
    pub fn is_on(&self) -> bool {
        self.rules.contains(&true)
    }

    /// Whether an operation may ask for a rule that is named; `path` as it is routed.
    pub fn may_be_asked(&self, method: &str, path: &str) -> bool {
        let methods = self.paths.get(path);
        methods.is_some_and(|methods| methods.contains(&method))
    }

    /// Whether no path has to be looked at.
    pub fn has_no_paths(&self) -> bool {
        self.paths.is_empty()
    }

    /// How long ago a login may be, in seconds.
    pub fn max_age(&self) -> i64 {
        self.max_age
    }

    /// Whether a token was made by a login just now, at the time `now`, in seconds since 1970.
    ///
    /// A token ends at the same time as the one that it was made from: its end tells of the login. What
    /// ends earlier counts as older than it is. What ends later than one that is made now was made where
    /// tokens live longer, and its end tells nothing: it counts as old.
    pub fn is_fresh(&self, token: &Token, now: i64) -> bool {
        self.is_young(token.issued_at, token.expires_at, now)
    }

    fn is_young(&self, issued_at: i64, expires_at: i64, now: i64) -> bool {
        // No login is later than what it has led to.
        let since_issued = now - issued_at;
        let since_login = now - (expires_at - self.token_life);
        since_issued <= self.max_age && (-SKEW..=self.max_age).contains(&since_login)
    }

    /// The same of a token that is not made yet and ends then, in seconds since 1970, or, `None`, when
    /// its life is over.
    pub fn would_be_fresh(&self, not_after: Option<i64>, now: i64) -> bool {
        // One that could end later ends when its life is over.
        not_after.is_none_or(|end| now - (end - self.token_life) <= self.max_age)
    }

    /// When a token has to end that is made of this one, in seconds since 1970: no later than that, and,
    /// where this one counts as old, so that the new one does as well.
    pub fn end_of_made_from(&self, token: &Token, now: i64) -> i64 {
        self.end_of_made(token.issued_at, token.expires_at, now)
    }

    fn end_of_made(&self, issued_at: i64, expires_at: i64, now: i64) -> i64 {
        let latest_of_old = now + self.token_life - self.max_age - 1;
        // Where tokens live no longer than a login counts as young none of ours is old, and none can be made
        // that counts as old: `config check` warns, for one that lives longer makes new ones all its life.
        match self.is_young(issued_at, expires_at, now) || latest_of_old <= now {
            true => expires_at,
            false => expires_at.min(latest_of_old),
        }
    }

    /// How the bearer of a token has signed in. Asks the database.
    ///
    /// # Errors
    /// 503.
    pub async fn standing(
        &self,
        node: &Node,
        token: &Token,
        now: i64,
    ) -> Result<Standing, ApiError> {
        let by_passkey = is_by_passkey(node, token).await?;
        let user = token.acting_user.clone();
        let has_passkey = by_passkey || node.providers.webauthn.read(HasPasskey { user }).await?;
        Ok(judge(by_passkey, has_passkey, self.is_fresh(token, now)))
    }

    /// Fails where a rule that is named asks for another login.
    ///
    /// # Errors
    /// 403, which says what to do.
    pub fn check(&self, rule: Rule, standing: Standing) -> Result<(), ApiError> {
        if !self.is_asked_by(rule) {
            return Ok(());
        }
        let (what, again) = match standing {
            Standing::Good => return Ok(()),
            Standing::Old => ("a login", "Sign in again"),
            Standing::WithoutPasskey | Standing::Unknown => {
                ("a login with a passkey", "Sign in again with your passkey")
            }
        };
        if standing == Standing::Unknown {
            warn!(
                rule = rule.name(),
                "it was not looked up whether the caller has a passkey: refused"
            );
        }
        Err(ApiError::forbidden_action(&format!(
            "This needs {what} of the last {} seconds. {again} ({})",
            self.max_age,
            rule.name()
        )))
    }
}

fn judge(by_passkey: bool, has_passkey: bool, fresh: bool) -> Standing {
    match (has_passkey, by_passkey, fresh) {
        (_, true, true) | (false, _, true) => Standing::Good,
        (false, false, false) => Standing::Old,
        (true, _, _) | (_, true, false) => Standing::WithoutPasskey,
    }
}

/// The operations among those that are routed that ask for a rule. Names of variables may differ, and
/// a variable may stand where the rule has a word.
fn asking(rule: Rule, routed: &[Operation]) -> Vec<&Operation> {
    let fits = |routed: &str, named: &str| {
        let is_variable = |part: &str| part.starts_with('{');
        let count = routed.split('/').count() == named.split('/').count();
        let mut parts = routed.split('/').zip(named.split('/'));
        count && parts.all(|(one, other)| is_variable(one) || one == other)
    };
    let asks = |operation: &&Operation| {
        // HEAD is GET, also where the rule does not say so.
        let also = if operation.method == "HEAD" {
            "GET"
        } else {
            operation.method
        };
        policy::operations(rule).iter().any(|named| {
            let (method, path) = named.split_once(' ').unwrap_or_default();
            let path = path.split('?').next().unwrap_or_default();
            (method == operation.method || method == also) && fits(&operation.path, path)
        })
    };
    routed.iter().filter(asks).collect()
}

/// Whether what asks for it looks by itself how the caller has signed in.
fn is_of_passkeys(rule: Rule) -> bool {
    rule.name().starts_with("identity:v4_passkey_")
}

#[cfg(test)]
mod tests {
    use super::super::openapi;
    use super::*;

    #[test]
    fn who_has_a_passkey_shows_it_and_everybody_signs_in_just_now() {
        assert_eq!(judge(true, true, true), Standing::Good);
        assert_eq!(judge(false, false, true), Standing::Good);
        assert_eq!(judge(false, false, false), Standing::Old);
        for (by_passkey, fresh) in [(true, false), (false, true), (false, false)] {
            assert_eq!(judge(by_passkey, true, fresh), Standing::WithoutPasskey);
        }
    }

    #[test]
    fn a_rule_that_is_not_named_asks_for_nothing_and_one_that_is_for_what_is_known() {
        let named = StepUp {
            rules: (0..Rule::ALL.len())
                .map(|rule| rule == Rule::DeleteUser as usize)
                .collect(),
            max_age: 600,
            ..StepUp::default()
        };
        for standing in [Standing::Unknown, Standing::Old, Standing::WithoutPasskey] {
            assert!(named.check(Rule::UpdateUser, standing).is_ok());
            let error = named.check(Rule::DeleteUser, standing).unwrap_err();
            assert_eq!(error.status().as_u16(), 403);
            let text = error.message();
            assert!(text.contains("needs a login"), "{text}");
            assert!(text.contains("600 seconds. Sign in again"), "{text}");
            assert!(text.ends_with("(identity:delete_user)."), "{text}");
        }
        assert!(named.check(Rule::DeleteUser, Standing::Good).is_ok());
    }

    #[test]
    fn what_ends_early_is_as_old_as_what_it_was_made_from() {
        let step_up = StepUp {
            max_age: 600,
            token_life: 3600,
            ..StepUp::default()
        };
        let now = 1_800_000_000;
        for (end, fresh) in [
            (None, true),
            (Some(now + 3600), true),
            (Some(now + 3000), true),
            (Some(now + 2999), false),
        ] {
            assert_eq!(step_up.would_be_fresh(end, now), fresh, "{end:?}");
        }
    }

    #[test]
    fn what_was_made_where_tokens_live_longer_is_old_and_so_is_what_is_made_of_it() {
        let step_up = StepUp {
            max_age: 600,
            token_life: 3600,
            ..StepUp::default()
        };
        let now = 1_800_000_000;
        for (issued, end, fresh) in [
            (now, now + 3600, true),
            (now - 600, now + 3000, true),
            // A node whose clock is ahead.
            (now + 60, now + 3660, true),
            (now, now + 3661, false),
            (now, now + 14_400, false),
            // Of such a token the end looks right when three of its four hours are over.
            (now - 10_800, now + 3600, false),
            (now - 601, now + 3000, false),
            (now - 600, now + 2999, false),
        ] {
            let told = format!("{} to {}", issued - now, end - now);
            assert_eq!(step_up.is_young(issued, end, now), fresh, "{told}");
            let made = step_up.end_of_made(issued, end, now);
            assert!(made <= end && made > now, "{told}");
            assert_eq!(step_up.would_be_fresh(Some(made), now), fresh, "{told}");
            if fresh {
                assert_eq!(made, end, "{told}");
            }
        }
        // Here each token is of just now, and none is cut.
        let short = StepUp {
            token_life: 600,
            ..step_up
        };
        assert_eq!(short.end_of_made(now, now + 14_400, now), now + 14_400);
    }

    #[test]
    fn the_paths_of_a_rule_are_found_by_its_operations() {
        let routed = openapi::operations(true);
        let of = |rule| {
            let asking = asking(rule, &routed);
            let asking = asking.iter().map(|it| format!("{} {}", it.method, it.path));
            asking.collect::<Vec<_>>()
        };
        assert_eq!(of(Rule::DeleteUser), ["DELETE /v3/users/{user_id}"]);
        let shown = of(Rule::GetUser);
        assert_eq!(
            shown,
            ["GET /v3/users/{user_id}", "HEAD /v3/users/{user_id}"]
        );
        // Whatever is served here can be named, and of all else operators are told that it isn't.
        for rule in Rule::ALL {
            if !policy::operations(*rule).is_empty() {
                let is_served = !of(*rule).is_empty();
                assert_eq!(policy::is_routed(*rule), is_served, "{}", rule.name());
            }
        }
    }
}
