//! Requests to S3: the service shows the text that was signed, and the signature.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use secrecy::{ExposeSecret as _, SecretString};

use super::aws::{hex, signing_key};
use super::time::{self, LONGEST};
use super::{Fault, Shown, text};
use crate::auth::signing::is_same;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether the key of this secret has signed what the service shows, and lately.
pub(super) fn verify(
    shown: &Shown,
    secret: &SecretString,
    now: i64,
    ttl: i64,
) -> Result<(), Fault> {
    // Swift writes the one alphabet of base64, others the other.
    let token = text(shown, "token")?.replace('+', "-").replace('/', "_");
    let signed = ENGINE.decode(token).map_err(|_| Fault::UnknownForm)?;
    let signature = text(shown, "signature")?;
    let (computed, told) = if signed.starts_with(b"AWS4") {
        let signed = std::str::from_utf8(&signed).map_err(|_| Fault::UnknownForm)?;
        version_4(signed, secret)?
    } else {
        version_1(&signed, secret)
    };
    if !is_same(signature, &computed) {
        return Err(Fault::Mismatch);
    }
    match told {
        Told::At(at) => time::check_signed_at(&at, now, ttl),
        Told::Until(end) => time::check_expires(&end, now),
        // A signed URL's own end is not in the text; this is the latest that it can be.
        Told::Begin(at) => time::check_signed_at(&at, now, LONGEST.max(ttl)),
        Told::Nothing => Err(Fault::Timeless),
    }
}

/// What a signed text tells of the time.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// When it was signed, to be used at once.
    At(String),
    /// When it was signed; of a URL perhaps, which is good for longer.
    Begin(String),
    /// Until when it is good, in seconds since 1970.
    Until(String),
    Nothing,
}

/// HMAC-SHA1 of the text. Its fourth line is the date, or of a URL the end; where it is empty, a
/// line further down is the date.
fn version_1(signed: &[u8], secret: &SecretString) -> (String, Told) {
    let key = hmac::Key::new(
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        secret.expose_secret().as_bytes(),
    );
    let signature = STANDARD.encode(hmac::sign(&key, signed));
    let lossy = String::from_utf8_lossy(signed);
    let date = lossy.lines().nth(3).unwrap_or_default().trim();
    let told = if !date.is_empty() && date.bytes().all(|byte| byte.is_ascii_digit()) {
        Told::Until(date.to_owned())
    } else if !date.is_empty() {
        Told::At(date.to_owned())
    } else {
        let header = lossy
            .lines()
            .find_map(|line| line.strip_prefix("x-amz-date:"));
        header.map_or(Told::Nothing, |date| Told::At(date.trim().to_owned()))
    };
    (signature, told)
}

/// AWS's version 4: of S3 itself and of what its users log in with.
fn version_4(signed: &str, secret: &SecretString) -> Result<(String, Told), Fault> {
    let lines: Vec<&str> = signed.split('\n').collect();
    let ["AWS4-HMAC-SHA256", at, scope, _] = lines.as_slice() else {
        return Err(Fault::UnknownForm);
    };
    let scope: Vec<&str> = scope.split('/').collect();
    let [
        date,
        region,
        service @ ("s3" | "iam" | "sts"),
        "aws4_request",
    ] = scope.as_slice()
    else {
        return Err(Fault::UnknownForm);
    };
    let key = signing_key(secret, date, region, service);
    let signature = hex(hmac::sign(&key, signed.as_bytes()).as_ref());
    Ok((signature, Told::Begin((*at).to_owned())))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// 2013-05-24T00:00:00Z, the day of the examples in AWS's documentation of S3.
    const DAY: i64 = 1_369_353_600;
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn shown(signed: &str, signature: &str) -> Shown {
        let shown = json!({"token": ENGINE.encode(signed), "signature": signature});
        match shown {
            Value::Object(shown) => shown,
            _ => unreachable!(),
        }
    }

    #[test]
    fn the_example_of_aws_is_verified_and_nothing_else_is() {
        // "GET Object" of the S3 API reference, "Signature Calculations for the Authorization Header".
        let signed = "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
                      7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972";
        let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        let verify = |signed: &str, signature: &str, secret: &str, now| {
            verify(&shown(signed, signature), &secret.into(), now, 900)
        };

        assert_eq!(verify(signed, signature, SECRET, DAY), Ok(()));
        assert_eq!(
            verify(signed, signature, "another", DAY),
            Err(Fault::Mismatch)
        );
        assert_eq!(
            verify(&signed.replace("7344", "7345"), signature, SECRET, DAY),
            Err(Fault::Mismatch)
        );
        assert_eq!(verify(signed, "", SECRET, DAY), Err(Fault::Mismatch));
        assert_eq!(
            verify(&signed.replace("/s3/", "/ec2/"), signature, SECRET, DAY),
            Err(Fault::UnknownForm)
        );
        assert_eq!(
            verify(signed, signature, SECRET, DAY + LONGEST + 1),
            Err(Fault::OutOfTime)
        );
    }

    #[test]
    fn an_older_signature_is_good_by_its_date_or_its_end() {
        let verify = |date: &str, now| {
            let signed = format!("GET\n\n\n{date}\n/bucket/object");
            let (signature, _) = version_1(signed.as_bytes(), &SECRET.into());
            verify(&shown(&signed, &signature), &SECRET.into(), now, 900)
        };

        assert_eq!(verify("Fri, 24 May 2013 00:00:00 GMT", DAY + 900), Ok(()));
        assert_eq!(
            verify("Fri, 24 May 2013 00:00:00 GMT", DAY + 901),
            Err(Fault::OutOfTime)
        );
        assert_eq!(verify(&DAY.to_string(), DAY), Ok(()));
        assert_eq!(verify(&DAY.to_string(), DAY + 1), Err(Fault::OutOfTime));
        assert_eq!(
            verify("\nx-amz-date:Fri, 24 May 2013 00:00:00 GMT", DAY),
            Ok(())
        );
        assert_eq!(verify("", DAY), Err(Fault::Timeless));
    }

    #[test]
    fn a_signature_of_version_1_is_that_of_aws() {
        // "Object GET" of the S3 user guide, "Signing and authenticating REST requests".
        let signed =
            "GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/awsexamplebucket1/photos/puppy.jpg";
        let (signature, _) = version_1(signed.as_bytes(), &SECRET.into());
        assert_eq!(signature, "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");
    }
}
