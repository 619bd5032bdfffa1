//! A connector's templates as a dialect pack that others extend.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_connector::folder::LoadError;
use bowline_connector::{Workspace, schema_line};
use bowline_contract::{ConnectorName, Template, TemplateKind, TemplateSection, layout};
use bowline_words::{Diagnose, Diagnostic, counted, in_one_line};
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::pack::{ANY_ENGINE, Pack, ProvenOn};
use crate::connector::Connector;
use crate::folder::{template_of_file, template_paths, toml_value};
use crate::template::{ConnectorTemplate, Origin};

/// What a run of the whole suite says of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is right, as so many checks say.
    Proven(usize),
    /// The database refuses it.
    Refused,
    /// The run could not tell.
    Open,
}

/// The files of a pack, before they are written.
#[derive(Debug)]
pub struct NewPack {
    dir: PathBuf,
    files: Vec<(&'static str, String)>,
}

/// Why a pack cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum NewPackError {
    /// The program brings a pack of that name.
    #[error("cannot make the dialect pack: the program brings one called `{name}`")]
    Embedded {
        /// The name.
        name: String,
    },
    /// There is something of that name already.
    #[error("cannot make the dialect pack: `{}` exists already", .dir.display())]
    Exists {
        /// The folder.
        dir: PathBuf,
    },
    /// A link stands where a file or folder of the pack is to be written: what it leads to is not the pack's.
    #[error("cannot write the dialect pack: `{}` is a link", .path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// The pack that is to be replaced cannot be read, so nothing of it could stay.
    #[error(transparent)]
    Old(#[from] LoadError),
    /// A file cannot be read or written.
    #[error("cannot write the dialect pack: `{}`", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Diagnose for NewPackError {
    fn diagnose(&self) -> Diagnostic {
        let told = Diagnostic::of(self);
        match self {
            Self::Embedded { .. } => told.hint("choose another name with `--name`".to_owned()),
            Self::Exists { .. } => told.hint(
                "write it anew with `--replace`, or choose another name with `--name`".to_owned(),
            ),
            Self::Link { .. } => told.hint(
                "put a folder or file of its own there, or choose another name with `--name`"
                    .to_owned(),
            ),
            Self::Old(error) => error.diagnose(),
            Self::File { .. } => told,
        }
    }
}

impl NewPack {
    /// The folder of a pack of this name that may be written, anew or over the one that is there.
    ///
    /// # Errors
    /// `Embedded`, `Link`, `Exists` and `Old`.
    pub fn folder(
        workspace: &Workspace,
        name: &ConnectorName,
        replace: bool,
    ) -> Result<PathBuf, NewPackError> {
        if Pack::find(name.as_str()).is_some() {
            let name = name.to_string();
            return Err(NewPackError::Embedded { name });
        }
        let packs = workspace.root().join(layout::PACKS_DIR);
        let dir = packs.join(name.as_str());
        let files = WRITTEN.iter().map(|file| dir.join(file));
        forbid_links([packs, dir.clone()].into_iter().chain(files))?;
        if dir.exists() && !(replace && dir.join(layout::PACK_FILE).is_file()) {
            return Err(NewPackError::Exists { dir });
        }
        old(&dir)?;
        Ok(dir)
    }

    /// What a connector has beyond the program's pack under it, to be written into a folder. What a pack that is
    /// there already says of its engine and of needs stays.
    ///
    /// # Errors
    /// `Old`.
    pub fn of(
        connector: &Connector,
        (name, dir): (&ConnectorName, PathBuf),
        proven: &ProvenOn,
        found: &dyn Fn(&Template) -> Found,
    ) -> Result<Self, NewPackError> {
        let old = old(&dir)?;
        // A server may call itself anything, over several lines too.
        let proven = &ProvenOn {
            on: or_name(in_one_line(&proven.on), connector),
            at: proven.at.clone(),
        };
        let chain = connector.dialect.as_ref().map(Pack::chain);
        let base = chain
            .into_iter()
            .flatten()
            .find(|pack| pack.dir().is_none());
        let base = base.or_else(|| Pack::find(ANY_ENGINE));
        let mut open = Vec::new();
        let templates = templates(connector, base, proven, found, &mut open);
        let same = old.as_ref().filter(|old| {
            Template::all().all(|template| {
                let text = match stand(connector, template, found) {
                    Stand::Spelled(own) => Some(own.text.as_str()),
                    Stand::Absent(_) => None,
                    Stand::Missing => text_of(base, template),
                };
                text_of(Some(old), template) == text
            })
        });
        // What was proven before was another pack, where a text has changed.
        let before = same.map_or(&[][..], |old| &old.facts.proven);
        let before = before.iter().filter(|before| before.on != proven.on);
        let servers = std::iter::once(proven).chain(before).collect::<Vec<_>>();
        let facts = facts(connector, base, old.as_ref(), &servers, &open);
        let mut files = vec![
            (layout::PACK_FILE, schema_line("pack") + &facts),
            (
                layout::TEMPLATES_FILE,
                schema_line("templates") + &templates,
            ),
        ];
        if let Some(text) = scaffold(connector, name) {
            files.push((layout::CONNECTOR_FILE, schema_line("connector") + &text));
            let schema = connector.manifest.credentials_schema.clone();
            let schema = Value::Object(schema.unwrap_or_default());
            files.push((layout::CREDENTIALS_SCHEMA_FILE, format!("{schema:#}\n")));
        }
        Ok(Self { dir, files })
    }

    /// Its files: name and text.
    #[must_use]
    pub fn files(&self) -> &[(&'static str, String)] {
        &self.files
    }

    /// Writes the files. Gives their paths. Files of templates in the folder stand in the new file as well and go;
    /// others stay.
    ///
    /// # Errors
    /// `File`.
    pub fn write(&self) -> Result<Vec<PathBuf>, NewPackError> {
        let failed = |path: &Path, source| NewPackError::File {
            path: path.to_path_buf(),
            source,
        };
        std::fs::create_dir_all(&self.dir).map_err(|source| failed(&self.dir, source))?;
        let long = self.dir.join(layout::TEMPLATES_DIR);
        if long.is_dir() {
            for path in template_paths(&long)? {
                if matches!(template_of_file(&path), Ok(Some(_))) {
                    std::fs::remove_file(&path).map_err(|source| failed(&path, source))?;
                }
            }
            // It stays where something is left in it.
            let _ = std::fs::remove_dir(&long);
        }
        let mut written = Vec::new();
        for (name, text) in &self.files {
            let path = self.dir.join(name);
            std::fs::write(&path, text).map_err(|source| failed(&path, source))?;
            written.push(path);
        }
        Ok(written)
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// What a pack is written into.
const WRITTEN: [&str; 5] = [
    layout::PACK_FILE,
    layout::TEMPLATES_FILE,
    layout::CONNECTOR_FILE,
    layout::CREDENTIALS_SCHEMA_FILE,
    layout::TEMPLATES_DIR,
];

fn forbid_links(paths: impl IntoIterator<Item = PathBuf>) -> Result<(), NewPackError> {
    let is_link = |path: &PathBuf| path.is_symlink();
    match paths.into_iter().find(is_link) {
        Some(path) => Err(NewPackError::Link { path }),
        None => Ok(()),
    }
}

/// The pack in a folder that is to be replaced.
fn old(dir: &Path) -> Result<Option<Arc<Pack>>, LoadError> {
    let is_there = dir.join(layout::PACK_FILE).is_file();
    is_there.then(|| Pack::load(dir)).transpose()
}

/// How a template stands that goes into a pack.
enum Stand<'c> {
    /// The connector has it.
    Spelled(&'c ConnectorTemplate),
    /// The database does not have it, and how that is known.
    Absent(&'static str),
    /// The connector does not have it; of the database nothing is known.
    Missing,
}

fn stand<'c>(
    connector: &'c Connector,
    template: &'static Template,
    found: &dyn Fn(&Template) -> Found,
) -> Stand<'c> {
    match connector.templates.get(template) {
        Some(_) if found(template) == Found::Refused => {
            Stand::Absent("it refuses the inherited spelling")
        }
        Some(own) => Stand::Spelled(own),
        // What is left out where a dialect stands below is inherited from it, if it has it.
        None if connector.dialect.is_some() || connector.dropped.contains(&template) => {
            Stand::Absent("so say the files it is made of")
        }
        None => Stand::Missing,
    }
}

fn text_of<'p>(pack: Option<&'p Arc<Pack>>, template: &Template) -> Option<&'p str> {
    Some(pack?.spelling(template)?.text)
}

/// `templates.toml`: what differs from the base, each with how it was proven. `open` hears of what was not.
fn templates(
    connector: &Connector,
    base: Option<&Arc<Pack>>,
    proven: &ProvenOn,
    found: &dyn Fn(&Template) -> Found,
    open: &mut Vec<&'static str>,
) -> String {
    let mut text = format!(
        "# The templates of {} that differ from the pack this one extends.\n",
        proven.on
    );
    for section in TemplateSection::ALL {
        let mut entries = String::new();
        for template in Template::all().filter(|template| template.section == *section) {
            let name = template.short_name();
            let of_base = text_of(base, template);
            let (value, comment) = match stand(connector, template, found) {
                Stand::Spelled(own) => {
                    let comment = match found(template) {
                        Found::Proven(checks) => {
                            format!("Proven on {proven} by {}.", counted(checks, "check"))
                        }
                        Found::Refused | Found::Open => {
                            open.push(name);
                            format!("Not proven: on {proven} it could not be judged.")
                        }
                    };
                    if of_base == Some(own.text.as_str()) {
                        continue;
                    }
                    (toml_value(template, &own.text), comment)
                }
                Stand::Missing => {
                    open.extend(of_base.map(|_| name));
                    continue;
                }
                Stand::Absent(_) if of_base.is_none() => continue,
                Stand::Absent(why) => {
                    // A flag's `false` is its answer, not its absence.
                    let nothing = match template.kind {
                        TemplateKind::Flag => "''",
                        _ => "false",
                    };
                    (nothing.to_owned(), format!("Not on {proven}: {why}."))
                }
            };
            let _ = writeln!(entries, "# {comment}\n{name} = {value}");
        }
        if !entries.is_empty() {
            let _ = write!(text, "\n[{section}]\n{entries}");
        }
    }
    text
}

/// `pack.toml`.
fn facts(
    connector: &Connector,
    base: Option<&Arc<Pack>>,
    old: Option<&Arc<Pack>>,
    servers: &[&ProvenOn],
    open: &[&str],
) -> String {
    let engine = servers.first().map_or("", |first| &first.on);
    let engine = engine.split_whitespace();
    let is_version = |word: &str| {
        word.trim_start_matches('v')
            .starts_with(|first: char| first.is_ascii_digit())
    };
    let engine = engine.take_while(|word| !is_version(word));
    let engine = engine.collect::<Vec<_>>().join(" ");
    let engine = match old {
        Some(old) => old.facts.engine.clone(),
        None => or_name(engine, connector),
    };
    let description = match old {
        Some(old) => old.facts.description.clone(),
        None => format!(
            "{engine}, as connector `{}` was proven on it.",
            connector.name
        ),
    };
    let value = |text: &str| toml::Value::from(text).to_string();
    let mut text = format!(
        "version = 1\nengine = {}\ndescription = {}\n",
        value(&engine),
        value(&description)
    );
    if let Some(base) = base {
        let _ = writeln!(text, "extends = {}", value(&base.name));
    }
    if !open.is_empty() {
        let _ = writeln!(text, "unproven = {}", toml::Value::from(open.to_vec()));
    }
    text.push_str("\n# The whole suite, strict tier.\n");
    for server in servers {
        let _ = writeln!(text, "[[proven]]\non = {}", value(&server.on));
        if let Some(day) = &server.at {
            let _ = writeln!(text, "at = {}", value(day));
        }
    }
    let words = connector.templates.suite();
    let words = [
        ("one_row_table", &words.one_row_table),
        ("text_type", &words.text_type),
    ];
    let words = words.map(|(key, word)| (key.to_owned(), word.clone()));
    let words = words
        .into_iter()
        .filter_map(|(key, word)| Some((key, word?)));
    write_table(&mut text, "suite", words);
    let said = |said: fn(&Pack, &Template) -> Option<String>| {
        Template::all().filter_map(move |template| {
            let own = connector.templates.get(template)?;
            let of = match &own.origin {
                Origin::Pack(pack) if pack.dir().is_some() => Some(pack),
                Origin::Pack(_) => None,
                Origin::Composed | Origin::File { .. } => old,
            };
            Some((template.short_name().to_owned(), said(of?, template)?))
        })
    };
    write_table(
        &mut text,
        "needs",
        said(|pack, template| pack.needs(template).map(str::to_owned)),
    );
    write_table(
        &mut text,
        "has",
        said(|pack, template| pack.has(template).map(str::to_owned)),
    );
    text
}

/// A text, or the connector's name where it is empty.
fn or_name(text: String, connector: &Connector) -> String {
    if text.is_empty() {
        connector.name.to_string()
    } else {
        text
    }
}

fn write_table(text: &mut String, name: &str, entries: impl Iterator<Item = (String, String)>) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        let _ = write!(text, "\n[{name}]\n");
    }
    for (key, value) in entries {
        let _ = writeln!(text, "{key} = {}", toml::Value::from(value));
    }
}

/// The `connector.toml` that a new connector starts with: this one's, over the new pack. None where its driver is a file
/// or a program of its own, which others do not have.
fn scaffold(connector: &Connector, name: &ConnectorName) -> Option<String> {
    let text = std::fs::read_to_string(connector.dir.join(layout::CONNECTOR_FILE)).ok()?;
    let table = DeTable::parse(&text).ok()?;
    let table = |key: &str| match table.get_ref().get(key)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    };
    let driver = table("driver")?;
    if driver.contains_key("path") || driver.contains_key("command") {
        return None;
    }
    let extends = table("dialect")?.get("extends")?.span();
    let own = toml::Value::from(name.as_str());
    let text = format!("{}{own}{}", &text[..extends.start], &text[extends.end..]);
    // Where the schema lies is said anew for each connector.
    let lines = text.lines().filter(|line| !line.starts_with("#:schema"));
    Some(lines.map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_server_calls_itself_its_pack_can_be_read() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("connectors/shop");
        std::fs::create_dir_all(&dir).unwrap();
        for (file, text) in [
            (
                layout::MANIFEST_FILE,
                r#"{"connection_type": "custom-connector-0a1b2c3", "connection_name": "shop", "asset_class": "warehouse"}"#,
            ),
            (
                layout::CONNECTOR_FILE,
                "version = 1\n[driver]\nkind = \"sqlite\"\n[driver.options]\npath = \"x\"\n[dialect]\nextends = \"sqlite\"\n",
            ),
            (layout::TEMPLATES_FILE, "get_length = 'LEN({x})'\n"),
        ] {
            std::fs::write(dir.join(file), text).unwrap();
        }
        let connector = Connector::load(&dir).unwrap();
        for (number, (product, engine, on)) in [
            ("SQLite 3", "SQLite", "SQLite 3"),
            ("4D v20", "shop", "4D v20"),
            ("Big Data 9\r\nBuild 1", "Big Data", "Big Data 9 Build 1"),
            ("Big\u{1b}Data\nBase", "Big Data Base", "Big Data Base"),
            (" \n", "shop", "shop"),
        ]
        .into_iter()
        .enumerate()
        {
            let name = ConnectorName::parse(&format!("own{number}")).unwrap();
            let folder = root.path().join(layout::PACKS_DIR).join(name.as_str());
            let proven = ProvenOn {
                on: product.to_owned(),
                at: None,
            };
            let new = NewPack::of(&connector, (&name, folder), &proven, &|_| Found::Proven(1));
            let new = new.unwrap();
            new.write().unwrap();
            let pack = Pack::load(new.dir()).unwrap_or_else(|error| panic!("{product:?}: {error}"));
            assert_eq!(pack.facts.engine, engine);
            assert_eq!(pack.facts.proven[0].on, on);
            let length = pack.spelling(Template::known("get_length"));
            assert_eq!(length.unwrap().text, "LEN({x})");
        }
    }
}
