//! Whom we trust and who we are, where certificates say it.

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
