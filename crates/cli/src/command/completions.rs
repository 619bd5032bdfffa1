//! `bowline completions`: what a shell needs to complete words of this command line.

use clap::builder::PossibleValuesParser;
use clap_complete::env::Shells;

use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

/// Print what a shell needs to complete commands, options, and the names of connectors, templates and the like.
///
/// The shell then asks the program itself at every word, so that it knows what is in the workspace.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Where shells read it at their start:\n  bash: source <(bowline completions bash)    in ~/.bashrc\n  \
                  zsh:  source <(bowline completions zsh)     in ~/.zshrc, behind compinit\n  \
                  fish: bowline completions fish | source     in ~/.config/fish/completions/bowline.fish"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    shell: String,
}

impl CompletionsArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        const PROGRAM: &str = "bowline";
        let mut script = Vec::new();
        if let Some(shell) = Shells::builtins().completer(&self.shell) {
            shell
                .write_registration(complete::VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
                .map_err(CliError::Output)?;
        }
        context.printer.data(&String::from_utf8_lossy(&script))?;
        Ok(Ended::Fine)
    }
}
