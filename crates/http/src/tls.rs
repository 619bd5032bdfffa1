//! Whom we trust and who we are, where certificates say it.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// A certificate of ours and its private key, in PEM.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'p> {
    /// The certificate, then those that stand behind it.
    pub certificate: &'p [u8],
    /// The private key.
    pub key: &'p [u8],
}

/// How connections are secured: by the authorities in `ca`, in PEM, or as the system judges certificates.
///
/// # Errors
/// Which of `ca`, `certificate` and `private_key` cannot be used, and why.
pub fn tls_config(
    ca: Option<&[u8]>,
    identity: Option<Identity<'_>>,
) -> Result<TlsConfig, (&'static str, String)> {
    let roots = match ca {
        Some(ca) => RootCerts::from(certificates("ca", ca)?),
        None => RootCerts::PlatformVerifier,
    };
    let identity = match identity {
        Some(Identity { certificate, key }) => {
            let chain = certificates("certificate", certificate)?;
            check_identity(&chain, key)?;
            let key =
                PrivateKey::from_pem(key).map_err(|error| ("private_key", error.to_string()))?;
            Some(ClientCert::new_with_certs(&chain, key))
        }
        None => None,
    };
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .client_cert(identity)
        .build())
}

/// Whether the library that speaks TLS takes a certificate with its key: it asks only when it connects, and ends the
/// program then.
fn check_identity(
    chain: &[Certificate<'static>],
    key: &[u8],
) -> Result<(), (&'static str, String)> {
    const ENCRYPTED: &[u8] = b"ENCRYPTED";
    if key.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED) {
        let reason = "it is encrypted: write it without a passphrase, as `openssl pkey` does";
        return Err(("private_key", reason.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key);
    let key = key.map_err(|error| ("private_key", error.to_string()))?;
    let chain = chain.iter();
    let chain = chain.map(|certificate| CertificateDer::from(certificate.der()).into_owned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let roots = rustls::RootCertStore::empty();
            let builder = builder.with_root_certificates(roots);
            builder.with_client_auth_cert(chain.collect(), key)
        })
        .map(|_| ())
        .map_err(|error| ("certificate", format!("with its key: {error}")))
}

fn certificates(
    place: &'static str,
    pem: &[u8],
) -> Result<Vec<Certificate<'static>>, (&'static str, String)> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| (place, error.to_string()))?
        {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err((place, "there is no certificate in it".to_owned()));
    }
    Ok(found)
}
