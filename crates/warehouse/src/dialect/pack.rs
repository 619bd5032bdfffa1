//! A pack in memory: its facts, its templates, and what it inherits.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use bowline_connector::folder::{Document, Problem};
use bowline_contract::{Template, layout};
use bowline_template::CompiledTemplate;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::embedded::{Embedded, PACKS};
use crate::folder::{ConnectorFile, GivenTemplate, read_templates, template_of_file, whole_file};
use crate::template::{ConnectorTemplate, Origin, SuiteWords, TemplateSet};

/// The file `pack.toml`: the facts about one dialect pack.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "pack.toml")]
pub struct PackFile {
    /// The version of this file's format: always 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The engine, as its makers write it.
    pub engine: String,
    /// One line on what the pack covers.
    pub description: String,
    /// The pack whose templates this one starts from: one that the program brings or of the workspace's `packs` by name,
    /// or a folder of the workspace, as `../other`.
    #[schemars(with = "Option<String>")]
    pub extends: Option<Spanned<String>>,
    /// The servers whose answers the suite found right with this pack, the last first; none when it never ran.
    #[serde(default)]
    pub proven: Vec<ProvenOn>,
    /// Templates that the suite did not prove, in spite of `proven`.
    #[serde(default)]
    pub unproven: Vec<String>,
    /// What a template needs of a server that not every server of the engine has, and how it gets it.
    #[serde(default)]
    pub needs: BTreeMap<String, String>,
    /// A statement that gives 1 where the server has what a template needs, and 0 where it has not.
    #[serde(default)]
    pub has: BTreeMap<String, String>,
    /// What the suite writes into statements of its own.
    #[serde(default)]
    pub suite: SuiteWords,
}

/// A server on which the suite found a pack right.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvenOn {
    /// The engine and its version, as the server names itself.
    pub on: String,
    /// The day, as `2024-06-15`, where it was taken down.
    pub at: Option<String>,
}

impl fmt::Display for ProvenOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(day) => write!(f, "{} ({day})", self.on),
            None => f.write_str(&self.on),
        }
    }
}

/// The texts a new connector of a dialect starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaffoldFiles {
    /// `connector.toml`; none for an engine that only its Python driver reaches
    pub connector: Option<Cow<'static, str>>,
    /// `credentials.json`, with placeholders for values
    pub credentials: Cow<'static, str>,
    /// The `credentials_schema` of `manifest.json`
    pub credentials_schema: Cow<'static, str>,
}

/// The templates of one engine: those of an embedded pack, or of a folder of the workspace.
pub struct Pack {
    /// Its name: what `[dialect] extends` says.
    pub name: String,
    /// The facts about it.
    pub facts: PackFile,
    /// What a new connector starts with; none for a base that is no engine.
    pub scaffold: Option<ScaffoldFiles>,
    pub(super) base: Option<Arc<Pack>>,
    pub(super) given: BTreeMap<&'static str, Given>,
    /// Where it is read from.
    pub(super) source: Source,
}

/// Where a pack is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The program.
    Embedded,
    /// A folder of the workspace, and the files there.
    Folder {
        /// The folder.
        dir: PathBuf,
        /// The files, those of the packs that it extends left out.
        files: Vec<PathBuf>,
    },
}

/// What a pack's file says about one template.
#[derive(Debug)]
pub(super) struct Given {
    /// Its text; none when the engine cannot do it.
    pub(super) text: Option<String>,
    /// The file.
    pub(super) path: PathBuf,
    /// The line there, from 1.
    pub(super) line: usize,
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pack").field(&self.name).finish()
    }
}

impl PartialEq for Pack {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.source == other.source
    }
}

impl Eq for Pack {}

/// How a pack spells one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling<'p> {
    /// The template's text.
    pub text: &'p str,
    /// The pack whose file holds it: this one or one it extends.
    pub stands_in: &'p Arc<Pack>,
    /// Whether the suite found it right.
    pub proof: Proof,
}

/// Whether the suite found a pack's template right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// On the servers that the pack names.
    Proven,
    /// It never ran.
    Unproven,
}

/// The name of the embedded pack for an engine that has none of its own.
pub const ANY_ENGINE: &str = "ansi";

static ALL: LazyLock<Vec<Arc<Pack>>> = LazyLock::new(|| {
    let mut all: Vec<Arc<Pack>> = Vec::new();
    for embedded in PACKS {
        let pack = Pack::read(embedded, &all).unwrap_or_else(|problems| {
            let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
            panic!("embedded dialect pack is broken: {}", told.join("\n"))
        });
        all.push(Arc::new(pack));
    }
    all
});

impl Pack {
    /// Every embedded pack, bases first.
    #[must_use]
    pub fn all() -> &'static [Arc<Self>] {
        &ALL
    }

    /// The embedded packs that stand for an engine; bases are no engines.
    pub fn engines() -> impl Iterator<Item = &'static Arc<Self>> {
        ALL.iter().filter(|pack| pack.scaffold.is_some())
    }

    /// The embedded pack with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Arc<Self>> {
        ALL.iter().find(|pack| pack.name == name)
    }

    /// The pack it extends.
    #[must_use]
    pub fn base(&self) -> Option<&Arc<Self>> {
        self.base.as_ref()
    }

    /// This pack, the one it extends, and so on.
    pub fn chain(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Self>> {
        std::iter::successors(Some(self), |pack| pack.base())
    }

    /// The folder it is read from; none for an embedded one.
    #[must_use]
    pub fn dir(&self) -> Option<&Path> {
        match &self.source {
            Source::Embedded => None,
            Source::Folder { dir, .. } => Some(dir),
        }
    }

    /// The files that it is read from, those of the packs that it extends too; none of embedded ones.
    pub fn files(self: &Arc<Self>) -> impl Iterator<Item = &Path> {
        self.chain().flat_map(|pack| {
            match &pack.source {
                Source::Embedded => &[],
                Source::Folder { files, .. } => files.as_slice(),
            }
            .iter()
            .map(PathBuf::as_path)
        })
    }

    /// The file and line where its own spelling of a template stands; none in an embedded pack.
    #[must_use]
    pub fn place(&self, template: &Template) -> Option<(&Path, usize)> {
        let own = self.given.get(template.name)?;
        self.dir().map(|_| (own.path.as_path(), own.line))
    }

    /// How the pack spells a template, inherited or its own; none when the engine cannot do it.
    #[must_use]
    pub fn spelling(self: &Arc<Self>, template: &Template) -> Option<Spelling<'_>> {
        let (text, stands_in) = match self.given.get(template.name) {
            Some(own) => (own.text.as_deref()?, self),
            None => {
                let inherited = self.base()?.spelling(template)?;
                (inherited.text, inherited.stands_in)
            }
        };
        Some(Spelling {
            text,
            stands_in,
            proof: self.proof(template),
        })
    }

    /// How the pack spells a template, ready to be rendered.
    ///
    /// # Panics
    /// When the text does not compile: the pack is broken.
    #[must_use]
    pub fn template(self: &Arc<Self>, template: &'static Template) -> Option<ConnectorTemplate> {
        let spelling = self.spelling(template)?;
        let compiled = CompiledTemplate::compile(template.short_name(), spelling.text);
        Some(ConnectorTemplate {
            template,
            text: spelling.text.to_owned(),
            origin: Origin::Pack(Arc::clone(spelling.stands_in)),
            compiled: compiled.unwrap_or_else(|error| panic!("pack `{}`: {error}", self.name)),
        })
    }

    /// All its templates, as a connector has them that spells none itself.
    ///
    /// # Panics
    /// When a text does not compile: the pack is broken.
    #[must_use]
    pub fn templates(self: &Arc<Self>) -> TemplateSet {
        let mut templates = TemplateSet::default().with_suite(self.suite());
        for template in Template::all().filter_map(|template| self.template(template)) {
            templates.insert(template);
        }
        templates
    }

    /// Its words for the suite's own statements, its own before those of its base.
    #[must_use]
    pub fn suite(&self) -> SuiteWords {
        let base = self.base().map(|base| base.suite()).unwrap_or_default();
        self.facts.suite.clone().or(base)
    }

    /// The servers that it is proven on, in words.
    #[must_use]
    pub fn proven_on(&self) -> String {
        let servers = self.facts.proven.iter().map(ProvenOn::to_string);
        match servers.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "no engine".to_owned(),
            servers => servers,
        }
    }

    fn proof(&self, template: &Template) -> Proof {
        let excepted = self
            .facts
            .unproven
            .iter()
            .any(|name| Template::find(name) == Some(template));
        if self.facts.proven.is_empty() || excepted {
            Proof::Unproven
        } else {
            Proof::Proven
        }
    }

    /// What the pack's spelling of a template needs that not every server has, in words.
    #[must_use]
    pub fn needs(&self, template: &Template) -> Option<&str> {
        of(&self.facts.needs, template)
    }

    /// The statement that gives 1 where the server has what the pack's spelling of a template needs.
    #[must_use]
    pub fn has(&self, template: &Template) -> Option<&str> {
        of(&self.facts.has, template)
    }

    /// The `connector.toml` a new connector starts with, read.
    #[must_use]
    pub fn scaffold_connector(&self) -> Option<ConnectorFile> {
        let text = self.scaffold.as_ref()?.connector.as_ref()?;
        Document::new(Path::new(layout::CONNECTOR_FILE), text).read()
    }

    /// Whether the engine is reached by connectors in Python alone.
    #[must_use]
    pub fn needs_python(&self) -> bool {
        let files = self.scaffold.as_ref();
        files.is_some_and(|files| files.connector.is_none())
    }

    /// The name of the driver it brings: what `--driver` says.
    #[must_use]
    pub fn driver_name(&self) -> Option<String> {
        let driver = self.scaffold_connector()?.driver;
        Some(match driver.name {
            Some(name) => name.into_inner(),
            None => driver.kind.get_ref().clone(),
        })
    }

    fn read(embedded: &Embedded, before: &[Arc<Self>]) -> Result<Self, Vec<Problem>> {
        let folder = PathBuf::from("dialects").join(embedded.name);
        let mut problems = Vec::new();

        let mut document = Document::new(&folder.join(layout::PACK_FILE), embedded.pack);
        let facts: Option<PackFile> = document.read();
        problems.extend(document.into_problems());

        let path = folder.join(layout::TEMPLATES_FILE);
        let mut document = Document::new(&path, embedded.templates);
        let mut given: Vec<GivenTemplate> = read_templates(&mut document);
        problems.extend(document.into_problems());

        for (file, text) in embedded.template_files {
            match template_of_file(&folder.join("templates").join(file)) {
                Ok(found) => given.extend(found.map(|template| whole_file(template, text))),
                Err(problem) => problems.push(*problem),
            }
        }
        match facts {
            Some(facts) if problems.is_empty() => Ok(Self {
                name: embedded.name.to_owned(),
                base: facts.extends.as_ref().and_then(|base| {
                    let base = before.iter().find(|pack| pack.name == *base.get_ref());
                    base.map(Arc::clone)
                }),
                facts,
                scaffold: embedded.scaffold.clone(),
                given: given_by(given.into_iter().map(|given| (path.clone(), given))),
                source: Source::Embedded,
            }),
            _ => Err(problems),
        }
    }
}

/// What files say about templates, by the templates' names.
pub(super) fn given_by(
    given: impl Iterator<Item = (PathBuf, GivenTemplate)>,
) -> BTreeMap<&'static str, Given> {
    given
        .map(|(path, given)| {
            let GivenTemplate {
                template,
                text,
                line,
                ..
            } = given;
            (template.name, Given { text, path, line })
        })
        .collect()
}

/// What is said of a template, by whatever name.
fn of<'a>(said: &'a BTreeMap<String, String>, template: &Template) -> Option<&'a str> {
    said.iter()
        .find(|(name, _)| Template::find(name) == Some(template))
        .map(|(_, said)| said.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bowline_contract::TemplateStyle;
    use bowline_template::CompiledTemplate;

    use super::*;

    /// Every pack with every template it can spell.
    fn spellings()
    -> impl Iterator<Item = (&'static Arc<Pack>, &'static Template, Spelling<'static>)> {
        Pack::all().iter().flat_map(|pack| {
            Template::all()
                .filter_map(move |template| Some((pack, template, pack.spelling(template)?)))
        })
    }

    #[test]
    fn every_template_compiles() {
        for (pack, template, spelling) in spellings() {
            if let Err(error) = CompiledTemplate::compile(template.short_name(), spelling.text) {
                panic!("{}: {}: {error}", pack.name, template.name);
            }
        }
    }

    #[test]
    fn no_template_ignores_a_variable_it_must_use() {
        for (pack, template, spelling) in spellings() {
            let compiled = CompiledTemplate::compile(template.short_name(), spelling.text).unwrap();
            for variable in template
                .variables
                .iter()
                .filter(|variable| !variable.optional)
            {
                assert!(
                    compiled.references(variable.name),
                    "{}: {} ignores {}",
                    pack.name,
                    template.name,
                    variable.name
                );
            }
            for placeholder in template.placeholders {
                assert!(
                    spelling.text.contains(&format!("{{{placeholder}}}")),
                    "{}: {} ignores {placeholder}",
                    pack.name,
                    template.name
                );
            }
        }
    }

    #[test]
    fn what_is_said_of_a_template_is_said_of_one_that_the_pack_spells() {
        for pack in Pack::all() {
            let has = pack.facts.has.keys();
            assert!(has.clone().all(|name| pack.facts.needs.contains_key(name)));
            let facts = pack.facts.unproven.iter().chain(pack.facts.needs.keys());
            for name in facts.chain(has) {
                let template = Template::find(name);
                let spelled = template.and_then(|template| pack.spelling(template));
                assert!(spelled.is_some(), "{}: {name}", pack.name);
            }
        }
    }

    #[test]
    fn every_file_of_the_packs_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dialects");
        let names = |dir: &Path| -> BTreeSet<String> {
            std::fs::read_dir(dir)
                .map(|entries| {
                    entries
                        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                        .collect()
                })
                .unwrap_or_default()
        };
        let embedded: BTreeSet<String> = PACKS.iter().map(|pack| pack.name.to_owned()).collect();
        assert_eq!(names(&folder), embedded);
        for pack in PACKS {
            let files: BTreeSet<String> = pack
                .template_files
                .iter()
                .map(|(file, _)| (*file).to_owned())
                .collect();
            assert_eq!(
                names(&folder.join(pack.name).join("templates")),
                files,
                "{}",
                pack.name
            );
        }
    }

    #[test]
    fn flags_are_true_or_false() {
        for (pack, template, spelling) in spellings() {
            if template.style() == TemplateStyle::Flag {
                assert!(
                    ["true", "false"].contains(&spelling.text),
                    "{}: {}",
                    pack.name,
                    template.name
                );
            }
        }
    }

    #[test]
    fn facts_name_templates_and_packs_that_exist() {
        for pack in Pack::all() {
            assert_eq!(
                pack.facts.extends.is_some(),
                pack.base().is_some(),
                "{}",
                pack.name
            );
            for name in &pack.facts.unproven {
                assert!(Template::find(name).is_some(), "{}: {name}", pack.name);
            }
        }
    }

    #[test]
    fn a_dropped_template_is_not_inherited() {
        let sqlite = Pack::find("sqlite").unwrap();
        let stddev = Template::find("get_stddev_function").unwrap();
        assert_eq!(sqlite.spelling(stddev), None);
        assert!(sqlite.base().unwrap().spelling(stddev).is_some());
    }
}
