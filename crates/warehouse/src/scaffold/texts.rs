//! The texts of a new connector's files.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use bowline_contract::{Template, TemplateKind, TemplateSection};

use super::asked_driver::AskedDriver;
use crate::dialect::{ANY_ENGINE, Pack, ScaffoldFiles};

/// What stands above every new `templates.toml`.
const TEMPLATES_HEAD: &str = "\
# The templates of this connector that differ from the pack it extends (`[dialect]` in connector.toml).
#
# The pack's own stand here as comments. To spell one differently take the `# ` away and change the text; to say that
# the database cannot do it write `false`. Long ones may stand in files of their own: templates/<name>.sql.j2.
# `bowline explain <name>` says what a template is for, `bowline render <name>` shows what becomes of it.
";

/// The longest text that is shown in one line; longer ones are left to `bowline explain`.
const LONGEST_SHOWN: usize = 160;

/// A `templates.toml` without templates: what the pack gives as comments, and what it leaves open.
pub(super) fn templates(pack: &Arc<Pack>) -> String {
    let mut text = TEMPLATES_HEAD.to_owned();
    for section in TemplateSection::ALL {
        let _ = write!(text, "\n# {}\n[{section}]\n", section.description());
        for template in Template::all().filter(|template| template.section == *section) {
            match pack.spelling(template) {
                Some(spelling) => write_given(&mut text, template, spelling.text),
                None => {
                    let _ = writeln!(
                        text,
                        "# Not in the pack. {}\n# {} = \"\"",
                        template.description,
                        template.short_name()
                    );
                }
            }
        }
    }
    text
}

fn write_given(text: &mut String, template: &Template, spelling: &str) {
    let name = template.short_name();
    let shown = match template.kind {
        TemplateKind::Flag => Some(spelling.to_owned()),
        TemplateKind::Query | TemplateKind::Expression | TemplateKind::Statement => {
            toml_string(spelling)
        }
    };
    let _ = match shown {
        Some(shown) if shown.len() <= LONGEST_SHOWN => writeln!(text, "# {name} = {shown}"),
        _ => writeln!(text, "# {name}: see `bowline explain {name}`"),
    };
}

/// A text as a TOML string in one line, in the quotes that need no escapes; none when no quotes do.
fn toml_string(text: &str) -> Option<String> {
    let one_line = !text.contains(|c: char| c.is_control());
    if one_line && !text.contains('\'') {
        Some(format!("'{text}'"))
    } else if one_line && !text.contains(['"', '\\']) {
        Some(format!("\"{text}\""))
    } else if one_line && !text.contains("'''") {
        Some(format!("'''{text}'''"))
    } else {
        None
    }
}

/// A `connector.toml` for a driver that no pack knows, with what the dialect's own says of sessions and of the functional
/// checks' table.
pub(super) fn connector(driver: &AskedDriver, dialect: Option<&Pack>) -> String {
    let init = dialect.and_then(opening).unwrap_or_default();
    let target = dialect.and_then(target);
    let (driver, functional) = match driver {
        AskedDriver::Named(name) => (adbc_driver("name", name, &init), None),
        AskedDriver::Library(path) => (adbc_driver("path", path, &init), None),
        AskedDriver::Odbc(_) => (odbc_driver(&init, target.as_deref()), target.as_deref()),
    };
    let functional = match functional {
        Some(target) => {
            format!("# Take the section out and they do not run.\n[functional]\n{target}")
        }
        // What such a driver's credentials are called is not known.
        None => {
            let target = target.as_deref().unwrap_or(ANY_TARGET);
            let lines: String = target.lines().map(|line| format!("# {line}\n")).collect();
            format!("# Without the section they do not run.\n# [functional]\n{lines}")
        }
    };
    let dialect = dialect.map_or(ANY_ENGINE, |pack| &pack.name);
    format!(
        r#"# How to reach the database, and which dialect its templates start from.
version = 1

{driver}
[dialect]
extends = "{dialect}"

# Where functional checks may drop, create and change a table of their own.
{functional}"#
    )
}

/// The table of functional checks where nothing is known of the engine.
const ANY_TARGET: &str = "schema = \"main\"\ntable = \"bowline_functional_check\"\n";

/// What a pack's `connector.toml` runs on every new connection, as it stands there.
fn opening(pack: &Pack) -> Option<String> {
    let text = pack.scaffold.as_ref()?.connector.as_ref()?;
    let init = pack.scaffold_connector()?.driver.init;
    let statements = text.get(init.first()?.span().start..init.last()?.span().end)?;
    Some(format!(
        "# Run on every new connection: what the templates take for granted about the session. Of an engine that is only like\n# this one, take out what it does not know.\ninit = [{statements}]\n"
    ))
}

/// The table of functional checks that a pack's `connector.toml` names.
fn target(pack: &Pack) -> Option<String> {
    let target = pack.scaffold_connector()?.functional?;
    let database = target.database.map(|name| ("database", name));
    let names = [("schema", target.schema), ("table", target.table)];
    let names = database.into_iter().chain(names);
    let line = |(key, name): (&str, toml::Spanned<String>)| {
        format!("{key} = {}\n", toml::Value::String(name.into_inner()))
    };
    Some(names.map(line).collect())
}

/// An ADBC driver; `key` is `name` or `path`, by which it is told.
fn adbc_driver(key: &str, driver: &str, init: &str) -> String {
    format!(
        r#"[driver]
kind = "adbc"
{key} = {driver}
{init}
# The driver's options. Values are Jinja over the `connect_args` of credentials.json;
# a credential that is not there is an error that names it. `bowline driver info` says which options there are.
[driver.options]
# uri = "{{{{ uri }}}}"
"#,
        driver = toml::Value::String(driver.to_owned()),
    )
}

/// A data source of the machine's ODBC driver manager.
fn odbc_driver(init: &str, target: Option<&str>) -> String {
    let database = if target.is_some_and(names_database) {
        "database = \"{{ database }}\"\n"
    } else {
        ""
    };
    format!(
        r#"[driver]
kind = "odbc"
# Instead of a data source: a driver of the machine, as `odbcinst -q -d` lists them. Then leave `dsn` out below and
# give the driver's own keywords, such as `server` and `database`.
# name = "MariaDB Unicode"
{init}
# Keywords of the driver's connection string. Values are Jinja over the `connect_args` of credentials.json.
# `dsn` is a data source of the machine, as `odbcinst -q -s` lists them.
[driver.options]
dsn = "{{{{ dsn }}}}"
{database}uid = "{{{{ user }}}}"
pwd = "{{{{ password }}}}"
"#
    )
}

/// Whether the table of functional checks is in a database that the credentials name.
fn names_database(target: &str) -> bool {
    target.contains("{{ database }}")
}

/// What an ODBC data source asks for, for templates of this dialect.
pub(super) fn odbc(dialect: Option<&Pack>) -> ScaffoldFiles {
    let mut credentials = vec!["dsn", "user", "password"];
    let mut schema = serde_json::json!({
        "dsn": {"type": "string", "required": true, "empty": false},
        "user": {"type": "string"},
        "password": {"type": "string"}
    });
    if dialect
        .and_then(target)
        .as_deref()
        .is_some_and(names_database)
    {
        credentials.insert(1, "database");
        schema["database"] = schema["dsn"].clone();
    }
    let lines: Vec<String> = credentials
        .iter()
        .map(|name| format!("    \"{name}\": \"\""))
        .collect();
    let schema = serde_json::json!({
        "connect_args": {"type": "dict", "required": true, "schema": schema}
    });
    ScaffoldFiles {
        connector: None,
        credentials: Cow::Owned(format!(
            "{{\n  \"connect_args\": {{\n{}\n  }}\n}}\n",
            lines.join(",\n")
        )),
        credentials_schema: Cow::Owned(schema.to_string()),
    }
}

/// The ways to PostgreSQL: what asks for each, and how `[driver]` begins with it.
const WAYS_TO_POSTGRESQL: [(&str, &str); 2] = [
    ("postgres", "kind = \"postgres\"\n"),
    ("postgresql", "kind = \"adbc\"\nname = \"postgresql\"\n"),
];

/// Whether a pack's `connector.toml` can reach its engine by the driver of this name.
pub(super) fn is_reached_by(pack: &Pack, driver: &str) -> bool {
    let Some(own) = pack.driver_name() else {
        return false;
    };
    let is_way = |name: &str| WAYS_TO_POSTGRESQL.iter().any(|(way, _)| *way == name);
    own == driver || (is_way(&own) && is_way(driver))
}

/// A pack's `connector.toml` with the driver of this name.
pub(super) fn reached_by(connector: &str, driver: &str) -> String {
    let asked = WAYS_TO_POSTGRESQL.iter().find(|(name, _)| *name == driver);
    let Some((_, asked)) = asked else {
        return connector.to_owned();
    };
    let ways = WAYS_TO_POSTGRESQL.iter();
    ways.fold(connector.to_owned(), |text, (_, way)| {
        text.replacen(way, asked, 1)
    })
}

/// A pack's `connector.toml`, made to extend another pack where that was asked for.
pub(super) fn connector_of_pack(text: &str, from: &Pack, dialect: &Pack) -> String {
    text.replace(
        &format!("extends = \"{}\"", from.name),
        &format!("extends = \"{}\"", dialect.name),
    )
}

/// Credentials of which nothing is known.
pub(super) const EMPTY_CREDENTIALS: &str = "{\n  \"connect_args\": {}\n}\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_from_toml() {
        for text in ["AVG({x})", "'{{ value }}'", "a \"b\" 'c'", "a''b\"", "x'"] {
            let file = format!("k = {}", toml_string(text).unwrap());
            let read: toml::Table = file.parse().unwrap();
            assert_eq!(read["k"].as_str(), Some(text), "{file}");
        }
        assert_eq!(toml_string("a\nb"), None);
        assert_eq!(toml_string("'''\"\\"), None);
    }

    #[test]
    fn every_template_is_there_once() {
        let text = templates(Pack::find("sqlite").unwrap());
        for template in Template::all() {
            let name = template.short_name();
            let lines = text
                .lines()
                .filter(|line| {
                    line.strip_prefix("# ")
                        .and_then(|line| line.strip_prefix(name))
                        .is_some_and(|rest| rest.starts_with([' ', ':']))
                })
                .count();
            assert_eq!(lines, 1, "{name}");
        }
    }
}
