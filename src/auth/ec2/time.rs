//! When a request was signed: a signature is good for a while, not for ever (B9).

use chrono::{DateTime, NaiveDateTime};

use super::Fault;

/// Fails unless the moment `text` is at most `ttl` seconds from `now`, either way.
pub(super) fn check_signed_at(text: &str, now: i64, ttl: i64) -> Result<(), Fault> {
    let signed_at = parse(text).ok_or(Fault::OutOfTime)?;
    within(signed_at, now, ttl)
}

/// The same of a moment in seconds since 1970.
pub(super) fn within(signed_at: i64, now: i64, ttl: i64) -> Result<(), Fault> {
    match now.abs_diff(signed_at) <= ttl.unsigned_abs() {
        true => Ok(()),
        false => Err(Fault::OutOfTime),
    }
}

/// Fails if a signature that is good until `text` is no more, or if it is good for longer than
/// AWS lets one be.
pub(super) fn check_expires(text: &str, now: i64) -> Result<(), Fault> {
    let end = text.trim().parse().ok().or_else(|| parse(text));
    match end {
        Some(end) if (now..=now.saturating_add(LONGEST)).contains(&end) => Ok(()),
        _ => Err(Fault::OutOfTime),
    }
}

/// A signed URL is good for seven days at most, in seconds.
pub(super) const LONGEST: i64 = 7 * 24 * 3600;

/// ISO 8601 in either form, or the form of HTTP's `Date`; without a zone it is UTC.
pub(super) fn parse(text: &str) -> Option<i64> {
    const FORMS: [&str; 4] = [
        "%Y%m%dT%H%M%SZ",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.fZ",
        "%Y-%m-%d %H:%M:%S%.f",
    ];
    let zoned = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    if let Ok(time) = zoned {
        return Some(time.timestamp());
    }
    let mut parsed = FORMS
        .iter()
        .filter_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    Some(parsed.next()?.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_forms_that_clients_write() {
        for text in [
            "2033-05-18T03:33:20Z",
            "2033-05-18T03:33:20.5Z",
            "2033-05-18T05:33:20+02:00",
            "2033-05-18T03:33:20",
            "20330518T033320Z",
            "Wed, 18 May 2033 03:33:20 GMT",
            "Wed, 18 May 2033 03:33:20 +0000",
        ] {
            assert_eq!(parse(text), Some(2_000_000_000), "{text}");
        }
        for text in ["", "now", "2033-05-18", "20330518"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_signature_is_good_for_a_while_in_either_direction() {
        let text = "20330518T033320Z";
        for (now, good) in [
            (-901, false),
            (-900, true),
            (0, true),
            (900, true),
            (901, false),
        ] {
            assert_eq!(
                check_signed_at(text, 2_000_000_000 + now, 900).is_ok(),
                good,
                "{now}"
            );
        }
        assert_eq!(check_signed_at("nonsense", 0, 900), Err(Fault::OutOfTime));
    }

    #[test]
    fn a_signature_with_an_end_is_good_until_then_and_no_longer_than_a_week() {
        for (end, good) in [
            ("99", false),
            ("100", true),
            ("604900", true),
            ("604901", false),
            ("x", false),
        ] {
            assert_eq!(check_expires(end, 100).is_ok(), good, "{end}");
        }
    }
}
