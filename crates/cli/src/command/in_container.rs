//! `bowline test --in-container`: the same test where the agent's own libraries are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bowline_connector::Workspace;
use bowline_contract::exit_code;
use bowline_contract::layout::{CONNECTOR_VARIABLE, ETL_TEST_WINDOW_VARIABLE};
use bowline_image::engine::{self, Engine};
use bowline_image::plan::TestImage;
use bowline_image::{BuildEvent, ImageError, ImageErrorKind};
use bowline_installer::{DRIVER_FOLDER_VARIABLE, driver_folder};
use bowline_oci::{Cancel, Platform};

use super::build::{BaseArgs, Voice, platform};
use super::dockerfile::{usual_folder, write};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;

/// How a test is run in a container.
#[derive(Debug, clap::Args)]
pub(crate) struct InContainerArgs {
    /// Test in a container made from the agent's base; docker or podman must be there
    #[arg(long, conflicts_with = "refresh")]
    pub(crate) in_container: bool,
    /// The program that runs the container
    #[arg(long, value_name = "ENGINE", requires = "in_container")]
    engine: Option<ContainerEngine>,
    /// The platform of the container; this machine's if none is named
    #[arg(long, alias = "docker-platform", value_name = "PLATFORM", value_parser = platform, requires = "in_container")]
    platform: Option<Platform>,
    /// The `bowline` program that runs in the container, where this one does not
    #[arg(long, value_name = "PATH", requires = "in_container")]
    binary: Option<PathBuf>,
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

impl InContainerArgs {
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
        let platform = self.platform.clone().unwrap_or_else(|| Platform {
            os: "linux".to_owned(),
            ..Platform::host()
        });
        let program = self.program(context, &platform)?;
        let folder = usual_folder(&workspace);
        let (_, image_base) = write(
            context,
            &workspace,
            &[],
            &self.base,
            self.platform.as_ref(),
            &folder,
        )?;
        let cancel = Cancel::default();
        let asked = cancel.clone();
        let _on_stop = context.interruptible()?.on_stop(move || asked.cancel());
        let voice = Voice::new(context);
        voice.tell(BuildEvent::Step(format!(
            "building the container with {}",
            engine.name()
        )));
        let built = engine::build_test_image(
            (&folder, &image_base),
            engine,
            &platform,
            &cancel,
            &mut |event| voice.tell(event),
        );
        voice.rest();
        built?;
        let drivers = driver_folder().filter(|folder| folder.is_dir());
        let command = container(
            engine,
            self.platform.as_ref(),
            workspace.root(),
            &program,
            drivers.as_deref(),
        );
        run(command, engine, arguments)
    }

    /// The program that is mounted into the container: this one where it runs there.
    fn program(&self, context: &Context, platform: &Platform) -> Result<PathBuf, CliError> {
        if let Some(binary) = &self.binary {
            return Ok(context.path(binary));
        }
        let here = Platform::host();
        if (&here.os, &here.architecture) != (&platform.os, &platform.architecture) {
            return Err(CliError::usage(
                format!("this program is for {here}, and the container for {platform}"),
                "name a `bowline` of that platform with `--binary`; releases have them",
            ));
        }
        std::env::current_exe().map_err(|error| {
            CliError::Internal(format!("this program cannot find itself: {error}"))
        })
    }
}

/// The variables that say what is tested, which means the same in the container.
const PASSED: [&str; 2] = [CONNECTOR_VARIABLE, ETL_TEST_WINDOW_VARIABLE];

/// The command that starts a container over the workspace, short of what is run in it.
fn container(
    engine: Engine,
    platform: Option<&Platform>,
    workspace: &Path,
    program: &Path,
    drivers: Option<&Path>,
) -> Command {
    let mut command = Command::new(engine.name());
    command.args(["run", "--rm", "--network", "host"]);
    if let Some(platform) = platform {
        command.args(["--platform", &platform.to_string()]);
    }
    for name in PASSED {
        command.args(["--env", name]);
    }
    let mut mount = |from: &Path, to: &str, how: &str| {
        command
            .arg("--volume")
            .arg(format!("{}:{to}{how}", from.display()));
    };
    // At the same place inside: credentials may name files in it by whole paths.
    let place = workspace.display().to_string();
    mount(workspace, &place, "");
    mount(program, TestImage::PROGRAM, ":ro");
    if let Some(drivers) = drivers {
        // So do manifests of drivers with their libraries.
        let folder = drivers.display().to_string();
        mount(drivers, &folder, ":ro");
        command.args(["--env", &format!("{DRIVER_FOLDER_VARIABLE}={folder}")]);
    }
    command.args(["--workdir", &place, TestImage::TAG]);
    command
}

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
            Ok(Ended::InContainer(code))
        }
        _ => Err(failed(status.to_string()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_the_drivers_where_their_manifests_say() {
        let command = container(
            Engine::Podman,
            Some(&Platform {
                os: "linux".to_owned(),
                architecture: "arm64".to_owned(),
                variant: None,
            }),
            Path::new("/w"),
            Path::new("/bin/bowline"),
            Some(Path::new("/home/ann/drivers")),
        );
        let said = command.get_args().map(|word| word.to_string_lossy());
        let said = said.collect::<Vec<_>>().join(" ");
        assert_eq!(
            said,
            "run --rm --network host --platform linux/arm64 --env CONNECTOR --env ETL_TEST_WINDOW_HOURS --volume /w:/w \
             --volume /bin/bowline:/usr/local/bin/bowline:ro --volume /home/ann/drivers:/home/ann/drivers:ro \
             --env BOWLINE_DRIVER_DIR=/home/ann/drivers --workdir /w bowline-test"
        );
    }
}
