//! The suite for pipeline connectors on the command line.

use std::cell::OnceCell;

use bowline_conformance::pipeline::Options;
use bowline_connector::Located;
use bowline_connector::folder::{LoadError, Problem};
use bowline_contract::PipelineSection;
use bowline_contract::layout::{ETL_TEST_WINDOW_VARIABLE, MANIFEST_FILE};
use bowline_contract::manifest::ManifestError;
use bowline_contract::reading::read_text;
use bowline_pipeline::PipelineConnector;
use bowline_report::Report;
use bowline_workbench::{Event, WorkbenchError, pipeline as workbench};
use jiff::SignedDuration;

use super::TestArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::pipeline;
use crate::proven::Proving;
use crate::report::progress::Progress;

/// The longest lookback, in hours: a century.
const MOST_HOURS: i64 = 876_600;

/// Runs the suite and writes its report.
pub(super) fn exec(context: &Context, found: &Located, args: &TestArgs) -> Result<Ended, CliError> {
    if args.suite.jobs.is_some() {
        return Err(CliError::usage(
            "`--jobs` is for databases: a pipeline connector is read one reading after another",
            "leave `--jobs` out; `[http.limits]` in connector.toml says how many requests are sent at once",
        ));
    }
    let hours = std::env::var(ETL_TEST_WINDOW_VARIABLE).ok();
    let usual = Options::default();
    let options = Options {
        sections: sections(&args.sections)?,
        tier: args.suite.tier.into(),
        lookback: match hours {
            Some(hours) => lookback(&hours)?,
            None => usual.lookback,
        },
        ..usual
    };
    let whole = options.sections.len() == PipelineSection::ALL.len();
    let proving = whole.then(|| Proving::begin(found)).transpose()?;
    let connector = workbench::load(found, &|event| context.tell(event))?;
    if whole && let Some(error) = unfinished(&connector) {
        return Err(error);
    }
    let name = connector.name.as_str();
    let progress = OnceCell::new();
    let report = workbench::prove(
        &connector,
        &options,
        pipeline::opening(context),
        context.interruptible()?,
        &|event| match event {
            Event::Connecting { connector } => {
                progress.get_or_init(|| Progress::new(&context.printer, connector.as_str()));
            }
            Event::Pipeline(event) => {
                if let Some(progress) = progress.get() {
                    progress.on_pipeline(event);
                }
            }
            event => context.tell(event),
        },
    );
    if let Some(progress) = progress.into_inner() {
        progress.finish();
    }
    let report = report?;
    let written = Report::Pipeline(report.written(name));
    args.hand_over(context, found, &written)?;
    if let Some(proving) = proving {
        let tier = args.suite.tier.into();
        proving.end(context, written.conclusion(), tier, &connector.outside());
    }
    Ok(written.conclusion().into())
}

/// Why a connector whose manifest maps no word cannot be proven, and how the words are to be had.
pub(crate) fn unfinished(connector: &PipelineConnector) -> Option<CliError> {
    let problem = connector.manifest.unfinished.as_ref()?;
    let name = &connector.name;
    let path = connector.dir.join(MANIFEST_FILE);
    let text = read_text(&path).unwrap_or_default();
    let error = ManifestError {
        problems: vec![problem.clone()],
    };
    let section = PipelineSection::RunDetails.name();
    let hint = format!(
        "`bowline inspect {name}` and `bowline test {name} -m {section}` find the vendor's words, with a mapping to paste"
    );
    let problems = Problem::of_manifest(&path, &text, &error).map(|problem| Problem {
        hint: Some(hint.clone()),
        ..problem
    });
    let invalid = LoadError::Invalid {
        problems: problems.collect(),
    };
    Some(WorkbenchError::from(invalid).into())
}

/// The sections that filters name, in the suite's order; all of them without a filter.
fn sections(filters: &[String]) -> Result<Vec<PipelineSection>, CliError> {
    let chosen = filters
        .iter()
        .map(|filter| PipelineSection::parse_filter(filter))
        .collect::<Result<Vec<_>, _>>()
        .map_err(CliError::Section)?;
    Ok(PipelineSection::ALL
        .iter()
        .copied()
        .filter(|section| chosen.is_empty() || chosen.contains(section))
        .collect())
}

/// How far back runs are looked for, from a number of hours.
fn lookback(hours: &str) -> Result<SignedDuration, CliError> {
    match hours.trim().parse() {
        Ok(hours @ 1..=MOST_HOURS) => Ok(SignedDuration::from_hours(hours)),
        _ => Err(CliError::usage(
            format!("`{ETL_TEST_WINDOW_VARIABLE}` is no number of hours: `{hours}`"),
            format!(
                "set it to a whole number from 1 on, or unset it for {} hours",
                7 * 24
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_whole_and_positive() {
        assert_eq!(lookback("24").ok(), Some(SignedDuration::from_hours(24)));
        for odd in ["", "0", "-1", "1.5", "week", "9999999"] {
            assert!(lookback(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn sections_keep_the_suites_order() {
        let asked = ["etl_run_details", "etl_connection"].map(str::to_owned);
        assert_eq!(
            sections(&asked).ok(),
            Some(vec![
                PipelineSection::Connection,
                PipelineSection::RunDetails
            ])
        );
        assert_eq!(sections(&[]).map(|all| all.len()).ok(), Some(3));
        assert_eq!(
            sections(&["metadata".to_owned()]).ok(),
            Some(vec![PipelineSection::Metadata])
        );
        assert!(sections(&["metrics".to_owned()]).is_err());
    }
}
