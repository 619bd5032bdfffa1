//! Jinja, and `str.format` after it.

use std::sync::{Arc, LazyLock};

use bowline_template::{
    Absent, CompiledTemplate, Environment, Expression, Scope, TemplateValue, Value,
    format_placeholders,
};
use jiff::civil;

use super::{text, told};
use crate::Target;
use crate::seeds::{bytes, files, texts_in};

/// Every file in which templates of the contract stand, one by one or as texts of a table.
fn spellings() -> Vec<String> {
    let mut texts = texts_in(&files("dialects", ".toml"));
    texts.extend(texts_in(&files("crates/conformance/checks", ".toml")));
    texts.extend(files("dialects", ".sql.j2"));
    texts
}

/// The variables that every template is given.
fn variables() -> Vec<(&'static str, TemplateValue)> {
    let moment = civil::date(2024, 2, 29).at(23, 59, 59, 120_000_000);
    let texts = ["a", "B c", "é", ""].map(|text| TemplateValue::Text(text.to_owned()));
    vec![
        ("x", TemplateValue::Text("name".to_owned())),
        ("n", TemplateValue::Integer(-7)),
        ("f", TemplateValue::Float(2.5)),
        ("at", TemplateValue::DateTime(moment)),
        ("day", TemplateValue::Date(moment.date())),
        ("none", TemplateValue::None),
        ("xs", TemplateValue::List(texts.to_vec())),
        (
            "d",
            TemplateValue::Dict(vec![("a".to_owned(), TemplateValue::Boolean(true))]),
        ),
    ]
}

pub(super) static TEMPLATE: Target = Target {
    name: "template",
    about: "templates: compiled, rendered, and put through `str.format`",
    run: |input| {
        let rendered = CompiledTemplate::compile("fuzz", &text(input))
            .and_then(|template| template.render(&variables()))
            .and_then(|text| format_placeholders("fuzz", &text, &[("x", "name".to_owned())]));
        told(rendered)
    },
    seeds: || {
        let cases = files("crates/template/tests/jinja2/cases", ".txt");
        let templates = cases
            .iter()
            .filter_map(|case| case.split("\n---\n").nth(1).map(str::to_owned));
        bytes(templates.chain(spellings()))
    },
    words: &[
        "{{ ",
        " }}",
        "{% ",
        " %}",
        "{%- ",
        " -%}",
        "{#",
        "#}",
        "{% raw %}",
        "{% endraw %}",
        "{% for x in xs %}",
        "{% endfor %}",
        "{% else %}",
        "recursive",
        "loop",
        "loop.index",
        "{% if ",
        "{% elif ",
        "{% endif %}",
        "{% set ",
        "{% endset %}",
        "{% macro m(a, b=1) %}",
        "{% endmacro %}",
        "{% call m() %}",
        "{% endcall %}",
        "caller()",
        "varargs",
        "kwargs",
        "{% with ",
        "{% endwith %}",
        "{% block b scoped %}",
        "{% endblock %}",
        "self.b()",
        "{% filter upper %}",
        "{% endfilter %}",
        "namespace(",
        "range(",
        "dict(",
        "cycler(",
        "joiner(",
        "|join",
        "|map('upper')",
        "|sort",
        "|groupby(0)",
        "|batch(2)",
        "|slice(2)",
        "|replace(",
        "|format(",
        "|round(2, 'floor')",
        "|tojson",
        "|default(",
        "|attr(",
        "|int",
        "|float",
        "|length",
        "|list",
        "|string",
        "|escape",
        "|indent(4)",
        "|truncate(",
        "|wordwrap(",
        "|center(",
        "|urlize",
        "|title",
        "|xmlattr",
        " is ",
        "defined",
        "divisibleby",
        "sameas",
        " in ",
        " not ",
        " and ",
        " or ",
        " if ",
        " else ",
        "**",
        "//",
        "%",
        "~",
        "==",
        "<",
        "[1:2]",
        "[::-1]",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'",
        "\"",
        ",",
        ":",
        ".",
        "none",
        "true",
        "x",
        "n",
        "f",
        "at",
        "day",
        "xs",
        "d",
        ".format(",
        ".split(",
        ".strftime('%",
        ".replace(",
        ".isoformat()",
        ".join(",
        ".items()",
        "timedelta(",
        "1e308",
        "\\u",
        "{x}",
        "{x!r:>9}",
    ],
};

pub(super) static EXPRESSION: Target = Target {
    name: "expression",
    about: "Jinja's expressions on their own",
    run: |input| {
        static ENVIRONMENT: LazyLock<Arc<Environment>> =
            LazyLock::new(|| Arc::new(Environment::new(Absent::Chained)));
        let values = variables();
        let names = values
            .iter()
            .filter_map(|(name, value)| Some((*name, Value::try_from(value).ok()?)));
        let value = Expression::compile(&ENVIRONMENT, &text(input))
            .and_then(|expression| expression.evaluate(&Scope::new(names)));
        told(value.map(|value| format!("{:?}", value.kind())))
    },
    seeds: || {
        let mut texts = texts_in(&files("examples", "connector.toml"));
        for template in spellings() {
            let inside = template
                .split("{{")
                .skip(1)
                .filter_map(|part| part.split_once("}}"));
            texts.extend(inside.map(|(expression, _)| expression.trim().to_owned()));
        }
        bytes(texts)
    },
    words: TEMPLATE.words,
};

pub(super) static FORMAT: Target = Target {
    name: "format",
    about: "format strings: `str.format`, `%` and `strftime`",
    run: |input| {
        const USES: [&str; 4] = [
            "{{ given.format(f, n, x, at, xs, x=x, n=n, f=f, d=d) }}",
            "{{ given % (n, x, f) }}",
            "{{ given % d }}",
            "{{ at.strftime(given) }}",
        ];
        static TEMPLATES: LazyLock<Vec<CompiledTemplate>> = LazyLock::new(|| {
            let compiled = USES.map(|text| CompiledTemplate::compile("use", text));
            compiled.into_iter().filter_map(Result::ok).collect()
        });
        let given = text(input);
        let mut variables = variables();
        variables.push(("given", TemplateValue::Text(given.clone().into_owned())));
        let placeholders = [("x", "name".to_owned()), ("n", "7".to_owned())];
        let mut words = told(format_placeholders("fuzz", &given, &placeholders));
        for template in &*TEMPLATES {
            words.push_str(&told(template.render(&variables)));
        }
        words
    },
    seeds: || {
        let own = [
            "{x!r:>10} {n:+,d} {f:010.3e} {d[a]} {0:%} {1:#x} {3:%Y-%m-%d}",
            "{:{n}} {x:{x}<{n}} {f:.{n}} {{}} {x[0]} {d.items}",
            "%05.1f|%-6s|%+d|%x|%e|%%|%c|%r|%i|%o|%G",
            "%(a)s %(a)r %(a)5.2s",
            "%Y-%m-%d %H:%M:%S.%f %j %U %-d %a %z %Z %% %c %x %X %G-%V-%u",
        ];
        let own = own.map(str::to_owned).into_iter();
        bytes(own.chain(texts_in(&files("dialects", ".toml"))))
    },
    words: &[
        "{", "}", "{{", "}}", "{x}", "{n}", "{f}", "{d}", "{0}", "{}", "!r", "!s", "!a", ":", "<",
        ">", "^", "=", "+", "-", " ", "z", "#", "0", ",", "_", ".", "b", "c", "d", "e", "E", "f",
        "F", "g", "G", "n", "o", "s", "x", "X", "%", "[0]", "[a]", ".a", "%s", "%d", "%5.2f",
        "%(a)s", "%*d", "%c", "%r", "%Y", "%-m", "%f", "%z", "65535", "65536", "70000",
    ],
};
