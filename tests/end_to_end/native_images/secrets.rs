//! No blob of an image holds a secret of the workspace that it was built from, whatever it is spelt like.

use std::fs;
use std::process::Command;

use libtest_mimic::Failed;

use super::{blobs, with_three_connectors};
use crate::sandbox::MARK;

/// Every spelling of the secret that an encoding gives it, wherever in the encoded text it begins.
fn spellings(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let url: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mut spellings = vec![
        secret.to_owned(),
        hex.to_uppercase(),
        hex,
        url.to_uppercase(),
        url,
    ];
    for before in 0..3 {
        let bytes = [&b"..."[..before], secret.as_bytes()].concat();
        let text = base64(&bytes);
        // The letters at both ends hang on what stands beside the secret.
        let inner = &text[(before * 8).div_ceil(6)..bytes.len() * 8 / 6];
        spellings.push(inner.to_owned());
        spellings.push(inner.replace('+', "-").replace('/', "_"));
    }
    spellings
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three
            .iter()
            .chain([&0, &0])
            .take(3)
            .fold(0, |word, byte| word << 8 | usize::from(*byte));
        for place in (0..4).rev() {
            text.push(char::from(LETTERS[word >> (place * 6) & 63]));
        }
    }
    text
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
}

pub(super) fn no_blob_holds_a_secret() -> Result<(), Failed> {
    // The search finds what it has to find.
    let planted = base64(format!("xy{MARK}z").as_bytes());
    assert!(
        spellings(MARK)
            .iter()
            .any(|each| holds(planted.as_bytes(), each))
    );

    let place = with_three_connectors();
    place.built(&["--output", "oci:image"]);
    let mut texts = vec![fs::read(place.work("image/index.json")).expect("an index")];
    for blob in blobs(&place.work("image")) {
        let bytes = fs::read(&blob).expect("a blob");
        // The base is no part of what is built here, and the longest to search.
        if blob.file_name() == place.base_layer().file_name() {
            continue;
        }
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let packed = fs::File::open(&blob).expect("a blob");
            let unpacked = Command::new("gzip").arg("-dc").stdin(packed).output();
            let unpacked = unpacked.expect("gzip").stdout;
            assert!(unpacked.len() > bytes.len(), "a layer that unpacks to less");
            texts.push(unpacked);
        }
        texts.push(bytes);
    }
    assert!(texts.len() > 8, "too few blobs: {}", texts.len());
    let spellings = spellings(MARK);
    for text in texts {
        for spelling in &spellings {
            assert!(
                !holds(&text, spelling),
                "{spelling} in {}",
                String::from_utf8_lossy(&text[..text.len().min(300)])
            );
        }
    }
    Ok(())
}
