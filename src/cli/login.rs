//! `login`: a token for this shell, by a passkey that is used in a browser, here or on another
//! device (RFC 8628). So it works over SSH as well, where there is neither browser nor key.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum, ValueHint};
use rustix::system::uname;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::sleep;
use url::Url;

use super::{Failure, block_on, out, say};
use client::{Answer, Client};
use project::Project;

mod client;
mod project;

pub(super) const HELP: &str = "Examples:\n  \
eval \"$(keystone-ng login --auth-url https://identity.example.com/v3)\"\n  \
keystone-ng login --os-project-name demo --os-project-domain-name Default\n  \
TOKEN=$(keystone-ng login --format token)\n\n\
It says on standard error which page to open, on any device, and waits until a passkey\n\
has let it in there. What it then prints on standard output is for the shell.\n\n\
Exit codes: 0 signed in, 1 the server did not answer or refused, 2 wrong command line,\n\
3 the user said no, or nothing for too long.";

/// What RFC 8628 (section 3.5) adds to the interval when a server asks for it.
const SLOWER: Duration = Duration::from_secs(5);
/// Between two questions, where the server says nothing of it (section 3.2).
const USUAL: u64 = 5;
/// The longest that a server may have us wait, whatever it says.
const MOST: u64 = 3600;

/// Where to sign in, and what to print.
#[derive(Args, Debug)]
pub struct LoginArgs {
    /// By a passkey; so it is in any case.
    #[arg(long)]
    passkey: bool,
    /// The URL of the Identity service; `/v3` at its end is no matter.
    #[arg(
        long,
        visible_alias = "os-auth-url",
        value_name = "URL",
        env = "OS_AUTH_URL"
    )]
    auth_url: Url,
    /// What to print: lines for a shell, the token alone, or a JSON object.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Export)]
    format: Format,
    #[command(flatten)]
    project: Project,
    /// Certificates of the authorities to believe (PEM); without it, the system's.
    #[arg(
        long,
        visible_alias = "os-cacert",
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        env = "OS_CACERT"
    )]
    cacert: Option<OsString>,
    /// Believe any certificate. Whoever is in between gets the token, too.
    #[arg(long)]
    insecure: bool,
    /// Open the page in this machine's browser.
    #[arg(long)]
    open: bool,
}

/// What is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// `export OS_TOKEN=…` and what belongs to it.
    Export,
    /// The token.
    Token,
    /// A JSON object with token, expires_at, user and project.
    Json,
}

/// Runs the command.
pub(super) fn run(args: &LoginArgs) -> Result<(), Failure> {
    let authorities = authorities(args.cacert.as_ref());
    let client = Client::new(base(&args.auth_url)?, authorities, args.insecure)?;
    let signed_in = block_on(sign_in(&client, args))?;
    out(&signed_in.printed(args.format, &client.base))
}

/// The file of authorities, if one is named: an empty `OS_CACERT` names none.
pub(super) fn authorities(file: Option<&OsString>) -> Option<&Path> {
    file.filter(|file| !file.is_empty()).map(Path::new)
}

/// The URL without a version at its end.
fn base(url: &Url) -> Result<Url, Failure> {
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(Failure::Usage(format!(
            "--auth-url: {url} is no URL of a server"
        )));
    }
    let mut base = url.clone();
    let path = url.path().trim_end_matches('/');
    let path = ["/v3", "/v2.0", "/v4"]
        .iter()
        .find_map(|version| path.strip_suffix(version))
        .unwrap_or(path)
        .trim_end_matches('/')
        .to_owned();
    base.set_path(&path);
    base.set_query(None);
    base.set_fragment(None);
    Ok(base)
}

/// What was got.
struct SignedIn {
    token: SecretString,
    body: Value,
}

async fn sign_in(client: &Client, args: &LoginArgs) -> Result<SignedIn, Failure> {
    let body = json!({ "client": own_name() });
    let begun = client.post("/v4/auth/passkey/device", &body).await?;
    if begun.status == 404 {
        return Err(Failure::Failed(format!(
            "{} serves no passkeys ([webauthn] enabled, there)",
            client.base
        )));
    }
    let waiting = Waiting::read(begun.expect(201)?)?;
    waiting.tell();
    if args.open {
        open(&waiting.page);
    }
    let granted = wait(client, &waiting).await?;
    let token = granted.token()?;
    match args.project.scope() {
        None => Ok(SignedIn {
            token,
            body: granted.body,
        }),
        Some(scope) => rescope(client, &token, &scope).await,
    }
}

/// A login that waits for the user.
struct Waiting {
    device_code: SecretString,
    user_code: String,
    page: Url,
    interval: Duration,
    lasts: Duration,
}

impl Waiting {
    fn read(body: Value) -> Result<Self, Failure> {
        let bad = || Failure::Failed("the server's answer can't be understood".to_owned());
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let seconds = |name: &str| body.get(name).and_then(Value::as_u64);
        let page = text("verification_uri_complete").or_else(|| text("verification_uri"));
        // It is shown in a terminal, and perhaps opened.
        let page = page
            .and_then(|page| Url::parse(page).ok())
            .ok_or_else(bad)?;
        if !matches!(page.scheme(), "http" | "https") {
            return Err(bad());
        }
        let code = text("user_code").ok_or_else(bad)?;
        let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
        let interval = seconds("interval").unwrap_or(USUAL).clamp(1, MOST);
        Ok(Self {
            device_code: text("device_code").ok_or_else(bad)?.into(),
            user_code: code.chars().filter(is_plain).take(32).collect(),
            page,
            interval: Duration::from_secs(interval),
            lasts: Duration::from_secs(seconds("expires_in").unwrap_or(USUAL * 60).min(MOST)),
        })
    }

    fn tell(&self) {
        let minutes = self.lasts.as_secs().div_ceil(60);
        say(format_args!(
            "To sign in, open this page on any device that has your passkey:\n\n    {}\n\nIt has to \
             show the code  {}  (good for {minutes} min). Waiting …",
            self.page, self.user_code
        ));
    }
}

/// Asks until the user has answered.
async fn wait(client: &Client, waiting: &Waiting) -> Result<Answer, Failure> {
    let until = Instant::now() + waiting.lasts;
    let mut interval = waiting.interval;
    let mut trouble = None;
    while Instant::now() < until {
        sleep(interval).await;
        let body = json!({ "device_code": waiting.device_code.expose_secret() });
        let answer = match client.post("/v4/auth/passkey/device/token", &body).await {
            Ok(answer) => answer,
            // It may be back before the time is over.
            Err(failure) => {
                if trouble.is_none() {
                    say(format_args!("{failure}; trying again …"));
                }
                trouble = Some(failure);
                continue;
            }
        };
        trouble = None;
        match (answer.status, answer.title()) {
            (201, _) => return Ok(answer),
            (400, Some("authorization_pending")) | (429 | 500.., _) => {}
            (400, Some("slow_down")) => interval += SLOWER,
            (400, Some("access_denied")) => {
                return Err(Failure::Unhealthy("the login was denied".to_owned()));
            }
            (400, Some("expired_token")) => break,
            _ => return Err(answer.failure()),
        }
    }
    Err(trouble.unwrap_or_else(|| {
        Failure::Unhealthy("nobody has let it in in time; begin again".to_owned())
    }))
}

async fn rescope(
    client: &Client,
    token: &SecretString,
    scope: &Value,
) -> Result<SignedIn, Failure> {
    let identity = json!({"methods": ["token"], "token": {"id": token.expose_secret()}});
    let body = json!({"auth": {"identity": identity, "scope": scope}});
    let answer = client.post("/v3/auth/tokens", &body).await?;
    if answer.status == 401 {
        return Err(Failure::Failed(
            "signed in, but there is no token for that project; check its name and your roles in it"
                .to_owned(),
        ));
    }
    let token = answer.token()?;
    let body = answer.expect(201)?;
    Ok(SignedIn { token, body })
}

impl SignedIn {
    fn printed(&self, format: Format, base: &Url) -> String {
        let token = self.token.expose_secret();
        let url = format!("{}/v3", base.as_str().trim_end_matches('/'));
        let about = self.body.get("token").cloned().unwrap_or_default();
        let member = |name: &str| about.get(name).cloned().unwrap_or_default();
        match format {
            Format::Token => format!("{token}\n"),
            Format::Json => {
                let printed = json!({
                    "token": token,
                    "auth_url": url,
                    "expires_at": member("expires_at"),
                    "user": member("user"),
                    "project": member("project"),
                });
                format!("{printed:#}\n")
            }
            Format::Export => {
                let project = about.pointer("/project/id").and_then(Value::as_str);
                let project = project.filter(|id| is_word(id));
                let project = project.map(|id| format!(" OS_PROJECT_ID={id}"));
                // What would be sent besides, or mean another project.
                format!(
                    "unset OS_USERNAME OS_USER_ID OS_PASSWORD OS_USER_DOMAIN_NAME \
                     OS_USER_DOMAIN_ID OS_PROJECT_NAME OS_PROJECT_ID OS_PROJECT_DOMAIN_NAME \
                     OS_PROJECT_DOMAIN_ID OS_CLOUD\nexport OS_AUTH_TYPE=token OS_TOKEN='{token}' \
                     OS_AUTH_URL='{url}' OS_IDENTITY_API_VERSION=3{}\n",
                    project.unwrap_or_default()
                )
            }
        }
    }
}

/// Whether a shell takes it as it is.
fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=.".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

/// What the page calls us: whoever is asked to let it in has to know it again.
fn own_name() -> String {
    let host = uname().nodename().to_string_lossy().into_owned();
    match std::env::var("USER") {
        Ok(user) if !user.is_empty() => format!("keystone-ng login by {user} on {host}"),
        _ => format!("keystone-ng login on {host}"),
    }
}

/// Opens the page; who sees none still has its address.
fn open(page: &Url) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let mut command = Command::new(opener);
    command.arg(page.as_str()).stdin(Stdio::null());
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        say(format_args!("no browser was opened ({opener}: {error})"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_of(url: &str) -> String {
        base(&Url::parse(url).unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_version_at_the_end_of_the_url_is_no_matter() {
        for url in [
            "https://a.example:5000",
            "https://a.example:5000/v3/",
            "https://a.example:5000/v3",
        ] {
            assert_eq!(base_of(url), "https://a.example:5000/");
        }
        assert_eq!(
            base_of("https://a.example/identity/v3"),
            "https://a.example/identity"
        );
        assert!(base(&Url::parse("file:///etc/passwd").unwrap()).is_err());
    }

    #[test]
    fn an_empty_variable_names_no_file_of_authorities() {
        assert_eq!(authorities(Some(&OsString::new())), None);
        assert_eq!(authorities(None), None);
        let file = OsString::from("authorities.pem");
        assert_eq!(authorities(Some(&file)), Some(Path::new("authorities.pem")));
    }

    #[test]
    fn what_a_server_says_does_not_reach_the_terminal_raw() {
        let waiting = Waiting::read(json!({
            "device_code": "d", "user_code": "BC\u{1b}[2JDF-GHJK", "expires_in": 99_999_999,
            "verification_uri": "https://a.example/passkeys/device\u{1b}[2J", "interval": 0,
        }))
        .unwrap();
        assert_eq!(waiting.user_code, "BC2JDF-GHJK");
        assert!(!waiting.page.as_str().contains('\u{1b}'));
        assert_eq!(
            (waiting.interval.as_secs(), waiting.lasts.as_secs()),
            (1, MOST)
        );
        let script =
            json!({"device_code": "d", "user_code": "B", "verification_uri": "javascript:x"});
        assert!(Waiting::read(script).is_err());
    }

    #[test]
    fn what_is_printed_is_safe_for_a_shell() {
        let signed_in = SignedIn {
            token: "gAAAA-_x".into(),
            body: json!({"token": {"project": {"id": "$(reboot)"}}}),
        };
        let base = Url::parse("https://a.example/identity").unwrap();
        let printed = signed_in.printed(Format::Export, &base);
        assert!(
            printed.contains("OS_TOKEN='gAAAA-_x' OS_AUTH_URL='https://a.example/identity/v3'")
        );
        assert!(!printed.contains("reboot"), "{printed}");
    }
}
