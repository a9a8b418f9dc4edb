//! MessagePack, read in place: token payloads are small lists, and a tree of values would cost
//! more to build than everything else done to open a token.

use rmp::Marker;

/// How deep a value may nest where it is skipped or shown. Payloads nest three deep.
const MAX_DEPTH: u32 = 16;

/// How many bytes of a value [`python_str`] shows before it stops.
const MAX_SHOWN: usize = 512;

/// Why bytes are not the MessagePack that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadError {
    /// A string is not UTF-8, so this may be a document from before the binary type existed.
    NotUtf8,
    /// Anything else; names the element.
    Malformed(&'static str),
}

/// What a string in the document stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strings {
    /// Text: what msgpack 1.0 and later write, which has a type of its own for bytes.
    Text,
    /// Bytes or text, by position: what msgpack before 1.0 wrote.
    Raw,
}

/// One value; arrays and maps give their length, and their elements follow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// `None`.
    Nil,
    /// `True` or `False`.
    Bool(bool),
    /// Any integer of the format: wide enough for both its signed and unsigned ones.
    Int(i128),
    /// A float of either width.
    Float(f64),
    /// A string.
    Text(&'a str),
    /// Bytes, and strings where the reader takes them as [`Strings::Raw`].
    Bytes(&'a [u8]),
    /// So many elements follow.
    Array(u32),
    /// So many pairs of key and value follow.
    Map(u32),
    /// An extension type, its data passed over.
    Extension,
}

/// A position in a document.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    strings: Strings,
}

const TRUNCATED: ReadError = ReadError::Malformed("the payload is truncated");

impl<'a> Reader<'a> {
    /// Reads `document` from its first byte.
    pub(super) fn new(document: &'a [u8], strings: Strings) -> Self {
        Self {
            rest: document,
            strings,
        }
    }

    /// How many bytes are left: an upper bound for the elements that can follow.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next value, or for an array or map its head.
    pub(super) fn value(&mut self) -> Result<Value<'a>, ReadError> {
        let (first, rest) = self.rest.split_first().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(match Marker::from_u8(*first) {
            Marker::FixPos(n) => Value::Int(n.into()),
            Marker::FixNeg(n) => Value::Int(n.into()),
            Marker::Null => Value::Nil,
            Marker::True => Value::Bool(true),
            Marker::False => Value::Bool(false),
            Marker::U8 => Value::Int(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Value::Int(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Value::Int(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => Value::Int(u64::from_be_bytes(self.array()?).into()),
            Marker::I8 => Value::Int(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Value::Int(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Value::Int(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Value::Int(i64::from_be_bytes(self.array()?).into()),
            Marker::F32 => Value::Float(f32::from_be_bytes(self.array()?).into()),
            Marker::F64 => Value::Float(f64::from_be_bytes(self.array()?)),
            Marker::FixStr(n) => self.string(n.into())?,
            Marker::Str8 => {
                let n = self.length8()?;
                self.string(n)?
            }
            Marker::Str16 => {
                let n = self.length16()?;
                self.string(n)?
            }
            Marker::Str32 => {
                let n = self.length32()?;
                self.string(n)?
            }
            Marker::Bin8 => {
                let n = self.length8()?;
                Value::Bytes(self.take(n)?)
            }
            Marker::Bin16 => {
                let n = self.length16()?;
                Value::Bytes(self.take(n)?)
            }
            Marker::Bin32 => {
                let n = self.length32()?;
                Value::Bytes(self.take(n)?)
            }
            Marker::FixArray(n) => Value::Array(n.into()),
            Marker::Array16 => Value::Array(self.length16()?),
            Marker::Array32 => Value::Array(self.length32()?),
            Marker::FixMap(n) => Value::Map(n.into()),
            Marker::Map16 => Value::Map(self.length16()?),
            Marker::Map32 => Value::Map(self.length32()?),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => {
                let n = self.length8()?;
                self.extension(n)?
            }
            Marker::Ext16 => {
                let n = self.length16()?;
                self.extension(n)?
            }
            Marker::Ext32 => {
                let n = self.length32()?;
                self.extension(n)?
            }
            Marker::Reserved => return Err(ReadError::Malformed("the payload is no msgpack")),
        })
    }

    /// Passes over one value with all that is in it.
    pub(super) fn skip(&mut self) -> Result<(), ReadError> {
        self.skip_nested(MAX_DEPTH)
    }

    fn skip_nested(&mut self, depth: u32) -> Result<(), ReadError> {
        let inner = match self.value()? {
            Value::Array(n) => u64::from(n),
            Value::Map(n) => u64::from(n) * 2,
            _ => return Ok(()),
        };
        let depth = depth
            .checked_sub(1)
            .ok_or(ReadError::Malformed("the payload nests too deep"))?;
        // Ends with the document at the latest: each element takes a byte or fails.
        for _ in 0..inner {
            self.skip_nested(depth)?;
        }
        Ok(())
    }

    /// Fails if anything is left, as Python's `unpackb` does.
    pub(super) fn end(&self) -> Result<(), ReadError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(ReadError::Malformed("bytes follow the payload"))
        }
    }

    fn string(&mut self, n: u32) -> Result<Value<'a>, ReadError> {
        let bytes = self.take(n)?;
        match self.strings {
            Strings::Raw => Ok(Value::Bytes(bytes)),
            Strings::Text => std::str::from_utf8(bytes)
                .map(Value::Text)
                .map_err(|_| ReadError::NotUtf8),
        }
    }

    fn extension(&mut self, n: u32) -> Result<Value<'a>, ReadError> {
        self.take(1)?; // its type
        self.take(n)?;
        Ok(Value::Extension)
    }

    fn length8(&mut self) -> Result<u32, ReadError> {
        Ok(u8::from_be_bytes(self.array()?).into())
    }

    fn length16(&mut self) -> Result<u32, ReadError> {
        Ok(u16::from_be_bytes(self.array()?).into())
    }

    fn length32(&mut self) -> Result<u32, ReadError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(*head)
    }

    fn take(&mut self, n: u32) -> Result<&'a [u8], ReadError> {
        let n = usize::try_from(n).map_err(|_| TRUNCATED)?;
        let (head, rest) = self.rest.split_at_checked(n).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(head)
    }
}

/// The next value as Python's `str()` shows it, which is what Keystone puts into its message about
/// an unknown payload version. Cut after some 500 bytes.
pub(super) fn python_str(mut reader: Reader<'_>) -> String {
    let mut shown = String::new();
    let mut ahead = reader;
    match ahead.value() {
        // Without quotes, unlike `repr()`.
        Ok(Value::Text(text)) => shown.extend(text.chars().take(MAX_SHOWN)),
        _ => repr(&mut reader, MAX_DEPTH, &mut shown),
    }
    shown
}

fn repr(reader: &mut Reader<'_>, depth: u32, out: &mut String) {
    let Some(depth) = depth.checked_sub(1).filter(|_| out.len() < MAX_SHOWN) else {
        out.push_str("...");
        return;
    };
    match reader.value() {
        Ok(Value::Nil) => out.push_str("None"),
        Ok(Value::Bool(true)) => out.push_str("True"),
        Ok(Value::Bool(false)) => out.push_str("False"),
        Ok(Value::Int(n)) => out.push_str(&n.to_string()),
        Ok(Value::Float(x)) => out.push_str(&format!("{x:?}")),
        Ok(Value::Text(text)) => quoted(text.chars(), out),
        Ok(Value::Bytes(bytes)) => {
            out.push('b');
            quoted(bytes.iter().map(|b| char::from(*b)), out);
        }
        Ok(Value::Array(n)) => {
            out.push('[');
            for i in 0..n {
                if i > 0 {
                    out.push_str(", ");
                }
                if out.len() >= MAX_SHOWN || reader.left() == 0 {
                    out.push_str("...");
                    break;
                }
                repr(reader, depth, out);
            }
            out.push(']');
        }
        // No version of any Keystone writes these; their inside is of no interest to anybody.
        Ok(Value::Map(_)) => out.push_str("{...}"),
        Ok(Value::Extension) => out.push_str("ExtType(...)"),
        Err(_) => out.push_str("..."),
    }
}

/// Python's quoting for `str` and `bytes`: double quotes only where that spares escapes, and
/// what is not printable ASCII as `\xNN`. (Text beyond ASCII is printable more often than not.)
fn quoted(chars: impl Iterator<Item = char> + Clone, out: &mut String) {
    let mut all = chars.clone();
    let quote = if all.clone().any(|c| c == '\'') && !all.any(|c| c == '"') {
        '"'
    } else {
        '\''
    };
    let bytes = out.ends_with('b');
    out.push(quote);
    for c in chars {
        if out.len() >= MAX_SHOWN {
            out.push_str("...");
            break;
        }
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if bytes || c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
}
