//! Warehouse connectors: load, open, prove, export.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{
    self as suite, Export, Interrupt, Options, Outcome, Proof, Report, Subject, TemplateReport,
};
use bowline_connector::{Credentials, Located, Workspace};
use bowline_contract::credentials::SecretScan;
use bowline_contract::layout::{
    CONNECTOR_FILE, CREDENTIALS_FILE, MANIFEST_FILE, exported_template_file, named_credentials_file,
};
use bowline_contract::{ConnectorName, SuiteSection, Template};
use bowline_driver::{
    Connection, Database, Limits, Recording, RecordingDatabase, SqlError, SqlErrorKind,
};
use bowline_evidence::{Evidence, digest};
use bowline_warehouse::dialect::{Found, NewPack, Pack, ProvenOn};
use bowline_warehouse::{Connector, FunctionalTarget, OpenError};
use serde_json::Value;

use crate::interruptible::Interruptible;
use crate::locate::advise;
use crate::table_lock::TableLock;
use crate::{Event, Run, WorkbenchError, credentials};

/// Loads a connector.
///
/// # Errors
/// [`WorkbenchError::Load`], with every mistake in its files.
pub fn load(found: &Located, on_event: &dyn Fn(Event<'_>)) -> Result<Connector, WorkbenchError> {
    on_event(Event::Loading { dir: &found.dir });
    let connector = Connector::load_with(&found.dir, &mut |event| {
        on_event(Event::Environment(event));
    })?;
    advise(&found.dir, &connector.manifest.advices, on_event);
    for advice in &connector.advices {
        on_event(Event::Advice(advice));
    }
    Ok(connector)
}

/// Reads a connector's credentials and checks them against its manifest's schema. What is secret in them is told first.
///
/// # Errors
/// [`WorkbenchError::Credentials`] and [`WorkbenchError::CredentialsCheck`].
pub fn credentials(
    connector: &Connector,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Credentials, WorkbenchError> {
    let schema = connector.manifest.credentials_schema.as_ref();
    credentials::read(&connector.dir, CREDENTIALS_FILE, schema, on_event)
}

/// Opens a connector's database; connecting may wait, and what a connection runs first stays within the limits. Relative paths in the credentials begin in the workspace's folder.
///
/// # Errors
/// [`WorkbenchError::Expression`] and [`WorkbenchError::Connect`].
pub fn open(
    connector: &Connector,
    credentials: &Credentials,
    limits: &Limits,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Arc<dyn Database>, WorkbenchError> {
    let opened = || {
        let missing = connector.missing_file(credentials)?;
        let database = connector.open(credentials, limits)?;
        if let Some(missing) = &missing {
            on_event(Event::NoSuchFile(missing));
        }
        Ok(database)
    };
    opened().map_err(|error| unopened(connector, error))
}

/// Makes a connection.
///
/// # Errors
/// [`WorkbenchError::Connect`].
pub fn connect(
    connector: &Connector,
    database: &dyn Database,
) -> Result<Box<dyn Connection>, WorkbenchError> {
    database
        .connect()
        .map_err(|source| unreachable(connector, source))
}

/// Runs the suite over a connector and its live database. Stopping the run gives a report of what was found until then.
///
/// Runs of one workspace that change the same test table take turns.
///
/// # Errors
/// When the credentials cannot be used or the database cannot be reached.
pub fn prove(
    connector: &Connector,
    options: &Options,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Recorded, WorkbenchError> {
    let credentials = credentials(connector, on_event)?;
    prove_by(&credentials, connector, options, run, on_event)
}

/// The same over another server, by the credentials of this name.
///
/// # Errors
/// As [`prove`].
pub fn prove_against(
    name: &str,
    connector: &Connector,
    options: &Options,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Report, WorkbenchError> {
    let schema = connector.manifest.credentials_schema.as_ref();
    let file = named_credentials_file(name);
    let credentials = credentials::read(&connector.dir, &file, schema, on_event)?;
    let recorded = prove_by(&credentials, connector, options, run, on_event)?;
    Ok(recorded.report)
}

fn prove_by(
    credentials: &Credentials,
    connector: &Connector,
    options: &Options,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Recorded, WorkbenchError> {
    let changes = functional_target(connector, credentials)?.is_some()
        && options.sections.contains(&SuiteSection::Functional);
    let _lock = changes
        .then(|| TableLock::take(connector, credentials, run, on_event))
        .transpose()?;
    let live = open(connector, credentials, &options.limits, on_event)?;
    on_event(Event::Connecting {
        connector: &connector.name,
    });
    prove_on(live, connector, credentials, options, run, on_event)
}

/// Runs the suite over a database, and keeps what it rests on.
pub(crate) fn prove_on(
    database: Arc<dyn Database>,
    connector: &Connector,
    credentials: &Credentials,
    options: &Options,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Recorded, WorkbenchError> {
    let functional = functional_target(connector, credentials)?;
    let target = functional.clone();
    let (report, recording) = ask(connector, database, target, options, run, on_event)?;
    let masked = masked(credentials, &recording);
    let evidence = Evidence {
        began: options.began.clone(),
        asked_of: connector.way(credentials).as_deref().map(digest),
        ..Evidence::new(
            connector.name.as_str(),
            &connector.templates,
            functional,
            &report,
            recording,
        )
    };
    Ok(Recorded {
        report,
        evidence: evidence.to_text(&credentials.strict_redactor()),
        masked,
    })
}

/// The credentials whose values stand in statements.
fn masked(credentials: &Credentials, recording: &Recording) -> Vec<String> {
    let stands = |key: &String, value: &Value| {
        let alone =
            Credentials::of_connect_args([(key.clone(), value.clone())].into_iter().collect());
        let mut statements = recording.statements.iter();
        statements.any(|statement| alone.redactor().find(&statement.sql).is_some())
    };
    let args = credentials.connect_args().iter();
    args.filter(|(key, value)| stands(key, value))
        .map(|(key, _)| key.clone())
        .collect()
}

/// Runs the suite over a database, whose every answer is written down.
pub(crate) fn ask(
    connector: &Connector,
    database: Arc<dyn Database>,
    functional: Option<FunctionalTarget>,
    options: &Options,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<(Report, Recording), WorkbenchError> {
    let recording = Arc::new(RecordingDatabase::new(Arc::new(Interruptible::new(
        database, run,
    ))));
    let subject = Subject {
        templates: Arc::new(connector.templates.clone()),
        database: Arc::clone(&recording) as Arc<dyn Database>,
        functional,
    };
    let interrupt = Interrupt::default();
    let stop = interrupt.clone();
    let _on_stop = run.on_stop(move || stop.stop());
    let report = suite::run(&subject, options, &interrupt, &|event| {
        on_event(Event::Warehouse(event));
    })
    .map_err(|source| match source.kind {
        SqlErrorKind::Cancelled if run.is_stopped() => WorkbenchError::Interrupted,
        _ => unreachable(connector, source),
    })?;
    Ok((report, recording.recording()))
}

/// What a run found out, and what it rests on.
#[derive(Debug)]
pub struct Recorded {
    /// What was found out.
    pub report: Report,
    /// Every statement and its answer, as [`Evidence`] is written; no secret of the credentials is in it.
    pub evidence: String,
    /// The credentials whose values are masked in statements too, which are not found again.
    pub masked: Vec<String>,
}

/// A connector and its database, taken for one run alone until this is dropped.
pub struct Taken {
    /// What is put to the test.
    pub subject: Subject,
    _lock: TableLock,
}

/// Takes a connector and its database for a run that changes the one and asks the other much; stopping the run ends a
/// connecting that waits.
///
/// # Errors
/// As [`prove`], and [`WorkbenchError::InUse`] where another run has it.
pub fn take(
    connector: &Connector,
    limits: &Limits,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Taken, WorkbenchError> {
    let credentials = credentials(connector, on_event)?;
    let lock = TableLock::take_at_once(connector, &credentials, on_event)?;
    let database = open(connector, &credentials, limits, on_event)?;
    Ok(Taken {
        subject: Subject {
            templates: Arc::new(connector.templates.clone()),
            database: Arc::new(Interruptible::new(database, run)),
            functional: functional_target(connector, &credentials)?,
        },
        _lock: lock,
    })
}

/// What a run proved, as it was written for the platform.
#[derive(Debug)]
pub struct Exported {
    /// The files.
    pub export: Export,
    /// The folder they are in.
    pub folder: PathBuf,
}

/// Writes what a run proved to the connector's folder among the workspace's outputs.
///
/// # Errors
/// [`WorkbenchError::Export`] when the run was not whole, or a file cannot be written.
pub fn export(connector: &Connector, report: &Report) -> Result<Exported, WorkbenchError> {
    let folder = Workspace::find(&connector.dir)?.output_dir(&connector.name);
    let version = env!("CARGO_PKG_VERSION");
    let export = Export::new(report, &connector.manifest, &connector.templates, version)
        .map_err(WorkbenchError::Export)?;
    let manifest = export.manifest.to_json_string();
    let files = export.templates.iter();
    let files = files.map(|(name, text)| (name.as_str(), text.as_str()));
    let files = files.chain([(MANIFEST_FILE, manifest.as_str())]);
    forbid_secrets(&SecretScan::of(&connector.dir)?, files)?;
    export.write(&folder).map_err(WorkbenchError::Export)?;
    Ok(Exported { export, folder })
}

/// Writes what a whole run of the strict tier proved as a dialect pack into its folder, and reads it back.
///
/// # Errors
/// [`WorkbenchError::Pack`] when a file cannot be written, [`WorkbenchError::Secret`].
pub fn pack(
    connector: &Connector,
    report: &Report,
    name: &ConnectorName,
    folder: PathBuf,
) -> Result<(Arc<Pack>, Vec<PathBuf>), WorkbenchError> {
    let found = |template: &Template| {
        let mut found = report.templates.iter();
        match found.find(|found| found.template == template) {
            Some(found) if found.verdict == Some(Verdict::Supported) => {
                Found::Proven(found.checks.len())
            }
            Some(found) if is_refused(report, found) => Found::Refused,
            Some(_) | None => Found::Open,
        }
    };
    let proven = ProvenOn {
        on: report.product.clone(),
        at: Some(report.now.strftime("%Y-%m-%d").to_string()),
    };
    let new = NewPack::of(connector, (name, folder), &proven, &found)?;
    let scan = SecretScan::of(&connector.dir)?;
    for own in connector.templates.iter() {
        let Some((path, line)) = own.place() else {
            continue;
        };
        // As if it stood in a file of its own, whatever file it is from.
        let file = exported_template_file(own.template);
        if let Some(secret) = scan.find(Path::new(&file), &own.text) {
            let place = format!("{}:{line}", path.display());
            return Err(WorkbenchError::Secret { place, secret });
        }
    }
    let own = std::fs::read_to_string(connector.dir.join(CONNECTOR_FILE));
    let files = new.files().iter().map(|(name, text)| match &own {
        // The lines that the user sees.
        Ok(own) if *name == CONNECTOR_FILE => (*name, own.as_str()),
        _ => (*name, text.as_str()),
    });
    forbid_secrets(&scan, files)?;
    let files = new.write()?;
    Ok((Pack::load(new.dir())?, files))
}

/// The templates of the connector's own files, or of packs in files, that the database refuses: nobody knows whether it
/// lacks the ability or the text has a mistake.
#[must_use]
pub fn refused<'r>(connector: &Connector, report: &'r Report) -> Vec<&'r TemplateReport> {
    let templates = report.templates.iter();
    let refused = templates.filter(|found| {
        let own = connector.templates.get(found.template);
        own.is_some_and(|own| own.place().is_some()) && is_refused(report, found)
    });
    refused.collect()
}

/// The templates that a whole run refutes: their texts are wrong, or refused for another reason than the account's rights,
/// or that the place in which tables are to be made is not there.
pub fn refuted(report: &Report) -> impl Iterator<Item = &'static Template> {
    let mut denied = BTreeSet::new();
    for check in &report.checks {
        if let Outcome::Unsupported(Proof::Refused(error)) = &check.outcome
            && (error.kind == SqlErrorKind::Permission
                || error.kind == SqlErrorKind::MissingObject
                    && (check.check.judges).contains(&Template::known("create_test_table")))
        {
            denied.extend(check.check.judges.iter().copied());
        }
    }
    let templates = report.templates.iter();
    let refuted = templates.filter(move |found| {
        let is_refused = is_refused(report, found) && !denied.contains(found.template);
        found.implemented && (found.verdict == Some(Verdict::Wrong) || is_refused)
    });
    refuted.map(|found| found.template)
}

/// Whether the database refused a statement that asks for the template alone.
fn is_refused(report: &Report, found: &TemplateReport) -> bool {
    let mut checks = report.checks.iter();
    found.verdict == Some(Verdict::Unsupported)
        && checks.any(|check| {
            found.checks.contains(&check.check.id)
                && matches!(check.outcome, Outcome::Unsupported(Proof::Refused(_)))
        })
}

/// Refuses files that are to be written where a secret stands in one.
fn forbid_secrets<'f>(
    scan: &SecretScan,
    mut files: impl Iterator<Item = (&'f str, &'f str)>,
) -> Result<(), WorkbenchError> {
    let found = files.find_map(|(file, text)| {
        let secret = scan.find(Path::new(file), text)?;
        let place = match file {
            CONNECTOR_FILE => format!("{file}:{}", secret.line),
            // Its lines are not those of a file that the user sees.
            file => file.to_owned(),
        };
        Some(WorkbenchError::Secret { place, secret })
    });
    found.map_or(Ok(()), Err)
}

/// Where functional checks may create their table; none when the connector does not say.
pub(crate) fn functional_target(
    connector: &Connector,
    credentials: &Credentials,
) -> Result<Option<FunctionalTarget>, WorkbenchError> {
    connector
        .functional_target(credentials)
        .map_err(|error| unopened(connector, error))
}

fn unopened(connector: &Connector, error: OpenError) -> WorkbenchError {
    match error {
        OpenError::Sql(source) => unreachable(connector, source),
        error => WorkbenchError::Expression(error),
    }
}

pub(crate) fn unreachable(connector: &Connector, source: SqlError) -> WorkbenchError {
    WorkbenchError::Connect {
        connector: connector.name.to_string(),
        source,
    }
}
