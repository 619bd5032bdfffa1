//! Expressions on their own: what they give, what becomes of what is not there, and what callers add.

use std::sync::Arc;

use bowline_words::Diagnose;

use crate::{
    Absent, CompiledTemplate, Environment, Expression, Failure, Function, Kind, Native, Parameters,
    Scope, Shape, TemplateError, TemplateErrorKind, Value,
};

/// A mapping that says so when it is asked for a key that it does not have.
#[derive(Debug)]
struct Ship(Vec<(&'static str, Value)>);

impl Native for Ship {
    fn shape(&self) -> Shape {
        Shape::Mapping
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn at(&self, place: usize) -> Option<Value> {
        self.0.get(place).map(|(name, _)| Value::from(*name))
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let found = self.0.iter().find(|(name, _)| Some(*name) == key.as_text());
        found.map(|(_, value)| value.clone())
    }

    fn missing(&self, key: &Value) -> Option<Failure> {
        Some(Failure::new(format!("no `{key}` on board")))
    }
}

/// A sequence of whole numbers.
#[derive(Debug)]
struct Steps(usize);

impl Native for Steps {
    fn shape(&self) -> Shape {
        Shape::Sequence
    }

    fn count(&self) -> usize {
        self.0
    }

    fn at(&self, place: usize) -> Option<Value> {
        (place < self.0).then(|| Value::from(place))
    }

    fn get(&self, _: &Value) -> Option<Value> {
        None
    }
}

fn scope() -> Scope {
    let ship = Ship(vec![
        ("name", Value::from("Anna")),
        ("items", Value::list(vec![Value::from(1_i64)])),
        ("owner", Value::NONE),
    ]);
    Scope::new([
        ("ship", Value::native(Arc::new(ship))),
        ("steps", Value::native(Arc::new(Steps(3)))),
        ("null", Value::NONE),
        ("n", Value::from(3_i64)),
    ])
}

fn environment(absent: Absent) -> Arc<Environment> {
    Arc::new(Environment::new(absent))
}

fn value(absent: Absent, text: &str) -> Result<Value, TemplateError> {
    Expression::compile(&environment(absent), text)?.evaluate(&scope())
}

fn text(absent: Absent, expression: &str) -> String {
    match value(absent, expression) {
        Ok(value) => value.to_string(),
        Err(error) => format!("error: {}", error.message),
    }
}

#[test]
fn values_keep_their_types() {
    let of = |text| value(Absent::Blank, text).expect(text);
    assert_eq!(of("n + 1").kind(), Kind::Integer(4));
    assert_eq!(of("n / 2").kind(), Kind::Float(1.5));
    assert_eq!(of("n > 2").kind(), Kind::Boolean(true));
    assert_eq!(of("2 ** 100").kind(), Kind::Integer(1 << 100));
    assert_eq!(of("ship.name").kind(), Kind::Text("Anna"));
    assert_eq!(of("ship").kind(), Kind::Mapping);
    assert_eq!(of("nobody").kind(), Kind::Undefined);
}

#[test]
fn what_gives_items_when_asked_has_given_them() {
    for (expression, items) in [
        ("[1, 2] | map('string')", "['1', '2']"),
        ("[[1, 2] | select('odd')]", "[[1]]"),
        ("{'a': [1] | map('string')}", "{'a': ['1']}"),
        ("steps | reject('odd')", "[0, 2]"),
        ("steps | map('string') | reverse", "['2', '1', '0']"),
    ] {
        assert_eq!(text(Absent::Blank, expression), items, "{expression}");
    }
}

#[test]
fn values_of_the_caller_are_like_pythons() {
    for (expression, expected) in [
        ("ship.items | first", "1"),
        ("ship.keys() | list", "['name', 'items', 'owner']"),
        ("ship.get('mast', 7)", "7"),
        ("'mast' in ship", "False"),
        ("'name' in ship", "True"),
        ("ship | length", "3"),
        ("ship is mapping and steps is not mapping", "True"),
        (
            "ship == {'name': 'Anna', 'items': [1], 'owner': none}",
            "True",
        ),
        ("ship == {'name': 'Anna'}", "False"),
        (
            "ship | dictsort | map('first') | join(' ')",
            "items name owner",
        ),
        ("dict(ship, name='Bea').name", "Bea"),
        ("'%(name)s' % ship", "Anna"),
        ("steps[1:]", "[1, 2]"),
        ("steps[-1]", "2"),
        ("steps + [9]", "[0, 1, 2, 9]"),
        ("2 in steps and 3 not in steps", "True"),
        ("steps | last", "2"),
        ("steps | sum", "3"),
        ("{'a': steps} | tojson", "{\"a\": [0, 1, 2]}"),
    ] {
        assert_eq!(text(Absent::Refused, expression), expected, "{expression}");
    }
}

#[test]
fn a_value_of_the_caller_says_why_a_key_is_wrong() {
    for absent in [Absent::Blank, Absent::Chained, Absent::Refused] {
        for expression in [
            "ship.mast",
            "ship['mast']",
            "ship.mast and true",
            "1 if ship.mast",
            "[ship] | map(attribute='mast')",
            "[ship] | selectattr('mast')",
        ] {
            assert_eq!(
                text(absent, expression),
                "error: no `mast` on board",
                "{expression}"
            );
        }
        for (expression, expected) in [
            ("ship.mast is defined", "False"),
            ("ship['mast'] is undefined", "True"),
            ("ship.mast | default(1)", "1"),
            ("(ship.mast if true else ship.sail) | d(2)", "2"),
            ("[ship] | map(attribute='mast', default=3) | first", "3"),
            (
                "[ship] | rejectattr('mast', 'defined') | list | length",
                "1",
            ),
        ] {
            assert_eq!(text(absent, expression), expected, "{expression}");
        }
    }
    let error = value(Absent::Blank, "n and ship.mast").expect_err("no mast");
    assert_eq!(error.column, Some(12));
}

#[test]
fn what_is_not_there_is_chained_or_refused() {
    for (absent, expression, expected) in [
        (Absent::Blank, "null.a", ""),
        (
            Absent::Blank,
            "null.a.b",
            "error: a `NoneType` has no attribute `a`",
        ),
        (Absent::Chained, "null.a.b['c']", ""),
        (Absent::Chained, "null | join(',')", ""),
        (
            Absent::Blank,
            "null | join(',')",
            "error: a `NoneType` cannot be iterated over",
        ),
        (
            Absent::Refused,
            "null.a",
            "error: a `NoneType` has no attribute `a`",
        ),
        (Absent::Refused, "nobody", "error: `nobody` is undefined"),
        (
            Absent::Refused,
            "1 if nobody else 2",
            "error: `nobody` is undefined",
        ),
        (Absent::Refused, "nobody is defined", "False"),
        (Absent::Falsy, "1 if nobody else 2", "2"),
        (Absent::Falsy, "1 if not nobody or n else 2", "1"),
        (Absent::Falsy, "1 if n and nobody == 'x' else 2", "2"),
        (
            Absent::Falsy,
            "nobody ~ 'x'",
            "error: `nobody` is undefined",
        ),
        (
            Absent::Falsy,
            "nobody | upper",
            "error: `nobody` is undefined",
        ),
    ] {
        assert_eq!(text(absent, expression), expected, "{expression}");
    }
    let error = value(Absent::Refused, "stepps + 1").expect_err("no such name");
    assert_eq!(error.undefined(), Some("stepps"));
    assert_eq!(error.hint.as_deref(), Some("did you mean `steps`?"));
}

#[test]
fn a_template_refuses_to_print_what_is_not_there() {
    let render = |text: &str| {
        let environment = environment(Absent::Refused);
        CompiledTemplate::compile_in(&environment, "t", text)?.render_with(&scope())
    };
    assert_eq!(render("a{{ 'b' if n > 9 }}c").expect("it renders"), "ac");
    assert_eq!(
        render("{{ [] | first }}").expect_err("nothing").message,
        "there is no first item"
    );
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sea is rough")]
struct Rough;

#[test]
fn callers_add_filters_tests_and_functions() {
    let environment = Environment::new(Absent::Blank)
        .with_filters([
            Function::new("shout", Parameters::listed(&["mark"], 0), |call| {
                let mark = call
                    .argument(0)
                    .map_or("!", |mark| mark.as_text().unwrap_or("?"));
                Ok(Value::from(format!("{}{mark}", call.value())))
            }),
            Function::new("upper", Parameters::NONE, |_| Ok(Value::from("ours"))),
        ])
        .with_tests([Function::new("calm", Parameters::NONE, |call| {
            Ok(Value::from(call.value().as_text() == Some("calm")))
        })])
        .with_functions([
            Function::new("count", Parameters::Rest, |call| {
                Ok(Value::from(call.arguments().count()))
            }),
            Function::new("sail", Parameters::listed(&["wind"], 1), |_| {
                Err(Failure::new("cannot sail").caused_by(Rough))
            }),
        ])
        .with_values([("home", Value::from("Kiel"))]);
    let environment = Arc::new(environment);
    let text = |text: &str| {
        let value = Expression::compile(&environment, text).and_then(|e| e.evaluate(&scope()));
        value.map_or_else(
            |error| format!("error: {}", error.diagnose()),
            |value| value.to_string(),
        )
    };
    assert_eq!(text("home | shout"), "Kiel!");
    assert_eq!(text("[home] | map('shout', mark='.') | list"), "['Kiel.']");
    assert_eq!(text("home | upper"), "ours");
    assert_eq!(text("['calm', home] | select('calm') | list"), "['calm']");
    assert_eq!(text("count(1, 2, *[3])"), "3");
    assert_eq!(
        text("home | shout(mrk=1)"),
        "error: `shout` takes no argument named `mrk` (`expression`, 1:8)"
    );
    assert_eq!(
        text("home | shuot"),
        "error: unknown filter `shuot` (`expression`, 1:8)\nhint: did you mean `shout`?"
    );
    assert_eq!(
        text("1 if true else (home is clam)"),
        "error: unknown test `clam` (`expression`, 1:25)\nhint: did you mean `calm`?"
    );
    let error = Expression::compile(&environment, "sail(wind=9)")
        .and_then(|sail| sail.evaluate(&scope()))
        .expect_err("it fails");
    assert_eq!(error.cause::<Rough>(), Some(&Rough));
    assert_eq!(error.kind, TemplateErrorKind::Render);
}

#[test]
fn texts_that_are_no_expression_are_refused_with_their_place() {
    for (text, message, column) in [
        ("n +", "the expression ends too early", 4),
        ("n n", "unexpected `n`", 3),
        ("", "the expression ends too early", 1),
        ("(n", "expected `)`, found the end of the expression", 3),
    ] {
        let error = Expression::compile(&environment(Absent::Blank), text).expect_err(text);
        assert_eq!(
            (&*error.message, error.column),
            (message, Some(column)),
            "{text}"
        );
        assert_eq!(error.kind, TemplateErrorKind::Syntax);
    }
}

#[test]
fn an_expression_cannot_work_without_end() {
    for expression in [
        "range(9999) | map('center', 99999) | list",
        "range(99999) | select('in', range(99999) | list) | list",
        "'x' * 1000000000",
        "9999999 ** 9999999",
    ] {
        let error = value(Absent::Chained, expression).expect_err(expression);
        assert_eq!(
            error.kind,
            TemplateErrorKind::OutOfFuel,
            "{expression}: {error}"
        );
    }
}

#[test]
fn expressions_are_shared_between_threads() {
    let expression =
        Expression::compile(&environment(Absent::Blank), "steps | map('string') | join")
            .expect("it compiles");
    let scope = scope();
    std::thread::scope(|threads| {
        let running: Vec<_> = (0..4)
            .map(|_| threads.spawn(|| expression.evaluate(&scope).map(|value| value.to_string())))
            .collect();
        for thread in running {
            assert_eq!(thread.join().expect("no panic"), Ok("012".to_owned()));
        }
    });
}

#[test]
fn names_are_what_is_taken_from_outside() {
    let expression = Expression::compile(
        &environment(Absent::Blank),
        "[b.c, a] | map('d', e=f) | list + range(2)",
    )
    .expect("it compiles");
    assert_eq!(
        expression.names().collect::<Vec<_>>(),
        ["a", "b", "f", "range"]
    );
}
