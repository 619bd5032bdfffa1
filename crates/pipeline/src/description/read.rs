//! Reading the file, and what can be said about its expressions before any request is made.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use bowline_connector::folder::{Document, LoadError, ProblemKind};
use bowline_contract::pipeline::{Asset, Field, Run};
use toml::de::{DeTable, DeValue};

use super::paging::PagingStyle;
use super::section::Section;
use super::sources::{Drivers, Origin, Source, read_request};
use super::{Description, FieldTree, File, Http, Mapping, Runs, Warning};
use crate::expression::{Expression, Template};

/// The one kind of driver that there is for pipelines.
const PROCESS: &str = "process";

/// Reads a description; `path` is what its mistakes call the file.
///
/// # Errors
/// [`LoadError::Invalid`] with every mistake that was found, in the order of the file.
pub fn parse(path: &Path, text: &str) -> Result<File, LoadError> {
    let mut document = Document::new(path, text);
    let file = read(&mut document);
    if let Some(File::Described(description)) = &file {
        check_references(&mut document, description);
        check_names(&mut document, description);
    }
    let problems = document.into_problems();
    match file {
        Some(file) if problems.is_empty() => Ok(file),
        _ => Err(LoadError::Invalid { problems }),
    }
}

fn read(document: &mut Document<'_>) -> Option<File> {
    let table = document.parse();
    let span = table.span();
    if document.is_given_up() || !document.check_version(table.get_ref()) {
        return None;
    }
    let mut file = Section::new(document, table.get_ref(), String::new(), span);
    file.count("version", 1);
    if file.has("driver") {
        let command = file.table("driver", read_program).flatten();
        file.finish();
        return Some(File::Program { command: command? });
    }
    let http = required_table(&mut file, "http", Http::read);
    let check = file.table("check", read_request);
    let mut complete = true;
    let sources = required_table(&mut file, "sources", |sources| {
        let mut read = BTreeMap::new();
        for name in sources.keys() {
            match sources.table(&name, Source::read).flatten() {
                Some(source) => {
                    read.insert(name, source);
                }
                None => complete = false,
            }
        }
        Some(read)
    });
    let assets = required_table(&mut file, "assets", |section| {
        read_mapping(section, Asset::FIELDS)
    });
    let runs = required_table(&mut file, "runs", |section| {
        let also = section.texts("also");
        let by_id = section.text("by_id");
        let mapping = read_mapping(section, Run::FIELDS);
        Some(Runs {
            mapping: mapping?,
            also,
            by_id,
        })
    });
    let warnings = file.tables("warnings", |warning| {
        let from = warning.required_text("from");
        let when = warning.expression("when");
        let message = warning.required_expression("message");
        Some(Warning {
            from: from?,
            when,
            message: message?,
        })
    });
    file.finish();
    Some(File::Described(Box::new(Description {
        http: http?,
        check: match check {
            None => None,
            Some(check) => Some(check?),
        },
        sources: sources.filter(|_| complete)?,
        assets: assets?,
        runs: runs?,
        warnings,
    })))
}

/// `[driver]`: the program that reads the vendor.
fn read_program(driver: &mut Section<'_, '_, '_>) -> Option<Vec<String>> {
    let kind = driver.required_text("kind")?;
    if kind != PROCESS {
        driver.report_at(
            "kind",
            ProblemKind::InvalidValue,
            format!("no kind of driver for pipelines: `{kind}`"),
            Some(format!(
                "`{PROCESS}` is the only one: a program that speaks the process protocol"
            )),
        );
        driver.forget_unknown();
        return None;
    }
    let command = driver.texts("command");
    if command.is_empty() {
        driver.missing("command");
        return None;
    }
    Some(command)
}

fn required_table<'d, 't, T>(
    file: &mut Section<'_, 'd, 't>,
    key: &str,
    read: impl FnOnce(&mut Section<'_, 'd, 't>) -> Option<T>,
) -> Option<T> {
    if !file.has(key) {
        file.missing(key);
        return None;
    }
    file.table(key, read).flatten()
}

fn read_mapping(section: &mut Section<'_, '_, '_>, fields: &'static [Field]) -> Option<Mapping> {
    let from = section.required_text("from");
    let when = section.expression("when");
    let lets = read_lets(section);
    if !section.has("fields") {
        section.missing("fields");
    }
    let fields = section.table("fields", |section| FieldTree::read(section, fields));
    Some(Mapping {
        from: from?,
        when,
        lets,
        fields: match fields? {
            // An event is never left out for a gap in it: validation names the gap.
            FieldTree::Record { fields, .. } => FieldTree::Record {
                fields,
                required: Vec::new(),
            },
            tree => tree,
        },
    })
}

/// Reads a table of shared values.
pub(super) fn read_lets(section: &mut Section<'_, '_, '_>) -> Vec<(String, Expression)> {
    let lets = section.table("let", |lets| {
        let keys = lets.keys();
        keys.iter()
            .filter_map(|name| Some((name.clone(), lets.expression(name)?)))
            .collect::<Vec<_>>()
    });
    in_order(lets.unwrap_or_default())
}

/// Puts each value behind those it is made of. Values that are made of each other stay behind; the check of names
/// reports them.
fn in_order(mut lets: Vec<(String, Expression)>) -> Vec<(String, Expression)> {
    let mut ordered: Vec<(String, Expression)> = Vec::new();
    while !lets.is_empty() {
        let waiting: BTreeSet<String> = lets.iter().map(|(name, _)| name.clone()).collect();
        let (ready, rest): (Vec<_>, Vec<_>) = lets.into_iter().partition(|(_, expression)| {
            expression
                .names()
                .iter()
                .all(|name| !waiting.contains(name))
        });
        if ready.is_empty() {
            ordered.extend(rest);
            return ordered;
        }
        ordered.extend(ready);
        lets = rest;
    }
    ordered
}

fn report(document: &mut Document<'_>, line: usize, message: String, hint: Option<String>) {
    let text = document.text();
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let length = text[start..].lines().next().map_or(0, str::len);
    let kind = ProblemKind::InvalidValue;
    document.report(kind, start..start + length, message, hint);
}

/// Sources that are named must be there, and none may wait for itself.
fn check_references(document: &mut Document<'_>, description: &Description) {
    let names: Vec<&str> = description.sources.keys().map(String::as_str).collect();
    let key = |path: &[&str]| path.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut wanted: Vec<(Vec<String>, &str)> = vec![
        (key(&["assets", "from"]), &description.assets.from),
        (key(&["runs", "from"]), &description.runs.mapping.from),
    ];
    let runs = &description.runs;
    for (index, name) in runs.also.iter().enumerate() {
        wanted.push((key(&["runs", "also", &index.to_string()]), name));
    }
    if let Some(name) = &runs.by_id {
        wanted.push((key(&["runs", "by_id"]), name));
    }
    for (index, warning) in description.warnings.iter().enumerate() {
        let path = key(&["warnings", &index.to_string(), "from"]);
        wanted.push((path, &warning.from));
    }
    for (name, source) in &description.sources {
        if let Some(other) = source.origin.source().filter(|other| *other != RUN_IDS) {
            wanted.push((key(&["sources", name, "for_each", "source"]), other));
        }
    }
    for (path, name) in wanted {
        if !names.contains(&name) {
            let hint = bowline_words::nearest::hint(name, names.iter().copied());
            report_at(
                document,
                &path,
                format!("unknown source `{name}` in `{}`", shown_path(&path)),
                Some(hint),
            );
        }
    }
    let mappings = [&description.assets, &description.runs.mapping];
    for (name, expression) in mappings.iter().flat_map(|mapping| &mapping.lets) {
        if names.contains(&name.as_str()) {
            report(
                document,
                expression.line(),
                format!("`{name}` is the name of a source already"),
                Some("give the shared value another name".to_owned()),
            );
        }
    }
    for name in description.sources.keys() {
        if reaches(description, name, name, &mut BTreeSet::new()) {
            report_at(
                document,
                &key(&["sources", name]),
                format!("the source `{name}` waits for itself"),
                None,
            );
        }
    }
}

/// A key as people write it: neither the place in a list nor the long form of `for_each` is named.
fn shown_path(path: &[String]) -> String {
    let named = path.iter().filter(|part| part.parse::<usize>().is_err());
    let shown = named.cloned().collect::<Vec<_>>().join(".");
    shown
        .strip_suffix(".for_each.source")
        .map_or_else(|| shown.clone(), |source| format!("{source}.for_each"))
}

/// Reports a mistake in the value of a key, or as deep as the path leads.
fn report_at(document: &mut Document<'_>, path: &[String], message: String, hint: Option<String>) {
    let place = DeTable::parse(document.text()).map_or(0..0, |table| {
        let span = table.span();
        place_of(&DeValue::Table(table.into_inner()), span, path)
    });
    document.report(ProblemKind::InvalidValue, place, message, hint);
}

fn place_of(value: &DeValue<'_>, span: Range<usize>, path: &[String]) -> Range<usize> {
    let Some((key, rest)) = path.split_first() else {
        return span;
    };
    let inner = match value {
        DeValue::Table(table) => table.get(key.as_str()),
        DeValue::Array(items) => key.parse().ok().and_then(|index: usize| items.get(index)),
        _ => None,
    };
    match inner {
        Some(inner) => place_of(inner.get_ref(), inner.span(), rest),
        None => span,
    }
}

fn reaches<'d>(
    description: &'d Description,
    from: &'d str,
    to: &str,
    seen: &mut BTreeSet<&'d str>,
) -> bool {
    let Some(source) = description.sources.get(from) else {
        return false;
    };
    let names = source_names(source);
    description.sources.keys().any(|name| {
        names.contains(name.as_str())
            && (name == to || (seen.insert(name) && reaches(description, name, to, seen)))
    })
}

/// Everything that a source's expressions take from outside, and the source it is asked for.
pub(crate) fn source_names(source: &Source) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = source
        .request
        .templates()
        .flat_map(Template::expressions)
        .chain(&source.records)
        .chain(&source.flatten)
        .chain(&source.when)
        .chain(source.index.iter().map(super::Index::expression))
        .chain(&source.id)
        .flat_map(Expression::names)
        .collect();
    match &source.origin {
        Origin::Once => {}
        Origin::Each { of, when } | Origin::Batch { of, when, .. } => {
            match of {
                Drivers::Source(name) => {
                    names.insert(name.clone());
                }
                Drivers::List(list) => names.extend(list.names()),
            }
            names.extend(when.iter().flat_map(Expression::names));
        }
    }
    names
}

/// What the parent was asked for or found in: a text or a number cannot be asked for its own.
pub(crate) const GRANDPARENT: &str = "grandparent";

/// The ids that runs are asked for by: a name, and a source for `for_each`.
const RUN_IDS: &str = "run_ids";
/// The names that mean something everywhere.
const EVERYWHERE: [&str; 3] = ["credentials", "window", RUN_IDS];

fn check_names(document: &mut Document<'_>, description: &Description) {
    let sources: Vec<&str> = description.sources.keys().map(String::as_str).collect();
    let mut check = |expression: &Expression, more: &[&str]| {
        for name in expression.names() {
            let led = more.contains(&"parent").then_some(&GRANDPARENT);
            let known = || {
                more.iter()
                    .chain(led)
                    .chain(&EVERYWHERE)
                    .chain(&sources)
                    .copied()
            };
            if known().any(|known| known == name) || is_function(&name) {
                continue;
            }
            let hint = bowline_words::nearest::hint(&name, known());
            let message = format!("unknown name `{name}` in `{}`", expression.text());
            report(document, expression.line(), message, Some(hint));
        }
    };
    description.http.visit(&mut check);
    for source in description.sources.values() {
        for expression in source.request.templates().flat_map(Template::expressions) {
            check(expression, &["page", "parent", "batch"]);
        }
        for expression in source.records.iter() {
            check(expression, &["response", "parent", "batch"]);
        }
        for rule in &source.reject {
            rule.visit(&mut check);
        }
        let index = source.index.iter().map(super::Index::expression);
        for expression in source
            .flatten
            .iter()
            .chain(&source.when)
            .chain(&source.id)
            .chain(index)
        {
            check(expression, &["record", "parent", "batch"]);
        }
        if let Origin::Each { when, .. } | Origin::Batch { when, .. } = &source.origin {
            for expression in when.iter() {
                check(expression, &["parent"]);
            }
        }
        if let Some(Drivers::List(list)) = source.origin.drivers() {
            check(list, &[]);
        }
        if let Some(paging) = &source.paging {
            let answer = [
                "response", "headers", "records", "last", "page", "parent", "batch",
            ];
            for expression in paging.total.iter().chain(&paging.last) {
                check(expression, &answer);
            }
            if let PagingStyle::Cursor { next, .. } | PagingStyle::Link { next, .. } = &paging.style
            {
                check(next, &answer);
            }
        }
    }
    for mapping in [&description.assets, &description.runs.mapping] {
        let mut names = vec!["record", "parent"];
        for expression in mapping.when.iter() {
            check(expression, &names);
        }
        for (name, expression) in &mapping.lets {
            check(expression, &names);
            names.push(name);
        }
        mapping.fields.visit(&names, &mut check);
    }
    for warning in &description.warnings {
        for expression in warning.when.iter().chain([&warning.message]) {
            check(expression, &["record", "parent"]);
        }
    }
}

/// Jinja's own functions count as names from outside.
fn is_function(name: &str) -> bool {
    matches!(
        name,
        "cycler" | "dict" | "joiner" | "lipsum" | "namespace" | "range"
    )
}
