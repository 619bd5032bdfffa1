//! How a command ended, and the one place that turns it into the process's exit code.

use bowline_collect::{CollectError, PushErrorKind, StateError};
use bowline_conformance::warehouse::ExportError;
use bowline_connector::{ScaffoldError, WorkspaceError};
use bowline_contract::exit_code;
use bowline_driver::{SqlError, SqlErrorKind};
use bowline_fit::FitError;
use bowline_image::ImageErrorKind;
use bowline_image::plan::{PlanError, PlanProblemKind};
use bowline_installer::InstallError;
use bowline_pipeline::{RecordingError, SourceErrorKind};
use bowline_profile::ProfileError;
use bowline_report::Conclusion;
use bowline_warehouse::dialect::NewPackError;
use bowline_warehouse::folder::OverlayError;
use bowline_workbench::{QueryLogError, WorkbenchError};

use crate::error::CliError;

/// How a command ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All is well.
    Fine,
    /// The connector fell short.
    FellShort,
    /// Nothing is wrong, but something could not be found out.
    Inconclusive,
    /// The user stopped it.
    Interrupted,
    /// The same program ended so in a container, and has said why.
    InContainer(i32),
}

impl From<Conclusion> for Ended {
    fn from(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Interrupted => Self::Interrupted,
            Conclusion::FellShort => Self::FellShort,
            Conclusion::Inconclusive => Self::Inconclusive,
            Conclusion::Fine => Self::Fine,
        }
    }
}

/// The exit code for an outcome.
pub(crate) fn code(result: &Result<Ended, CliError>) -> i32 {
    match result {
        Ok(Ended::Fine) => exit_code::OK,
        Ok(Ended::FellShort) => exit_code::FELL_SHORT,
        Ok(Ended::Inconclusive) => exit_code::INCONCLUSIVE,
        Ok(Ended::Interrupted) => exit_code::INTERRUPTED,
        Ok(Ended::InContainer(code)) => *code,
        Err(error) => error_code(error),
    }
}

fn error_code(error: &CliError) -> i32 {
    match error {
        CliError::Usage { .. }
        | CliError::Section(_)
        | CliError::Report(_)
        | CliError::Name(_)
        | CliError::OpenApi(_) => exit_code::USAGE,
        CliError::Workbench(error) => workbench_code(error),
        CliError::Credentials(_) => exit_code::INVALID,
        CliError::Scaffold(error) => match error.as_ref() {
            ScaffoldError::Workspace(error) => workspace_code(error),
            ScaffoldError::Write { .. } => exit_code::FILES,
            ScaffoldError::Python(_) => exit_code::DRIVER,
            ScaffoldError::Broken(_) => exit_code::INTERNAL,
            ScaffoldError::Exists { .. }
            | ScaffoldError::NeedsDriver { .. }
            | ScaffoldError::NeedsDialect { .. } => exit_code::USAGE,
        },
        CliError::Recording(error) => match error {
            RecordingError::Write { .. } => exit_code::FILES,
            RecordingError::Format { .. } => exit_code::INVALID,
            RecordingError::NotEmpty { .. } | RecordingError::Missing { .. } => exit_code::USAGE,
        },
        CliError::Fit(error) => match error {
            FitError::Connect(source) => connection_code(source),
            FitError::NoAnswer { .. } => exit_code::FELL_SHORT,
        },
        CliError::Overlay(error) => match error {
            OverlayError::File { .. } => exit_code::FILES,
            OverlayError::NoPlace { .. } => exit_code::INVALID,
        },
        CliError::Install(error) => match error {
            InstallError::Interrupted => exit_code::INTERRUPTED,
            InstallError::NoBuild { .. }
            | InstallError::NoClient { .. }
            | InstallError::Download { .. }
            | InstallError::WrongHash { .. }
            | InstallError::Unpack { .. }
            | InstallError::Write { .. } => exit_code::DRIVER,
        },
        CliError::Statement(error) => statement_code(error.kind),
        CliError::Profile(error) => match error {
            ProfileError::Table { source, .. } => statement_code(source.kind),
            ProfileError::NotInTime { .. } => exit_code::INCONCLUSIVE,
            ProfileError::Column { .. } => exit_code::USAGE,
            ProfileError::Expression(_) | ProfileError::Count { .. } => exit_code::FELL_SHORT,
            ProfileError::Interrupted => exit_code::INTERRUPTED,
        },
        CliError::QueryLog { source, .. } => match source {
            QueryLogError::Statement(error) => statement_code(error.kind),
            QueryLogError::Render(_) | QueryLogError::Column(_) => exit_code::FELL_SHORT,
        },
        CliError::Render { .. } => exit_code::FELL_SHORT,
        CliError::Write { .. } | CliError::Output(_) | CliError::Input(_) => exit_code::FILES,
        CliError::Collect(error) => collect_code(error),
        CliError::CollectState(error) => match error {
            StateError::Locked(_) | StateError::Foreign { .. } => exit_code::USAGE,
            StateError::Unfinished(_)
            | StateError::Invalid { .. }
            | StateError::NoCheckpoint { .. }
            | StateError::Io { .. } => exit_code::FILES,
        },
        CliError::Plan(error) => plan_code(error),
        CliError::Image(error) => image_code(error.kind),
        CliError::Interrupted => exit_code::INTERRUPTED,
        CliError::Internal(_) => exit_code::INTERNAL,
    }
}

fn workbench_code(error: &WorkbenchError) -> i32 {
    match error {
        WorkbenchError::Workspace(error) => workspace_code(error),
        WorkbenchError::Load(_)
        | WorkbenchError::Pack(NewPackError::Old(_))
        | WorkbenchError::Credentials { .. }
        | WorkbenchError::CredentialsCheck { .. }
        | WorkbenchError::Secret { .. }
        | WorkbenchError::UnreadCredentials(_)
        | WorkbenchError::NoEvidence { .. }
        | WorkbenchError::Evidence(_)
        | WorkbenchError::Expression(_) => exit_code::INVALID,
        WorkbenchError::Connect { source, .. } => connection_code(source),
        WorkbenchError::InUse { .. }
        | WorkbenchError::NoAccounts { .. }
        | WorkbenchError::Pack(
            NewPackError::Embedded { .. } | NewPackError::Exists { .. } | NewPackError::Link { .. },
        ) => exit_code::USAGE,
        WorkbenchError::Source(error) => source_code(error.kind),
        WorkbenchError::Export(ExportError::Partial { .. }) => exit_code::USAGE,
        WorkbenchError::Export(ExportError::Write { .. } | ExportError::Read { .. })
        | WorkbenchError::ExportRead { .. }
        | WorkbenchError::Pack(NewPackError::File { .. })
        | WorkbenchError::EvidenceFile { .. } => exit_code::FILES,
        WorkbenchError::Export(ExportError::Interrupted) | WorkbenchError::Interrupted => {
            exit_code::INTERRUPTED
        }
        WorkbenchError::CtrlC(_) | WorkbenchError::Served => exit_code::INTERNAL,
    }
}

/// What is wrong with the command alone is a matter of usage; anything else is the connectors'.
fn plan_code(error: &PlanError) -> i32 {
    let codes = error.problems.iter().map(|problem| match problem.kind {
        PlanProblemKind::Name | PlanProblemKind::Argument | PlanProblemKind::Advice => {
            exit_code::USAGE
        }
        PlanProblemKind::Missing
        | PlanProblemKind::Manifest
        | PlanProblemKind::Mode
        | PlanProblemKind::Extra
        | PlanProblemKind::Requirements
        | PlanProblemKind::File
        | PlanProblemKind::Unproven
        | PlanProblemKind::Secret
        | PlanProblemKind::Runtime => exit_code::INVALID,
    });
    let invalid = codes.into_iter().find(|code| *code != exit_code::USAGE);
    invalid.unwrap_or(exit_code::USAGE)
}

fn image_code(kind: ImageErrorKind) -> i32 {
    match kind {
        ImageErrorKind::Plan => exit_code::INVALID,
        ImageErrorKind::Invalid => exit_code::USAGE,
        ImageErrorKind::Unreadable | ImageErrorKind::Unwritable => exit_code::FILES,
        ImageErrorKind::Unreachable | ImageErrorKind::Unauthorized => exit_code::UNREACHABLE,
        ImageErrorKind::Cancelled => exit_code::INTERRUPTED,
        ImageErrorKind::Missing
        | ImageErrorKind::Corrupt
        | ImageErrorKind::NeedsEngine
        | ImageErrorKind::WrongPlatform
        | ImageErrorKind::Packages
        | ImageErrorKind::Engine
        | ImageErrorKind::EngineFailed
        | ImageErrorKind::Refused => exit_code::IMAGE,
    }
}

fn workspace_code(error: &WorkspaceError) -> i32 {
    match error {
        WorkspaceError::SameName { .. } | WorkspaceError::Unreadable { .. } => exit_code::INVALID,
        WorkspaceError::Empty { .. }
        | WorkspaceError::Ambiguous { .. }
        | WorkspaceError::OtherClass { .. }
        | WorkspaceError::Unknown { .. }
        | WorkspaceError::InvalidName { .. } => exit_code::USAGE,
    }
}

/// Whatever a server says while a connection is made, the connection did not come about.
fn connection_code(error: &SqlError) -> i32 {
    match error.kind {
        SqlErrorKind::Driver => exit_code::DRIVER,
        SqlErrorKind::Syntax
        | SqlErrorKind::MissingObject
        | SqlErrorKind::Permission
        | SqlErrorKind::Data
        | SqlErrorKind::Timeout
        | SqlErrorKind::Busy
        | SqlErrorKind::Cancelled
        | SqlErrorKind::Connection
        | SqlErrorKind::TooLarge
        | SqlErrorKind::UnsupportedType
        | SqlErrorKind::Other => exit_code::UNREACHABLE,
    }
}

fn statement_code(kind: SqlErrorKind) -> i32 {
    match kind {
        SqlErrorKind::Connection => exit_code::UNREACHABLE,
        SqlErrorKind::Driver => exit_code::DRIVER,
        SqlErrorKind::Syntax
        | SqlErrorKind::MissingObject
        | SqlErrorKind::Permission
        | SqlErrorKind::Data
        | SqlErrorKind::Timeout
        | SqlErrorKind::Busy
        | SqlErrorKind::Cancelled
        | SqlErrorKind::TooLarge
        | SqlErrorKind::UnsupportedType
        | SqlErrorKind::Other => exit_code::FELL_SHORT,
    }
}

/// A platform that does not take events is out of reach, unless it refuses what they are.
fn collect_code(error: &CollectError) -> i32 {
    match error {
        CollectError::Source(error) => source_code(error.kind),
        CollectError::Push(error) => match error.kind {
            PushErrorKind::Cancelled => exit_code::INTERRUPTED,
            PushErrorKind::Unreachable
            | PushErrorKind::Unauthorized
            | PushErrorKind::Failing
            | PushErrorKind::Refused => exit_code::UNREACHABLE,
        },
        CollectError::NothingTaken { .. } => exit_code::FELL_SHORT,
        CollectError::Write { .. }
        | CollectError::Vanished { .. }
        | CollectError::State(_)
        | CollectError::Output(_)
        | CollectError::Closed => exit_code::FILES,
    }
}

/// A vendor that does not answer, or not to us, is out of reach; what it answers is the description's to fit.
fn source_code(kind: SourceErrorKind) -> i32 {
    match kind {
        SourceErrorKind::Unreachable
        | SourceErrorKind::Broken
        | SourceErrorKind::Timeout
        | SourceErrorKind::Unauthorized
        | SourceErrorKind::RateLimited
        | SourceErrorKind::Vendor => exit_code::UNREACHABLE,
        SourceErrorKind::Credentials => exit_code::INVALID,
        SourceErrorKind::Cancelled => exit_code::INTERRUPTED,
        SourceErrorKind::Unsendable
        | SourceErrorKind::Refused
        | SourceErrorKind::NotFound
        | SourceErrorKind::NoSuchPage
        | SourceErrorKind::TooLarge
        | SourceErrorKind::Format
        | SourceErrorKind::Pages
        | SourceErrorKind::PlaceExpired
        | SourceErrorKind::ForeignHost
        | SourceErrorKind::Expression
        | SourceErrorKind::Connector => exit_code::FELL_SHORT,
    }
}
