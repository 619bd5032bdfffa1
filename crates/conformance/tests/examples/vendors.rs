//! The vendors, each with the requests and field names of its manual. The answers are of our own making.

use bowline_servers::{Answer, Request};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::history::{History, JOBS, Run, State};

/// What answers for a vendor.
pub(crate) type Respond = fn(&History, &Request) -> Answer;

fn ok(body: Json) -> Answer {
    Answer::new(200, body)
}

fn nothing() -> Answer {
    Answer::new(404, json!({"error": "there is no such thing"}))
}

/// The part of a list that a page has.
fn part<T: Clone>(all: &[T], from: usize, count: usize) -> Vec<T> {
    all.iter().skip(from).take(count).cloned().collect()
}

fn body(request: &Request) -> Json {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

fn is_let_in(request: &Request, value: &str) -> bool {
    request
        .headers
        .get("authorization")
        .is_some_and(|given| given == value)
}

fn not_let_in() -> Answer {
    Answer::new(401, json!({"error": "unauthorized"}))
}

fn jobs(make: impl Fn(u64) -> Json) -> Vec<Json> {
    (0..JOBS).map(make).collect()
}

fn moment(text: &Json) -> Option<Timestamp> {
    text.as_str()?.parse().ok()
}

/// dbt Cloud: numbers for statuses, times with a space, a limit of 100.
pub(crate) fn dbt_cloud(history: &History, request: &Request) -> Answer {
    let time = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S.%6f+00:00").to_string();
    if !is_let_in(request, "Token s3cret") {
        return not_let_in();
    }
    let run = |run: &Run| {
        let code = match run.state {
            State::Running => 3,
            State::Good => 10,
            State::Bad => 20,
            State::Stopped => 30,
        };
        let step = |number: u64, name: &str, code: u64| {
            json!({
                "id": run.id * 10 + number, "run_id": run.id, "index": number, "status": code, "name": name,
                "created_at": time(run.queued), "started_at": time(run.start), "finished_at": run.end.map(time),
            })
        };
        json!({
            "id": run.id, "job_definition_id": run.job, "project_id": 5, "status": code, "status_message":
                (code == 20).then(|| run.reason()), "created_at": time(run.queued),
            "started_at": time(run.start), "finished_at": run.end.map(time), "href": "https://dbt.invalid/run",
            "trigger": {"cause": "scheduled"},
            "run_steps": [step(1, "Clone git repository", if code == 3 { 3 } else { 10 }), step(2, "Invoke dbt with `dbt build`", code)],
        })
    };
    let number = |name: &str, usual| request.number(name).unwrap_or(usual);
    let (limit, offset) = (number("limit", 100).min(100), number("offset", 0));
    let listed = |all: Vec<Json>| {
        let data = part(&all, offset, limit);
        let pagination = json!({"count": data.len(), "total_count": all.len()});
        ok(json!({"data": data, "extra": {"pagination": pagination}}))
    };
    let path = request
        .path
        .strip_prefix("/api/v2/accounts/s3cret")
        .unwrap_or_default();
    match path.trim_matches('/').split('/').collect::<Vec<_>>()[..] {
        [""] => ok(json!({"data": {"id": 1}})),
        ["jobs"] => listed(jobs(|job| {
            json!({
                "id": job, "name": format!("job {job}"), "project_id": 5, "execute_steps": ["dbt build"],
                "triggers": {"schedule": true}, "schedule": {"cron": "0 * * * *"}, "description": "",
            })
        })),
        ["runs"] => listed(history.runs.iter().map(run).collect()),
        ["runs", id] => match history.find(id) {
            Some(found) => ok(json!({"data": run(found)})),
            None => nothing(),
        },
        _ => nothing(),
    }
}

/// Airbyte: a token first, jobs by when they were updated.
pub(crate) fn airbyte(history: &History, request: &Request) -> Answer {
    let job = |run: &Run| {
        json!({
            "jobId": run.id, "status": run.word("running", "succeeded", "failed", "cancelled"), "jobType": "sync",
            "connectionId": format!("c-{}", run.job), "startTime": run.start.to_string(),
            "lastUpdatedAt": run.updated().to_string(), "duration": "PT40S", "rowsSynced": 12,
        })
    };
    if request.path == "/applications/token" {
        let is_known = body(request)["grant-type"] == "client_credentials";
        if !is_known {
            return not_let_in();
        }
        return ok(json!({"access_token": "abc", "expires_in": 180, "token_type": "Bearer"}));
    }
    if !is_let_in(request, "Bearer abc") {
        return not_let_in();
    }
    let listed = |all: Vec<Json>| {
        let offset = request.number("offset").unwrap_or(0);
        let limit = request.number("limit").unwrap_or(20).min(100);
        ok(json!({"data": part(&all, offset, limit), "previous": "", "next": "/more"}))
    };
    match request
        .path
        .trim_matches('/')
        .split('/')
        .collect::<Vec<_>>()[..]
    {
        ["health"] => ok(json!("Successful operation")),
        ["connections"] => listed(jobs(|job| {
            json!({
                "connectionId": format!("c-{job}"), "name": format!("connection {job}"), "workspaceId": "w",
                "sourceId": "s", "destinationId": "d", "status": "active",
                "schedule": {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"},
            })
        })),
        ["jobs"] => {
            let since = request
                .query
                .get("updatedAtStart")
                .and_then(|text| text.parse().ok());
            let mut runs: Vec<&Run> = history
                .runs
                .iter()
                .filter(|run| since.is_none_or(|since: Timestamp| run.updated() >= since))
                .collect();
            runs.sort_by_key(|run| run.updated());
            listed(runs.into_iter().map(job).collect())
        }
        ["jobs", id] => history.find(id).map_or_else(nothing, |run| ok(job(run))),
        _ => nothing(),
    }
}

/// Databricks: milliseconds, two words for a status, page tokens, 0 for what is not there.
pub(crate) fn databricks(history: &History, request: &Request) -> Answer {
    if !is_let_in(request, "Bearer s3cret") {
        return not_let_in();
    }
    let run = |run: &Run| {
        let mut state = json!({
            "life_cycle_state": run.word("RUNNING", "TERMINATED", "TERMINATED", "TERMINATED"),
            "state_message": run.reason(),
        });
        if run.state != State::Running {
            state["result_state"] = json!(run.word("", "SUCCESS", "FAILED", "CANCELED"));
        }
        let end = run.end.map_or(0, Timestamp::as_millisecond);
        let start = run.start.as_millisecond();
        json!({
            "job_id": run.job, "run_id": run.id, "original_attempt_run_id": run.id, "state": state, "start_time": start,
            "end_time": end, "trigger": "PERIODIC", "run_type": "JOB_RUN", "run_page_url": "https://dbx.invalid/run",
            "tasks": [{
                "run_id": run.id * 10, "task_key": "load", "state": state, "start_time": start, "end_time": end,
                "attempt_number": 0,
            }],
        })
    };
    let listed = |name: &str, all: Vec<Json>| {
        let from = request.number("page_token").unwrap_or(0);
        let limit = request.number("limit").unwrap_or(20);
        let mut answer = json!({"has_more": from + limit < all.len()});
        if from + limit < all.len() {
            answer["next_page_token"] = json!((from + limit).to_string());
        }
        let page = part(&all, from, limit);
        if !page.is_empty() {
            answer[name] = json!(page);
        }
        ok(answer)
    };
    let path = request
        .path
        .strip_prefix("/api/2.2/jobs/")
        .unwrap_or_default();
    match path {
        "list" => listed(
            "jobs",
            jobs(|job| {
                json!({
                    "job_id": job, "creator_user_name": "ann@example.com", "settings": {
                        "name": format!("job {job}"), "tags": {"team": "sales"}, "tasks": [{"task_key": "load"}],
                        "schedule": {"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "UTC", "pause_status": "UNPAUSED"},
                    },
                })
            }),
        ),
        "runs/list" if request.number("limit") > Some(26) => {
            Answer::new(400, json!({"error_code": "INVALID_PARAMETER_VALUE"}))
        }
        "runs/list" => {
            let since = request.number("start_time_from").unwrap_or(0);
            let is_active = request
                .query
                .get("active_only")
                .is_some_and(|only| only == "true");
            let runs = history.runs.iter().filter(|run| {
                let start = usize::try_from(run.start.as_millisecond()).unwrap();
                start >= since && (!is_active || run.state == State::Running)
            });
            listed("runs", runs.map(run).collect())
        }
        "runs/get" => match request.query.get("run_id").and_then(|id| history.find(id)) {
            Some(found) => ok(run(found)),
            None => Answer::new(
                400,
                json!({"error_code": "INVALID_PARAMETER_VALUE", "message": "Run does not exist."}),
            ),
        },
        _ => nothing(),
    }
}

/// Azure Data Factory: ten-millionths of seconds, continuation tokens in bodies, activities by POST.
pub(crate) fn data_factory(history: &History, request: &Request) -> Answer {
    let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.%6f7Z").to_string();
    if request.path == "/s3cret/oauth2/v2.0/token" {
        return ok(json!({"access_token": "abc", "expires_in": 3599, "token_type": "Bearer"}));
    }
    if !is_let_in(request, "Bearer abc") {
        return not_let_in();
    }
    if request
        .query
        .get("api-version")
        .is_none_or(|version| version != "2018-06-01")
    {
        return Answer::new(
            400,
            json!({"error": {"code": "MissingApiVersionParameter"}}),
        );
    }
    let asked = body(request);
    let run = |run: &Run| {
        json!({
            "runId": run.id.to_string(), "runGroupId": run.id.to_string(), "pipelineName": format!("pipeline {}", run.job),
            "runStart": time(run.start), "runEnd": run.end.map(time), "lastUpdated": time(run.updated()),
            "status": run.word("InProgress", "Succeeded", "Failed", "Cancelled"), "isLatest": true,
            "message": if run.state == State::Bad { run.reason() } else { "" },
            "invokedBy": {"id": "t", "name": "hourly", "invokedByType": "ScheduleTrigger"},
        })
    };
    let factory = "/subscriptions/s3cret/resourceGroups/s3cret/providers/Microsoft.DataFactory/factories/s3cret/";
    let path = request.path.strip_prefix(factory).unwrap_or_default();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["pipelines"] => ok(json!({"value": jobs(|job| {
            json!({"id": job, "name": format!("pipeline {job}"), "properties": {"activities": [
                {"name": "look", "type": "Lookup", "dependsOn": []},
                {"name": "load", "type": "Copy", "dependsOn": [{"activity": "look", "dependencyConditions": ["Succeeded"]}]},
            ]}})
        })})),
        ["triggers"] => ok(json!({"value": [{"name": "hourly", "properties": {
            "type": "ScheduleTrigger", "runtimeState": "Started",
            "pipelines": [{"pipelineReference": {"referenceName": "pipeline 0", "type": "PipelineReference"}}],
            "typeProperties": {"recurrence": {"frequency": "Hour", "interval": 1}},
        }}]})),
        ["queryPipelineRuns"] => {
            let (Some(after), Some(before)) = (
                moment(&asked["lastUpdatedAfter"]),
                moment(&asked["lastUpdatedBefore"]),
            ) else {
                return Answer::new(400, json!({"error": {"code": "BadRequest"}}));
            };
            let runs = history.runs.iter();
            let runs = runs.filter(|run| after <= run.updated() && run.updated() <= before);
            let all: Vec<Json> = runs.map(run).collect();
            let from = asked["continuationToken"]
                .as_str()
                .and_then(|token| token.parse().ok())
                .unwrap_or(0);
            let mut answer = json!({"value": part(&all, from, 50)});
            if from + 50 < all.len() {
                answer["continuationToken"] = json!((from + 50).to_string());
            }
            ok(answer)
        }
        ["pipelineruns", id] => history
            .find(id)
            .map_or_else(nothing, |found| ok(run(found))),
        ["pipelineruns", id, "queryActivityruns"] => {
            let Some(found) = history.find(id) else {
                return nothing();
            };
            let bad = found.state == State::Bad;
            ok(json!({"value": [{
                "activityName": "load", "activityType": "Copy", "activityRunId": format!("{id}-load"), "pipelineRunId": id,
                "activityRunStart": time(found.start), "activityRunEnd": found.end.map(time),
                "status": found.word("InProgress", "Succeeded", "Failed", "Cancelled"),
                "error": {"errorCode": if bad { "2200" } else { "" }, "message": if bad { found.reason() } else { "" }, "failureType": ""},
            }]}))
        }
        _ => nothing(),
    }
}

/// Kestra: pages from 1, a state of its own shape, a key of two fields.
pub(crate) fn kestra(history: &History, request: &Request) -> Answer {
    // s3cret:s3cret
    if !is_let_in(request, "Basic czNjcmV0OnMzY3JldA==") {
        return not_let_in();
    }
    let execution = |run: &Run| {
        let mut state = json!({
            "current": run.word("RUNNING", "SUCCESS", "FAILED", "KILLED"), "startDate": run.start.to_string(),
            "histories": [{"state": "CREATED", "date": run.queued.to_string()}],
        });
        if let Some(end) = run.end {
            state["endDate"] = json!(end.to_string());
        }
        json!({
            "id": run.id.to_string(), "namespace": "shop", "flowId": format!("flow-{}", run.job), "flowRevision": 1,
            "state": state, "trigger": {"id": "hourly", "type": "io.kestra.plugin.core.trigger.Schedule"},
            "taskRunList": [{"id": format!("{}-t", run.id), "taskId": "load", "state": state}],
        })
    };
    let listed = |all: Vec<Json>| {
        let (page, size) = (
            request.number("page").unwrap_or(1),
            request.number("size").unwrap_or(10),
        );
        if page == 0 {
            return Answer::new(
                422,
                json!({"message": "page: must be greater than or equal to 1"}),
            );
        }
        ok(json!({"results": part(&all, (page - 1) * size, size), "total": all.len()}))
    };
    let path = request
        .path
        .strip_prefix("/api/v1/s3cret/")
        .unwrap_or_default();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["flows", "search"] => listed(jobs(|job| {
            json!({
                "id": format!("flow-{job}"), "namespace": "shop", "revision": 1, "disabled": false,
                "tasks": [{"id": "load", "type": "io.kestra.plugin.core.log.Log"}],
                "triggers": [{"id": "hourly", "type": "io.kestra.plugin.core.trigger.Schedule", "cron": "0 * * * *"}],
            })
        })),
        ["executions", "search"] => {
            let since = request
                .query
                .get("filters[startDate][GREATER_THAN_OR_EQUAL_TO]");
            let since: Option<Timestamp> = since.and_then(|text| text.parse().ok());
            let runs = history.runs.iter();
            let runs = runs.filter(|run| since.is_none_or(|since| run.start >= since));
            listed(runs.map(execution).collect())
        }
        ["executions", id] => history
            .find(id)
            .map_or_else(nothing, |run| ok(execution(run))),
        _ => nothing(),
    }
}
