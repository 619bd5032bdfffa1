//! `bowline test --in-container`: the same test where the agent's own libraries are.

use std::path::Path;
use std::process::{Command, Stdio};

use bowline_connector::Workspace;
use bowline_contract::exit_code;
use bowline_driver::install::DRIVER_FOLDER_VARIABLE;
use bowline_image::engine::{self, Engine};
use bowline_image::plan::TestImage;
use bowline_image::{BuildEvent, Cancel, ImageError, ImageErrorKind};

use super::build::{BaseArgs, Voice};
use super::dockerfile::{usual_folder, write};
use crate::error::CliError;
use crate::exit::Ended;
use crate::interrupt::on_interrupt;
use crate::run::Context;

/// How a test is run in a container.
#[derive(Debug, clap::Args)]
pub(crate) struct InsideArgs {
    /// Test in a container made from the agent's base; docker or podman must be there
    #[arg(long)]
    pub(crate) in_container: bool,
    /// The program that runs the container
    #[arg(long, value_name = "ENGINE", requires = "in_container")]
    engine: Option<ContainerEngine>,
    #[command(flatten)]
    base: BaseArgs,
}

/// Engines that run containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ContainerEngine {
    /// Docker
    Docker,
    /// Podman
    Podman,
}

impl From<ContainerEngine> for Engine {
    fn from(engine: ContainerEngine) -> Self {
        match engine {
            ContainerEngine::Docker => Self::Docker,
            ContainerEngine::Podman => Self::Podman,
        }
    }
}

impl InsideArgs {
    /// Builds the container's image and runs `bowline` in it with these arguments. The exit code is what that ends with.
    pub(crate) fn exec(&self, context: &Context, arguments: &[String]) -> Result<Ended, CliError> {
        let workspace = Workspace::find(&context.directory)?;
        let engine = match self.engine {
            Some(engine) => engine.into(),
            None => [Engine::Docker, Engine::Podman]
                .into_iter()
                .find(|engine| engine.is_ready())
                .ok_or_else(|| {
                    ImageError::new(ImageErrorKind::Engine, "neither docker nor podman is ready")
                        .hint(
                        "install one of them, start docker's daemon, or test without a container"
                            .to_owned(),
                    )
                })?,
        };
        let folder = usual_folder(&workspace);
        write(&workspace, &[], &self.base, &folder)?;
        let cancel = Cancel::default();
        let asked = cancel.clone();
        on_interrupt(move || asked.cancel())?;
        let voice = Voice::new(context);
        voice.tell(BuildEvent::Step(format!(
            "building the container with {}",
            engine.name()
        )));
        let built =
            engine::build_test_image(&folder, engine, &cancel, &mut |event| voice.tell(event));
        voice.rest();
        built?;
        let program = std::env::current_exe().map_err(|error| {
            CliError::Internal(format!("this program cannot find itself: {error}"))
        })?;
        let command = container(engine, &workspace, &program)?;
        run(command, engine, arguments)
    }
}

/// The command that starts a container over the workspace, short of what is run in it.
fn container(engine: Engine, workspace: &Workspace, program: &Path) -> Result<Command, CliError> {
    let mut command = Command::new(engine.name());
    command.args(["run", "--rm", "--network", "host"]);
    let mut mount = |from: &Path, to: &str, how: &str| {
        command
            .arg("--volume")
            .arg(format!("{}:{to}{how}", from.display()));
    };
    mount(workspace.root(), TestImage::WORKSPACE, "");
    mount(program, TestImage::PROGRAM, ":ro");
    if let Some(drivers) = std::env::var_os(DRIVER_FOLDER_VARIABLE) {
        mount(Path::new(&drivers), DRIVERS, ":ro");
        command.args(["--env", &format!("{DRIVER_FOLDER_VARIABLE}={DRIVERS}")]);
    }
    command.arg(TestImage::TAG);
    Ok(command)
}

/// Where a container finds the user's drivers.
const DRIVERS: &str = "/opt/bowline-drivers";

fn run(mut command: Command, engine: Engine, arguments: &[String]) -> Result<Ended, CliError> {
    let failed = |why: String| {
        ImageError::new(ImageErrorKind::Engine, format!("{} run", engine.name())).because(why)
    };
    let status = command
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| failed(error.to_string()))?;
    match status.code() {
        Some(exit_code::OK) => Ok(Ended::Fine),
        Some(exit_code::FELL_SHORT) => Ok(Ended::FellShort),
        Some(exit_code::INCONCLUSIVE) => Ok(Ended::Inconclusive),
        Some(exit_code::INTERRUPTED) => Ok(Ended::Interrupted),
        // What was wrong has been said inside.
        Some(code) if exit_code::ALL.iter().any(|each| each.code == code) => {
            Ok(Ended::Inside(code))
        }
        _ => Err(failed(status.to_string()).into()),
    }
}
