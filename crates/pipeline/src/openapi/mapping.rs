//! Which fields of a record make which field of the contract's jobs and runs.

use std::fmt::Write as _;

use super::document::Document;
use super::endpoint::ListEndpoint;
use super::fields::{Access, Fields};
use super::paging::toml_text;
use super::proposal::{by_id, record_fields, statuses_of};

/// Objects that hold what a job is, beside what it is called by.
const SETTINGS: [&str; 5] = ["settings", "config", "configuration", "definition", "spec"];
const TIMEZONES: [&str; 4] = ["timezone", "time_zone", "timezone_id", "tz"];
const CRONS: [&str; 7] = [
    "quartz_cron_expression",
    "cron",
    "cron_expression",
    "cron_schedule",
    "schedule_cron",
    "schedule_expression",
    "expression",
];
const PAGES: [&str; 6] = ["html_url", "web_url", "ui_url", "page_url", "url", "link"];
const STARTS: [&str; 10] = [
    "started_at",
    "start_time",
    "start_date",
    "start",
    "started",
    "begin_time",
    "run_started_at",
    "start_timestamp",
    "execution_start_time",
    "started_on",
];
const ENDS: [&str; 14] = [
    "ended_at",
    "end_time",
    "end_date",
    "finished_at",
    "completed_at",
    "stopped_at",
    "finish_time",
    "completion_time",
    "completed_on",
    "end",
    "finished",
    "completed",
    "end_timestamp",
    "execution_end_time",
];
const QUEUED: [&str; 8] = [
    "queued_at",
    "queue_time",
    "submitted_at",
    "scheduled_at",
    "created_at",
    "create_time",
    "created",
    "created_on",
];
const CHANGED: [&str; 7] = [
    "updated_at",
    "update_time",
    "last_updated_at",
    "last_update_time",
    "timestamp",
    "time",
    "date",
];
const STATUSES: [&str; 7] = [
    "status",
    "state",
    "run_status",
    "run_state",
    "lifecycle_state",
    "phase",
    "outcome",
];
const RESULTS: [&str; 4] = ["conclusion", "result_state", "result", "outcome"];
/// Objects that hold how a run stands, and since when.
const PARTS: [&str; 2] = ["state", "status"];
const MESSAGES: [&str; 7] = [
    "error_message",
    "failure_reason",
    "failure_message",
    "error",
    "state_message",
    "status_message",
    "message",
];

/// Lines of `[assets]` or `[runs]`: a field, and its value as TOML writes it.
type Lines = Vec<(&'static str, String)>;

fn expression(text: &str) -> String {
    toml_text(text)
}

fn write_lines(text: &mut String, lines: &Lines) {
    for (name, value) in lines {
        let _ = writeln!(text, "{name} = {value} # review");
    }
}

/// Whether the records of a list say how something stands and when it began or ended, as runs do.
pub(super) fn is_like_runs(document: &Document, list: &ListEndpoint<'_>) -> bool {
    let fields = record_fields(document, list);
    let (_, schemas) = status(&fields);
    !schemas.is_empty() && (time(&fields, &STARTS).is_some() || time(&fields, &ENDS).is_some())
}

/// What a job's record gives.
#[derive(Debug)]
pub(super) struct JobFields {
    /// The expression for a job's id.
    pub(super) id: String,
    /// The expression for what a path calls it: the id, or the last part of one of several.
    pub(super) own: String,
    lines: Lines,
}

impl JobFields {
    pub(super) fn of(document: &Document, list: &ListEndpoint<'_>) -> Self {
        let fields = record_fields(document, list);
        let noun = list.noun();
        let [own_id, own_uuid, own_name, own_key] =
            ["id", "uuid", "name", "key"].map(|part| format!("{noun}_{part}"));
        let id = fields.plain(&[
            "id", &own_id, "uuid", &own_uuid, "key", &own_key, "slug", "name", &own_name,
        ]);
        let own = id.map_or_else(|| "record.id".to_owned(), |id| id.path);
        let id = key_of_several(document, list)
            .filter(|key| key.last() == Some(&own))
            .map_or_else(|| own.clone(), |key| joined(&key));
        let display = format!("{noun}_display_name");
        let settings = fields.inside(&SETTINGS);
        let places = || [Some(&fields), settings.as_ref()].into_iter().flatten();
        let name = places().find_map(|fields| {
            fields.plain(&[
                "name",
                &own_name,
                "title",
                &display,
                "display_name",
                "label",
                "slug",
            ])
        });
        let name = name.map_or_else(|| own.clone(), |name| name.value());
        let mut lines: Lines = vec![
            ("job_source_id", expression(&id)),
            ("name", expression(&name)),
        ];
        let description = places().find_map(|fields| fields.plain(&["description", "summary"]));
        lines.extend(description.map(|found| ("description", expression(&found.value()))));
        lines.extend(group(&fields).map(|group| ("group", group)));
        let paused = places().find_map(paused);
        lines.extend(paused.map(|paused| ("is_paused", expression(&paused))));
        let page = fields.plain(&PAGES);
        lines.extend(page.map(|found| ("job_url", expression(&found.value()))));
        let schedule = places().find_map(schedule);
        let manual = || "{ kind = \"'manual'\" }".to_owned();
        lines.push(("schedule", schedule.unwrap_or_else(manual)));
        lines.extend(owner(&fields).map(|owner| ("owner", owner)));
        let tags = places().find_map(|fields| tags(document, fields));
        lines.extend(tags.map(|tags| ("properties", tags)));
        let tasks = places().find_map(|fields| tasks(document, fields));
        lines.extend(tasks.map(|tasks| ("tasks", tasks)));
        Self { id, own, lines }
    }

    pub(super) fn write(&self, text: &mut String) {
        text.push_str("\n[assets]\nfrom = \"jobs\"\n\n[assets.fields]\n");
        write_lines(text, &self.lines);
    }
}

fn group(fields: &Fields<'_>) -> Option<String> {
    let names = [
        "project",
        "workspace",
        "folder",
        "group",
        "namespace",
        "team",
        "space",
    ];
    if let Some(inner) = fields.inside(&names)
        && let Some(id) = inner.plain(&["id", "uuid", "key", "name"])
    {
        let name = inner
            .plain(&["name", "title"])
            .unwrap_or_else(|| id.clone());
        return Some(format!(
            "{{ source_id = {}, name = {} }}",
            expression(&id.value()),
            expression(&name.value())
        ));
    }
    let with_id: Vec<String> = names.iter().map(|name| format!("{name}_id")).collect();
    let with_id: Vec<&str> = with_id.iter().map(String::as_str).collect();
    let id = fields.plain(&with_id).or_else(|| fields.plain(&names))?;
    Some(format!("{{ source_id = {} }}", expression(&id.value())))
}

fn paused(fields: &Fields<'_>) -> Option<String> {
    let paused = fields.plain(&[
        "is_paused",
        "paused",
        "suspended",
        "is_suspended",
        "disabled",
        "is_disabled",
    ]);
    let active = || fields.plain(&["enabled", "is_enabled", "active", "is_active"]);
    paused
        .map(|paused| paused.value())
        .or_else(|| active().map(|active| format!("not {}", active.part())))
}

fn schedule(fields: &Fields<'_>) -> Option<String> {
    let inner = fields.inside(&["schedule", "scheduling", "trigger", "timetable"]);
    let find = |names: &[&str]| {
        let inner = inner.as_ref().and_then(|inner| inner.plain(names));
        inner.or_else(|| fields.plain(names))
    };
    let cron = find(&CRONS)?;
    let zone = find(&TIMEZONES).map_or_else(String::new, |zone| {
        format!(", timezone = {}", expression(&zone.value()))
    });
    Some(format!(
        "[{{ when = {when}, kind = \"'cron'\", cron_expression = {cron}{zone} }}, {{ kind = \"'manual'\" }}]",
        when = expression(&cron.value()),
        cron = expression(&cron.path),
    ))
}

fn owner(fields: &Fields<'_>) -> Option<String> {
    let email = fields.plain(&["owner_email", "creator_email", "created_by_email"]);
    let inner = fields.inside(&["owner", "creator", "created_by", "user", "author"]);
    let email = email.or_else(|| inner.as_ref()?.plain(&["email", "email_address"]));
    let name = inner
        .as_ref()
        .and_then(|inner| inner.plain(&["name", "username", "display_name"]));
    let name =
        name.or_else(|| fields.plain(&["owner", "owner_name", "creator", "created_by", "author"]));
    let members: Vec<String> = [("primary_email", email), ("primary_name", name)]
        .into_iter()
        .filter_map(|(key, found)| Some(format!("{key} = {}", expression(&found?.value()))))
        .collect();
    (!members.is_empty()).then(|| format!("{{ {} }}", members.join(", ")))
}

/// The list at one of these names, and the fields of its records.
fn list<'d>(
    document: &'d Document,
    fields: &Fields<'d>,
    names: &[&str],
) -> Option<(Access<'d>, Fields<'d>)> {
    let found = fields.find(names)?;
    let items = document.items(found.schema)?;
    Some((found, Fields::new(document, "item", items)))
}

fn tags(document: &Document, fields: &Fields<'_>) -> Option<String> {
    let (tags, item) = list(document, fields, &["tags", "labels"])?;
    let each = expression(&tags.value());
    let Some(key) = item.plain(&["key", "name", "label", "tag"]) else {
        return Some(format!("{{ each = {each}, key = \"item\" }}"));
    };
    let value = item.plain(&["value"]).map_or_else(String::new, |value| {
        format!(", value = {}", expression(&value.value()))
    });
    Some(format!(
        "{{ each = {each}, key = {}{value} }}",
        expression(&key.value())
    ))
}

fn tasks(document: &Document, fields: &Fields<'_>) -> Option<String> {
    let (tasks, item) = list(
        document,
        fields,
        &["tasks", "steps", "activities", "nodes", "stages"],
    )?;
    let id = item.plain(&["id", "task_id", "step_id", "key", "task_key", "name"])?;
    let name = item
        .plain(&["name", "title", "display_name"])
        .unwrap_or_else(|| id.clone());
    let upstream = item
        .find(&[
            "depends_on",
            "upstream",
            "upstream_task_ids",
            "needs",
            "dependencies",
        ])
        .and_then(|found| {
            let items = document.items(found.schema)?;
            if document.kind(items) == "string" {
                return Some(found.value());
            }
            let key = id.path.strip_prefix("item.")?;
            Fields::new(document, "item", items).plain(&[key])?;
            let list = if found.optional {
                format!("{} | default([])", found.path)
            } else {
                found.path
            };
            Some(format!("{list} | pluck({})", super::fields::quoted(key)))
        })
        .map_or_else(String::new, |upstream| {
            format!(", upstream_task_source_ids = {}", expression(&upstream))
        });
    Some(format!(
        "{{ each = {}, task_source_id = {}, name = {}{upstream} }}",
        expression(&tasks.value()),
        expression(&id.value()),
        expression(&name.value())
    ))
}

/// What a run's record gives.
#[derive(Debug)]
pub(super) struct RunFields {
    /// The expression for a run's id.
    pub(super) id: String,
    /// The words of its status, where the document lists them, and what they seem to mean.
    pub(super) statuses: Vec<(String, &'static str)>,
    by_id: bool,
    lines: Lines,
}

impl RunFields {
    /// The fields of a list of runs; those that every run needs when there is none.
    pub(super) fn of(
        document: &Document,
        list: Option<&ListEndpoint<'_>>,
        jobs: &ListEndpoint<'_>,
    ) -> Self {
        let Some(list) = list else {
            return Self {
                id: "record.id".to_owned(),
                statuses: Vec::new(),
                by_id: false,
                lines: vec![
                    ("job_source_id", expression("record.job_id")),
                    ("run_source_id", expression("record.id")),
                    ("status", expression("record.status")),
                    (
                        "event_time",
                        expression("record.ended_at or record.started_at"),
                    ),
                ],
            };
        };
        let fields = record_fields(document, list);
        let noun = list.noun();
        let [own_id, own_uuid] = ["id", "uuid"].map(|part| format!("{noun}_{part}"));
        let id = fields.plain(&[
            "id",
            &own_id,
            "run_id",
            "execution_id",
            "uuid",
            &own_uuid,
            "key",
        ]);
        let id = id.map_or_else(|| "record.id".to_owned(), |id| id.path);
        let (status, schemas) = status(&fields);
        let statuses = statuses_of(document, &schemas);
        let mut lines: Lines = vec![
            (
                "job_source_id",
                expression(&job(document, &fields, list, jobs)),
            ),
            ("run_source_id", expression(&id)),
            ("status", expression(&status)),
        ];
        let [start, end, queued] = [&STARTS[..], &ENDS, &QUEUED].map(|names| time(&fields, names));
        // Where nothing says when a run ended, that it changed last is nearest to it.
        let changed = fields.plain(&CHANGED).filter(|_| end.is_none());
        let known: Vec<&Access<'_>> = [&end, &changed, &start, &queued]
            .into_iter()
            .flatten()
            .collect();
        let at = match known.as_slice() {
            [] => "record.ended_at".to_owned(),
            [only] => only.time(document),
            several => {
                let parts = several.iter().map(|found| found.time_part(document));
                parts.collect::<Vec<_>>().join(" or ")
            }
        };
        lines.push(("event_time", expression(&at)));
        for (name, found) in [
            ("start_time", start),
            ("end_time", end),
            ("queued_at", queued),
        ] {
            lines.extend(found.map(|found| (name, expression(&found.time(document)))));
        }
        let attempt = fields.plain(&["attempt_number", "attempt", "try_number", "attempts"]);
        let attempt = attempt.filter(|found| document.kind(found.schema) == "integer");
        lines.extend(attempt.map(|found| {
            (
                "attempt_number",
                expression(&format!("{} or none", found.part())),
            )
        }));
        let page = fields
            .plain(&["run_url", "run_page_url"])
            .or_else(|| fields.plain(&PAGES));
        lines.extend(page.map(|found| ("run_url", expression(&found.value()))));
        lines.push(("error", error(&fields, &status, &statuses)));
        lines.extend(task_runs(document, &fields).map(|tasks| ("task_runs", tasks)));
        let mut made = Self {
            id,
            statuses,
            by_id: false,
            lines,
        };
        made.by_id = by_id(document, list, &made).is_some();
        made
    }

    pub(super) fn write(&self, text: &mut String) {
        text.push_str("\n# A run belongs to the window that its `event_time` is in.\n[runs]\nfrom = \"runs\"\n");
        if self.by_id {
            text.push_str("by_id = \"runs_by_id\"\n");
        }
        text.push_str("\n[runs.fields]\n");
        write_lines(text, &self.lines);
    }
}

/// The id of a run's job.
fn job(
    document: &Document,
    fields: &Fields<'_>,
    list: &ListEndpoint<'_>,
    jobs: &ListEndpoint<'_>,
) -> String {
    let noun = jobs.noun();
    let [own_id, own_name] = ["id", "name"].map(|part| format!("{noun}_{part}"));
    let own = fields.plain(&[&own_id, &noun]);
    let inner = || {
        fields
            .inside(&[&noun, "job"])?
            .plain(&["id", &own_id, "key", "name"])
    };
    let other = || {
        fields.plain(&[
            "job_id",
            "pipeline_id",
            "workflow_id",
            "deployment_id",
            "flow_id",
            &own_name,
        ])
    };
    if let Some(found) = own.or_else(inner).or_else(other) {
        // Where jobs are told apart by several fields, their runs have the others too.
        let of_several = key_of_several(document, jobs).and_then(|key| {
            let (_, before) = key.split_last()?;
            let mut parts = before
                .iter()
                .map(|part| Some(fields.plain(&[part.strip_prefix("record.")?])?.part()))
                .collect::<Option<Vec<String>>>()?;
            parts.push(found.part());
            Some(joined(&parts))
        });
        return of_several.unwrap_or_else(|| found.value());
    }
    if list.path_parameters().is_empty() {
        "record.job_id".to_owned()
    } else {
        JobFields::of(document, jobs)
            .id
            .replace("record.", "parent.")
    }
}

/// A time of a run, or of what says how it stands.
fn time<'d>(fields: &Fields<'d>, names: &[&str]) -> Option<Access<'d>> {
    let inner = || fields.inside(&PARTS)?.plain(names);
    fields.plain(names).or_else(inner)
}

/// Expressions put together to one id.
fn joined(parts: &[String]) -> String {
    parts.join(" ~ '/' ~ ")
}

/// The expressions for the fields that tell records of a list apart, where the path of one of them has several: all of
/// these are fields, too.
fn key_of_several(document: &Document, list: &ListEndpoint<'_>) -> Option<Vec<String>> {
    let below = format!("{}/", list.base());
    let paths = document.at(&["paths"]).as_object()?;
    let fields = record_fields(document, list);
    paths
        .keys()
        .filter_map(|path| path.strip_prefix(&below))
        .filter_map(|rest| {
            let names = rest.trim_end_matches('/').split('/').map(|segment| {
                let name = segment.strip_prefix('{')?.strip_suffix('}')?;
                Some(fields.plain(&[name])?.path)
            });
            names.collect::<Option<Vec<String>>>()
        })
        .filter(|key| key.len() > 1)
        .min_by_key(Vec::len)
}

/// Runs of a run's tasks, where its record holds them.
fn task_runs(document: &Document, fields: &Fields<'_>) -> Option<String> {
    let (runs, item) = list(
        document,
        fields,
        &["task_runs", "task_run_list", "tasks", "steps", "step_runs"],
    )?;
    let id = item.plain(&["id", "run_id", "task_run_id", "uuid", "key"])?;
    let task = item.plain(&["task_id", "task_key", "step_id", "task_name", "name", "key"])?;
    let (status, schemas) = status(&item);
    let [start, end] = [&STARTS[..], &ENDS].map(|names| time(&item, names));
    if schemas.is_empty() || start.is_none() && end.is_none() {
        return None;
    }
    let parts: Vec<String> = [&end, &start]
        .into_iter()
        .flatten()
        .map(|found| found.time_part(document))
        .collect();
    let mut members = vec![
        ("each", runs.value()),
        ("run_source_id", id.value()),
        ("task_source_id", task.value()),
        ("status", status.clone()),
        ("event_time", parts.join(" or ")),
    ];
    for (name, found) in [("start_time", start), ("end_time", end)] {
        members.extend(found.map(|found| (name, found.time(document))));
    }
    let members: Vec<String> = members
        .into_iter()
        .map(|(name, value)| format!("{name} = {}", expression(&value)))
        .collect();
    let error = error(&item, &status, &statuses_of(document, &schemas));
    Some(format!("{{ {}, error = {error} }}", members.join(", ")))
}

/// How a run stands, and the schemas of what says so.
fn status<'d>(fields: &Fields<'d>) -> (String, Vec<&'d serde_json::Value>) {
    let inner = || {
        let inner = fields.inside(&PARTS)?;
        inner.plain(&[
            "current",
            "current_state",
            "current_status",
            "result_state",
            "status",
            "state",
            "life_cycle_state",
            "type",
            "name",
            "code",
        ])
    };
    let Some(status) = fields.plain(&STATUSES).or_else(inner) else {
        return ("record.status".to_owned(), Vec::new());
    };
    // A result says more, once there is one.
    match fields
        .plain(&RESULTS)
        .filter(|result| result.path != status.path)
    {
        Some(result) => (
            format!("{} or {}", result.part(), status.part()),
            vec![result.schema, status.schema],
        ),
        None => (status.value(), vec![status.schema]),
    }
}

fn error(fields: &Fields<'_>, status: &str, statuses: &[(String, &'static str)]) -> String {
    let inner = || {
        fields.inside(&["error", "failure", "exception"])?.plain(&[
            "message",
            "msg",
            "reason",
            "description",
            "detail",
        ])
    };
    let message = fields.plain(&MESSAGES).or_else(inner);
    let message = message.map_or_else(
        || "'no reason given'".to_owned(),
        |found| format!("({} or 'no reason given')", found.part()),
    );
    let mut failed: Vec<String> = statuses
        .iter()
        .filter(|(_, means)| matches!(*means, "failed" | "error"))
        .map(|(word, _)| super::fields::quoted(&word.to_lowercase()))
        .collect();
    if failed.is_empty() {
        failed = vec!["'failed'".to_owned(), "'error'".to_owned()];
    }
    let text = format!("{message} if ({status}) | lower in [{}]", failed.join(", "));
    format!("{{ message = {} }}", expression(&text))
}
