//! Authentication methods, and the bits they have in fernet payloads.

use std::sync::Arc;

/// Why a list of methods cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MethodsError {
    /// Each method takes a bit of a 64-bit integer, whose highest one we leave alone.
    #[error("[auth] methods names {0} methods; at most {MAX_METHODS} fit into a token")]
    TooMany(usize),
}

/// The most methods that `[auth] methods` may name.
pub const MAX_METHODS: usize = 63;

/// The methods by which someone authenticated, each once. Read from a fernet token they come in
/// descending order of their bits, as Python Keystone gives them; from a JWS as they stand there.
///
/// No method at all is possible (a token sealed where other methods are configured, or one of
/// OAuth2 mTLS). Keystone treats such a token as a delegated one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Methods(Vec<Arc<str>>);

impl Methods {
    /// Whether `method` is one of them.
    pub fn contains(&self, method: &str) -> bool {
        self.0.iter().any(|m| **m == *method)
    }

    /// Adds `method` unless it is there already.
    pub fn insert(&mut self, method: impl Into<Arc<str>> + AsRef<str>) {
        if !self.contains(method.as_ref()) {
            self.0.push(method.into());
        }
    }

    /// The names, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        self.0.iter().map(|m| &**m)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Into<Arc<str>> + AsRef<str>> FromIterator<S> for Methods {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut methods = Self::default();
        for name in names {
            methods.insert(name);
        }
        methods
    }
}

impl serde::Serialize for Methods {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// `[auth] methods`, in order: the i-th has bit 2^i. All servers that share keys need the same list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodTable {
    /// `None` where a name is repeated: the position keeps its bit, the name has that of its first.
    names: Vec<Option<Arc<str>>>,
}

impl MethodTable {
    /// The table of the configured names. A repeated name moves the bits of those behind it (as it
    /// does in Python Keystone) and is otherwise without effect.
    ///
    /// # Errors
    /// [`MethodsError::TooMany`] for more than [`MAX_METHODS`].
    pub fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Result<Self, MethodsError> {
        let mut table: Vec<Option<Arc<str>>> = Vec::new();
        for name in names {
            let name = name.as_ref();
            let known = table.iter().flatten().any(|n| **n == *name);
            table.push((!known).then(|| name.into()));
        }
        if table.len() > MAX_METHODS {
            return Err(MethodsError::TooMany(table.len()));
        }
        Ok(Self { names: table })
    }

    /// The configured names, without repetitions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flatten().map(|name| &**name)
    }

    /// The bits of `methods`. Methods that are not configured have none and are left out, as in
    /// Python Keystone.
    pub fn bits(&self, methods: &Methods) -> u64 {
        let mut bits = 0;
        for (position, name) in self.names.iter().enumerate() {
            if name.as_deref().is_some_and(|name| methods.contains(name)) {
                bits |= 1 << position; // or, not plus: one method twice must not become another
            }
        }
        bits
    }

    /// The methods of `bits`, highest first. One bit beyond the table, or a negative number, makes
    /// it none at all: so Python Keystone's `convert_integer_to_method_list` has it.
    pub fn methods(&self, bits: i128) -> Methods {
        let Some(bits) = u64::try_from(bits)
            .ok()
            .filter(|bits| bits >> self.names.len() == 0)
        else {
            return Methods::default();
        };
        let mut methods = Vec::with_capacity(bits.count_ones() as usize);
        for (position, name) in self.names.iter().enumerate().rev() {
            if let Some(name) = name
                && bits & (1 << position) != 0
            {
                methods.push(Arc::clone(name));
            }
        }
        Methods(methods)
    }
}
