//! Answers to browsers of other origins: `[cors]`, as oslo.middleware's CORS understands it.

use std::collections::HashSet;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

use crate::config::sections;

/// Headers that a page may send without being named in `allow_headers`.
const SIMPLE_HEADERS: [&str; 8] = [
    "accept",
    "accept-language",
    "content-type",
    "cache-control",
    "content-language",
    "expires",
    "last-modified",
    "pragma",
];

/// Who may call from where.
#[derive(Debug)]
pub struct Cors {
    origins: HashSet<String>,
    credentials: bool,
    exposed: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    methods: HashSet<String>,
    /// In lower case.
    headers: HashSet<String>,
}

/// What a request asked for, decided before it is answered.
#[derive(Debug, Default)]
pub struct Asked {
    options: bool,
    /// `Access-Control-Allow-Origin`, where the origin may.
    origin: Option<HeaderValue>,
    /// The method and headers that a preflight asked for; `None` where they are not allowed.
    preflight: Option<(HeaderValue, Option<HeaderValue>)>,
}

impl Cors {
    /// What this section says.
    pub fn new(section: &sections::Cors) -> Self {
        let exposed = section.expose_headers.join(",");
        let max_age = section.max_age.as_secs();
        let named = section.allow_headers.iter().map(String::as_str);
        Self {
            origins: section.allowed_origin.iter().cloned().collect(),
            credentials: section.allow_credentials,
            exposed: HeaderValue::try_from(exposed)
                .ok()
                .filter(|value| !value.is_empty()),
            max_age: (max_age > 0).then(|| HeaderValue::from(max_age)),
            methods: section.allow_methods.iter().cloned().collect(),
            headers: named
                .chain(SIMPLE_HEADERS)
                .map(str::to_ascii_lowercase)
                .collect(),
        }
    }

    /// Looks at a request.
    pub fn ask(&self, method: &Method, headers: &HeaderMap) -> Asked {
        let options = method == Method::OPTIONS;
        let origin = headers.get(header::ORIGIN).and_then(|o| self.admit(o));
        let preflight = (options && origin.is_some())
            .then(|| self.preflight(headers))
            .flatten();
        Asked {
            options,
            origin,
            preflight,
        }
    }

    fn admit(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.origins.is_empty() {
            return None;
        }
        match origin.to_str() {
            Ok(text) if self.origins.contains(text) => Some(origin.clone()),
            _ if self.origins.contains("*") => Some(HeaderValue::from_static("*")),
            _ => None,
        }
    }

    /// The CORS protocol's preflight: which method and headers the page is about to use.
    fn preflight(&self, headers: &HeaderMap) -> Option<(HeaderValue, Option<HeaderValue>)> {
        let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
        if !self.methods.contains(method.to_str().ok()?) {
            return None;
        }
        let mut wanted = Vec::new();
        for value in headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            for name in value.to_str().ok()?.split(',').map(str::trim) {
                if !name.is_empty() {
                    wanted.push(name);
                }
            }
        }
        if wanted
            .iter()
            .any(|name| !self.headers.contains(&name.to_ascii_lowercase()))
        {
            return None;
        }
        let wanted = match wanted.is_empty() {
            true => None,
            false => Some(HeaderValue::try_from(wanted.join(",")).ok()?),
        };
        Some((method.clone(), wanted))
    }

    /// Adds to the headers of the answer what the browser has to know.
    pub fn answer(&self, asked: &Asked, headers: &mut HeaderMap) {
        let Some(origin) = &asked.origin else { return };
        if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        if asked.options {
            let Some((method, wanted)) = &asked.preflight else {
                return;
            };
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
            if let Some(wanted) = wanted {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
            }
            if let Some(max_age) = &self.max_age {
                headers.insert(header::ACCESS_CONTROL_MAX_AGE, max_age.clone());
            }
        } else {
            headers.insert(header::VARY, vary_by_origin(headers));
            if let Some(exposed) = &self.exposed {
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
            }
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials {
            let name = HeaderName::from_static("access-control-allow-credentials");
            headers.insert(name, HeaderValue::from_static("true"));
        }
    }
}

impl Asked {
    /// Whether an answer of this status is to be replaced by an empty 200: oslo's middleware lets
    /// no OPTIONS fail, whoever asks.
    pub fn overrules(&self, status: StatusCode) -> bool {
        self.options && !status.is_success()
    }
}

fn vary_by_origin(headers: &HeaderMap) -> HeaderValue {
    let before = headers
        .get(header::VARY)
        .and_then(|vary| vary.to_str().ok());
    before
        .and_then(|before| HeaderValue::try_from(format!("{before},Origin")).ok())
        .unwrap_or(HeaderValue::from_static("Origin"))
}
