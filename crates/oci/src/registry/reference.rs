//! Names of images, as people write them.

use std::fmt;
use std::str::FromStr;

use super::address::is_loopback;
use crate::{OciError, OciErrorKind};

/// The registry that names without a host mean.
const DEFAULT_REGISTRY: &str = "docker.io";
/// The host that answers for it.
const DEFAULT_HOST: &str = "registry-1.docker.io";
/// What stands before the names of that registry's own images.
const DEFAULT_PATH: &str = "library";
const DEFAULT_TAG: &str = "latest";
/// How long a registry's part and a repository's path may be together, in bytes.
const LONGEST_NAME: usize = 255;
const LONGEST_TAG: usize = 128;
const ALGORITHM: &str = "sha256:";

/// The name of an image in a registry, such as `registry.example.com:5000/team/agent:1.2`.
///
/// A name without a host means Docker's public registry, as every engine reads it: `agent` is
/// `docker.io/library/agent`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// The registry, with its port if one is named, such as `docker.io`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository in the registry, such as `library/agent`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one is named.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one is named.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// What a registry is asked for: the digest, else the tag, else `latest`.
    #[must_use]
    pub fn wanted(&self) -> &str {
        self.digest().or(self.tag()).unwrap_or(DEFAULT_TAG)
    }

    /// Whether the registry is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host())
    }

    /// The host, with its port if one is named, that answers for the registry.
    #[must_use]
    pub fn host(&self) -> &str {
        if self.registry == DEFAULT_REGISTRY {
            DEFAULT_HOST
        } else {
            &self.registry
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = OciError;

    /// Reads `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.
    ///
    /// # Errors
    /// Kind `Invalid`, with the part that is at fault.
    fn from_str(text: &str) -> Result<Self, OciError> {
        parse(text).map_err(|problem| {
            // Who writes a login into the name shall not find it in a log.
            let shown = match text.rsplit_once('@') {
                Some((_, rest)) if rest.contains('/') => format!("***@{rest}"),
                _ => text.to_owned(),
            };
            OciError::new(OciErrorKind::Invalid, format!("the image name `{shown}`"))
                .because(problem)
                .hint("write it like `registry.example.com/team/agent:1.0`".to_owned())
        })
    }
}

fn parse(text: &str) -> Result<Reference, String> {
    if text.contains("://") {
        return Err("an image name begins with the host, without `http://` or `https://`".into());
    }
    let (rest, digest) = match text.rsplit_once('@') {
        Some((_, host)) if host.contains('/') => return Err("a login does not belong here".into()),
        Some((rest, digest)) => (rest, Some(checked_digest(digest)?)),
        None => (text, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        // A colon before a slash parts a host from its port.
        Some((name, tag)) if !tag.contains('/') => (name, Some(checked_tag(tag)?)),
        _ => (rest, None),
    };
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if is_host(first) => (checked_host(first)?, path),
        _ => (DEFAULT_REGISTRY.to_owned(), name),
    };
    if path.is_empty() {
        return Err("there is no name".into());
    }
    if let Some(wrong) = path.split('/').find(|part| !is_path_part(part)) {
        return Err(if wrong.chars().any(|each| each.is_ascii_uppercase()) {
            format!("`{wrong}` has a capital letter")
        } else if wrong.is_empty() {
            "a part between slashes is empty".into()
        } else {
            format!(
                "`{wrong}` is not made of small letters and digits, with single `.`, `_` or `-` between them"
            )
        });
    }
    let repository = if registry == DEFAULT_REGISTRY && !path.contains('/') {
        format!("{DEFAULT_PATH}/{path}")
    } else {
        path.to_owned()
    };
    if registry.len() + repository.len() > LONGEST_NAME {
        return Err(format!("it is longer than {LONGEST_NAME} characters"));
    }
    Ok(Reference {
        registry,
        repository,
        tag,
        digest,
    })
}

/// Whether the part before the first slash is a host, and not the first part of a path.
fn is_host(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':']) || part.chars().any(|c| c.is_ascii_uppercase())
}

fn checked_host(host: &str) -> Result<String, String> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let number = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let name_fits = match number {
        Some(number) => number.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        }),
    };
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if !name_fits || !port_fits {
        return Err(format!("`{host}` is no host"));
    }
    let small = host.to_ascii_lowercase();
    Ok(match small.as_str() {
        "index.docker.io" | DEFAULT_HOST => DEFAULT_REGISTRY.to_owned(),
        // Where only its capitals tell a host from a path, they are kept.
        _ if !is_host(&small) => host.to_owned(),
        _ => small,
    })
}

/// Letters and digits in runs, parted by `.`, `_`, `__` or any number of `-`.
fn is_path_part(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut gaps = part
        .split(alphanumeric)
        .filter(|separator| !separator.is_empty());
    part.starts_with(alphanumeric)
        && part.ends_with(alphanumeric)
        && gaps.all(|gap| matches!(gap, "." | "_" | "__") || gap.bytes().all(|each| each == b'-'))
}

fn checked_tag(tag: &str) -> Result<String, String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !tag.starts_with(word) || !tag.chars().all(|c| word(c) || matches!(c, '.' | '-')) {
        return Err(format!(
            "the tag `{tag}` is not made of letters, digits, `_`, `.` and `-`, beginning with one of the first three"
        ));
    }
    if tag.len() > LONGEST_TAG {
        return Err(format!("the tag is longer than {LONGEST_TAG} characters"));
    }
    Ok(tag.to_owned())
}

fn checked_digest(digest: &str) -> Result<String, String> {
    let hex = digest.strip_prefix(ALGORITHM);
    if hex.is_some_and(is_hex_sha256) {
        Ok(digest.to_owned())
    } else {
        Err(format!(
            "`{digest}` is not `{ALGORITHM}` and 64 small hexadecimal digits"
        ))
    }
}

fn is_hex_sha256(hex: &str) -> bool {
    hex.len() == 64
        && hex
            .bytes()
            .all(|each| matches!(each, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest() -> String {
        format!("{ALGORITHM}{}", "0123456789abcdef".repeat(4))
    }

    #[test]
    fn names_are_read_as_engines_read_them() {
        let digest = digest();
        for (text, whole) in [
            ("agent", "docker.io/library/agent".to_owned()),
            ("team/agent:1", "docker.io/team/agent:1".to_owned()),
            (
                "index.docker.io/team/agent",
                "docker.io/team/agent".to_owned(),
            ),
            ("localhost/a", "localhost/a".to_owned()),
            ("localhost:5000/a:5", "localhost:5000/a:5".to_owned()),
            ("[::1]:5000/a/b__c", "[::1]:5000/a/b__c".to_owned()),
            (
                "Registry.example.com/a-b--c/d.e_f:A.b-1",
                "registry.example.com/a-b--c/d.e_f:A.b-1".to_owned(),
            ),
            (&format!("r.io/a:1@{digest}"), format!("r.io/a:1@{digest}")),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), whole);
        }
    }

    #[test]
    fn the_digest_counts_more_than_the_tag() {
        let digest = digest();
        let wanted = |text: &str| text.parse::<Reference>().unwrap().wanted().to_owned();
        assert_eq!(wanted("a"), "latest");
        assert_eq!(wanted("a:1"), "1");
        assert_eq!(wanted(&format!("a:1@{digest}")), digest);
    }

    #[test]
    fn the_public_registry_answers_at_another_host() {
        let reference: Reference = "agent".parse().unwrap();
        assert_eq!(reference.host(), "registry-1.docker.io");
        let reference: Reference = "localhost:5000/agent".parse().unwrap();
        assert_eq!(reference.host(), "localhost:5000");
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_part_at_fault() {
        for (text, part) in [
            ("", "no name"),
            ("https://r.io/a", "https://"),
            ("Agent", "capital"),
            ("r.io/", "no name"),
            ("r.io//a", "empty"),
            ("r.io/a..b", "`a..b`"),
            ("r.io/a___b", "`a___b`"),
            ("r.io/-a", "`-a`"),
            ("r.io/a/../b", "`..`"),
            ("a:", "tag"),
            ("a:-1", "`-1`"),
            ("a:b c", "`b c`"),
            ("a:b?x=1", "tag"),
            ("r.io:port/a", "`r.io:port`"),
            ("r.io:99999/a", "`r.io:99999`"),
            ("user:pw@r.io/a", "login"),
            ("a@sha256:12", "hexadecimal"),
            ("-r.io/a", "no host"),
            ("é/a", "`é`"),
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!(error.kind, OciErrorKind::Invalid);
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
        let error = "user:pw@r.io/a".parse::<Reference>().unwrap_err();
        assert!(!error.to_string().contains("pw@"), "{error}");
        assert!(
            format!("a:{}", "x".repeat(129))
                .parse::<Reference>()
                .is_err()
        );
        assert!("x".repeat(256).parse::<Reference>().is_err());
    }
}
