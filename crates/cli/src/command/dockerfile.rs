//! `bowline dockerfile`: a container to test connectors in.

use std::path::{Component, Path, PathBuf};

use bowline_connector::Workspace;
use bowline_contract::layout::OUTPUT_DIR;
use bowline_image::plan::{BaseImage, PlanError, TestImage, test_image};
use bowline_oci::Platform;
use bowline_workbench::{Readers, write_whole};

use super::build::{BaseArgs, all_or_named, platform};
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::style::{GOOD, HINT, paint};

/// The folder below the workspace's outputs. No connector can have this name.
const FOLDER: &str = "test-image";
/// How every file begins that this command has written.
const MADE: &str = "# Made by `bowline dockerfile`";

/// Write a Dockerfile and a compose file to test connectors in a container.
///
/// The container has the agent's base, every connector's Python packages and what each Dockerfile.extra asks for. The
/// workspace and this program are mounted when it runs, so that no credentials are in the image.
#[derive(Debug, clap::Args)]
pub(crate) struct DockerfileArgs {
    /// The connectors; without names, all of the workspace
    #[arg(add = complete::connectors())]
    names: Vec<String>,
    #[command(flatten)]
    base: BaseArgs,
    /// The platform of the container; without it, the engine's own
    #[arg(long, alias = "docker-platform", value_name = "PLATFORM", value_parser = platform)]
    platform: Option<Platform>,
    /// The folder to write to; without it, `output/test-image`
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl DockerfileArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let workspace = Workspace::find(&context.directory)?;
        let folder = match &self.output {
            Some(folder) => context.path(folder),
            None => usual_folder(&workspace),
        };
        let (written, _) = write(
            context,
            &workspace,
            &self.names,
            &self.base,
            self.platform.as_ref(),
            &folder,
        )?;
        let mut text = format!("{} the container to test in:\n", paint(GOOD, "✓"));
        for path in written {
            text.push_str(&format!("  {}\n", context.shown(&path).display()));
        }
        context.printer.text(&text)?;
        context.printer.say(format!(
            "\n{} bowline test NAME --in-container",
            paint(HINT, "next:")
        ));
        Ok(Ended::Fine)
    }
}

/// Where the files go when nobody says.
pub(crate) fn usual_folder(workspace: &Workspace) -> PathBuf {
    workspace.root().join(OUTPUT_DIR).join(FOLDER)
}

/// Writes the two files and gives their paths, and the base that they name.
pub(crate) fn write(
    context: &Context,
    workspace: &Workspace,
    names: &[String],
    base: &BaseArgs,
    platform: Option<&Platform>,
    folder: &Path,
) -> Result<([PathBuf; 2], BaseImage), CliError> {
    let (connectors, problems) = all_or_named(workspace, names)?;
    if !problems.is_empty() {
        return Err(PlanError { problems }.into());
    }
    let image = test_image(
        workspace.root(),
        &connectors,
        base.version(),
        base.image(context),
        platform,
        &way(folder, workspace.root()),
    )?;
    let paths = [TestImage::DOCKERFILE, TestImage::COMPOSE].map(|name| folder.join(name));
    for path in &paths {
        refuse_foreign(path)?;
    }
    for (path, text) in paths.iter().zip([&image.dockerfile, &image.compose]) {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
            .and_then(|()| write_whole(path, text.as_bytes(), Readers::Everybody))
            .map_err(|source| CliError::write(path, source))?;
    }
    Ok((paths, image.base))
}

/// A file that somebody else wrote stays as it is.
fn refuse_foreign(path: &Path) -> Result<(), CliError> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.starts_with(MADE) => Err(CliError::usage(
            format!(
                "`{}` was not made by this command, and stays as it is",
                path.display()
            ),
            "name another folder with `--output`",
        )),
        _ => Ok(()),
    }
}

/// The way from a folder up to the workspace's root: the same on every machine when the folder is below the root.
fn way(folder: &Path, root: &Path) -> String {
    match folder.strip_prefix(root) {
        Ok(below)
            if below
                .components()
                .all(|part| matches!(part, Component::Normal(_))) =>
        {
            let up: Vec<&str> = below.components().map(|_| "..").collect();
            if up.is_empty() {
                ".".to_owned()
            } else {
                up.join("/")
            }
        }
        _ => root.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_up_is_the_same_everywhere() {
        let root = Path::new("/w");
        assert_eq!(way(Path::new("/w/output/test-image"), root), "../..");
        assert_eq!(way(Path::new("/w"), root), ".");
        assert_eq!(way(Path::new("/elsewhere"), root), "/w");
        assert_eq!(way(Path::new("/w/a/../../x"), root), "/w");
    }
}
