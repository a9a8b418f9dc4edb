//! OAuth 1.0a.

mod access_tokens;
mod consumers;
mod flow;
mod proxies;
