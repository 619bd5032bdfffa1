//! Pages about the words that connectors and commands are written in: sections, features, records and their keys,
//! statuses, dialects, drivers, modes.

use std::path::Path;
use std::sync::Arc;

use bowline_conformance::pipeline::AskedOf;
use bowline_conformance::{pipeline, warehouse};
use bowline_contract::pipeline::{
    Field, MANIFEST_KEYS, PipelineFeature, PipelineManifest, Presence, RECORDS, RunStatus,
    shape_words,
};
use bowline_contract::{PipelineSection, SourceManifest, SuiteSection, Template, TemplateSection};
use bowline_installer::catalogue;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::{AskedDriver, pack_with_driver};
use clap::ValueEnum as _;

use super::reported::begin;
use crate::command::build::ModeName;
use crate::command::driver;
use crate::command::new::ODBC;
use crate::listing::Listing;

/// Everything that has such a page.
pub(super) fn names() -> Vec<String> {
    let sections = SuiteSection::NAMES.iter().chain(PipelineSection::NAMES);
    let words = sections
        .chain(TemplateSection::NAMES)
        .chain(PipelineFeature::NAMES)
        .chain(RunStatus::NAMES);
    let mut names: Vec<String> = words.map(|word| (*word).to_owned()).collect();
    names.extend(pipeline::CHECKS.iter().map(|check| check.id.to_owned()));
    for (record, _, fields) in RECORDS {
        names.push((*record).to_owned());
        names.extend(
            fields
                .iter()
                .map(|field| format!("{record}.{}", field.name)),
        );
    }
    names.extend(MANIFEST_KEYS.iter().map(|(key, _)| (*key).to_owned()));
    names.extend(Pack::all().iter().map(|pack| pack.name.clone()));
    names.extend(
        catalogue::catalogue()
            .iter()
            .map(|entry| entry.name.to_owned()),
    );
    names.push(ODBC.to_owned());
    names.extend(modes().map(|(name, _)| name));
    names
}

/// The page about what has that name. What has a name that several things have is told of all of them.
pub(super) fn page(name: &str) -> Option<String> {
    let pages: Vec<String> = [
        section_page(name),
        pipeline_section_page(name),
        template_section_page(name),
        feature_page(name),
        check_page(name),
        status_page(name),
        record_page(name),
        field_page(name),
        manifest_key_page(name),
        Pack::find(name).map(|pack| pack_page(pack, Path::new(""))),
        driver_page(name),
        odbc_page(name),
        mode_page(name),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!pages.is_empty()).then(|| pages.join("\n"))
}

fn section_page(name: &str) -> Option<String> {
    let section = SuiteSection::from_name(name)?;
    let mut page = begin(
        name,
        "a section of the suite for warehouses",
        section.description(),
    );
    page.heading("Checks");
    let checks = warehouse::checks();
    let checks = checks.iter().filter(|check| check.section == section);
    page.terms(checks.map(|check| (check.id.as_str(), check.title.as_str())));
    Some(page.finish())
}

fn pipeline_section_page(name: &str) -> Option<String> {
    let section = PipelineSection::from_name(name)?;
    let mut page = begin(
        name,
        "a section of the suite for pipelines",
        section.description(),
    );
    page.heading("Checks");
    let checks = pipeline::CHECKS.iter();
    let checks = checks.filter(|check| check.section == section);
    page.terms(checks.map(|check| (check.id, check.title)));
    page.heading("Features that it sees");
    let features = PipelineFeature::ALL.iter();
    let features = features.filter(|feature| feature.section() == section);
    page.terms(features.map(|feature| (feature.name(), feature.description())));
    Some(page.finish())
}

fn template_section_page(name: &str) -> Option<String> {
    let section = TemplateSection::from_name(name)?;
    let mut page = begin(name, "a section of templates.toml", section.description());
    page.heading("Templates");
    let templates = Template::all().filter(|template| template.section == section);
    page.terms(templates.map(|template| (template.short_name(), template.description)));
    page.heading("In Python");
    page.field("class", section.class_name());
    Some(page.finish())
}

fn feature_page(name: &str) -> Option<String> {
    let feature = PipelineFeature::from_name(name)?;
    let mut page = begin(
        name,
        "an optional feature of pipeline connectors",
        feature.description(),
    );
    page.gap();
    page.field("section", feature.section().name());
    Some(page.finish())
}

fn check_page(name: &str) -> Option<String> {
    let check = pipeline::CHECKS.iter().find(|check| check.id == name)?;
    let what = format!("a check of the tier {}", check.tier.name());
    let mut page = begin(name, what, check.title);
    page.gap();
    page.field("section", check.section.name());
    let asked_of = match check.asked_of {
        AskedOf::Every => None,
        AskedOf::Methods => Some("connectors that are programs; a description has no such methods"),
        AskedOf::Telling => {
            Some("descriptions and connectors in Python, whose vendors' answers are seen")
        }
    };
    if let Some(asked_of) = asked_of {
        page.field("asked of", asked_of);
    }
    Some(page.finish())
}

fn status_page(name: &str) -> Option<String> {
    let status = RunStatus::from_name(name)?;
    let mut page = begin(name, "a status of runs and task runs", status.description());
    page.gap();
    if status.is_terminal() {
        page.prose("  ", "  ", "It ends a run, which then has an `end_time`.");
    }
    if status.needs_error() {
        page.prose("  ", "  ", "Such a run has an `error`.");
    }
    Some(page.finish())
}

fn record_page(name: &str) -> Option<String> {
    let (_, about, fields) = RECORDS.iter().find(|(record, ..)| *record == name)?;
    let mut page = begin(name, "a record that pipeline connectors give", about);
    for (presence, heading) in [
        (Presence::Required, "Keys that must be there"),
        (Presence::Optional, "Other keys"),
    ] {
        let fields: Vec<&Field> = fields
            .iter()
            .filter(|field| field.presence == presence)
            .collect();
        if !fields.is_empty() {
            page.heading(heading);
            page.terms(fields.iter().map(|field| (field.name, field.about)));
        }
    }
    Some(page.finish())
}

/// The page about `record.key`, or about a key wherever it stands.
fn field_page(name: &str) -> Option<String> {
    let found: Vec<(&str, &Field)> = RECORDS
        .iter()
        .flat_map(|(record, _, fields)| fields.iter().map(move |field| (*record, field)))
        .filter(|(record, field)| {
            field.name == name || name.split_once('.') == Some((record, field.name))
        })
        .collect();
    let pages: Vec<String> = found
        .into_iter()
        .map(|(record, field)| {
            let whole = format!("{record}.{}", field.name);
            let mut page = begin(
                &whole,
                "a key of what pipeline connectors give",
                field.about,
            );
            page.gap();
            page.field("value", &shape_words(&field.shape));
            page.field(
                "presence",
                match field.presence {
                    Presence::Required => "must be there",
                    Presence::Optional => "left out where there is none",
                },
            );
            page.finish()
        })
        .collect();
    (!pages.is_empty()).then(|| pages.join("\n"))
}

fn manifest_key_page(name: &str) -> Option<String> {
    let (_, about) = MANIFEST_KEYS.iter().find(|(key, _)| *key == name)?;
    let mut page = begin(name, "a key of manifest.json", about);
    page.gap();
    let has = |keys: &[&str]| keys.contains(&name);
    let kinds = [
        ("warehouses", has(SourceManifest::KEYS)),
        ("pipelines", has(PipelineManifest::KEYS)),
    ];
    let kinds = kinds.into_iter().filter(|(_, has)| *has);
    let kinds: Vec<&str> = kinds.map(|(kind, _)| kind).collect();
    page.field("of", &kinds.join(" and "));
    Some(page.finish())
}

pub(super) fn pack_page(pack: &Arc<Pack>, base: &Path) -> String {
    let name = &pack.name;
    let mut page = begin(name, "a dialect pack", &pack.facts.description);
    page.gap();
    page.field("engine", &pack.facts.engine);
    page.field("extends", pack.base().map_or("nothing", |pack| &pack.name));
    page.field("proven on", &pack.proven_on());
    if let Some(dir) = pack.dir() {
        let shown = dir.strip_prefix(base).unwrap_or(dir).display();
        page.field("stands in", &shown.to_string());
    }
    let spelt = Template::all().filter(|template| pack.spelling(template).is_some());
    page.field(
        "templates",
        &format!("{} of {}", spelt.count(), Template::all().count()),
    );
    let needs = pack.facts.needs.iter();
    let needs: Vec<(&str, &str)> = needs
        .map(|(what, words)| (what.as_str(), words.as_str()))
        .collect();
    if !needs.is_empty() {
        page.heading("What it needs that not every server has");
        page.terms(needs);
    }
    page.gap();
    page.prose(
        "  ",
        "  ",
        &format!("`bowline new NAME --dialect {name}` starts from it."),
    );
    page.finish()
}

fn driver_page(name: &str) -> Option<String> {
    let entry = catalogue::find(driver::described_with(name))?;
    let mut page = begin(name, "a driver", entry.summary);
    driver::options(&mut page, entry);
    page.gap();
    page.prose(
        "  ",
        "  ",
        &format!("`bowline driver info {name}` tells where it comes from."),
    );
    Some(page.finish())
}

/// The page of what `--driver` takes beside the catalogue: the driver manager, and what a pack reaches through it.
fn odbc_page(name: &str) -> Option<String> {
    const SUMMARY: &str = "The ODBC driver manager of this machine, with the drivers and data sources that it knows. \
        Nothing is installed by `bowline driver install`.";
    let Ok(asked) = name.parse();
    let mut page = begin(name, "a driver", SUMMARY);
    page.gap();
    let starts = match &asked {
        AskedDriver::Odbc(source) => {
            let source = source.as_deref().unwrap_or("SOURCE");
            format!(
                "`bowline new NAME --dialect ansi --driver odbc:{source}` starts a connector for a data source of it."
            )
        }
        AskedDriver::Named(_) if catalogue::find(driver::described_with(name)).is_none() => {
            let pack = pack_with_driver(&asked)?.name.clone();
            format!(
                "`bowline new NAME --dialect {pack}` starts a connector that is reached with this driver of it."
            )
        }
        AskedDriver::Named(_) | AskedDriver::Library(_) => return None,
    };
    page.prose("  ", "  ", &starts);
    Some(page.finish())
}

fn mode_page(name: &str) -> Option<String> {
    let (_, about) = modes().find(|(mode, _)| mode == name)?;
    let page: Listing = begin(name, "a mode of `bowline build`", &about);
    Some(page.finish())
}

fn modes() -> impl Iterator<Item = (String, String)> {
    ModeName::value_variants().iter().filter_map(|mode| {
        let value = mode.to_possible_value()?;
        let about = value.get_help()?.to_string();
        Some((value.get_name().to_owned(), format!("{about}.")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_has_a_name_has_a_page() {
        for name in names() {
            let page = page(&name).unwrap_or_else(|| panic!("{name}"));
            assert!(page.contains(&name), "{page}");
        }
        assert_eq!(page("nothing"), None);
    }

    #[test]
    fn every_driver_that_a_connector_can_ask_for_has_a_page() {
        for name in ["odbc", "odbc:sales", "MariaDB Unicode", "postgres"] {
            let page = page(name).unwrap_or_else(|| panic!("{name}"));
            assert!(page.contains("a driver"), "{page}");
        }
        assert_eq!(page("MariaDB Unicorn"), None);
    }

    #[test]
    fn a_key_of_a_manifest_says_whose_it_is() {
        let key = page("run_status_mapping").unwrap();
        assert!(
            key.contains("a key of manifest.json") && key.contains("pipelines"),
            "{key}"
        );
        let shared = page("credentials_schema").unwrap();
        assert!(shared.contains("warehouses and pipelines"), "{shared}");
    }

    #[test]
    fn a_key_is_found_alone_and_in_its_record() {
        let alone = page("end_time").unwrap();
        assert!(alone.contains("run.end_time"), "{alone}");
        let schedule = page("asset.schedule").unwrap();
        assert!(!schedule.contains("group.schedule"), "{schedule}");
    }
}
