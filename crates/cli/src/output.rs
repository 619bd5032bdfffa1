//! The one place that writes to the terminal: data to standard output, talk to standard error.
//!
//! Everything passes a [`Redactor`] on its way out, whatever the libraries did before; only collected events do not: they
//! are the vendor's data, and must be the same wherever they go.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use bowline_words::{Diagnose, Redactor, visible, with_directions_spelt};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::ColorWhen;
use crate::error::CliError;
use crate::fitted::fitted;
use crate::style::{BAD, HINT, OPEN, paint};
use crate::terminal;

/// How much is said beside the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// The result and errors.
    Quiet,
    /// What a person wants to follow.
    Normal,
    /// What helps when something is off.
    Verbose,
    /// All of that, and every statement with its time and rows.
    Statements,
}

/// Writes to the process's two streams.
#[derive(Debug)]
pub(crate) struct Printer {
    verbosity: Verbosity,
    /// The directory that errors show paths from.
    directory: PathBuf,
    redactor: RwLock<Redactor>,
    /// What is drawn on standard error, and makes way for lines that are said there.
    bars: MultiProgress,
}

/// Sets when colour is used, for this program's output and for help texts alike.
pub(crate) fn set_color(when: ColorWhen) {
    if when != ColorWhen::Auto {
        dialoguer::console::set_colors_enabled_stderr(when == ColorWhen::Always);
    }
    match when {
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::AlwaysAnsi,
        ColorWhen::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

impl Printer {
    pub(crate) fn new(verbosity: Verbosity) -> Self {
        Self {
            verbosity,
            directory: PathBuf::new(),
            redactor: RwLock::new(Redactor::default()),
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
        }
    }

    /// The same printer, whose errors show paths as people in the directory would type them.
    pub(crate) fn showing_paths_in(self, directory: &Path) -> Self {
        Self {
            directory: directory.to_path_buf(),
            ..self
        }
    }

    /// From now on, hides these secrets.
    pub(crate) fn hide(&self, redactor: Redactor) {
        *self
            .redactor
            .write()
            .unwrap_or_else(PoisonError::into_inner) = redactor;
    }

    /// Writes text for people to standard output, in colour where wanted; the text ends its own lines.
    pub(crate) fn text(&self, text: &str) -> Result<(), CliError> {
        let text = with_directions_spelt(&self.redact(text));
        let text = fitted(&text, terminal::width());
        let mut out = anstream::stdout().lock();
        written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Writes data for programs to standard output, byte for byte.
    pub(crate) fn data(&self, data: &str) -> Result<(), CliError> {
        self.bytes(self.redact(data).as_bytes())
    }

    /// Writes what is no text to standard output; whoever made it has taken secrets out.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        written(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Writes collected events to standard output as they are, and tells when their reader is gone.
    pub(crate) fn events(&self, data: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(data.as_bytes())?;
        out.flush()
    }

    /// Says a line on standard error, unless asked to be quiet.
    pub(crate) fn say(&self, line: impl std::fmt::Display) {
        if self.verbosity >= Verbosity::Normal {
            self.complain(&format!("{line}\n"));
        }
    }

    /// Says a warning on standard error, unless asked to be quiet.
    pub(crate) fn warn(&self, what: impl std::fmt::Display) {
        self.say(format!("{} {what}", paint(OPEN, "warning:")));
    }

    /// How much is said.
    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Whether it was asked to say more.
    pub(crate) fn says_details(&self) -> bool {
        self.verbosity >= Verbosity::Verbose
    }

    /// Says a line on standard error when asked to say more.
    pub(crate) fn detail(&self, line: impl std::fmt::Display) {
        if self.verbosity >= Verbosity::Verbose {
            self.complain(&format!("{line}\n"));
        }
    }

    /// Shows an error: what failed, why, and what to do.
    pub(crate) fn problem(&self, error: &impl Diagnose) {
        let problem = error.diagnose();
        // Secrets are hidden as they are written, before any of their letters is spelt out.
        let shown = |text: &str| visible(&self.redact(text));
        let mut text = format!("{} {}\n", paint(BAD, "error:"), shown(&problem.what));
        for cause in &problem.causes {
            text.push_str(&shown(&indent(cause)));
        }
        text.push_str(&shown(&indent(&problem.listing())));
        for hint in &problem.hints {
            text.push_str(&format!("\n{} {}\n", paint(HINT, "hint:"), shown(hint)));
        }
        self.complain(&self.with_short_paths(&text));
    }

    /// A progress bar on standard error; invisible when quiet or when nobody is looking.
    pub(crate) fn bar(&self, template: &str) -> ProgressBar {
        if self.verbosity == Verbosity::Quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━━╌")
            .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let bar = self.bars.add(bar).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// A text whose paths are as people in the directory would type them.
    pub(crate) fn with_short_paths(&self, text: &str) -> String {
        shortened(text, &self.directory)
    }

    /// Whether a person can be asked: both ends are a terminal, and quiet was not asked for.
    pub(crate) fn can_ask(&self) -> bool {
        self.verbosity >= Verbosity::Normal
            && io::stdin().is_terminal()
            && io::stderr().is_terminal()
    }

    fn complain(&self, text: &str) {
        let text = with_directions_spelt(&self.redact(text));
        let text = fitted(&text, terminal::width_of_errors());
        // Nothing sensible is left to do when standard error itself cannot be written.
        let _ = self
            .bars
            .suspend(|| anstream::stderr().lock().write_all(text.as_bytes()));
    }

    /// The text without secrets, for what is written elsewhere.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.redactor
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .redact(text)
    }
}

/// A reader that closed its end early (`| head`) has what it wanted; any other failure is one.
fn written(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Output(error)),
        _ => Ok(()),
    }
}

fn indent(cause: &str) -> String {
    cause.lines().fold(String::new(), |mut text, line| {
        if !line.is_empty() {
            text.push_str("  ");
            text.push_str(line);
        }
        text.push('\n');
        text
    })
}

/// A text in which paths below the directory are relative to it.
fn shortened(text: &str, directory: &Path) -> String {
    let prefix = format!("{}/", directory.display());
    if prefix == "/" || prefix == "//" {
        return text.to_owned();
    }
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&prefix) {
        let (before, found) = rest.split_at(at);
        short.push_str(before);
        let is_inside = |last: char| last.is_alphanumeric() || "/._-".contains(last);
        if short.ends_with(is_inside) {
            short.push_str(&prefix);
        }
        rest = &found[prefix.len()..];
    }
    short + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_the_directory() {
        let shown = |text| shortened(text, Path::new("/w"));
        assert_eq!(shown("cannot read `/w/a/b.toml`"), "cannot read `a/b.toml`");
        assert_eq!(shown("/w/a: /w/b:1:2\n  in /w"), "a: b:1:2\n  in /w");
        assert_eq!(
            shown("`/tmp/w/a`, `x/w/a`, `/w2/a`"),
            "`/tmp/w/a`, `x/w/a`, `/w2/a`"
        );
        assert_eq!(shortened("`/a/b`", Path::new("/")), "`/a/b`");
        assert_eq!(shortened("`/a/b`", Path::new("")), "`/a/b`");
    }

    #[test]
    fn causes_are_indented_without_trailing_space() {
        assert_eq!(indent("one\n\ntwo"), "  one\n\n  two\n");
    }
}
