//! How connections to a database server are made, with TLS where the URL asks for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::ConnectionError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use secrecy::ExposeSecret;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::pool::{ConnectError, PostgresConn};
use super::session::Sessions;
use super::url::{DatabaseUrl, DbTls, TlsMode};

/// How connections to PostgreSQL are made.
pub(super) struct Postgres {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
}

impl Postgres {
    pub async fn connect(&self) -> Result<PostgresConn, ConnectionError> {
        // Its text alone says "error connecting to server"; the cause says why.
        let bad = |error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            let text = error.to_string();
            let cause = cause.filter(|cause| !text.ends_with(cause.as_str()));
            ConnectionError::BadConnection(text + &cause.unwrap_or_default())
        };
        let (client, connection) = self.config.connect(self.tls.clone()).await.map_err(bad)?;
        PostgresConn::try_from_client_and_connection(client, connection).await
    }
}

pub(super) fn postgres(url: &DatabaseUrl, timeout: Duration) -> Result<Postgres, ConnectError> {
    let mut config = tokio_postgres::Config::new();
    let DatabaseUrl::Postgres {
        host,
        port,
        user,
        password,
        database,
        tls,
        socket,
        application_name,
        connect_timeout,
    } = url
    else {
        return Err(ConnectError::Pool("not a PostgreSQL URL".to_owned()));
    };
    match socket {
        Some(directory) => config.host_path(directory),
        None => config.host(host),
    };
    config
        .port(*port)
        .user(user)
        .dbname(database)
        .application_name(application_name.as_deref().unwrap_or("keystone-ng"))
        .connect_timeout(connect_timeout.unwrap_or(timeout))
        .keepalives_idle(Duration::from_secs(60))
        .keepalives_interval(Duration::from_secs(10))
        .keepalives_retries(3)
        .ssl_mode(match tls.mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        });
    if let Some(password) = password {
        config.password(password.expose_secret());
    }
    Ok(Postgres {
        config,
        tls: MakeRustlsConnect::new(client_config(tls)?),
    })
}

pub(super) fn mysql(
    url: &DatabaseUrl,
    sessions: &Sessions,
) -> Result<mysql_async::Opts, ConnectError> {
    let DatabaseUrl::Mysql {
        host,
        port,
        user,
        password,
        database,
        tls,
        socket,
        ..
    } = url
    else {
        return Err(ConnectError::Pool("not a MySQL URL".to_owned()));
    };
    let mut options = mysql_async::OptsBuilder::default()
        .ip_or_hostname(host.clone())
        .tcp_port(*port)
        .user(Some(user.clone()))
        .pass(
            password
                .as_ref()
                .map(|secret| secret.expose_secret().to_owned()),
        )
        .db_name(Some(database.clone()))
        .socket(
            socket
                .as_ref()
                .map(|path| path.to_string_lossy().into_owned()),
        )
        .prefer_socket(socket.is_some())
        // Rows matched, not rows changed, as the other two count.
        .client_found_rows(true)
        .tcp_nodelay(true)
        // Diesel keeps the statements. A second cache would close those that it still executes.
        .stmt_cache_size(Some(0))
        .setup(vec![sessions.mysql()]);
    if !matches!(tls.mode, TlsMode::Disable | TlsMode::Prefer) {
        let verify = matches!(tls.mode, TlsMode::VerifyCa | TlsMode::VerifyFull);
        let mut ssl = mysql_async::SslOpts::default()
            .with_root_certs(tls.ca.iter().map(|path| path.clone().into()).collect())
            .with_disable_built_in_roots(tls.ca.is_some())
            .with_danger_accept_invalid_certs(!verify)
            .with_danger_skip_domain_validation(tls.mode != TlsMode::VerifyFull);
        if let (Some(cert), Some(key)) = (&tls.cert, &tls.key) {
            let identity =
                mysql_async::ClientIdentity::new(cert.clone().into(), key.clone().into());
            ssl = ssl.with_client_identity(Some(identity));
        }
        options = options.ssl_opts(ssl);
    }
    Ok(options.into())
}

fn client_config(tls: &DbTls) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let broken = |error: rustls::Error| ConnectError::Tls(error.to_string());
    let mut roots = RootCertStore::empty();
    if let Some(path) = &tls.ca {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(broken)?;
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(broken)?;
    let verifier = match tls.mode {
        TlsMode::VerifyFull | TlsMode::VerifyCa => {
            let chain =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                    .build()
                    .map_err(|_| {
                        ConnectError::Tls("verification needs a CA file (sslrootcert)".to_owned())
                    })?;
            Verifier {
                chain: Some(chain),
                host: tls.mode == TlsMode::VerifyFull,
                provider,
            }
        }
        TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => Verifier {
            chain: None,
            host: false,
            provider,
        },
    };
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| ConnectError::Tls(format!("{}: {error}", key.display())))?;
            builder
                .with_client_auth_cert(certificates(cert)?, key)
                .map_err(broken)
        }
        _ => Ok(builder.with_no_client_auth()),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let unusable = |error| ConnectError::Tls(format!("{}: {error}", path.display()));
    CertificateDer::pem_file_iter(path)
        .map_err(unusable)?
        .collect::<Result<_, _>>()
        .map_err(unusable)
}

/// libpq's `sslmode`: `require` encrypts and verifies nothing, `verify-ca` the chain alone.
#[derive(Debug)]
struct Verifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    host: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.host => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
