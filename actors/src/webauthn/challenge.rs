//! Challenges that carry their own proof: version, purpose, time, a nonce, and a tag over these,
//! the relying party, the user and what the login is for. So nothing is kept of one until it is
//! answered.

use aws_lc_rs::{hmac, rand};

use super::{Error, Reason};
use crate::ids::UserId;
use crate::token::{CryptoError, KeySet};

const LABEL: &str = "ng-webauthn challenge";
const VERSION: u8 = 1;
const NONCE: usize = 16;
const HEAD: usize = 1 + 1 + 8 + NONCE;
const TAG: usize = 32;

/// How far ahead of ours the clock of the node may be that made a challenge, in seconds.
const SKEW: i64 = 60;

/// What a challenge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Register = 1,
    LogIn = 2,
}

/// Who a challenge is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    /// This user.
    User(&'a UserId),
    /// Somebody who was named, and is not known.
    Unknown(&'a str),
    /// Whoever the authenticator finds.
    Anybody,
}

impl<'a> Subject<'a> {
    /// Of a login.
    pub(super) fn of(user: Option<&'a UserId>, named: Option<&'a str>) -> Self {
        match (user, named) {
            (Some(user), _) => Self::User(user),
            (None, Some(named)) => Self::Unknown(named),
            (None, None) => Self::Anybody,
        }
    }

    fn parts(self) -> (u8, &'a str) {
        match self {
            Self::User(user) => (1, user.as_str()),
            Self::Unknown(named) => (2, named),
            Self::Anybody => (3, ""),
        }
    }
}

/// What a challenge is good for, all of which its tag covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binding<'a> {
    pub purpose: Purpose,
    pub rp_id: &'a str,
    pub subject: Subject<'a>,
    pub bound: Option<[u8; 32]>,
}

impl Binding<'_> {
    /// A new challenge, at `now` in seconds since 1970.
    pub(super) fn challenge(&self, keys: &KeySet, now: i64) -> Result<Vec<u8>, Error> {
        let mut challenge = Vec::with_capacity(HEAD + TAG);
        challenge.push(VERSION);
        challenge.push(self.purpose as u8);
        challenge.extend_from_slice(&now.saturating_mul(1000).to_be_bytes());
        let mut nonce = [0; NONCE];
        rand::fill(&mut nonce).map_err(|_| CryptoError)?;
        challenge.extend_from_slice(&nonce);
        let keys = keys.derived(LABEL);
        let key = keys.first().ok_or(CryptoError)?;
        let tag = hmac::sign(key, &self.signed(&challenge));
        challenge.extend_from_slice(tag.as_ref());
        Ok(challenge)
    }

    /// Whether a challenge is good at `now`, `ttl` seconds after it was made at most. Gives the
    /// time when it is over.
    pub(super) fn verify(
        &self,
        keys: &KeySet,
        challenge: &[u8],
        ttl: i64,
        now: i64,
    ) -> Result<i64, Reason> {
        let issued_at = self.issued_at(keys, challenge);
        let issued_at = issued_at.ok_or(Reason::UnknownChallenge)?;
        let expires_at = issued_at.saturating_add(ttl);
        if now > expires_at || issued_at > now.saturating_add(SKEW) {
            return Err(Reason::ChallengeExpired);
        }
        Ok(expires_at)
    }

    /// When a challenge was made, in seconds since 1970; `None` if it was not made for this.
    fn issued_at(&self, keys: &KeySet, challenge: &[u8]) -> Option<i64> {
        let (head, tag) = challenge.split_at_checked(HEAD)?;
        if tag.len() != TAG {
            return None;
        }
        let signed = self.signed(head);
        let derived = keys.derived(LABEL);
        derived
            .iter()
            .find(|key| hmac::verify(key, &signed, tag).is_ok())?;
        let (kind, rest) = head.split_first_chunk::<2>()?;
        let (issued_at, _) = rest.split_first_chunk::<8>()?;
        let due = [VERSION, self.purpose as u8];
        (*kind == due).then(|| i64::from_be_bytes(*issued_at) / 1000)
    }

    /// What the tag covers: each part of variable length with its length before it.
    fn signed(&self, head: &[u8]) -> Vec<u8> {
        let mut signed = head.to_vec();
        let (kind, name) = self.subject.parts();
        signed.push(kind);
        for part in [self.rp_id, name] {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            signed.extend_from_slice(&length.to_be_bytes());
            signed.extend_from_slice(part.as_bytes());
        }
        match &self.bound {
            Some(hash) => signed.extend_from_slice(hash),
            None => signed.push(0),
        }
        signed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::FernetKey;

    const NOW: i64 = 1_800_000_000;

    fn keys(texts: &[&str]) -> KeySet {
        let keys = texts
            .iter()
            .map(|text| FernetKey::from_text(text, false).unwrap());
        KeySet::new(keys).unwrap()
    }

    const OLD: &str = "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZCE=";
    const NEW: &str = "bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldyE=";

    fn login(subject: Subject<'_>) -> Binding<'_> {
        Binding {
            purpose: Purpose::LogIn,
            rp_id: "cloud.example",
            subject,
            bound: None,
        }
    }

    #[test]
    fn a_challenge_is_good_for_its_time_and_while_its_key_is_kept() {
        let old = keys(&[OLD]);
        let binding = login(Subject::Anybody);
        let challenge = binding.challenge(&old, NOW).unwrap();
        let at = |keys: &KeySet, now| binding.verify(keys, &challenge, 300, now);

        assert_eq!(at(&old, NOW), Ok(NOW + 300));
        assert_eq!(at(&old, NOW + 300), Ok(NOW + 300));
        assert_eq!(at(&old, NOW + 301), Err(Reason::ChallengeExpired));
        assert_eq!(at(&old, NOW - 61), Err(Reason::ChallengeExpired));
        assert_eq!(at(&keys(&[NEW, OLD]), NOW), Ok(NOW + 300));
        assert_eq!(at(&keys(&[NEW]), NOW), Err(Reason::UnknownChallenge));
    }

    #[test]
    fn a_challenge_is_good_for_nothing_but_what_it_was_made_for() {
        let keys = keys(&[OLD]);
        let (alice, bob) = (UserId::from("alice"), UserId::from("bob"));
        let made_for = login(Subject::User(&alice));
        let challenge = made_for.challenge(&keys, NOW).unwrap();
        let others = [
            login(Subject::User(&bob)),
            login(Subject::Unknown("alice")),
            login(Subject::Anybody),
            Binding {
                purpose: Purpose::Register,
                ..made_for
            },
            Binding {
                rp_id: "other.example",
                ..made_for
            },
            Binding {
                bound: Some([7; 32]),
                ..made_for
            },
        ];

        assert!(made_for.verify(&keys, &challenge, 300, NOW).is_ok());
        for other in others {
            let verdict = other.verify(&keys, &challenge, 300, NOW);
            assert_eq!(verdict, Err(Reason::UnknownChallenge), "{other:?}");
        }
    }

    #[test]
    fn a_challenge_with_one_changed_byte_is_none() {
        let keys = keys(&[OLD]);
        let binding = login(Subject::Anybody);
        let challenge = binding.challenge(&keys, NOW).unwrap();

        for index in 0..challenge.len() {
            let mut changed = challenge.clone();
            changed[index] ^= 1;
            let verdict = binding.verify(&keys, &changed, 300, NOW);
            assert_eq!(verdict, Err(Reason::UnknownChallenge), "byte {index}");
        }
        for length in [0, 1, HEAD, challenge.len() - 1] {
            let verdict = binding.verify(&keys, &challenge[..length], 300, NOW);
            assert_eq!(verdict, Err(Reason::UnknownChallenge), "{length} bytes");
        }
    }
}
