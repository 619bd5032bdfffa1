//! Makes texts up from pieces: templates in no order, and format strings.

use serde_json::{Map, Value as Json, json};

use super::generate::Generator;
use super::generate_context::TEXTS;

/// Pieces of templates in no order: most are wrong, and must be wrong in both.
pub(super) fn soup(generator: &mut Generator) -> String {
    let count = 1 + generator.below(9);
    (0..count)
        .map(|_| {
            generator
                .pick(&[
                    "{{",
                    "}}",
                    "{%",
                    "%}",
                    "{#",
                    "#}",
                    "-",
                    "+",
                    " ",
                    "\n",
                    "  ",
                    "raw",
                    "endraw",
                    "{% raw %}",
                    "{% endraw %}",
                    "{%- raw -%}",
                    "{{ t }}",
                    "{{- i -}}",
                    "{% if ok %}",
                    "{% endif %}",
                    "{% else %}",
                    "if",
                    "for",
                    "x",
                    "1",
                    "1.5",
                    ".",
                    "'a'",
                    "\"b\"",
                    "'",
                    "(",
                    ")",
                    "[",
                    "]",
                    "{",
                    "}",
                    "|",
                    "|upper",
                    "is",
                    "is not",
                    "in",
                    "not",
                    "and",
                    "or",
                    "==",
                    "<",
                    "~",
                    "*",
                    "**",
                    "//",
                    ",",
                    ":",
                    "=",
                    "t",
                    "xs",
                    "d.a",
                    "xs[0]",
                    "0x",
                    "1e5",
                    "1_0",
                    "0b1",
                    "!",
                    "$",
                    "\\",
                    "é",
                    "{{ 1 if ok }}",
                    "{{ xs[1:] }}",
                    "{{ t",
                    "i }}",
                    "{{ '}}' }}",
                    "{% set z = 1 %}",
                    "{{ z }}",
                    "{% for q in xs %}",
                    "{% endfor %}",
                    "loop.index",
                    "{{ (1, 2) }}",
                    "{{ {'a': 1}}}",
                    "\t",
                ])
                .to_owned()
        })
        .collect()
}

/// A format string with its placeholders.
pub(super) fn format_request(generator: &mut Generator) -> Json {
    let mut placeholders = Map::new();
    for name in ["x", "y", "date_expr", "field name"] {
        placeholders.insert(name.to_owned(), json!(generator.pick(TEXTS)));
    }
    let count = 1 + generator.below(5);
    let format: String = (0..count)
        .map(|_| match generator.below(6) {
            0 => generator.pick(TEXTS).to_owned(),
            1 => generator
                .pick(&[
                    "{{",
                    "}}",
                    "{{{{",
                    "{",
                    "}",
                    "{{x}}",
                    "{{{x}}}",
                    "{}",
                    "{0}",
                    "{2}",
                    "{unknown}",
                    "[ ]",
                ])
                .to_owned(),
            _ => {
                let name = generator.pick(&[
                    "x",
                    "x",
                    "x",
                    "y",
                    "y",
                    "y",
                    "date_expr",
                    "date_expr",
                    "date_expr",
                    "field name",
                    "x[0]",
                    "x[-1]",
                    "x[99]",
                ]);
                let conversion = generator.pick(&["", "", "", "!r", "!s", "!a", "!x"]);
                let spec = generator.pick(&[
                    "", "", "", ":>10", ":*<8", ":^7.2", ":.1", ":5", ":05", ":{y}", ":d", ":=5",
                    ":+", ":,", ":>{x}", ":s", ":é^6",
                ]);
                format!("{{{name}{conversion}{spec}}}")
            }
        })
        .collect();
    json!({ "format": format, "placeholders": placeholders })
}
