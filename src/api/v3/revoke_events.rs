//! `/v3/OS-REVOKE/events`: what has been revoked, for services that validate tokens themselves.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use keystone_actors::db::DbTime;
use keystone_actors::revocation::{Event, ListEvents};
use serde_json::{Map, Value, json};

use super::shapes;
use crate::api::call::{Call, answer};
use crate::api::error::ApiError;
use crate::api::openapi::answers;
use crate::api::router::Router;
use crate::api::routes::Routes;
use crate::policy::{Rule, Target};

/// Routes it.
pub fn routes(api: &mut Router) {
    Routes::at("/v3/OS-REVOKE/events")
        .get(events)
        .heeds("since", "Only what was revoked after this time.")
        .answers(answers::json(shapes::revocations))
        .register(api);
}

/// Lists revocation events: `GET /v3/OS-REVOKE/events`.
async fn events(call: Call) -> Result<HttpResponse, ApiError> {
    call.enforce(Rule::ListRevokeEvents, Target::new())?;
    let since = call.query.first("since").filter(|text| !text.is_empty());
    let since = match since {
        Some(text) => Some(seconds(text).ok_or_else(|| {
            ApiError::bad_request(format!("invalidate date format {}", shortened(text)))
        })?),
        None => None,
    };
    let events = call
        .providers()
        .revocation
        .read(ListEvents { since })
        .await?;
    let shown: Vec<Value> = events.iter().map(show).collect();
    let url = format!("{}/v3/OS-REVOKE/events", call.base());
    let links = json!({"next": null, "self": url, "previous": null});
    answer(StatusCode::OK, &json!({"events": shown, "links": links}))
}

/// An event, with the attributes that are set.
fn show(event: &Event) -> Value {
    let attributes = [
        ("user_id", &event.user_id),
        ("project_id", &event.project_id),
        ("domain_id", &event.domain_id),
        ("role_id", &event.role_id),
        ("audit_id", &event.audit_id),
        ("audit_chain_id", &event.audit_chain_id),
        ("OS-TRUST:trust_id", &event.trust_id),
        ("OS-OAUTH1:consumer_id", &event.consumer_id),
        ("OS-OAUTH1:access_token_id", &event.access_token_id),
    ];
    let set = attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)));
    let mut shown: Map<String, Value> = set
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let times = [
        ("expires_at", event.expires_at),
        ("issued_before", Some(event.issued_before)),
        ("revoked_at", Some(event.revoked_at)),
    ];
    for (name, time) in times {
        if let Some(time) = time {
            let text = DbTime::from_seconds(time).iso();
            shown.insert(name.to_owned(), text.into());
        }
    }
    shown.into()
}

/// How times may be written, without their `Z`.
const TIMES: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y%m%dT%H%M%S%.f",
    "%Y-%m-%dT%H:%M",
];

/// Seconds since 1970 of an ISO 8601 time, with or without zone, or of a day, month or year.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp());
    }
    let bare = text.strip_suffix('Z').unwrap_or(text);
    let time = TIMES
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(bare, form).ok());
    let day = || {
        let whole = match text.len() {
            4 => format!("{text}-01-01"),
            7 => format!("{text}-01"),
            _ => text.to_owned(),
        };
        NaiveDate::parse_from_str(&whole, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    };
    Some(time.or_else(day)?.and_utc().timestamp())
}

/// As much of a client's text as an error repeats.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
