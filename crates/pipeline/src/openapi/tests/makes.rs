//! What frameworks write by themselves: media types of any kind, envelopes, paging in objects, parts of generic answers.

use serde_json::{Value as Json, json};

use super::{Proposal, holds, proposed};
use crate::openapi::OpenApiError;

/// The schema of a job's record.
fn job() -> Json {
    json!({"type": "object", "required": ["id", "name"], "properties": {
        "id": {"type": "string"}, "name": {"type": "string"}
    }})
}

/// The schema of a run's record.
fn run() -> Json {
    json!({"type": "object", "required": ["id", "jobId", "status", "endTime"], "properties": {
        "id": {"type": "string"}, "jobId": {"type": "string"}, "status": {"type": "string"},
        "endTime": {"type": "string", "format": "date-time"}
    }})
}

/// An endpoint that answers in JSON.
fn get(parameters: &Json, answer: &Json) -> Json {
    json!({"get": {"parameters": parameters, "responses": {
        "200": {"content": {"application/json": {"schema": answer}}}
    }}})
}

fn list(items: Json) -> Json {
    json!({"type": "array", "items": items})
}

fn object(properties: Json) -> Json {
    json!({"type": "object", "properties": properties})
}

/// A document of these paths, as JSON.
fn document(paths: &Json) -> String {
    json!({"openapi": "3.0.3", "info": {"title": "Made"}, "paths": paths}).to_string()
}

/// A document of `/jobs` and `/runs` with the same parameters, whose records are in the same answer.
fn pair(parameters: &Json, answer: impl Fn(Json) -> Json) -> String {
    document(&json!({
        "/jobs": get(parameters, &answer(job())),
        "/runs": get(parameters, &answer(run())),
    }))
}

#[test]
fn answers_of_any_media_type_are_read_and_those_in_xml_are_not() {
    let of_kind = |kind: &str| {
        let answers = |items| {
            json!({"get": {"responses": {
                "200": {"content": {kind: {"schema": list(items)}}}
            }}})
        };
        document(&json!({"/jobs": answers(job()), "/runs": answers(run())}))
    };
    for kind in [
        "*/*",
        "application/*",
        "application/octet-stream",
        "text/json",
    ] {
        let proposal = proposed(&of_kind(kind));
        assert_eq!(proposal.runs.as_deref(), Some("GET /runs"), "{kind}");
    }
    assert_eq!(
        Proposal::of(&of_kind("application/xml")),
        Err(OpenApiError::NoLists { endpoints: 2 })
    );
    let search = json!({"post": {
        "requestBody": {"content": {"*/*": {"schema": object(json!({"page": {"type": "integer"}}))}}},
        "responses": {"202": {}, "200": {"content": {"*/*": {"schema": list(job())}}}}
    }});
    let proposal = proposed(&document(&json!({"/jobs/search": search})));
    holds(&proposal, &[r#"json = { page = "{{ page.number }}" }"#]);
}

#[test]
fn members_of_objects_in_the_query_are_parameters() {
    let pageable = json!([{"name": "pageable", "in": "query", "required": true, "schema": object(json!({
        "page": {"type": "integer", "minimum": 0},
        "size": {"type": "integer", "minimum": 1},
        "sort": {"type": "array", "items": {"type": "string"}}
    }))}]);
    let proposal = proposed(&pair(&pageable, |items| {
        object(json!({"content": list(items), "totalElements": {"type": "integer"}}))
    }));
    holds(
        &proposal,
        &[
            r#"query = { size = "{{ page.size }}", page = "{{ page.number }}" }"#,
            r#"pages = { style = "number", size = 100, first = 0, total = "response.totalElements | default(none)" }"#,
        ],
    );
    assert!(
        !proposal.connector.contains("the vendor asks for"),
        "{}",
        proposal.connector
    );
    let deep = json!([{"name": "page", "in": "query", "style": "deepObject", "schema": object(json!({
        "after": {"type": "string"}, "limit": {"type": "integer", "maximum": 25}
    }))}]);
    let proposal = proposed(&pair(&deep, |items| {
        object(
            json!({"data": list(items), "meta": object(json!({"nextCursor": {"type": "string"}}))}),
        )
    }));
    holds(
        &proposal,
        &[
            r#"query = { "page[limit]" = "{{ page.size }}", "page[after]" = "{{ page.cursor }}" }"#,
            r#"pages = { style = "cursor", size = 25, next = "response.meta.nextCursor | default(none)" }"#,
        ],
    );
}

#[test]
fn lists_are_found_in_what_is_put_around_them() {
    let next = json!({"next": object(json!({"href": {"type": "string"}}))});
    let hal = |items| {
        object(
            json!({"_embedded": object(json!({"jobs": list(items)})), "_links": object(next.clone())}),
        )
    };
    holds(
        &proposed(&pair(&json!([]), hal)),
        &[
            r#"records = "response._embedded.jobs""#,
            r#"pages = { style = "link", next = "response._links.next.href | default(none)" }"#,
        ],
    );
    let results = |items| object(json!({"results": object(json!({"all": list(items)}))}));
    holds(
        &proposed(&pair(&json!([]), results)),
        &[r#"records = "response.results.all""#],
    );
    // What went wrong is a list of records, too.
    let fault = || list(object(json!({"code": {"type": "integer"}})));
    let with_faults =
        |items| object(json!({"errors": fault(), "result": object(json!({"rows": list(items)}))}));
    holds(
        &proposed(&pair(&json!([]), with_faults)),
        &[r#"records = "response.result.rows""#],
    );
    let sorted =
        |items| object(json!({"sort": fault(), "runErrors": fault(), "content": list(items)}));
    holds(
        &proposed(&pair(&json!([]), sorted)),
        &[r#"records = "response.content""#],
    );
    // A generic answer says of its data only that there are some.
    let generic = |items| {
        json!({"allOf": [
            object(json!({"code": {"type": "integer"}, "data": {}})),
            object(json!({"data": list(items)}))
        ]})
    };
    holds(
        &proposed(&pair(&json!([]), generic)),
        &[r#"records = "response.data""#],
    );
}

#[test]
fn runs_below_what_is_listed_are_asked_for_by_it() {
    for (jobs, runs, filled) in [
        (
            "/v1/job-templates",
            "/v1/job-templates/{jobTemplateId}/job-executions",
            "/v1/job-templates/{{ parent.id }}/job-executions",
        ),
        (
            "/{tenant}/Jobs",
            "/{tenant}/Jobs('{Id}')/Runs",
            "/{{ credentials.tenant }}/Jobs('{{ parent.id }}')/Runs",
        ),
        ("/bots", "/bots/{botId}/runs", "/bots/{{ parent.id }}/runs"),
    ] {
        let proposal = proposed(&document(&json!({
            "/accounts": get(&json!([]), &list(job())),
            jobs: get(&json!([]), &list(job())),
            runs: get(&json!([]), &list(run())),
        })));
        assert_eq!(proposal.jobs, format!("GET {jobs}"));
        holds(
            &proposal,
            &[
                r#"for_each = "jobs""#,
                &format!("path = \"{filled}\""),
                r#"job_source_id = "parent.id""#,
            ],
        );
    }
    // A run by its id, as OData writes paths.
    let proposal = proposed(&document(&json!({
        "/Jobs": get(&json!([]), &list(job())),
        "/Runs": get(&json!([]), &list(run())),
        "/Runs({Id})": get(&json!([]), &run()),
    })));
    holds(&proposal, &[r#"path = "/Runs({{ parent }})""#]);
}

#[test]
fn what_the_vendor_calls_a_template_is_a_job_where_its_jobs_are_runs() {
    let proposal = proposed(&document(&json!({
        "/api/v2/jobs/": get(&json!([]), &list(run())),
        "/api/v2/job_templates/": get(&json!([]), &list(job())),
    })));
    assert_eq!(proposal.jobs, "GET /api/v2/job_templates/");
    assert_eq!(proposal.runs.as_deref(), Some("GET /api/v2/jobs/"));
}

#[test]
fn what_a_definition_defines_names_its_fields() {
    let named = |more: &[&str]| {
        let names = more.iter().chain(&["jobName"]);
        list(object(
            names.map(|name| ((*name).to_owned(), json!({}))).collect(),
        ))
    };
    let proposal = proposed(&document(&json!({
        "/job-definitions": get(&json!([]), &named(&["enabled"])),
        "/job-executions": get(&json!([]), &named(&["executionId", "status", "ended"])),
    })));
    holds(
        &proposal,
        &[
            r#"job_source_id = "record.jobName""#,
            r#"name = "record.jobName | default(none)""#,
            r#"job_source_id = "record.jobName | default(none)""#,
            r#"end_time = "record.ended | default(none)""#,
        ],
    );
    // Runs that name their job, and do not say its id.
    let proposal = proposed(&document(&json!({
        "/jobs": get(&json!([]), &list(job())),
        "/runs": get(&json!([]), &named(&["runId", "status"])),
    })));
    holds(
        &proposal,
        &[
            r#"key = "record.name""#,
            r#"job_source_id = "record.name""#,
            r#"job_source_id = "record.jobName | default(none)""#,
        ],
    );
    // Resources as Kubernetes writes them.
    let resource = |status: Json| {
        list(object(
            json!({"metadata": object(json!({"name": {}})), "status": status}),
        ))
    };
    let proposal = proposed(&document(&json!({
        "/workflow-templates": get(&json!([]), &resource(object(json!({})))),
        "/workflows": get(&json!([]), &resource(object(json!({"phase": {}, "startedAt": {}})))),
    })));
    assert_eq!(proposal.runs.as_deref(), Some("GET /workflows"));
    holds(
        &proposal,
        &[
            r#"run_source_id = "record.metadata.name""#,
            r#"status = "record.status.phase | default(none)""#,
        ],
    );
}

#[test]
fn fields_are_found_in_attributes_and_jobs_in_relationships() {
    let related =
        object(json!({"job": object(json!({"data": object(json!({"id": {"type": "string"}}))}))}));
    let resource = |items: Json| {
        json!({"type": "object", "required": ["id", "attributes"], "properties": {
            "id": {"type": "string"}, "type": {"type": "string"}, "attributes": items, "relationships": related
        }})
    };
    let mut attributes = run();
    attributes["properties"] = json!({
        "status": {"type": "string"}, "endTime": {"type": "string", "format": "date-time"}
    });
    let answer = |items| {
        object(json!({"data": list(resource(items)), "included": list(object(json!({"id": {}})))}))
    };
    let proposal = proposed(&document(&json!({
        "/jobs": get(&json!([]), &answer(job())),
        "/runs": get(&json!([]), &answer(attributes)),
    })));
    holds(
        &proposal,
        &[
            r#"job_source_id = "record.id""#,
            r#"name = "record.attributes.name""#,
            r#"job_source_id = "record.relationships.job.data.id | default(none)""#,
            r#"run_source_id = "record.id""#,
            r#"status = "record.attributes.status""#,
            r#"event_time = "record.attributes.endTime""#,
        ],
    );
}

#[test]
fn the_next_page_is_asked_for_by_what_the_answer_gives() {
    let text = || json!({"type": "string"});
    let query = |name: &str, schema: Json| json!({"name": name, "in": "query", "schema": schema});
    // An address at a name that may be a cursor's.
    let cursor = json!([query("cursor", text())]);
    let address = |items| {
        object(json!({"next": {"type": "string", "format": "uri"}, "results": list(items)}))
    };
    holds(
        &proposed(&pair(&cursor, address)),
        &[r#"pages = { style = "link", next = "response.next | default(none)" }"#],
    );
    let word =
        |items| object(json!({"paging": object(json!({"next": text()})), "results": list(items)}));
    holds(
        &proposed(&pair(&cursor, word)),
        &[r#"pages = { style = "cursor", next = "response.paging.next | default(none)" }"#],
    );
    // A word for the next page that is called an offset.
    let offset = json!([
        query("size", json!({"type": "integer"})),
        query("offset", text())
    ]);
    let same = |items| object(json!({"data": list(items), "offset": text()}));
    holds(
        &proposed(&pair(&offset, same)),
        &[
            r#"query = { size = "{{ page.size }}", offset = "{{ page.cursor }}" }"#,
            r#"pages = { style = "cursor", size = 100, next = "response.offset | default(none)" }"#,
        ],
    );
    // OData's `$top` bounds all pages together.
    let top = json!([
        query("$top", json!({"type": "integer"})),
        query("$skip", json!({"type": "integer"}))
    ]);
    let odata = |items| object(json!({"@odata.nextLink": text(), "value": list(items)}));
    holds(
        &proposed(&pair(&top, odata)),
        &[r#"pages = { style = "link", next = "response['@odata.nextLink'] | default(none)" }"#],
    );
    // Paging around the parameters' names.
    let within = json!([
        query("pagination.limit", json!({"type": "integer"})),
        query("pagination.offset", json!({"type": "integer"}))
    ]);
    holds(
        &proposed(&pair(&within, list)),
        &[
            r#"query = { "pagination.limit" = "{{ page.size }}", "pagination.offset" = "{{ page.offset }}" }"#,
        ],
    );
}

#[test]
fn headers_that_the_vendor_asks_for_are_named() {
    let header =
        |name: &str, required: bool| json!({"name": name, "in": "header", "required": required});
    let headers = json!([
        header("X-Tenant-Id", true),
        header("X-Trace", false),
        header("Accept", true),
        header("x-key", true)
    ]);
    let mut whole: Json = serde_json::from_str(&pair(&headers, list)).unwrap();
    whole["components"] =
        json!({"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}});
    let proposal = proposed(&whole.to_string());
    let asked: Vec<&str> = proposal
        .connector
        .lines()
        .filter(|line| line.contains("the header"))
        .collect();
    let line = "# review: the vendor asks for the header `X-Tenant-Id` too";
    assert_eq!(asked, [line, line]);
}

#[test]
fn parts_in_other_files_are_said() {
    let split = "openapi: 3.0.3\npaths:\n  /jobs: { $ref: './paths/jobs.yaml' }\n  /runs: { $ref: './paths/runs.yaml' }\n";
    let error = Proposal::of(split).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the OpenAPI document is not whole: `./paths/jobs.yaml` is in another file"
    );
    let mut half: Json = serde_json::from_str(&pair(&json!([]), list)).unwrap();
    half["paths"]["/tasks"] = json!({"$ref": "./tasks.yaml"});
    let proposal = proposed(&half.to_string());
    holds(
        &proposal,
        &[
            "# Parts of the document were not read, for they are in other files, such as `./tasks.yaml`: bundle it into one file.",
        ],
    );
}

#[test]
fn references_and_mappings_are_followed_however_they_are_written() {
    let merged = r##"
openapi: 3.0.3
x-own: &own { summary: other, parameters: [{ name: page, in: query, schema: { type: integer } }] }
x-list: &list
  summary: list
  responses: { "200": { content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Page%C2%ABJob%C2%BB" } } } } } }
paths:
  /jobs: { get: { <<: *list } }
  /runs: { get: { <<: [*list, *own], summary: runs } }
components: { schemas: { Page«Job»: { properties: { id: {}, status: {}, end: {} } } } }
"##;
    let proposal = proposed(merged);
    assert_eq!(proposal.jobs, "GET /jobs");
    assert_eq!(proposal.runs.as_deref(), Some("GET /runs"));
    holds(&proposal, &[r#"query = { page = "{{ page.number }}" }"#]);
}

#[test]
fn the_body_of_version_2_and_verbs_in_paths_are_read() {
    let answer = |items: Json| json!({"200": {"schema": list(items)}});
    let proposal = proposed(
        &json!({"swagger": "2.0", "paths": {
            "/api/Jobs/GetAll": {"get": {"responses": answer(job())}},
            "/api/queryRuns": {"post": {
                "parameters": [{"name": "filter", "in": "body", "schema": object(json!({
                    "limit": {"type": "integer"}, "offset": {"type": "integer"}
                }))}],
                "responses": answer(run())
            }}
        }})
        .to_string(),
    );
    assert_eq!(proposal.jobs, "GET /api/Jobs/GetAll");
    assert_eq!(proposal.runs.as_deref(), Some("POST /api/queryRuns"));
    holds(
        &proposal,
        &[r#"json = { limit = "{{ page.size }}", offset = "{{ page.offset }}" }"#],
    );
}
