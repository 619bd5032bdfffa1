//! `bowline fit`: the templates that a connector lacks, found by asking its database.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use bowline_conformance::Verdict;
use bowline_conformance::warehouse::{Doubt, Fault, Interrupt, Outcome, Proof, Short};
use bowline_contract::{AssetClass, ConnectorName, SuiteSection, Template, TemplateKind};
use bowline_driver::{Limits, SqlError, SqlErrorKind};
use bowline_fit::{Event, Fitted, Found, Kept, Miss, Missed, Options, Stopped, fit};
use bowline_warehouse::Connector;
use bowline_warehouse::dialect::ANY_ENGINE;
use bowline_warehouse::folder::{FITTED, NewTemplate};
use bowline_warehouse::template::{Origin, TemplateSet};
use bowline_words::nearest::hint_or;
use bowline_words::{counted, in_one_line};
use bowline_workbench::warehouse;
use indicatif::ProgressBar;

use super::test::at_least_one;
use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::searched::Search;
use crate::style::{BAD, CODE, GOOD, HINT, OPEN, STRONG, paint};

/// How many seconds a statement has while searching, if nothing else is said.
const USUAL_TIMEOUT: NonZeroU64 = NonZeroU64::new(10).unwrap();

/// Find the templates that a connector lacks, each proven against its live database.
///
/// Asks the engine which types, literals and functions it has, composes spellings, and keeps those that every check of
/// the strict tier and rows beyond the suite's prove. What is found is written where the connector has its templates.
/// What you wrote stays as it is. Ctrl-C keeps what was found; the next start goes on.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bowline fit shop\n  bowline fit shop get_stddev_function --replace\n  bowline fit shop --max-statements 2000"
)]
pub(crate) struct FitArgs {
    /// The connector; not needed when there is only one
    #[arg(add = complete::warehouses())]
    connector: Option<String>,
    /// Find only these templates
    #[arg(value_name = "TEMPLATE", add = complete::templates())]
    templates: Vec<String>,
    /// The connector, as an option.
    #[arg(
        short = 'c',
        long = "connector",
        value_name = "CONNECTOR",
        hide = true,
        add = complete::warehouses()
    )]
    named: Option<String>,
    /// Replace templates of yours that are wrong
    #[arg(long)]
    replace: bool,
    /// Send at most this many statements while searching
    #[arg(long, value_name = "COUNT", value_parser = at_least_one::<NonZeroUsize>)]
    max_statements: Option<NonZeroUsize>,
    /// Search for at most this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = at_least_one::<NonZeroU64>)]
    time: Option<NonZeroU64>,
    /// Stop a statement after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_TIMEOUT, value_parser = at_least_one::<NonZeroU64>)]
    timeout: NonZeroU64,
    /// Do as if this dialect pack were not there; may be given several times
    #[arg(long, value_name = "DIALECT", add = complete::dialects())]
    without: Vec<String>,
    /// Write nothing
    #[arg(long)]
    dry_run: bool,
}

impl FitArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let (connector, templates) = self.asked(context);
        let named: Vec<&'static Template> =
            templates.into_iter().map(find).collect::<Result<_, _>>()?;
        let connector = context.warehouse(connector)?;
        let run = context.interruptible()?;
        // What is tried is given up soon; what every connection needs is not.
        let usual = Limits::default();
        let opening = Limits {
            timeout: usual.timeout.max(self.limit()),
            ..usual
        };
        let taken = warehouse::take(&connector, &opening, run, &|event| context.tell(event))?;
        let interrupt = Interrupt::default();
        let stop = interrupt.clone();
        let _on_stop = run.on_stop(move || stop.stop());
        let options = Options {
            templates: self.wanted(&connector, named),
            replace: self.replace,
            ours: connector.written_by_us(),
            statements: self.max_statements.map(NonZeroUsize::get),
            time: self.time.map(|time| Duration::from_secs(time.get())),
            limits: Limits {
                timeout: self.limit(),
                ..Limits::default()
            },
            without: self.without.clone(),
        };
        let bar = context
            .printer
            .bar("{spinner} {prefix} {wide_bar} {pos}/{len} {msg}");
        bar.set_prefix(format!("fitting {}", connector.name));
        let fitted = fit(&taken.subject, &options, &interrupt, &|event| {
            follow(context, &bar, event);
        });
        bar.finish_and_clear();
        let fitted = fitted?;
        let absent = absent(&connector, &fitted, &options.ours);
        let files = if self.dry_run || (fitted.found.is_empty() && absent.is_empty()) {
            Vec::new()
        } else {
            write(&connector, &fitted, &absent)?
        };
        if !self.dry_run && fitted.stopped.is_none() && self.without.is_empty() {
            let mut templates = TemplateSet::default();
            let written = fitted.templates.iter();
            for own in written.filter(|own| !absent.contains(&own.template)) {
                templates.insert(own.clone());
            }
            let search = Search::of(&connector, &fitted.product, &templates);
            search.keep(context, in_vain(&fitted));
        }
        context
            .printer
            .text(&told(context, &connector, (&fitted, &absent), &files))?;
        Ok(ended(&fitted))
    }

    /// The longest that a statement which is tried may take.
    fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout.get())
    }

    /// Fits everything of one connector, as `bowline fit <name>` does.
    pub(crate) fn whole(connector: &ConnectorName) -> Self {
        Self {
            connector: Some(connector.to_string()),
            templates: Vec::new(),
            named: None,
            replace: false,
            max_statements: None,
            time: None,
            timeout: USUAL_TIMEOUT,
            without: Vec::new(),
            dry_run: false,
        }
    }

    /// The connector and the templates that the words name. The first word is a template where the connector is told
    /// otherwise, or where no connector but a template has that name.
    fn asked<'w>(&'w self, context: &Context) -> (Option<&'w str>, Vec<&'w str>) {
        let rest = self.templates.iter().map(String::as_str);
        let is_template = |word: &&str| {
            self.named.is_some()
                || (Template::find(word).is_some()
                    && context
                        .locate(Some(word), Some(AssetClass::Warehouse))
                        .is_err())
        };
        match self.connector.as_deref() {
            Some(first) if is_template(&first) => {
                let templates = std::iter::once(first).chain(rest).collect();
                (self.named.as_deref(), templates)
            }
            first => (self.named.as_deref().or(first), rest.collect()),
        }
    }

    /// What is asked for by name; else everything but what the user says the database cannot do.
    fn wanted(
        &self,
        connector: &Connector,
        named: Vec<&'static Template>,
    ) -> Vec<&'static Template> {
        if !named.is_empty() {
            return named;
        }
        let refused = if self.replace {
            Vec::new()
        } else {
            connector.refused()
        };
        Template::all()
            .filter(|template| !refused.contains(template))
            .collect()
    }
}

fn find(name: &str) -> Result<&'static Template, CliError> {
    Template::find(name).ok_or_else(|| {
        let hint = hint_or(name, Template::all().map(Template::short_name), || {
            "`bowline explain` lists every template".to_owned()
        });
        CliError::usage(format!("unknown template: `{name}`"), hint)
    })
}

fn follow(context: &Context, bar: &ProgressBar, event: Event<'_>) {
    match event {
        Event::Profiling => bar.set_message("asking what the engine has"),
        Event::Trying { template, done, of } => {
            if of > 0 {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
            }
            bar.set_message(template.short_name());
        }
        Event::Found(found) => {
            context
                .printer
                .detail(format!("{}: {}", found.template.short_name(), found.text))
        }
        Event::Proving => bar.set_message("proving it all"),
    }
}

/// The templates with a text that nobody wrote for this engine, that is refuted, and for which nothing else was found.
fn absent(
    connector: &Connector,
    fitted: &Fitted,
    ours: &[&'static Template],
) -> Vec<&'static Template> {
    let whole = fitted.report.as_ref().filter(|report| !report.interrupted);
    let Some(report) = whole.filter(|_| fitted.stopped.is_none()) else {
        return Vec::new();
    };
    let is_missed = |template: &&Template| {
        let mut missed = fitted.missed.iter();
        missed.any(|missed| missed.template == *template)
    };
    warehouse::refuted(report)
        .filter(is_missed)
        // A flag's `false` is an answer.
        .filter(|template| template.kind != TemplateKind::Flag)
        .filter(|template| is_nobodys(&connector.templates, ours, template))
        .collect()
}

/// Whether a fit wrote the text or it is that of any engine. What a pack of one engine has is right on some server.
fn is_nobodys(templates: &TemplateSet, ours: &[&Template], template: &Template) -> bool {
    let own = templates.get(template);
    let is_any_engines =
        own.is_some_and(|own| matches!(&own.origin, Origin::Pack(pack) if pack.name == ANY_ENGINE));
    is_any_engines || ours.contains(&template)
}

/// Writes what was found, each with how it was proven, and what the engine does not have.
fn write(
    connector: &Connector,
    fitted: &Fitted,
    absent: &[&'static Template],
) -> Result<Vec<PathBuf>, CliError> {
    let product = in_one_line(&fitted.product);
    let absent = absent.iter().map(|template| NewTemplate {
        template,
        text: None,
        comment: format!(
            "{FITTED}{product}: refuted, and no other spelling that is known is right."
        ),
    });
    let new: Vec<NewTemplate> = fitted
        .found
        .iter()
        .map(|found| NewTemplate {
            template: found.template,
            text: Some(found.text.clone()),
            comment: format!("{FITTED}{product}: {}.", proof(found)),
        })
        .chain(absent)
        .collect();
    Ok(connector.write_templates(&new, &fitted.suite)?)
}

/// The templates for which another fit would find no more than this one did. What was judged by a catalogue without a
/// table may be right.
fn in_vain(fitted: &Fitted) -> impl Iterator<Item = &'static Template> {
    let is_blind = fitted.missed.iter().any(saw_no_table);
    let missed = fitted.missed.iter().map(|missed| missed.template);
    missed.filter(move |template| !is_blind || template.judged_in != SuiteSection::Metadata)
}

fn proof(found: &Found) -> String {
    let checks = counted(found.checks, "check");
    match found.rows {
        0 => checks,
        rows => format!("{checks} and {}", counted(rows, "row")),
    }
}

fn ended(fitted: &Fitted) -> Ended {
    let is_wrong = |(_, kept): &(&Template, Kept)| *kept == Kept::WrongAndOwn;
    if fitted.stopped == Some(Stopped::Interrupted) {
        Ended::Interrupted
    } else if fitted.kept.iter().any(is_wrong) {
        Ended::FellShort
    } else if fitted.stopped == Some(Stopped::Lost) {
        Ended::Inconclusive
    } else {
        Ended::Fine
    }
}

fn told(
    context: &Context,
    connector: &Connector,
    (fitted, absent): (&Fitted, &[&'static Template]),
    files: &[PathBuf],
) -> String {
    let mut listing = Listing::default();
    let proven = |report: &bowline_conformance::warehouse::Report| {
        let found = report.templates.iter();
        found
            .filter(|found| found.verdict == Some(Verdict::Supported))
            .count()
    };
    let of = Template::all().count();
    listing.line(format!(
        "{} {} on {}: {}",
        paint(GOOD, "✓"),
        paint(STRONG, &connector.name),
        fitted.product,
        match fitted.report.as_ref().filter(|report| !report.interrupted) {
            Some(report) => format!("{} of {of} templates are proven", proven(report)),
            None => format!("{} found", counted(fitted.found.len(), "template")),
        }
    ));
    let composed = fitted.found.iter().filter(|found| found.pack.is_none());
    listing.line(format!(
        "  {} found in {:.1} s with {}, {} of them composed for this engine",
        fitted.found.len(),
        fitted.elapsed.as_secs_f64(),
        counted(fitted.statements, "statement"),
        composed.count(),
    ));
    if let Some(stopped) = fitted.stopped {
        let why = match stopped {
            Stopped::Interrupted => "stopped",
            Stopped::Lost => "the connection was lost",
            Stopped::Statements => "as many statements as it may send",
            Stopped::Time => "as long as it may take",
        };
        listing.line(format!(
            "  {} {why}: what was found is kept, and the next `bowline fit {}` goes on",
            paint(OPEN, "!"),
            connector.name
        ));
    }
    if let Some(error) = &fitted.unproven {
        let words = format!("the whole suite could not run over it: {}", error.text());
        listing.line(format!("  {} {words}", paint(BAD, "✗")));
    }
    wrong_and_own(&mut listing, context, connector, fitted);
    if !fitted.missed.is_empty() {
        listing.heading("Not found");
        for missed in &fitted.missed {
            tell_missed(&mut listing, missed, context.printer.says_details());
        }
        if !absent.is_empty() {
            let names: Vec<&str> = absent.iter().map(|each| each.short_name()).collect();
            let words = format!(
                "{}: what nobody wrote for this engine is refuted, and becomes `{}`",
                names.join(", "),
                if connector.is_in_python() {
                    "None"
                } else {
                    "false"
                }
            );
            listing.prose("  - ", "    ", &words);
        }
        if !context.printer.says_details() {
            listing.line("  with `--verbose` all of what was asked stands here");
        }
        if let Some(error) = no_place(fitted) {
            let words = format!("no table could be made: {}", error.text());
            listing.prose("  - ", "    ", &words);
            let hint = "see that the place for tables is there and that they may be made in it, then fit again: `[functional]` in connector.toml names it, or `get_test_table_identifier` in connector.py";
            listing.prose(&format!("{} ", paint(HINT, "hint:")), "      ", hint);
        }
        if fitted.missed.iter().any(saw_no_table) {
            let hint = "see that the database has a table in the schema that credentials.json leads to, then fit again; spellings of the catalogue are judged by what is there";
            listing.prose(&format!("{} ", paint(HINT, "hint:")), "      ", hint);
        }
    }
    if !fitted.without_place.is_empty() {
        let names = fitted.without_place.iter();
        let names: Vec<&str> = names.map(|template| template.short_name()).collect();
        listing.heading("Not looked for");
        let words = format!(
            "{}: nothing says where a table may be made",
            names.join(", ")
        );
        listing.prose("  - ", "    ", &words);
        let hint = if connector.is_in_python() {
            "let `get_test_table_identifier` in connector.py give a place, then fit again"
        } else {
            "write `schema` and `table` under `[functional]` in connector.toml, then fit again"
        };
        listing.prose(&format!("{} ", paint(HINT, "hint:")), "      ", hint);
    }
    if !fitted.left_behind.is_empty() {
        listing.heading("Left behind in the database; please run");
        for sql in &fitted.left_behind {
            listing.line(format!("  {sql}"));
        }
    }
    if !files.is_empty() {
        listing.heading("Written");
        for file in files {
            listing.line(format!("  {}", context.shown(file).display()));
        }
        listing.line(format!("  then run `bowline test {}`", connector.name));
    }
    listing.finish()
}

fn wrong_and_own(listing: &mut Listing, context: &Context, connector: &Connector, fitted: &Fitted) {
    let wrong = fitted.kept.iter();
    let wrong: Vec<String> = wrong
        .filter(|(_, kept)| *kept == Kept::WrongAndOwn)
        .map(|(template, _)| {
            let name = template.short_name();
            // What stands elsewhere than in the connector's own files is not looked for there.
            let own = connector.templates.get(template);
            match own.and_then(|own| own.place()) {
                Some((path, line)) if !path.starts_with(&connector.dir) => {
                    format!("{name} at {}:{line}", context.shown(path).display())
                }
                _ => name.to_owned(),
            }
        })
        .collect();
    if wrong.is_empty() {
        return;
    }
    listing.heading("Wrong, and yours");
    listing.prose("  ", "  ", &wrong.join(", "));
    listing.line(format!(
        "  {} `bowline fit {} --replace` looks for others",
        paint(BAD, "✗"),
        connector.name
    ));
}

/// What the database said where no table could be made for want of the place, or of the right.
fn no_place(fitted: &Fitted) -> Option<&SqlError> {
    let checks = fitted.report.iter().flat_map(|report| &report.checks);
    let mut made = checks.filter(|check| check.check.judges.contains(&create_test_table()));
    made.find_map(|check| match &check.outcome {
        Outcome::Unsupported(Proof::Refused(error))
            if error.kind == SqlErrorKind::MissingObject =>
        {
            Some(error)
        }
        Outcome::Unknown(Doubt::Answer(error)) if error.kind == SqlErrorKind::Permission => {
            Some(error)
        }
        _ => None,
    })
}

fn create_test_table() -> &'static Template {
    Template::known("create_test_table")
}

/// Whether nothing spoke against a spelling, but there was no table to judge it by.
fn saw_no_table(missed: &Missed) -> bool {
    let near = missed.nearest.as_ref();
    let short = near.and_then(|near| near.short.as_ref());
    missed.template.short_name() == "get_tables_query"
        && short
            .is_some_and(|short| matches!(short.outcome, Outcome::Unknown(Doubt::NothingToSee(_))))
}

/// A few lines for a template; all the evidence when asked to say more.
fn tell_missed(listing: &mut Listing, missed: &Missed, says_all: bool) {
    let name = missed.template.short_name();
    let tried = counted(missed.tried, "spelling");
    let Some(near) = &missed.nearest else {
        let words = match missed.tried {
            0 => format!("{name}: no spelling is known that this engine has the parts of"),
            _ => format!("{name}: {tried} tried, none proven"),
        };
        listing.prose("  - ", "    ", &words);
        return;
    };
    let (sql, got) = evidence(near);
    if says_all {
        listing.prose("  - ", "    ", &format!("{name}: {tried} tried"));
        listing.block("nearest", near.text.trim(), CODE);
        if let Some(sql) = sql {
            listing.block("asked", sql, CODE);
        }
        listing.field("then", &got);
        return;
    }
    let passed = match near.passed {
        0 => String::new(),
        passed => format!(", passed {} and then", counted(passed, "check")),
    };
    let text = near.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = format!(
        "{name}: {tried} tried; the nearest, `{}`{passed}: {}",
        shortened(&text),
        shortened(&got)
    );
    listing.prose("  - ", "    ", &words);
}

/// What was asked of the spelling that came nearest, and what came back.
fn evidence(near: &Miss) -> (Option<&str>, String) {
    if let Some(rows) = &near.rows {
        let words = format!("expected {}, got {}", rows.expected, rows.got);
        return (Some(&rows.sql), words);
    }
    let Some(short) = &near.short else {
        return (None, String::new());
    };
    let Short {
        check,
        outcome,
        sql,
    } = short.as_ref();
    let words = match outcome {
        Outcome::Wrong(Fault::Answer { expected, got }) => {
            format!("{}: expected {expected}, got {got}", check.title)
        }
        Outcome::Wrong(Fault::Render { message, .. }) => message.clone(),
        Outcome::Unsupported(Proof::Refused(error)) => error.text(),
        Outcome::Unsupported(Proof::Absent(words)) => words.clone(),
        Outcome::Unknown(Doubt::Answer(error)) => error.text(),
        Outcome::Unknown(
            Doubt::NothingToSee(words)
            | Doubt::NoOccasion(words)
            | Doubt::Changed(words)
            | Doubt::NotReached(words)
            | Doubt::Unasked(words),
        ) => format!("could not be found out, {words}"),
        Outcome::Unsupported(Proof::NotImplemented(_))
        | Outcome::Supported
        | Outcome::Unknown(Doubt::Interrupted)
        | Outcome::Blocked { .. } => check.title.clone(),
    };
    (sql.as_deref(), words)
}

/// As much of a text as is worth a look.
fn shortened(text: &str) -> String {
    const MOST: usize = 160;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bowline_warehouse::dialect::Pack;

    use super::*;

    #[test]
    fn what_a_pack_of_an_engine_says_is_somebodys() {
        let postgres = Pack::find("postgres").unwrap().templates();
        let logs = Template::known("get_query_logs_query");
        let distinct = Template::known("get_distinct_func");
        assert!(!is_nobodys(&postgres, &[], logs));
        assert!(is_nobodys(&postgres, &[logs], logs));
        assert!(is_nobodys(&postgres, &[], distinct));
        let mariadb = Pack::find("mariadb").unwrap();
        for name in mariadb.facts.needs.keys() {
            assert!(!is_nobodys(&mariadb.templates(), &[], find(name).unwrap()));
        }
    }
}
