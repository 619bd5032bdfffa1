//! PostgreSQL over both ways to it: values, results, errors.

use bowline_driver::{Database, SqlErrorKind, Value};

use crate::engine::{check_values, every_postgresql, run, with};

/// What comes back alike through every driver: an expression, the kind of its value, and the value.
pub(crate) const VALUES: &[(&str, &str, &str)] = &[
    ("NULL::int", "null", "NULL"),
    ("true", "boolean", "true"),
    ("false", "boolean", "false"),
    ("32767::int2", "integer", "32767"),
    (
        "9223372036854775807::int8",
        "integer",
        "9223372036854775807",
    ),
    ("10.50::numeric(10,2)", "decimal", "10.50"),
    (
        "12345678901234567890123456789012345678901234567890.123456789",
        "decimal",
        "12345678901234567890123456789012345678901234567890.123456789",
    ),
    ("'NaN'::numeric", "float", "NaN"),
    ("0.1::float8", "float", "0.1"),
    ("0.1::float8 + 0.2::float8", "float", "0.30000000000000004"),
    ("'-Infinity'::float8", "float", "-Infinity"),
    ("'x'::char(3)", "text", "x  "),
    ("E'a ''b'' \\u2713 🪢'", "text", "a 'b' ✓ 🪢"),
    ("'\\x00ff'::bytea", "bytes", "\\x00ff"),
    ("DATE '2024-02-29'", "date", "2024-02-29"),
    ("TIME '03:04:05'", "time", "03:04:05"),
    (
        "TIMESTAMP '2024-01-02 03:04:05.123456'",
        "timestamp",
        "2024-01-02 03:04:05.123456",
    ),
    (
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
        "text",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ),
    ("'{\"a\": 1}'::jsonb", "text", "{\"a\": 1}"),
];

fn every(test: impl Fn(&str, &dyn Database)) {
    for (way, database) in every_postgresql() {
        with(database, |database| test(way, &*database));
    }
}

#[test]
fn values_are_exact() {
    every(|_, database| {
        let mut db = database.connect().unwrap();
        check_values(&mut *db, VALUES);
        check_values(
            &mut *db,
            &[
                ("4294967295::oid", "integer", "4294967295"),
                ("DATE '-infinity'", "text", "-infinity"),
                ("TIME '03:04:05.5'", "time", "03:04:05.5"),
                ("TIMESTAMP 'infinity'", "text", "infinity"),
                ("TIMESTAMP '10000-01-01'", "text", "+10000-01-01 00:00:00"),
                (
                    "TIMESTAMPTZ '2024-01-02 03:04:05+01'",
                    "instant",
                    "2024-01-02 02:04:05+00:00",
                ),
                (
                    "INTERVAL '1 year 2 days -3.5 seconds'",
                    "interval",
                    "P1Y2DT-3.5S",
                ),
                ("'{1,NULL}'::int[]", "list", "[1, NULL]"),
                ("'{1.50}'::numeric[]", "list", "[1.50]"),
                ("'10.0.0.1/8'::inet", "text", "10.0.0.1/8"),
                ("'::1'::inet", "text", "::1"),
                ("B'101'", "text", "101"),
                ("'<a/>'::xml", "text", "<a/>"),
                ("'03:04:05-03:30'::timetz", "text", "03:04:05-03:30"),
            ],
        );
    });
}

#[test]
fn types_that_would_be_shown_wrong_are_refused() {
    every(|way, database| {
        let mut db = database.connect().unwrap();
        if way != "postgresql" {
            return;
        }
        for (expression, kind) in [
            ("12.34::money", "money"),
            ("'(1,2)'::point", "point"),
            ("'pg_class'::regclass", "regclass"),
            ("ROW(1, 'a')", "record"),
        ] {
            let error = run(&mut *db, &format!("SELECT {expression} AS x")).unwrap_err();
            assert_eq!(
                error.kind,
                SqlErrorKind::UnsupportedType,
                "{expression}: {error}"
            );
            assert_eq!(
                error.text(),
                format!(
                    "type is not supported: column `x` is of type `{kind}`\nhint: cast it to text"
                )
            );
        }
        assert!(run(&mut *db, "SELECT 1").is_ok());
    });
}

#[test]
fn every_kind_of_statement_runs() {
    every(|_, database| {
        let mut db = database.connect().unwrap();
        let made = run(&mut *db, "CREATE TEMP TABLE t (a int, b text)").unwrap();
        assert!(made.columns.is_empty() && made.rows.is_empty());
        let inserted = run(&mut *db, "INSERT INTO t VALUES (1, 'x'), (2, NULL)").unwrap();
        assert_eq!(
            (inserted.columns.len(), inserted.rows_affected),
            (0, Some(2))
        );
        let returned = run(&mut *db, "INSERT INTO t VALUES (3) RETURNING a").unwrap();
        assert_eq!(returned.scalar(), Some(&3i64.into()));
        let deleted = run(
            &mut *db,
            "WITH gone AS (DELETE FROM t WHERE a = 3 RETURNING a) SELECT a FROM gone",
        );
        assert_eq!(deleted.unwrap().rows.len(), 1);
        let shown = run(&mut *db, "SHOW server_encoding").unwrap();
        assert_eq!(shown.scalar(), Some(&"UTF8".into()));
        let plan = run(&mut *db, "EXPLAIN SELECT * FROM t").unwrap();
        assert!(matches!(plan.scalar(), Some(Value::Text(_))));
        let none = run(&mut *db, "SELECT a AS \"A b\" FROM t WHERE false").unwrap();
        assert_eq!(
            (
                none.columns[0].name.as_str(),
                none.columns[0].type_name.as_str()
            ),
            ("A b", "int4")
        );
        assert!(none.rows.is_empty());
        run(&mut *db, "DO $$ BEGIN PERFORM 1; END $$").unwrap();
        let version = run(&mut *db, "SELECT split_part(version(), ' ', 2)").unwrap();
        let version = version.scalar().unwrap();
        assert_eq!(database.product(), format!("PostgreSQL {version}"));
    });
}

#[test]
fn errors_have_their_kind_their_code_and_the_servers_words_alone() {
    every(|_, database| {
        let mut db = database.connect().unwrap();
        run(&mut *db, "CREATE TEMP TABLE t (a int PRIMARY KEY)").unwrap();
        run(&mut *db, "INSERT INTO t VALUES (1)").unwrap();
        use SqlErrorKind::{Data, MissingObject, Other, Syntax};
        for (sql, kind, code, words) in [
            (
                "SELEC 1",
                Syntax,
                "42601",
                "syntax error at or near \"SELEC\"",
            ),
            (
                "SELECT 1; SELECT 2",
                Syntax,
                "42601",
                "cannot insert multiple commands into a prepared statement",
            ),
            (
                "SELECT * FROM nope",
                MissingObject,
                "42P01",
                "relation \"nope\" does not exist",
            ),
            (
                "SELECT nope FROM t",
                MissingObject,
                "42703",
                "column \"nope\" does not exist",
            ),
            ("SELECT 1/0", Data, "22012", "division by zero"),
            (
                "SELECT 'x'::int",
                Data,
                "22P02",
                "invalid input syntax for type integer: \"x\"",
            ),
            (
                "INSERT INTO t VALUES (1)",
                Data,
                "23505",
                "duplicate key value violates unique constraint \"t_pkey\"\ndetail: Key (a)=(1) already exists.",
            ),
            (
                "CREATE TEMP TABLE t (a int)",
                Other,
                "42P07",
                "relation \"t\" already exists",
            ),
        ] {
            let error = run(&mut *db, sql).expect_err(sql);
            assert_eq!(
                (
                    error.kind,
                    error.sqlstate.as_deref(),
                    error.message.as_str()
                ),
                (kind, Some(code), words),
                "{sql}"
            );
        }
        let error = run(&mut *db, "").unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (Syntax, "the text holds no statement")
        );
    });
}

#[test]
fn data_that_fails_in_the_middle_of_a_result_is_an_error() {
    every(|_, database| {
        let mut db = database.connect().unwrap();
        let error = run(
            &mut *db,
            "SELECT 1 / (90000 - i) FROM generate_series(1, 95000) i",
        )
        .unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (SqlErrorKind::Data, "division by zero")
        );
        assert!(run(&mut *db, "SELECT 1").is_ok());
    });
}

#[test]
fn text_in_another_encoding_is_right_or_refused() {
    let asked = [
        "SELECT chr(233) AS v",
        "SELECT repeat(chr(233), 70000) AS v",
        "SELECT ARRAY['a', chr(233)] AS v",
        "SELECT json_build_object('a', chr(233)) AS v",
        r#"SELECT 1 AS U&"caf\00e9""#,
        r"SELECT CAST(U&'caf\00e9' AS name) AS v",
        r#"SELECT 1 FROM U&"caf\00e9""#,
    ];
    every(|_, database| {
        let mut db = database.connect().unwrap();
        for encoding in ["UTF8", "LATIN1", "WIN1252", "LATIN2", "EUC_JIS_2004"] {
            run(&mut *db, &format!("SET client_encoding TO '{encoding}'")).unwrap();
            for sql in asked {
                match run(&mut *db, sql) {
                    Ok(result) => {
                        let seen = format!("{result:?}");
                        assert!(encoding == "UTF8" || !seen.contains('\u{fffd}'), "{seen}");
                        assert_eq!(encoding, "UTF8", "{sql}: {seen:.200}");
                    }
                    Err(error) if error.kind == SqlErrorKind::MissingObject => {}
                    Err(error) => {
                        assert!(error.message.contains("UTF"), "{error:?}");
                        assert_ne!(encoding, "UTF8", "{sql}: {error:?}");
                    }
                }
            }
        }
        run(&mut *db, "SET client_encoding TO 'UTF8'").unwrap();
        let result = run(&mut *db, "SELECT chr(233) AS v").unwrap();
        assert_eq!(result.scalar(), Some(&Value::from("é")));
    });
}
