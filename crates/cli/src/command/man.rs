//! `bowline man`: the manual pages of all commands.

use std::path::PathBuf;

use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

/// Write a manual page for every command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Then: man bowline-test")]
pub(crate) struct ManArgs {
    /// The folder to write them to, such as ~/.local/share/man/man1; it is made when it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl ManArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let folder = context.path(&self.folder);
        std::fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(crate::app::command_line(), &folder))
            .map_err(|error| CliError::write(&folder, error))?;
        context.printer.say(format!(
            "wrote the manual pages to `{}`",
            context.shown(&folder).display()
        ));
        Ok(Ended::Fine)
    }
}
