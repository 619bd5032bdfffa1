//! What a connector was when it was proven, kept for `bowline build`.

use std::path::Path;

use bowline_connector::{Located, Workspace};
use bowline_contract::layout::PYTHON_FILE;
use bowline_image::plan::{Candidate, Proof, ProofOutcome};
use bowline_report::Conclusion;
use bowline_warehouse::dialect::Pack;
use bowline_words::Diagnose;

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

    /// Keeps how a test of the whole suite ended, and what the connector's process said of the code it loads. One that was
    /// interrupted says nothing new; a workspace that cannot be written is told.
    pub(crate) fn end(self, context: &Context, conclusion: Conclusion, outside: &[String]) {
        let outcome = match conclusion {
            Conclusion::Interrupted => return,
            Conclusion::Fine => ProofOutcome::Passed,
            Conclusion::FellShort => ProofOutcome::Failed,
            Conclusion::Inconclusive => ProofOutcome::Inconclusive,
        };
        let Some(proof) = self.proof else {
            return;
        };
        let root = self.workspace.root();
        let proof = proof.with_outside(root, outside);
        for file in proof.outside() {
            context.printer.say(format!(
                "`bowline build` will refuse it: {PYTHON_FILE} imports `{file}`, which does not go into the image\n\
                 hint: write it into {PYTHON_FILE}, or name a package that has it in requirements.txt"
            ));
        }
        if let Err(error) = proof.keep(root, &self.candidate, outcome) {
            context.printer.say(format!(
                "`bowline build` will not know of it: {}",
                error.diagnose()
            ));
        }
    }
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
