//! What a connector was when it was proven, kept for `bowline build`.

use std::path::Path;

use bowline_connector::{Located, Workspace, python_program};
use bowline_contract::layout::PYTHON_FILE;
use bowline_image::plan::{Candidate, Proof, ProofOutcome};
use bowline_process::Process;
use bowline_report::Conclusion;
use bowline_warehouse::dialect::Pack;
use bowline_words::{Diagnose, Redactor};

use crate::context::Context;
use crate::error::CliError;

/// A proof under way.
pub(crate) struct Proving {
    workspace: Workspace,
    candidate: Candidate,
    proof: Option<Proof>,
}

impl Proving {
    /// Takes down the connector's files, before they are loaded. What cannot be read is told when it is loaded.
    pub(crate) fn begin(context: &Context, found: &Located) -> Result<Self, CliError> {
        let workspace = Workspace::find(&found.dir)?;
        let candidate = candidate(&workspace, found.clone());
        let proof = Proof::begin(workspace.root(), &candidate)
            .inspect_err(|error| {
                context
                    .printer
                    .detail(format!("no proof can be kept: {}", error.diagnose()));
            })
            .ok();
        Ok(Self {
            workspace,
            candidate,
            proof,
        })
    }

    /// Keeps how a test of the whole suite ended. One that was interrupted says nothing new; a workspace that cannot be
    /// written is told.
    pub(crate) fn end(self, context: &Context, conclusion: Conclusion) {
        let outcome = match conclusion {
            Conclusion::Interrupted => return,
            Conclusion::Fine => ProofOutcome::Passed,
            Conclusion::FellShort => ProofOutcome::Failed,
            Conclusion::Inconclusive => ProofOutcome::Inconclusive,
        };
        let Some(proof) = self.proof else {
            return;
        };
        let outside = outside(&self.candidate);
        for file in &outside {
            context.printer.say(format!(
                "`bowline build` will refuse it: {PYTHON_FILE} loads `{file}`, which does not go into the image\n\
                 hint: write it into {PYTHON_FILE}, or name a package that has it in requirements.txt"
            ));
        }
        let proof = proof.with_outside(outside);
        if let Err(error) = proof.keep(self.workspace.root(), &self.candidate, outcome) {
            context.printer.say(format!(
                "`bowline build` will not know of it: {}",
                error.diagnose()
            ));
        }
    }
}

/// What a connector in Python loads as it starts that is neither in its folder nor installed. One that does not start was
/// not proven.
fn outside(candidate: &Candidate) -> Vec<String> {
    if !candidate.dir.join(PYTHON_FILE).is_file() {
        return Vec::new();
    }
    python_program(&candidate.name, &candidate.dir, &mut |_| ())
        .ok()
        .and_then(|program| Process::start(&program, &Redactor::default()).ok())
        .map(|process| process.hello().outside.clone())
        .unwrap_or_default()
}

/// A connector as a build sees it. A dialect pack that cannot be read has no files.
pub(crate) fn candidate(workspace: &Workspace, found: Located) -> Candidate {
    let pack = Pack::extended_by(&found.dir).ok().flatten();
    Candidate {
        packs: pack
            .iter()
            .flat_map(Pack::files)
            .map(Path::to_path_buf)
            .collect(),
        export: workspace.output_dir(&found.name),
        name: found.name,
        class: found.class,
        dir: found.dir,
    }
}
