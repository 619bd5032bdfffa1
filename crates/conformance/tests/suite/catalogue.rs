//! Catalogues that say what is not so, and broken objects in them.

use super::*;

#[test]
fn broken_objects_are_passed_over_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    prepare(
        &database,
        &[
            "CREATE TABLE gone (z INTEGER)",
            "CREATE VIEW \"Broken View!\" AS SELECT z FROM gone",
            "DROP TABLE gone",
        ],
    );
    // SQLite alters no table beside a broken view.
    let metadata = Options {
        sections: vec![SuiteSection::Metadata],
        ..options()
    };
    let report = test(sqlite_templates(), database, &metadata);
    assert!(!report.has_shortfall());
    assert!(!report.has_unknown());
    let told = report.checks.iter().flat_map(|check| &check.advice);
    assert!(told.into_iter().any(|words| words.contains("Broken View!")));
}

/// What a wrong spelling of a template costs: the templates named first and the capabilities lost.
fn costs(name: &'static str, text: &str) -> (Option<&'static str>, Vec<Capability>) {
    let folder = tempfile::tempdir().expect("a folder");
    let template = Template::find(name).expect("a template");
    let mut templates = sqlite_templates();
    let right = templates.get(template).expect("implemented").text.clone();
    templates.insert(spelled(template, &text.replace("RIGHT", &right)));
    let report = test(templates, sqlite(folder.path()), &options());
    let culprit = report
        .culprits
        .first()
        .map(|culprit| culprit.template.short_name());
    let lost = report
        .capabilities
        .iter()
        .filter(|each| each.verdict == Some(Verdict::Wrong));
    (culprit, lost.map(|each| each.capability).collect())
}

#[test]
fn a_false_size_takes_its_capability_with_it() {
    let columns = "database_name, schema_name, table_name, table_type, row_count";
    let rest = "NULL AS last_update_time, view_query FROM (RIGHT\n) ORDER BY 2, 3";
    for bytes in ["8192", "byte_count / 1024", "row_count"] {
        let (culprit, lost) = costs(
            "get_tables_query",
            &format!("SELECT {columns}, {bytes} AS byte_count, {rest}"),
        );
        assert_eq!(culprit, Some("get_tables_query"), "{bytes}");
        assert!(lost.contains(&Capability::VolumeBytes), "{bytes}: {lost:?}");
    }
}

#[test]
fn a_false_catalogue_names_its_template() {
    for (name, text) in [
        // Bits for bytes.
        (
            "get_tables_query",
            "SELECT database_name, schema_name, table_name, table_type, row_count, byte_count * 8 AS byte_count, \
             NULL AS last_update_time, view_query FROM (RIGHT\n) ORDER BY 2, 3",
        ),
        // A view without its condition.
        (
            "get_tables_query",
            "SELECT database_name, schema_name, table_name, table_type, row_count, byte_count, \
             NULL AS last_update_time, CASE WHEN instr(view_query, ' WHERE ') > 0 THEN \
             substr(view_query, 1, instr(view_query, ' WHERE ')) ELSE view_query END AS view_query \
             FROM (RIGHT\n) ORDER BY 2, 3",
        ),
        // Later pages that lack their first row.
        (
            "get_tables_query",
            "SELECT * FROM (RIGHT\n) LIMIT -1 OFFSET {{ 1 if offset else 0 }}",
        ),
        // Tables hidden that are called a little like those of a system.
        (
            "get_tables_query",
            "SELECT * FROM (RIGHT\n) WHERE table_name NOT LIKE 'pg_%' ORDER BY 2, 3",
        ),
        // No more than so many, whatever is asked for.
        (
            "get_tables_query",
            "SELECT * FROM (RIGHT\n) ORDER BY 2, 3 LIMIT {{ [limit, 1000] | min }}",
        ),
        ("get_columns_query", "SELECT * FROM (RIGHT\n) LIMIT 1000"),
        // A column again for each key that it stands in.
        (
            "get_columns_query",
            "SELECT listed.* FROM (RIGHT\n) AS listed LEFT JOIN (SELECT m.name AS indexed, c.name AS column_name \
             FROM sqlite_master AS m, pragma_index_list(m.name) AS i, pragma_index_info(i.name) AS c \
             WHERE m.type = 'table') AS keys ON full_table_id LIKE '%.' || indexed AND keys.column_name = listed.column_name",
        ),
        // Columns that may lack a value.
        (
            "get_columns_query",
            "SELECT * FROM (RIGHT\n) WHERE column_name NOT LIKE 'Key%'",
        ),
        // In the order of a measure alone.
        (
            "get_tables_query",
            "SELECT * FROM (RIGHT\n) ORDER BY byte_count DESC LIMIT {{ limit }}",
        ),
        // Columns of every table whose name is part of an id asked for.
        (
            "get_columns_query",
            "SELECT 'main.' || l.schema || '.' || l.name AS full_table_id, c.name AS column_name, \
             COALESCE(NULLIF(c.type, ''), 'ANY') AS column_type \
             FROM pragma_table_list AS l CROSS JOIN pragma_table_xinfo(l.name, l.schema) AS c \
             WHERE '{{ database_name }}' = 'main' AND c.hidden <> 1 \
             AND instr('{{ tables | replace(\"'\", \"''\") }}', l.schema || '.' || replace(l.name, '''', '''''')) > 0",
        ),
        // Codes for types.
        (
            "get_columns_query",
            "SELECT full_table_id, column_name, substr(column_type, 1, 1) AS column_type FROM (RIGHT\n)",
        ),
    ] {
        let (culprit, lost) = costs(name, text);
        assert_eq!(culprit, Some(name), "{text}");
        assert!(!lost.is_empty(), "{text}");
    }
}

#[test]
fn what_changes_the_test_table_does_what_it_is_asked() {
    for (name, text) in [
        (
            "create_lineage_query",
            "SELECT '{{ schema }}.{{ table }}' AS named",
        ),
        (
            "add_column",
            "ALTER TABLE \"{{ schema }}\".\"{{ table }}\" ADD COLUMN \"{{ column_name }}\" INTEGER {{ '' if column_type }}",
        ),
    ] {
        let (culprit, _) = costs(name, text);
        assert_eq!(culprit, Some(name), "{text}");
    }
}

#[test]
fn a_last_update_at_the_beginning_of_the_epoch_is_none() {
    const ID: &str = "metadata/last_update_time";
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let template = Template::known("get_tables_query");
    let right = sqlite_templates();
    let right = right.get(template).expect("implemented");
    for (time, is_told) in [
        ("1970-01-01 00:00:00", false),
        ("1970-01-01 00:00:01", true),
    ] {
        let mut templates = sqlite_templates();
        let text = right.text.replace(
            "NULL AS last_update_time",
            &format!("'{time}' AS last_update_time"),
        );
        templates.insert(spelled(template, &text));
        let report = test(templates, Arc::clone(&database), &options());
        let is_supported = *outcome(&report, ID) == Outcome::Supported;
        assert_eq!(is_supported, is_told, "{time}: {:?}", outcome(&report, ID));
        // What moves when the table changes is asked of a time only.
        assert_eq!(report.has_shortfall(), is_told, "{time}");
    }
}

#[test]
fn a_table_that_is_listed_without_columns_is_looked_into() {
    const ID: &str = "metadata/columns_of_tables";
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    // Enough whose names want more care.
    for number in 1..=5 {
        let sql = format!("CREATE TABLE \"T-{number}\" (id INTEGER)");
        prepare(&database, &[&sql]);
    }
    prepare(&database, &["CREATE TABLE named (id INTEGER)"]);
    let template = Template::known("get_columns_query");
    let right = sqlite_templates();
    let right = &right.get(template).expect("implemented").text;
    let metadata = Options {
        sections: vec![SuiteSection::Metadata],
        ..options()
    };
    for (hidden, is_wrong) in [("named", true), ("nothing", false)] {
        let mut templates = sqlite_templates();
        let text = format!("SELECT * FROM ({right}\n) WHERE full_table_id <> 'main.main.{hidden}'");
        templates.insert(spelled(template, &text));
        let report = test(templates, Arc::clone(&database), &metadata);
        assert_eq!(outcome(&report, ID).is_shortfall(), is_wrong, "{hidden}");
    }
}
