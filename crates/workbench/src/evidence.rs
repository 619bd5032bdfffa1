//! What verdicts rest on: kept after a whole run, judged again without the database, compared with an export.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bowline_conformance::warehouse::{
    self as suite, Claimed, Claims, Export, Interrupt, Options, Report, Subject,
};
use bowline_connector::{Credentials, Workspace};
use bowline_contract::layout::{
    CREDENTIALS_FILE, EVIDENCE_DIR, EVIDENCE_ENDING, EVIDENCE_FILE, MANIFEST_FILE, OUTPUT_DIR,
    PUBLIC_EVIDENCE_FILE,
};
use bowline_contract::{AssetClass, ConnectorName, SourceManifest, SuiteSection, Template};
use bowline_driver::{Database, ReplayingDatabase, SqlError};
use bowline_evidence::{Evidence, EvidenceError, EvidenceErrorKind, pack, unpack};
use bowline_warehouse::Connector;
use bowline_warehouse::template::TemplateSet;
use bowline_words::counted;
use serde_json::{Map, Value};

use crate::WorkbenchError;
use crate::warehouse::{Recorded, unreachable};
use crate::whole_file::{Readers, write_whole};

/// What was judged again from evidence.
#[derive(Debug)]
pub struct Judged {
    /// What it comes to now; the same as then, if nothing changed.
    pub report: Report,
    /// The templates that are not those of the run.
    pub changed: Vec<&'static Template>,
    /// The statements that would have to be asked, because the evidence does not hold them, each with the piece of work
    /// that asks it.
    pub not_recorded: BTreeSet<(Arc<str>, String)>,
    /// How many checks are confidential, so that the evidence holds no more of them than what they found.
    pub confidential: usize,
}

/// Where the evidence of a connector's last whole run is, or what of it its export shows to everybody.
fn path_of(connector: &Connector, file: &str) -> Result<PathBuf, WorkbenchError> {
    let output = Workspace::find(&connector.dir)?.output_dir(&connector.name);
    Ok(output.join(EVIDENCE_DIR).join(file))
}

/// Where evidence may be committed.
fn public_path_of(connector: &Connector) -> Result<PathBuf, WorkbenchError> {
    let folder = Workspace::find(&connector.dir)?.root().join(EVIDENCE_DIR);
    Ok(folder.join(format!("{}{EVIDENCE_ENDING}", connector.name)))
}

/// Keeps a run's evidence if the run was whole: every section, to its end. Gives whether it was.
///
/// # Errors
/// [`WorkbenchError::EvidenceFile`].
pub fn keep(connector: &Connector, recorded: &Recorded) -> Result<bool, WorkbenchError> {
    let report = &recorded.report;
    if report.interrupted || report.sections != SuiteSection::ALL {
        return Ok(false);
    }
    // It holds what a catalogue and a query log answered: only the user may read it, as a temporary file has it.
    write(
        path_of(connector, EVIDENCE_FILE)?,
        &recorded.evidence,
        Readers::Owner,
    )?;
    Ok(true)
}

/// Keeps beside an export what of its evidence may be shown to everybody.
///
/// # Errors
/// [`WorkbenchError::EvidenceFile`].
pub fn publish(connector: &Connector, recorded: &Recorded) -> Result<(), WorkbenchError> {
    let credentials = Credentials::read(&connector.dir.join(CREDENTIALS_FILE));
    let redactor = credentials.map(|read| read.strict_redactor());
    let redactor = redactor.unwrap_or_default();
    let public = Evidence::parse(&recorded.evidence, EVIDENCE_FILE)
        .map_err(WorkbenchError::Evidence)?
        .public(&recorded.report, &connector.templates, &redactor)
        .to_text(&redactor);
    let path = path_of(connector, PUBLIC_EVIDENCE_FILE)?;
    write(path, &public, Readers::Everybody)
}

/// Puts the public evidence of a connector's export where it may be committed, and gives where that is.
///
/// # Errors
/// [`WorkbenchError::EvidenceFile`].
pub fn offer(connector: &Connector) -> Result<PathBuf, WorkbenchError> {
    let path = public_path_of(connector)?;
    let failed = |error| WorkbenchError::EvidenceFile {
        path: path.clone(),
        error,
    };
    fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(failed)?;
    fs::copy(path_of(connector, PUBLIC_EVIDENCE_FILE)?, &path).map_err(failed)?;
    Ok(path)
}

fn write(path: PathBuf, text: &str, readers: Readers) -> Result<(), WorkbenchError> {
    let written = || {
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        let mut packed = Vec::new();
        pack(text, &mut packed)?;
        write_whole(&path, &packed, readers)
    };
    written().map_err(|error| WorkbenchError::EvidenceFile {
        path: path.clone(),
        error,
    })
}

/// Reads the evidence of a connector: of its last whole run, or the public one that was committed, where that fits more
/// of the templates, or as many and is of a later moment.
///
/// # Errors
/// [`WorkbenchError::NoEvidence`], [`WorkbenchError::EvidenceFile`] and [`WorkbenchError::Evidence`].
pub fn read(connector: &Connector) -> Result<Evidence, WorkbenchError> {
    let committed = read_file(public_path_of(connector)?)?;
    let found = [read_own(connector)?, committed].into_iter().flatten();
    found
        .min_by_key(|evidence| {
            let changed = evidence.changed(&connector.templates).len();
            (changed, Reverse(evidence.now))
        })
        .ok_or_else(|| WorkbenchError::NoEvidence {
            connector: connector.name.to_string(),
        })
}

/// Reads the evidence of a connector's last whole run here; none where there was none.
///
/// # Errors
/// [`WorkbenchError::EvidenceFile`] and [`WorkbenchError::Evidence`].
pub(crate) fn read_own(connector: &Connector) -> Result<Option<Evidence>, WorkbenchError> {
    read_file(path_of(connector, EVIDENCE_FILE)?)
}

fn read_file(path: PathBuf) -> Result<Option<Evidence>, WorkbenchError> {
    match fs::read(&path) {
        Ok(packed) => unpack(&packed, &path.display().to_string())
            .map(Some)
            .map_err(WorkbenchError::Evidence),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WorkbenchError::EvidenceFile { path, error }),
    }
}

/// Judges a run again from its evidence: no database is asked, and no credentials are read.
///
/// # Errors
/// [`WorkbenchError::Connect`] when the evidence says that no connection could be opened.
pub fn judge_again(connector: &Connector, evidence: Evidence) -> Result<Judged, WorkbenchError> {
    judge(&connector.templates, evidence).map_err(|source| unreachable(connector, source))
}

/// Judges these templates by evidence.
fn judge(templates: &TemplateSet, evidence: Evidence) -> Result<Judged, SqlError> {
    let changed = evidence.changed(templates);
    let claims = evidence.public.map(|public| Claims {
        claims: public.claims,
        changed: changed.clone(),
    });
    let confidential = claims.as_ref().map_or(0, |claims| {
        let claims = claims.claims.iter();
        claims
            .filter(|claim| claim.found != Claimed::NotAsked)
            .count()
    });
    let options = Options {
        sections: evidence.sections,
        tier: evidence.tier,
        now: Some(evidence.now),
        began: evidence.began,
        claims,
        ..Options::default()
    };
    let is_as_it_was = changed.is_empty() && evidence.bowline_version == env!("CARGO_PKG_VERSION");
    // Else questions may share other statements.
    let standing = (!is_as_it_was).then(|| suite::standing_answers(&evidence.recording));
    let replaying =
        ReplayingDatabase::new(evidence.recording).or_else(standing.unwrap_or_default());
    let replaying = Arc::new(replaying);
    let subject = Subject {
        templates: Arc::new(templates.clone()),
        database: Arc::clone(&replaying) as Arc<dyn Database>,
        functional: evidence.functional,
    };
    let report = suite::run(&subject, &options, &Interrupt::default(), &|_| {})?;
    Ok(Judged {
        report: Report {
            elapsed: evidence.elapsed,
            connections: evidence.connections,
            ..report
        },
        changed,
        not_recorded: replaying.not_recorded(),
        confidential,
    })
}

/// What an export claims that its evidence does not show, a line each; nothing when it follows from it.
///
/// # Errors
/// [`WorkbenchError::Export`] when the evidence is of no whole run, or a file cannot be read.
pub fn unfounded(connector: &Connector, judged: &Judged) -> Result<Vec<String>, WorkbenchError> {
    let folder = Workspace::find(&connector.dir)?.output_dir(&connector.name);
    let files = Export::read(&folder).map_err(WorkbenchError::Export)?;
    if files.is_empty() {
        let name = &connector.name;
        return Ok(vec![format!(
            "there is no export in {OUTPUT_DIR}/{name}; `bowline test {name} --offline` shows what the evidence says"
        )]);
    }
    let version = env!("CARGO_PKG_VERSION");
    Export::new(
        &judged.report,
        &connector.manifest,
        &connector.templates,
        version,
    )
    .map(|export| export.differences(&files))
    .map_err(WorkbenchError::Export)
}

/// The public evidence beside an export.
#[derive(Debug)]
pub struct Published {
    /// The file.
    pub packed: Vec<u8>,
    /// What it comes to.
    pub judged: JudgedPublic,
}

/// Reads and judges the public evidence beside a connector's export; none where there is none.
///
/// # Errors
/// [`WorkbenchError::EvidenceFile`] and [`WorkbenchError::Evidence`].
pub fn read_published(
    workspace: &Workspace,
    connector: &ConnectorName,
) -> Result<Option<Published>, WorkbenchError> {
    let folder = workspace.output_dir(connector).join(EVIDENCE_DIR);
    let path = folder.join(PUBLIC_EVIDENCE_FILE);
    let packed = match fs::read(&path) {
        Ok(packed) => packed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(WorkbenchError::EvidenceFile { path, error }),
    };
    let place = path.display().to_string();
    let evidence = unpack(&packed, &place).map_err(WorkbenchError::Evidence)?;
    Ok(Some(Published {
        packed,
        judged: judge_public(evidence, &place)?,
    }))
}

/// Judges packed public evidence by the templates that it holds itself, where the connector's folder is not.
///
/// # Errors
/// [`WorkbenchError::Evidence`], also when it is not public, or its templates are not those that were proven.
pub fn judge_packed(packed: &[u8], place: &str) -> Result<JudgedPublic, WorkbenchError> {
    let evidence = unpack(packed, place).map_err(WorkbenchError::Evidence)?;
    judge_public(evidence, place)
}

fn judge_public(evidence: Evidence, place: &str) -> Result<JudgedPublic, WorkbenchError> {
    let refused = |kind| {
        WorkbenchError::Evidence(EvidenceError {
            kind,
            place: place.to_owned(),
            line: None,
        })
    };
    let malformed = |why: String| refused(EvidenceErrorKind::Malformed(why));
    let public = evidence.public.as_ref();
    let public = public.ok_or_else(|| malformed("it is not public evidence".to_owned()))?;
    let templates = public.templates();
    let templates = templates.map_err(|error| malformed(error.to_string()))?;
    let bowline_version = evidence.bowline_version.clone();
    let judged = judge(&templates, evidence).map_err(|error| malformed(error.text()))?;
    if !judged.changed.is_empty() {
        return Err(refused(EvidenceErrorKind::Changed));
    }
    Ok(JudgedPublic {
        bowline_version,
        judged,
        templates,
    })
}

/// What was judged from public evidence alone.
#[derive(Debug)]
pub struct JudgedPublic {
    /// The version of the program that asked.
    pub bowline_version: String,
    /// What it comes to.
    pub judged: Judged,
    templates: TemplateSet,
}

impl JudgedPublic {
    /// What the files of an export claim that the evidence does not show, a line each; nothing when they follow from it.
    /// `files` are its manifest and templates by their names below its folder, `place` is where they lie.
    ///
    /// # Errors
    /// [`WorkbenchError::ExportRead`] and [`WorkbenchError::Export`].
    pub fn unfounded(
        &self,
        files: &BTreeMap<String, Vec<u8>>,
        place: &str,
    ) -> Result<Vec<String>, WorkbenchError> {
        let manifest = identity(files).map_err(|why| WorkbenchError::ExportRead {
            place: place.to_owned(),
            why,
        })?;
        let version = manifest.other.get("setup_version").and_then(Value::as_str);
        let version = version.unwrap_or_default();
        let export = Export::new(&self.judged.report, &manifest, &self.templates, version)
            .map_err(WorkbenchError::Export)?;
        let mut unfounded = export.differences(files);
        let statements = self.judged.not_recorded.len();
        if statements > 0 {
            unfounded.push(format!(
                "the evidence lacks the answers to {}",
                counted(statements, "statement")
            ));
        }
        Ok(unfounded)
    }
}

/// Who the connector of an export is: its manifest without what that claims.
fn identity(files: &BTreeMap<String, Vec<u8>>) -> Result<SourceManifest, String> {
    let manifest = files
        .get(MANIFEST_FILE)
        .ok_or_else(|| format!("there is no `{MANIFEST_FILE}`"))?;
    let mut manifest: Map<String, Value> = serde_json::from_slice(manifest)
        .map_err(|error| format!("`{MANIFEST_FILE}` is no manifest: {error}"))?;
    // An export leaves out what is the same for all.
    manifest.insert(
        "asset_class".to_owned(),
        AssetClass::Warehouse.name().into(),
    );
    SourceManifest::parse(&Value::Object(manifest).to_string()).map_err(|error| error.to_string())
}
