//! `bowline driver`: which drivers there are, what they take, and getting one.

use std::path::{Path, PathBuf};

use anstyle::Style;
use bowline_installer::catalogue::{self, CatalogueEntry, Need, Platform};
use bowline_installer::{
    DRIVER_FOLDER_VARIABLE, InstallError, InstallEvent, InstallOptions, InstallOutcome,
    InstallState, Installed,
};
use bowline_words::nearest::hint_or;
use clap::Subcommand;

use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::style::{BAD, CODE, GOOD, HINT, QUIET, STRONG, paint};

/// The drivers that are part of the program, by the names of their engines' ADBC drivers: the kind, and the option that
/// says what the first of the ADBC driver's does.
const COMPILED_IN: [(&str, &str, &str); 2] = [
    ("postgresql", "postgres", "uri"),
    ("sqlite", "sqlite", "path"),
];

/// How `connector.toml` names the driver that is part of the program, for an engine that has one.
fn compiled_in(entry: &CatalogueEntry) -> Option<String> {
    let (_, kind, option) = COMPILED_IN
        .into_iter()
        .find(|(name, ..)| *name == entry.name)?;
    let example = entry.options.first()?.example;
    Some(format!(
        "[driver]\nkind = \"{kind}\"\n\n[driver.options]\n{option} = \"{example}\""
    ))
}

/// List, install and describe database drivers.
#[derive(Debug, clap::Args)]
pub(crate) struct DriverArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the drivers there are, and which of them are installed
    List,
    /// Install a driver through your own npm or pip
    ///
    /// The package's hash is checked before anything is unpacked. A driver that is there already is left alone.
    Install {
        /// The driver
        #[arg(add = complete::drivers())]
        driver: String,
        /// Take the package from this file, fetched elsewhere, and download nothing
        #[arg(long, value_name = "FILE")]
        archive: Option<PathBuf>,
    },
    /// Bring drivers that this program installed to the versions it knows now
    Update {
        /// The driver; all of them when not said
        #[arg(add = complete::drivers())]
        driver: Option<String>,
    },
    /// Remove a driver that this program installed
    Remove {
        /// The driver
        #[arg(add = complete::drivers())]
        driver: String,
    },
    /// Tell where a driver comes from and what its options mean
    Info {
        /// The driver
        #[arg(add = complete::drivers())]
        driver: String,
    },
}

impl DriverArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        match &self.action {
            Action::List => list(context),
            Action::Install { driver, archive } => installation(context, driver, archive.clone()),
            Action::Update { driver } => update(context, driver.as_deref()),
            Action::Remove { driver } => remove(context, driver),
            Action::Info { driver } => info(context, driver),
        }
    }
}

fn list(context: &Context) -> Result<Ended, CliError> {
    let folder = folder()?;
    let mut page = Listing::default();
    for entry in catalogue::catalogue() {
        let (style, state) = state(entry, &folder);
        let compiled_in = match compiled_in(entry) {
            Some(_) => format!("{}; as ADBC driver: ", paint(GOOD, "compiled in")),
            None => String::new(),
        };
        page.line(format!(
            "{} {:<18} {compiled_in}{}",
            paint(STRONG, format!("{:<12}", entry.name)),
            entry.title,
            paint(style, state)
        ));
    }
    context.printer.text(&page.finish())?;
    context.printer.say(format!(
        "\n{} `bowline driver info <driver>` tells more; drivers are kept in {}",
        paint(HINT, "hint:"),
        folder.display()
    ));
    Ok(Ended::Fine)
}

/// Where a driver stands, in a few words.
fn state(entry: &CatalogueEntry, folder: &Path) -> (Style, String) {
    match bowline_installer::install_state(entry, folder) {
        InstallState::Current(installed) => (GOOD, format!("installed, {}", installed.version)),
        InstallState::Outdated(installed) => (
            HINT,
            format!(
                "installed, {}; `bowline driver update` brings another version",
                installed.version
            ),
        ),
        InstallState::Foreign(installed) => (
            GOOD,
            format!("installed, {}, not by this program", installed.version),
        ),
        InstallState::Broken { .. } => (BAD, "broken; install it again".to_owned()),
        InstallState::Missing => match Platform::current().and_then(|here| entry.build(here)) {
            Some(build) => (
                QUIET,
                format!(
                    "not installed, {} through {}, {}",
                    build.version,
                    entry.source.client(),
                    size(build.bytes)
                ),
            ),
            None => (QUIET, "not built for this machine".to_owned()),
        },
    }
}

fn installation(
    context: &Context,
    driver: &str,
    archive: Option<PathBuf>,
) -> Result<Ended, CliError> {
    let entry = find(driver)?;
    let archive = archive.map(|file| context.path(&file));
    let (installed, words) = match run(context, entry, archive)? {
        InstallOutcome::New(installed) => (installed, "installed"),
        InstallOutcome::AlreadyThere(installed) => (installed, "already installed:"),
    };
    context.printer.text(&format!(
        "{} {words} {} {} in {}\n",
        paint(GOOD, "✓"),
        entry.title,
        installed.version,
        installed.library.display()
    ))?;
    Ok(Ended::Fine)
}

fn update(context: &Context, driver: Option<&str>) -> Result<Ended, CliError> {
    let folder = folder()?;
    let named = driver.map(find).transpose()?;
    let asked: Vec<&'static CatalogueEntry> = match named {
        Some(entry) => vec![entry],
        None => catalogue::catalogue().iter().collect(),
    };
    let mut lines = Vec::new();
    for entry in asked {
        let name = entry.name;
        match bowline_installer::install_state(entry, &folder) {
            InstallState::Outdated(before) => {
                let (InstallOutcome::New(now) | InstallOutcome::AlreadyThere(now)) =
                    run(context, entry, None)?;
                lines.push(format!(
                    "{} {name} {} is now {}",
                    paint(GOOD, "✓"),
                    before.version,
                    now.version
                ));
            }
            InstallState::Current(installed) => lines.push(format!(
                "{} {name} {} is the version that this program knows",
                paint(GOOD, "✓"),
                installed.version
            )),
            InstallState::Foreign(installed) => lines.push(format!(
                "- {name} {} was not installed by this program, and stays as it is; `bowline driver install {name}` \
                 puts its own in that place",
                installed.version
            )),
            InstallState::Broken { .. } => {
                let (InstallOutcome::New(now) | InstallOutcome::AlreadyThere(now)) =
                    run(context, entry, None)?;
                lines.push(format!(
                    "{} {name} was broken, and is now {}",
                    paint(GOOD, "✓"),
                    now.version
                ));
            }
            InstallState::Missing if named.is_some() => {
                return Err(CliError::usage(
                    format!("driver is not installed: `{name}`"),
                    format!("install it with `bowline driver install {name}`"),
                ));
            }
            InstallState::Missing => {}
        }
    }
    if lines.is_empty() {
        lines.push("no driver is installed".to_owned());
    }
    context.printer.text(&format!("{}\n", lines.join("\n")))?;
    Ok(Ended::Fine)
}

fn remove(context: &Context, driver: &str) -> Result<Ended, CliError> {
    let entry = find(driver)?;
    let name = entry.name;
    let words = match bowline_installer::remove(entry, &folder()?).map_err(CliError::Install)? {
        InstallState::Missing => {
            return Err(CliError::usage(
                format!("driver is not installed: `{name}`"),
                "`bowline driver list` tells which are",
            ));
        }
        InstallState::Foreign(installed) => {
            return Err(CliError::usage(
                format!("driver was not installed by this program: `{name}`"),
                format!(
                    "remove it with what installed it; its manifest is `{}`",
                    installed.manifest.display()
                ),
            ));
        }
        InstallState::Current(installed) | InstallState::Outdated(installed) => {
            format!("removed {} {}", entry.title, installed.version)
        }
        InstallState::Broken { .. } => format!("removed what was left of {}", entry.title),
    };
    context
        .printer
        .text(&format!("{} {words}\n", paint(GOOD, "✓")))?;
    Ok(Ended::Fine)
}

/// Installs a driver as one step of something else: gives its library, or what kept it from being installed.
pub(crate) fn install_quietly(
    context: &Context,
    driver: &str,
) -> Result<Result<Installed, InstallError>, CliError> {
    match run(context, find(driver)?, None) {
        Ok(InstallOutcome::New(installed) | InstallOutcome::AlreadyThere(installed)) => {
            Ok(Ok(installed))
        }
        Err(CliError::Install(InstallError::Interrupted)) => Err(CliError::Interrupted),
        Err(CliError::Install(error)) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

fn run(
    context: &Context,
    entry: &CatalogueEntry,
    archive: Option<PathBuf>,
) -> Result<InstallOutcome, CliError> {
    let cancel = context.interruptible()?.flag();
    let bar = context.printer.bar("{spinner} {msg} {elapsed}");
    let options = InstallOptions {
        folder: folder()?,
        archive,
        cancel: &cancel,
    };
    let outcome = bowline_installer::install(entry, &options, &mut |event| {
        let message = match event {
            InstallEvent::Downloading {
                client,
                package,
                bytes,
            } => format!("fetching {package} with {client}, {}", size(bytes)),
            InstallEvent::Verifying => "checking its hash".to_owned(),
            InstallEvent::Unpacking => "unpacking the library".to_owned(),
        };
        context.printer.detail(&message);
        bar.set_message(message);
    });
    bar.finish_and_clear();
    outcome.map_err(CliError::Install)
}

/// The driver with which a name is described: a kind that is compiled in stands with the driver for the same database.
pub(crate) fn described_with(name: &str) -> &str {
    let kind = COMPILED_IN.into_iter().find(|(_, kind, _)| *kind == name);
    kind.map_or(name, |(driver, ..)| driver)
}

fn info(context: &Context, driver: &str) -> Result<Ended, CliError> {
    let mut page = Listing::default();
    describe(&mut page, find(described_with(driver))?, &folder()?);
    context.printer.text(&page.finish())?;
    Ok(Ended::Fine)
}

fn describe(page: &mut Listing, entry: &CatalogueEntry, folder: &Path) {
    page.line(format!(
        "{}  {}: {}",
        paint(STRONG, entry.name),
        entry.title,
        entry.summary
    ));
    page.gap();
    page.field("state", &state(entry, folder).1);
    match bowline_installer::install_state(entry, folder) {
        InstallState::Current(installed)
        | InstallState::Outdated(installed)
        | InstallState::Foreign(installed) => {
            page.field("library", &installed.library.display().to_string());
        }
        InstallState::Broken { manifest } => {
            page.field("manifest", &manifest.display().to_string());
        }
        InstallState::Missing => {}
    }
    page.field("entry", entry.entrypoint);
    page.heading("Builds");
    for build in entry.builds {
        page.line(format!(
            "  {:<16} {} {} from {}, {}",
            build.platform.to_string(),
            build.package,
            build.version,
            entry.source.client(),
            size(build.bytes)
        ));
    }
    options(page, entry);
    if let Some(driver) = compiled_in(entry) {
        page.heading("In connector.toml, compiled in");
        page.code(&driver);
        page.heading("In connector.toml, as ADBC driver");
    } else {
        page.heading("In connector.toml");
    }
    let mut lines = vec![
        "[driver]".to_owned(),
        "kind = \"adbc\"".to_owned(),
        format!("name = \"{}\"", entry.name),
        String::new(),
        "[driver.options]".to_owned(),
    ];
    let needed = entry
        .options
        .iter()
        .filter(|option| option.need == Need::Required);
    lines.extend(needed.map(|option| format!("{} = \"{}\"", option.name, option.example)));
    page.code(&lines.join("\n"));
}

/// The options of a driver and what they mean.
pub(crate) fn options(page: &mut Listing, entry: &CatalogueEntry) {
    page.heading("Options");
    for option in entry.options {
        let need = match option.need {
            Need::Required => "",
            Need::Optional => "  optional",
        };
        page.line(format!(
            "  {}{}",
            paint(STRONG, option.name),
            paint(QUIET, need)
        ));
        page.prose("      ", "      ", option.meaning);
        page.line(format!("      {}", paint(CODE, option.example)));
    }
}

fn find(name: &str) -> Result<&'static CatalogueEntry, CliError> {
    catalogue::find(name).ok_or_else(|| {
        let names = || catalogue::catalogue().iter().map(|entry| entry.name);
        let hint = hint_or(name, names(), || {
            "`bowline driver list` names the drivers there are".to_owned()
        });
        CliError::usage(format!("unknown driver: `{name}`"), hint)
    })
}

fn folder() -> Result<PathBuf, CliError> {
    bowline_installer::driver_folder().ok_or_else(|| {
        CliError::usage(
            "there is no folder for drivers: no home folder is known",
            format!("name one with the variable `{DRIVER_FOLDER_VARIABLE}`"),
        )
    })
}

/// A number of bytes for people, in units of a million.
fn size(bytes: u64) -> String {
    const MEGABYTE: u64 = 1_000_000;
    match bytes.div_ceil(MEGABYTE) {
        1 => "1 MB".to_owned(),
        megabytes => format!("{megabytes} MB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(size(1), "1 MB");
        assert_eq!(size(23_400_000), "24 MB");
    }

    #[test]
    fn what_is_compiled_in_is_described_by_its_kind_too() {
        for (driver, kind, _) in COMPILED_IN {
            let entry = find(described_with(kind)).unwrap();
            assert_eq!(entry.name, driver);
            assert!(compiled_in(entry).unwrap().contains(kind));
        }
        assert!(find(described_with("postgre")).is_err());
    }
}
