//! TLS at our own listeners: rustls, its certificate replaced while running.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tracing::warn;

use crate::config::sections::ApiServer;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the two files without the other.
    #[error("[api_server] tls_certificate and tls_key go together; set both, or neither")]
    Half,
    /// A file that is not what it should be.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The two files are not of one pair.
    #[error("{key} is not the key of {certificate}")]
    OtherKey {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// rustls refuses them.
    #[error("TLS: {0}")]
    Refused(#[from] rustls::Error),
}

/// The certificate in use.
#[derive(Clone)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<ArcSwap<CertifiedKey>>,
}

impl Certificate {
    /// The certificate that is configured; `None` where none is.
    pub fn load(server: &ApiServer) -> Result<Option<Self>, TlsError> {
        let (certificate, key) = match (&server.tls_certificate, &server.tls_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            _ => return Err(TlsError::Half),
        };
        let current = Arc::new(ArcSwap::from_pointee(read(&certificate, &key)?));
        Ok(Some(Self {
            certificate,
            key,
            current,
        }))
    }

    /// Reads the files again. On an error the old certificate stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current
            .store(Arc::new(read(&self.certificate, &self.key)?));
        Ok(())
    }

    /// Says where others than its owner can read the key.
    pub fn warn_of_loose_mode(&self) {
        if let Some(mode) = loose_mode(&self.key) {
            warn!(
                path = %self.key.display(),
                mode = format!("{mode:o}"),
                "others can read the key of the certificate; 600 or 640 is due"
            );
        }
    }

    /// The files, to watch.
    pub fn files(&self) -> [PathBuf; 2] {
        [self.certificate.clone(), self.key.clone()]
    }

    /// What a listener needs. HTTP/2 and 1.1.
    pub fn server_config(&self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Resolver(Arc::clone(&self.current))));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The mode of a key file that too many can read: others at all, or its group more than read.
pub fn loose_mode(key: &Path) -> Option<u32> {
    let mode = key.metadata().ok()?.mode() & 0o7777;
    (mode & !0o640 != 0).then_some(mode)
}

fn read(certificate: &PathBuf, key: &PathBuf) -> Result<CertifiedKey, TlsError> {
    let at = |path: &PathBuf| {
        let path = path.clone();
        move |why: rustls_pki_types::pem::Error| TlsError::File {
            path,
            why: why.to_string(),
        }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .map_err(at(certificate))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(at(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::File {
            path: certificate.clone(),
            why: "there is no certificate in it".to_owned(),
        });
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(at(key))?;
    CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider()).map_err(|error| {
        match error {
            rustls::Error::InconsistentKeys(_) => TlsError::OtherKey {
                certificate: certificate.clone(),
                key: key.clone(),
            },
            error => error.into(),
        }
    })
}

struct Resolver(Arc<ArcSwap<CertifiedKey>>);

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}
