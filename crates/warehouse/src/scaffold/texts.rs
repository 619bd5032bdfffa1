//! The texts of a new connector's files.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use bowline_contract::{Template, TemplateKind, TemplateSection};

use super::asked_driver::AskedDriver;
use crate::dialect::{Pack, ScaffoldFiles};

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

/// A `connector.toml` for a driver that no pack knows.
pub(super) fn connector(driver: &AskedDriver, dialect: &str) -> String {
    let driver = match driver {
        AskedDriver::Named(name) => adbc_driver("name", name),
        AskedDriver::Library(path) => adbc_driver("path", path),
        AskedDriver::Odbc(_) => ODBC_DRIVER.to_owned(),
    };
    format!(
        r#"# How to reach the database, and which dialect its templates start from.
version = 1

{driver}
[dialect]
extends = "{dialect}"

# Where functional checks may drop, create and change a table of their own.
# Without the section they do not run.
# [functional]
# schema = "main"
# table = "bowline_functional_check"
"#
    )
}

/// An ADBC driver; `key` is `name` or `path`, by which it is told.
fn adbc_driver(key: &str, driver: &str) -> String {
    format!(
        r#"[driver]
kind = "adbc"
{key} = {driver}

# The driver's options. Values are Jinja over the `connect_args` of credentials.json;
# a credential that is not there is an error that names it. `bowline driver info` says which options there are.
[driver.options]
# uri = "{{{{ uri }}}}"
"#,
        driver = toml::Value::String(driver.to_owned()),
    )
}

/// A data source of the machine's ODBC driver manager.
const ODBC_DRIVER: &str = r#"[driver]
kind = "odbc"
# Instead of a data source: a driver of the machine, as `odbcinst -q -d` lists them. Then leave `dsn` out below and
# give the driver's own keywords, such as `server` and `database`.
# name = "MariaDB Unicode"

# Keywords of the driver's connection string. Values are Jinja over the `connect_args` of credentials.json.
# `dsn` is a data source of the machine, as `odbcinst -q -s` lists them.
[driver.options]
dsn = "{{ dsn }}"
uid = "{{ user }}"
pwd = "{{ password }}"
"#;

/// What an ODBC data source asks for.
pub(super) const ODBC: ScaffoldFiles = ScaffoldFiles {
    connector: None,
    credentials: Cow::Borrowed(
        "{\n  \"connect_args\": {\n    \"dsn\": \"\",\n    \"user\": \"\",\n    \"password\": \"\"\n  }\n}\n",
    ),
    credentials_schema: Cow::Borrowed(
        r#"{
        "connect_args": {
            "type": "dict",
            "required": true,
            "schema": {
                "dsn": {"type": "string", "required": true, "empty": false},
                "user": {"type": "string"},
                "password": {"type": "string"}
            }
        }
    }"#,
    ),
};

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
