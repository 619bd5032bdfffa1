//! `bowline schema`: the JSON schemas of the files that Bowline reads and writes.

use bowline_connector::Workspace;
use bowline_words::nearest::hint_or;

use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

/// Print the JSON schema of a file, for editors and programs.
///
/// Without a name, the names there are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bowline schema templates > templates.schema.json")]
pub(crate) struct SchemaArgs {
    /// Which file: `connector` for connector.toml, `templates` for templates.toml, and so on
    #[arg(add = complete::schemas())]
    name: Option<String>,
    /// Write all of them into the workspace, where editors look for them that read `#:schema` of a connector's files
    #[arg(long, conflicts_with = "name")]
    write: bool,
}

impl SchemaArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        if self.write {
            let workspace = Workspace::find(&context.directory)?;
            write_into(&workspace)?;
            let dir = workspace.schemas_dir();
            context
                .printer
                .say(format!("wrote `{}`", context.shown(&dir).display()));
            return Ok(Ended::Fine);
        }
        let schemas = schemas();
        let Some(name) = &self.name else {
            let names: String = schemas
                .iter()
                .map(|(name, _)| format!("{name}\n"))
                .collect();
            context.printer.data(&names)?;
            return Ok(Ended::Fine);
        };
        let found = schemas.iter().find(|(known, _)| known == name);
        let (_, text) = found.ok_or_else(|| {
            let names = || schemas.iter().map(|(name, _)| name.as_str());
            let hint = hint_or(name, names(), || {
                "run `bowline schema` for the names".to_owned()
            });
            CliError::usage(format!("there is no schema of that name: `{name}`"), hint)
        })?;
        context.printer.data(text)?;
        Ok(Ended::Fine)
    }
}

/// Writes every schema to where the files of new connectors name it.
pub(crate) fn write_into(workspace: &Workspace) -> Result<(), CliError> {
    let dir = workspace.schemas_dir();
    std::fs::create_dir_all(&dir).map_err(|error| CliError::write(&dir, error))?;
    for (name, text) in schemas() {
        let path = dir.join(format!("{name}.schema.json"));
        std::fs::write(&path, text).map_err(|error| CliError::write(&path, error))?;
    }
    Ok(())
}

/// Every schema by its name.
pub(crate) fn schemas() -> Vec<(String, String)> {
    let report = ("test-report.schema.json", bowline_report::schema());
    bowline_warehouse::schemas()
        .into_iter()
        .chain(bowline_pipeline::description::schemas())
        .chain([report])
        .map(|(file, text)| (file.trim_end_matches(".schema.json").to_owned(), text))
        .collect()
}
