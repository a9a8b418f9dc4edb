//! Trusts, and the rules by which one is made and handed on.

use std::ops::Deref;

use chrono::DateTime;
use serde::{Serialize, Serializer};

use super::{Error, RedelegationFault};
use crate::attributes::Extra;
use crate::ids::{ProjectId, RoleId, TrustId, UserId};

/// What a trust says, as v3 shows it in lists (the API adds `links`; beside a single one it shows
/// the roles as well).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrustTerms {
    /// Attributes that Keystone does not know.
    #[serde(flatten)]
    pub extra: Extra,
    /// Its ID.
    pub id: TrustId,
    /// Whose roles are given; in a chain, who handed them on.
    pub trustor_user_id: UserId,
    /// Who may act with them.
    pub trustee_user_id: UserId,
    /// Where. `None` gives no roles.
    pub project_id: Option<ProjectId>,
    /// Whether the trustee's tokens say that they are the trustor's.
    pub impersonation: bool,
    /// From then on it is no good: seconds since 1970, a fraction dropped. In a [`Trust`] whose
    /// chain ends sooner, that end.
    #[serde(serialize_with = "time")]
    pub expires_at: Option<i64>,
    /// How many tokens may yet be made from it; `None`: any number.
    pub remaining_uses: Option<i32>,
    /// `null`: one that is deleted is not shown.
    pub deleted_at: (),
    /// The trust from which this one was made.
    pub redelegated_trust_id: Option<TrustId>,
    /// How many times it may be handed on, one after the other; 0: not at all.
    pub redelegation_count: i32,
}

/// What one user lets another do: the terms, which can be read as if they were its own fields,
/// and what follows from its chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Trust {
    /// What it says.
    pub terms: TrustTerms,
    /// The roles that it gives, without what they imply.
    pub roles: Vec<RoleId>,
    /// The trustor of the first trust of the chain, whose roles they really are; `None` where
    /// this is the first.
    pub original_trustor: Option<UserId>,
    /// The trustees of the trusts above this one: if one of them is gone or disabled, Keystone
    /// takes no token made from this trust.
    pub intermediaries: Vec<UserId>,
    /// The trusts above this one, the nearest first: it falls with any of them.
    pub above: Vec<TrustId>,
}

impl Deref for Trust {
    type Target = TrustTerms;

    fn deref(&self) -> &TrustTerms {
        &self.terms
    }
}

impl TrustTerms {
    /// Whether it is no good any more at `now`, in seconds since 1970.
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether no token can be made from it any more, as all that it allowed have been.
    pub fn is_used_up(&self) -> bool {
        self.remaining_uses.is_some_and(|uses| uses <= 0)
    }
}

impl Trust {
    /// The user as whom its tokens act.
    pub fn acting_user(&self) -> &UserId {
        if self.impersonation {
            &self.trustor_user_id
        } else {
            &self.trustee_user_id
        }
    }

    /// The trust of a chain, which comes with all above it, itself first: with what they say, if
    /// they hold. `NotFound` for one above that is used up, `Redelegation` for a broken rule.
    pub(super) fn of_chain(
        chain: Vec<Self>,
        max_redelegation_count: i32,
    ) -> Result<Option<Self>, Error> {
        for (child, parent) in chain.iter().zip(chain.iter().skip(1)) {
            if parent.is_used_up() {
                return Err(Error::NotFound(parent.id.clone()));
            }
            parent
                .allows_redelegation(child, max_redelegation_count)
                .map_err(Error::Redelegation)?;
        }
        let mut links = chain.into_iter();
        let Some(mut trust) = links.next() else {
            return Ok(None);
        };
        for above in links {
            let ends = [trust.expires_at, above.expires_at];
            trust.terms.expires_at = ends.into_iter().flatten().min();
            trust.intermediaries.push(above.terms.trustee_user_id);
            trust.above.push(above.terms.id);
            trust.original_trustor = Some(above.terms.trustor_user_id);
        }
        Ok(Some(trust))
    }

    /// Keystone's rules for a trust made from this one, and for each link of a chain: not too
    /// long, no use counted, no later end, no other roles, no impersonation that this one lacks.
    ///
    /// And one of ours: on the same project. Keystone has the first trustor's roles there checked
    /// instead, so that whoever is given a role on one project could take it on another.
    pub fn allows_redelegation(
        &self,
        child: &Trust,
        max_redelegation_count: i32,
    ) -> Result<(), RedelegationFault> {
        if !(1..=max_redelegation_count).contains(&self.redelegation_count) {
            return Err(RedelegationFault::Depth);
        }
        if child.remaining_uses.is_some() {
            return Err(RedelegationFault::UsesCounted);
        }
        if let (Some(end), Some(later)) = (self.expires_at, child.expires_at)
            && later > end
        {
            return Err(RedelegationFault::Expiry);
        }
        if !child.roles.iter().all(|role| self.roles.contains(role)) {
            return Err(RedelegationFault::Roles);
        }
        if child.impersonation && !self.impersonation {
            return Err(RedelegationFault::Impersonation);
        }
        if child.project_id != self.project_id {
            return Err(RedelegationFault::Project);
        }
        Ok(())
    }
}

/// A trust to create.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTrust {
    /// Attributes that Keystone does not know.
    pub extra: Extra,
    /// Who gives, or hands on.
    pub trustor_user_id: UserId,
    /// Who may act.
    pub trustee_user_id: UserId,
    /// Where.
    pub project_id: Option<ProjectId>,
    /// Whether the trustee's tokens say that they are the trustor's.
    pub impersonation: bool,
    /// Seconds since 1970. `None`: as long as the trust that it comes from, or without end.
    pub expires_at: Option<i64>,
    /// How many tokens may be made from it, 1 or more; `None`: any number. Only for trusts that
    /// can't be handed on, and that don't come from another.
    pub remaining_uses: Option<i32>,
    /// Whether the trustee may hand it on.
    pub allow_redelegation: bool,
    /// How many times, one after the other; `None`: as often as the options and the trust that it
    /// comes from allow. 0 is as if it were not allowed.
    pub redelegation_count: Option<i32>,
    /// The roles that are given.
    pub roles: Vec<RoleId>,
}

impl NewTrust {
    /// The trust that comes of this, made from `source` or from nothing. Pure: its rules, which
    /// are Keystone's, in Keystone's order, are tested without a database.
    ///
    /// `source` is good, and so is its chain: what it allows, all above it allow.
    pub(super) fn grant(
        mut self,
        source: Option<&Trust>,
        max_redelegation_count: i32,
    ) -> Result<Trust, Error> {
        let forbidden = |fault| Err(Error::Redelegation(fault));
        let redelegatable = self.allow_redelegation && self.redelegation_count != Some(0);
        if !redelegatable && self.remaining_uses.is_some_and(|uses| uses <= 0) {
            return Err(Error::UsesNotPositive);
        }
        if redelegatable {
            if self.redelegation_count > Some(max_redelegation_count) {
                return forbidden(RedelegationFault::Depth);
            }
            if self.remaining_uses.is_some() {
                return Err(Error::UsesWithRedelegation);
            }
        }
        let left = source.map_or(max_redelegation_count, |source| {
            source.redelegation_count.saturating_sub(1)
        });
        if source.is_some()
            && redelegatable
            && self.redelegation_count.is_some_and(|count| count != left)
        {
            return forbidden(RedelegationFault::CountGiven);
        }
        self.roles.sort_unstable();
        self.roles.dedup();
        let trust = Trust {
            terms: TrustTerms {
                extra: self.extra,
                id: TrustId::random(),
                trustor_user_id: self.trustor_user_id,
                trustee_user_id: self.trustee_user_id,
                project_id: self.project_id,
                impersonation: self.impersonation,
                expires_at: self
                    .expires_at
                    .or(source.and_then(|source| source.expires_at)),
                remaining_uses: self.remaining_uses,
                deleted_at: (),
                redelegated_trust_id: source.map(|source| source.id.clone()),
                redelegation_count: if redelegatable {
                    self.redelegation_count.unwrap_or(left)
                } else {
                    0
                },
            },
            roles: self.roles,
            original_trustor: source.map(|source| {
                let original = source.original_trustor.as_ref();
                original.unwrap_or(&source.trustor_user_id).clone()
            }),
            intermediaries: source.map_or_else(Vec::new, |source| {
                let above = source.intermediaries.iter().cloned();
                [source.trustee_user_id.clone()]
                    .into_iter()
                    .chain(above)
                    .collect()
            }),
            above: source.map_or_else(Vec::new, |source| {
                let above = source.above.iter().cloned();
                [source.id.clone()].into_iter().chain(above).collect()
            }),
        };
        if let Some(source) = source {
            source
                .allows_redelegation(&trust, max_redelegation_count)
                .map_err(Error::Redelegation)?;
            if trust.trustor_user_id != *source.acting_user() {
                return forbidden(RedelegationFault::Trustor);
            }
        }
        Ok(trust)
    }
}

/// Whose trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustsOf {
    /// Everybody's.
    All,
    /// Those that this user has given.
    Trustor(UserId),
    /// Those that this user was given.
    Trustee(UserId),
}

/// `2026-11-24T01:54:50.000000Z`: whole seconds with six zeros, as Keystone shows a trust's end.
fn time<S: Serializer>(seconds: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match seconds {
        None => serializer.serialize_none(),
        Some(seconds) => {
            let time = DateTime::from_timestamp(*seconds, 0).unwrap_or_default();
            serializer.collect_str(&time.format("%Y-%m-%dT%H:%M:%S.000000Z"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MAX: i32 = 3;

    /// What alice gives bob.
    fn offer() -> NewTrust {
        NewTrust {
            extra: Extra::new(),
            trustor_user_id: "alice".into(),
            trustee_user_id: "bob".into(),
            project_id: Some("p".into()),
            impersonation: false,
            expires_at: None,
            remaining_uses: None,
            allow_redelegation: false,
            redelegation_count: None,
            roles: vec!["r".into()],
        }
    }

    fn redelegable() -> NewTrust {
        NewTrust {
            allow_redelegation: true,
            ..offer()
        }
    }

    /// What bob makes for carol of what he was given.
    fn handed_on() -> NewTrust {
        NewTrust {
            trustor_user_id: "bob".into(),
            trustee_user_id: "carol".into(),
            ..redelegable()
        }
    }

    fn first(offer: NewTrust) -> Result<Trust, Error> {
        offer.grant(None, MAX)
    }

    fn fault(answer: Result<Trust, Error>) -> Option<RedelegationFault> {
        match answer {
            Err(Error::Redelegation(fault)) => Some(fault),
            _ => None,
        }
    }

    #[test]
    fn a_trust_may_be_handed_on_as_often_as_was_said_and_never_more_than_the_option() {
        let count = |allow_redelegation, redelegation_count| {
            first(NewTrust {
                allow_redelegation,
                redelegation_count,
                ..offer()
            })
            .map(|trust| trust.redelegation_count)
        };

        assert_eq!(count(false, None).unwrap(), 0);
        assert_eq!(count(false, Some(2)).unwrap(), 0);
        assert_eq!(count(true, Some(0)).unwrap(), 0);
        assert_eq!(count(true, None).unwrap(), MAX);
        assert_eq!(count(true, Some(2)).unwrap(), 2);
        assert!(matches!(
            count(true, Some(MAX + 1)),
            Err(Error::Redelegation(RedelegationFault::Depth))
        ));
    }

    #[test]
    fn uses_are_counted_only_where_nothing_is_handed_on() {
        let uses = |allow_redelegation, remaining_uses| {
            first(NewTrust {
                allow_redelegation,
                remaining_uses: Some(remaining_uses),
                ..offer()
            })
        };

        assert_eq!(uses(false, 1).unwrap().remaining_uses, Some(1));
        assert!(matches!(uses(false, 0), Err(Error::UsesNotPositive)));
        assert!(matches!(uses(true, 1), Err(Error::UsesWithRedelegation)));
        let source = first(redelegable()).unwrap();
        let child = NewTrust {
            remaining_uses: Some(1),
            allow_redelegation: false,
            ..handed_on()
        };
        assert_eq!(
            fault(child.grant(Some(&source), MAX)),
            Some(RedelegationFault::UsesCounted)
        );
    }

    #[test]
    fn each_hand_may_pass_on_once_less_and_says_nothing_about_it() {
        let source = first(redelegable()).unwrap();
        let child = handed_on().grant(Some(&source), MAX).unwrap();
        let given = |redelegation_count| {
            NewTrust {
                redelegation_count: Some(redelegation_count),
                ..handed_on()
            }
            .grant(Some(&source), MAX)
        };

        assert_eq!(child.redelegation_count, MAX - 1);
        assert_eq!(given(MAX - 1).unwrap().redelegation_count, MAX - 1);
        assert_eq!(fault(given(1)), Some(RedelegationFault::CountGiven));
        let last = first(offer()).unwrap();
        assert_eq!(
            fault(handed_on().grant(Some(&last), MAX)),
            Some(RedelegationFault::Depth)
        );
    }

    #[test]
    fn what_is_handed_on_is_never_more_than_what_was_given() {
        let source = first(NewTrust {
            expires_at: Some(100),
            roles: vec!["r".into(), "s".into()],
            ..redelegable()
        })
        .unwrap();
        let change = |change: fn(&mut NewTrust)| {
            let mut offer = handed_on();
            change(&mut offer);
            fault(offer.grant(Some(&source), MAX))
        };

        assert_eq!(change(|_| ()), None);
        assert_eq!(change(|offer| offer.expires_at = Some(100)), None);
        assert_eq!(
            change(|offer| offer.expires_at = Some(101)),
            Some(RedelegationFault::Expiry)
        );
        assert_eq!(
            change(|offer| offer.roles.push("t".into())),
            Some(RedelegationFault::Roles)
        );
        assert_eq!(
            change(|offer| offer.impersonation = true),
            Some(RedelegationFault::Impersonation)
        );
        assert_eq!(
            change(|offer| offer.project_id = Some("q".into())),
            Some(RedelegationFault::Project)
        );
        assert_eq!(
            change(|offer| offer.trustor_user_id = "alice".into()),
            Some(RedelegationFault::Trustor)
        );
    }

    #[test]
    fn what_is_handed_on_ends_with_what_was_given_and_tells_where_it_comes_from() {
        let source = first(NewTrust {
            expires_at: Some(100),
            impersonation: true,
            ..redelegable()
        })
        .unwrap();
        let child = NewTrust {
            trustor_user_id: "alice".into(),
            ..handed_on()
        };

        let child = child.grant(Some(&source), MAX).unwrap();

        assert_eq!(child.expires_at, Some(100));
        assert_eq!(child.redelegated_trust_id.as_ref(), Some(&source.id));
        assert_eq!(child.original_trustor, Some("alice".into()));
        assert_eq!(child.intermediaries, [UserId::from("bob")]);
        assert_eq!(child.above, std::slice::from_ref(&source.id));
    }

    #[test]
    fn terms_are_shown_as_keystone_shows_them() {
        let mut trust = first(offer()).unwrap();
        trust.terms.id = "t".into();
        trust.terms.expires_at = Some(2_000_000_000);
        trust.terms.extra.insert("colour".to_owned(), json!("red"));

        assert_eq!(
            serde_json::to_value(&trust.terms).unwrap(),
            json!({
                "colour": "red",
                "id": "t",
                "trustor_user_id": "alice",
                "trustee_user_id": "bob",
                "project_id": "p",
                "impersonation": false,
                "expires_at": "2033-05-18T03:33:20.000000Z",
                "remaining_uses": null,
                "deleted_at": null,
                "redelegated_trust_id": null,
                "redelegation_count": 0,
            })
        );
    }
}
