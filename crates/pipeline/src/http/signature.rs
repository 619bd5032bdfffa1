//! What is signed: JSON Web Tokens, and requests as AWS asks for it.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use ring::{hmac, rand};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Map, Value as Json, json};

use super::prepared::set;
use super::transport::Outgoing;
use crate::description::{Algorithm, Assertion};

/// Why something cannot be signed, and what to do about it.
type Unsigned = (String, Option<&'static str>);

/// What AWS signatures are made with.
pub(super) struct AwsKeys {
    pub(super) region: String,
    pub(super) service: String,
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: Option<String>,
}

/// A signed token with these claims, issued `now`.
pub(super) fn token(
    assertion: &Assertion,
    mut claims: Map<String, Json>,
    key: &str,
    key_id: Option<String>,
    now: Timestamp,
) -> Result<String, Unsigned> {
    let issued = now.as_second();
    let lifetime = i64::try_from(assertion.lifetime.as_secs()).unwrap_or(i64::MAX);
    claims.entry("iat").or_insert_with(|| json!(issued));
    claims
        .entry("exp")
        .or_insert_with(|| json!(issued.saturating_add(lifetime)));
    let algorithm = match assertion.algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
        Algorithm::Hs256 => "HS256",
    };
    let mut header = json!({"alg": algorithm, "typ": "JWT"});
    if let Some(key_id) = key_id {
        header["kid"] = Json::from(key_id);
    }
    let encoded = |json: &str| URL_SAFE_NO_PAD.encode(json);
    let text = format!(
        "{}.{}",
        encoded(&header.to_string()),
        encoded(&Json::Object(claims).to_string())
    );
    let signature = signed(assertion.algorithm, key, text.as_bytes())?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn signed(algorithm: Algorithm, key: &str, text: &[u8]) -> Result<Vec<u8>, Unsigned> {
    if algorithm == Algorithm::Hs256 {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        return Ok(hmac::sign(&key, text).as_ref().to_vec());
    }
    let key = private_key(key)?;
    let refused = |what: &str| (format!("no private key of {what}"), None);
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::Rs256 => {
            let pair = match &key {
                PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
                other => RsaKeyPair::from_pkcs8(other.secret_der()),
            };
            let pair = pair.map_err(|_| refused("RSA with 2048 to 4096 bits"))?;
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                .map_err(|_| refused("RSA that can sign"))?;
            Ok(signature)
        }
        Algorithm::Es256 | Algorithm::Hs256 => {
            let random: &dyn rand::SecureRandom = &random;
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.secret_der(), random)
                .map_err(|_| refused("the curve P-256 in PKCS #8"))?;
            let signature = pair.sign(random, text);
            let signature = signature.map_err(|_| refused("the curve P-256 that can sign"))?;
            Ok(signature.as_ref().to_vec())
        }
    }
}

/// The SHA-256 of the public key that belongs to a private one, as `openssl rsa -pubout -outform DER` writes it.
pub(crate) fn fingerprint(key: &str) -> Result<[u8; 32], Unsigned> {
    let key = private_key(key)?;
    let pair = match &key {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        other => RsaKeyPair::from_pkcs8(other.secret_der()),
    };
    let pair = pair.map_err(|_| {
        (
            "no private key of RSA with 2048 to 4096 bits".to_owned(),
            None,
        )
    })?;
    // The algorithm `rsaEncryption` without parameters.
    const ALGORITHM: [u8; 15] = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let mut bits = vec![0];
    bits.extend(pair.public().as_ref());
    let mut inner = ALGORITHM.to_vec();
    inner.extend(tagged(0x03, &bits));
    let digest = ring::digest::digest(&ring::digest::SHA256, &tagged(0x30, &inner));
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest.as_ref());
    Ok(fingerprint)
}

/// A value of DER whose length takes two bytes, as that of every RSA key does that is let in.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    [&[tag, 0x82][..], &length.to_be_bytes(), content].concat()
}

fn private_key(key: &str) -> Result<PrivateKeyDer<'static>, Unsigned> {
    if key.contains("ENCRYPTED") {
        return Err((
            "the private key has a passphrase".to_owned(),
            Some("take it off with `openssl pkcs8 -topk8 -nocrypt`, and keep the key safe"),
        ));
    }
    // In JSON and environment variables its lines often end with the two characters `\n`.
    let key = key.replace("\\n", "\n");
    PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| {
        (
            "no private key in PEM".to_owned(),
            Some("it begins with `-----BEGIN PRIVATE KEY-----`"),
        )
    })
}

/// Adds the signature to a request that is otherwise as it goes out.
pub(super) fn sign_aws(
    keys: &AwsKeys,
    now: Timestamp,
    outgoing: &mut Outgoing,
) -> Result<(), String> {
    let reason = |error: &dyn std::fmt::Display| error.to_string();
    let identity = Credentials::new(
        &keys.access_key,
        &keys.secret_key,
        keys.session_token.clone(),
        None,
        "bowline",
    )
    .into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(&keys.region)
        .name(&keys.service)
        .time(SystemTime::from(now))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| reason(&error))?
        .into();
    let body = outgoing.body.as_deref().unwrap_or_default();
    let headers = outgoing.headers.iter();
    let request = SignableRequest::new(
        &outgoing.method,
        outgoing.address.as_str(),
        headers.map(|(name, value)| (name.as_str(), value.as_str())),
        SignableBody::Bytes(body.as_bytes()),
    )
    .map_err(|error| reason(&error))?;
    let (instructions, _) = sign(request, &parameters)
        .map_err(|error| reason(&error))?
        .into_parts();
    let (added, _) = instructions.into_parts();
    for header in added {
        set(
            &mut outgoing.headers,
            header.name(),
            header.value().to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of AWS's own.
    #[test]
    fn requests_are_signed_as_aws_shows() {
        let keys = AwsKeys {
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
        };
        let mut outgoing = Outgoing {
            method: "GET".to_owned(),
            address: "https://example.amazonaws.com/".to_owned(),
            headers: Vec::new(),
            body: None,
        };
        sign_aws(
            &keys,
            "2015-08-30T12:36:00Z".parse().unwrap(),
            &mut outgoing,
        )
        .unwrap();
        let header = |name: &str| {
            let mut headers = outgoing.headers.iter();
            let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(header("x-amz-date"), Some("20150830T123600Z"));
        assert_eq!(
            header("authorization"),
            Some(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, \
                 Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
            )
        );
    }

    #[test]
    fn shared_secrets_and_curves_sign_too() {
        let assertion = |algorithm| Assertion {
            claims: Vec::new(),
            key: crate::expression::Template::Constant(Json::Null),
            key_id: None,
            algorithm,
            lifetime: std::time::Duration::from_secs(60),
        };
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let claims = || Map::from_iter([("iss".to_owned(), json!("me"))]);
        let shared = token(&assertion(Algorithm::Hs256), claims(), "secret", None, now).unwrap();
        let (text, signature) = shared.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        hmac::verify(&key, text.as_bytes(), &signature).unwrap();

        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let curve = token(&assertion(Algorithm::Es256), claims(), &pem, None, now).unwrap();
        let (text, signature) = curve.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref(), &SystemRandom::new()).unwrap();
        let public = ring::signature::KeyPair::public_key(&pair)
            .as_ref()
            .to_vec();
        let known = ring::signature::UnparsedPublicKey::new(
            &ring::signature::ECDSA_P256_SHA256_FIXED,
            public,
        );
        known.verify(text.as_bytes(), &signature).unwrap();
        assert!(token(&assertion(Algorithm::Rs256), claims(), &pem, None, now).is_err());
    }
}
