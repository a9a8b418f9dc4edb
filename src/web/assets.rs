//! The pages' own files. A hash of the content is in each name, so that browsers keep one for as
//! long as it is the right one.

use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, web};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::answer;
use crate::api::context;

/// A file.
pub struct Asset {
    /// Where it is, below the URL of this server.
    pub path: String,
    kind: &'static str,
    content: &'static str,
}

/// How they look.
pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page", "css", "text/css", include_str!("assets/page.css")));
/// What they do.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "passkeys",
        "js",
        "text/javascript",
        include_str!("assets/passkeys.js"),
    )
});
/// Their sign.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "icon",
        "svg",
        "image/svg+xml",
        include_str!("assets/icon.svg"),
    )
});

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, content: &'static str) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, content.as_bytes()));
        let short = hash.get(..16).unwrap_or_default();
        Self {
            path: format!("/passkeys/assets/{name}-{short}.{ending}"),
            kind,
            content,
        }
    }
}

/// `GET /passkeys/assets/{name}`.
pub async fn show(name: web::Path<String>) -> HttpResponse {
    let path = format!("/passkeys/assets/{name}");
    let all: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];
    let Some(asset) = all.into_iter().find(|asset| asset.path == path) else {
        return answer::guarded(context::not_found_page());
    };
    let mut response = HttpResponse::Ok()
        .content_type(format!("{}; charset=utf-8", asset.kind))
        .body(asset.content);
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    answer::guarded(response)
}
