//! Which template a broken or missing one is blamed on.

use super::*;

#[test]
fn a_broken_template_is_named_first_whichever_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let templates = sqlite_templates();
    let mut missed = Vec::new();
    for broken in templates.iter().map(|each| each.template) {
        let mut broken_set = templates.clone();
        // Every variable is used, so that the fault is the database's to find.
        let variables: String = broken
            .variables
            .iter()
            .map(|variable| format!("{{{{ {} }}}}", variable.name))
            .collect();
        let placeholders: String = broken
            .placeholders
            .iter()
            .map(|name| format!("{{{name}}}"))
            .collect();
        broken_set.insert(spelled(
            broken,
            &format!("BROKEN ( {variables} {placeholders}"),
        ));
        let report = test(broken_set, Arc::clone(&database), &options());
        match report.culprits.first() {
            Some(culprit) if culprit.template == broken => {}
            other => missed.push((
                broken.short_name(),
                other.map(|culprit| culprit.template.short_name()),
            )),
        }
    }
    assert!(missed.is_empty(), "broken and named instead: {missed:?}");
}

#[test]
fn a_mend_is_offered_when_a_pack_has_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut templates = sqlite_templates();
    let length = Template::find("get_length").expect("a template");
    templates.insert(spelled(length, "LEN({x})"));
    let report = test(templates, sqlite(folder.path()), &options());
    let culprit = report.culprits.first().expect("a culprit");
    assert_eq!(culprit.template, length);
    let mend = culprit.mend.as_ref().expect("a mend");
    assert!(mend.text.to_lowercase().contains("length"), "{mend:?}");
    assert!(culprit.blocks.is_empty(), "{:?}", culprit.blocks);
}

#[test]
fn what_is_missing_blocks_what_needs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = sqlite_templates();
    let missing = Template::find("union_queries").expect("a template");
    let mut templates = TemplateSet::default();
    all.iter()
        .filter(|each| each.template != missing)
        .for_each(|each| templates.insert(each.clone()));
    let report = test(templates, sqlite(folder.path()), &options());
    assert!(!report.has_shortfall());
    assert_eq!(
        *outcome(&report, "ql_prerequisites/union"),
        Outcome::Unsupported(Proof::NotImplemented(vec![missing]))
    );
    assert_eq!(
        *outcome(&report, "ql_metrics/avg"),
        Outcome::Blocked { by: vec![missing] }
    );
    let culprit = report.culprits.first().expect("the report leads with it");
    assert_eq!(culprit.template, missing);
    assert!(culprit.blocks.len() > 20);
}

#[test]
fn what_a_dialect_lacks_is_no_ones_fault_and_what_one_template_drops_is_its_own() {
    const ID: &str = "ql_prerequisites/cast_string_to_timestamp_early";
    // Neither knows a moment before 1970.
    const CAST: &str = "MAX(DATETIME({{ expression }}), '1970-01-01 00:00:00')";
    const LITERAL: &str = "'{{ date_time_value.replace(year=1970) if date_time_value.year < 1970 else date_time_value }}'";
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let options = Options {
        sections: vec![SuiteSection::QlPrerequisites],
        ..options()
    };
    let judged = Template::known("cast_string_to_timestamp");
    let mut templates = sqlite_templates();
    templates.insert(spelled(judged, CAST));
    let report = test(templates.clone(), Arc::clone(&database), &options);
    assert!(outcome(&report, ID).is_shortfall());
    assert_eq!(report.culprits[0].template, judged);

    let other = Template::known("literal_datetime");
    templates.insert(spelled(other, LITERAL));
    let report = test(templates, database, &options);
    assert_eq!(*outcome(&report, ID), Outcome::Supported);
}

#[test]
fn words_that_the_engine_does_not_know_are_excused_by_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        sections: vec![SuiteSection::QlPrerequisites],
        ..options()
    };
    let mut templates = sqlite_templates();
    let wrong = ["to_timezone", "convert_to_utc"].map(Template::known);
    for template in wrong {
        let text = "NO_SUCH_FUNCTION({{ field }}, '{{ timezone }}')";
        templates.insert(spelled(template, text));
    }
    let report = test(templates, sqlite(folder.path()), &options);
    for template in wrong {
        let found = report
            .templates
            .iter()
            .find(|found| found.template == template);
        let verdict = found.and_then(|found| found.verdict);
        assert_eq!(verdict, Some(Verdict::Unsupported), "{}", template.name);
        assert!(
            report
                .culprits
                .iter()
                .any(|culprit| culprit.template == template)
        );
    }
}

#[test]
fn a_median_of_single_precision_is_blamed_where_another_template_is_exact() {
    const ID: &str = "ql_metrics/percentile_large";
    // Rounds as single precision does beyond 2^24, or gives the number itself where all are alike.
    const ROUNDED: &str = "ROUND(MAX({{ expression }}) / 2.0) * 2 + 0 * {{ percentile }}";
    const EXACT: &str = "MAX({{ expression }})";
    let [judged, other] = ["get_approx_percentile_func", "get_approx_quantiles_func"]
        .map(|name| Template::find(name).expect("a template"));
    let folder = tempfile::tempdir().expect("a folder");
    let database = sqlite(folder.path());
    let options = Options {
        sections: vec![SuiteSection::QlMetrics],
        ..options()
    };
    let mut templates = TemplateSet::default();
    sqlite_templates()
        .iter()
        .filter(|each| each.template != other)
        .for_each(|each| templates.insert(each.clone()));
    templates.insert(spelled(judged, ROUNDED));
    let report = test(templates.clone(), Arc::clone(&database), &options);
    assert_eq!(*outcome(&report, ID), Outcome::Supported, "nothing beside");
    templates.insert(spelled(other, EXACT));
    let report = test(templates, database, &options);
    assert!(outcome(&report, ID).is_shortfall());
}

/// A log that has one query of these words, whatever ran.
const LOG: &str = "\
{% set first = (start_time | string).split('+')[0].rstrip('Z').replace('T', ' ') %}
{% set last = (end_time | string).split('+')[0].rstrip('Z').replace('T', ' ') %}
SELECT '1' AS query_id, DATETIME('now', '-2 seconds') AS start_time, DATETIME('now', '-1 seconds') AS end_time, \
'SELECT id FROM orders' AS query_text, NULL AS user, NULL AS error_code, NULL AS error_text, 1 AS returned_rows \
FROM (SELECT 1) WHERE DATETIME('now', '-1 seconds') BETWEEN '{{ first }}' AND '{{ last }}' \
ORDER BY 1 LIMIT {{ limit }} OFFSET {{ offset }}";

#[test]
fn a_template_that_no_check_of_the_run_judges_is_not_convicted_for_want_of_another() {
    let logs = Template::known("get_query_logs_query");
    let mut templates = sqlite_templates();
    templates.insert(spelled(logs, LOG));
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        sections: vec![SuiteSection::Metadata, SuiteSection::Functional],
        ..options()
    };
    let report = test(templates, sqlite(folder.path()), &options);
    let read = outcome(&report, "metadata/query_logs");
    assert_eq!(*read, Outcome::Supported, "it is cleared");
    assert!(report.has_shortfall());
    let culprits: Vec<_> = report.culprits.iter().map(|each| each.template).collect();
    assert_eq!(culprits, [logs]);
    let capability = report.capabilities.iter();
    let mut capability = capability.filter(|each| each.capability == Capability::QueryLogs);
    let verdict = capability.next().and_then(|each| each.verdict);
    assert_eq!(verdict, Some(Verdict::Wrong));
}
