//! Documents of several makes, and what is proposed from each; all of it loads.

mod makes;

use std::path::Path;

use super::{OpenApiError, Proposal};
use crate::description;

/// What is proposed, which must load and be of one mind: only what is listed for each job has a job above it.
fn proposed(document: &str) -> Proposal {
    let proposal = Proposal::of(document).unwrap_or_else(|error| panic!("{error}"));
    if let Err(error) = description::parse(Path::new("connector.toml"), &proposal.connector) {
        panic!("{error}\n{}", proposal.connector);
    }
    let has = |text: &str| proposal.connector.contains(text);
    assert_eq!(
        has("parent.") || has("parent["),
        has("for_each = \"jobs\""),
        "{}",
        proposal.connector
    );
    for name in &proposal.credentials[1..] {
        assert!(has(name), "no `{name}` in\n{}", proposal.connector);
    }
    proposal
}

#[track_caller]
fn holds(proposal: &Proposal, lines: &[&str]) {
    for line in lines {
        assert!(
            proposal
                .connector
                .lines()
                .any(|found| found.trim_end_matches(" # review") == *line),
            "no line `{line}` in\n{}",
            proposal.connector
        );
    }
}

const NESTED: &str = r##"
openapi: 3.0.3
info: { title: "Builder: builds" }
servers: [{ url: "https://api.builder.example/v1" }]
security: [{ token: [] }]
paths:
  /teams:
    get:
      responses: { "200": { content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Team" } } } } } }
  /workflows:
    get:
      parameters:
        - { name: per_page, in: query, schema: { type: integer, maximum: 50 } }
        - { name: page, in: query, schema: { type: integer, default: 1 } }
      responses:
        "200":
          headers: { Link: { schema: { type: string } } }
          content:
            application/json:
              schema:
                type: object
                properties:
                  total_count: { type: integer }
                  workflows: { type: array, items: { $ref: "#/components/schemas/Workflow" } }
  /workflows/{workflow_id}/runs:
    get:
      parameters:
        - { name: workflow_id, in: path, required: true, schema: { type: integer } }
        - { name: created_after, in: query, schema: { type: string, format: date-time } }
        - { name: created_before, in: query, schema: { type: string, format: date-time } }
        - { name: actor, in: query, required: true, schema: { type: string } }
      responses:
        "200":
          content:
            application/json:
              schema: { type: object, properties: { workflow_runs: { type: array, items: { $ref: "#/components/schemas/Run" } } } }
components:
  securitySchemes: { other: { type: http, scheme: basic }, token: { type: http, scheme: bearer } }
  schemas:
    Team: { type: object, properties: { id: { type: integer } } }
    Workflow:
      type: object
      required: [id, name]
      properties:
        id: { type: integer }
        name: { type: string }
        enabled: { type: boolean }
        cron: { type: string, nullable: true }
        owner: { type: object, properties: { email: { type: string } } }
        tags: { type: array, items: { type: string } }
        steps:
          type: array
          items: { type: object, required: [key], properties: { key: { type: string }, needs: { type: array, items: { type: string } } } }
    Run:
      allOf:
        - { type: object, required: [id, status], properties: { id: { type: integer }, status: { type: string, enum: [queued, in_progress, completed] } } }
        - type: object
          properties:
            conclusion: { type: string, enum: [success, failure, timed_out, startup_failure] }
            run_started_at: { type: string, format: date-time }
            completed_at: { type: integer, description: In milliseconds since 1970. }
            error: { type: object, properties: { message: { type: string } } }
"##;

#[test]
fn runs_below_their_job_are_asked_for_by_job() {
    let proposal = proposed(NESTED);
    assert_eq!(proposal.jobs, "GET /workflows");
    assert_eq!(
        proposal.runs.as_deref(),
        Some("GET /workflows/{workflow_id}/runs")
    );
    assert_eq!(proposal.credentials, ["api_url", "api_key"]);
    holds(
        &proposal,
        &[
            "# `api_url` in credentials.json: the document names https://api.builder.example/v1",
            r#"auth = { kind = "header", name = "Authorization", value = "Bearer {{ credentials.api_key }}" }"#,
            r#"query = { per_page = "{{ page.size }}" }"#,
            r#"records = "response.workflows""#,
            r#"pages = { style = "link", size = 50, next = "headers.link | default('') | next_link" }"#,
            r#"for_each = "jobs""#,
            r#"path = "/workflows/{{ parent.id }}/runs""#,
            r#"query = { created_after = "{{ ((window.start | epoch) - 172800) | time }}", created_before = "{{ window.end }}" }"#,
            "# review: the vendor asks for `actor` too",
            r#"is_paused = "not (record.enabled | default(none))""#,
            r#"owner = { primary_email = "record.owner.email | default(none)" }"#,
            r#"properties = { each = "record.tags | default(none)", key = "item" }"#,
            r#"tasks = { each = "record.steps | default(none)", task_source_id = "item.key", name = "item.key", upstream_task_source_ids = "item.needs | default(none)" }"#,
            r#"job_source_id = "parent.id""#,
            r#"status = "(record.conclusion | default(none)) or record.status""#,
            r#"event_time = "((record.completed_at | default(none)) | time('ms')) or (record.run_started_at | default(none))""#,
            r#"error = { message = "((record.error.message | default(none)) or 'no reason given') if ((record.conclusion | default(none)) or record.status) | lower in ['failure', 'startup_failure']" }"#,
            "#   GET /teams",
        ],
    );
    let status = |word: &str| {
        let found = proposal.statuses.iter().find(|(known, _)| known == word);
        found.map(|(_, means)| *means)
    };
    assert_eq!(status("timed_out"), Some("timed_out"));
    assert_eq!(status("in_progress"), Some("in_progress"));
    assert_eq!(status("completed"), Some("success"));
}

/// A search below a tenant, records that a path tells apart by two fields, and a state that is a record.
const SEARCHED: &str = r##"
openapi: 3.0.1
info: { title: Flows }
paths:
  /api/{tenant}/flows/search:
    get:
      parameters: [{ name: page, in: query, schema: { type: integer } }, { name: size, in: query, schema: { type: integer } }]
      responses: { "200": { content: { application/json: { schema: { $ref: "#/components/schemas/Flows" } } } } }
  /api/{tenant}/flows/{namespace}/{id}:
    get: { responses: { "200": { content: { application/json: { schema: { $ref: "#/components/schemas/Flow" } } } } } }
  /api/{tenant}/executions/search:
    get:
      parameters: [{ name: page, in: query, schema: { type: integer } }, { name: startDate, in: query, schema: { type: string } }]
      responses: { "200": { content: { application/json: { schema: { $ref: "#/components/schemas/Executions" } } } } }
  /api/{tenant}/executions/{executionId}:
    get: { responses: { "200": { content: { application/json: { schema: { $ref: "#/components/schemas/Execution" } } } } } }
components:
  schemas:
    Flows: { type: object, properties: { results: { type: array, items: { $ref: "#/components/schemas/Flow" } }, total: { type: integer } } }
    Executions: { type: object, properties: { results: { type: array, items: { $ref: "#/components/schemas/Execution" } }, total: { type: integer } } }
    Flow:
      type: object
      required: [id, namespace]
      properties: { id: { type: string }, namespace: { type: string }, disabled: { type: boolean } }
    Execution:
      type: object
      required: [id, namespace, flowId, state]
      properties:
        id: { type: string }
        namespace: { type: string }
        flowId: { type: string }
        state: { $ref: "#/components/schemas/State" }
        taskRunList: { type: array, items: { $ref: "#/components/schemas/TaskRun" } }
    TaskRun:
      type: object
      required: [id, taskId, state]
      properties: { id: { type: string }, taskId: { type: string }, state: { $ref: "#/components/schemas/State" } }
    State:
      type: object
      required: [current, startDate]
      properties:
        current: { type: string, enum: [CREATED, RUNNING, SUCCESS, FAILED] }
        startDate: { type: string, format: date-time }
        endDate: { type: string, format: date-time }
"##;

#[test]
fn searches_states_in_records_and_keys_of_two_fields_are_seen() {
    let proposal = proposed(SEARCHED);
    assert_eq!(proposal.jobs, "GET /api/{tenant}/flows/search");
    assert_eq!(
        proposal.runs.as_deref(),
        Some("GET /api/{tenant}/executions/search")
    );
    assert_eq!(proposal.credentials, ["api_url", "tenant"]);
    holds(
        &proposal,
        &[
            r#"path = "/api/{{ credentials.tenant }}/flows/search""#,
            r#"pages = { style = "number", size = 100, total = "response.total | default(none)" }"#,
            r#"key = "record.namespace ~ '/' ~ record.id""#,
            r#"job_source_id = "record.namespace ~ '/' ~ record.id""#,
            r#"job_source_id = "record.namespace ~ '/' ~ record.flowId""#,
            r#"path = "/api/{{ credentials.tenant }}/executions/{{ parent }}""#,
            r#"by_id = "runs_by_id""#,
            r#"status = "record.state.current""#,
            r#"event_time = "(record.state.endDate | default(none)) or record.state.startDate""#,
            r#"end_time = "record.state.endDate | default(none)""#,
            r#"task_runs = { each = "record.taskRunList | default(none)", run_source_id = "item.id", task_source_id = "item.taskId", status = "item.state.current", event_time = "(item.state.endDate | default(none)) or item.state.startDate", start_time = "item.state.startDate", end_time = "item.state.endDate | default(none)", error = { message = "'no reason given' if (item.state.current) | lower in ['failed']" } }"#,
        ],
    );
    let words: Vec<&str> = proposal
        .statuses
        .iter()
        .map(|(word, _)| word.as_str())
        .collect();
    assert_eq!(words, ["CREATED", "RUNNING", "SUCCESS", "FAILED"]);
}

const VERSION_2: &str = r##"{
    "swagger": "2.0",
    "info": {"title": "Pipes"},
    "host": "pipes.example", "basePath": "/api",
    "securityDefinitions": {"key": {"type": "apiKey", "in": "query", "name": "api-key"}},
    "paths": {
        "/pipelines": {"get": {
            "parameters": [
                {"name": "limit", "in": "query", "type": "integer"},
                {"name": "offset", "in": "query", "type": "integer"}
            ],
            "responses": {"200": {"schema": {"$ref": "#/definitions/Pipelines"}}}
        }},
        "/runs": {"get": {
            "parameters": [
                {"name": "cursor", "in": "query", "type": "string"},
                {"name": "updatedSince", "in": "query", "type": "integer", "description": "milliseconds"}
            ],
            "responses": {"200": {"schema": {"properties": {
                "data": {"type": "array", "items": {"$ref": "#/definitions/Run"}},
                "meta": {"type": "object", "properties": {"nextCursor": {"type": "string"}}}
            }}}}
        }},
        "/runs/{id}": {"get": {"responses": {"200": {"schema": {"properties": {"run": {"$ref": "#/definitions/Run"}}}}}}}
    },
    "definitions": {
        "Pipelines": {"type": "object", "properties": {
            "total": {"type": "integer"},
            "pipelines": {"type": "array", "items": {"$ref": "#/definitions/Pipeline"}}
        }},
        "Pipeline": {"type": "object", "properties": {
            "pipelineId": {"type": "string"}, "title": {"type": "string"},
            "parent": {"$ref": "#/definitions/Pipeline"},
            "projectId": {"type": "string"}
        }},
        "Run": {"type": "object", "required": ["runId", "pipelineId"], "properties": {
            "runId": {"type": "string"}, "pipelineId": {"type": "string"}, "state": {"type": "string"},
            "startTime": {"type": "string"}, "endTime": {"type": "string"}
        }}
    }
}"##;

#[test]
fn version_2_is_read_too() {
    let proposal = proposed(VERSION_2);
    holds(
        &proposal,
        &[
            "# `api_url` in credentials.json: the document names https://pipes.example/api",
            r#"auth = { kind = "none" }"#,
            r#"query = { limit = "{{ page.size }}", offset = "{{ page.offset }}", api-key = "{{ credentials.api_key }}" }"#,
            r#"pages = { style = "offset", size = 100, total = "response.total | default(none)" }"#,
            r#"query = { cursor = "{{ page.cursor }}", updatedSince = "{{ window.start | epoch_ms }}", api-key = "{{ credentials.api_key }}" }"#,
            r#"pages = { style = "cursor", next = "response.meta.nextCursor | default(none)" }"#,
            r#"path = "/runs/{{ parent }}""#,
            r#"records = "response.run""#,
            r#"by_id = "runs_by_id""#,
            r#"group = { source_id = "record.projectId | default(none)" }"#,
            r#"job_source_id = "record.pipelineId""#,
        ],
    );
}

const ACCOUNTS: &str = r##"{
    "swagger": "2.0",
    "info": {"title": "Accounts"},
    "paths": {
        "/accounts/{accountId}/jobs/": {"get": {"responses": {"200": {"schema": {"type": "array", "items": {
            "properties": {"id": {}, "settings": {"properties": {
                "name": {"type": "string"},
                "schedule": {"properties": {"quartz_cron_expression": {"type": "string"}, "timezone_id": {"type": "string"}}},
                "tasks": {"type": "array", "items": {"required": ["task_key"], "properties": {
                    "task_key": {"type": "string"},
                    "depends_on": {"type": "array", "items": {"properties": {"task_key": {"type": "string"}}}}
                }}}
            }}}
        }}}}}},
        "/accounts/{accountId}/runs/": {"get": {"responses": {"200": {"schema": {"type": "array", "items": {
            "properties": {"id": {}, "job_id": {}, "status": {}, "started_at": {}, "updated_at": {}}
        }}}}}},
        "/accounts/{accountId}/runs/{runId}/": {"get": {"responses": {"200": {"schema": {
            "properties": {"id": {}, "status": {}}
        }}}}},
        "/accounts/{accountId}/jobs/{jobId}/steps": {"get": {"responses": {"200": {"schema": {"type": "array", "items": {
            "properties": {"id": {}}
        }}}}}}
    }
}"##;

#[test]
fn lists_of_an_account_take_it_from_the_credentials() {
    let proposal = proposed(ACCOUNTS);
    assert_eq!(proposal.credentials, ["api_url", "account_id"]);
    holds(
        &proposal,
        &[
            r#"path = "/accounts/{{ credentials.account_id }}/jobs/""#,
            r#"path = "/accounts/{{ credentials.account_id }}/runs/""#,
            r#"path = "/accounts/{{ credentials.account_id }}/runs/{{ parent }}/""#,
            r#"job_source_id = "record.job_id | default(none)""#,
            r#"event_time = "(record.updated_at | default(none)) or (record.started_at | default(none))""#,
            // What a job is may stand one level down.
            r#"name = "record.settings.name | default(none)""#,
            r#"schedule = [{ when = "record.settings.schedule.quartz_cron_expression | default(none)", kind = "'cron'", cron_expression = "record.settings.schedule.quartz_cron_expression", timezone = "record.settings.schedule.timezone_id | default(none)" }, { kind = "'manual'" }]"#,
            r#"tasks = { each = "record.settings.tasks | default(none)", task_source_id = "item.task_key", name = "item.task_key", upstream_task_source_ids = "item.depends_on | default([]) | pluck('task_key')" }"#,
        ],
    );
}

const SYNCS: &str = r##"{
    "openapi": "3.0.0",
    "paths": {
        "/connections": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"properties": {
            "data": {"type": "array", "items": {"properties": {"connectionId": {}, "name": {}, "status": {}}}}
        }}}}}}}},
        "/jobs": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"properties": {
            "data": {"type": "array", "items": {"properties": {
                "jobId": {}, "status": {}, "startTime": {}, "connectionId": {}
            }}}
        }}}}}}}}
    }
}"##;

#[test]
fn what_a_vendor_calls_a_job_may_be_a_run() {
    let proposal = proposed(SYNCS);
    assert_eq!(proposal.jobs, "GET /connections");
    assert_eq!(proposal.runs.as_deref(), Some("GET /jobs"));
    holds(
        &proposal,
        &[
            r#"job_source_id = "record.connectionId""#,
            r#"job_source_id = "record.connectionId | default(none)""#,
            r#"run_source_id = "record.jobId""#,
        ],
    );
}

/// A document whose every name is as awkward as the format allows.
fn awkward(name: &str) -> String {
    // Braces in pairs are parameters of the path.
    let path = if name.contains('}') {
        name.replace(['{', '}'], "")
    } else {
        name.to_owned()
    };
    let list = serde_json::json!({"get": {
        "parameters": [
            {"name": name, "in": "query", "required": true, "schema": {"type": "string"}},
            {"name": format!("{name}_after"), "in": "query", "schema": {"type": "string", "format": "date-time"}},
            {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 0}}
        ],
        "responses": {"200": {"content": {"application/json": {"schema": {"properties": {
            name: {"type": "array", "items": {"properties": {
                "id": {}, "status": {"enum": [name, "", "x"]}, "job": {"properties": {"id": {}}},
                name: {"type": "string"}, "owner": {"properties": {"name": {}}}
            }}}
        }}}}}}
    }});
    serde_json::json!({
        "openapi": "3.1.0",
        "info": {"title": name},
        "servers": [{"url": name}],
        "components": {"securitySchemes": {name: {"type": "apiKey", "in": "cookie", "name": name}}},
        "paths": {
            format!("/{path}"): list, format!("/{path}/runs"): list,
            format!("/{path}/runs/{{id}}"): {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"properties": {"id": {}}}}}}}}}
        }
    })
    .to_string()
}

#[test]
fn awkward_names_still_load() {
    let names = [
        "a\"b",
        "a'b\\",
        "a\nb = 1",
        "{{ x }}",
        "{% if %}",
        "}}",
        "{",
        "#",
        "in",
        "日本 語",
        "\u{7f}\u{1}",
        "a.b-c",
        " ",
        "'''",
        "]",
        "\u{2028}",
    ];
    for name in names {
        proposed(&awkward(name));
    }
}

#[test]
fn references_that_never_end_do() {
    let document = r##"{"openapi": "3.0.0", "paths": {
        "/jobs": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}},
        "/runs": {"$ref": "#/paths/~1runs"}
    }, "components": {"schemas": {
        "A": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]},
        "B": {"allOf": [{"$ref": "#/components/schemas/B"}, {"$ref": "#/components/schemas/B"}]}
    }}}"##;
    assert_eq!(
        Proposal::of(document),
        Err(OpenApiError::NoLists { endpoints: 1 })
    );
}

#[test]
fn what_is_no_openapi_document_is_said() {
    let syntax = |text: &str| matches!(Proposal::of(text), Err(OpenApiError::Syntax(_)));
    assert!(syntax("{\"openapi\": "));
    assert!(syntax("a: [1, 2\nb: }"));
    for text in [
        "",
        "just text",
        "[]",
        "{\"openapi\": \"4.0\"}",
        "swagger: 1.2",
    ] {
        assert_eq!(Proposal::of(text), Err(OpenApiError::OtherFormat), "{text}");
    }
    assert_eq!(
        Proposal::of("openapi: 3.0.0"),
        Err(OpenApiError::NoLists { endpoints: 0 })
    );
}
