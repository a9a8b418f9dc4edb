//! Where a trace began: W3C Trace Context, and the choice of what is traced.

use std::cell::Cell;

/// The caller's span, as `traceparent` names it (W3C Trace Context, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    pub(super) trace: u128,
    pub(super) span: u64,
    pub(super) sampled: bool,
}

impl Parent {
    /// Reads a `traceparent`; `None` for one that is to be ignored.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            parts.next().filter(|part| {
                part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            })
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        // Later versions may say more behind; this one may not.
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self {
            trace,
            span,
            sampled: flags & 1 == 1,
        })
    }
}

/// The bits of a trace's ID that are random in every implementation (W3C Trace Context level 2).
const RANDOM_BITS: u32 = 56;

/// Chooses traces by their ID, so that all services with the same ratio choose the same ones.
pub(super) struct Sampler {
    threshold: u64,
}

impl Sampler {
    pub fn new(ratio: f64) -> Self {
        let all = (1_u64 << RANDOM_BITS) as f64;
        Self {
            threshold: ((1.0 - ratio.clamp(0.0, 1.0)) * all) as u64,
        }
    }

    pub fn takes(&self, trace: u128) -> bool {
        let low = u64::try_from(trace & u128::from(u64::MAX)).unwrap_or_default();
        low & ((1 << RANDOM_BITS) - 1) >= self.threshold
    }
}

thread_local! {
    static STATE: Cell<u64> = Cell::new(seed());
}

fn seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().1
}

/// An ID that nobody has to be unable to guess (SplitMix64); never 0.
pub(super) fn random() -> u64 {
    STATE.with(|state| {
        let next = state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        state.set(next);
        let mut mixed = next;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)).max(1)
    })
}
