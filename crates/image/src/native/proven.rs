//! What an image was proven by: public evidence, and a statement of it that a tool of the user's can sign.

use bowline_oci::{Digest, Document, json_bytes};
use serde::{Deserialize, Serialize};

use super::artifact::{AttachedFile, Attachment};

/// The kind of artifact that holds the public evidence of an image's warehouse connectors.
pub const EVIDENCE_ARTIFACT: &str = "application/vnd.bowline.evidence.v1";
/// The kind of artifact that holds a statement as in-toto has it, which is not signed.
pub const STATEMENT_ARTIFACT: &str = "application/vnd.in-toto+json";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";
const STATEMENT_FILE: &str = "test-result.intoto.json";
const EVIDENCE_MEDIA_TYPE: &str = "application/gzip";

/// What is known of a connector's proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenConnector {
    /// The connector's name.
    pub name: String,
    /// Its public evidence, as it is attached.
    pub evidence: Vec<u8>,
    /// The server that it was proven on, as that names itself.
    pub server: String,
    /// The version of the program that asked.
    pub bowline_version: String,
    /// The checks that were supported.
    pub passed: Vec<String>,
    /// The checks whose answer is unknown.
    pub warned: Vec<String>,
    /// The checks that fell short or were blocked. What they are about was left out of the export.
    pub failed: Vec<String>,
}

/// A statement of in-toto's, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Resource>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: TestResult,
}

/// The predicate `test-result`, version 0.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TestResult {
    result: Outcome,
    configuration: Vec<Resource>,
    passed_tests: Vec<String>,
    warned_tests: Vec<String>,
    failed_tests: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Outcome {
    Passed,
    Warned,
    Failed,
}

/// Something that is named by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    name: String,
    digest: Sha256,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sha256 {
    sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Annotations {
    server: String,
    bowline: String,
}

impl Sha256 {
    fn of(digest: &Digest) -> Self {
        Self {
            sha256: digest.hex().to_owned(),
        }
    }
}

impl TestResult {
    fn of(proven: &[ProvenConnector]) -> Self {
        let of_all = |tests: fn(&ProvenConnector) -> &[String]| -> Vec<String> {
            let each = proven.iter().flat_map(|connector| {
                let tests = tests(connector).iter();
                tests.map(|test| format!("{}/{test}", connector.name))
            });
            each.collect()
        };
        let [passed_tests, warned_tests, failed_tests] = [
            of_all(|connector| &connector.passed),
            of_all(|connector| &connector.warned),
            of_all(|connector| &connector.failed),
        ];
        Self {
            result: match (failed_tests.is_empty(), warned_tests.is_empty()) {
                (true, true) => Outcome::Passed,
                (true, false) => Outcome::Warned,
                (false, _) => Outcome::Failed,
            },
            configuration: proven
                .iter()
                .map(|connector| Resource {
                    name: evidence_title(&connector.name),
                    digest: Sha256::of(&Digest::of(&connector.evidence)),
                    media_type: Some(EVIDENCE_MEDIA_TYPE.to_owned()),
                    annotations: Some(Annotations {
                        server: connector.server.clone(),
                        bowline: connector.bowline_version.clone(),
                    }),
                })
                .collect(),
            passed_tests,
            warned_tests,
            failed_tests,
        }
    }

    /// The same, whatever the order of its parts.
    fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.configuration.sort_by(|a, b| a.name.cmp(&b.name));
        for tests in [
            &mut sorted.passed_tests,
            &mut sorted.warned_tests,
            &mut sorted.failed_tests,
        ] {
            tests.sort();
        }
        sorted
    }
}

impl Statement {
    /// States what was found of the connectors in an image, whose name is `name`.
    fn of(name: &str, image: &Document, proven: &[ProvenConnector]) -> Self {
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject: vec![Resource {
                name: name.to_owned(),
                digest: Sha256::of(&image.digest),
                media_type: None,
                annotations: None,
            }],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: TestResult::of(proven),
        }
    }

    /// Whether it is about this image.
    #[must_use]
    pub fn is_about(&self, image: &Digest) -> bool {
        let image = Sha256::of(image);
        self.kind == STATEMENT_TYPE
            && self.predicate_type == PREDICATE_TYPE
            && self.subject.iter().any(|subject| subject.digest == image)
    }

    /// Whether it states this of the connectors, and no more.
    #[must_use]
    pub fn states(&self, proven: &[ProvenConnector]) -> bool {
        self.predicate.sorted() == TestResult::of(proven).sorted()
    }
}

/// What a connector's evidence is called among what is attached.
pub(crate) fn evidence_title(connector: &str) -> String {
    format!("connectors/{connector}/evidence.jsonl.gz")
}

/// What is attached to an image of which something was proven.
pub(super) fn attachments(
    name: &str,
    image: &Document,
    proven: &[ProvenConnector],
) -> Vec<Attachment> {
    if proven.is_empty() {
        return Vec::new();
    }
    let statement = Statement::of(name, image, proven);
    let evidence = proven.iter().map(|connector| AttachedFile {
        title: evidence_title(&connector.name),
        media_type: EVIDENCE_MEDIA_TYPE.to_owned(),
        bytes: connector.evidence.clone(),
    });
    vec![
        Attachment {
            artifact_type: EVIDENCE_ARTIFACT.to_owned(),
            files: evidence.collect(),
        },
        Attachment {
            artifact_type: STATEMENT_ARTIFACT.to_owned(),
            files: vec![AttachedFile {
                title: STATEMENT_FILE.to_owned(),
                media_type: STATEMENT_ARTIFACT.to_owned(),
                bytes: json_bytes(&statement),
            }],
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proven(name: &str) -> ProvenConnector {
        let tests = |test: &str| vec![test.to_owned()];
        ProvenConnector {
            name: name.to_owned(),
            evidence: name.as_bytes().to_vec(),
            server: "Fake 1".to_owned(),
            bowline_version: "0.1.0".to_owned(),
            passed: tests("a"),
            warned: tests("b"),
            failed: tests("c"),
        }
    }

    #[test]
    fn a_statement_states_what_was_proven_and_no_more() {
        let image = Document {
            media_type: "text/plain".to_owned(),
            digest: Digest::of(b"image"),
            bytes: b"image".to_vec(),
        };
        let both = [proven("one"), proven("two")];
        let stated = Statement::of("image", &image, &both);
        let [one, two] = both.clone();
        assert!(stated.is_about(&image.digest) && stated.states(&both));
        assert!(stated.states(&[two, one.clone()]));
        assert!(!stated.states(&[one]));
        let changes: [fn(&mut TestResult); 5] = [
            |predicate| predicate.result = Outcome::Passed,
            |predicate| predicate.passed_tests.push("one/invented".to_owned()),
            |predicate| predicate.passed_tests.append(&mut predicate.failed_tests),
            |predicate| drop(predicate.warned_tests.pop()),
            |predicate| predicate.configuration[0].digest = Sha256::of(&Digest::of(b"other")),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = stated.clone();
            change(&mut changed.predicate);
            assert!(!changed.states(&both), "change {number}");
        }
    }
}
