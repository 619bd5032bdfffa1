//! DuckDB: values, results, errors.

use bowline_driver::{SqlErrorKind, open};

use crate::engine::{adbc, check_values, duckdb, folder, run, with};

#[test]
fn values_are_exact() {
    with(duckdb(), |database| {
        let mut db = database.connect().unwrap();
        check_values(
            &mut *db,
            &[
                ("NULL", "null", "NULL"),
                ("true", "boolean", "true"),
                ("255::UTINYINT", "integer", "255"),
                (
                    "18446744073709551615::UBIGINT",
                    "integer",
                    "18446744073709551615",
                ),
                (
                    "(-170141183460469231731687303715884105728)::HUGEINT",
                    "integer",
                    "-170141183460469231731687303715884105728",
                ),
                ("sum(1)", "integer", "1"),
                ("10.50::DECIMAL(10,2)", "decimal", "10.50"),
                (
                    "1234567890123456789012345678.0123456789::DECIMAL(38,10)",
                    "decimal",
                    "1234567890123456789012345678.0123456789",
                ),
                ("0.1::DOUBLE", "float", "0.1"),
                ("'NaN'::DOUBLE", "float", "NaN"),
                ("'-inf'::DOUBLE", "float", "-Infinity"),
                ("'a ''b'' ✓ 🐘'", "text", "a 'b' ✓ 🐘"),
                ("'\\x00\\xFF'::BLOB", "bytes", "\\x00ff"),
                ("DATE '2024-02-29'", "date", "2024-02-29"),
                ("'infinity'::DATE", "text", "infinity"),
                ("TIME '03:04:05.5'", "time", "03:04:05.5"),
                ("TIME '24:00:00'", "text", "24:00:00"),
                (
                    "'2024-01-02 03:04:05'::TIMESTAMP_S",
                    "timestamp",
                    "2024-01-02 03:04:05",
                ),
                (
                    "'2024-01-02 03:04:05.123'::TIMESTAMP_MS",
                    "timestamp",
                    "2024-01-02 03:04:05.123",
                ),
                (
                    "TIMESTAMP '9999-12-31 23:59:59.999999'",
                    "timestamp",
                    "9999-12-31 23:59:59.999999",
                ),
                (
                    "'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS",
                    "timestamp",
                    "2024-01-02 03:04:05.123456789",
                ),
                ("'-infinity'::TIMESTAMP", "text", "-infinity"),
                (
                    "'290000-01-01'::TIMESTAMP",
                    "text",
                    "+290000-01-01 00:00:00",
                ),
                (
                    "INTERVAL '1 year 2 days 3.5 seconds'",
                    "interval",
                    "P1Y2DT3.5S",
                ),
                ("[1, NULL]", "list", "[1, NULL]"),
                ("[1, 2]::INTEGER[2]", "list", "[1, 2]"),
                ("{'b': 1, 'a': 'x'}", "struct", "{b: 1, a: x}"),
                ("MAP {'k': 1}", "list", "[{key: k, value: 1}]"),
                ("'sad'::ENUM ('ok', 'sad')", "text", "sad"),
                ("union_value(num := 2)", "integer", "2"),
                (
                    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID",
                    "text",
                    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                ),
                ("'{\"a\": 1}'::JSON", "text", "{\"a\": 1}"),
                ("'10101'::BIT", "text", "10101"),
                ("'03:04:05-03:30'::TIMETZ", "text", "03:04:05-03:30"),
                (
                    "340282366920938463463374607431768211455::UHUGEINT",
                    "decimal",
                    "340282366920938463463374607431768211455",
                ),
                (
                    "(-12345678901234567890123)::BIGNUM",
                    "integer",
                    "-12345678901234567890123",
                ),
                ("7::DECIMAL(38,0)", "decimal", "7"),
            ],
        );
        run(&mut *db, "SET TimeZone = 'America/New_York'").unwrap();
        check_values(
            &mut *db,
            &[(
                "TIMESTAMPTZ '2024-07-01 12:00:00+00'",
                "instant",
                "2024-07-01 08:00:00-04:00",
            )],
        );
    });
}

#[test]
fn a_change_has_no_columns_and_says_how_many_rows() {
    with(duckdb(), |database| {
        let mut db = database.connect().unwrap();
        let made = run(&mut *db, "CREATE TABLE t (\"Count\" INTEGER)").unwrap();
        assert!(made.columns.is_empty() && made.rows.is_empty());
        let inserted = run(&mut *db, "INSERT INTO t VALUES (1), (2)").unwrap();
        assert_eq!(
            (inserted.columns.len(), inserted.rows_affected),
            (0, Some(2))
        );
        let returned = run(&mut *db, "INSERT INTO t VALUES (3) RETURNING \"Count\"").unwrap();
        assert_eq!(returned.scalar(), Some(&3i64.into()));
        assert_eq!(
            run(&mut *db, "SELECT \"Count\" FROM t").unwrap().rows.len(),
            3
        );
        let mut other = database.connect().unwrap();
        assert_eq!(run(&mut *other, "SELECT * FROM t").unwrap().rows.len(), 3);
        assert!(
            database.product().starts_with("DuckDB v1."),
            "{}",
            database.product()
        );
    });
}

#[test]
fn errors_have_their_kind_and_the_engines_words() {
    with(duckdb(), |database| {
        let mut db = database.connect().unwrap();
        run(&mut *db, "CREATE TABLE t (a INTEGER PRIMARY KEY)").unwrap();
        run(&mut *db, "INSERT INTO t VALUES (1)").unwrap();
        use SqlErrorKind::{Data, MissingObject, Other, Syntax};
        for (sql, kind, words) in [
            ("SELEC 1", Syntax, "syntax error at or near \"SELEC\""),
            ("", Syntax, "the text holds no statement"),
            ("-- nothing", Syntax, "the text holds no statement"),
            ("SELECT a, count(*) FROM t", Syntax, "GROUP BY"),
            ("SELECT * FROM nope", MissingObject, "nope does not exist"),
            (
                "SELECT nope FROM t",
                MissingObject,
                "Referenced column \"nope\" not found",
            ),
            ("SELECT nope(1)", MissingObject, "nope does not exist"),
            (
                "SELECT CAST('x' AS INTEGER)",
                Data,
                "Could not convert string 'x'",
            ),
            ("INSERT INTO t VALUES (1)", Data, "Duplicate key"),
            ("SELECT error('boom')", Data, "boom"),
            ("CREATE TABLE t (a INTEGER)", Other, "already exists"),
            (
                "COPY t TO '/no/such/folder/file'",
                Other,
                "Cannot open file",
            ),
        ] {
            let error = run(&mut *db, sql).expect_err(sql);
            assert_eq!(error.kind, kind, "{sql}: {error}");
            assert!(error.message.contains(words), "{sql}: {error}");
        }
        assert!(run(&mut *db, "SELECT 1").is_ok());
    });
}

#[test]
fn data_that_fails_in_the_middle_of_a_result_is_an_error() {
    with(duckdb(), |database| {
        let mut db = database.connect().unwrap();
        let sql = "SELECT CAST(CASE WHEN i > 90000 THEN 'x' ELSE '1' END AS INTEGER) FROM range(95000) t(i)";
        let error = run(&mut *db, sql).unwrap_err();
        assert_eq!(error.kind, SqlErrorKind::Data, "{error}");
        assert!(run(&mut *db, "SELECT 1").is_ok());
    });
}

#[test]
fn what_cannot_be_opened_is_told() {
    let (_kept, path) = folder();
    let text = path.join("notes.txt");
    std::fs::write(
        &text,
        "not a database, but long enough to be looked at".repeat(500),
    )
    .unwrap();
    let text = text.display().to_string();
    let missing = path.join("no/such/folder.db").display().to_string();
    for (option, value, kind, words) in [
        (
            "path",
            text.as_str(),
            SqlErrorKind::Connection,
            "not a valid DuckDB database",
        ),
        (
            "path",
            &missing,
            SqlErrorKind::Connection,
            "No such file or directory",
        ),
        ("pth", "x", SqlErrorKind::Driver, "pth"),
    ] {
        with(adbc("duckdb", &[(option, value)]), |spec| {
            let error = open(&spec).unwrap().connect().err().unwrap();
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.message.contains(words), "{error}");
        });
    }
}

#[test]
fn a_file_is_whole_once_its_connections_are_closed() {
    let (_kept, path) = folder();
    let file = path.join("shop.db").display().to_string();
    with(adbc("duckdb", &[("path", &file)]), |spec| {
        let database = open(&spec).unwrap();
        let mut db = database.connect().unwrap();
        run(&mut *db, "CREATE TABLE t AS SELECT 1 AS a").unwrap();
        drop(db);
        drop(database);
        let names: Vec<_> = std::fs::read_dir(&path)
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        assert_eq!(names, ["shop.db"]);
        let mut again = open(&spec).unwrap().connect().unwrap();
        assert_eq!(
            run(&mut *again, "SELECT a FROM t").unwrap().scalar(),
            Some(&1i64.into())
        );
    });
}
