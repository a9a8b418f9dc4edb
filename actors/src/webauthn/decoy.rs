//! Passkeys that do not exist, told where somebody was named who has none, or does not exist
//! either. They are the same each time a name is given, and look like passkeys that do exist:
//! each takes its length and its transports from one, which is chosen by the name.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Descriptor;

/// What a decoy takes from a passkey that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Model {
    pub length: usize,
    pub transports: Vec<String>,
}

/// The decoys of one name.
pub(super) struct Decoys<'a> {
    key: &'a hmac::Key,
    named: &'a str,
}

impl<'a> Decoys<'a> {
    /// `key`: the deployment's own, which never changes as keys of tokens do, for decoys that
    /// change with those could be told from passkeys.
    pub(super) fn new(key: &'a hmac::Key, named: &'a str) -> Self {
        Self { key, named }
    }

    fn stream(&self, what: &[u8], counter: u8) -> hmac::Tag {
        let mut tag = hmac::Context::with_key(self.key);
        tag.update(b"decoy\0");
        tag.update(what);
        tag.update(&[0, counter]);
        tag.update(self.named.as_bytes());
        tag.sign()
    }

    /// How many there are: one, or for one name in four two.
    pub(super) fn count(&self) -> usize {
        let tag = self.stream(b"count", 0);
        match tag.as_ref().first() {
            Some(byte) if byte % 4 == 0 => 2,
            _ => 1,
        }
    }

    /// Where among the IDs of passkeys to look for models: from here on, and then from the
    /// beginning. So the models of a name change only when a passkey comes into this very place.
    pub(super) fn place(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.stream(b"place", 0))
    }

    /// The decoys, made after these models; after common ones where there are none.
    pub(super) fn after(&self, models: &[Model]) -> Vec<Descriptor> {
        (0..self.count())
            .map(|index| {
                let model = models.get(index % models.len().max(1)).cloned();
                let model = model.unwrap_or_else(|| self.common(index));
                Descriptor {
                    id: self.bytes(index, model.length),
                    transports: model.transports,
                }
            })
            .collect()
    }

    fn common(&self, index: usize) -> Model {
        let tag = self.stream(b"model", u8::try_from(index).unwrap_or_default());
        let (length, transports) = match tag.as_ref().first().copied().unwrap_or_default() % 4 {
            0 => (64, &["usb"][..]),
            1 => (32, &["internal"][..]),
            _ => (16, &["hybrid", "internal"][..]),
        };
        Model {
            length,
            transports: transports.iter().map(|&one| one.to_owned()).collect(),
        }
    }

    fn bytes(&self, index: usize, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 32);
        let mut block = 0_u8;
        while bytes.len() < length && block < u8::MAX {
            let what = [b'b', u8::try_from(index).unwrap_or_default()];
            bytes.extend_from_slice(self.stream(&what, block).as_ref());
            block += 1;
        }
        bytes.truncate(length);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_decoys_of_its_own_and_always_the_same() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let mut seen = std::collections::HashSet::new();
        let mut counts = [0; 3];
        for number in 0..200 {
            let name = format!("user {number}");
            let decoys = Decoys::new(&key, &name).after(&[]);
            assert_eq!(decoys, Decoys::new(&key, &name).after(&[]));
            counts[decoys.len()] += 1;
            for decoy in decoys {
                assert!(matches!(decoy.id.len(), 16 | 32 | 64));
                assert!(!decoy.transports.is_empty());
                assert!(seen.insert(decoy.id));
            }
        }
        assert_eq!(counts[0], 0);
        assert!(counts[1] > counts[2] && counts[2] > 10, "{counts:?}");
    }

    #[test]
    fn decoys_look_like_what_they_are_made_after() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let model = Model {
            length: 1023,
            transports: vec!["nfc".to_owned()],
        };
        for decoy in Decoys::new(&key, "alice").after(&[model]) {
            assert_eq!(
                (decoy.id.len(), decoy.transports),
                (1023, vec!["nfc".to_owned()])
            );
        }
    }
}
