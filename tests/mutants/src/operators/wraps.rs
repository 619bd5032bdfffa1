//! Rows of SQL that go around an argument or around the whole text.

use crate::facts::Gives;
use crate::operators::arguments::{each_and_all, names, reading, stands};
use crate::operators::{Right, Wrong};

/// What goes around a value of each kind; `@` is the value. What a database does not know, it refuses.
fn rows(gives: Gives) -> &'static [&'static str] {
    match gives {
        Gives::Number => &[
            "(@ + 100)",
            "(@ + 1)",
            "(@ - 1)",
            "(@ * 2)",
            "(@ * 1.000001)",
            "(@ * 10)",
            "(-(@))",
            "ABS(@)",
            "ROUND(@)",
            "ROUND(@, 1)",
            "ROUND(@, 3)",
            "FLOOR(@)",
            "CEIL(@)",
            "TRUNC(@)",
            "TRUNCATE(@, 0)",
            "SIGN(@)",
            "(@ / 2)",
            "MOD(@, 100)",
            "COALESCE(@, 0)",
            "COALESCE(@, 1)",
            "NULLIF(@, 0)",
            "NULLIF(@, 1)",
            "LEAST(@, 100)",
            "LEAST(@, 1000000)",
            "MIN(@, 100)",
            "GREATEST(@, 0)",
            "MAX(@, 0)",
            "GREATEST(@, 1)",
            "CAST(@ AS REAL)",
            "CAST(@ AS FLOAT)",
            "CAST(@ AS INTEGER)",
            "CAST(@ AS SIGNED)",
            "CAST(@ AS DECIMAL(10, 3))",
            "CAST(@ AS DECIMAL(18, 2))",
            "CAST(@ AS VARCHAR)",
            "CAST(@ AS TEXT)",
            "CAST(@ AS CHAR)",
            "CASE WHEN @ > 0 THEN @ END",
            "CASE WHEN @ < 0 THEN 0 ELSE @ END",
        ],
        Gives::Text => &[
            "LOWER(@)",
            "UPPER(@)",
            "TRIM(@)",
            "RTRIM(@)",
            "LTRIM(@)",
            "REVERSE(@)",
            "REPLACE(@, ' ', '')",
            "REPLACE(@, '-', '')",
            "REPLACE(@, '''', '')",
            "SUBSTR(@, 2)",
            "SUBSTR(@, 1, 1)",
            "SUBSTR(@, 1, 5)",
            "SUBSTR(@, 1, 10)",
            "SUBSTR(@, 1, 19)",
            "SUBSTR(@, 1, 20)",
            "SUBSTR(@, 1, 30)",
            "SUBSTR(@, 1, 50)",
            "SUBSTR(@, 1, 255)",
            "CAST(@ AS CHAR(20))",
            "CAST(@ AS VARCHAR(30))",
            "COALESCE(@, '')",
            "COALESCE(@, 'null')",
            "COALESCE(@, ' ')",
            "NULLIF(@, '')",
            "NULLIF(TRIM(@), '')",
            "(@ || ' ')",
            "(' ' || @)",
            "(@ || @)",
            "('''' || @ || '''')",
            "CONCAT(@, ' ')",
            "CONCAT(' ', @)",
            "CONCAT(@, '0')",
            "CAST(LENGTH(@) AS VARCHAR)",
        ],
        Gives::Time => &[
            "CAST(@ AS DATE)",
            "DATE(@)",
            "CAST(@ AS TIMESTAMP(0))",
            "CAST(@ AS TIMESTAMP_S)",
            "CAST(@ AS DATETIME)",
            "CAST(@ AS TIMESTAMP)",
            "CAST(@ AS TIMESTAMP WITH TIME ZONE)",
            "DATE_TRUNC('second', @)",
            "DATE_TRUNC('minute', @)",
            "DATE_TRUNC('hour', @)",
            "DATE_TRUNC('day', @)",
            "DATE_TRUNC('week', @)",
            "DATE_TRUNC('month', @)",
            "DATE_TRUNC('year', @)",
            "(@ + INTERVAL '1' DAY)",
            "(@ - INTERVAL '1' DAY)",
            "(@ + INTERVAL '1' HOUR)",
            "(@ - INTERVAL '1' HOUR)",
            "(@ + INTERVAL '1' SECOND)",
            "(@ - INTERVAL '1' SECOND)",
            "(@ + INTERVAL '1' MONTH)",
            "(@ + INTERVAL '7' DAY)",
            "(@ + INTERVAL '100' YEAR)",
            "(@ AT TIME ZONE 'UTC')",
            "(@ AT TIME ZONE 'Europe/Berlin')",
            "(@ AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin')",
            "(@ AT TIME ZONE 'Europe/Berlin' AT TIME ZONE 'UTC')",
            "CONVERT_TZ(@, '+00:00', '+02:00')",
            "CONVERT_TZ(@, '+02:00', '+00:00')",
            "DATETIME(@)",
            "DATETIME(@, '+1 day')",
            "DATETIME(@, '-1 day')",
            "DATETIME(@, '+1 hour')",
            "DATETIME(@, '+1 second')",
            "DATETIME(@, 'start of day')",
            "DATETIME(@, 'start of month')",
            "STRFTIME('%Y-%m-%d %H:%M:%S', @)",
            "STRFTIME('%Y-%m-%d %H:%M', @)",
            "STRFTIME('%Y-%m-%dT%H:%M:%S', @)",
            "STRFTIME('%d.%m.%Y', @)",
            "DATE_FORMAT(@, '%Y-%m-%d %H:%i:%s')",
            "DATE_FORMAT(@, '%Y-%m-%d %H:%i')",
            "CAST(@ AS VARCHAR)",
            "CAST(@ AS TEXT)",
            "CAST(@ AS CHAR)",
            "COALESCE(@, CURRENT_TIMESTAMP)",
            "COALESCE(@, TIMESTAMP '1970-01-01 00:00:00')",
            "COALESCE(@, '1970-01-01 00:00:00')",
            "NULLIF(@, TIMESTAMP '1970-01-01 00:00:00')",
            "LEAST(@, CURRENT_TIMESTAMP)",
            "GREATEST(@, TIMESTAMP '1970-01-01 00:00:00')",
            "CURRENT_TIMESTAMP",
            "CURRENT_DATE",
        ],
        Gives::Condition => &[
            "NOT (@)",
            "(@ OR 1 = 1)",
            "(@ AND 1 = 0)",
            "@ OR 1 = 0",
            "COALESCE(@, TRUE)",
            "COALESCE(@, FALSE)",
            "(@) IS NOT TRUE",
            "(@) IS NOT FALSE",
            "(@) IS TRUE",
            "((@) IS NULL)",
            "((@) IS NOT NULL)",
            "1 = 1",
            "1 = 0",
            "NULL",
        ],
        Gives::Rows => &[
            "@ LIMIT 1",
            "@ LIMIT 2",
            "@ LIMIT 100",
            "@ OFFSET 1",
            "@ ORDER BY 1",
            "@ ORDER BY 1 DESC",
            "@;",
            "@ WHERE 1 = 0",
            "SELECT DISTINCT * FROM (@) AS q",
            "SELECT * FROM (@) AS q LIMIT 1",
            "SELECT * FROM (@) AS q LIMIT 3",
            "SELECT * FROM (@) AS q WHERE 1 = 0",
            "SELECT * FROM (@) AS q ORDER BY 1 DESC",
            "SELECT * FROM (@) AS q ORDER BY 1",
            "SELECT * FROM (@) AS q UNION ALL SELECT * FROM (@) AS r",
            "SELECT *, 1 AS more FROM (@) AS q",
            "SELECT COUNT(*) FROM (@) AS q",
            "SELECT 1 AS val FROM (@) AS q",
        ],
        Gives::Name | Gives::Other => &[],
    }
}

/// What goes around what an aggregate is given, of any kind.
const OF_AGGREGATES: &[&str] = &["DISTINCT @", "ALL @", "*"];

/// What goes around an aggregate or a value of many rows.
const AGGREGATES: &[&str] = &["MAX(@)", "MIN(@)", "COUNT(@)", "SUM(@)"];

/// SQL around an argument.
pub(super) fn arguments(right: &Right<'_>) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for name in names(right) {
        let tokens = stands(right, name);
        let kind = right.facts.takes.get(name).copied().unwrap_or(Gives::Other);
        for row in rows(kind).iter().chain(OF_AGGREGATES) {
            let fault = row.replace('@', name);
            let keep = if row.contains('@') {
                String::new()
            } else {
                reading(right, name)
            };
            let texts = each_and_all(right, &tokens, &fault, |own| row.replace('@', own));
            wrong.extend(
                texts
                    .into_iter()
                    .map(|(fault, text)| (fault, format!("{text}{keep}"))),
            );
        }
    }
    wrong
}

/// The whole in place of an argument.
pub(super) fn twice(right: &Right<'_>) -> Vec<Wrong> {
    let whole = right.source.text.trim();
    let mut wrong = Vec::new();
    for name in names(right) {
        let tokens = stands(right, name);
        let fault = format!("applied twice to {name}");
        wrong.extend(each_and_all(right, &tokens, &fault, |_| {
            format!("({whole})")
        }));
    }
    wrong
}

/// SQL around the whole.
pub(super) fn results(right: &Right<'_>) -> Vec<Wrong> {
    let whole = right.source.text.trim();
    let rows = rows(right.facts.gives);
    let aggregates = match right.facts.gives {
        Gives::Name | Gives::Other | Gives::Rows => &[],
        _ => AGGREGATES,
    };
    rows.iter()
        .chain(aggregates)
        .map(|row| {
            let keep = if row.contains('@') {
                String::new()
            } else {
                names(right)
                    .iter()
                    .map(|name| reading(right, name))
                    .collect()
            };
            (
                row.replace('@', "…"),
                format!("{}{keep}", row.replace('@', whole)),
            )
        })
        .collect()
}
