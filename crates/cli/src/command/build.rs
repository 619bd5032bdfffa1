//! `bowline build`: an agent image that holds connectors.

mod builder;
pub(super) mod summary;

use std::path::PathBuf;
use std::sync::Arc;

use bowline_connector::{Workspace, WorkspaceError};
use bowline_contract::AssetClass;
use bowline_contract::layout::CONNECTOR_VARIABLE;
use bowline_image::engine::Engine;
use bowline_image::plan::{
    Candidate, ModeChoice, PlanError, PlanProblem, PlanProblemKind, PlanRequest, Planned, Question,
    choose, plan,
};
use bowline_image::shim::BowlineRuntime;
use bowline_image::{BaseImage, BuildEvent, agent_platform};
use bowline_oci::registry::Access;
use bowline_oci::{Cancel, Platform};
use bowline_warehouse::dialect::Pack;
use bowline_words::Diagnose;
use dialoguer::Confirm;
use dialoguer::theme::ColorfulTheme;
use indicatif::ProgressBar;

use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::insecure::InsecureRegistries;
use crate::proven::candidate;
use builder::{Builder, Destination};

pub(crate) use builder::proven_by;
pub(crate) use summary::bytes;

/// Build an agent image that holds connectors.
///
/// Takes warehouse connectors as they were exported and pipeline connectors as they are. Everything that stands in
/// the way is told before anything is built. Credentials, `.env` and what a `.gitignore` names never go in.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bowline build\n  bowline build shop --tag registry.example.com/team/agent:1.0 --push\n  \
                  bowline build --platform linux/amd64 --platform linux/arm64 --output oci:image"
)]
pub(crate) struct BuildArgs {
    /// The connectors; without names, the one that CONNECTOR names, else all exported warehouse and all pipeline connectors
    #[arg(add = complete::connectors())]
    names: Vec<String>,
    /// A connector, as an option.
    #[arg(
        short = 'c',
        long = "connector",
        alias = "etl-connection",
        value_name = "CONNECTOR",
        hide = true,
        add = complete::connectors()
    )]
    named: Vec<String>,
    /// Whether the agent reads metadata with the warehouse connectors
    #[arg(long, value_name = "MODE", default_value = "auto")]
    mode: ModeName,
    #[command(flatten)]
    base: BaseArgs,
    /// A platform to build for, `linux/amd64` if none is named; may be given several times
    #[arg(long = "platform", alias = "docker-platform", value_name = "PLATFORM", value_parser = platform)]
    platforms: Vec<Platform>,
    /// The image's name; without it, `custom-agent:<version>-generic`
    #[arg(short, long, value_name = "TAG")]
    tag: Option<String>,
    /// What builds the image; without it, `native` when it can, else an engine that is there
    #[arg(long, value_name = "BUILDER")]
    builder: Option<Builder>,
    /// Where the native builder writes the image: `oci:DIR`, `oci-archive:FILE` or `docker-archive:FILE`
    #[arg(long, value_name = "PLACE", conflicts_with = "push")]
    output: Option<Destination>,
    /// Push the image to the registry that its tag names
    #[arg(long)]
    push: bool,
    #[command(flatten)]
    registries: InsecureRegistries,
    /// The `bowline` program that goes into the image, or a folder of them for several platforms
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Let this connector in although what ships is not what was proven; may be given several times
    #[arg(long, value_name = "NAME", add = complete::connectors())]
    unproven: Vec<String>,
    /// Let this file in although it holds a secret; may be given several times
    #[arg(long = "allow-secrets", value_name = "FILE")]
    secrets: Vec<PathBuf>,
    /// Go on without asking where no harm is done
    #[arg(short, long)]
    yes: bool,
}

/// What an image is built on.
#[derive(Debug, clap::Args)]
pub(crate) struct BaseArgs {
    /// The version of the stock agent to build on; without it, `latest`
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Build on this instead: an image's name, in an engine of this machine or in a registry, `oci:DIR[:IMAGE]`, or an archive
    #[arg(long, alias = "base-image", value_name = "BASE")]
    base: Option<String>,
}

impl BaseArgs {
    /// The version of the stock agent, if one is named.
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The engines whose stores are looked into for it. The stock agent comes from its registry: what a store has
    /// under that name may be of long ago.
    fn engines(&self) -> &'static [Engine] {
        match self.base {
            Some(_) => &Engine::ALL,
            None => &[],
        }
    }

    /// What to build on, if something is named.
    pub(crate) fn image(&self, context: &Context) -> Option<BaseImage> {
        let base = self.base.as_deref()?;
        Some(BaseImage::parse(&context.directory, base))
    }
}

/// The modes on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ModeName {
    /// Full where metadata was proven, else hybrid
    Auto,
    /// The agent reads metadata too
    Full,
    /// Somebody else pushes the metadata
    Hybrid,
}

impl From<ModeName> for ModeChoice {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Auto => Self::Auto,
            ModeName::Full => Self::Full,
            ModeName::Hybrid => Self::Hybrid,
        }
    }
}

impl BuildArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let workspace = Workspace::find(&context.directory)?;
        let cancel = Cancel::default();
        let asked = cancel.clone();
        let _on_stop = context.interruptible()?.on_stop(move || asked.cancel());
        let voice = Voice::new(context);
        let planned = self.plan(context, &workspace, &cancel, &voice)?;
        voice.rest();
        for advice in &planned.advices {
            let hint = advice.hint.iter().map(|hint| format!("\n  hint: {hint}"));
            let hint: String = hint.collect();
            context.printer.warn(format!("{advice}{hint}"));
        }
        for (name, why) in &planned.unproven {
            context
                .printer
                .warn(format!("`{name}` goes in all the same: {why}"));
        }
        self.ask(context, &planned.questions)?;

        let tell = voice.clone();
        let mut access = Access::of_user(|name| std::env::var_os(name).map(PathBuf::from));
        access.insecure.clone_from(&self.registries.insecure);
        access.cancel = cancel;
        access.on_event = Arc::new(move |event| tell.tell(event.into()));
        let job = builder::Job {
            plan: &planned.plan,
            workspace: &workspace,
            destination: self.output.as_ref().map(|output| output.within(context)),
            push: self.push,
            engines: self.base.engines(),
            access,
        };
        let made = builder::carry_out(&job, self.builder, &voice);
        voice.rest();
        let made = made?;
        let text = summary::summary(&planned.plan, &made, &workspace, context);
        context.printer.text(&text)?;
        Ok(Ended::Fine)
    }

    fn plan(
        &self,
        context: &Context,
        workspace: &Workspace,
        cancel: &Cancel,
        voice: &Voice,
    ) -> Result<Planned, CliError> {
        let (connectors, mut problems) =
            chosen(context, workspace, &[&*self.names, &self.named].concat())?;
        let (unproven, unknown) = match self.unproven.as_slice() {
            [] => Default::default(),
            names => all_or_named(workspace, names)?,
        };
        problems.extend(unknown);
        let connectors: Vec<Candidate> = connectors
            .into_iter()
            .filter(|each| match Pack::extended_by(&each.dir) {
                Ok(_) => true,
                Err(error) => {
                    let told = error.diagnose();
                    let what = told.words() + &told.listing();
                    let problem = PlanProblem::new(PlanProblemKind::File, what).of(&each.name);
                    problems.push(problem.hint(told.hints.into_iter().next()));
                    false
                }
            })
            .collect();
        let unproven: Vec<PathBuf> = unproven.into_iter().map(|each| each.dir).collect();
        let places = [&context.directory, workspace.root()];
        let named = self.secrets.iter();
        let secrets: Vec<PathBuf> = named
            .flat_map(|file| places.map(|place| place.join(file)))
            .collect();
        let runtime = BowlineRuntime {
            workspace: workspace.root().to_path_buf(),
            binary: self.binary.as_deref().map(|path| context.path(path)),
            drivers: workspace.state_dir().join("drivers"),
            cancel,
            on_event: &|event| voice.tell(event),
        };
        let planned = plan(&PlanRequest {
            workspace: workspace.root(),
            connectors: &connectors,
            mode: self.mode.into(),
            version: self.base.version(),
            base: self.base.image(context),
            platforms: &self.platforms,
            tag: self.tag.as_deref(),
            unproven: &unproven,
            secrets: &secrets,
            runtime: &runtime,
        });
        match planned {
            Ok(planned) if problems.is_empty() => Ok(planned),
            Ok(_) => Err(PlanError { problems }.into()),
            Err(error) => {
                // That nothing is left to put in follows from names that are unknown.
                let follows =
                    |each: &PlanProblem| !problems.is_empty() && each.kind == PlanProblemKind::Name;
                let more: Vec<_> = error
                    .problems
                    .into_iter()
                    .filter(|each| !follows(each))
                    .collect();
                problems.extend(more);
                Err(PlanError { problems }.into())
            }
        }
    }

    /// Warns of what the connectors' owner may not want, and goes on only with a yes.
    fn ask(&self, context: &Context, questions: &[Question]) -> Result<(), CliError> {
        if questions.is_empty() {
            return Ok(());
        }
        let warnings: Vec<String> = questions
            .iter()
            .map(|question| summary::warning(question, context.printer.says_details()))
            .collect();
        if !self.yes && !context.printer.can_ask() {
            return Err(CliError::usage(
                format!(
                    "stopped before building: there are warnings, and nobody can be asked\n{}",
                    warnings.join("\n")
                ),
                "if that is as you want it, say so with `--yes`",
            ));
        }
        for warning in warnings {
            context.printer.warn(warning);
        }
        if self.yes {
            return Ok(());
        }
        let go_on = Confirm::with_theme(&ColorfulTheme::default())
            .with_prompt("Build the image all the same?")
            .default(false)
            .interact()
            .map_err(super::new::unanswered)?;
        if go_on {
            Ok(())
        } else {
            Err(CliError::Interrupted)
        }
    }
}

/// The connectors that are meant, and the names that mean none.
fn chosen(
    context: &Context,
    workspace: &Workspace,
    names: &[String],
) -> Result<(Vec<Candidate>, Vec<PlanProblem>), CliError> {
    if !names.is_empty() {
        return all_or_named(workspace, names);
    }
    if let Some(name) = named_by_environment() {
        context.printer.say(format!(
            "only `{name}`, which the environment variable `{CONNECTOR_VARIABLE}` names"
        ));
        return all_or_named(workspace, &[name]);
    }
    let (chosen, left_out) = choose(all_or_named(workspace, names)?.0);
    for name in left_out {
        context.printer.say(format!(
            "left out: `{name}`, which is not exported (`bowline export {name}`)"
        ));
    }
    Ok((chosen, Vec::new()))
}

fn named_by_environment() -> Option<String> {
    let name = std::env::var(CONNECTOR_VARIABLE).ok()?;
    (!name.trim().is_empty()).then_some(name)
}

/// The connectors of these names, or all there are, and the names that mean none.
pub(crate) fn all_or_named(
    workspace: &Workspace,
    names: &[String],
) -> Result<(Vec<Candidate>, Vec<PlanProblem>), CliError> {
    let candidate = |found| candidate(workspace, found);
    if names.is_empty() {
        let mut all = Vec::new();
        for class in [AssetClass::Warehouse, AssetClass::Pipeline] {
            all.extend(workspace.connectors(class)?.into_iter().map(candidate));
        }
        return Ok((all, Vec::new()));
    }
    let mut chosen = Vec::new();
    let mut problems = Vec::new();
    for name in names {
        match workspace.locate(Some(name), None) {
            Ok(found) => chosen.push(candidate(found)),
            Err(error @ (WorkspaceError::Unreadable { .. } | WorkspaceError::SameName { .. })) => {
                return Err(error.into());
            }
            Err(error) => {
                let told = error.diagnose();
                let what = [vec![told.what], told.causes].concat().join(": ");
                problems.push(
                    PlanProblem::new(PlanProblemKind::Name, what)
                        .hint(told.hints.into_iter().next()),
                );
            }
        }
    }
    Ok((chosen, problems))
}

pub(crate) fn platform(text: &str) -> Result<Platform, String> {
    agent_platform(text).map_err(|error| error.diagnose().to_string())
}

/// Tells people what a build is about, from any thread.
#[derive(Clone)]
pub(crate) struct Voice {
    printer: Arc<crate::output::Printer>,
    bar: ProgressBar,
}

impl Voice {
    pub(crate) fn new(context: &Context) -> Self {
        Self {
            printer: Arc::clone(&context.printer),
            bar: context.printer.bar("{spinner} {wide_msg}"),
        }
    }

    pub(crate) fn tell(&self, event: BuildEvent) {
        match event {
            BuildEvent::Step(what) => {
                let what = self.printer.with_short_paths(&what);
                self.bar.set_message(what.clone());
                self.printer.say(what);
            }
            BuildEvent::Progress { what, done, total } => {
                let done = summary::bytes(done);
                self.bar.set_message(match total {
                    Some(total) => format!("{what} {done} of {}", summary::bytes(total)),
                    None => format!("{what} {done}"),
                });
            }
            BuildEvent::Output(line) => {
                let line = bowline_words::visible(&line);
                self.bar.set_message(line.clone());
                self.printer.detail(line);
            }
            BuildEvent::Warning(what) => self.printer.warn(what),
        }
    }

    /// Takes the progress away.
    pub(crate) fn rest(&self) {
        self.bar.finish_and_clear();
    }
}
