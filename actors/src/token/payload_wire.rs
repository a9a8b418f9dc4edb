//! The bytes of fernet payloads: versions 0 to 10 of Python Keystone, byte for byte.
//!
//! A payload is a MessagePack list: its version, then elements by position. Ids that are UUIDs
//! travel as 16 bytes, all others as text.

use rmp::encode::{ByteBuf, write_array_len, write_bin, write_bool, write_f64, write_nil};
use rmp::encode::{write_str, write_uint};
use uuid::Uuid;

use super::audit::{AuditId, AuditIds};
use super::methods::{MethodTable, Methods};
use super::msgpack::{ReadError, Reader, Strings, Value, python_str};
use super::payload::{FederationRef, Payload, PayloadError, PayloadScope, UnsealablePayload};

/// The first and last second that Python's `datetime` knows: years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

impl Payload {
    /// The payload's bytes, the same as Python Keystone 30 writes for the same token, but for ids:
    /// one that would not come back as it is (capitals, dashes) is written as text, where Python
    /// alters it. A domain or trust id that is no UUID is written as text into payloads 1 and 3;
    /// Python can neither write nor read that, `[identity] default_domain_id` excepted.
    ///
    /// # Errors
    /// [`UnsealablePayload`].
    pub fn to_bytes(&self, table: &MethodTable) -> Result<Vec<u8>, UnsealablePayload> {
        let version = self.version()?;
        if !SECONDS.contains(&self.expires_at) {
            return Err(UnsealablePayload::ExpiryOutOfRange);
        }
        let (project, domain) = match &self.scope {
            PayloadScope::Project(id) => (Some(id.as_str()), self.oauth2_domain_id.as_deref()),
            PayloadScope::Domain(id) => (None, Some(id.as_str())),
            PayloadScope::Unscoped | PayloadScope::System => (None, None),
        };

        let mut out = ByteBuf::with_capacity(160);
        let Ok(_) = write_array_len(&mut out, elements(version));
        let Ok(_) = write_uint(&mut out, version.into());
        write_id(&mut out, Some(&self.user_id));
        let Ok(_) = write_uint(&mut out, table.bits(&self.methods));
        match version {
            1 => write_bare_id(&mut out, domain.unwrap_or_default()),
            2 | 3 | 5 | 7 | 9 => write_id(&mut out, project),
            6 => write_id(&mut out, domain),
            8 => {
                let Ok(()) = write_str(&mut out, "all");
            }
            10 => {
                write_id(&mut out, project);
                write_id(&mut out, domain);
            }
            _ => {}
        }
        if let (4..=6, Some(federation)) = (version, &self.federation) {
            let Ok(_) = write_array_len(&mut out, length(federation.group_ids.len()));
            for group in &federation.group_ids {
                write_id(&mut out, Some(group));
            }
            write_id(&mut out, Some(&federation.idp_id));
            let Ok(()) = write_str(&mut out, &federation.protocol_id);
        }
        if let (7, Some(id)) = (version, &self.access_token_id) {
            write_id(&mut out, Some(id));
        }
        write_seconds(&mut out, self.expires_at);
        let Ok(_) = write_array_len(&mut out, length(self.audit_ids.iter().count()));
        for id in self.audit_ids.iter() {
            let Ok(()) = write_bin(&mut out, id.as_bytes());
        }
        match (version, &self.trust_id, &self.app_cred_id, &self.thumbprint) {
            (3, Some(trust), _, _) => write_bare_id(&mut out, trust),
            (9, _, Some(credential), _) => write_id(&mut out, Some(credential)),
            (10, _, _, Some(thumbprint)) => write_text_pair(&mut out, thumbprint),
            _ => {}
        }
        Ok(out.into_vec())
    }

    /// Reads a payload. Strings that are not UTF-8 mean that msgpack before 1.0 wrote it, without
    /// a type for bytes; then it is read again, as Python does it. More elements than due are
    /// passed over.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn from_bytes(bytes: &[u8], table: &MethodTable) -> Result<Self, PayloadError> {
        either_form(bytes, |reader| Self::read(reader, table))
    }

    fn read(mut r: Reader<'_>, table: &MethodTable) -> Result<Self, Failure> {
        let present = r.list("payload")?;
        let version = match r.version()? {
            Ok(version) => version,
            Err(shown) => return Err(Failure::UnknownVersion(shown)),
        };
        let surplus = present
            .checked_sub(elements(version))
            .ok_or(ReadError::Malformed("too few elements"))?;

        let user_id = r.id("user")?;
        let methods = r.methods(table)?;
        let mut oauth2_domain_id = None;
        let scope = match version {
            1 => PayloadScope::Domain(r.bare_id("domain")?),
            2 | 5 => PayloadScope::Project(r.id("project")?),
            6 => PayloadScope::Domain(r.id("domain")?),
            3 | 7 | 9 => match r.optional_id("project")? {
                Some(project) => PayloadScope::Project(project),
                None => PayloadScope::Unscoped,
            },
            8 if r.text("system")? == "all" => PayloadScope::System,
            8 => return Err(ReadError::Malformed("system").into()),
            10 => match (r.optional_id("project")?, r.optional_id("domain")?) {
                (Some(project), domain) => {
                    oauth2_domain_id = domain;
                    PayloadScope::Project(project)
                }
                (None, Some(domain)) => PayloadScope::Domain(domain),
                (None, None) => PayloadScope::Unscoped,
            },
            _ => PayloadScope::Unscoped,
        };
        let federation = match version {
            4..=6 => Some(r.federation()?),
            _ => None,
        };
        let access_token_id = match version {
            7 => Some(r.id("access token")?),
            _ => None,
        };
        let expires_at = r.seconds("expiry")?;
        let audit_ids = r.audit_ids()?;
        let mut payload = Self {
            scope,
            federation,
            access_token_id,
            oauth2_domain_id,
            ..Self::new(user_id, methods, expires_at, audit_ids)
        };
        match version {
            3 => payload.trust_id = Some(r.bare_id("trust")?),
            9 => payload.app_cred_id = Some(r.id("application credential")?),
            10 => payload.thumbprint = Some(r.id("thumbprint")?),
            _ => {}
        }
        for _ in 0..surplus {
            r.skip()?;
        }
        r.end()?;
        Ok(payload)
    }
}

/// How many elements a version has, itself included.
const fn elements(version: u8) -> u32 {
    match version {
        0 => 5,
        1 | 2 | 8 => 6,
        3 | 7 | 9 => 7,
        4 | 10 => 8,
        _ => 9, // 5 and 6
    }
}

/// Why reading failed, before it is known whether another form will do.
pub(super) enum Failure {
    Read(ReadError),
    UnknownVersion(String),
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Reads `bytes` as new MessagePack writes it, and if any string in them is not text, as old did.
pub(super) fn either_form<T>(
    bytes: &[u8],
    read: impl Fn(Reader<'_>) -> Result<T, Failure>,
) -> Result<T, PayloadError> {
    let mut result = read(Reader::new(bytes, Strings::Text));
    // The first thing found amiss may be a consequence: 16 bytes that happen to be text.
    if result.is_err() && Reader::new(bytes, Strings::Text).skip() == Err(ReadError::NotUtf8) {
        result = read(Reader::new(bytes, Strings::Raw));
    }
    result.map_err(|failure| match failure {
        Failure::UnknownVersion(shown) => PayloadError::UnknownVersion(shown),
        Failure::Read(ReadError::NotUtf8) => PayloadError::Malformed("text"),
        Failure::Read(ReadError::Malformed(what)) => PayloadError::Malformed(what),
    })
}

/// The elements that payloads and receipts are made of. `what` names the element in errors.
impl<'a> Reader<'a> {
    /// The head of a list; gives its length.
    pub(super) fn list(&mut self, what: &'static str) -> Result<u32, ReadError> {
        match self.value()? {
            Value::Array(n) => Ok(n),
            _ => Err(ReadError::Malformed(what)),
        }
    }

    fn version(&mut self) -> Result<Result<u8, String>, ReadError> {
        let start = *self;
        match self.value()? {
            Value::Int(version @ 0..=10) => u8::try_from(version)
                .map(Ok)
                .map_err(|_| ReadError::Malformed("version")),
            _ => Ok(Err(python_str(start))),
        }
    }

    /// Text: strings, and bytes that are UTF-8.
    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, ReadError> {
        match self.value()? {
            Value::Text(text) => Ok(text),
            Value::Bytes(bytes) => {
                std::str::from_utf8(bytes).map_err(|_| ReadError::Malformed(what))
            }
            _ => Err(ReadError::Malformed(what)),
        }
    }

    /// A pair of "is a UUID" and its value; `None` for the pair of false and nil.
    fn optional_id(&mut self, what: &'static str) -> Result<Option<String>, ReadError> {
        if self.list(what)? != 2 {
            return Err(ReadError::Malformed(what));
        }
        match self.value()? {
            Value::Bool(true) => match self.value()? {
                Value::Bytes(bytes) => hex(bytes).map(Some).ok_or(ReadError::Malformed(what)),
                _ => Err(ReadError::Malformed(what)),
            },
            Value::Bool(false) => {
                let mut ahead = *self;
                if ahead.value()? == Value::Nil {
                    *self = ahead;
                    return Ok(None);
                }
                Ok(Some(self.text(what)?.to_owned()))
            }
            _ => Err(ReadError::Malformed(what)),
        }
    }

    /// A pair of "is a UUID" and its value.
    pub(super) fn id(&mut self, what: &'static str) -> Result<String, ReadError> {
        self.optional_id(what)?.ok_or(ReadError::Malformed(what))
    }

    /// 16 bytes, a UUID; or text.
    fn bare_id(&mut self, what: &'static str) -> Result<String, ReadError> {
        let mut ahead = *self;
        if let Value::Bytes(bytes) = ahead.value()?
            && let Some(id) = hex(bytes)
        {
            *self = ahead;
            return Ok(id);
        }
        Ok(self.text(what)?.to_owned())
    }

    /// The methods; like Python this takes a whole float or a boolean for an integer.
    pub(super) fn methods(&mut self, table: &MethodTable) -> Result<Methods, ReadError> {
        let bits = match self.value()? {
            Value::Int(bits) => bits,
            Value::Bool(bit) => bit.into(),
            // `as` saturates, and a number that large has no methods anyway.
            Value::Float(bits) if bits.trunc() == bits => bits as i128,
            _ => return Err(ReadError::Malformed("methods")),
        };
        Ok(table.methods(bits))
    }

    /// A time, in whole seconds since 1970.
    pub(super) fn seconds(&mut self, what: &'static str) -> Result<i64, ReadError> {
        match self.value()? {
            Value::Int(seconds) => i64::try_from(seconds)
                .ok()
                .filter(|seconds| SECONDS.contains(seconds)),
            Value::Float(seconds) => whole_seconds(seconds),
            _ => None,
        }
        .ok_or(ReadError::Malformed(what))
    }

    fn audit_ids(&mut self) -> Result<AuditIds, ReadError> {
        const WHAT: ReadError = ReadError::Malformed("audit ids");
        // Without one a token could not be revoked; with three it would be unclear which counts.
        let n = self.list("audit ids")?;
        if n != 1 && n != 2 {
            return Err(WHAT);
        }
        let mut next = || match self.value()? {
            Value::Bytes(bytes) => bytes.try_into().map(AuditId::from_bytes).map_err(|_| WHAT),
            _ => Err(WHAT),
        };
        Ok(AuditIds {
            own: next()?,
            root: if n == 2 { Some(next()?) } else { None },
        })
    }

    fn federation(&mut self) -> Result<FederationRef, ReadError> {
        let n = self.list("groups")? as usize;
        if n > self.left() {
            return Err(ReadError::Malformed("groups"));
        }
        let mut group_ids = Vec::with_capacity(n);
        for _ in 0..n {
            group_ids.push(self.id("groups")?);
        }
        Ok(FederationRef {
            group_ids,
            idp_id: self.id("identity provider")?,
            protocol_id: self.text("protocol")?.to_owned(),
        })
    }
}

/// Seconds of a float, as Python's `datetime.fromtimestamp` has them once the fraction is cut off:
/// first rounded to microseconds, then down. `None` if they are outside of the years 1 to 9999.
pub(super) fn whole_seconds(time: f64) -> Option<i64> {
    let whole = time.trunc();
    let micros = ((time - whole) * 1e6).round_ties_even();
    let carry = if micros >= 1e6 {
        1.0
    } else if micros < 0.0 {
        -1.0
    } else {
        0.0
    };
    let seconds = whole + carry;
    // NaN fails the comparison, and what passes it is exact as an integer.
    (*SECONDS.start() as f64 <= seconds && seconds <= *SECONDS.end() as f64)
        .then_some(seconds as i64)
}

/// 16 bytes as 32 digits.
fn hex(bytes: &[u8]) -> Option<String> {
    let mut text = [0; 32];
    let uuid = Uuid::from_slice(bytes).ok()?;
    Some(uuid.simple().encode_lower(&mut text).to_owned())
}

/// The 16 bytes of an id that [`hex`] gives back as it is.
fn uuid(id: &str) -> Option<[u8; 16]> {
    let exact = id.len() == 32 && id.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    exact
        .then(|| Uuid::try_parse_ascii(id.as_bytes()).ok())
        .flatten()
        .map(Uuid::into_bytes)
}

pub(super) fn write_id(out: &mut ByteBuf, id: Option<&str>) {
    match (id, id.and_then(uuid)) {
        (_, Some(bytes)) => {
            let Ok(_) = write_array_len(out, 2);
            let Ok(()) = write_bool(out, true);
            let Ok(()) = write_bin(out, &bytes);
        }
        (Some(text), None) => write_text_pair(out, text),
        (None, None) => {
            let Ok(_) = write_array_len(out, 2);
            let Ok(()) = write_bool(out, false);
            let Ok(()) = write_nil(out);
        }
    }
}

fn write_text_pair(out: &mut ByteBuf, text: &str) {
    let Ok(_) = write_array_len(out, 2);
    let Ok(()) = write_bool(out, false);
    let Ok(()) = write_str(out, text);
}

fn write_bare_id(out: &mut ByteBuf, id: &str) {
    match uuid(id) {
        Some(bytes) => {
            let Ok(()) = write_bin(out, &bytes);
        }
        None => {
            let Ok(()) = write_str(out, id);
        }
    }
}

/// Python writes times as floats, whole as they are.
pub(super) fn write_seconds(out: &mut ByteBuf, seconds: i64) {
    let Ok(()) = write_f64(out, seconds as f64);
}

/// A length as MessagePack counts. Beyond 32 bits no token is sealed anyway.
fn length(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
