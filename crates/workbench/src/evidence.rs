//! What verdicts rest on: kept after a whole run, judged again without the database, compared with an export.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bowline_conformance::warehouse::{self as suite, Export, Interrupt, Options, Report, Subject};
use bowline_connector::Workspace;
use bowline_contract::layout::{EVIDENCE_DIR, EVIDENCE_FILE};
use bowline_contract::{SuiteSection, Template};
use bowline_driver::{Database, ReplayingDatabase};
use bowline_evidence::{Evidence, pack, unpack};
use bowline_warehouse::Connector;

use crate::WorkbenchError;
use crate::warehouse::{Recorded, unreachable};

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
}

/// Where the evidence of a connector's last whole run is.
fn path_of(connector: &Connector) -> Result<PathBuf, WorkbenchError> {
    let output = Workspace::find(&connector.dir)?.output_dir(&connector.name);
    Ok(output.join(EVIDENCE_DIR).join(EVIDENCE_FILE))
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
    let path = path_of(connector)?;
    let failed = |error| WorkbenchError::EvidenceFile {
        path: path.clone(),
        error,
    };
    let folder = path.parent().unwrap_or(&path);
    std::fs::create_dir_all(folder).map_err(failed)?;
    // It holds what a catalogue and a query log answered: only the user may read it, as a temporary file has it.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    pack(&recorded.evidence, &mut file).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(true)
}

/// Reads the evidence of a connector's last whole run.
///
/// # Errors
/// [`WorkbenchError::NoEvidence`], [`WorkbenchError::EvidenceFile`] and [`WorkbenchError::Evidence`].
pub fn read(connector: &Connector) -> Result<Evidence, WorkbenchError> {
    let path = path_of(connector)?;
    let packed = match std::fs::read(&path) {
        Ok(packed) => packed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(WorkbenchError::NoEvidence {
                connector: connector.name.to_string(),
            });
        }
        Err(error) => return Err(WorkbenchError::EvidenceFile { path, error }),
    };
    unpack(&packed, &path.display().to_string()).map_err(WorkbenchError::Evidence)
}

/// Judges a run again from its evidence: no database is asked, and no credentials are read.
///
/// # Errors
/// [`WorkbenchError::Connect`] when the evidence says that no connection could be opened.
pub fn judge_again(connector: &Connector, evidence: Evidence) -> Result<Judged, WorkbenchError> {
    let changed = evidence.changed(&connector.templates);
    let options = Options {
        sections: evidence.sections,
        tier: evidence.tier,
        now: Some(evidence.now),
        began: evidence.began,
        ..Options::default()
    };
    let replaying = Arc::new(ReplayingDatabase::new(evidence.recording));
    let subject = Subject {
        templates: Arc::new(connector.templates.clone()),
        database: Arc::clone(&replaying) as Arc<dyn Database>,
        functional: evidence.functional,
    };
    let report = suite::run(&subject, &options, &Interrupt::default(), &|_| {})
        .map_err(|source| unreachable(connector, source))?;
    Ok(Judged {
        report: Report {
            elapsed: evidence.elapsed,
            connections: evidence.connections,
            ..report
        },
        changed,
        not_recorded: replaying.not_recorded(),
    })
}

/// What an export claims that its evidence does not show, a line each; nothing when it follows from it.
///
/// # Errors
/// [`WorkbenchError::Export`] when the evidence is of no whole run, or a file cannot be read.
pub fn unfounded(connector: &Connector, judged: &Judged) -> Result<Vec<String>, WorkbenchError> {
    let folder = Workspace::find(&connector.dir)?.output_dir(&connector.name);
    let version = env!("CARGO_PKG_VERSION");
    Export::new(
        &judged.report,
        &connector.manifest,
        &connector.templates,
        version,
    )
    .and_then(|export| export.differences(&folder))
    .map_err(WorkbenchError::Export)
}
