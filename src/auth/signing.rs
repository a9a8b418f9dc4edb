//! What signatures of requests are made and compared with.

/// Compares two signatures in a time that does not tell where they differ.
pub(super) fn is_same(given: &str, computed: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), computed.as_bytes()).is_ok()
}

/// A text encoded as RFC 3986 (section 2) and RFC 5849 (section 3.6) have it: all but unreserved
/// characters.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The reverse. What is no encoded byte stays as it is, what is no UTF-8 is replaced.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = match after {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let (byte, after) = match byte {
            Some((high, low)) => (high << 4 | low, after.get(2..).unwrap_or_default()),
            None => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_what_is_not_stays() {
        let text = "a b/c~d*é%\u{10ffff}&=";
        assert_eq!(encoded("a b/~é%"), "a%20b%2F~%C3%A9%25");
        assert_eq!(decoded(&encoded(text)), text);
        for plain in ["", "%", "%4", "%zz", "a+b", "%%"] {
            assert_eq!(decoded(plain), plain);
        }
        assert_eq!(decoded("%41%ff"), "A\u{fffd}");
    }
}
