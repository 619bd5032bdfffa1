//! The bank: spellings as data, read from `bank/*.toml`, beside those of the dialect packs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bowline_contract::{Template, TemplateStyle};
use bowline_warehouse::dialect::{ANY_ENGINE, Pack};
use serde::Deserialize;

use crate::grammar::Braces;

/// What several templates need spelled alike: types, literals, families of functions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    /// How texts call it.
    pub(crate) name: String,
    /// The names of its arguments.
    #[serde(default)]
    pub(crate) takes: Vec<String>,
    /// What its spellings must answer; all of it.
    pub(crate) probes: Vec<Probe>,
    /// The spellings, the plainest first.
    pub(crate) options: Vec<String>,
}

/// A statement that shows whether a choice's spelling is right.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    pub(crate) sql: String,
    #[serde(flatten)]
    pub(crate) answer: ProbeAnswer,
}

/// What a probe must answer, in one row and one column.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProbeAnswer {
    Number(f64),
    Text(String),
    /// A timestamp by type, or a date at its midnight.
    Moment(String),
    /// A timestamp by type, within so many seconds of now in UTC.
    Now(i64),
}

/// A bank's spelling of a template.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spelling {
    /// The templates it is for.
    pub(crate) templates: Vec<String>,
    /// The texts, the plainest first.
    pub(crate) texts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceFile {
    choice: Vec<Choice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpellingFile {
    spelling: Vec<Spelling>,
}

/// A text that may be right for a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// With choices in it.
    pub(crate) text: String,
    /// The pack it stands in; none for the bank's own.
    pub(crate) pack: Option<&'static str>,
}

const CHOICES: &str = include_str!("../bank/choices.toml");

const SPELLINGS: [(&str, &str); 4] = [
    ("texts.toml", include_str!("../bank/texts.toml")),
    ("moments.toml", include_str!("../bank/moments.toml")),
    ("numbers.toml", include_str!("../bank/numbers.toml")),
    ("catalogues.toml", include_str!("../bank/catalogues.toml")),
];

/// Every choice, those that others are built from first.
pub(crate) fn choices() -> &'static [Choice] {
    static CHOICES_READ: LazyLock<Vec<Choice>> = LazyLock::new(|| {
        let file: ChoiceFile =
            toml::from_str(CHOICES).unwrap_or_else(|error| panic!("bank/choices.toml: {error}"));
        file.choice
    });
    &CHOICES_READ
}

fn spellings() -> &'static BTreeMap<&'static str, Vec<String>> {
    static READ: LazyLock<BTreeMap<&'static str, Vec<String>>> = LazyLock::new(|| {
        let mut read: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for (name, text) in SPELLINGS {
            let file: SpellingFile =
                toml::from_str(text).unwrap_or_else(|error| panic!("bank/{name}: {error}"));
            for spelling in file.spelling {
                for template in &spelling.templates {
                    let template = Template::find(template)
                        .unwrap_or_else(|| panic!("bank/{name}: no template `{template}`"));
                    let texts = read.entry(template.name).or_default();
                    texts.extend(spelling.texts.iter().cloned());
                }
            }
        }
        read
    });
    &READ
}

/// Everything that may be right for a template: the base's own text, then the bank's, then those of the other packs.
pub(crate) fn candidates(template: &Template, without: &[String]) -> Vec<Candidate> {
    let base = Pack::all()
        .iter()
        .filter(|pack| !without.iter().any(|name| *name == pack.name));
    let of_packs = base.filter_map(|pack| {
        let spelling = pack.spelling(template)?;
        Some(Candidate {
            text: spelling.text.to_owned(),
            pack: Some(&spelling.stands_in.name),
        })
    });
    let own = spellings().get(template.name).into_iter().flatten();
    let own = own.map(|text| Candidate {
        text: text.clone(),
        pack: None,
    });
    let (plain, others): (Vec<_>, Vec<_>) =
        of_packs.partition(|candidate| candidate.pack == Some(ANY_ENGINE));
    let mut all: Vec<Candidate> = Vec::new();
    for candidate in plain.into_iter().chain(own).chain(others) {
        if all.iter().all(|known| known.text != candidate.text) {
            all.push(candidate);
        }
    }
    all
}

/// Whether there is any spelling to try for a template.
#[must_use]
pub fn knows_spellings(template: &Template) -> bool {
    !candidates(template, &[]).is_empty()
}

/// How braces are written in a template's text.
pub(crate) fn braces(template: &Template) -> Braces {
    match template.style() {
        TemplateStyle::Placeholder | TemplateStyle::Hybrid => Braces::Formatted,
        TemplateStyle::Parameterized | TemplateStyle::Flag => Braces::Plain,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bowline_template::CompiledTemplate;
    use jiff::civil::DateTime;

    use super::*;
    use crate::grammar::{names, spelled};

    #[test]
    fn choices_are_built_from_those_before_them() {
        let mut known = BTreeSet::new();
        for choice in choices() {
            let own: BTreeSet<&str> = choice.takes.iter().map(String::as_str).collect();
            for text in &choice.options {
                for name in names(text) {
                    let name = name.trim_end_matches(".lower");
                    assert!(
                        own.contains(name) || known.contains(name),
                        "{}: <{name}> in {text}",
                        choice.name
                    );
                }
            }
            known.insert(choice.name.as_str());
            for probe in &choice.probes {
                if let ProbeAnswer::Moment(moment) = &probe.answer {
                    assert!(
                        moment.parse::<DateTime>().is_ok(),
                        "{}: {moment}",
                        choice.name
                    );
                }
                for name in names(&probe.sql) {
                    assert!(known.contains(name), "{}: <{name}>", choice.name);
                }
            }
            assert!(!choice.probes.is_empty(), "{}", choice.name);
        }
    }

    #[test]
    fn every_spelling_compiles_and_uses_what_it_must() {
        let known: BTreeSet<&str> = choices()
            .iter()
            .map(|choice| choice.name.as_str())
            .collect();
        for (name, texts) in spellings() {
            let template = Template::known(name);
            for text in texts {
                for name in names(text) {
                    assert!(known.contains(name), "{}: <{name}>", template.name);
                }
                let spell = |name: &str, arguments: &[String]| {
                    Some(format!("{name}({})", arguments.join(", ")))
                };
                let text = spelled(text, braces(template), &spell).unwrap_or_default();
                let compiled = CompiledTemplate::compile(template.short_name(), &text);
                let compiled =
                    compiled.unwrap_or_else(|error| panic!("{}: {error}\n{text}", template.name));
                for variable in template.variables.iter().filter(|each| !each.optional) {
                    assert!(
                        compiled.references(variable.name),
                        "{}: {} in {text}",
                        template.name,
                        variable.name
                    );
                }
            }
        }
    }
}
