//! Transactions that begin again because another was in the way.

use std::time::Duration;

use tokio::time::sleep;
use tracing::debug;

use crate::actor::{Transient, Unavailable};

/// How often a transaction may begin again. With the pauses between, some 60 ms.
const MOST: u32 = 5;

/// How often one did.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// Whether a transaction that ended so may begin again; if so, after a pause, which grows, and
    /// is not the same for two that were in each other's way.
    pub async fn may_begin_again(&mut self, error: &impl Transient) -> bool {
        if error.unavailable() != Some(Unavailable::Contended) || self.0 >= MOST {
            return false;
        }
        self.0 += 1;
        debug!(
            tries = self.0,
            "another transaction was in the way: it begins again"
        );
        let spread = uuid::Uuid::new_v4().as_u128() % 1000;
        let spread = u64::try_from(spread).unwrap_or_default();
        sleep(Duration::from_micros((1000 + spread) << self.0)).await;
        true
    }
}
