//! TLS at our own listener.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::support::Cloud;
use crate::support::cloud::Builder;
use crate::support::raw::Raw;
use crate::testdb::TestDb;

/// A certificate for localhost and its key, made by `openssl`.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pair {
    pub(crate) fn make(folder: &Path, name: &str) -> Self {
        let pair = Self {
            certificate: folder.join(format!("{name}.crt")),
            key: folder.join(format!("{name}.key")),
        };
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ])
            .args(["-nodes", "-days", "2", "-subj", &format!("/CN={name}")])
            .args([
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                "basicConstraints=CA:FALSE",
            ])
            .arg("-keyout")
            .arg(&pair.key)
            .arg("-out")
            .arg(&pair.certificate)
            .output()
            .expect("openssl");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        pair
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(&self.certificate).unwrap()
    }

    /// Puts this pair in the place of another, key first, as an unlucky script would.
    fn replace(&self, other: &Self) {
        for (from, to) in [
            (&self.key, &other.key),
            (&self.certificate, &other.certificate),
        ] {
            let fresh = to.with_extension("fresh");
            fs::copy(from, &fresh).unwrap();
            fs::rename(&fresh, to).unwrap();
        }
    }
}

type Tls = Raw<StreamOwned<ClientConnection, TcpStream>>;

/// A connection by this version of TLS, to a server that has one of these certificates.
fn connect(
    cloud: &Cloud<'_>,
    version: &'static SupportedProtocolVersion,
    trusted: &[&Pair],
) -> Tls {
    Raw::over(handshake(cloud, version, trusted, b"http/1.1"))
}

/// The same, for this protocol above TLS.
pub(super) fn handshake(
    cloud: &Cloud<'_>,
    version: &'static SupportedProtocolVersion,
    trusted: &[&Pair],
    protocol: &[u8],
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    for pair in trusted {
        roots.add(pair.der()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = "localhost".try_into().unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(cloud.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).unwrap();
    }
    StreamOwned::new(connection, stream)
}

/// The certificate that a new connection gets.
fn served(cloud: &Cloud<'_>, trusted: &[&Pair]) -> CertificateDer<'static> {
    let stream = handshake(cloud, &TLS13, trusted, b"http/1.1");
    stream.conn.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

async fn start<'db>(db: &'db TestDb, pair: &Pair) -> Cloud<'db> {
    Builder::new(db)
        .set("api_server", "tls_certificate", pair.certificate.display())
        .set("api_server", "tls_key", pair.key.display())
        .start()
        .await
}

on_sqlite! {
    async fn both_versions_of_tls_are_spoken_and_links_say_https(db: TestDb) {
        let pair = Pair::make(db.scratch(), "server");
        let cloud = start(&db, &pair).await;

        for version in [&TLS12, &TLS13] {
            let mut client = connect(&cloud, version, &[&pair]);
            let answer = client.get("/v3").answer();
            assert_eq!(answer.status, 200);
            let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(document["version"]["links"][0]["href"], "https://localhost/v3/");
        }
        let mut plain = Raw::connect(&cloud.address());
        plain.get("/v3").until_closed();
    }

    async fn http_2_is_spoken_where_the_client_wants_it(db: TestDb) {
        let pair = Pair::make(db.scratch(), "server");
        let cloud = start(&db, &pair).await;

        let curl = Command::new("curl")
            .args(["--silent", "--show-error", "--http2", "--write-out", "\n%{http_version} %{http_code}"])
            .arg("--cacert")
            .arg(&pair.certificate)
            .arg("--connect-to")
            .arg(format!("localhost:443:{}", cloud.address()))
            .arg("https://localhost/v3")
            .output()
            .expect("curl");

        let said = String::from_utf8_lossy(&curl.stdout).into_owned();
        assert!(said.ends_with("\n2 200"), "{said}{}", String::from_utf8_lossy(&curl.stderr));
        assert!(said.contains("https://localhost/v3/"), "{said}");
    }

    async fn a_new_certificate_is_served_and_old_connections_go_on(db: TestDb) {
        let old = Pair::make(db.scratch(), "server");
        let new = Pair::make(db.scratch(), "next");
        let (was, next) = (old.der(), new.der());
        let cloud = start(&db, &old).await;
        let mut kept = connect(&cloud, &TLS13, &[&old]);
        assert_eq!(kept.get("/v3").answer().status, 200);
        assert_eq!(served(&cloud, &[&old]), was);

        new.replace(&old);
        cloud.until_logged(&["certificate", "reloaded"]).await;

        assert_eq!(served(&cloud, &[&new]), next);
        assert_eq!(kept.get("/v3").answer().status, 200);
    }

    async fn a_key_of_another_certificate_leaves_the_old_pair_and_is_reported(db: TestDb) {
        let old = Pair::make(db.scratch(), "server");
        let other = Pair::make(db.scratch(), "other");
        let was = old.der();
        let cloud = start(&db, &old).await;

        fs::copy(&other.key, old.key.with_extension("fresh")).unwrap();
        fs::rename(old.key.with_extension("fresh"), &old.key).unwrap();

        let line = cloud.until_logged(&["ERROR", "certificate", "it stays as it was"]).await;
        assert!(line.contains("server.key is not the key of"), "{line}");
        assert_eq!(served(&cloud, &[&old]), was);
        other.replace(&old);
        cloud.until_logged(&["certificate", "reloaded"]).await;
        assert_eq!(served(&cloud, &[&other]), other.der());
    }

    async fn a_key_that_others_can_read_is_reported(db: TestDb) {
        let pair = Pair::make(db.scratch(), "server");
        fs::set_permissions(&pair.key, fs::Permissions::from_mode(0o644)).unwrap();

        let cloud = start(&db, &pair).await;

        let line = cloud.until_logged(&[" WARN ", "others can read the key"]).await;
        assert!(line.contains("server.key") && line.contains("644"), "{line}");
        let doctor = cloud.run(&["doctor"], &[]);
        assert!(doctor.contains("server.key has mode 644"), "{doctor}");
    }

    async fn a_pair_that_does_not_fit_keeps_the_server_from_starting(db: TestDb) {
        let pair = Pair::make(db.scratch(), "server");
        let other = Pair::make(db.scratch(), "other");
        let cloud = Builder::new(&db)
            .set("api_server", "tls_certificate", pair.certificate.display())
            .set("api_server", "tls_key", other.key.display())
            .prepare()
            .await;

        let refused = cloud.fails(&["serve"]);

        assert_eq!(refused.status.code(), Some(2));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("other.key is not the key of"), "{said}");
    }
}
