//! Schemas with documents that fit them more or less, from a seed.

use bowline_cerberus::{Options, Presence, RootUnknown};
use serde_json::{Map, Value, json};

use crate::question::Question;

/// Names of fields. None is the name of a rule: what Cerberus does when the fields of a dict are
/// read as the rules of a list then depends on chance.
const FIELDS: [&str; 6] = ["host", "port", "user", "tls", "args", "mode"];

/// Patterns that both sides know, with texts around their edges.
const PATTERNS: [&str; 14] = [
    "[a-z]+",
    "^[A-Z]",
    r"\d{2,3}",
    "a|b",
    r"(?i)host\Z",
    r"(a)\1",
    r"\w+@\w+",
    r"[^\s,]*",
    r"x(?!y).",
    r"(?P<q>['\x22]).*(?P=q)$",
    r"\bab\b.*",
    "a{,2}b?",
    r"[\]\[a-]+",
    "",
];

const TEXTS: [&str; 24] = [
    "", "a", "b", "ab", "aa", "abc", "A1", "12", "123", "1234", "host", "HOST", "a@b", "x y", "xy",
    "xz", "'q'", "it's", "ab\n", "[a-]", "é♄", "\"", "\u{a0}\t", "true",
];

const TYPES: [&str; 12] = [
    "boolean",
    "container",
    "dict",
    "float",
    "integer",
    "list",
    "number",
    "string",
    "string",
    "integer",
    "dict",
    "date",
];

/// A small generator of pseudo-random numbers (SplitMix64): the same seed, the same pairs.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("bounds are small");
        usize::try_from(self.next() % bound).expect("below a small bound")
    }

    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// Makes one pair.
pub(crate) fn question(random: &mut Random) -> Question {
    let schema = fields(random, 3);
    let document = document(random, &schema, 3);
    Question {
        schema: Value::Object(schema),
        document,
        options: Options {
            unknown: *random.pick(&[
                RootUnknown::Refuse,
                RootUnknown::Refuse,
                RootUnknown::Allow,
                RootUnknown::Purge,
            ]),
            presence: if random.percent(15) {
                Presence::All
            } else {
                Presence::AsDeclared
            },
        },
    }
}

fn name(random: &mut Random) -> String {
    (*random.pick(&FIELDS)).to_owned()
}

fn fields(random: &mut Random, depth: usize) -> Map<String, Value> {
    (0..random.below(4))
        .map(|_| (name(random), rules(random, depth)))
        .collect()
}

fn rules(random: &mut Random, depth: usize) -> Value {
    if random.percent(1) {
        return value(random, 1);
    }
    let mut rules = Map::new();
    if random.percent(50) {
        rules.insert("type".to_owned(), json!(random.pick(&TYPES)));
    }
    for _ in 0..random.below(4) {
        let (rule, constraint) = rule(random, depth);
        let mut constraint = match rule {
            // Numbers as names of keys are declined here.
            "rename" => constraint,
            // So are names for rules, which Cerberus overlooks when they come up twice.
            _ if takes_rules(rule) && constraint.is_string() => json!({}),
            _ if takes_rules(rule) && random.percent(1) => json!({"nope": 1}),
            _ if !takes_rules(rule) && random.percent(1) => value(random, 1),
            _ => constraint,
        };
        // Several unknown types are reported in an order that Cerberus leaves to chance.
        if rule == "type"
            && let Value::Array(types) = &mut constraint
            && types
                .iter()
                .any(|kind| !TYPES.iter().any(|known| kind == known))
        {
            types.truncate(1);
        }
        rules.insert(rule.to_owned(), constraint);
    }
    Value::Object(rules)
}

fn takes_rules(rule: &str) -> bool {
    matches!(
        rule,
        "schema"
            | "items"
            | "keysrules"
            | "valuesrules"
            | "keyschema"
            | "valueschema"
            | "allow_unknown"
    )
}

fn rule(random: &mut Random, depth: usize) -> (&'static str, Value) {
    let nested = if depth == 0 { 24 } else { 37 };
    match random.below(nested) {
        0 => ("required", json!(random.percent(70))),
        1 => ("nullable", json!(random.percent(70))),
        2 => ("empty", json!(random.percent(40))),
        3 => ("readonly", json!(random.percent(70))),
        4 => ("min", value(random, 1)),
        5 => ("max", value(random, 1)),
        6 => ("minlength", json!(random.below(4))),
        7 => ("maxlength", json!(random.below(4))),
        8 | 9 => ("regex", json!(random.pick(&PATTERNS))),
        10 | 11 => ("allowed", some(random, |random| value(random, 1))),
        12 => ("forbidden", some(random, scalar)),
        13 => ("contains", contains(random)),
        14 => ("excludes", names(random)),
        15 | 16 => ("dependencies", dependencies(random)),
        17 => ("default", value(random, 1)),
        18 => ("rename", json!(name(random))),
        19 => ("purge_unknown", json!(random.percent(60))),
        20 => ("require_all", json!(random.percent(60))),
        21 => ("type", some(random, |random| json!(random.pick(&TYPES)))),
        22 => ("meta", value(random, 1)),
        23 => odd(random),
        24..=27 => ("schema", Value::Object(fields(random, depth - 1))),
        28 => ("schema", rules(random, depth - 1)),
        29 => ("items", some(random, |random| rules(random, depth - 1))),
        30 => ("keysrules", rules(random, depth - 1)),
        31 => ("valuesrules", rules(random, depth - 1)),
        32 => ("allow_unknown", {
            if random.percent(50) {
                json!(random.percent(60))
            } else {
                rules(random, depth - 1)
            }
        }),
        33 => shorthand(random),
        _ => {
            let operator = *random.pick(&["allof", "anyof", "noneof", "oneof"]);
            (
                operator,
                some(random, |random| definition(random, depth - 1)),
            )
        }
    }
}

/// Rules for an `*of` rule, where those that change the document are refused.
fn definition(random: &mut Random, depth: usize) -> Value {
    let mut rules = rules(random, depth);
    if let Value::Object(rules) = &mut rules
        && random.percent(97)
    {
        for refused in [
            "default",
            "rename",
            "purge_unknown",
            "coerce",
            "rename_handler",
        ] {
            rules.shift_remove(refused);
        }
    }
    rules
}

fn shorthand(random: &mut Random) -> (&'static str, Value) {
    match random.below(4) {
        0 => (
            "anyof_type",
            some(random, |random| json!(random.pick(&TYPES))),
        ),
        1 => (
            "oneof_regex",
            some(random, |random| json!(random.pick(&PATTERNS))),
        ),
        2 => ("noneof_min", some(random, number)),
        _ => (
            "allof_maxlength",
            some(random, |random| json!(random.below(5))),
        ),
    }
}

/// Rules that are mostly wrong, rarely written, or known by a former name.
fn odd(random: &mut Random) -> (&'static str, Value) {
    let name = *random.pick(&[
        "coerce",
        "check_with",
        "default_setter",
        "rename_handler",
        "keyschema",
        "valueschema",
        "validator",
        "unknown_rule",
        "schema",
        "type",
        "items",
        "anyof",
        "regex",
        "required",
    ]);
    let constraint = match random.below(5) {
        0 => json!([]),
        1 => json!({}),
        2 => json!("int"),
        _ => value(random, 1),
    };
    (name, constraint)
}

fn some(random: &mut Random, mut one: impl FnMut(&mut Random) -> Value) -> Value {
    (0..random.below(4)).map(|_| one(random)).collect()
}

fn contains(random: &mut Random) -> Value {
    if random.percent(40) {
        scalar(random)
    } else {
        some(random, scalar)
    }
}

fn names(random: &mut Random) -> Value {
    if random.percent(50) {
        json!(name(random))
    } else {
        some(random, |random| json!(name(random)))
    }
}

fn path(random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("{}.{}", name(random), name(random)),
        1 => format!("^{}", name(random)),
        2 => format!("^{}.{}", name(random), name(random)),
        3 => format!("^^{}", name(random)),
        _ => name(random),
    }
}

fn dependencies(random: &mut Random) -> Value {
    match random.below(3) {
        0 => json!(path(random)),
        1 => some(random, |random| json!(path(random))),
        _ => {
            let wanted: Map<_, _> = (0..random.below(3))
                .map(|_| {
                    let values = if random.percent(50) {
                        scalar(random)
                    } else {
                        some(random, scalar)
                    };
                    (path(random), values)
                })
                .collect();
            Value::Object(wanted)
        }
    }
}

fn number(random: &mut Random) -> Value {
    match random.below(8) {
        0 => json!(1.5),
        1 => json!(-2.0),
        2 => json!(1e20),
        3 => json!(0.00001),
        _ => json!(i64::try_from(random.below(7)).expect("small") - 2),
    }
}

fn scalar(random: &mut Random) -> Value {
    match random.below(10) {
        0 => Value::Null,
        1 => json!(random.percent(50)),
        2..=4 => number(random),
        5 => json!(name(random)),
        _ => json!(random.pick(&TEXTS)),
    }
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(8) {
        0 if depth > 0 => some(random, |random| value(random, depth - 1)),
        1 if depth > 0 => (0..random.below(3))
            .map(|_| (name(random), value(random, depth - 1)))
            .collect::<Map<_, _>>()
            .into(),
        _ => scalar(random),
    }
}

/// A document for the schema: mostly the declared fields, mostly of the declared types.
fn document(random: &mut Random, schema: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let mut document = Map::new();
    for (field, rules) in schema {
        if random.percent(80) {
            document.insert(field.clone(), fitting(random, rules, depth));
        }
    }
    if random.percent(30) {
        document.insert(name(random), value(random, 2));
    }
    document
}

fn fitting(random: &mut Random, rules: &Value, depth: usize) -> Value {
    if depth == 0 || random.percent(20) {
        return value(random, 2);
    }
    if let Some(allowed) = rules["allowed"].as_array().filter(|list| !list.is_empty())
        && random.percent(50)
    {
        return random.pick(allowed).clone();
    }
    for operator in ["anyof", "oneof", "allof"] {
        if let Some(definitions) = rules[operator].as_array().filter(|list| !list.is_empty())
            && random.percent(50)
        {
            let definition = random.pick(definitions).clone();
            return fitting(random, &definition, depth - 1);
        }
    }
    if let Some(items) = rules["items"].as_array()
        && random.percent(80)
    {
        return items
            .iter()
            .map(|rules| fitting(random, rules, depth - 1))
            .collect();
    }
    let kind = rules["type"].as_str();
    match &rules["schema"] {
        Value::Object(schema) if kind != Some("list") && random.percent(80) => {
            return Value::Object(self::document(random, schema, depth - 1));
        }
        rules @ Value::Object(_) if random.percent(80) => {
            return some(random, |random| fitting(random, rules, depth - 1));
        }
        _ => {}
    }
    match kind {
        Some("string") => json!(random.pick(&TEXTS)),
        Some("integer" | "number" | "float") => number(random),
        Some("boolean") => json!(random.percent(50)),
        Some("list") => some(random, |random| value(random, 1)),
        Some("dict" | "container") => {
            let inner = rules["valuesrules"].clone();
            (0..random.below(4))
                .map(|_| (name(random), fitting(random, &inner, depth - 1)))
                .collect::<Map<_, _>>()
                .into()
        }
        _ => value(random, 2),
    }
}
