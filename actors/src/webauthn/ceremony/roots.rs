//! The authorities of makers of authenticators. What a statement says of a model is believed where its
//! certificates end in one of them (WebAuthn level 3 section 7.1, steps 23 and 24).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;
use webauthn_rs_core::attestation::verify_attestation_ca_chain;
use webauthn_rs_core::proto::{AttestationCa, AttestationCaList, ParsedAttestationData};

use super::super::limits;
use super::library::quietly;

/// Certificates of authorities; cheap to clone.
#[derive(Clone, Default)]
pub struct Roots(Arc<[AttestationCaList]>);

/// Why a file holds no such certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// None at all.
    #[error("there is no certificate in it, as text (PEM)")]
    Nothing,
    /// One that can't be read; counted from 1.
    #[error("certificate {0} can't be read")]
    Unreadable(usize),
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({})", self.0.len())
    }
}

impl Roots {
    /// Those of files, each with one certificate or several (PEM).
    ///
    /// # Errors
    /// What is wrong, and with which file, by its place in the list.
    pub fn read<F: AsRef<[u8]>>(files: &[F]) -> Result<Self, (usize, RootsError)> {
        let mut roots = Vec::new();
        for (place, file) in files.iter().enumerate() {
            let before = roots.len();
            for (index, der) in CertificateDer::pem_slice_iter(file.as_ref()).enumerate() {
                let unreadable = || (place, RootsError::Unreadable(index + 1));
                let der = der.map_err(|_| unreadable())?;
                roots.push(one(&der).ok_or_else(unreadable)?);
            }
            if roots.len() == before {
                return Err((place, RootsError::Nothing));
            }
        }
        Ok(Self(roots.into()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the certificates of a statement end in one of these, at the time `now`, in seconds since
    /// 1970. Those of nobody and those of the passkey itself do not.
    pub(super) fn vouch_for(&self, statement: &ParsedAttestationData, now: i64) -> bool {
        let chain = match statement {
            ParsedAttestationData::Basic(chain)
            | ParsedAttestationData::AttCa(chain)
            | ParsedAttestationData::AnonCa(chain) => chain,
            ParsedAttestationData::Self_
            | ParsedAttestationData::ECDAA
            | ParsedAttestationData::None
            | ParsedAttestationData::Uncertain => return false,
        };
        let since = Duration::from_secs(u64::try_from(now).unwrap_or_default());
        let Some(time) = SystemTime::UNIX_EPOCH.checked_add(since) else {
            return false;
        };
        if chain.len() > limits::CERTIFICATES {
            return false;
        }
        // One after the other: the library looks for an issuer by its name, and takes the first.
        self.0.iter().any(|root| {
            // Some send it along, and it would count as one in between.
            let sent = chain.iter();
            let sent = sent.take_while(|sent| !root.cas().values().any(|it| it.ca() == *sent));
            let statement = ParsedAttestationData::Basic(sent.cloned().collect());
            quietly(|| {
                let found = verify_attestation_ca_chain(&statement, root, time);
                matches!(found, Ok(Some(_)))
            })
        })
    }
}

/// The list of one certificate, by its serialised form: there is no other way to make one of DER that
/// allows all models, which are looked at elsewhere.
fn one(der: &[u8]) -> Option<AttestationCaList> {
    let ca = json!({
        "ca": URL_SAFE_NO_PAD.encode(der),
        "aaguids": {},
        "blanket_allow": true,
    });
    quietly(|| {
        let ca: AttestationCa = serde_json::from_value(ca).ok()?;
        let mut list = AttestationCaList::default();
        list.insert(ca).ok()?;
        Some(list)
    })
}
