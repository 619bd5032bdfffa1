//! What a connector was when it was proven, kept for `bowline build`.

use std::path::Path;

use bowline_conformance::Tier;
use bowline_connector::{Located, Workspace};
use bowline_contract::layout::PYTHON_FILE;
use bowline_image::ImageError;
use bowline_image::plan::{Candidate, Proof, ProofOutcome};
use bowline_protocol::OutsideCode;
use bowline_report::Conclusion;
use bowline_warehouse::dialect::Pack;
use bowline_words::{Diagnose, Diagnostic};

use crate::context::Context;
use crate::error::CliError;

/// A proof under way.
pub(crate) struct Proving {
    workspace: Workspace,
    candidate: Candidate,
    /// What cannot be read is told when it is loaded, and here when it is proven all the same.
    proof: Result<Proof, ImageError>,
}

impl Proving {
    /// Takes down the connector's files, before they are loaded.
    pub(crate) fn begin(found: &Located) -> Result<Self, CliError> {
        let workspace = Workspace::find(&found.dir)?;
        let candidate = candidate(&workspace, found.clone());
        let proof = Proof::begin(workspace.root(), &candidate);
        Ok(Self {
            workspace,
            candidate,
            proof,
        })
    }

    /// Keeps how a test of the whole suite ended, and what the connector's process said of the code it loads, and tells
    /// whether `bowline build` takes the connector so. One that was interrupted says nothing new; a workspace that cannot
    /// be written is told.
    pub(crate) fn end(
        self,
        context: &Context,
        conclusion: Conclusion,
        tier: Tier,
        outside: &OutsideCode,
    ) -> bool {
        let outcome = match (conclusion, tier) {
            (Conclusion::Interrupted, _) => return false,
            (Conclusion::Fine, Tier::Strict) => ProofOutcome::Passed,
            (Conclusion::Fine, Tier::Reference) => ProofOutcome::PassedReference,
            (Conclusion::FellShort, _) => ProofOutcome::Failed,
            (Conclusion::Inconclusive, _) => ProofOutcome::Inconclusive,
        };
        if outcome == ProofOutcome::PassedReference {
            context.printer.say(
                Diagnostic::new("`bowline build` takes what the strict tier proves")
                    .hint("leave `--tier reference` out".to_owned()),
            );
        }
        let proof = match self.proof {
            Ok(proof) => proof,
            Err(error) => {
                tell_unknown(context, &error);
                return false;
            }
        };
        let root = self.workspace.root();
        for file in proof.left_out(root, &outside.imported) {
            context.printer.say(format!(
                "{PYTHON_FILE} imports `{file}` in code that was not run, and the image does not have it\n\
                 hint: where the agent needs it, write it into {PYTHON_FILE}, or name a package that has it in \
                 requirements.txt"
            ));
        }
        let left_out = proof.left_out(root, &outside.loaded);
        for file in &left_out {
            context.printer.say(format!(
                "`bowline build` will refuse it: {PYTHON_FILE} imports `{file}`, which does not go into the image\n\
                 hint: write it into {PYTHON_FILE}, or name a package that has it in requirements.txt"
            ));
        }
        let is_taken = outcome == ProofOutcome::Passed && left_out.is_empty();
        let proof = proof.with_outside(left_out);
        if let Err(error) = proof.keep(root, &self.candidate, outcome) {
            tell_unknown(context, &error);
            return false;
        }
        is_taken
    }

    /// Notes that a test of the whole suite found what was proven and ships to be wrong.
    pub(crate) fn refute(&self, context: &Context) {
        // What cannot be read is no file that was proven.
        if let Ok(proof) = &self.proof
            && let Err(error) = proof.refute(self.workspace.root(), &self.candidate)
        {
            tell_unknown(context, &error);
        }
    }
}

fn tell_unknown(context: &Context, error: &ImageError) {
    context.printer.say(format!(
        "`bowline build` will not know of it: {}",
        error.diagnose()
    ));
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
