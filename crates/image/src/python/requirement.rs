//! What connectors ask for, as far as it can be judged without the package index.

use std::collections::BTreeMap;

use bowline_contract::ConnectorName;

use crate::error::{ImageError, ImageErrorKind};
use crate::plan::PlannedConnector;

/// What an error about packages that cannot be had as wheels says to do.
pub(super) const USE_AN_ENGINE: &str =
    "build with `--builder docker`, `podman` or `buildah`: an engine builds it from its source";

/// How addresses begin that a version control answers to.
const VERSION_CONTROLS: [&str; 4] = ["git+", "hg+", "svn+", "bzr+"];

/// A package's name as the package index spells it: `Typing_Extensions` is `typing-extensions`.
pub(crate) fn normalized(name: &str) -> String {
    let mut spelled = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if spelled.ends_with('-') => {}
            '-' | '_' | '.' => spelled.push('-'),
            _ => spelled.extend(letter.to_lowercase()),
        }
    }
    spelled
}

/// The package that a requirement names, spelled as the index does; none for an option or a bare address.
pub(super) fn package(text: &str) -> Option<String> {
    let end = text
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && !rest.starts_with([':', '+', '/']);
    is_name.then(|| normalized(name))
}

/// The one version that a requirement allows, if it is so strict and holds everywhere.
pub(super) fn pin(text: &str) -> Option<(String, &str)> {
    let name = package(text)?;
    if text.contains(';') {
        return None;
    }
    let (_, version) = text.split_once("==")?;
    let version = version.trim_start_matches('=').trim();
    let end = version
        .find(|letter: char| letter.is_whitespace() || letter == ',')
        .unwrap_or(version.len());
    let version = &version[..end];
    (!version.ends_with('*')).then_some((name, version))
}

/// Why the connectors' packages cannot be had as wheels, as far as their requirements tell: one error for each reason,
/// none when nothing speaks against it.
#[must_use]
pub fn obstacles(connectors: &[PlannedConnector]) -> Vec<ImageError> {
    let mut found = Vec::new();
    let mut pins: BTreeMap<String, Vec<(&ConnectorName, &str)>> = BTreeMap::new();
    for connector in connectors {
        for requirement in &connector.requirements {
            let text = requirement.text.as_str();
            if let Some(why) = no_wheel(text) {
                found.push(
                    ImageError::new(
                        ImageErrorKind::NeedsEngine,
                        format!("connector `{}`", connector.name),
                    )
                    .because(format!(
                        "line {} of its requirements.txt {why}: `{text}`",
                        requirement.line
                    ))
                    .hint(USE_AN_ENGINE.to_owned()),
                );
            }
            if let Some((name, version)) = pin(text) {
                pins.entry(name)
                    .or_default()
                    .push((&connector.name, version));
            }
        }
    }
    for (name, pins) in pins {
        let other = pins.iter().find(|(_, version)| *version != pins[0].1);
        if let Some((connector, version)) = other {
            found.push(
                ImageError::new(ImageErrorKind::Packages, format!("package `{name}`"))
                    .because(format!(
                        "connector `{}` wants version {}, connector `{connector}` version {version}",
                        pins[0].0, pins[0].1
                    ))
                    .hint("all connectors of an image share its packages: agree on one version, or make two images".to_owned()),
            );
        }
    }
    found
}

/// Why a requirement can be no wheel.
fn no_wheel(text: &str) -> Option<&'static str> {
    let address = match text.split_once(" @ ") {
        Some((_, address)) => address.trim_start(),
        None => text,
    };
    if VERSION_CONTROLS
        .iter()
        .any(|prefix| address.starts_with(prefix))
    {
        return Some("asks for a source under version control");
    }
    let is_address = address.starts_with("https://") || address.starts_with("http://");
    let file = address.split(['#', '?', ' ']).next().unwrap_or(address);
    if is_address && !file.ends_with(".whl") {
        return Some("asks for a source archive");
    }
    text.starts_with("--no-binary")
        .then_some("forbids packages that are built already")
}

#[cfg(test)]
mod tests {
    use bowline_contract::manifest::AssetClass;
    use bowline_words::Diagnose;

    use super::*;
    use crate::plan::Requirement;

    fn connector(name: &str, lines: &[&str]) -> PlannedConnector {
        PlannedConnector {
            name: ConnectorName::parse(name).unwrap(),
            class: AssetClass::Warehouse,
            mode: None,
            root: format!("/opt/custom-connectors/{name}"),
            files: Vec::new(),
            requirements: (1..)
                .zip(lines)
                .map(|(line, text)| Requirement {
                    text: (*text).to_owned(),
                    line,
                })
                .collect(),
            extra: None,
            manifest: Vec::new(),
        }
    }

    #[test]
    fn names_are_spelled_as_the_index_spells_them() {
        assert_eq!(normalized("Typing__Extensions.x"), "typing-extensions-x");
        for (text, name) in [
            ("PyMySQL[rsa]>=1", Some("pymysql")),
            ("x", Some("x")),
            ("zope.interface @ https://h/x.whl", Some("zope-interface")),
            ("--index-url https://h", None),
            ("https://h/x.whl", None),
            ("git+https://h/x", None),
        ] {
            assert_eq!(package(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn what_can_be_no_wheel_is_told_with_its_line() {
        let connectors = [connector(
            "shop",
            &[
                "a==1",
                "b @ git+https://h/b",
                "https://h/c.tar.gz",
                "https://h/d-1-py3-none-any.whl#sha256=0",
            ],
        )];
        let found: Vec<String> = obstacles(&connectors)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0]
                .contains("line 2 of its requirements.txt asks for a source under version control"),
            "{}",
            found[0]
        );
        assert!(found[1].contains("line 3"), "{}", found[1]);
    }

    #[test]
    fn pins_that_contradict_each_other_are_told() {
        let pinned = |version: &str| format!("Markup_Safe == {version} --hash=sha256:00");
        let one = pinned("2.1.5");
        let other = pinned("3.0.0");
        let agree = [connector("a", &[&one]), connector("b", &[&one, "x==1.*"])];
        assert_eq!(obstacles(&agree), []);
        let differ = [connector("a", &[&one]), connector("b", &[&other])];
        let found = obstacles(&differ);
        assert_eq!(
            found[0].diagnose().to_string(),
            "cannot get the packages: package `markup-safe`\n\
             connector `a` wants version 2.1.5, connector `b` version 3.0.0\n\
             hint: all connectors of an image share its packages: agree on one version, or make two images"
        );
        let elsewhere = [
            connector("a", &["x==1; python_version < '3.9'"]),
            connector("b", &["x==2; python_version >= '3.9'"]),
        ];
        assert_eq!(obstacles(&elsewhere), []);
    }
}
