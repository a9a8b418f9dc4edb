//! MFA receipts: proof of the methods passed so far, for the request that brings the rest.
//!
//! A fernet container over a MessagePack list without a version: user, methods, expiry. Receipts
//! and tokens can't be taken for each other, though they often share their keys.

use std::sync::Arc;

use rmp::encode::{ByteBuf, write_array_len, write_uint};

use super::fernet::CryptoError;
use super::keys::{KeyError, LiveKeys};
use super::methods::{MethodTable, Methods};
use super::msgpack::ReadError;
use super::payload::PayloadError;
use super::payload_wire::{either_form, write_id, write_seconds};

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whose it is: no one else can use it.
    pub user_id: String,
    /// What was proven.
    pub methods: Methods,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// A receipt that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedReceipt {
    /// What it says.
    pub receipt: Receipt,
    /// When it was issued, in seconds since 1970.
    pub issued_at: i64,
}

/// Why a text is no good receipt. The client learns only that there is no such receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// None of our keys made it, or it was changed.
    #[error("This is not a recognized Fernet receipt")]
    NotRecognised,
    /// Our keys made it, but it is something else; names the element that shows it.
    #[error("malformed receipt: {0}")]
    Malformed(&'static str),
    /// Issued further ahead of our clock than allowed.
    #[error("the receipt was issued in the future")]
    IssuedInFuture,
    /// Over.
    #[error("the receipt has expired")]
    Expired,
}

/// Seals and opens receipts, with the keys of `[fernet_receipts] key_repository`.
#[derive(Debug)]
pub struct Receipts {
    keys: Arc<LiveKeys>,
    methods: Arc<MethodTable>,
    max_clock_skew: i64,
}

impl Receipts {
    /// `max_clock_skew`: by how many seconds the server that issued a receipt may be ahead of us.
    pub fn new(keys: LiveKeys, methods: Arc<MethodTable>, max_clock_skew: i64) -> Self {
        Self {
            keys: Arc::new(keys),
            methods,
            max_clock_skew,
        }
    }

    /// The keys, which are refreshed with the receipts.
    pub fn keys(&self) -> &Arc<LiveKeys> {
        &self.keys
    }

    /// The text of a receipt issued at `issued_at`, seconds since 1970.
    ///
    /// # Errors
    /// [`CryptoError`] for want of randomness.
    pub fn seal(&self, receipt: &Receipt, issued_at: i64) -> Result<String, CryptoError> {
        let mut out = ByteBuf::with_capacity(64);
        let Ok(_) = write_array_len(&mut out, 3);
        write_id(&mut out, Some(&receipt.user_id));
        let Ok(_) = write_uint(&mut out, self.methods.bits(&receipt.methods));
        write_seconds(&mut out, receipt.expires_at);
        self.keys.current().seal_text(out.into_vec(), issued_at)
    }

    /// Opens a receipt at the time `now`, seconds since 1970. Whether it is the user's who sends
    /// it is for the caller to check.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn open(&self, text: &str, now: i64) -> Result<OpenedReceipt, ReceiptError> {
        let (issued_at, receipt) = self
            .keys
            .current()
            .open_text(text, |issued_at, bytes| {
                (issued_at, read(bytes, &self.methods))
            })
            .ok_or(ReceiptError::NotRecognised)?;
        if issued_at > now.saturating_add(self.max_clock_skew) {
            return Err(ReceiptError::IssuedInFuture);
        }
        let receipt = receipt.map_err(|error| match error {
            PayloadError::Malformed(what) => ReceiptError::Malformed(what),
            PayloadError::UnknownVersion(_) => ReceiptError::Malformed("version"),
        })?;
        if receipt.expires_at <= now {
            return Err(ReceiptError::Expired);
        }
        Ok(OpenedReceipt { receipt, issued_at })
    }

    /// Loads the keys if they have changed, as [`LiveKeys::refresh`] does.
    ///
    /// # Errors
    /// [`KeyError`]; the old keys stay.
    pub fn refresh(&self) -> Result<bool, KeyError> {
        self.keys.refresh()
    }

    /// The same, as [`LiveKeys::refresh_settled`] does.
    ///
    /// # Errors
    /// [`KeyError`]; the old keys stay.
    pub fn refresh_settled(&self) -> Result<bool, KeyError> {
        self.keys.refresh_settled()
    }
}

/// Reads what is inside a receipt.
pub(super) fn read(bytes: &[u8], table: &MethodTable) -> Result<Receipt, PayloadError> {
    either_form(bytes, |mut reader| {
        let surplus = reader
            .list("receipt")?
            .checked_sub(3)
            .ok_or(ReadError::Malformed("too few elements"))?;
        let receipt = Receipt {
            user_id: reader.id("user")?,
            methods: reader.methods(table)?,
            expires_at: reader.seconds("expiry")?,
        };
        for _ in 0..surplus {
            reader.skip()?;
        }
        reader.end()?;
        Ok(receipt)
    })
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
