//! `bowline completions`: a completion script for a shell.

use clap_complete::Shell;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For bash: bowline completions bash > ~/.local/share/bash-completion/completions/bowline"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut crate::app::command_line(),
            "bowline",
            &mut script,
        );
        context.printer.data(&String::from_utf8_lossy(&script))?;
        Ok(Ended::Fine)
    }
}
