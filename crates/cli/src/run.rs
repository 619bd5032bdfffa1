//! From the process's arguments to its exit code.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::app::{App, ColorWhen, Command, GlobalArgs};
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::{self, Ended};
use crate::output::{self, Printer, Verbosity};

/// Carries out the command that the arguments name and gives the exit code for it.
///
/// The first argument is the program's own name. Help, the version and errors about the command line itself are
/// printed here too.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(answered) = complete::answer(&arguments) {
        return exit_code(answered.map_or_else(|error| error.exit_code(), |()| 0));
    }
    output::set_color(early_color(&arguments));
    let own = arguments.iter().position(|argument| argument == "--");
    let own = own.unwrap_or(arguments.len());
    let arguments = arguments.into_iter().enumerate();
    let arguments = arguments.map(|(place, argument)| match place {
        // What comes behind is another program's.
        place if place > own => argument,
        _ => apart_from_options(argument),
    });
    let app = match App::try_parse_from(arguments) {
        Ok(app) => app,
        Err(error) => {
            let code = error.exit_code();
            // A closed pipe under a help text is no failure.
            let _ = error.print();
            return exit_code(code);
        }
    };
    let printer = Printer::new(verbosity(&app.global));
    let result = start(app, printer);
    exit_code(result)
}

/// The argument; SQL that begins with a comment, as a tagged statement does, with a blank before: no option begins so.
fn apart_from_options(argument: OsString) -> OsString {
    let text = argument.to_str().and_then(|text| text.strip_prefix("--"));
    let is_comment = text.is_some_and(|text| {
        let mut letters = text.chars();
        letters.next().is_some_and(|first| !first.is_alphanumeric()) && text.contains('\n')
    });
    if !is_comment {
        return argument;
    }
    let mut apart = OsString::from(" ");
    apart.push(argument);
    apart
}

fn start(app: App, printer: Printer) -> i32 {
    let directory = match directory(&app.global) {
        Ok(directory) => directory,
        Err(error) => {
            printer.problem(&error);
            return exit::code(&Err(error));
        }
    };
    let context = Context::new(printer.showing_paths_in(&directory), directory);
    let result = execute(app.command, &context);
    let code = exit::code(&result);
    match &result {
        Err(_) if code == bowline_contract::exit_code::INTERRUPTED => {
            context.printer.say("stopped")
        }
        Err(error) => context.printer.problem(error),
        Ok(_) => {}
    }
    code
}

fn execute(command: Command, context: &Context) -> Result<Ended, CliError> {
    match command {
        Command::Demo(args) => args.exec(context),
        Command::Driver(args) => args.exec(context),
        Command::New(args) => args.exec(context),
        Command::Convert(args) => args.exec(context),
        Command::Fit(args) => args.exec(context),
        Command::Pack(args) => args.exec(context),
        Command::Doctor(args) => args.exec(context),
        Command::Clean(args) => args.exec(context),
        Command::Test(args) => args.exec(context),
        Command::Report(args) => args.exec(context),
        Command::List(args) => args.exec(context),
        Command::Export(args) => args.exec(context),
        Command::Verify(args) => args.exec(context),
        Command::Grants(args) => args.exec(context),
        Command::Diff(args) => args.exec(context),
        Command::Collect(args) => args.exec(context),
        Command::Build(args) => args.exec(context),
        Command::Image(args) => args.exec(context),
        Command::Dockerfile(args) => args.exec(context),
        Command::Render(args) => args.exec(context),
        Command::Query(args) => args.exec(context),
        Command::Profile(args) => args.exec(context),
        Command::Explain(args) => args.exec(context),
        Command::Schema(args) => args.exec(context),
        Command::Inspect(args) => args.exec(context),
        Command::Simulate(args) => args.exec(context),
        Command::Credentials(args) => args.exec(context),
        Command::Tag(args) => args.exec(context),
        Command::Protocol(args) => args.exec(context),
        Command::Serve(args) => args.exec(context),
        Command::Completions(args) => args.exec(context),
        Command::Man(args) => args.exec(context),
    }
}

fn verbosity(global: &GlobalArgs) -> Verbosity {
    match (global.quiet, global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Verbose,
        (false, _) => Verbosity::Statements,
    }
}

/// The directory to work in: relative paths of the command line begin there, and messages show paths from there.
fn directory(global: &GlobalArgs) -> Result<PathBuf, CliError> {
    match &global.directory {
        // The dot asks for a directory that may be entered.
        Some(wanted) => wanted.join(".").canonicalize().map_err(|error| {
            CliError::usage(
                format!("cannot work in `{}`: {error}", wanted.display()),
                "give `-C` a directory that exists",
            )
        }),
        None => std::env::current_dir().map_err(|error| {
            CliError::usage(
                format!("the current directory cannot be read: {error}"),
                "change to a directory that exists",
            )
        }),
    }
}

/// The colour choice, found before the arguments are parsed so that errors about them obey it too.
fn early_color(arguments: &[OsString]) -> ColorWhen {
    let mut choice = ColorWhen::Auto;
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        let value = match word.split_once('=') {
            Some(("--color", value)) => value,
            None if word == "--color" => words.next().unwrap_or_default(),
            None if word == "--" => break,
            _ => continue,
        };
        choice = match value {
            "always" => ColorWhen::Always,
            "never" => ColorWhen::Never,
            _ => ColorWhen::Auto,
        };
    }
    choice
}

fn exit_code(code: i32) -> ExitCode {
    // The contract's codes all fit; see its own test.
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn early(words: &[&str]) -> ColorWhen {
        early_color(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn sql_that_begins_with_a_comment_is_no_option() {
        let apart = |text: &str| apart_from_options(text.into()).into_string().unwrap();
        for sql in ["-- {\"mcd_job_id\": \"a\"}\nSELECT 1", "--\nSELECT 1"] {
            assert_eq!(apart(sql), format!(" {sql}"));
        }
        for other in [
            "--",
            "--format",
            "--sql=SELECT\n1",
            "-v",
            "SELECT 1 -- one\n",
            "-- all",
        ] {
            assert_eq!(apart(other), other);
        }
    }

    #[test]
    fn colour_is_found_before_parsing() {
        assert_eq!(early(&["bowline", "test"]), ColorWhen::Auto);
        assert_eq!(early(&["bowline", "--color=never", "x"]), ColorWhen::Never);
        assert_eq!(
            early(&["bowline", "x", "--color", "always"]),
            ColorWhen::Always
        );
        assert_eq!(early(&["bowline", "--", "--color=never"]), ColorWhen::Auto);
    }
}
