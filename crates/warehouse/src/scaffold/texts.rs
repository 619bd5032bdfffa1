//! The texts of a new connector's files.

use std::fmt::Write;

use bowline_contract::{Template, TemplateKind, TemplateSection};

use crate::dialect::Pack;

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
pub(super) fn templates(pack: &Pack) -> String {
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
pub(super) fn connector(driver: &str, dialect: &str) -> String {
    format!(
        r#"# How to reach the database, and which dialect its templates start from.
version = 1

[driver]
kind = "adbc"
name = {name}

# The driver's options. Values are Jinja over the `connect_args` of credentials.json;
# a credential that is not there is an error that names it. `bowline driver info` says which options there are.
[driver.options]
# uri = "{{{{ uri }}}}"

[dialect]
extends = "{dialect}"

# Where functional checks may drop, create and change a table of their own.
# Without the section they do not run.
# [functional]
# schema = "main"
# table = "bowline_functional_check"
"#,
        name = toml::Value::String(driver.to_owned()),
    )
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
