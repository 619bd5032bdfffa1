//! How what was found is written: for people, as JSON, as a page.

use std::path::Path;

use bowline_contract::pipeline::{AssetEvent, RunEvent, validate_assets, validate_runs};
use bowline_pipeline::{Explanation, PipelineConnector, proposed_mapping};
use bowline_report::page::{Inspected, Inspection, Origin, inspection};
use bowline_words::visible;
use serde_json::{Value, json};

use super::{Format, Found, Search};
use crate::command::report;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::style::{BAD, CODE, QUIET, STRONG, paint};

/// The most values of one expression that are shown.
const VALUES: usize = 3;

/// What was found, on its way to the reader.
pub(super) struct Written<'a> {
    pub(super) context: &'a Context,
    pub(super) connector: &'a PipelineConnector,
    pub(super) asset: &'a Search<AssetEvent>,
    pub(super) run: &'a Search<RunEvent>,
}

impl Written<'_> {
    /// Writes it, and to a file as a page where one is named.
    pub(super) fn write(&self, format: Format, page: Option<&Path>) -> Result<Ended, CliError> {
        let Self {
            context,
            asset,
            run,
            ..
        } = self;
        match format {
            _ if page.is_some_and(report::is_standard_output) => {}
            Format::Human => context
                .printer
                .text(&listing(&self.job_word(), asset, run))?,
            Format::Json => context.printer.data(&document(asset, run))?,
        }
        let (notes, wrong) = (self.notes(), self.wrong());
        for note in &notes {
            context.printer.say(note);
        }
        for mistake in &wrong {
            let mark = paint(BAD, "wrong:");
            context.printer.say(format!("{mark} {}", visible(mistake)));
        }
        if !run.unmapped.is_empty() {
            let words = run.unmapped.keys().map(String::as_str);
            context.printer.say(format!(
                "confirm what these mean, and put them into manifest.json:\n{}",
                visible(&proposed_mapping(words))
            ));
        }
        let ended = match (wrong.is_empty(), &asset.found, &run.found) {
            (false, ..) => Ended::FellShort,
            (true, Some(_), Some(_)) => Ended::Fine,
            (true, ..) => Ended::Inconclusive,
        };
        if let Some(file) = page {
            report::write(context, file, &self.page(notes, wrong))?;
        }
        Ok(ended)
    }

    /// What was not found, and what the reading has to tell.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (what, is_found, seen, told) in [
            (
                "job",
                self.asset.found.is_some(),
                self.asset.seen,
                &self.asset.notes,
            ),
            (
                "run",
                self.run.found.is_some(),
                self.run.seen,
                &self.run.notes,
            ),
        ] {
            if !is_found {
                notes.push(format!("no {what} was found among {seen}"));
            }
            notes.extend(told.iter().map(|note| format!("note: {note}")));
        }
        notes
    }

    fn wrong(&self) -> Vec<String> {
        fn one<E>(search: &Search<E>) -> &[E] {
            let found = search.found.as_ref();
            found.map_or(&[], |found| std::slice::from_ref(&found.event))
        }
        let unmapped = self.run.unmapped.keys();
        let mut wrong: Vec<String> = unmapped
            .map(|word| format!("the status `{word}` is not mapped in manifest.json"))
            .collect();
        let mistakes = validate_assets(one(self.asset));
        let mistakes = mistakes.into_iter().chain(validate_runs(one(self.run)));
        wrong.extend(mistakes.map(|mistake| mistake.to_string()));
        wrong
    }

    /// What the vendor calls a job.
    fn job_word(&self) -> String {
        match self.connector.manifest.terminology.job.as_str() {
            "Job" => "Job".to_owned(),
            other => format!("{} (a job of the platform's)", visible(other)),
        }
    }

    fn page(&self, notes: Vec<String>, wrong: Vec<String>) -> String {
        let job = self.asset.found.as_ref();
        let job = job.map(|found| inspected(self.job_word(), found.event.json(), found));
        let run = self.run.found.as_ref();
        let run = run.map(|found| inspected("Run".to_owned(), found.event.json(), found));
        inspection(&Inspection {
            connector: self.connector.name.as_str(),
            bowline_version: env!("BOWLINE_VERSION"),
            wrong,
            notes,
            events: job.into_iter().chain(run).collect(),
        })
    }
}

fn inspected<'f, E>(title: String, event: &'f Value, found: &'f Found<E>) -> Inspected<'f> {
    let explanation = found.explanation.as_ref();
    let fields = explanation.map_or(&[][..], |explanation| &explanation.fields);
    let record =
        |pick: fn(&Explanation) -> &Value| explanation.map(pick).filter(|record| !record.is_null());
    Inspected {
        title,
        event,
        record: record(|explanation| &explanation.record),
        parent: record(|explanation| &explanation.parent),
        fields: fields
            .iter()
            .map(|field| Origin {
                field: &field.path,
                expression: &field.expression,
                line: field.line,
                values: &field.values,
            })
            .collect(),
    }
}

fn document(asset: &Search<AssetEvent>, run: &Search<RunEvent>) -> String {
    let explained = |explanation: &Explanation| {
        let fields: Vec<Value> = explanation
            .fields
            .iter()
            .map(|field| {
                json!({
                    "field": field.path,
                    "expression": field.expression,
                    "line": field.line,
                    "values": field.values,
                })
            })
            .collect();
        json!({
            "record": explanation.record,
            "parent": explanation.parent,
            "fields": fields,
        })
    };
    let (asset, run) = (asset.found.as_ref(), run.found.as_ref());
    let mut document = json!({
        "asset": asset.map(|found| found.event.json()),
        "run": run.map(|found| found.event.json()),
    });
    let explained = (
        asset.and_then(|found| found.explanation.as_ref().map(explained)),
        run.and_then(|found| found.explanation.as_ref().map(explained)),
    );
    if let (None, None) = explained {
        return format!("{document:#}\n");
    }
    document["explained"] = json!({ "asset": explained.0, "run": explained.1 });
    format!("{document:#}\n")
}

fn listing(job: &str, asset: &Search<AssetEvent>, run: &Search<RunEvent>) -> String {
    let mut page = Listing::default();
    if let Some(Found { event, explanation }) = &asset.found {
        describe(&mut page, job, event.json(), explanation.as_ref());
    }
    if let Some(Found { event, explanation }) = &run.found {
        describe(&mut page, "Run", event.json(), explanation.as_ref());
    }
    page.finish()
}

fn describe(page: &mut Listing, title: &str, event: &Value, explanation: Option<&Explanation>) {
    page.heading(title);
    for line in visible(&format!("{event:#}")).lines() {
        page.line(line);
    }
    let Some(explanation) = explanation else {
        return;
    };
    page.gap();
    let plain = anstyle::Style::new();
    page.block("record", &format!("{:#}", explanation.record), plain);
    if !explanation.parent.is_null() {
        page.block("parent", &format!("{:#}", explanation.parent), plain);
    }
    page.gap();
    for field in &explanation.fields {
        page.line(format!(
            "  {}  {}",
            paint(STRONG, visible(&field.path)),
            paint(QUIET, format!("line {}", field.line))
        ));
        page.line(format!("      {}", paint(CODE, visible(&field.expression))));
        for value in field.values.iter().take(VALUES) {
            page.line(format!("      → {}", visible(&value.to_string())));
        }
        if field.values.len() > VALUES {
            let more = format!("… {} more values", field.values.len() - VALUES);
            page.line(format!("      {}", paint(QUIET, more)));
        }
    }
}
