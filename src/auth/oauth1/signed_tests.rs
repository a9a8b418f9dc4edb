//! Signatures computed by oauthlib 4.0, whose verifier Python Keystone uses.

use super::*;

const CONSUMER: &str = "0685bd9184adffff0685bd9184adffff";

/// 2033-05-18T03:33:20Z.
const NOW: i64 = 2_000_000_000;

fn secrets(token: &str) -> SigningSecrets {
    SigningSecrets {
        consumer: "kd94hf93k423kf44".into(),
        token: token.into(),
    }
}

/// A header with these parameters instead of the usual ones, which an empty value leaves out.
fn header(changes: &[(&str, &str)]) -> String {
    let mut params = vec![
        ("oauth_nonce", "7d8f3e4a"),
        ("oauth_timestamp", "2000000000"),
        ("oauth_version", "1.0"),
        ("oauth_signature_method", HMAC_SHA1),
        ("oauth_consumer_key", CONSUMER),
        ("oauth_token", "adff80d37733fa7eadff80d37733fa7e"),
        ("oauth_signature", "x"),
    ];
    params.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    params.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let params = params
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""));
    format!("OAuth {}", params.collect::<Vec<_>>().join(", "))
}

fn signed(changes: &[(&str, &str)]) -> Signed {
    Signed::parse(&header(changes), "").unwrap()
}

#[test]
fn a_signature_is_good_for_its_url_and_its_secrets() {
    let secret = "pfkkd hi9sl/3r4+s00é";
    let url = ["https://ks.example:5000/v3/auth/tokens".to_owned()];
    let other = ["https://ks.example:5000/v3/auth/token".to_owned()];
    for (method, signature) in [
        (HMAC_SHA1, "X4fVzG70WDT6V140u69kS%2Fp6J0Q%3D"),
        (
            HMAC_SHA256,
            "sTkf2XwWOuVzm2Vaia55eyRB34BRbzRjvRo70C762hc%3D",
        ),
        (
            HMAC_SHA512,
            "3PEdTGaTZmKTI%2FKmlSmIRy8PIzgnszXFYG%2B03mlBFTaEv89%2F43qlCwgk2F8VnqpiNFqG2BGLpWfzt70w%2FonpbQ%3D%3D",
        ),
        (
            PLAINTEXT,
            "kd94hf93k423kf44%26pfkkd%2520hi9sl%252F3r4%252Bs00%25C3%25A9",
        ),
    ] {
        let request = signed(&[
            ("oauth_signature_method", method),
            ("oauth_signature", signature),
        ]);

        assert_eq!(request.check(NOW), Ok(()), "{method}");
        assert_eq!(request.check_token(), Ok(()));
        assert!(request.is_signed_with(&secrets(secret), &url), "{method}");
        assert!(request.is_signed_with(&secrets(secret), &[other.clone(), url.clone()].concat()));
        assert!(!request.is_signed_with(&secrets("pfkkd"), &url));
        // A plain text is the secrets, and signs nothing.
        assert_eq!(
            request.is_signed_with(&secrets(secret), &other),
            method == PLAINTEXT
        );
    }
}

/// A parameter that is signed, and one that is not, decide.
#[test]
fn parameters_are_signed_those_of_the_query_too() {
    let header = r#"OAuth oauth_nonce="7d8f3e4a", oauth_timestamp="2000000000", oauth_version="1.0",
        oauth_signature_method="HMAC-SHA1", oauth_consumer_key="0685bd9184adffff0685bd9184adffff",
        realm="a,\"b", oauth_callback="http%3A%2F%2Fcall.back%2F%3Fx%3D%C3%A9%26y",
        oauth_signature="OIKECmm1I%2FKWSPsutU1yKuFmDTA%3D""#;
    let query = "b5=%3D%253D&a3=a&c%40=&a2=r%20b&a3=2+q";
    let url = ["http://ks.example/v3/OS-OAUTH1/request_token".to_owned()];
    let is_good = |header: &str, query: &str| {
        let request = Signed::parse(header, query).unwrap();
        request.is_signed_with(&secrets(""), &url)
    };

    assert!(is_good(header, query));
    assert!(is_good(&header.replace("OAuth", "oauth"), query));
    assert!(!is_good(header, &query.replace("a2", "a4")));
    assert!(!is_good(&header.replace("7d8f", "7d8e"), query));
    assert!(!is_good(&header.replace("1.0", "1.1"), query));
}

#[test]
fn what_is_no_header_of_oauth_is_none() {
    for header in [
        "",
        "OAuth",
        "Basic YTpi",
        "OAuth oauth_nonce",
        "OAuth a=\"b\", c",
    ] {
        assert!(Signed::parse(header, "").is_none(), "{header:?}");
    }
    let long = format!("OAuth oauth_nonce=\"{}\"", "a".repeat(LONGEST));
    assert!(Signed::parse(&long, "").is_none());
}

#[test]
fn a_request_has_keystones_form() {
    for (changes, fault) in [
        (("oauth_signature", ""), Fault::Incomplete),
        (("oauth_consumer_key", ""), Fault::Incomplete),
        (("oauth_nonce", ""), Fault::Incomplete),
        (("oauth_timestamp", ""), Fault::Incomplete),
        (("oauth_signature_method", ""), Fault::Incomplete),
        (("oauth_signature_method", "RSA-SHA1"), Fault::Method),
        (("oauth_version", "2.0"), Fault::Version),
        (("oauth_timestamp", "200000000"), Fault::TimestampSize),
        (("oauth_timestamp", "200000000x"), Fault::Timestamp),
        (("oauth_timestamp", "2000000601"), Fault::OutOfTime),
        (("oauth_timestamp", "1999999399"), Fault::OutOfTime),
        (
            ("oauth_consumer_key", "0685BD9184ADFFFF0685BD9184ADFFFF"),
            Fault::Consumer,
        ),
        (("oauth_consumer_key", "0685bd9184adffff"), Fault::Consumer),
        (("oauth_nonce", "xyz"), Fault::Nonce),
    ] {
        assert_eq!(signed(&[changes]).check(NOW), Err(fault), "{changes:?}");
    }
    for good in [
        ("oauth_timestamp", "2000000600"),
        ("oauth_timestamp", "1999999400"),
        ("oauth_version", ""),
    ] {
        assert_eq!(signed(&[good]).check(NOW), Ok(()), "{good:?}");
    }
    let twice = header(&[]) + ", oauth_nonce=\"0\"";
    assert_eq!(
        Signed::parse(&twice, "").unwrap().check(NOW),
        Err(Fault::Duplicate)
    );
    let scattered = Signed::parse(&header(&[]), "oauth_nonce=0").unwrap();
    assert_eq!(scattered.check(NOW), Err(Fault::Scattered));
}

#[test]
fn tokens_verifiers_realms_and_callbacks_have_it_too() {
    assert_eq!(
        signed(&[("oauth_token", "nope")]).check_token(),
        Err(Fault::Token)
    );
    for bad in ["abc", "abcdefgl", "abcdefgh2", "äbcdefgh"] {
        let request = signed(&[("oauth_verifier", bad)]);
        assert_eq!(request.check_verifier(), Err(Fault::Verifier), "{bad}");
    }
    assert_eq!(
        signed(&[("oauth_verifier", "hymeE9Kn")]).check_verifier(),
        Ok(())
    );
    let callback = ("oauth_callback", "oob");
    assert_eq!(signed(&[callback]).check_callback(), Ok(()));
    assert_eq!(signed(&[]).check_callback(), Err(Fault::Callback));
    assert_eq!(
        signed(&[callback, ("realm", "photos")]).check_callback(),
        Err(Fault::Realm)
    );
    let empty = header(&[callback]) + ", realm=\"\"";
    assert_eq!(Signed::parse(&empty, "").unwrap().check_callback(), Ok(()));
}
