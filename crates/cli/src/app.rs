//! The command line as a whole: global options and the list of commands.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{ArgAction, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::command;

/// The options every command takes, and the command.
#[derive(Debug, Parser)]
#[command(
    name = "bowline",
    version = env!("BOWLINE_VERSION"),
    styles = crate::style::HELP,
    arg_required_else_help = true,
    about = "Build connectors for data observability, and prove them against the live database",
    after_help = "Start with `bowline demo`: it makes a small shop database and proves a connector for it."
)]
pub(crate) struct App {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options that stand before or after any command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Work as if started in this directory
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = false
    )]
    pub(crate) color: ColorWhen,
    /// Say nothing but the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about what is done, show statements with their times, and in a report those behind what is unknown; twice, whole statements, and those behind every check
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set; `CLICOLOR_FORCE` forces it
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See a whole connector made and proven, on a database made for it
    Demo(command::demo::DemoArgs),
    /// Start a new connector
    #[command(alias = "create")]
    New(command::new::NewArgs),
    /// Turn a connector in Python into a declarative one
    Convert(command::convert::ConvertArgs),
    /// Find the templates that a connector lacks, each proven against its live database
    Fit(command::fit::FitArgs),
    /// Write a proven connector's templates as a dialect pack that others extend, or list the packs
    Pack(command::pack::PackArgs),
    /// List, install and describe database drivers
    Driver(command::driver::DriverArgs),
    /// See what is here, what is missing, and how to mend it
    Doctor(command::doctor::DoctorArgs),
    /// Prove a connector against its live database
    Test(command::test::TestArgs),
    /// List the connectors of the workspace and where each stands
    List(command::list::ListArgs),
    /// Write what the last test found, as a page or in another form
    Report(command::report::ReportArgs),
    /// Prove a connector and write what the platform takes from it
    Export(command::export::ExportArgs),
    /// Check that an export follows from its evidence
    Verify(command::verify::VerifyArgs),
    /// Find the smallest rights that a connector's account needs
    Grants(command::grants::GrantsArgs),
    /// Say what changed between two runs, exports or images, and how much that asks of users
    Diff(command::diff::DiffArgs),
    /// Read a pipeline's metadata and runs, and send them on as events
    Collect(Box<command::collect::CollectArgs>),
    /// Build an agent image that holds connectors
    Build(command::build::BuildArgs),
    /// Look into agent images
    Image(command::image::ImageArgs),
    /// Remove caches, and the images that tests in a container, builds and bases in files leave
    Clean(command::clean::CleanArgs),
    /// Write a Dockerfile and a compose file to test connectors in a container
    Dockerfile(command::dockerfile::DockerfileArgs),
    /// Show what one template becomes
    Render(command::render::RenderArgs),
    /// Run SQL through a connector
    Query(command::query::QueryArgs),
    /// Compute the metrics of a table
    Profile(command::profile::ProfileArgs),
    /// Read what a template is for and how each dialect spells it
    Explain(command::explain::ExplainArgs),
    /// Print the JSON schema of a file
    Schema(command::schema::SchemaArgs),
    /// Look at a job and a run of a pipeline connector, and at where they come from
    Inspect(command::inspect::InspectArgs),
    /// Be an orchestrator that misbehaves, to aim a pipeline connector at
    Simulate(command::simulate::SimulateArgs),
    /// Check a connector's credentials
    Credentials(command::credentials::CredentialsArgs),
    /// Make and check the comments that tie SQL to the job that runs it
    Tag(command::tag::TagArgs),
    /// Check programs that speak the process protocol
    Protocol(command::protocol::ProtocolArgs),
    /// Speak the process protocol for a connector
    #[command(hide = true)]
    Serve(command::serve::ServeArgs),
    /// Print a completion script for a shell
    Completions(command::completions::CompletionsArgs),
    /// Write the manual pages
    Man(command::man::ManArgs),
}

/// The command line as clap knows it.
#[must_use]
pub fn command_line() -> clap::Command {
    App::command()
}

/// The reference page of all commands and their options, as Markdown.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# Commands\n\nData goes to standard output, talk to standard error. What the exit codes mean stands in \
         [exit codes](exit-codes.md).\n",
    );
    let mut root = command_line().term_width(100);
    root.build();
    describe(&mut root, "", &mut page);
    page
}

fn describe(command: &mut clap::Command, parents: &str, page: &mut String) {
    let path = format!("{parents}{}", command.get_name());
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let _ = write!(page, "\n## {path}\n\n```text\n{}\n```\n", help.join("\n"));
    for sub in command.get_subcommands_mut() {
        if sub.get_name() != "help" {
            describe(sub, &format!("{path} "), page);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command_line().debug_assert();
    }

    #[test]
    fn the_old_word_for_pipelines_is_still_taken_and_not_shown() {
        for flag in ["--pipeline", "--etl"] {
            let words = ["bowline", "new", "nights", flag, "--like", "prefect"];
            assert!(App::try_parse_from(words).is_ok(), "{flag}");
        }
        assert!(!reference_markdown().contains("--etl"));
    }

    #[test]
    fn the_words_of_another_toolkit_are_taken_and_not_shown() {
        for words in [
            &["create", "shop", "--lang", "python"][..],
            &["test", "--connector", "shop"],
            &["test", "--etl-connection", "nightly"],
            &["test", "shop", "--export"],
            &["dockerfile", "--docker-platform", "linux/arm64"],
            &[
                "build",
                "--docker-platform",
                "linux/arm64",
                "--base-image",
                "python:3",
                "--etl-connection",
                "nightly",
            ],
        ] {
            let words = [&["bowline"], words].concat();
            assert!(App::try_parse_from(&words).is_ok(), "{words:?}");
        }
        let page = reference_markdown();
        for word in [
            "## bowline create",
            "--etl-connection",
            "--docker-platform",
            "--base-image",
        ] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn every_command_is_described() {
        let page = reference_markdown();
        for sub in command_line().get_subcommands() {
            assert!(page.contains(&format!("## bowline {}\n", sub.get_name())));
            assert!(sub.get_about().is_some(), "{}", sub.get_name());
        }
    }
}
