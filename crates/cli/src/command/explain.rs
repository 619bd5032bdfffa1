//! `bowline explain`: what a template is for, what it gets, and how each dialect spells it.

mod reported;
mod vocabulary;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bowline_conformance::warehouse::{Check, Rule, checks, rules};
use bowline_connector::{Workspace, WorkspaceError};
use bowline_contract::{
    AssetClass, Capability, SuiteSection, Template, TemplateKind, TemplateSection, metrics_of,
};
use bowline_warehouse::dialect::{Elsewhere, Pack, Proof, elsewhere};
use bowline_words::listed;
use bowline_words::nearest::hint_or;
use bowline_workbench::WorkbenchError;

use crate::complete;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::style::{CODE, GOOD, OPEN, QUIET, STRONG, paint};
use crate::variables::python_name;

/// The most lines of a spelling that are shown beside others.
const GLIMPSE: usize = 8;

/// Read what a template is for, what it is given, and how each dialect spells it.
///
/// Explains what else has a name, too: metrics, capabilities, checks, sections, features, the records and keys that
/// pipeline connectors give (`run`, `run.end_time`), statuses, dialects, drivers and modes. Without a name, lists all
/// templates by section.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The template, with or without `_template`; or what else has a name
    #[arg(add = complete::explained())]
    name: Option<String>,
    /// Show only this dialect's spelling; without a template, mark what the dialect has
    #[arg(long, value_name = "DIALECT", add = complete::dialects())]
    dialect: Option<String>,
}

impl ExplainArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let packs: Vec<Arc<Pack>> = match &self.dialect {
            Some(name) => vec![pack(context, name)?],
            None => {
                let own = of_workspace(&context.directory);
                Pack::engines().cloned().chain(own).collect()
            }
        };
        let page = match &self.name {
            Some(name) => {
                let page = Template::find(name)
                    .map(|template| template_page(template, &packs))
                    .or_else(|| reported::page(name));
                let page = match page {
                    Some(page) => Some(page),
                    None => {
                        let own = pack_of_workspace(context, name)?;
                        let page = |pack| vocabulary::pack_page(&pack, &context.directory);
                        vocabulary::page(name).or_else(|| own.map(page))
                    }
                };
                match page {
                    Some(page) => page,
                    None => {
                        let error = pipeline_of_that_name(context, name);
                        return Err(error.unwrap_or_else(|| unknown(name)));
                    }
                }
            }
            None => contents(self.dialect.as_ref().and(packs.first())),
        };
        context.printer.text(&page)?;
        Ok(Ended::Fine)
    }
}

/// The error for who takes a pipeline connector for a template.
fn pipeline_of_that_name(context: &Context, name: &str) -> Option<CliError> {
    let workspace = Workspace::find(&context.directory).ok()?;
    let error = workspace
        .locate(Some(name), Some(AssetClass::Warehouse))
        .err()?;
    matches!(error, WorkspaceError::OtherClass { .. }).then(|| error.into())
}

/// What has a page and a name that begins so. Checks, which are most of it and take long to work out, are among it once
/// the beginning says in which section they are.
pub(crate) fn names_beginning(word: &str) -> Vec<String> {
    let mut names = names_of_few();
    let mut sections = SuiteSection::NAMES.iter();
    if sections.any(|section| word.starts_with(section)) {
        names.extend(reported::checks());
    }
    names.retain(|name| name.starts_with(word));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Everything that has a page but the checks of warehouses.
fn names_of_few() -> Vec<String> {
    let templates = Template::all().map(|template| template.short_name().to_owned());
    [templates.collect(), reported::names(), vocabulary::names()].concat()
}

fn unknown(name: &str) -> CliError {
    let names = [names_of_few(), reported::checks()].concat();
    let names = names.iter().map(String::as_str);
    let hint = hint_or(name, names, || containing(name));
    CliError::usage(
        format!("nothing that can be explained is called `{name}`"),
        hint,
    )
}

/// The pack of that name.
pub(crate) fn pack(context: &Context, name: &str) -> Result<Arc<Pack>, CliError> {
    let workspace = Workspace::find(&context.directory)?;
    Pack::named(name, &workspace)
        .map_err(WorkbenchError::from)?
        .ok_or_else(|| {
            let hint = Pack::hint(name, &workspace);
            CliError::usage(format!("unknown dialect: `{name}`"), hint)
        })
}

/// The pack of the workspace that has this name; one that cannot be read is an error.
fn pack_of_workspace(context: &Context, name: &str) -> Result<Option<Arc<Pack>>, CliError> {
    let workspace = Workspace::find(&context.directory)?;
    let pack = Pack::named(name, &workspace).map_err(WorkbenchError::from)?;
    Ok(pack.filter(|pack| pack.dir().is_some()))
}

/// The packs of the workspace around a folder, as far as they can be read.
pub(crate) fn of_workspace(folder: &Path) -> Vec<Arc<Pack>> {
    let workspace = Workspace::find(folder).ok();
    workspace.map_or_else(Vec::new, |workspace| Pack::of_workspace(&workspace))
}

/// The template of that name.
pub(crate) fn find(name: &str) -> Result<&'static Template, CliError> {
    Template::find(name).ok_or_else(|| {
        let names = Template::all().map(Template::short_name);
        let hint = hint_or(name, names, || containing(name));
        CliError::usage(format!("unknown template: `{name}`"), hint)
    })
}

/// A hint for a name that is only a part of the real one.
fn containing(part: &str) -> String {
    let names: Vec<&str> = Template::all()
        .map(Template::short_name)
        .filter(|name| !part.is_empty() && name.contains(&part.to_lowercase()))
        .collect();
    if names.is_empty() || names.len() > 5 {
        "`bowline explain` lists all templates".to_owned()
    } else {
        format!("did you mean {}?", listed(names))
    }
}

fn contents(pack: Option<&Arc<Pack>>) -> String {
    let mut page = Listing::default();
    for section in TemplateSection::ALL {
        page.heading(section.name());
        page.line(paint(QUIET, section.description()));
        for template in Template::all().filter(|template| template.section == *section) {
            let mark = match pack {
                None => "",
                Some(pack) if pack.spelling(template).is_some() => "✓ ",
                Some(_) => "- ",
            };
            page.prose(
                &format!(
                    "  {mark}{} ",
                    paint(STRONG, format!("{:<42}", template.short_name()))
                ),
                &" ".repeat(6),
                template.description,
            );
        }
    }
    page.gap();
    page.line(paint(
        QUIET,
        format!(
            "{} templates; `bowline explain <template>` tells all about one",
            Template::all().count()
        ),
    ));
    page.finish()
}

fn template_page(template: &'static Template, packs: &[Arc<Pack>]) -> String {
    let mut page = Listing::default();
    page.line(format!(
        "{}  {}",
        paint(STRONG, template.short_name()),
        paint(
            QUIET,
            format!(
                "{}, in {}",
                kind_name(template.kind),
                template.section.name()
            )
        )
    ));
    page.gap();
    page.prose("  ", "  ", template.description);
    if !template.guidance.is_empty() {
        page.gap();
        page.prose("  ", "  ", template.guidance);
    }
    inputs(&mut page, template);
    ruled(&mut page, template);
    enables(&mut page, template);
    spellings(&mut page, template, packs);
    if packs.len() > 1 {
        spellings_elsewhere(&mut page, template);
    }
    page.finish()
}

fn kind_name(kind: TemplateKind) -> &'static str {
    match kind {
        TemplateKind::Query => "a whole query",
        TemplateKind::Expression => "a piece of SQL",
        TemplateKind::Flag => "a flag, `true` or `false`",
        TemplateKind::Statement => "a statement that changes something",
    }
}

fn inputs(page: &mut Listing, template: &Template) {
    if !template.variables.is_empty() {
        page.heading("Variables");
        for variable in template.variables {
            let optional = if variable.optional { "  optional" } else { "" };
            page.line(format!(
                "  {} {}{}",
                paint(STRONG, format!("{:<20}", variable.name)),
                python_name(variable.kind),
                paint(QUIET, optional)
            ));
        }
    }
    if !template.placeholders.is_empty() {
        page.heading("Placeholders, filled in after Jinja");
        for placeholder in template.placeholders {
            page.line(format!("  {}", paint(STRONG, format!("{{{placeholder}}}"))));
        }
    }
}

/// The rules, each with the checks that prove it.
fn ruled(page: &mut Listing, template: &'static Template) {
    let rules: Vec<&Rule> = rules().iter().filter(|rule| rule.is_of(template)).collect();
    if rules.is_empty() {
        return;
    }
    page.heading("Rules");
    for rule in rules {
        let checks = rule.checks_of(template);
        let names = checks.iter().map(|check| check.id.as_str());
        page.prose("  ", "    ", &format!("{}: {}", rule.id, rule.says));
        page.prose("    ", "    ", &names.collect::<Vec<_>>().join(", "));
    }
}

fn enables(page: &mut Listing, template: &'static Template) {
    page.heading("What hangs on it");
    let section: SuiteSection = template.judged_in;
    page.field("section", section.name());
    let checks: Vec<Check> = checks()
        .into_iter()
        .filter(|check| check.judges.contains(&template))
        .collect();
    let capabilities: BTreeSet<Capability> = checks
        .iter()
        .flat_map(|check| check.carries.iter().copied())
        .collect();
    if !capabilities.is_empty() {
        let names: Vec<&str> = capabilities.iter().map(|each| each.name()).collect();
        page.field("carries", &names.join(", "));
    }
    let metrics: Vec<&str> = metrics_of(template).map(|metric| metric.name).collect();
    if !metrics.is_empty() {
        page.field("metrics", &metrics.join(", "));
    }
    if checks.is_empty() {
        return;
    }
    page.heading("Checks that judge it");
    page.terms(
        checks
            .iter()
            .map(|check| (check.id.as_str(), check.title.as_str())),
    );
}

fn spellings(page: &mut Listing, template: &'static Template, packs: &[Arc<Pack>]) {
    page.heading("How dialects spell it");
    let width = packs
        .iter()
        .map(|pack| pack.name.len())
        .max()
        .unwrap_or_default();
    for pack in packs {
        let name = paint(STRONG, format!("{:<width$}", pack.name)).to_string();
        match pack.spelling(template) {
            None => page.line(format!("  {name}  {}", paint(QUIET, "cannot do it"))),
            Some(spelling) => {
                let proof = match spelling.proof {
                    Proof::Proven => paint(GOOD, format!("proven on {}", pack.proven_on())),
                    Proof::Unproven => paint(OPEN, "unproven".to_owned()),
                };
                page.line(format!("  {name}  {proof}"));
                if let Some(needs) = pack.needs(template) {
                    page.prose("      ", "      ", &format!("needs {needs}"));
                }
                let lines: Vec<&str> = spelling.text.trim_end().lines().collect();
                let shown = if packs.len() > 1 {
                    GLIMPSE
                } else {
                    lines.len()
                };
                for line in lines.iter().take(shown) {
                    page.line(format!("      {}", paint(CODE, line)));
                }
                if lines.len() > shown {
                    let more = format!(
                        "… {} more lines with `--dialect {}`",
                        lines.len() - shown,
                        pack.name
                    );
                    page.line(format!("      {}", paint(QUIET, more)));
                }
            }
        }
    }
}

fn spellings_elsewhere(page: &mut Listing, template: &'static Template) {
    let spelled: Vec<Elsewhere> = elsewhere(template).collect();
    if spelled.is_empty() {
        return;
    }
    page.heading("Elsewhere, unproven");
    for Elsewhere { platform, text } in spelled {
        page.line(format!(
            "  {} {}",
            paint(STRONG, format!("{platform:<11}")),
            paint(CODE, text)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_come_once_their_section_is_named() {
        let check = checks()[0].id.to_string();
        let (section, _) = check.split_once('/').unwrap();
        let has_check = |word: &str| names_beginning(word).contains(&check);
        assert!(has_check(section) && has_check(&check));
        assert!(!has_check("") && !has_check(&section[..2]));
        assert_eq!(names_beginning("numeric_mea"), ["numeric_mean"]);
    }
}
