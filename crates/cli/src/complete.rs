//! What shells are told when a word is to be completed: names of this workspace, and names that the program knows.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use bowline_connector::Workspace;
use bowline_contract::{AssetClass, PipelineSection, SuiteSection, Template};
use bowline_installer::catalogue;
use bowline_warehouse::dialect::Pack;
use clap_complete::CompleteEnv;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};

use crate::command::new::ODBC;
use crate::command::{explain, schema};

/// The environment variable in which a shell says that it wants words completed, and which shell it is.
pub(crate) const VARIABLE: &str = "BOWLINE_COMPLETE";

/// Answers a shell that asks for words.
///
/// # Returns
/// Nothing when no shell asks; else how it went.
pub(crate) fn answer(arguments: &[OsString]) -> Option<Result<(), clap::Error>> {
    let here = std::env::current_dir().ok();
    let answered = CompleteEnv::with_factory(crate::app::command_line)
        .var(VARIABLE)
        .try_complete(without_equals(arguments), here.as_deref());
    match answered {
        Ok(false) => None,
        Ok(true) => Some(Ok(())),
        Err(error) => Some(Err(error)),
    }
}

/// The words with options and their values apart, where bash takes `--option=value` for three words. The shell counts
/// words, so that there must be as many as before: in the place of each sign stands an option that changes no name.
fn without_equals(words: &[OsString]) -> Vec<OsString> {
    const FILLER: &str = "-v";
    let mut words = words.to_vec();
    for at in 1..words.len() {
        let is_option = words[at - 1]
            .to_str()
            .is_some_and(|word| word.starts_with("--") && word != "--");
        if words[at] == "=" && is_option {
            words.swap(at - 1, at);
            words[at - 1] = FILLER.into();
        }
    }
    words
}

/// The connectors of the workspace.
pub(crate) fn connectors() -> ArgValueCandidates {
    ArgValueCandidates::new(|| named(&[AssetClass::Warehouse, AssetClass::Pipeline]))
}

/// The connectors of the workspace, and files: where either is meant.
pub(crate) fn connectors_and_files() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| {
        let mut words = named(&[AssetClass::Warehouse, AssetClass::Pipeline]);
        let typed = word.to_string_lossy();
        words.retain(|each| each.get_value().to_string_lossy().starts_with(&*typed));
        words.extend(PathCompleter::any().complete(word));
        words
    })
}

/// Its warehouse connectors.
pub(crate) fn warehouses() -> ArgValueCandidates {
    ArgValueCandidates::new(|| named(&[AssetClass::Warehouse]))
}

/// Its pipeline connectors.
pub(crate) fn pipelines() -> ArgValueCandidates {
    ArgValueCandidates::new(|| named(&[AssetClass::Pipeline]))
}

/// Every template.
pub(crate) fn templates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let templates = Template::all();
        described(templates.map(|template| (template.short_name(), template.description)))
    })
}

/// The sections of both suites.
pub(crate) fn sections() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let warehouse = SuiteSection::ALL.iter();
        let pipeline = PipelineSection::ALL.iter();
        described(
            warehouse
                .map(|section| (section.name(), section.description()))
                .chain(pipeline.map(|section| (section.name(), section.description()))),
        )
    })
}

/// The dialect packs.
pub(crate) fn dialects() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let own = explain::of_workspace(&typed_directory());
        let packs = Pack::all().iter().chain(&own);
        described(packs.map(|pack| (pack.name.as_str(), pack.facts.description.as_str())))
    })
}

/// The drivers of the catalogue.
pub(crate) fn drivers() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let entries = catalogue::catalogue().iter();
        described(entries.map(|entry| (entry.name, entry.title)))
    })
}

/// The drivers of the catalogue, and what else `--driver` takes by a name.
pub(crate) fn asked_drivers() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let entries = catalogue::catalogue().iter();
        let odbc = (ODBC, "a data source of this machine");
        described(entries.map(|entry| (entry.name, entry.title)).chain([odbc]))
    })
}

/// Everything that `bowline explain` has a page for.
pub(crate) fn explained() -> ArgValueCompleter {
    ArgValueCompleter::new(|word: &OsStr| {
        let names = explain::names_beginning(&word.to_string_lossy());
        names.into_iter().map(CompletionCandidate::new).collect()
    })
}

/// The schemas of files.
pub(crate) fn schemas() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let schemas = schema::schemas().into_iter();
        schemas
            .map(|(name, _)| CompletionCandidate::new(name))
            .collect()
    })
}

fn described<'w>(words: impl Iterator<Item = (&'w str, &'w str)>) -> Vec<CompletionCandidate> {
    words
        .map(|(word, about)| CompletionCandidate::new(word).help(Some(about.to_owned().into())))
        .collect()
}

/// The connectors of these classes. A workspace that cannot be read has none: a shell has no place for an error.
fn named(classes: &[AssetClass]) -> Vec<CompletionCandidate> {
    let Ok(workspace) = Workspace::find(&typed_directory()) else {
        return Vec::new();
    };
    let found = classes
        .iter()
        .flat_map(|class| workspace.connectors(*class).unwrap_or_default());
    found
        .map(|found| CompletionCandidate::new(found.name.as_str()))
        .collect()
}

/// Where the command that a shell asks about will work.
fn typed_directory() -> PathBuf {
    let words: Vec<OsString> = std::env::args_os().collect();
    directory(&without_equals(&words), std::env::home_dir().as_deref())
}

/// Where the command of these words will work.
fn directory(words: &[OsString], home: Option<&Path>) -> PathBuf {
    let mut words = words.iter().filter_map(|word| word.to_str());
    let mut directory = PathBuf::from(".");
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => match word.strip_prefix("-C") {
                Some(value) if !value.is_empty() => ("-C", Some(value)),
                _ => (word, None),
            },
        };
        if matches!(option, "-C" | "--directory")
            && let Some(value) = value.or_else(|| words.next())
        {
            directory = typed_path(value, home);
        }
    }
    directory
}

/// A path as it is typed into a shell, which hands on its words as they stand on the line.
fn typed_path(typed: &str, home: Option<&Path>) -> PathBuf {
    let (home, mut rest) = match (typed.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            (Some(home), rest.trim_start_matches('/').chars())
        }
        _ => (None, typed.chars()),
    };
    let mut path = String::new();
    let mut quote = None;
    while let Some(letter) = rest.next() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(end)) if letter == end => quote = None,
            ('\\', None | Some('"')) if !cfg!(windows) => path.extend(rest.next()),
            (letter, _) => path.push(letter),
        }
    }
    match home {
        Some(home) => home.join(path),
        None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_directory_that_the_command_names() {
        let at = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            directory(&without_equals(&words), Some(Path::new("/home/ann")))
        };
        assert_eq!(
            at(&["bowline", "--", "bowline", "test", ""]),
            PathBuf::from(".")
        );
        assert_eq!(
            at(&["bowline", "-C", "shop", "test", ""]),
            PathBuf::from("shop")
        );
        assert_eq!(
            at(&["bowline", "test", "--directory=shop"]),
            PathBuf::from("shop")
        );
        assert_eq!(at(&["bowline", "-C"]), PathBuf::from("."));
        for (typed, meant) in [
            ("~", "/home/ann"),
            ("~/shop", "/home/ann/shop"),
            ("~/\"my shop\"", "/home/ann/my shop"),
            ("'my shop'", "my shop"),
            ("\"it's\"", "it's"),
            ("my\\ shop", "my shop"),
            ("\"my sh", "my sh"),
            ("'~/shop'", "~/shop"),
            ("~bob/shop", "~bob/shop"),
        ] {
            for words in [
                vec!["bowline", "-C", typed, "test", ""],
                vec!["bowline", &format!("-C{typed}"), "test", ""],
                vec!["bowline", &format!("--directory={typed}"), "test", ""],
                vec!["bowline", "--directory", "=", typed, "test", ""],
            ] {
                assert_eq!(at(&words), PathBuf::from(meant), "{words:?}");
            }
        }
    }
}
