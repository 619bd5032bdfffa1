//! Whose certificate is believed, and which one is shown.
//!
//! Certificates are judged as PostgreSQL's own client library does: `sslmode` says whether at all, against whom, and
//! whether by name; one that is among the roots itself needs no other behind it; and one without alternative names is
//! read by its common name.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::error::{THROUGH_ADBC, driver};
use super::parameters::{Proof, Roots, TlsParameters};
use crate::SqlError;

/// What encrypted connections believe and show.
///
/// # Errors
/// Kind `Driver` when a file cannot be read or used.
pub(super) fn config(parameters: &TlsParameters) -> Result<Arc<ClientConfig>, SqlError> {
    let provider = Arc::new(ring::default_provider());
    let proof = parameters.proof();
    let roots = match (proof, &parameters.roots) {
        (Proof::None, _) | (_, None) => Vec::new(),
        (_, Some(Roots::File(path))) => certificates(path, "sslrootcert")?,
        (_, Some(Roots::System)) => rustls_native_certs::load_native_certs().certs,
    };
    let verifier = Verifier::new(proof, roots, Arc::clone(&provider))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| driver(format!("TLS cannot be set up: {error}"), THROUGH_ADBC))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &parameters.shown {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate, "sslcert")?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| {
                driver(
                    format!("`sslkey` cannot be read: {}: {error}", key.display()),
                    "give an unencrypted key in PEM form; with an encrypted one, reach the server through ADBC",
                )
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| driver(format!("`sslcert` does not fit: {error}"), THROUGH_ADBC))?
        }
    };
    config.enable_sni = parameters.names_server;
    Ok(Arc::new(config))
}

fn certificates(path: &Path, key: &str) -> Result<Vec<CertificateDer<'static>>, SqlError> {
    let unread = |words: String| {
        driver(
            format!("`{key}` cannot be read: {}: {words}", path.display()),
            "name a file of certificates in PEM form",
        )
    };
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unread(error.to_string()))?;
    if found.is_empty() {
        return Err(unread("it holds no certificate".to_owned()));
    }
    Ok(found)
}

/// The hash of a server's certificate that ties a login to it; none where no hash is laid down.
pub(super) fn binding(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let algorithm = parsed.signature_algorithm.algorithm.to_id_string();
    Some(match algorithm.as_str() {
        // RSA and ECDSA, with SHA-1 (and MD5) taken for SHA-256.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.10045.4.1"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.3.2" => Sha256::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Sha384::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Sha512::digest(certificate).to_vec(),
        _ => return None,
    })
}

#[derive(Debug)]
struct Verifier {
    proof: Proof,
    roots: Vec<CertificateDer<'static>>,
    /// Follows a chain to the roots; none where nothing is proven.
    chains: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(
        proof: Proof,
        roots: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, SqlError> {
        let chains = if proof == Proof::None {
            None
        } else {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(roots.iter().cloned());
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
                    .build()
                    .map_err(|error| {
                        driver(
                            format!("no certificate to believe in: {error}"),
                            "name a file with the authority's certificate as `sslrootcert`",
                        )
                    })?;
            Some(verifier)
        };
        Ok(Self {
            proof,
            roots,
            chains,
            provider,
        })
    }

    /// Whether who shows a certificate has its key, also where nobody vouches for it: logins are tied to it.
    fn check_key(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Certificates of the first version, which servers that prove nothing often have, are not taken by others.
        let (_, parsed) =
            X509Certificate::from_der(shown).map_err(|_| CertificateError::BadEncoding)?;
        let key = &parsed.public_key().subject_public_key.data;
        let known = self.provider.signature_verification_algorithms.mapping;
        let mut fitting = known
            .iter()
            .filter(|(scheme, _)| *scheme == signed.scheme)
            .flat_map(|(_, algorithms)| algorithms.iter());
        let is_its = fitting.any(|algorithm| {
            algorithm
                .verify_signature(key, message, signed.signature())
                .is_ok()
        });
        if is_its {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn check_name(&self, shown: &CertificateDer<'_>, server: &ServerName<'_>) -> Result<(), Error> {
        if self.proof != Proof::Name {
            return Ok(());
        }
        let parsed = ParsedCertificate::try_from(shown)?;
        let named = rustls::client::verify_server_name(&parsed, server);
        match named {
            Err(_) if is_commonly_named(shown, server) => Ok(()),
            named => named,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chains) = &self.chains else {
            return Ok(ServerCertVerified::assertion());
        };
        if self.roots.iter().any(|root| root == shown) {
            check_dates(shown, now)?;
        } else {
            match chains.verify_server_cert(shown, others, server, stapled, now) {
                Ok(_) => {}
                // The name is looked at last, here and below.
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => {}
                Err(error) => return Err(error),
            }
        }
        self.check_name(shown, server)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.chains {
            Some(chains) => chains.verify_tls12_signature(message, shown, signed),
            None => self.check_key(message, shown, signed),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.chains {
            Some(chains) => chains.verify_tls13_signature(message, shown, signed),
            None => self.check_key(message, shown, signed),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Whether a certificate that is believed for itself is so now.
fn check_dates(shown: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, parsed) =
        X509Certificate::from_der(shown).map_err(|_| CertificateError::BadEncoding)?;
    let validity = parsed.validity();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < validity.not_before.timestamp() {
        Err(CertificateError::NotValidYet.into())
    } else if now > validity.not_after.timestamp() {
        Err(CertificateError::Expired.into())
    } else {
        Ok(())
    }
}

/// Whether a certificate without alternative names names the server as its common name.
fn is_commonly_named(shown: &CertificateDer<'_>, server: &ServerName<'_>) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(shown) else {
        return false;
    };
    if !matches!(parsed.subject_alternative_name(), Ok(None)) {
        return false;
    }
    let server = server.to_str().to_lowercase();
    let names = parsed.subject().iter_common_name();
    names.filter_map(|name| name.as_str().ok()).any(|name| {
        let name = name.to_lowercase();
        name == server
            || name.strip_prefix("*.").is_some_and(|domain| {
                server
                    .split_once('.')
                    .is_some_and(|(_, rest)| rest == domain)
            })
    })
}
