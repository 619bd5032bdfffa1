//! Which fields of a record make which field of the contract's jobs.

use super::document::Document;
use super::endpoint::{ListEndpoint, defined, folded};
use super::fields::Fields;
use super::mapping::{Lines, PAGES, expression, joined, key_of_several, list, write_lines};
use super::proposal::record_fields;

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

/// What runs call their job by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobsBy {
    Id,
    Name,
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
    pub(super) fn of(document: &Document, list: &ListEndpoint<'_>, by: JobsBy) -> Self {
        let fields = record_fields(document, list);
        let noun = list.noun();
        let [own_id, own_uuid, own_name, own_key] =
            ["id", "uuid", "name", "key"].map(|part| format!("{noun}_{part}"));
        let short = folded(&noun);
        let [short_id, short_name] =
            ["id", "name"].map(|part| format!("{}_{part}", defined(&short)));
        let names = ["name", &own_name, &short_name];
        let id = || {
            fields.plain(&[
                "id", &own_id, &short_id, "uuid", &own_uuid, "key", &own_key, "slug",
            ])
        };
        // Runs belong to what they name.
        let named = fields.plain(&names).filter(|_| by == JobsBy::Name);
        let id = named.or_else(id).or_else(|| fields.plain(&names));
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
                &short_name,
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
        "suspend",
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
