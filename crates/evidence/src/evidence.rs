//! The evidence of one run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bowline_conformance::Tier;
use bowline_conformance::warehouse::{Claim, Report, Step, is_confidential};
use bowline_contract::{SuiteSection, Template};
use bowline_driver::{RecordedStatement, Recording};
use bowline_template::{CompiledTemplate, TemplateError};
use bowline_warehouse::FunctionalTarget;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::template::{ConnectorTemplate, Origin, SuiteWords, TemplateSet};
use bowline_words::Redactor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::wire::{Statement, WrittenError, WrittenTogether, as_text};
use crate::withheld::without_words;
use crate::{EvidenceError, EvidenceErrorKind};

/// The version of the format that is written.
pub const VERSION: u64 = 1;

/// What a run asked a database and what came of it, with what it takes to judge it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The version of the program that asked.
    pub bowline_version: String,
    /// The connector's name.
    pub connector: String,
    /// How much was asked.
    pub tier: Tier,
    /// The sections that ran.
    pub sections: Vec<SuiteSection>,
    /// The moment that statements meant by now.
    pub now: Timestamp,
    /// When chained work began that was asked at another time than the rest.
    pub began: BTreeMap<String, Timestamp>,
    /// A digest of which database was asked, and how it was reached; never in public evidence.
    pub asked_of: Option<String>,
    /// How long the run took.
    pub elapsed: Duration,
    /// How many connections were used.
    pub connections: usize,
    /// Where functional checks made their table.
    pub functional: Option<FunctionalTarget>,
    /// A digest of each template's text, by its short name.
    pub templates: BTreeMap<String, String>,
    /// Every statement and its answer; in public evidence those that are not confidential.
    pub recording: Recording,
    /// What public evidence has in the place of what is confidential; none where nothing was left out.
    pub public: Option<Public>,
}

/// What public evidence has in the place of what is confidential, and what it takes to judge it where the connector's
/// folder is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Public {
    /// What the checks found whose statements and answers are left out.
    pub claims: Vec<Claim>,
    /// Every template, by its short name.
    templates: BTreeMap<String, Spelling>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    one_row_table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text_type: Option<String>,
}

/// A template's text, and the dialect pack that it is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spelling {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pack: Option<String>,
}

impl Spelling {
    /// Where it came from; the packs of a workspace are not at hand where evidence is read.
    fn origin(&self) -> Origin {
        let pack = self.pack.as_deref().and_then(Pack::find);
        pack.map_or(Origin::Composed, |pack| Origin::Pack(Arc::clone(pack)))
    }
}

impl Public {
    fn of(report: &Report, templates: &TemplateSet, redactor: &Redactor) -> Self {
        let digest_of = |steps: &[Step]| {
            let lines = steps.iter().map(|step| {
                let statement = RecordedStatement {
                    work: Arc::default(),
                    sql: step.sql.clone(),
                    answer: Some(step.answer.clone()),
                };
                line(&Statement::of(&statement, redactor))
            });
            digest(&lines.collect::<String>())
        };
        let spelling = |each: &ConnectorTemplate| Spelling {
            text: redactor.redact(&each.text),
            pack: match &each.origin {
                Origin::Pack(pack) => Some(pack.name.clone()),
                Origin::Composed | Origin::File { .. } => None,
            },
        };
        let named =
            |each: &ConnectorTemplate| (each.template.short_name().to_owned(), spelling(each));
        let SuiteWords {
            one_row_table,
            text_type,
        } = templates.suite().clone();
        Self {
            claims: Claim::all(report, digest_of),
            templates: templates.iter().map(named).collect(),
            one_row_table,
            text_type,
        }
    }

    /// The templates.
    ///
    /// # Errors
    /// What is wrong with one.
    pub fn templates(&self) -> Result<TemplateSet, TemplateError> {
        let mut templates = TemplateSet::default().with_suite(SuiteWords {
            one_row_table: self.one_row_table.clone(),
            text_type: self.text_type.clone(),
        });
        for (name, spelling) in &self.templates {
            let Some(template) = Template::find(name) else {
                continue;
            };
            templates.insert(ConnectorTemplate {
                template,
                text: spelling.text.clone(),
                origin: spelling.origin(),
                compiled: CompiledTemplate::compile(template.short_name(), &spelling.text)?,
            });
        }
        Ok(templates)
    }
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Heading {
    version: u64,
    bowline_version: String,
    connector: String,
    product: String,
    tier: Tier,
    sections: Vec<SuiteSection>,
    #[serde(with = "as_text")]
    now: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    began: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_of: Option<String>,
    elapsed_ns: u64,
    connections: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    functional: Option<Target>,
    templates: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public: Option<Public>,
    /// What came of opening each connection: an error, or nothing.
    opened: Vec<Option<WrittenError>>,
    /// What came of statements that were asked at the same time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    together: Vec<WrittenTogether>,
}

#[derive(Serialize, Deserialize)]
struct Target {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    schema: String,
    table: String,
}

/// What every version writes first.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ending {
    /// SHA-256 of all lines before, in hexadecimal.
    sha256: String,
}

impl Evidence {
    /// The evidence of a run that was recorded.
    #[must_use]
    pub fn new(
        connector: &str,
        templates: &TemplateSet,
        functional: Option<FunctionalTarget>,
        report: &Report,
        recording: Recording,
    ) -> Self {
        Self {
            bowline_version: env!("CARGO_PKG_VERSION").to_owned(),
            connector: connector.to_owned(),
            tier: report.tier,
            sections: report.sections.clone(),
            now: report.now,
            began: BTreeMap::new(),
            asked_of: None,
            elapsed: report.elapsed,
            connections: report.connections,
            functional,
            templates: digests(templates),
            recording,
            public: None,
        }
    }

    /// What may be shown to everybody: of checks that read a catalogue or a query log only what they found and digests of
    /// their answers, no words of errors, no name of a schema, and nothing of connections that were refused. `report` is what this evidence
    /// comes to.
    #[must_use]
    pub fn public(self, report: &Report, templates: &TemplateSet, redactor: &Redactor) -> Self {
        let mut recording = self.recording;
        let statements = &mut recording.statements;
        statements.retain(|statement| !is_confidential(&statement.work));
        recording.connections = vec![Ok(())];
        Self {
            // Whoever guesses it could tell by its digest.
            asked_of: None,
            functional: None,
            recording: without_words(recording),
            public: Some(Public::of(report, templates, redactor)),
            ..self
        }
    }

    /// The evidence as text, in which the redactor's secrets are masked.
    #[must_use]
    pub fn to_text(&self, redactor: &Redactor) -> String {
        let masked = |text: &String| redactor.redact(text);
        let heading = Heading {
            version: VERSION,
            bowline_version: self.bowline_version.clone(),
            connector: self.connector.clone(),
            product: redactor.redact(&self.recording.product),
            tier: self.tier,
            sections: self.sections.clone(),
            now: self.now,
            began: self
                .began
                .iter()
                .map(|(work, at)| (work.clone(), at.to_string()))
                .collect(),
            asked_of: self.asked_of.clone(),
            elapsed_ns: u64::try_from(self.elapsed.as_nanos()).unwrap_or(u64::MAX),
            connections: self.connections,
            functional: self.functional.as_ref().map(|target| Target {
                database: target.database.as_ref().map(masked),
                schema: masked(&target.schema),
                table: masked(&target.table),
            }),
            templates: self.templates.clone(),
            public: self.public.clone(),
            opened: self
                .recording
                .connections
                .iter()
                .map(|opened| {
                    let error = opened.as_ref().err();
                    error.map(|error| WrittenError::of(error, redactor))
                })
                .collect(),
            together: self
                .recording
                .together
                .iter()
                .map(|together| WrittenTogether::of(together, redactor))
                .collect(),
        };
        let mut text = line(&heading);
        for statement in &self.recording.statements {
            text.push_str(&line(&Statement::of(statement, redactor)));
        }
        let sha256 = digest(&text);
        text.push_str(&line(&Ending { sha256 }));
        text
    }

    /// Reads evidence; `place` is where the text stands, for errors.
    ///
    /// # Errors
    /// When it is not what was written: cut, changed, of a newer version, or no evidence at all.
    pub fn parse(text: &str, place: &str) -> Result<Self, EvidenceError> {
        let failed = |kind, line| EvidenceError {
            kind,
            place: place.to_owned(),
            line,
        };
        let malformed = |number: usize, reason: String| {
            failed(EvidenceErrorKind::Malformed(reason), Some(number))
        };
        let first = text.lines().next().unwrap_or_default();
        let versioned: Versioned =
            serde_json::from_str(first).map_err(|error| malformed(1, error.to_string()))?;
        if versioned.version > VERSION {
            return Err(failed(EvidenceErrorKind::Newer(versioned.version), None));
        }
        let cut = || failed(EvidenceErrorKind::Cut, None);
        let whole = text.strip_suffix('\n').ok_or_else(cut)?;
        let start = whole.rfind('\n').ok_or_else(cut)? + 1;
        let (body, last) = text.split_at(start);
        let ending: Ending = serde_json::from_str(last).map_err(|_| cut())?;
        if ending.sha256 != digest(body) {
            return Err(failed(EvidenceErrorKind::Changed, None));
        }
        let heading: Heading =
            serde_json::from_str(first).map_err(|error| malformed(1, error.to_string()))?;
        let began = heading.began.iter();
        let began = began.map(|(work, at)| Ok((work.clone(), at.parse()?)));
        let began = began.collect::<Result<_, jiff::Error>>();
        let began = began.map_err(|error| malformed(1, error.to_string()))?;
        let mut statements = Vec::new();
        for (index, line) in body.lines().enumerate().skip(1) {
            let statement: Result<Statement, _> = serde_json::from_str(line);
            let statement = statement.map_err(|error| error.to_string());
            let statement =
                statement.and_then(|statement| statement.read().map_err(|error| error.message));
            statements.push(statement.map_err(|reason| malformed(index + 1, reason))?);
        }
        Ok(Self {
            bowline_version: heading.bowline_version,
            connector: heading.connector,
            tier: heading.tier,
            sections: heading.sections,
            now: heading.now,
            began,
            asked_of: heading.asked_of,
            elapsed: Duration::from_nanos(heading.elapsed_ns),
            connections: heading.connections,
            functional: heading.functional.map(|target| FunctionalTarget {
                database: target.database,
                schema: target.schema,
                table: target.table,
            }),
            templates: heading.templates,
            public: heading.public,
            recording: Recording {
                product: heading.product,
                connections: heading
                    .opened
                    .into_iter()
                    .map(|error| error.map_or(Ok(()), |error| Err(error.read())))
                    .collect(),
                statements,
                together: heading
                    .together
                    .into_iter()
                    .map(WrittenTogether::read)
                    .collect(),
            },
        })
    }

    /// The templates that are not those of the run, in the contract's order: new, gone or with another text.
    #[must_use]
    pub fn changed(&self, templates: &TemplateSet) -> Vec<&'static Template> {
        let now = digests(templates);
        Template::all()
            .filter(|template| {
                let name = template.short_name();
                self.templates.get(name) != now.get(name)
            })
            .collect()
    }
}

fn digests(templates: &TemplateSet) -> BTreeMap<String, String> {
    templates
        .iter()
        .map(|each| (each.template.short_name().to_owned(), digest(&each.text)))
        .collect()
}

/// SHA-256 of a text, in hexadecimal.
#[must_use]
pub fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Something as one line of JSON.
fn line(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).expect("a value of ours has a text in JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pack, unpack};
    use bowline_driver::{Answer, ResultSet, SqlError, SqlErrorKind, Value};

    fn evidence() -> Evidence {
        let answered = |sql: &str, result| RecordedStatement {
            work: "metadata".into(),
            sql: sql.to_owned(),
            answer: Some(Answer {
                result,
                asked: Timestamp::UNIX_EPOCH,
                elapsed: Duration::from_micros(3),
            }),
        };
        let nested = Value::Struct(vec![(
            "held".to_owned(),
            Value::List(vec!["hunter2!".into(), f64::INFINITY.into()]),
        )]);
        let row = vec![1_i64.into(), "hunter2!".into(), nested];
        let one = ResultSet {
            has_more: true,
            ..ResultSet::with_rows(["n", "t", "nested"], [row])
        };
        let refusal = SqlError::new(SqlErrorKind::Syntax, "near hunter2!");
        Evidence {
            bowline_version: "0.1.0".to_owned(),
            connector: "shop".to_owned(),
            tier: Tier::Strict,
            sections: SuiteSection::ALL.to_vec(),
            now: Timestamp::UNIX_EPOCH,
            began: [("functional".to_owned(), Timestamp::UNIX_EPOCH)].into(),
            asked_of: Some(digest("there")),
            elapsed: Duration::from_millis(12),
            connections: 2,
            functional: None,
            templates: BTreeMap::new(),
            recording: Recording {
                product: "Fake 1".to_owned(),
                connections: vec![Ok(())],
                statements: vec![
                    answered("SELECT 1", Ok(Arc::new(one))),
                    answered("SELECT", Err(refusal)),
                    RecordedStatement {
                        work: Arc::default(),
                        sql: "SELECT 2".to_owned(),
                        answer: None,
                    },
                ],
                together: vec![
                    None,
                    Some(Ok(vec![Ok(vec![vec![1_i64.into()]]), Err("no".into())])),
                ],
            },
            public: None,
        }
    }

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let text = evidence().to_text(&Redactor::default());
        assert_eq!(Evidence::parse(&text, "run.jsonl").unwrap(), evidence());
    }

    #[test]
    fn secrets_are_masked_before_anything_is_written() {
        let text = evidence().to_text(&Redactor::new(["hunter2!".to_owned()]));
        assert!(
            !text.contains("hunter2") && text.contains("near ***"),
            "{text}"
        );
        Evidence::parse(&text, "run.jsonl").unwrap();
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_told() {
        let text = evidence().to_text(&Redactor::default());
        let mut packed = Vec::new();
        pack(&text, &mut packed).unwrap();
        assert_eq!(unpack(&packed, "run.jsonl.gz").unwrap(), evidence());
        for at in 0..packed.len() {
            let mut changed = packed.clone();
            changed[at] ^= 1;
            assert!(unpack(&changed, "run.jsonl.gz").is_err(), "byte {at}");
            assert!(
                unpack(&packed[..at], "run.jsonl.gz").is_err(),
                "cut at {at}"
            );
        }
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(Evidence::parse(&changed, "run.jsonl").is_err(), "byte {at}");
            }
            if text.is_char_boundary(at) {
                assert!(
                    Evidence::parse(&text[..at], "run.jsonl").is_err(),
                    "cut at {at}"
                );
            }
        }
    }

    #[test]
    fn a_newer_version_is_refused_with_both() {
        let error = Evidence::parse("{\"version\": 99}\n{}\n", "run.jsonl").unwrap_err();
        assert_eq!(error.kind, EvidenceErrorKind::Newer(99));
        assert_eq!(
            error.kind.to_string(),
            "it has version 99, and this program reads up to 1"
        );
    }
}
