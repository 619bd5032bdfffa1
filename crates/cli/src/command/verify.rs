//! `bowline verify`: whether an export follows from its evidence.

use bowline_workbench::evidence;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::named::NamedConnector;
use crate::style::{BAD, GOOD, paint};

use super::test::not_held;

/// Check that an export follows from its evidence.
///
/// Judges the evidence of the last whole run again, with no database and no credentials, and compares what it proves
/// with `output/<connector>`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    connector: NamedConnector,
}

impl VerifyArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let connector = context.warehouse(self.connector.name())?;
        let judged = evidence::judge_again(&connector, evidence::read(&connector)?)?;
        let mut unfounded = evidence::unfounded(&connector, &judged)?;
        unfounded.extend(not_held(&judged));
        let name = &connector.name;
        if unfounded.is_empty() {
            context.printer.text(&format!(
                "{} {name}: the export follows from its evidence\n",
                paint(GOOD, "✓")
            ))?;
            return Ok(Ended::Fine);
        }
        let mut told = format!(
            "{} {name}: the export does not follow from its evidence\n",
            paint(BAD, "✗")
        );
        for line in unfounded {
            told.push_str(&format!("  {line}\n"));
        }
        context.printer.text(&told)?;
        Ok(Ended::FellShort)
    }
}
