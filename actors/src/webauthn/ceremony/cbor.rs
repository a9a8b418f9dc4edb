//! CBOR (RFC 8949) as WebAuthn level 3 section 2.4 wants it read: what is not encoded as CTAP2 says,
//! or has a key twice, is refused. So nothing is read in two ways, here and in the library.
//!
//! Not asked for are the order of keys and the shortest form of lengths, which password managers
//! get wrong, and which change no meaning.

use std::collections::BTreeSet;

/// CTAP2 allows four levels; attestation statements of several parts have more.
const DEEPEST: u8 = 8;

/// What one item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// Of 64 bits at most, as all that has a meaning to us.
    Integer(i128),
    Bytes(&'a [u8]),
    Text(&'a str),
    /// Its members, one after the other; see [`members`].
    Map(u64, &'a [u8]),
    /// Arrays, booleans, numbers with a fraction.
    Other,
}

/// The item that the bytes begin with, its own bytes, and those behind it.
pub(super) fn first(bytes: &[u8]) -> Option<(Item<'_>, &[u8], &[u8])> {
    let (item, rest) = read(bytes, DEEPEST)?;
    let own = bytes.get(..bytes.len() - rest.len())?;
    Some((item, own, rest))
}

/// The bytes as one item, with nothing behind it.
pub(super) fn only(bytes: &[u8]) -> Option<Item<'_>> {
    let (item, _, rest) = first(bytes)?;
    rest.is_empty().then_some(item)
}

/// A map's members: the keys, and the bytes of their values.
pub(super) fn members(map: Item<'_>) -> Option<Vec<(Item<'_>, &[u8])>> {
    let Item::Map(count, mut rest) = map else {
        return None;
    };
    let mut members = Vec::new();
    for _ in 0..count {
        let (key, _, behind) = first(rest)?;
        let (_, value, behind) = first(behind)?;
        members.push((key, value));
        rest = behind;
    }
    Some(members)
}

fn read(bytes: &[u8], depth: u8) -> Option<(Item<'_>, &[u8])> {
    let (kind, number, rest) = head(bytes)?;
    let length = || usize::try_from(number).ok();
    match kind {
        0 => Some((Item::Integer(number.into()), rest)),
        1 => Some((Item::Integer(-1 - i128::from(number)), rest)),
        2 => {
            let (bytes, rest) = rest.split_at_checked(length()?)?;
            Some((Item::Bytes(bytes), rest))
        }
        3 => {
            let (bytes, rest) = rest.split_at_checked(length()?)?;
            Some((Item::Text(std::str::from_utf8(bytes).ok()?), rest))
        }
        4 => {
            let depth = depth.checked_sub(1)?;
            let mut behind = rest;
            // Each item has a byte at least, so a count that is a lie ends soon.
            for _ in 0..number {
                (_, behind) = read(behind, depth)?;
            }
            Some((Item::Other, behind))
        }
        5 => {
            let depth = depth.checked_sub(1)?;
            let (mut behind, mut keys) = (rest, BTreeSet::new());
            for _ in 0..number {
                let key = behind;
                (_, behind) = read(key, depth)?;
                let key = key.get(..key.len() - behind.len())?;
                if !is_key(key) || !keys.insert(key) {
                    return None;
                }
                (_, behind) = read(behind, depth)?;
            }
            let inner = rest.get(..rest.len() - behind.len())?;
            Some((Item::Map(number, inner), behind))
        }
        // No tags (6); `head` has let only simple values and numbers with a fraction pass.
        7 => Some((Item::Other, rest)),
        _ => None,
    }
}

/// Kind and number of an item, and what is behind these. No indefinite lengths.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (kind, more) = (first >> 5, first & 0x1f);
    // `undefined` and unassigned simple values mean nothing to anybody here.
    if kind == 7 && matches!(more, 0..=19 | 23 | 24) {
        return None;
    }
    let size = match more {
        0..=23 => return Some((kind, more.into(), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (number, rest) = rest.split_at_checked(size)?;
    let number = number.iter();
    let number = number.fold(0, |all, one| (all << 8) | u64::from(*one));
    Some((kind, number, rest))
}

/// Whether it may be a key: a number or a text, in its shortest form, so that no two are the same
/// and look different.
fn is_key(key: &[u8]) -> bool {
    let Some((0 | 1 | 3, number, _)) = head(key) else {
        return false;
    };
    let more = key.first().map_or(0, |first| first & 0x1f);
    match number {
        0..=23 => more < 24,
        24..=0xff => more == 24,
        0x100..=0xffff => more == 25,
        0x1_0000..=0xffff_ffff => more == 26,
        _ => more == 27,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authenticators_send_is_read() {
        let bytes = b"\xa3\x01\x02\x20\x43abc\x63fmt\x82\xf5\xfb\x3f\xf0\0\0\0\0\0\0rest";
        let (item, own, rest) = first(bytes).unwrap();
        assert_eq!((own.len(), rest), (bytes.len() - 4, &b"rest"[..]));
        let members = members(item).unwrap();
        let keys: Vec<Item<'_>> = members.iter().map(|member| member.0).collect();
        assert_eq!(
            keys,
            [Item::Integer(1), Item::Integer(-1), Item::Text("fmt")]
        );
        assert_eq!(only(members[1].1), Some(Item::Bytes(b"abc")));
        // Longer than it has to be: as some encode, and the same.
        assert_eq!(only(b"\x59\x00\x01a"), Some(Item::Bytes(b"a")));
        assert_eq!(only(b"\xa0"), Some(Item::Map(0, b"")));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let deep = [vec![0x81; 9], vec![0x00]].concat();
        let cases: [&[u8]; 22] = [
            b"",
            b"\xa1",
            b"\xa1\x01",
            b"\xbf\x01\x02\xff",
            b"\x9f\xff",
            b"\x5f\x41a\xff",
            b"\x7f\xff",
            b"\xa2\x01\x02\x01\x03",
            b"\xa2\x63fmt\x00\x63fmt\x00",
            b"\xa2\x01\x02\x18\x01\x03",
            b"\xa1\x41a\x00",
            b"\xa1\x80\x00",
            b"\xa1\xf5\x00",
            b"\x43ab",
            b"\x61\xff",
            b"\xc0\x00",
            b"\xf8\x20",
            b"\xf7",
            b"\xff",
            b"\x1c",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x00",
            &deep,
        ];
        for bytes in cases {
            assert_eq!(first(bytes), None, "{bytes:x?}");
        }
        assert!(first(&[vec![0x81; 8], vec![0x00]].concat()).is_some());
        assert_eq!(only(b"\x00\x00"), None);
    }
}
