//! Statements of the suite's own for engines that know no `SELECT 1`, pad texts, or want a NULL to have a type.

use std::sync::Arc;

use bowline_contract::Template;
use bowline_query::{ComposeError, Composer, Literal, Rows};
use bowline_template::CompiledTemplate;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::template::{ConnectorTemplate, Origin, SuiteWords, TemplateSet};

const OWN_FROM: &str = "{% if cte %}{{ cte }} {% endif %}SELECT {{ select_expressions | join(', ') }}{% if not cte %} FROM RDB$DATABASE{% endif %}";

/// A composer with the base pack's templates and these over them.
fn composer(own: &[(&'static str, &str)], suite: SuiteWords) -> Composer {
    let mut templates: TemplateSet = Pack::find("ansi").unwrap().templates().with_suite(suite);
    for (name, text) in own {
        templates.insert(spelled(name, text));
    }
    Composer::new(Arc::new(templates))
}

fn spelled(name: &'static str, text: &str) -> ConnectorTemplate {
    let template = Template::known(name);
    ConnectorTemplate {
        template,
        text: text.to_owned(),
        origin: Origin::Composed,
        compiled: CompiledTemplate::compile(template.short_name(), text).unwrap(),
    }
}

fn words(one_row_table: &str, text_type: &str) -> SuiteWords {
    SuiteWords {
        one_row_table: Some(one_row_table.to_owned()),
        text_type: Some(text_type.to_owned()),
    }
}

fn column(values: Vec<Literal>) -> Rows {
    Rows {
        columns: vec!["val".to_owned()],
        values: values.into_iter().map(|value| vec![value]).collect(),
    }
}

fn number(number: &str) -> Literal {
    Literal::Number(number.to_owned())
}

fn text(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

#[test]
fn a_select_names_a_table_only_where_it_must() {
    let one = ["1".to_owned()];
    let plain = composer(
        &[("supports_literal_select", "true")],
        words("DUAL", "TEXT"),
    );
    assert_eq!(plain.select_row(&one).unwrap(), "SELECT 1");
    assert_eq!(plain.one_row_clause().unwrap(), "");

    let silent = composer(&[], SuiteWords::default());
    assert_eq!(silent.one_row_clause().unwrap(), "");

    let named = composer(
        &[("supports_literal_select", "false")],
        words("DUAL", "TEXT"),
    );
    assert_eq!(named.select_row(&one).unwrap(), "SELECT 1 FROM DUAL");
    assert_eq!(named.one_row_clause().unwrap(), " FROM DUAL");
    assert_eq!(named.bare(&one).unwrap(), "SELECT 1 FROM DUAL");
}

#[test]
fn a_clause_that_brings_its_own_from_gets_no_second_one() {
    for flag in ["true", "false"] {
        let own = [
            ("add_select_clause", OWN_FROM),
            ("supports_literal_select", flag),
        ];
        let composer = composer(&own, SuiteWords::default());
        assert_eq!(composer.one_row_clause().unwrap(), " FROM RDB$DATABASE");
        let sql = composer
            .over_rows(&column(vec![number("1"), number("2")]), &["val".to_owned()])
            .unwrap();
        assert_eq!(
            sql,
            "WITH test_data AS (SELECT 1 AS val FROM RDB$DATABASE UNION ALL SELECT 2 AS val FROM RDB$DATABASE) \
             SELECT val FROM test_data"
        );
    }
}

#[test]
fn a_table_of_literals_stands_in_for_one_that_nobody_named() {
    let own = [
        ("supports_literal_select", "false"),
        (
            "literal_table_from_value_list",
            "SELECT {{ value_list[0] }} AS {{ result_field_name }} FROM SYSIBM.SYSDUMMY1",
        ),
    ];
    assert_eq!(
        composer(&own, SuiteWords::default())
            .one_row_clause()
            .unwrap(),
        " FROM (SELECT 1 AS val FROM SYSIBM.SYSDUMMY1) one_row"
    );
}

#[test]
fn where_nobody_named_one_the_connector_is_asked_to() {
    let mut silent = TemplateSet::default();
    for name in [
        "supports_literal_select",
        "add_select_clause",
        "alias_field",
    ] {
        let text = if name == "supports_literal_select" {
            "false"
        } else {
            "SELECT {{ select_expressions }}"
        };
        silent.insert(spelled(name, text));
    }
    let silent = Composer::new(Arc::new(silent));
    assert_eq!(silent.one_row_clause(), Err(ComposeError::NoOneRowTable));
    assert_eq!(
        silent.select_row(&["1".to_owned()]),
        Err(ComposeError::NoOneRowTable)
    );
}

#[test]
fn a_null_has_the_type_of_what_stands_beside_it() {
    let composer = composer(
        &[("supports_literal_select", "true")],
        SuiteWords::default(),
    );
    assert_eq!(
        composer
            .rows(&column(vec![Literal::Null, number("7")]))
            .unwrap(),
        "SELECT CASE WHEN 1 = 0 THEN 7 ELSE NULL END AS val UNION ALL SELECT 7 AS val"
    );
    assert_eq!(
        composer.rows(&column(vec![Literal::Null])).unwrap(),
        "SELECT NULL AS val"
    );
}

#[test]
fn texts_are_not_padded_to_the_longest() {
    let flag = [("supports_literal_select", "false")];
    let rows = column(vec![text("a"), text("long")]);
    assert_eq!(
        composer(&flag, words("DUAL", "VARCHAR(9)"))
            .plain_rows(&rows)
            .unwrap(),
        "SELECT CAST('a' AS VARCHAR(9)) AS val FROM DUAL UNION ALL SELECT CAST('long' AS VARCHAR(9)) AS val FROM DUAL"
    );
    let table = SuiteWords {
        text_type: None,
        ..words("DUAL", "")
    };
    assert_eq!(
        composer(&flag, table).plain_rows(&rows).unwrap(),
        "SELECT CAST('a' AS VARCHAR) AS val FROM DUAL UNION ALL SELECT CAST('long' AS VARCHAR) AS val FROM DUAL"
    );
    let usual = composer(
        &[("supports_literal_select", "true")],
        SuiteWords::default(),
    );
    assert_eq!(
        usual.plain_rows(&rows).unwrap(),
        "SELECT 'a' AS val UNION ALL SELECT 'long' AS val"
    );
}

#[test]
fn the_type_for_texts_is_what_the_connector_casts_to() {
    let none = SuiteWords::default;
    for (cast, expected) in [
        ("CAST({{ expression }} AS VARCHAR(200))", "VARCHAR(200)"),
        ("cast( {{ expression }} as STRING )", "STRING"),
        ("CAST({{ expression }} AS CHAR)", "TEXT"),
        ("TO_CHAR({{ expression }})", "TEXT"),
        ("{{ expression }}::TEXT", "TEXT"),
    ] {
        let composer = composer(&[("cast_to_string_func", cast)], none());
        assert_eq!(composer.text_type(), expected, "{cast}");
    }
    let composer = composer(&[], words("DUAL", "CLOB"));
    assert_eq!(composer.text_type(), "CLOB");
}

/// Engines without WITH select from derived tables.
#[test]
fn rows_are_a_derived_table_where_there_is_no_with() {
    let ansi = Pack::find("ansi").unwrap().templates();
    let mut without = TemplateSet::default();
    for template in ansi
        .iter()
        .filter(|each| each.template.short_name() != "build_cte")
    {
        without.insert(template.clone());
    }
    let rows = column(vec![number("1"), number("2")]);
    let over = |templates| {
        Composer::new(Arc::new(templates))
            .over_rows(&rows, &["SUM(val)".to_owned()])
            .unwrap()
    };
    let made = "SELECT 1 AS val UNION ALL SELECT 2 AS val";
    assert_eq!(
        over(ansi),
        format!("WITH test_data AS ({made}) SELECT SUM(val) FROM test_data")
    );
    assert_eq!(
        over(without),
        format!("SELECT SUM(val) FROM ({made}) test_data")
    );
}
