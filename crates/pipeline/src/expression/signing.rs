//! Filters that logins and signatures are made with.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};
use bowline_template::{Call, Failure, Kind, Value};
use ring::{digest, hmac};

type Filtered = Result<Value, Failure>;

/// What a filter is applied to, as text.
fn text(call: &Call<'_>) -> Result<String, Failure> {
    let value = call.value();
    match value.kind() {
        Kind::Text(text) => Ok(text.to_owned()),
        Kind::Integer(_) | Kind::Float(_) => Ok(value.to_string()),
        _ => Err(Failure::new(format!(
            "wants a text, found a `{}`",
            value.type_name()
        ))),
    }
}

fn alphabet(call: &Call<'_>) -> Result<&'static GeneralPurpose, Failure> {
    match call.argument(0).and_then(Value::as_text) {
        None => Ok(&STANDARD),
        Some("url") => Ok(&URL_SAFE_NO_PAD),
        Some(other) => Err(Failure::new(format!("no alphabet of Base64: `{other}`"))
            .with_hint(Some("`url` is the other one".to_owned()))),
    }
}

/// A digest as text: in hexadecimal, or in Base64.
fn written(bytes: &[u8], form: Option<&Value>) -> Filtered {
    let text = match form.and_then(Value::as_text) {
        None | Some("hex") => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Some("base64") => STANDARD.encode(bytes),
        Some("base64url") => URL_SAFE_NO_PAD.encode(bytes),
        Some(other) => {
            let hint = bowline_words::nearest::hint(other, ["hex", "base64", "base64url"]);
            return Err(
                Failure::new(format!("no form of a digest: `{other}`")).with_hint(Some(hint))
            );
        }
    };
    Ok(Value::from(text))
}

/// The text in Base64.
pub(super) fn b64encode(call: &mut Call<'_>) -> Filtered {
    Ok(Value::from(alphabet(call)?.encode(text(call)?)))
}

/// The text that Base64 stands for.
pub(super) fn b64decode(call: &mut Call<'_>) -> Filtered {
    let bytes = alphabet(call)?.decode(text(call)?.trim());
    let decoded = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or_else(|| Failure::new("it is no text in Base64"))?;
    Ok(Value::from(decoded))
}

/// The SHA-256 of a text, as `hex` (when not said), `base64` or `base64url`.
pub(super) fn sha256(call: &mut Call<'_>) -> Filtered {
    let digest = digest::digest(&digest::SHA256, text(call)?.as_bytes());
    written(digest.as_ref(), call.argument(0))
}

/// The HMAC of a text by SHA-256 with a key, written as [`sha256`] is.
pub(super) fn hmac_sha256(call: &mut Call<'_>) -> Filtered {
    let key = hmac::Key::new(hmac::HMAC_SHA256, call.text(0)?.as_bytes());
    let tag = hmac::sign(&key, text(call)?.as_bytes());
    written(tag.as_ref(), call.argument(1))
}

/// The SHA-256, in Base64, of the public key that belongs to a private one in PEM.
pub(super) fn public_key_sha256(call: &mut Call<'_>) -> Filtered {
    let fingerprint = crate::http::fingerprint(&text(call)?);
    let fingerprint = fingerprint
        .map_err(|(reason, hint)| Failure::new(reason).with_hint(hint.map(str::to_owned)))?;
    Ok(Value::from(STANDARD.encode(fingerprint)))
}
