//! Trusts, and the rules by which one may be handed on.

use super::Error;
use crate::attributes::Extra;
use crate::ids::{ProjectId, RoleId, TrustId, UserId};

/// What one user lets another do.
#[derive(Clone, Debug, PartialEq)]
pub struct Trust {
    /// Attributes that Keystone does not know.
    pub extra: Extra,
    /// Its ID.
    pub id: TrustId,
    /// Whose roles are given.
    pub trustor_user_id: UserId,
    /// Who may act with them.
    pub trustee_user_id: UserId,
    /// Where. `None` gives no roles.
    pub project_id: Option<ProjectId>,
    /// Whether the trustee's tokens say that they are the trustor's.
    pub impersonation: bool,
    /// From then on it is no good: seconds since 1970, a fraction dropped. Where a trust of its
    /// chain ends sooner, that end.
    pub expires_at: Option<i64>,
    /// How many tokens may yet be made from it; `None`: any number.
    pub remaining_uses: Option<i32>,
    /// The trust from which this one was made.
    pub redelegated_trust_id: Option<TrustId>,
    /// How many times it may be handed on, one after the other; 0: not at all.
    pub redelegation_count: i32,
    /// The roles that it gives, without what they imply.
    pub roles: Vec<RoleId>,
    /// The trustor of the first trust of the chain, whose roles they really are; `None` where
    /// this is the first.
    pub original_trustor: Option<UserId>,
    /// The trustees of the trusts above this one: if one of them is gone or disabled, Keystone
    /// takes no token made from this trust.
    pub intermediaries: Vec<UserId>,
}

impl Trust {
    /// Whether it is no good any more at `now`, in seconds since 1970.
    pub fn has_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether no token can be made from it any more, as all that it allowed have been.
    pub fn is_used_up(&self) -> bool {
        self.remaining_uses.is_some_and(|uses| uses <= 0)
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
            trust.expires_at = [trust.expires_at, above.expires_at]
                .into_iter()
                .flatten()
                .min();
            trust.intermediaries.push(above.trustee_user_id);
            trust.original_trustor = Some(above.trustor_user_id);
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

/// Which of the rules for handing on a trust is broken. For the log: clients are told only that
/// they may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedelegationFault {
    /// It may not be handed on, or not so often.
    #[error("the trust may not be handed on so many times")]
    Depth,
    /// What is handed on can't have its uses counted.
    #[error("remaining_uses must not be set where a trust is handed on")]
    UsesCounted,
    /// It would end later than what it comes from.
    #[error("the trust would end later than the one that it comes from")]
    Expiry,
    /// It would give roles that what it comes from doesn't.
    #[error("the trust would give roles that the one that it comes from doesn't")]
    Roles,
    /// It would impersonate where what it comes from doesn't.
    #[error("the trust would impersonate, and the one that it comes from doesn't")]
    Impersonation,
    /// It would be good for another project than what it comes from.
    #[error("the trust would be for another project than the one that it comes from")]
    Project,
}
