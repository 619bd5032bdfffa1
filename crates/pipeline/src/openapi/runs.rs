//! Which fields of a record make which field of the contract's runs.

use super::document::Document;
use super::endpoint::{ListEndpoint, defined, folded};
use super::fields::{Access, Fields};
use super::jobs::{JobFields, JobsBy};
use super::mapping::{
    Lines, PAGES, expression, joined, key_of_several, list, of_parent, write_lines,
};
use super::proposal::{by_id, record_fields, statuses_of};

const STARTS: [&str; 11] = [
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
    "run_start",
];
const ENDS: [&str; 16] = [
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
    "ended",
    "run_end",
];
const QUEUED: [&str; 9] = [
    "queued_at",
    "queue_time",
    "submitted_at",
    "scheduled_at",
    "created_at",
    "create_time",
    "created",
    "created_on",
    "creation_timestamp",
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

/// Whether the records of a list say how something stands and when it began or ended, as runs do.
pub(super) fn is_like_runs(document: &Document, list: &ListEndpoint<'_>) -> bool {
    let fields = record_fields(document, list);
    let (_, schemas) = status(&fields);
    !schemas.is_empty() && (time(&fields, &STARTS).is_some() || time(&fields, &ENDS).is_some())
}

/// What a run's record gives.
#[derive(Debug)]
pub(super) struct RunFields {
    /// The expression for a run's id.
    pub(super) id: String,
    /// The words of its status, where the document lists them, and what they seem to mean.
    pub(super) statuses: Vec<(String, &'static str)>,
    /// What they call their job by.
    pub(super) jobs_by: JobsBy,
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
                jobs_by: JobsBy::Id,
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
            "uid",
            "name",
        ]);
        let id = id.map_or_else(|| "record.id".to_owned(), |id| id.path);
        let (status, schemas) = status(&fields);
        let statuses = statuses_of(document, &schemas);
        let (job, jobs_by) = job(document, &fields, list, jobs);
        let mut lines: Lines = vec![
            ("job_source_id", expression(&job)),
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
            jobs_by,
            by_id: false,
            lines,
        };
        made.by_id = by_id(document, list, jobs, &made).is_some();
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

/// The id of a run's job, and what it is.
fn job(
    document: &Document,
    fields: &Fields<'_>,
    list: &ListEndpoint<'_>,
    jobs: &ListEndpoint<'_>,
) -> (String, JobsBy) {
    if list.hangs_on(jobs) {
        let by = JobsBy::Id;
        return (of_parent(&JobFields::of(document, jobs, by).id), by);
    }
    let noun = jobs.noun();
    let [own_id, own_name] = ["id", "name"].map(|part| format!("{noun}_{part}"));
    let short = folded(&noun);
    let [short_id, short_name] = ["id", "name"].map(|part| format!("{}_{part}", defined(&short)));
    let own = fields.plain(&[&own_id, &short_id, &noun]);
    let inside = |names: &[&str]| fields.inside(&[&noun, "job"])?.plain(names);
    let inner = || inside(&["id", &own_id, "key"]);
    let other = || {
        fields.plain(&[
            "job_id",
            "pipeline_id",
            "workflow_id",
            "deployment_id",
            "flow_id",
        ])
    };
    let related = || {
        let related = fields.inside(&["relationships"])?;
        let job = related.inside(&[&noun, "job", "pipeline", "workflow"])?;
        job.inside(&["data"])?.plain(&["id"])
    };
    let by_id = own.or_else(inner).or_else(related).or_else(other);
    let by = by_id.as_ref().map_or(JobsBy::Name, |_| JobsBy::Id);
    let named = || {
        let own = fields.plain(&[&own_name, &short_name]);
        own.or_else(|| inside(&["name", &own_name]))
    };
    let Some(found) = by_id.or_else(named) else {
        return ("record.job_id".to_owned(), JobsBy::Id);
    };
    // Where jobs are told apart by several fields, their runs have the others too.
    let of_several = key_of_several(document, jobs).and_then(|key| {
        let (last, before) = key.split_last()?;
        if *last != JobFields::of(document, jobs, by).own {
            return None;
        }
        let mut parts = before
            .iter()
            .map(|part| Some(fields.plain(&[part.strip_prefix("record.")?])?.part()))
            .collect::<Option<Vec<String>>>()?;
        parts.push(found.part());
        Some(joined(&parts))
    });
    (of_several.unwrap_or_else(|| found.value()), by)
}

/// A time of a run, or of what says how it stands.
fn time<'d>(fields: &Fields<'d>, names: &[&str]) -> Option<Access<'d>> {
    let inner = || fields.inside(&PARTS)?.plain(names);
    fields.plain(names).or_else(inner)
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
            "phase",
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
