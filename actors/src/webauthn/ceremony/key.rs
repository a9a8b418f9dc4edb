//! Public keys of passkeys: COSE_Key, RFC 9052 section 7, as WebAuthn level 3 sections 5.8.5 and
//! 6.5.1.1 narrow it down.

use super::super::Reason;
use super::cbor::{self, Item};

/// Curves by their COSE number, each with its one algorithm (a key of another one would be weaker
/// or stronger than what was asked for), and the bytes of a coordinate.
const CURVES: [(i128, i128, usize); 3] = [(1, -7, 32), (2, -35, 48), (3, -36, 66)];

const RS256: i128 = -257;
const EDDSA: i128 = -8;
const ED25519: (i128, usize) = (6, 32);

/// Bytes of a modulus: 2048 to 4096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// FIPS 186-5 section 5.1: 2^16 < e, and odd. A smaller one lets signatures be made up.
const LEAST_EXPONENT: u64 = 65537;

const BAD: Reason = Reason::BadKey;

/// The algorithm of a key, one of those offered. The key has just what its kind needs: nothing is
/// missing, and nothing more is there to be stored. Whether a point is on its curve is for the
/// library to say.
pub(super) fn algorithm(key: &[u8], offered: &[i64]) -> Result<i64, Reason> {
    let members = cbor::only(key).and_then(cbor::members).ok_or(BAD)?;
    let of = |label: i128| {
        let found = members.iter().find(|it| it.0 == Item::Integer(label));
        found.and_then(|it| cbor::only(it.1)).ok_or(BAD)
    };
    let number = |label| match of(label)? {
        Item::Integer(number) => Ok(number),
        _ => Err(BAD),
    };
    let bytes = |label| match of(label)? {
        Item::Bytes(bytes) => Ok(bytes),
        _ => Err(BAD),
    };
    let (kind, alg) = (number(1)?, number(3)?);
    let mut offered = offered.iter();
    let known = offered.find(|one| i128::from(**one) == alg);
    let known = known.ok_or(Reason::WrongAlgorithm)?;
    let (good, count) = match kind {
        1 => {
            let point = (number(-1)?, bytes(-2)?.len());
            (alg == EDDSA && point == ED25519, 4)
        }
        2 => {
            let (curve, x, y) = (number(-1)?, bytes(-2)?.len(), bytes(-3)?.len());
            (CURVES.contains(&(curve, alg, x)) && x == y, 5)
        }
        3 => (alg == RS256 && is_rsa(bytes(-1)?, bytes(-2)?), 4),
        _ => return Err(BAD),
    };
    match good && members.len() == count {
        true => Ok(*known),
        false => Err(BAD),
    }
}

/// Whether these are a modulus and an exponent of today. Zeros in front would make a modulus look
/// longer than it is.
fn is_rsa(modulus: &[u8], exponent: &[u8]) -> bool {
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last & 1 == 1);
    let full = modulus.first().is_some_and(|first| first & 0x80 != 0);
    let number = exponent.iter();
    let number = number.fold(0, |all, one| (all << 8) | u64::from(*one));
    MODULUS.contains(&modulus.len())
        && full
        && odd(modulus)
        && odd(exponent)
        && exponent.len() <= 4
        && number >= LEAST_EXPONENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn algorithm(key: &[u8]) -> Result<i64, Reason> {
        super::algorithm(key, &[-7, -35, -257])
    }

    /// A key of two coordinates.
    fn point(kind: u8, alg: &[u8], curve: u8, x: usize, y: usize) -> Vec<u8> {
        let bytes = |length: usize| [vec![0x58, length as u8], vec![7; length]].concat();
        [
            &[0xa5, 0x01, kind, 0x03][..],
            alg,
            &[0x20, curve, 0x21],
            &bytes(x),
            &[0x22],
            &bytes(y),
        ]
        .concat()
    }

    fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let length = (modulus.len() as u16).to_be_bytes();
        [
            &[0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59][..],
            &length,
            modulus,
            &[0x21, 0x40 + exponent.len() as u8],
            exponent,
        ]
        .concat()
    }

    #[test]
    fn an_algorithm_has_one_curve() {
        let (es256, es384) = (&[0x26][..], &[0x38, 34][..]);
        assert_eq!(algorithm(&point(2, es256, 1, 32, 32)), Ok(-7));
        assert_eq!(algorithm(&point(2, es384, 2, 48, 48)), Ok(-35));
        for bad in [
            point(2, es256, 2, 48, 48),
            point(2, es384, 1, 32, 32),
            point(2, es256, 1, 48, 48),
            point(2, es256, 1, 32, 31),
            point(2, &[0x39, 0x01, 0x00], 1, 32, 32),
            point(3, es256, 1, 32, 32),
            point(1, es256, 1, 32, 32),
            point(4, es256, 1, 32, 32),
        ] {
            assert_eq!(algorithm(&bad), Err(BAD), "{bad:x?}");
        }
        assert_eq!(
            super::algorithm(&point(2, es256, 1, 32, 32), &[-257]),
            Err(Reason::WrongAlgorithm)
        );
    }

    #[test]
    fn a_key_of_rsa_is_as_long_as_it_looks() {
        let good = vec![0xff; 256];
        assert_eq!(algorithm(&rsa(&good, &[1, 0, 1])), Ok(-257));
        let padded = [vec![0; 128], vec![0xff; 128]].concat();
        let even = [vec![0xff; 255], vec![0xfe]].concat();
        for (modulus, exponent) in [
            (&vec![0xff; 128], &[1, 0, 1][..]),
            (&padded, &[1, 0, 1]),
            (&even, &[1, 0, 1]),
            (&vec![0xff; 513], &[1, 0, 1]),
            (&good, &[0, 0, 1]),
            (&good, &[3]),
            (&good, &[1, 0, 0]),
            (&good, &[]),
            (&good, &[1, 0, 0, 0, 0, 0, 0, 0, 1]),
        ] {
            let key = rsa(modulus, exponent);
            assert_eq!(algorithm(&key), Err(BAD), "{exponent:?}");
        }
    }

    #[test]
    fn a_key_has_what_it_needs_and_nothing_more() {
        let mut more = point(2, &[0x26], 1, 32, 32);
        more[0] = 0xa6;
        more.extend([0x04, 0x41, 0x00]);
        assert_eq!(algorithm(&more), Err(BAD));
        let mut behind = point(2, &[0x26], 1, 32, 32);
        behind.push(0);
        for bad in [&behind[..], b"", b"\xa0", b"\x80", b"\xa1\x01\x02"] {
            assert_eq!(algorithm(bad), Err(BAD));
        }
        // A coordinate that is a sign, not a number.
        let compressed = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x41\x00\x22\xf5";
        assert_eq!(algorithm(compressed), Err(BAD));
    }
}
