//! The texts of a new connector in Python.

use std::fmt::Write;
use std::sync::Arc;

use bowline_contract::{Template, TemplateSection};
use serde_json::Value;
use textwrap::Options;

use crate::dialect::{Pack, ScaffoldFiles, elsewhere};

/// How wide the lines of docstrings are.
const WIDTH: usize = 110;

/// How a database is reached from Python, for a pack whose driver is known.
struct KnownDriver {
    pack: &'static str,
    /// The classes that reach it, over the credentials the pack's own connectors use.
    code: &'static str,
    /// What stands in requirements.txt.
    requirement: Option<&'static str>,
    /// The Debian package with a library that the requirement loads.
    system_package: Option<&'static str>,
    /// Database and schema of the functional checks' table, as Python.
    functional: (&'static str, &'static str),
}

const KNOWN: [KnownDriver; 3] = [
    KnownDriver {
        pack: "sqlite",
        code: include_str!("python/sqlite.py"),
        requirement: None,
        system_package: None,
        functional: ("\"main\"", "\"main\""),
    },
    KnownDriver {
        pack: "postgres",
        code: include_str!("python/postgres.py"),
        requirement: Some("psycopg2-binary>=2.9,<3"),
        system_package: None,
        functional: ("None", "\"public\""),
    },
    KnownDriver {
        pack: "firebird",
        code: include_str!("python/firebird.py"),
        requirement: Some("firebird-driver>=2,<3"),
        system_package: Some("libfbclient2"),
        functional: ("\"main\"", "\"main\""),
    },
];

/// Whether a new connector in Python over this pack reaches its database without a change.
#[must_use]
pub fn is_reached_from_python(pack: &Pack) -> bool {
    KNOWN.iter().any(|known| known.pack == pack.name)
}

const ANY: &str = include_str!("python/any.py");

/// What every new connector imports from the standard library.
const IMPORTS: &str = "import datetime\nimport decimal\nimport math\nimport threading\n\n\n";

/// The cursor of every new connector, right whatever the driver gives and however many threads ask.
const CURSOR: &str = include_str!("python/cursor.py");

/// What stands above every new requirements.txt.
const REQUIREMENTS: &str = "\
# The packages that connector.py imports, one a line, such as `somedb-driver==1.4.2`.
# They are installed into an environment of this connector's own, and into the agent's image.
";

/// A Dockerfile.extra that asks for nothing.
const DOCKERFILE_EXTRA: &str = "\
# What the agent's image needs beside the Python packages: RUN, ENV and ARG instructions, run as root.
# COPY is not possible. A system library, for example:
# RUN apt-get update && apt-get install -y --no-install-recommends unixodbc && rm -rf /var/lib/apt/lists/*
";

/// The files of a new connector whose text depends on the pack.
pub(super) struct PythonFiles {
    pub(super) connector: String,
    pub(super) requirements: String,
    pub(super) dockerfile_extra: String,
    /// What the credentials look like, where the driver is known.
    pub(super) credentials: Option<ScaffoldFiles>,
}

/// The files of a new connector: every template a stub, or as the pack spells it.
pub(super) fn files(name: &str, pack: Option<&Arc<Pack>>) -> PythonFiles {
    let known = pack.and_then(|pack| KNOWN.iter().find(|known| known.pack == pack.name));
    let mut requirements = REQUIREMENTS.to_owned();
    if let Some(requirement) = known.and_then(|known| known.requirement) {
        requirements.push_str(requirement);
        requirements.push('\n');
    }
    let mut dockerfile_extra = DOCKERFILE_EXTRA.to_owned();
    if let Some(package) = known.and_then(|known| known.system_package) {
        let _ = writeln!(
            dockerfile_extra,
            "RUN apt-get update && apt-get install -y --no-install-recommends {package} && rm -rf /var/lib/apt/lists/*"
        );
    }
    PythonFiles {
        connector: connector(name, pack, known),
        requirements,
        dockerfile_extra,
        credentials: known.and(pack).and_then(|pack| pack.scaffold.clone()),
    }
}

fn connector(name: &str, pack: Option<&Arc<Pack>>, known: Option<&KnownDriver>) -> String {
    let mut text = head(name, pack);
    text.push_str(IMPORTS);
    text.push_str(known.map_or(ANY, |known| known.code));
    write_opening(&mut text, pack);
    write_suite(&mut text, pack);
    text.push_str("\n\n");
    text.push_str(CURSOR);
    let mut class = "";
    for section in TemplateSection::ALL {
        if section.class_name() != class {
            class = section.class_name();
            let _ = write!(
                text,
                "\n\nclass {class}:\n    \"\"\"{}\"\"\"\n",
                about(class)
            );
            if *section == TemplateSection::Functional {
                write_target(&mut text, known);
            }
        }
        let _ = write!(text, "\n    # {section}: {}\n", section.description());
        for template in Template::all().filter(|template| template.section == *section) {
            let spelling = pack.and_then(|pack| pack.spelling(template));
            write_method(
                &mut text,
                template,
                spelling.map(|spelling| spelling.text),
                pack,
            );
        }
    }
    text
}

fn head(name: &str, pack: Option<&Arc<Pack>>) -> String {
    let start = match pack {
        Some(pack) => format!(
            "The templates are those of the dialect pack `{}`; change what this database spells differently.",
            pack.name
        ),
        None => "Every template gives None, which means that the database does not support it: fill in one \
                 after the other. `bowline explain <template>` shows how other databases spell it."
            .to_owned(),
    };
    let body = format!(
        "{start}\n\nA template's text passes through Jinja first, with the variables its docstring names; then \
         `{{x}}` stands for a placeholder where it names some, as in Python's str.format. A method that gives None, \
         raises NotImplementedError or is not there means not supported. `bowline test {name}` says what is right."
    );
    format!(
        "\"\"\"Connector `{name}`: how its database is reached, and how its SQL is spelled.\n\n{}\n\"\"\"\n\n",
        wrapped(&body, "")
    )
}

/// What a class of templates is for.
fn about(class: &str) -> &'static str {
    match class {
        "MetadataQueryTemplates" => "What databases, schemas, tables and columns there are.",
        "QueryLogCollectionTemplates" => "What was run on the database.",
        "CustomSQLMonitorTemplates" => "What turns a user's own SQL into a monitor.",
        "FunctionalTestOperations" => {
            "Statements over one table that the functional checks make, change and drop."
        }
        _ => "The pieces that generated SQL is made of.",
    }
}

/// What the pack's own connectors run on every new connection, as an attribute of the class that reaches the database.
fn write_opening(text: &mut String, pack: Option<&Arc<Pack>>) {
    let connector = pack.and_then(|pack| pack.scaffold_connector());
    let init = connector.map(|connector| connector.driver.init);
    let statements: Vec<String> = init
        .unwrap_or_default()
        .iter()
        .map(|statement| format!("        {},\n", literal(statement.get_ref())))
        .collect();
    if !statements.is_empty() {
        let statements = statements.concat();
        let _ = write!(text, "\n    opening_statements = [\n{statements}    ]\n");
    }
}

/// The words for the suite's own statements, as attributes at the end of the class that reaches the database.
fn write_suite(text: &mut String, pack: Option<&Arc<Pack>>) {
    let suite = pack.map(|pack| pack.suite()).unwrap_or_default();
    let words = [
        ("one_row_table", suite.one_row_table),
        ("text_type", suite.text_type),
    ];
    for (name, word) in words {
        if let Some(word) = word {
            let _ = write!(text, "\n    {name} = {}\n", literal(&word));
        }
    }
}

fn write_target(text: &mut String, known: Option<&KnownDriver>) {
    let target = match known {
        Some(KnownDriver {
            functional: (database, schema),
            ..
        }) => format!("({database}, {schema}, \"bowline_functional_check\")"),
        None => "None".to_owned(),
    };
    let _ = write!(
        text,
        "\n    def get_test_table_identifier(self):\n        \"\"\"Names that table: its database, schema and \
         name.\n\n        It is dropped without asking; with None the checks do not run.\n        \"\"\"\n        \
         return {target}\n",
    );
}

fn write_method(
    text: &mut String,
    template: &Template,
    spelling: Option<&str>,
    pack: Option<&Arc<Pack>>,
) {
    let _ = writeln!(text, "\n    def {}(self):", template.name);
    let mut paragraphs = vec![
        template.description.to_owned(),
        template.guidance.to_owned(),
    ];
    if !template.variables.is_empty() {
        let variables: Vec<String> = template
            .variables
            .iter()
            .map(|variable| {
                let kind = variable.kind.name();
                if variable.optional {
                    format!("`{}` ({kind}, may be absent)", variable.name)
                } else {
                    format!("`{}` ({kind})", variable.name)
                }
            })
            .collect();
        paragraphs.push(format!("Jinja variables: {}.", variables.join(", ")));
    }
    if !template.placeholders.is_empty() {
        let names: Vec<String> = template
            .placeholders
            .iter()
            .map(|name| format!("`{{{name}}}`"))
            .collect();
        paragraphs.push(format!("Placeholders: {}.", names.join(", ")));
    }
    // Whoever starts from an engine's own pack has its spellings already.
    if pack.is_none_or(|pack| pack.scaffold.is_none()) {
        let spelled: Vec<String> = elsewhere(template)
            .map(|other| format!("{}: `{}`", other.platform, other.text))
            .collect();
        if !spelled.is_empty() {
            paragraphs.push(format!("Elsewhere, unproven. {}.", spelled.join("; ")));
        }
    }
    let docs = wrapped(&paragraphs.join("\n\n"), "        ");
    let _ = write!(
        text,
        "        \"\"\"{}\n        \"\"\"\n        return {}\n",
        docs.trim_start(),
        spelling.map_or_else(|| "None".to_owned(), literal)
    );
}

/// Paragraphs as the lines of a docstring, none of which ends it.
fn wrapped(text: &str, indent: &str) -> String {
    let safe = text.replace('\\', "\\\\").replace("\"\"\"", "'''");
    let options = Options::new(WIDTH)
        .break_words(false)
        .initial_indent(indent)
        .subsequent_indent(indent);
    let paragraphs: Vec<String> = safe
        .split("\n\n")
        .map(|paragraph| textwrap::fill(paragraph, &options))
        .collect();
    paragraphs.join("\n\n")
}

/// A text as Python, a line each; what follows `return` at the depth of a method's body.
pub(crate) fn literal(text: &str) -> String {
    let lines: Vec<String> = text.split_inclusive('\n').map(line_literal).collect();
    match &lines[..] {
        [] => "\"\"".to_owned(),
        [line] => line.clone(),
        lines => format!("(\n            {}\n        )", lines.join("\n            ")),
    }
}

/// One line as a Python string, in the quotes that need fewer escapes.
fn line_literal(line: &str) -> String {
    let escaped = Value::from(line).to_string();
    let content = line.trim_end_matches('\n');
    let plain = !content.contains(|c: char| c.is_control() || c == '\\' || c == '\'');
    if plain && content.contains('"') {
        format!(
            "'{content}{}'",
            if line.ends_with('\n') { "\\n" } else { "" }
        )
    } else {
        // JSON's escapes are Python's too.
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_python_reads_them() {
        for (text, expected) in [
            ("AVG({x})", "\"AVG({x})\""),
            ("\"{{ x }}\"", "'\"{{ x }}\"'"),
            ("'\"\\", "\"'\\\"\\\\\""),
            (
                "a\n\"b\"\nc",
                "(\n            \"a\\n\"\n            '\"b\"\\n'\n            \"c\"\n        )",
            ),
        ] {
            assert_eq!(literal(text), expected);
        }
    }

    #[test]
    fn every_template_is_a_method_with_its_variables() {
        let text = files("shop", None).connector;
        for template in Template::all() {
            let start = format!("    def {}(self):\n", template.name);
            assert_eq!(text.matches(&start).count(), 1, "{}", template.name);
            let body = text.split(&start).nth(1).unwrap();
            let body = &body[..body.find("        return ").unwrap()];
            let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
            for variable in template.variables {
                assert!(body.contains(&format!("`{}` ({}", variable.name, variable.kind.name())));
            }
            for name in template.placeholders {
                assert!(body.contains(&format!("{{{name}}}")), "{body}");
            }
        }
        assert!(text.lines().all(|line| line.chars().count() <= 120));
    }

    #[test]
    fn known_drivers_stand_for_packs_that_are_there() {
        for known in &KNOWN {
            let made = files("shop", Pack::find(known.pack));
            assert!(made.credentials.is_some());
            assert!(made.connector.contains("class BaseConnector"));
            let runs = known.code.contains("self.opening_statements");
            assert_eq!(made.connector.contains("    opening_statements = ["), runs);
        }
    }
}
