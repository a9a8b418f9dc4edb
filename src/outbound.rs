//! TLS to others: whom we ask, and whose certificates we believe.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Where systems keep the certificates of authorities: Debian, Red Hat, others.
const SYSTEM_AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// Why there is no TLS to others.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// The file of authorities.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No file of authorities is where systems keep theirs.
    #[error("no certificates of authorities found on this system; name a file of them")]
    None,
    /// rustls refuses them.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// TLS to servers whose certificates these authorities have signed; without a file, the system's.
///
/// # Errors
/// When there are none, or they can't be read.
pub fn client_config(authorities: Option<&Path>) -> Result<ClientConfig, AuthoritiesError> {
    let path = match authorities {
        Some(path) => path.to_owned(),
        None => SYSTEM_AUTHORITIES
            .iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
            .ok_or(AuthoritiesError::None)?,
    };
    let at = |why: String| AuthoritiesError::File {
        path: path.clone(),
        why,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&path).map_err(|e| at(e.to_string()))? {
        let certificate = certificate.map_err(|e| at(e.to_string()))?;
        // Old authorities of a system's that rustls does not take are no loss.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err(at("there is no usable certificate in it".to_owned()));
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// TLS to whoever answers, for those who ask for it (`--insecure`).
///
/// # Errors
/// When rustls refuses.
pub fn insecure_client_config() -> Result<ClientConfig, AuthoritiesError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let anybody = Arc::new(Anybody(Arc::clone(&provider)));
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(anybody)
        .with_no_client_auth())
}

/// Believes every certificate; the handshake has to be right all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
