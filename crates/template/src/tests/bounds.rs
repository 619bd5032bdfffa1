//! What a template may not do: change what it is given, look behind values, work or grow without end.

use bowline_words::Diagnose;
use serde_json::{Value as Json, json};

use super::differential::render;
use crate::{TemplateError, TemplateErrorKind};

fn fails(template: &str) -> TemplateError {
    let context = json!({ "xs": [1, 2], "d": { "a": 1 }, "text": "x" });
    let request: Json = json!({ "template": template, "context": context });
    render(&request).expect_err(template)
}

#[test]
fn changes_of_values_are_refused() {
    for template in [
        "{{ xs.append(3) }}",
        "{{ xs.sort() }}",
        "{{ d.update(a=2) }}",
        "{{ d.pop('a') }}",
        "{{ d['clear']() }}",
        "{{ (xs|attr('clear'))() }}",
        "{{ text.__class__.__mro__ }}",
        "{{ '{0.__class__.__mro__}'.format(xs) }}",
    ] {
        assert_eq!(
            fails(template).kind,
            TemplateErrorKind::Security,
            "{template}"
        );
    }
}

#[test]
fn work_without_end_is_stopped() {
    for template in [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ [0] * 1000000000 }}",
        "{{ 'x'|center(1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format('x') }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 9999999 ** 9999999 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}",
        "{% set ns = namespace() %}{% for i in range(9999) %}{% set ns.x = namespace(x=ns.x) %}{% endfor %}",
        "{% set ns = namespace(x=xs) %}{% for i in range(9999) %}{% set ns.x = ns.x|map('string') %}{% endfor %}",
        "{% for x in xs recursive %}{{ loop([x]) }}{% endfor %}",
        "{{ text|replace('', text * 9999999) }}",
        "{% for i in range(100000) %}{{ text * 1000 }}{% endfor %}",
        "{{ ('x,' * 4000000).split(',')|length }}",
        "{% for i in range(100000) %}{% set x = 3 ** 600000 %}{% endfor %}",
        "{% for i in range(100000) %}{% set x = 7 ** 9999 // 3 ** 9999 %}{% endfor %}",
        "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
        "{% set ns = namespace(s=[1], t=[2]) %}{% for i in range(60) %}{% set ns.s = [1, ns.s] %}{% set ns.t = [1, ns.t] %}{% endfor %}{% for i in range(100000) %}{% set x = ns.s < ns.t %}{% endfor %}",
        "{% set ns = namespace(s=(1,)) %}{% for i in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1}|length }}",
        "{% set ns = namespace(s=[]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|string|length }}",
        "{% set ns = namespace(s=[]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson|length }}",
        "{{ ('f' * 5000000)|int(0, 16) > 1 }}",
        "{% set a = 'a' * 9000000 %}{% for i in range(100000) %}{% set n = a.count('b') %}{% endfor %}",
        "{% set a = 'é' * 4000000 %}{% for i in range(100000) %}{% set n = a|length %}{% endfor %}",
        "{% set a = 'é' * 4000000 %}{% for i in range(100000) %}{% set n = a[7] %}{% endfor %}",
        "{% set a = 'a' * 9000000 %}{% for i in range(100000) %}{% set n = 'b' in a %}{% endfor %}",
        "{% set a = 'a' * 9000000 %}{% set b = a ~ 'b' %}{% for i in range(100000) %}{% set n = a == b[:-1] %}{% endfor %}",
        "{{ ([('a' * 9000000)] * 100000)|unique|list|length }}",
        "{{ ([('a' * 9000000)] * 100000)|sort|length }}",
        "{% set big = 2 ** 900000 %}{% for i in range(100000) %}{% set n = big == big + 1 %}{% endfor %}",
    ] {
        assert_eq!(
            fails(template).kind,
            TemplateErrorKind::OutOfFuel,
            "{template}"
        );
    }
}

#[test]
fn what_is_large_and_within_bounds_is_quick() {
    let strip = "{{ ('a' * 1000000).strip(('b' * 1000000) ~ 'a')|length }}";
    let request = json!({ "template": strip, "context": {} });
    assert_eq!(render(&request).expect("it renders").0, "0");
}

#[test]
fn deep_nesting_is_refused_and_does_not_crash() {
    let deep = [
        format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000)),
        format!("{{{{ {}1 }}}}", "-".repeat(5000)),
        format!("{{{{ {}1 }}}}", "not ".repeat(5000)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(5000)),
        format!("{{{{ x{} }}}}", "|upper".repeat(5000)),
        format!("{{{{ x{} }}}}", ".a".repeat(5000)),
        format!("{{{{ {}1{} }}}}", "[".repeat(5000), "]".repeat(5000)),
        format!("{{{{ 1{} }}}}", " if 1 else 1".repeat(5000)),
        "{% if 1 %}".repeat(5000) + &"{% endif %}".repeat(5000),
    ];
    for template in deep {
        let error = fails(&template);
        assert_eq!(
            error.kind,
            TemplateErrorKind::Unsupported,
            "{:.40}",
            template
        );
    }
}

#[test]
fn macros_may_call_one_another_a_hundred_deep() {
    let template = "{% macro m(n) %}{{ n }}{% if n %},{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(100)|length }}";
    let request = json!({ "template": template, "context": {} });
    assert_eq!(render(&request).expect("it renders").0, "293");
}

#[test]
fn a_range_longer_than_the_sandboxs_is_an_error() {
    assert_eq!(
        fails("{{ range(1000000000) }}").kind,
        TemplateErrorKind::Render
    );
}

#[test]
fn an_error_shows_its_place() {
    let error = fails("SELECT 1\n  FROM {{ text|uper }}\nWHERE true");
    assert_eq!(
        error.diagnose().to_string(),
        "unknown filter `uper` (`template`, 2:16)\nhint: did you mean `upper`?"
    );
    assert_eq!(
        error.window(),
        "1 | SELECT 1\n2 |   FROM {{ text|uper }}\n  |                ^\n3 | WHERE true\n"
    );
}

#[test]
fn an_unknown_function_offers_the_nearest() {
    let error = fails("{{ rnage(3) }}");
    assert_eq!(
        error.diagnose().to_string(),
        "`rnage` is undefined (`template`, 1:9)\nhint: did you mean `range`?"
    );
}
