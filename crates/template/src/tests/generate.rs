//! Makes templates up: statements, and what surrounds expressions.

use serde_json::{Value as Json, json};

use super::generate_context::context;
use super::generate_soup::soup;
use super::generate_text::{self, Kind};

/// A small generator of numbers; the same seed gives the same templates everywhere.
pub(super) struct Generator {
    state: u64,
    /// The names assigned so far, with what they hold.
    pub(super) names: Vec<(String, Kind)>,
    pub(super) loops: usize,
    macros: usize,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0xd134_2543_de82_ef95),
            names: Vec::new(),
            loops: 0,
            macros: 0,
        }
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = mixed ^ (mixed >> 31);
        usize::try_from(mixed % (limit as u64)).unwrap_or(0)
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'c, T: ?Sized>(&mut self, choices: &[&'c T]) -> &'c T {
        choices[self.below(choices.len())]
    }
}

/// A template with its context.
pub(super) fn template_request(generator: &mut Generator) -> Json {
    generator.names.clear();
    generator.loops = 0;
    generator.macros = 0;
    let context = context(generator);
    let plain = generator.chance(20);
    let template = if generator.chance(8) {
        soup(generator)
    } else if generator.chance(45) {
        format!("{{{{ {} }}}}", generate_text::any(generator, 3))
    } else {
        body(generator, 3)
    };
    json!({ "template": template, "context": context, "plain": plain })
}

fn body(generator: &mut Generator, depth: usize) -> String {
    let count = 1 + generator.below(4);
    let known = generator.names.len();
    let body = (0..count).map(|_| statement(generator, depth)).collect();
    if generator.chance(70) {
        generator.names.truncate(known);
    }
    body
}

fn text(generator: &mut Generator) -> String {
    generator
        .pick(&[
            "", " ", "text", "\n", "  \n", "\n  ", "\t", "a b", "\n\n", "{ ", "}}", "x\r\ny",
            " %} ", "'", "# ",
        ])
        .to_owned()
}

/// A tag, with or without signs about blank text.
fn tag(generator: &mut Generator, inside: &str) -> String {
    let open = generator.pick(&["", "", "", "", "-", "+"]);
    let close = generator.pick(&["", "", "", "", "-", "+"]);
    format!("{{%{open} {inside} {close}%}}")
}

fn print(generator: &mut Generator, depth: usize) -> String {
    let expr = generate_text::any(generator, depth);
    let open = generator.pick(&["", "", "", "-"]);
    let close = generator.pick(&["", "", "", "-"]);
    format!("{{{{{open} {expr} {close}}}}}")
}

fn statement(generator: &mut Generator, depth: usize) -> String {
    if depth == 0 {
        return if generator.chance(50) {
            text(generator)
        } else {
            print(generator, 1)
        };
    }
    match generator.below(16) {
        0..=3 => print(generator, depth),
        4 | 5 => text(generator),
        6 | 7 => for_loop(generator, depth),
        8 => condition(generator, depth),
        9 => set(generator, depth),
        10 => set_block(generator, depth),
        11 => macro_call(generator, depth),
        12 => with(generator, depth),
        13 => {
            let filter = generator.pick(&[
                "upper",
                "trim",
                "indent(2)",
                "replace('a', 'b')|title",
                "center(20)",
            ]);
            let open = tag(generator, &format!("filter {filter}"));
            let inside = body(generator, depth - 1);
            open + &inside + &tag(generator, "endfilter")
        }
        14 => namespace(generator, depth),
        _ => match generator.below(3) {
            0 => {
                let (open, close) = (tag_without_plus(generator, "raw"), tag(generator, "endraw"));
                format!("{open}{}{{{{ x }}}}{close}", text(generator))
            }
            1 => {
                let open = generator.pick(&["", "-", "+"]);
                let close = generator.pick(&["", "-", "+"]);
                format!("{{#{open} {{{{ no }}}} {close}#}}")
            }
            _ => {
                let name = format!("part{}", generator.below(1000));
                let open = tag(generator, &format!("block {name}"));
                let inside = body(generator, depth - 1);
                open + &inside + &tag(generator, "endblock")
            }
        },
    }
}

fn tag_without_plus(generator: &mut Generator, inside: &str) -> String {
    let open = generator.pick(&["", "-", "+"]);
    let close = generator.pick(&["", "-"]);
    format!("{{%{open} {inside} {close}%}}")
}

fn for_loop(generator: &mut Generator, depth: usize) -> String {
    let known = generator.names.len();
    let (target, source) = match generator.below(6) {
        0 => {
            generator.names.push(("k".to_owned(), Kind::Text));
            generator.names.push(("v".to_owned(), Kind::Int));
            let source = generator.pick(&[
                "d.items()",
                "d|dictsort",
                "words|map('list')",
                "rows|groupby('name')",
                "[(1, 2), [3, 4]]",
            ]);
            ("k, v".to_owned(), source.to_owned())
        }
        1 => {
            generator.names.push(("row".to_owned(), Kind::Dict));
            ("row".to_owned(), "rows".to_owned())
        }
        2 => {
            generator.names.push(("n".to_owned(), Kind::Int));
            (
                "n".to_owned(),
                generate_text::of(generator, Kind::Ints, depth - 1),
            )
        }
        3 => {
            generator.names.push(("w".to_owned(), Kind::Text));
            (
                "w".to_owned(),
                generate_text::of(generator, Kind::Texts, depth - 1),
            )
        }
        4 => {
            generator.names.push(("i".to_owned(), Kind::Int));
            ("i".to_owned(), "range(3)".to_owned())
        }
        _ => {
            generator.names.push(("x".to_owned(), Kind::Text));
            (
                "x".to_owned(),
                generate_text::of(generator, Kind::List, depth - 1),
            )
        }
    };
    let test = if generator.chance(20) {
        format!(" if {}", generate_text::of(generator, Kind::Bool, 1))
    } else {
        String::new()
    };
    let open = tag(generator, &format!("for {target} in {source}{test}"));
    generator.loops += 1;
    let mut inside = body(generator, depth - 1);
    if generator.chance(30) {
        inside += generator.pick(&[
            "{% if not loop.last %}, {% endif %}",
            "{{ loop.index }}/{{ loop.length }}",
            "{{ loop.cycle('a', 'b') }}",
            "{{ loop.changed(loop.index // 2) }}",
            "{{ loop.previtem }}|{{ loop.nextitem }}",
            "{{ loop.revindex0 }}{{ loop.first }}",
        ]);
    }
    generator.loops -= 1;
    let mut otherwise = String::new();
    if generator.chance(20) {
        otherwise = tag(generator, "else") + &body(generator, depth - 1);
    }
    generator.names.truncate(known);
    open + &inside + &otherwise + &tag(generator, "endfor")
}

fn condition(generator: &mut Generator, depth: usize) -> String {
    let test = generate_text::of(generator, Kind::Bool, 2);
    let mut out = tag(generator, &format!("if {test}")) + &body(generator, depth - 1);
    if generator.chance(30) {
        let test = generate_text::any(generator, 2);
        out += &tag(generator, &format!("elif {test}"));
        out += &body(generator, depth - 1);
    }
    if generator.chance(50) {
        out += &tag(generator, "else");
        out += &body(generator, depth - 1);
    }
    out + &tag(generator, "endif")
}

fn set(generator: &mut Generator, depth: usize) -> String {
    let kind = generate_text::KINDS[generator.below(generate_text::KINDS.len())];
    let value = generate_text::of(generator, kind, depth);
    if generator.chance(15) {
        let other = generate_text::of(generator, Kind::Int, 1);
        generator.names.push(("p".to_owned(), kind));
        generator.names.push(("q".to_owned(), Kind::Int));
        return tag(generator, &format!("set p, q = {value}, {other}"));
    }
    let name = generator.pick(&["v", "w", "t", "i", "xs", "fresh"]);
    generator.names.push((name.to_owned(), kind));
    tag(generator, &format!("set {name} = {value}"))
}

fn set_block(generator: &mut Generator, depth: usize) -> String {
    let name = generator.pick(&["v", "w", "t", "captured"]);
    let filter = generator.pick(&["", "", " | trim", " | upper", " | length"]);
    let open = tag(generator, &format!("set {name}{filter}"));
    let inside = body(generator, depth - 1);
    generator.names.push((name.to_owned(), Kind::Text));
    open + &inside + &tag(generator, "endset")
}

fn macro_call(generator: &mut Generator, depth: usize) -> String {
    generator.macros += 1;
    let name = format!("m{}", generator.macros);
    let default = generate_text::any(generator, 1);
    let known = generator.names.len();
    let loops = std::mem::take(&mut generator.loops);
    let open = tag(generator, &format!("macro {name}(a, b={default})"));
    generator.names.push(("a".to_owned(), Kind::Text));
    generator.names.push(("b".to_owned(), Kind::Int));
    let mut inside = body(generator, depth - 1);
    if generator.chance(20) {
        inside += "{{ varargs }}{{ kwargs }}";
    }
    let called = generator.chance(25);
    if called {
        inside += "[{{ caller() }}]";
    }
    generator.names.truncate(known);
    generator.loops = loops;
    let definition = open + &inside + &tag(generator, "endmacro");
    let first = generate_text::any(generator, 1);
    let arguments = match generator.below(5) {
        0 => String::new(),
        1 => format!("{first}, b={}", generate_text::any(generator, 1)),
        2 => format!("{first}, 2"),
        3 => format!("b=1, a={first}"),
        _ => first,
    };
    if called {
        let open = tag(generator, &format!("call {name}({arguments})"));
        let inside = body(generator, depth - 1);
        definition + &open + &inside + &tag(generator, "endcall")
    } else {
        format!("{definition}{{{{ {name}({arguments}) }}}}")
    }
}

fn with(generator: &mut Generator, depth: usize) -> String {
    let value = generate_text::any(generator, depth - 1);
    let known = generator.names.len();
    let open = tag(generator, &format!("with t = {value}, u = t"));
    generator.names.push(("u".to_owned(), Kind::Text));
    let inside = body(generator, depth - 1);
    generator.names.truncate(known);
    open + &inside + &tag(generator, "endwith")
}

fn namespace(generator: &mut Generator, depth: usize) -> String {
    let value = generate_text::of(generator, Kind::Int, depth - 1);
    let change = generator.pick(&["ns.a + 1", "ns.a ~ 'x'", "loop.index", "[ns.a]"]);
    format!(
        "{{% set ns = namespace(a={value}) %}}{{% for _ in range(2) %}}{{% set ns.a = {change} %}}{{% endfor %}}{{{{ ns.a }}}}"
    )
}
