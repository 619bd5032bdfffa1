//! Makes expressions up, mostly of a wanted kind and sometimes of any.

use std::collections::BTreeMap;

use super::generate::Generator;
use super::generate_context::VARIABLES;

/// What an expression is meant to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Float,
    Bool,
    None,
    List,
    Tuple,
    Texts,
    Ints,
    Dict,
    Rows,
    Date,
    DateTime,
    Zoned,
}

/// The kinds to choose from when any will do.
pub(super) const KINDS: &[Kind] = &[
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Int,
    Kind::Int,
    Kind::Float,
    Kind::Bool,
    Kind::List,
    Kind::Tuple,
    Kind::Texts,
    Kind::Ints,
    Kind::Dict,
    Kind::Date,
    Kind::DateTime,
    Kind::Zoned,
];

/// How many of a hundred expressions are of another kind than wanted.
const MISFITS: usize = 3;

/// An expression of any kind.
pub(super) fn any(generator: &mut Generator, depth: usize) -> String {
    let kind = KINDS[generator.below(KINDS.len())];
    of(generator, kind, depth)
}

/// An expression of a kind.
pub(super) fn of(generator: &mut Generator, kind: Kind, depth: usize) -> String {
    if generator.chance(MISFITS) {
        let kind = KINDS[generator.below(KINDS.len())];
        return leaf(generator, kind);
    }
    if depth == 0 || generator.chance(15) {
        return leaf(generator, kind);
    }
    let pattern = pattern(generator, kind);
    fill(generator, pattern, depth - 1)
}

/// A variable or literal.
fn leaf(generator: &mut Generator, kind: Kind) -> String {
    let mut held: BTreeMap<&str, Kind> = VARIABLES.iter().copied().collect();
    for (name, kind) in &generator.names {
        held.insert(name, *kind);
    }
    let fitting: Vec<String> = held
        .into_iter()
        .filter(|(_, found)| *found == kind)
        .map(|(name, _)| name.to_owned())
        .collect();
    if !fitting.is_empty() && generator.chance(60) {
        return fitting[generator.below(fitting.len())].clone();
    }
    if generator.chance(3) {
        return generator
            .pick(&[
                "missing",
                "d.missing",
                "missing|default('x')",
                "true",
                "none",
            ])
            .to_owned();
    }
    let choices: &[&str] = match kind {
        Kind::Text => &[
            "'a'",
            "\"it's\"",
            "''",
            "'A-b c'",
            "'x' 'y'",
            "'%s'",
            "'é\\n'",
            "'1.5'",
            "'\\x41\\u00e9'",
            "'ab' 'ab'",
        ],
        Kind::Int => &[
            "0",
            "1",
            "2",
            "-3",
            "10",
            "7",
            "0x1F",
            "1_000",
            "12345678901234567890",
            "-1",
            "100",
        ],
        Kind::Float => &["0.5", "1.0", "-2.5", "1e3", "2.675", "1e-7", "0.1", "1e22"],
        Kind::Bool => &["true", "false", "True", "not ok"],
        Kind::None => &["none", "None"],
        Kind::List => &[
            "[]",
            "[1, 'a', none]",
            "[[1, 2], [3]]",
            "[1.5, true]",
            "[none]",
            "[(1, 'x'), (2, 'y')]",
        ],
        Kind::Tuple => &["()", "(1,)", "(1, 'b')", "('a', (2, 3))"],
        Kind::Texts => &["[]", "['b', 'a', 'C']", "['x']", "['a', 'A', 'b', 'a']"],
        Kind::Ints => &["[]", "[3, 1, 2]", "[5]", "range(4)", "[1, 1, 2, 3, 5]"],
        Kind::Dict => &[
            "{}",
            "{'a': 1}",
            "{'b': 2, 'a': [1]}",
            "{1: 'x', 'k': none}",
            "dict(a=1, b='z')",
        ],
        Kind::Rows => &["rows"],
        Kind::Date => &["day"],
        Kind::DateTime => &["at", "at2"],
        Kind::Zoned => &["zoned", "zoned2"],
    };
    generator.pick(choices).to_owned()
}

/// A pattern whose letters after `#` are filled with expressions: Text, Int, Float, Bool, List, tUple, Words, Numbers,
/// dicT as `M`apping, Date, `A`t, `Z`oned, `X` for anything.
fn pattern(generator: &mut Generator, kind: Kind) -> &'static str {
    let choices: &[&'static str] = match kind {
        Kind::Text => &[
            "#T ~ #X",
            "#T + #T",
            "#T * #I",
            "(#T)|upper",
            "(#T).lower()",
            "(#T)|title",
            "(#T).title()",
            "(#T)|capitalize",
            "(#T)|trim",
            "(#T).strip('a ')",
            "(#T)|replace('a', #T)",
            "(#T).replace('a', 'bb', 1)",
            "(#W)|join(', ')",
            "(#L)|join('-')",
            "(#X)|string",
            "(#T)[#I:#I]",
            "(#T)[::-1]",
            "(#T)[:-1]",
            "(#T)[#I]",
            "(#T).split(',')[0]",
            "'%s=%s' % (#X, #X)",
            "'%05.2f' % #F",
            "'%d' % #I",
            "'%-6s|' % #T",
            "'%x %o %e' % (#I, #I, #F)",
            "'%(a)s' % #M",
            "'%r' % (#X,)",
            "'{} {}'.format(#X, #X)",
            "'{0:>8}|{0!r}'.format(#T)",
            "'{:,}'.format(#I)",
            "'{:.3f}'.format(#F)",
            "'{x[a]}'.format(x=#M)",
            "'{:08.3f}|{:+d}|{:#x}'.format(#F, #I, #I)",
            "'{:e} {:g} {:%}'.format(#F, #F, #F)",
            "#T if #B else #T",
            "(#T or #T)",
            "(#T and #T)",
            "(#A).strftime('%Y-%m-%d %H:%M:%S.%f')",
            "(#D).strftime('%j %U %W %a %B %y')",
            "(#Z).strftime('%z %Z %I %p')",
            "(#A).strftime('%-d/%-m %e %k|%G-%V-%u %w %C %D %T %R %r')",
            "(#A).isoformat()",
            "(#A).isoformat(' ', 'minutes')",
            "(#Z).isoformat()",
            "(#D).isoformat()",
            "(#A)|string",
            "(#Z)|string",
            "(#D) ~ ''",
            "(#A - #A)|string",
            "(#X)|tojson",
            "(#T)|e",
            "(#T)|urlencode",
            "(#T)|center(#I)",
            "(#T).ljust(8, '.')",
            "(#T).zfill(#I)",
            "(#T)|truncate(5)",
            "(#T)|truncate(7, true, '!')",
            "(#T)|indent(2)",
            "(#T)|indent(1, true, true)",
            "(#T)|first",
            "(#T)|last",
            "(#T)|reverse",
            "(#T)|format(#X)",
            "(#W)|sort|join",
            "(#W)|map('upper')|join('|')",
            "(#W)|first",
            "(#W)|last",
            "(#T)|default(#T)",
            "(#X)|default('d', true)",
            "(#T).partition('a')[2]",
            "(#T).rjust(9)",
            "(#T).capitalize()",
            "(#T).swapcase()",
            "(#T).expandtabs(4)",
            "(#T).removeprefix('a')",
            "', '.join(#W)",
            "(#N)|join",
            "(#W)|max",
            "(#W)|min",
            "(#I)|filesizeformat",
            "(#F)|filesizeformat(true)",
            "'{:>{}}'.format(#T, 6)",
            "'{0.year}'.format(#A)",
            "'{:%d.%m.}'.format(#D)",
            "(#T)|wordcount ~ ''",
        ],
        Kind::Int => &[
            "#I + #I",
            "#I - #I",
            "#I * #I",
            "#I // #I",
            "#I % #I",
            "-#I",
            "#I ** 2",
            "(#I)|abs",
            "(#T)|length",
            "(#L)|count",
            "(#X)|int",
            "(#T)|int(7)",
            "(#T)|int(0, 16)",
            "(#N)|sum",
            "(#N)|max",
            "(#N)|min",
            "(#N)|first",
            "(#N)[#I]",
            "(#N)|last",
            "(#M).a",
            "(#M)['a']",
            "(#M).get('a', 5)",
            "(#T).count('a')",
            "(#T).find('b')",
            "(#I if #B else #I)",
            "(#A).year",
            "(#A).hour + (#A).minute",
            "(#D).toordinal()",
            "(#D).weekday()",
            "(#A).isoweekday()",
            "(#A - #A).days",
            "(#A - #A).seconds",
            "(#F)|int",
            "(#F)|round|int",
            "(#I)|round(-1)",
            "#I // 3 * 3 + #I % 3",
            "(#N).index(1)",
            "(#L).count(1)",
            "(#I).bit_length()",
            "(#D - #D).days",
            "2 ** (#I % 70)",
            "#B + #I",
            "(#A).isocalendar().week",
            "(rows|map(attribute='size')|sum)",
            "rows|sum('inner.deep')",
            "(#U)|length",
        ],
        Kind::Float => &[
            "#I / #I",
            "#F + #F",
            "#F * #F",
            "#F - #I",
            "#F // #F",
            "#F % #F",
            "(#F)|round(1)",
            "(#F)|round(2, 'floor')",
            "(#F)|round(1, 'ceil')",
            "(#X)|float",
            "(#T)|float(1.5)",
            "(#F)|abs",
            "-#F",
            "(#A - #A).total_seconds()",
            "(#Z).timestamp()",
            "(#A).timestamp()",
            "#I ** -1",
            "#F ** 2",
            "#I / 4",
            "(#F)|round(-1)",
            "(#I) * 0.1",
            "(#Z - #Z).total_seconds()",
        ],
        Kind::Bool => &[
            "#I < #I",
            "#I == #F",
            "#T == #T",
            "#T < #T",
            "#I <= #I < #I",
            "#X == #X",
            "#X != #X",
            "not #X",
            "#B and #B",
            "#B or #X",
            "#T in #T",
            "#I in #N",
            "#T in #W",
            "#T not in #M",
            "#X is defined",
            "missing is defined",
            "#X is none",
            "#I is odd",
            "#I is divisibleby 3",
            "#X is string",
            "#X is number",
            "#X is mapping",
            "#X is iterable",
            "#X is sequence",
            "#X is integer",
            "#T is upper",
            "#T is lower",
            "#I is eq(#I)",
            "#I is in #N",
            "(#T).startswith('a')",
            "(#T).isdigit()",
            "(#T).isalpha()",
            "(#T).isupper()",
            "(#T).endswith(('c', 'd'))",
            "#A < #A",
            "#A == #A",
            "#D >= #D",
            "#Z > #Z",
            "#Z == #Z",
            "#A == #Z",
            "#D == #A",
            "#L == #L",
            "#U < #U",
            "#L < #L",
            "(#F).is_integer()",
            "#X is callable",
            "#X is boolean",
            "#X is float",
            "#I is not even",
            "#X is sameas none",
            "(#T).istitle()",
            "(#T).isspace()",
            "(#T).isidentifier()",
            "#M == #M",
            "#X is true",
            "#X is false",
            "(#T).isalnum()",
            "(#T).isnumeric()",
            "(#T).isdecimal()",
            "(#T).isascii()",
            "(#T).isprintable()",
        ],
        Kind::None => &["none", "(#M).get('nope')", "nothing"],
        Kind::List => &[
            "[#X, #X]",
            "#L + #L",
            "#L * 2",
            "(#L)[#I:]",
            "(#L)[::-1]",
            "(#L)|reverse|list",
            "(#N)|sort",
            "(#W)|sort(reverse=true)",
            "(#W)|unique|list",
            "(#L)|batch(2)|list",
            "(#L)|batch(2, 'x')|map('list')|list",
            "(#L)|slice(2)|list",
            "(#M)|dictsort",
            "(#M)|items|list",
            "(#M).items()|list",
            "(#M).keys()|list",
            "(#M).values()|list",
            "(#W)|map('length')|list",
            "(#L)|select|list",
            "(#N)|select('odd')|list",
            "(#N)|reject('gt', 1)|list",
            "rows|map(attribute='name')|list",
            "rows|selectattr('size')|list",
            "rows|selectattr('size', 'gt', 1)|map(attribute='inner.deep')|list",
            "rows|groupby('name')",
            "rows|sort(attribute='size')",
            "rows|sort(attribute='name,size', reverse=true)",
            "(#T)|list",
            "(#T).split()",
            "(#T).split(',', 1)",
            "(#T).rsplit(None, 1)",
            "(#T).splitlines()",
            "(#N)|list",
            "(#X)|list",
            "(#U)|list",
            "rows|rejectattr('name', 'eq', 'x')|list",
            "(#L)|map('string')|list",
            "rows|map(attribute='nope', default=0)|list",
            "rows|unique(attribute='name')|list",
            "(#M)|dictsort(by='value')",
            "(#M)|dictsort(true, reverse=true)",
        ],
        Kind::Tuple => &[
            "(#X, #X)",
            "(#X,)",
            "#U + #U",
            "(#U)[:1]",
            "(#T).partition('b')",
            "(#A).isocalendar()",
            "#X, #X",
        ],
        Kind::Texts => &[
            "[#T, #T]",
            "#W + [#T]",
            "(#W)|sort",
            "(#T).split('b')",
            "(#W)|map('trim')|list",
            "(#W)[:2]",
            "(#W)|select|list",
            "(#T)|list",
        ],
        Kind::Ints => &[
            "[#I, #I]",
            "(#N)|sort",
            "range(#I)",
            "range(1, 8, 2)",
            "(#N)|select('gt', 0)|list",
            "(#N)|unique|list",
            "(#N)[1:]",
        ],
        Kind::Dict => &[
            "{'a': #X}",
            "{#T: #X, 'b': #I}",
            "dict(#M, c=#X)",
            "(#M).copy()",
            "{#I: #X}",
            "{#B: 1, 1: 2}",
            "{'a': {'b': #X}}.a",
        ],
        Kind::Rows => &["rows", "rows|list"],
        Kind::Date => &[
            "(#A).date()",
            "#D + (#A - #A)",
            "(#D).replace(day=1)",
            "(#D).replace(year=2020, month=2, day=29)",
        ],
        Kind::DateTime => &[
            "(#A).replace(microsecond=0)",
            "#A + (#A - #A)",
            "(#A).replace(hour=23, minute=5)",
            "(#Z).replace(tzinfo=none)",
            "#A - (#D - #D)",
        ],
        Kind::Zoned => &[
            "(#Z).astimezone((#Z).tzinfo)",
            "#Z + (#A - #A)",
            "(#Z).replace(hour=3)",
            "(#A).replace(tzinfo=(#Z).tzinfo)",
        ],
    };
    generator.pick(choices)
}

fn fill(generator: &mut Generator, pattern: &str, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(place) = rest.find('#') {
        let letter = rest[place + 1..].chars().next().unwrap_or(' ');
        let kind = match letter {
            'T' => Kind::Text,
            'I' => Kind::Int,
            'F' => Kind::Float,
            'B' => Kind::Bool,
            'L' => Kind::List,
            'U' => Kind::Tuple,
            'W' => Kind::Texts,
            'N' => Kind::Ints,
            'M' => Kind::Dict,
            'D' => Kind::Date,
            'A' => Kind::DateTime,
            'Z' => Kind::Zoned,
            'X' => KINDS[generator.below(KINDS.len())],
            _ => {
                out.push_str(&rest[..=place]);
                rest = &rest[place + 1..];
                continue;
            }
        };
        out.push_str(&rest[..place]);
        out.push_str(&of(generator, kind, depth));
        rest = &rest[place + 2..];
    }
    out + rest
}
