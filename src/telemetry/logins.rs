//! What is counted of passkeys, and of the limits of logins.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::auth::limits::LIMITS;

/// Labels and their values. All are words of the program: no client makes a series.
type Labelled<const N: usize> = Family<[(&'static str, &'static str); N], Counter>;

/// A ceremony: registering a passkey, or a login with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// A passkey is made.
    Registration,
    /// A login by a passkey alone.
    Login,
    /// A passkey besides what was shown already: another method, a receipt, a session.
    StepUp,
    /// A recovery code in a passkey's place.
    Recovery,
    /// The login of a command line that was let in in a browser.
    Device,
}

impl Ceremony {
    const ALL: [Self; 5] = [
        Self::Registration,
        Self::Login,
        Self::StepUp,
        Self::Recovery,
        Self::Device,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Login => "login",
            Self::StepUp => "step_up",
            Self::Recovery => "recovery",
            Self::Device => "device",
        }
    }
}

/// The counts.
pub struct Logins {
    accepted: Labelled<1>,
    refused: Labelled<2>,
    regressions: Counter,
    backup_changes: Counter,
    limited: Labelled<1>,
}

impl Logins {
    /// All at zero.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let logins = Self {
            accepted: Family::default(),
            refused: Family::default(),
            regressions: Counter::default(),
            backup_changes: Counter::default(),
            limited: Family::default(),
        };
        // There before the first: else the first is no growth.
        for kind in Ceremony::ALL {
            drop(logins.accepted.get_or_create(&[("kind", kind.name())]));
        }
        for limit in LIMITS {
            drop(logins.limited.get_or_create(&[("limit", limit)]));
        }
        registry.register(
            "passkey_accepted",
            "Ceremonies of passkeys that succeeded",
            logins.accepted.clone(),
        );
        registry.register(
            "passkey_refused",
            "Ceremonies of passkeys that were refused",
            logins.refused.clone(),
        );
        registry.register(
            "passkey_counter_regressions",
            "Counters of authenticators that went back",
            logins.regressions.clone(),
        );
        registry.register(
            "passkey_backup_changes",
            "Passkeys that were copied to other devices since the login before, or no longer are",
            logins.backup_changes.clone(),
        );
        registry.register(
            "logins_limited",
            "Logins that were put off as too many",
            logins.limited.clone(),
        );
        logins
    }

    /// Counts a ceremony that succeeded.
    pub fn accepted(&self, kind: Ceremony) {
        self.accepted.get_or_create(&[("kind", kind.name())]).inc();
    }

    /// Counts one that was refused, by the class of the reason.
    pub fn refused(&self, kind: Ceremony, reason: &'static str) {
        let labels = [("kind", kind.name()), ("reason", reason)];
        self.refused.get_or_create(&labels).inc();
    }

    /// Counts a counter that went back.
    pub fn counter_went_back(&self) {
        self.regressions.inc();
    }

    /// Counts a passkey whose backup state has changed.
    pub fn backup_state_changed(&self) {
        self.backup_changes.inc();
    }

    /// Counts a login that was put off by this limit.
    pub fn limited(&self, limit: &'static str) {
        self.limited.get_or_create(&[("limit", limit)]).inc();
    }
}
