//! The example connectors that were written from vendors' manuals pass the suite, each over a small server with the
//! shapes of its manual.

mod history;
mod vendors;

use std::path::Path;
use std::sync::Arc;

use bowline_conformance::Verdict;
use bowline_conformance::pipeline::{Options, Outcome, Report, run};
use bowline_connector::Credentials;
use bowline_pipeline::{PipelineConnector, PipelineKind, RunQuery};
use bowline_report::pipeline::FeatureAnswer;
use bowline_servers::HttpServer;
use serde_json::{Value as Json, json};

use crate::history::{History, begin};
use crate::vendors::Respond;

fn opened(name: &str, server: &HttpServer) -> Box<dyn bowline_pipeline::Pipeline> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/etl_connectors")
        .join(name);
    let connector = PipelineConnector::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    let fields = connector.manifest.credentials_schema.as_ref().unwrap();
    let mut args: serde_json::Map<String, Json> = fields["connect_args"]["schema"]
        .as_object()
        .unwrap()
        .keys()
        .map(|key| (key.clone(), json!("s3cret")))
        .collect();
    args.insert("api_url".to_owned(), json!(server.url()));
    if args.contains_key("login_url") {
        args.insert("login_url".to_owned(), json!(server.url()));
    }
    let text = json!({ "connect_args": args }).to_string();
    let credentials = Credentials::parse(Path::new("credentials.json"), &text).unwrap();
    match connector.kind {
        PipelineKind::Described(description) => Box::new(
            bowline_pipeline::DescribedPipeline::new(
                connector.manifest,
                *description,
                &credentials,
                Arc::default(),
            )
            .unwrap()
            .keeping_answers(None),
        ),
        other => panic!("{other:?}"),
    }
}

fn told(report: &Report) -> String {
    let shown = report.checks.iter();
    let shown = shown.filter(|one| one.outcome != Outcome::Supported);
    shown
        .map(|one| format!("{}: {:#?}\n", one.check.id, one.outcome))
        .collect()
}

/// The suite finds the connector right, and it tells what its vendor can tell.
#[track_caller]
fn passes(name: &str, respond: Respond, features: &[&str]) {
    let history = Arc::new(History::new());
    let shared = Arc::clone(&history);
    let server = HttpServer::start(move |request| respond(&shared, request)).unwrap();
    let pipeline = opened(name, &server);
    let options = Options {
        clock: Arc::new(begin),
        ..Options::default()
    };
    let report = run(&*pipeline, &options, &|_| ()).unwrap_or_else(|error| panic!("{error:?}"));
    let short: Vec<&str> = report
        .checks
        .iter()
        .filter(|one| one.outcome.verdict() != Verdict::Supported)
        .map(|one| one.check.id)
        .collect();
    assert!(short.is_empty(), "{name}\n{}", told(&report));
    for feature in features {
        let found = report
            .features
            .iter()
            .find(|one| one.feature.name() == *feature);
        let answer = found.map(|one| one.answer);
        assert_eq!(answer, Some(FeatureAnswer::Yes), "{name}: {feature}");
    }
    // Everything that the vendor has comes, under its ids.
    let mut ids = Vec::new();
    let all = RunQuery::Window(history.span());
    pipeline
        .runs(&all, None, &mut |run| {
            ids.extend(run.run_source_id().map(str::to_owned))
        })
        .unwrap();
    ids.sort();
    let mut expected: Vec<String> = history.runs.iter().map(|run| run.id.to_string()).collect();
    expected.sort();
    assert_eq!(ids, expected, "{name}");
}

const TOLD: [&str; 3] = ["run_timing", "run_webhook_mode", "metadata_schedule"];

#[test]
fn airbyte_passes_the_suite() {
    passes("airbyte", vendors::airbyte, &TOLD);
}

#[test]
fn data_factory_passes_the_suite() {
    let features = [&TOLD[..], &["run_error", "metadata_tasks", "run_task_runs"]].concat();
    passes("data_factory", vendors::data_factory, &features);
}

#[test]
fn databricks_passes_the_suite() {
    let features = [
        &TOLD[..],
        &[
            "run_error",
            "metadata_tasks",
            "run_task_runs",
            "metadata_owner",
        ],
    ]
    .concat();
    passes("databricks", vendors::databricks, &features);
}

#[test]
fn dbt_cloud_passes_the_suite() {
    let features = [
        &TOLD[..],
        &[
            "run_error",
            "metadata_tasks",
            "run_task_runs",
            "metadata_group",
        ],
    ]
    .concat();
    passes("dbt_cloud", vendors::dbt_cloud, &features);
}

#[test]
fn kestra_passes_the_suite() {
    let features = [&TOLD[..], &["metadata_tasks", "run_task_runs", "run_group"]].concat();
    passes("kestra", vendors::kestra, &features);
}
