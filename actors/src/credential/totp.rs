//! One-time passwords by time: RFC 6238 with HMAC-SHA1, six digits and steps of 30 seconds.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use zeroize::Zeroizing;

const STEP_SECONDS: i64 = 30;
const MODULUS: u32 = 1_000_000;

/// Shorter secrets make no passcodes, as in Keystone: RFC 4226 section 4, requirement 6.
const SHORTEST_SECRET: usize = 16;

/// The key of a user's authenticator.
pub(super) struct TotpSecret(hmac::Key);

impl TotpSecret {
    /// From a blob: base32 (RFC 4648) in capitals, with or without padding. `None` if it is none.
    pub(super) fn from_base32(blob: &SecretString) -> Option<Self> {
        let bytes = base32(blob.expose_secret())?;
        if bytes.len() < SHORTEST_SECRET {
            return None;
        }
        Some(Self(hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            &bytes,
        )))
    }

    /// The step whose passcode this is, of the present one and `previous` before it. All of them
    /// are compared, and each in the same time whatever it has in common with the passcode.
    pub(super) fn step_of(&self, passcode: &SecretString, previous: u32, now: i64) -> Option<i64> {
        let present = now.div_euclid(STEP_SECONDS);
        let steps = (0..=i64::from(previous)).map(|back| present - back);
        // Steps are positive; 0 stands for none.
        let found = steps.fold(0_i64, |found, step| {
            let fits = self
                .passcode(step)
                .ct_eq(passcode.expose_secret().as_bytes());
            i64::conditional_select(&found, &step, fits & Choice::from(u8::from(found == 0)))
        });
        (found > 0).then_some(found)
    }

    /// RFC 4226 section 5.3.
    fn passcode(&self, step: i64) -> [u8; 6] {
        let tag = hmac::sign(&self.0, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
        let word: [u8; 4] = tag
            .get(offset..offset + 4)
            .and_then(|word| word.try_into().ok())
            .unwrap_or_default();
        let mut number = (u32::from_be_bytes(word) & 0x7fff_ffff) % MODULUS;
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
        digits
    }
}

/// Before this time step no passcode is accepted, nor by a node whose clock is an hour late.
pub(super) fn forgotten(previous: u32, now: i64) -> i64 {
    const HOUR: i64 = 3600 / STEP_SECONDS;
    now.div_euclid(STEP_SECONDS) - i64::from(previous) - HOUR
}

fn base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits = text.trim_end_matches('=');
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len()));
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    // Eight digits are five bytes; of a rest, some lengths can't be.
    (!matches!(digits.len() % 8, 1 | 3 | 6)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "12345678901234567890", the secret of the RFC's test vectors.
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn secret(text: &str) -> Option<TotpSecret> {
        TotpSecret::from_base32(&text.into())
    }

    #[test]
    fn passcodes_are_those_of_rfc_6238_appendix_b() {
        let secret = secret(RFC).unwrap();
        // The last six of the eight digits that stand there.
        for (now, passcode) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(
                secret.step_of(&passcode.into(), 0, now),
                Some(now / 30),
                "{now}"
            );
        }
    }

    #[test]
    fn a_passcode_is_good_in_its_step_and_in_so_many_after_it() {
        let secret = secret(RFC).unwrap();
        let step = 1_111_111_109 / 30;
        let at = |now, previous| secret.step_of(&"081804".into(), previous, now);

        assert_eq!(at(step * 30 - 1, 5), None);
        assert_eq!(at(step * 30, 0), Some(step));
        assert_eq!(at(step * 30 + 29, 0), Some(step));
        assert_eq!(at(step * 30 + 30, 0), None);
        assert_eq!(at(step * 30 + 30, 1), Some(step));
        assert_eq!(at(step * 30 + 60, 1), None);
        for other in ["", "81804", "0818040", "081805"] {
            assert_eq!(
                secret.step_of(&other.into(), 1, step * 30),
                None,
                "{other:?}"
            );
        }
    }

    #[test]
    fn a_secret_is_base32_in_capitals_of_128_bits_or_more() {
        assert!(secret("GEZDGNBVGY3TQOJQGEZDGNBVGY").is_some());
        assert!(secret("GEZDGNBVGY3TQOJQGEZDGNBVGY======").is_some());
        assert!(secret("GEZDGNBVGY3TQOJQGEZDGNBV").is_none());
        assert!(secret(&RFC.to_lowercase()).is_none());
        assert!(secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1").is_none());
        assert!(secret("GEZDGNBVGY3TQOJQGEZDGNBVGYA").is_none());
        assert!(secret("").is_none());
    }
}
