//! `/passkeys`: which ones there are, and what can be done with them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use keystone_actors::webauthn::{Passkey, State};
use secrecy::ExposeSecret;

use super::answer::{Page, Tone, base_path, lead, or_page};
use super::html::{Html, Slot};
use super::session::{Fields, Visitor};
use super::sign_in::{leave, safe_next, way_to};
use crate::api::error::ApiError;
use crate::node::Node;
use crate::passkeys::{self, Change};

/// Who is signed in, or the way to it and back.
pub async fn visitor_or_way(
    node: &Node,
    request: &HttpRequest,
) -> Result<Result<Visitor, HttpResponse>, ApiError> {
    let visitor = Visitor::of(node, request, Utc::now().timestamp()).await?;
    Ok(visitor.ok_or_else(|| {
        let wanted = request
            .uri()
            .path_and_query()
            .map_or("", |path| path.as_str());
        lead(request, &way_to(&safe_next(Some(wanted))))
    }))
}

/// `GET /passkeys`.
pub async fn show(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    let shown = async {
        let visitor = match visitor_or_way(&node, &request).await? {
            Ok(visitor) => visitor,
            Err(way) => return Ok(way),
        };
        let user = visitor.user();
        let passkeys = passkeys::list(&node, &visitor.caller, user).await?;
        let left = passkeys::recovery_codes_left(&node, &visitor.caller, user).await?;
        Ok(list(&node, &request, &visitor, &passkeys, left))
    };
    or_page(&node, &request, shown.await)
}

fn list(
    node: &Node,
    request: &HttpRequest,
    visitor: &Visitor,
    passkeys: &[std::sync::Arc<Passkey>],
    left: usize,
) -> HttpResponse {
    let (base, csrf) = (base_path(request), visitor.csrf());
    let shared = [("base", (&base).into()), ("csrf", (&csrf).into())];
    let (none, keys) = match passkeys {
        [] => (Html::of(include_str!("assets/empty.html")), Html::default()),
        passkeys => {
            let keys = Html::join(passkeys.iter().map(|passkey| one(passkey, &shared)));
            let keys = [("keys", (&keys).into())];
            let keys = Html::fill(include_str!("assets/keys.html"), &keys);
            (Html::default(), keys)
        }
    };
    let token = visitor.token();
    let [base, csrf] = shared;
    let content = Html::fill(
        include_str!("assets/manage.html"),
        &[
            base,
            ("user", (&*token.user.name).into()),
            ("domain", (&*token.user_domain.name).into()),
            ("none", (&none).into()),
            ("keys", (&keys).into()),
        ],
    );
    let left = match left {
        0 => "You have none.".to_owned(),
        1 => "You have one left. New codes replace it.".to_owned(),
        left => format!("You have {left} left. New codes replace them."),
    };
    let below = Html::fill(
        include_str!("assets/recovery.html"),
        &[base, csrf, ("left", (&left).into())],
    );
    let done = Fields::of_query(request);
    let message = done.get("done").and_then(done_text);
    let page = Page {
        title: "Your passkeys",
        content,
        message: message.map(|text| (Tone::Good, text)),
        below,
        is_wide: true,
        visitor: Some(visitor),
        ..Page::default()
    };
    page.answer(node, request, StatusCode::OK)
}

/// What is told of what was just done.
fn done_text(done: &str) -> Option<&'static str> {
    Some(match done {
        "added" => "The passkey was added. From now on you can sign in with it.",
        "rename" => "The passkey has a new name.",
        "disable" => "The passkey is turned off: nobody signs in with it.",
        "enable" => "The passkey is turned on again.",
        "remove" => "The passkey was removed, and what was signed in with it is signed out.",
        _ => return None,
    })
}

/// What a passkey is called.
fn name(passkey: &Passkey) -> &str {
    let named = passkey
        .description
        .as_deref()
        .filter(|name| !name.is_empty());
    named.unwrap_or(match passkey.backup_eligible {
        true => "Passkey",
        false => "Security key",
    })
}

fn used(passkey: &Passkey) -> Html {
    match passkey.last_used_at {
        Some(at) => Html::time(at),
        None => Html::of("never"),
    }
}

fn one(passkey: &Passkey, shared: &[(&str, Slot<'_>); 2]) -> Html {
    let kind = Html::of(match (passkey.backup_eligible, passkey.backup_state) {
        (true, true) => r#"<span class="tag">Synced</span>"#,
        (true, false) => r#"<span class="tag">Can be synced</span>"#,
        (false, _) => r#"<span class="tag">This device only</span>"#,
    });
    let state = Html::of(match passkey.state {
        State::Active => "",
        State::Suspect => r#"<span class="tag bad">Suspect</span>"#,
        State::Disabled => r#"<span class="tag off">Turned off</span>"#,
    });
    let warning = Html::of(match passkey.state {
        State::Suspect => {
            r#"<p class="message warn">It once answered with an older counter than before, or was copied to other devices, or is on one alone again: somebody may have a copy of it. Remove it, unless you know why.</p>"#
        }
        _ => "",
    });
    let (change, words, class) = match passkey.state {
        State::Active | State::Suspect => ("disable", "Turn off", ""),
        State::Disabled => ("enable", "Turn on", "off"),
    };
    let [base, csrf] = *shared;
    let tags = Html::join([kind, state]);
    let (added, used) = (Html::time(passkey.created_at), used(passkey));
    Html::fill(
        include_str!("assets/key.html"),
        &[
            base,
            csrf,
            ("id", (&passkey.id).into()),
            ("name", name(passkey).into()),
            ("class", class.into()),
            ("tags", (&tags).into()),
            ("added", (&added).into()),
            ("used", (&used).into()),
            ("warning", (&warning).into()),
            ("switch", change.into()),
            ("switch-words", words.into()),
        ],
    )
}

/// `GET /passkeys/remove?id=…`: asks once more.
pub async fn confirm(node: web::Data<Node>, request: HttpRequest) -> HttpResponse {
    let asked = async {
        let visitor = match visitor_or_way(&node, &request).await? {
            Ok(visitor) => visitor,
            Err(way) => return Ok(way),
        };
        let query = Fields::of_query(&request);
        let id = query.get("id").unwrap_or_default();
        let passkeys = passkeys::list(&node, &visitor.caller, visitor.user()).await?;
        let Some(passkey) = passkeys.iter().find(|passkey| passkey.id == id) else {
            return Ok(lead(&request, "/passkeys"));
        };
        let (base, csrf) = (base_path(&request), visitor.csrf());
        let (added, used) = (Html::time(passkey.created_at), used(passkey));
        let last = Html::of(match passkeys.len() {
            1 => {
                r#"<p class="message warn">It is the only one that you have. Without it you need your password.</p>"#
            }
            _ => "",
        });
        let content = Html::fill(
            include_str!("assets/remove.html"),
            &[
                ("base", (&base).into()),
                ("csrf", (&csrf).into()),
                ("id", (&passkey.id).into()),
                ("name", name(passkey).into()),
                ("added", (&added).into()),
                ("used", (&used).into()),
                ("last", (&last).into()),
            ],
        );
        let page = Page {
            title: "Remove this passkey?",
            content,
            visitor: Some(&visitor),
            ..Page::default()
        };
        Ok(page.answer(&node, &request, StatusCode::OK))
    };
    or_page(&node, &request, asked.await)
}

/// `POST /passkeys/change`: the forms of the list, and the one of [`confirm`].
pub async fn change(node: web::Data<Node>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let fields = Fields::read(&body);
    let now = Utc::now().timestamp();
    let changed = async {
        let visitor = Visitor::who_may_act(&node, &request, fields.get("csrf"), now).await?;
        let id = fields.get("id").unwrap_or_default();
        let what = fields.get("do").unwrap_or_default();
        let (caller, user) = (&visitor.caller, visitor.user());
        let change = match what {
            "rename" => Change {
                description: Some(fields.get("description").map(short)),
                state: None,
            },
            "enable" | "disable" => Change {
                description: None,
                state: Some(match what {
                    "enable" => State::Active,
                    _ => State::Disabled,
                }),
            },
            "remove" => {
                passkeys::remove(&node, caller, &request, user, id, true, now).await?;
                // With it went what was signed in with it: this session, too?
                return Ok(match Visitor::of(&node, &request, now).await? {
                    Some(_) => lead(&request, "/passkeys?done=remove"),
                    None => leave(&request, "/passkeys/sign-in?done=remove"),
                });
            }
            _ => return Err(ApiError::bad_request("This form is not known here.")),
        };
        passkeys::update(&node, caller, &request, user, id, change, now).await?;
        Ok(lead(&request, &format!("/passkeys?done={what}")))
    };
    or_page(&node, &request, changed.await)
}

/// A name that fits.
pub fn short(name: &str) -> String {
    name.chars().take(passkeys::MAX_DESCRIPTION).collect()
}

/// `POST /passkeys/recovery-codes`: new ones, shown once.
pub async fn recovery_codes(
    node: web::Data<Node>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let fields = Fields::read(&body);
    let now = Utc::now().timestamp();
    let made = async {
        let visitor = Visitor::who_may_act(&node, &request, fields.get("csrf"), now).await?;
        let user = visitor.user();
        let codes =
            passkeys::new_recovery_codes(&node, &visitor.caller, &request, user, now).await?;
        let codes = codes.iter().map(|code| {
            let code = code.expose_secret();
            Html::fill("<li>{{code}}</li>", &[("code", code.into())])
        });
        let (base, codes) = (base_path(&request), Html::join(codes));
        let content = Html::fill(
            include_str!("assets/codes.html"),
            &[("base", (&base).into()), ("codes", (&codes).into())],
        );
        let page = Page {
            title: "Your recovery codes",
            content,
            visitor: Some(&visitor),
            ..Page::default()
        };
        Ok(page.answer(&node, &request, StatusCode::OK))
    };
    or_page(&node, &request, made.await)
}
