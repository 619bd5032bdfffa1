//! `RECORD`: the list of a package's files, with their hashes and sizes.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The hash of a file, as a record writes it.
pub(super) fn hash(bytes: &[u8]) -> String {
    spelled(Sha256::new_with_prefix(bytes))
}

/// A hash of everything that was given to it, as a record writes it.
pub(super) fn spelled(hash: Sha256) -> String {
    format!("sha256={}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// The hashes that a record has, by path; files without one are left out.
pub(super) fn read(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| {
            let fields = fields(line);
            let [path, hash, ..] = fields.as_slice() else {
                return None;
            };
            hash.starts_with("sha256=")
                .then(|| (path.clone(), hash.clone()))
        })
        .collect()
}

/// A record of these files: path, hash and size. `own` is the record's own path, which has neither.
pub(super) fn write(files: &BTreeMap<String, (String, usize)>, own: &str) -> String {
    let mut lines: Vec<String> = files
        .iter()
        .map(|(path, (hash, size))| format!("{},{hash},{size}", field(path)))
        .collect();
    lines.push(format!("{},,", field(own)));
    lines.sort();
    lines.join("\n") + "\n"
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                field.push('"');
                letters.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let files: BTreeMap<String, (String, usize)> =
            ["a/b.py", "odd, \"name\".py", "../../../bin/x"]
                .map(|path| (path.to_owned(), (hash(path.as_bytes()), path.len())))
                .into();
        let text = write(&files, "a-1.dist-info/RECORD");
        assert!(text.contains("\na-1.dist-info/RECORD,,\n"), "{text}");
        let read = read(&text);
        assert_eq!(read.len(), 3);
        assert!(
            files
                .iter()
                .all(|(path, (hash, _))| read.get(path) == Some(hash))
        );
    }

    #[test]
    fn hashes_are_spelled_as_in_wheels() {
        assert_eq!(
            hash(b""),
            "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
        );
    }
}
