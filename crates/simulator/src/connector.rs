//! The connector that fits a simulated vendor: what a careful author would write for it.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::scenario::{Clock, Form, Lists, Login, Lookup, PagingStyle, Scenario, Steps};
use crate::vendor::{SECRET, USER};

/// The manifest that fits every simulated vendor.
#[must_use]
pub fn manifest() -> Json {
    json!({
        "connection_type": "custom-etl-connector-51b0515",
        "connection_name": "Simulated orchestrator",
        "asset_class": "etl",
        "terminology": {"group": "Folder", "job": "Job", "task": "Step"},
        "run_status_mapping": {
            "QUEUED": "queued",
            "RUNNING": "in_progress",
            "SUCCEEDED": "success",
            "FAILED": "failed",
            "CANCELLED": "cancelled",
            "TIMED_OUT": "timed_out",
        },
    })
}

/// The credentials for a vendor at this address.
#[must_use]
pub fn credentials(url: &str) -> Json {
    json!({"connect_args": {"api_url": url, "user": USER, "api_key": SECRET}})
}

/// The `connector.toml` that describes a vendor.
#[must_use]
pub fn description(scenario: &Scenario) -> String {
    let mut text = String::from("version = 1\n");
    let check = match scenario.form {
        Form::GraphQl => r#"{ path = "/graphql", graphql = "query Version { version }" }"#,
        Form::Query | Form::Body => r#"{ path = "/api/version" }"#,
    };
    let _ = writeln!(
        text,
        "check = {check}\n\n[http]\nbase_url = \"{{{{ credentials.api_url }}}}\""
    );
    let _ = writeln!(text, "{}", auth(scenario.login));
    if scenario.form == Form::GraphQl {
        text.push_str(
            "reject = [{ when = \"response.errors is defined\", message = \"response.errors[0].message\" }]\n",
        );
    }
    source(&mut text, scenario, "jobs", "jobs", &[]);
    let since = format!("window.start{}", asked_time(scenario.times));
    let until = format!("window.end{}", asked_time(scenario.times));
    let mut windowed = vec![("since", format!("{{{{ {since} }}}}"))];
    match scenario.lists {
        Lists::One => source(&mut text, scenario, "runs", "runs", &windowed),
        Lists::Two => {
            source(
                &mut text,
                scenario,
                "open",
                "runs",
                &[("state", "open".to_owned())],
            );
            windowed.push(("until", format!("{{{{ {until} }}}}")));
            windowed.push(("state", "ended".to_owned()));
            source(&mut text, scenario, "runs", "runs", &windowed);
        }
    }
    if scenario.lookup == Lookup::ById {
        text.push_str(by_id(scenario.form));
    }
    text.push_str(steps(scenario));
    text.push_str(ASSETS);
    text.push_str("\n[runs]\nfrom = \"runs\"\n");
    if scenario.lists == Lists::Two {
        text.push_str("also = [\"open\"]\n");
    }
    if scenario.lookup == Lookup::ById {
        text.push_str("by_id = \"asked\"\n");
    }
    let time = match scenario.times {
        Clock::Utc | Clock::Berlin => "",
        Clock::Seconds => " | time",
        Clock::Millis => " | time('ms')",
    };
    text.push_str(&RUNS.replace(" | time", time));
    if scenario.steps != Steps::None {
        text.push_str(&STEP_RUNS.replace(" | time", time));
    }
    text
}

fn asked_time(times: Clock) -> &'static str {
    match times {
        Clock::Utc | Clock::Berlin => "",
        Clock::Seconds => " | epoch",
        Clock::Millis => " | epoch_ms",
    }
}

fn auth(login: Login) -> &'static str {
    match login {
        Login::None => "auth = { kind = \"none\" }",
        Login::Header => {
            "auth = { kind = \"header\", value = \"Bearer {{ credentials.api_key }}\" }"
        }
        Login::Basic => {
            "auth = { kind = \"basic\", username = \"{{ credentials.user }}\", password = \"{{ credentials.api_key }}\" }"
        }
        Login::Token => {
            "auth = { kind = \"login\", token = \"response.token\", request = { url = \"{{ credentials.api_url }}/login\", json = { user = \"{{ credentials.user }}\", password = \"{{ credentials.api_key }}\" } } }"
        }
    }
}

/// A source that reads one of the long lists.
fn source(
    text: &mut String,
    scenario: &Scenario,
    name: &str,
    list: &str,
    parameters: &[(&str, String)],
) {
    let paged: &[(&str, &str)] = match scenario.paging {
        PagingStyle::None => &[],
        PagingStyle::Offset => &[("limit", "page.size"), ("offset", "page.offset")],
        PagingStyle::Number => &[("limit", "page.size"), ("page", "page.number")],
        PagingStyle::Cursor => &[("limit", "page.size"), ("cursor", "page.cursor")],
        PagingStyle::After => &[("limit", "page.size"), ("after", "page.cursor")],
        PagingStyle::Link => &[("limit", "page.size")],
    };
    let paged = paged
        .iter()
        .map(|(name, value)| format!("{name} = \"{{{{ {value} }}}}\""));
    let own = parameters
        .iter()
        .map(|(name, value)| format!("{name} = \"{value}\""));
    let given: Vec<String> = paged.chain(own).collect();
    let given = given.join(", ");
    let _ = writeln!(text, "\n[sources.{name}]");
    let within = match scenario.form {
        Form::Query => {
            let _ = writeln!(text, "path = \"/api/{list}\"");
            if !given.is_empty() {
                let _ = writeln!(text, "query = {{ {given} }}");
            }
            "response".to_owned()
        }
        Form::Body => {
            let _ = writeln!(text, "path = \"/api/{list}/search\"\njson = {{ {given} }}");
            "response".to_owned()
        }
        Form::GraphQl => {
            let title = if list == "jobs" { "Jobs" } else { "Runs" };
            let _ = writeln!(
                text,
                "path = \"/graphql\"\ngraphql = \"query {title}($f: Filter) {{ {list}(filter: $f) }}\"\nvariables = {{ {given} }}"
            );
            format!("response.data.{list}")
        }
    };
    let records = match scenario.paging {
        PagingStyle::None => within.clone(),
        _ => format!("{within}.items"),
    };
    let _ = writeln!(text, "records = \"{records}\"\nkey = \"record.id\"");
    let total = if scenario.says_total {
        format!(", total = \"{within}.total\"")
    } else {
        String::new()
    };
    let size = scenario.page;
    let pages = match scenario.paging {
        PagingStyle::None => return,
        PagingStyle::Offset => format!("style = \"offset\", size = {size}{total}"),
        PagingStyle::Number if scenario.says_total => {
            format!("style = \"number\", size = {size}{total}")
        }
        PagingStyle::Number => format!(
            "style = \"number\", size = {size}, last = \"{within}.page >= {within}.pages if {within}.pages is defined\""
        ),
        PagingStyle::Cursor => {
            format!("style = \"cursor\", size = {size}, next = \"{within}.next\"")
        }
        PagingStyle::After => format!("style = \"cursor\", size = {size}, next = \"last.id\""),
        PagingStyle::Link => {
            format!("style = \"link\", size = {size}, next = \"{within}.links.next\"")
        }
    };
    let _ = writeln!(text, "pages = {{ {pages} }}");
}

fn by_id(form: Form) -> &'static str {
    match form {
        Form::Query => {
            "\n[sources.asked]\nfor_each = \"run_ids\"\npath = \"/api/runs/{{ parent }}\"\nmissing = [404]\nkey = \"record.id\"\n"
        }
        Form::Body => {
            "\n[sources.asked]\nfor_each = { source = \"run_ids\", batch = 20 }\npath = \"/api/runs/search\"\njson = { ids = \"{{ batch }}\" }\nkey = \"record.id\"\n"
        }
        Form::GraphQl => {
            "\n[sources.asked]\nfor_each = { source = \"run_ids\", batch = 20 }\npath = \"/graphql\"\ngraphql = \"query RunsById($ids: [ID!]) { runsById(ids: $ids) }\"\nvariables = { ids = \"{{ batch }}\" }\nrecords = \"response.data.runsById\"\nkey = \"record.id\"\n"
        }
    }
}

fn steps(scenario: &Scenario) -> &'static str {
    match (scenario.steps, scenario.form) {
        (Steps::None, _) => "",
        (Steps::Each, _) => {
            "\n[sources.steps]\nfor_each = \"runs\"\npath = \"/api/runs/{{ parent.id }}/steps\"\nmissing = [404]\nkey = \"record.run\"\nmany = true\n"
        }
        (Steps::Batch, Form::Query | Form::Body) => {
            "\n[sources.steps]\nfor_each = { source = \"runs\", batch = 10 }\npath = \"/api/steps/search\"\njson = { runs = \"{{ batch | map(attribute='id') | list }}\" }\nkey = \"record.run\"\nmany = true\n"
        }
        (Steps::Batch, Form::GraphQl) => {
            "\n[sources.steps]\nfor_each = { source = \"runs\", batch = 10 }\npath = \"/graphql\"\ngraphql = \"query Steps($runs: [ID!]) { steps(runs: $runs) }\"\nvariables = { runs = \"{{ batch | map(attribute='id') | list }}\" }\nrecords = \"response.data.steps\"\nkey = \"record.run\"\nmany = true\n"
        }
    }
}

const ASSETS: &str = r#"
[assets]
from = "jobs"
[assets.fields]
job_source_id = "record.id"
name = "record.name"
folder = "record.folder"
is_paused = "record.paused"
owner = { primary_email = "record.owner.email" }
schedule = [
  { when = "record.schedule", kind = "'cron'", cron_expression = "record.schedule.cron", timezone = "record.schedule.timezone", paused = "record.paused" },
  { kind = "'manual'" },
]
tasks = { each = "record.steps", task_source_id = "item.name", name = "item.name" }
"#;

const RUNS: &str = r#"
[runs.fields]
job_source_id = "record.job"
run_source_id = "record.id"
status = "record.state"
event_time = "(record.ended or record.started or record.queued) | time"
start_time = "record.started | time"
end_time = "record.ended | time"
queued_at = "record.queued | time"
trigger = "record.trigger | lookup({'timer': 'SCHEDULE', 'user': 'MANUAL'})"
attempt_number = "record.attempt"
parent_attempt_run_source_id = "record.retry_of"
error = { message = "record.error.message", code = "record.error.type" }
"#;

const STEP_RUNS: &str = r#"
[runs.fields.task_runs]
each = "steps[record.id]"
run_source_id = "item.id"
task_source_id = "item.name"
status = "item.state"
event_time = "(item.ended or item.started) | time"
start_time = "item.started | time"
end_time = "item.ended | time"
error = { message = "item.message" }
"#;
