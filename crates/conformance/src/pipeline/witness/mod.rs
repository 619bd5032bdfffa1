//! The vendor as a witness: what its answers said while the connector read them, compared with what the connector gave.
//!
//! Nothing is known of the vendor's fields. A record is an event's when the event's id stands in it; what a field of the
//! connector is made from shows in where its values stand in those records. So what is judged are exceptions: an event that
//! says what the vendor says of another one, a time that is always hours from the vendor's, a record in a list of which
//! everything else came. What somebody may have meant is advice.

mod borrowed;
mod clocks;
mod cut_short;
mod errors;
mod faithful;
mod fates;
mod given;
mod left_out;
mod owners;
mod records;
mod sense;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::{
    Asset, AssetEvent, Field, Group, Owner, PipelineManifest, Run, RunEvent, RunStatus, Task,
    Window,
};
use bowline_pipeline::VendorAnswers;
use bowline_words::counted;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use self::borrowed::all_borrowed;
use self::faithful::unlike;
use self::given::{any_speaks_of, fields, moments};
use self::left_out::{LeftOut, left_out};
use self::owners::{Column, Owners, Subject};
use self::records::{Record, Records};
use super::outcome::{Doubt, Fault, Outcome};
use super::reading::{asset_label, run_label};
use super::times::{SHOWN, SKEW};

/// So many of the events must agree, or nothing follows.
const NEARLY_ALL: f64 = 0.9;
/// So many are no accident.
const SEVERAL: usize = 3;
/// Words of names for a run that another one is a part of.
const WHOLES: &str =
    "parent root origin main master caller invok batch group source workflow execution";
/// How far from the ends of a window a record must be to be in it for certain.
const MARGIN: SignedDuration = SignedDuration::from_secs(2);

/// What the vendor answered, and every event that came of it.
#[derive(Default)]
pub(super) struct Witness {
    records: Records,
    job_ids: BTreeSet<String>,
    run_ids: BTreeSet<String>,
    /// Whether a run under way was given.
    has_given_open: bool,
}

/// An event with its number among the owners, and what it is called.
type Judged<'e, E> = (usize, &'e E, &'e str);

/// What is an event in JSON.
pub(super) trait AsJson {
    fn json(&self) -> &Json;
}

impl AsJson for Json {
    fn json(&self) -> &Json {
        self
    }
}

impl AsJson for AssetEvent {
    fn json(&self) -> &Json {
        self.json()
    }
}

impl AsJson for RunEvent {
    fn json(&self) -> &Json {
        self.json()
    }
}

/// What the vendor's answers show.
pub(super) struct Testimony {
    pub(super) outcome: Outcome,
    pub(super) basis: String,
    pub(super) advice: Vec<String>,
}

impl Witness {
    /// Takes in what the vendor answered.
    pub(super) fn hear(&mut self, answers: &VendorAnswers) {
        for document in &answers.documents {
            self.records.add(document);
        }
        self.records.is_cut |= answers.is_cut;
    }

    /// Whether the vendor answered anything that can be compared.
    pub(super) fn has_heard(&self) -> bool {
        !self.records.kinds.is_empty()
    }

    /// Takes note of an event that the connector gave: job or run.
    pub(super) fn see(&mut self, event: &Json) {
        let id = |event: &Json, name: &str| event.get(name)?.as_str().map(str::to_owned);
        match id(event, "run_source_id") {
            Some(run) => {
                self.run_ids.insert(run);
                self.run_ids.extend(id(event, "job_run_id"));
                let status = event["status"].as_str().and_then(RunStatus::from_name);
                self.has_given_open |= status == Some(RunStatus::InProgress);
                let tasks = event["task_runs"].as_array().into_iter().flatten();
                self.run_ids
                    .extend(tasks.filter_map(|task| id(task, "run_source_id")));
            }
            None => self.job_ids.extend(id(event, "job_source_id")),
        }
    }

    /// Judges jobs.
    pub(super) fn of_jobs(&self, assets: &[AssetEvent]) -> Testimony {
        let ided: Vec<(&AssetEvent, Subject<'_>, String)> = assets
            .iter()
            .filter_map(|asset| {
                let (id, job) = (asset.job_source_id()?, None);
                Some((asset, Subject { id, job }, asset_label(asset)?))
            })
            .collect();
        let Some(mut owners) = self.owners(&ided) else {
            return nothing_to_compare("job");
        };
        owners.join(&self.records);
        let jobs = judged(&ided, &owners);
        let (mut faults, mut advice) = compared((Asset::FIELDS, &OWN_OF_JOBS), &jobs, &owners);
        faults.extend(sense::paused(&jobs, &owners));
        faults.extend(sense::zones(&jobs, &owners));
        faults.extend(sense::cut_crons(&jobs, &owners));
        let (of_parts, of_parts_advice) = self.of_parts(assets, &owners);
        faults.extend(of_parts);
        advice.extend(of_parts_advice);
        let ids: BTreeSet<&str> = self.job_ids.iter().map(String::as_str).collect();
        let lacking = if self.records.is_cut || jobs.len() < SEVERAL {
            Vec::new()
        } else {
            left_out(&self.records, owners.list, &ids, &|_| true)
        };
        // Which jobs count is the author's to say: what the vendor lists may be something else, too.
        advice.extend(told(&lacking.iter().collect::<Vec<_>>(), "job"));
        testimony(faults, advice, counted(jobs.len(), "job"))
    }

    /// Judges groups, owners and tasks by their own ids, where the vendor has a list of such.
    fn of_parts(&self, assets: &[AssetEvent], jobs: &Owners<'_>) -> (Vec<Outcome>, Vec<String>) {
        type Part = (
            &'static str,
            &'static str,
            &'static [Field],
            &'static [&'static str],
        );
        let parts: [Part; 3] = [
            ("group", "source_id", Group::FIELDS, &["name"]),
            (
                "owner",
                "primary_external_id",
                Owner::FIELDS,
                &["primary_name", "primary_email"],
            ),
            ("tasks", "task_source_id", Task::FIELDS, &[]),
        ];
        let of = |(name, key, fields, own): Part| {
            let mut by_id: BTreeMap<(&str, Option<&str>), &Json> = BTreeMap::new();
            for asset in assets {
                match asset.json().get(name) {
                    Some(Json::Array(parts)) => {
                        let ided = parts
                            .iter()
                            .filter_map(|part| Some((part[key].as_str()?, part)));
                        by_id.extend(ided.map(|(id, part)| ((id, asset.job_source_id()), part)));
                    }
                    Some(part) => by_id.extend(part[key].as_str().map(|id| ((id, None), part))),
                    None => {}
                }
            }
            let ided: Vec<(&Json, Subject<'_>, String)> = by_id
                .into_iter()
                .map(|((id, job), part)| (part, Subject { id, job }, format!("{name} `{id}`")))
                .collect();
            let owners = self.owners(&ided)?;
            // Small numbers are ids of other things, too.
            let (kind, place) = owners.list;
            let said = self.records.kinds[kind].records();
            let said = said.filter_map(|record| record.said(place)?.first());
            let said: BTreeSet<&str> = said.map(String::as_str).collect();
            let known = ided.iter().filter(|(_, part, _)| said.contains(part.id));
            if kind == jobs.list.0 || 2 * known.count() < said.len() {
                return None;
            }
            Some(compared((fields, own), &judged(&ided, &owners), &owners))
        };
        let (faults, advice): (Vec<_>, Vec<_>) = parts.into_iter().filter_map(of).unzip();
        (faults.concat(), advice.concat())
    }

    /// Judges runs of a window.
    pub(super) fn of_runs(
        &self,
        runs: &[RunEvent],
        span: Window,
        manifest: &PipelineManifest,
    ) -> Testimony {
        let by = |id: fn(&RunEvent) -> Option<&str>| -> Vec<(&RunEvent, Subject<'_>, String)> {
            let ended = runs.iter().filter(|run| run.has_ended());
            let ided = ended.filter_map(|run| {
                let (id, job) = (id(run)?, run.job_source_id());
                Some((run, Subject { id, job }, run_label(run)?))
            });
            ided.collect()
        };
        let (own, others) = (by(RunEvent::run_source_id), by(platforms_id));
        let (ided, owners) = match self.owners(&own) {
            Some(owners) => (&own, Some(owners)),
            None => (&others, self.owners(&others)),
        };
        let (of_tasks, of_tasks_advice) = self.of_tasks(ided.iter().map(|(run, ..)| *run));
        let Some(mut owners) = owners else {
            return nothing_to_compare("run that has ended");
        };
        let runs = judged(ided, &owners);
        let (mut faults, mut advice) = compared((Run::FIELDS, &OWN_OF_RUNS), &runs, &owners);
        faults.extend(fates::turned(&runs, &owners, "run"));
        faults.extend(fates::otherwise(&runs, &owners));
        faults.extend(clocks::times(&runs, &owners));
        faults.extend(errors::of_runs(&runs, &owners, &self.records));
        faults.extend(sense::trigger(&runs, &owners));
        faults.extend(sense::taken_for_others(&runs, &owners));
        faults.extend(of_tasks);
        advice.extend(of_tasks_advice);
        let kind = &self.records.kinds[owners.list.0];
        if !self.records.is_cut && !self.records.came_to_an_end(&kind.place) {
            let moments: [fn(&RunEvent) -> Option<Timestamp>; 3] = [
                RunEvent::event_time,
                RunEvent::start_time,
                RunEvent::queued_at,
            ];
            let [times, starts, waits] =
                moments.map(|at| agreed(&runs, &owners, &|run, said| is_moment(at(run), said)));
            let is_job = |run: &RunEvent, said: &str| run.job_source_id() == Some(said);
            let places = cut_short::Places {
                id: owners.list.1,
                ended: times,
                begun: [starts, waits].concat(),
                jobs: agreed(&runs, &owners, &is_job),
            };
            faults.extend(cut_short::cut_short(kind, &places, span));
        }
        let lacking = self.lacking_runs(&runs, &owners, span, manifest);
        let (meant, lost): (Vec<&LeftOut<'_>>, Vec<&LeftOut<'_>>) =
            lacking.iter().partition(|one| one.may_be_meant());
        if !lost.is_empty() {
            let got = format!("{} of its answers missing", counted(lost.len(), "run"));
            faults.push(
                Outcome::wrong("every run that the vendor lists", got)
                    .with_evidence(lost.iter().take(SHOWN).map(|one| one.words("run"))),
            );
        }
        advice.extend(told(&meant, "run"));
        faults.extend(borrowed::of_jobs(&runs, &self.records, &mut owners));
        testimony(faults, advice, counted(runs.len(), "run"))
    }

    /// Judges the task runs of runs that have ended, where the vendor has a record of each.
    fn of_tasks<'e>(
        &self,
        runs: impl Iterator<Item = &'e RunEvent>,
    ) -> (Vec<Outcome>, Vec<String>) {
        let tasks: Vec<(&RunEvent, Subject<'_>, String)> = runs
            .flat_map(|run| {
                let of = run.run_source_id();
                let ended = run.task_runs().filter(|task| task.has_ended());
                ended.filter_map(move |task| {
                    let whose = task.run_source_id().filter(|id| Some(*id) != of);
                    let id = whose.or(task.task_source_id())?;
                    let label = format!("task run `{id}` of run `{}`", of?);
                    Some((task, Subject { id, job: of }, label))
                })
            })
            .collect();
        let Some(owners) = self.owners(&tasks) else {
            return (Vec::new(), Vec::new());
        };
        let tasks = judged(&tasks, &owners);
        let (mut faults, advice) = compared((Run::FIELDS, &OWN_OF_TASK_RUNS), &tasks, &owners);
        faults.extend(fates::turned(&tasks, &owners, "task run"));
        faults.extend(clocks::times(&tasks, &owners));
        (faults, advice)
    }

    fn owners<E>(&self, ided: &[(&E, Subject<'_>, String)]) -> Option<Owners<'_>> {
        let subjects: Vec<Subject<'_>> = ided.iter().map(|(_, subject, _)| *subject).collect();
        Owners::find(&self.records, &subjects)
    }

    /// Records of runs that ended in the window, with a status that the manifest knows as one of an end, of a job that is
    /// in the metadata, and no part of another run. Those that are under way count where none such was ever given.
    fn lacking_runs(
        &self,
        runs: &[Judged<'_, RunEvent>],
        owners: &Owners<'_>,
        span: Window,
        manifest: &PipelineManifest,
    ) -> Vec<LeftOut<'_>> {
        if self.records.is_cut || runs.len() < SEVERAL {
            return Vec::new();
        }
        let agreed = |is_so: &dyn Fn(&RunEvent, &str) -> bool| agreed(runs, owners, is_so);
        let at = agreed(&|run, said| is_moment(run.event_time(), said));
        let status = agreed(&|run, said| {
            run.json()["raw_status"]
                .as_str()
                .or(run.json()["status"].as_str())
                == Some(said)
        });
        let job = agreed(&|run, said| run.job_source_id() == Some(said));
        let begun = agreed(&|run, said| is_moment(run.start_time(), said));
        let Some(job) = job.first() else {
            return Vec::new();
        };
        let Some(status) = status.first().copied() else {
            return Vec::new();
        };
        if at.is_empty() || self.job_ids.is_empty() {
            return Vec::new();
        }
        let ids: BTreeSet<&str> = self.run_ids.iter().map(String::as_str).collect();
        let counts = |record: &Record| {
            let said = |place: &str| record.said(place).and_then(|said| said.first());
            // Vendors may look for runs by one of several times that are the same nearly always.
            let are_in_window = |places: &[&str]| {
                places.iter().all(|place| {
                    let moment = said(place).and_then(|said| moments(said).into_iter().next());
                    moment.is_some_and(|moment| {
                        moment.at >= span.start + MARGIN && moment.at < span.end - SKEW
                    })
                })
            };
            let mapped = said(status).and_then(|word| manifest.run_status_mapping.find(word));
            let has_ended = mapped.is_some_and(RunStatus::is_terminal);
            let is_open = mapped == Some(RunStatus::InProgress)
                && !self.has_given_open
                && !begun.is_empty()
                && are_in_window(&begun);
            let is_of_a_job = said(job).is_some_and(|job| self.job_ids.contains(job.as_str()));
            let is_part = record.fields.iter().any(|(place, said)| {
                any_speaks_of(place, WHOLES) && said.iter().any(|said| ids.contains(said.as_str()))
            });
            (has_ended && are_in_window(&at) || is_open) && is_of_a_job && !is_part
        };
        left_out(&self.records, owners.list, &ids, &counts)
    }
}

/// Fields that an event has of its own: what stands in another one's record is not meant. In all others it may be, as an
/// address that somebody also has, a zone that all were turned to, or a table that one writes and another reads.
const OWN_OF_JOBS: [&str; 7] = [
    "name",
    "description",
    "folder",
    "job_url",
    "owner.primary_email",
    "owner.primary_name",
    "schedule.cron_expression",
];
const OWN_OF_RUNS: [&str; 7] = [
    "job_source_id",
    "error.message",
    "run_url",
    "queued_at",
    "start_time",
    "end_time",
    "event_time",
];
const OWN_OF_TASK_RUNS: [&str; 3] = ["error.message", "start_time", "end_time"];

/// Judges every text and time of a record of the contract; gives faults, in fields that are an event's own, and advice.
fn compared<E: AsJson>(
    (record, own): (&[Field], &[&str]),
    events: &[Judged<'_, E>],
    owners: &Owners<'_>,
) -> (Vec<Outcome>, Vec<String>) {
    let fields = fields(record);
    let (faults, mut advice) = all_borrowed((&fields, own), events, owners);
    advice.extend(unlike(&fields, events, owners));
    (faults, advice)
}

/// The id that the platform knows a run by: the vendor's, where the connector has one of its own.
fn platforms_id(run: &RunEvent) -> Option<&str> {
    run.json()["job_run_id"].as_str()
}

/// The places of the list of runs at which nearly all say what they should.
fn agreed<'r>(
    runs: &[Judged<'_, RunEvent>],
    owners: &Owners<'r>,
    is_so: &dyn Fn(&RunEvent, &str) -> bool,
) -> Vec<&'r str> {
    let agree = |column: &Column<'_>| {
        let so = |(number, run, _): &&Judged<'_, RunEvent>| {
            column[*number].iter().any(|said| is_so(run, said))
        };
        is_nearly_all(runs.iter().filter(so).count(), runs.len())
    };
    let columns = owners.columns();
    let of_list = columns.filter(|(place, column)| place.0 == owners.list.0 && agree(column));
    of_list.map(|((_, place), _)| place).collect()
}

fn is_moment(at: Option<Timestamp>, said: &str) -> bool {
    let at = at.map(|at| at.as_second());
    moments(said)
        .iter()
        .any(|one| Some(one.at.as_second()) == at)
}

/// The events that have records of the vendor.
fn judged<'e, E>(ided: &'e [(&E, Subject<'_>, String)], owners: &Owners<'_>) -> Vec<Judged<'e, E>> {
    let numbered = ided.iter().enumerate();
    let owned = numbered.filter(|(number, _)| owners.has(*number));
    owned
        .map(|(number, (event, _, label))| (number, *event, label.as_str()))
        .collect()
}

fn is_nearly_all(some: usize, all: usize) -> bool {
    some > 0 && some as f64 >= all as f64 * NEARLY_ALL
}

/// What did not come, where that may be meant.
fn told(lacking: &[&LeftOut<'_>], noun: &str) -> Vec<String> {
    let first = lacking.first().map(|one| one.words(noun));
    let told = first.map(|first| {
        let count = counted(lacking.len(), noun);
        format!("{count} in the vendor's answers did not come, such as {first}: see whether that is meant")
    });
    told.into_iter().collect()
}

fn nothing_to_compare(noun: &str) -> Testimony {
    let why = format!("no record in the vendor's answers bears the id of a {noun}");
    Testimony {
        outcome: Outcome::Unknown(Doubt::NoOccasion(why)),
        basis: String::new(),
        advice: Vec::new(),
    }
}

fn testimony(faults: Vec<Outcome>, advice: Vec<String>, basis: String) -> Testimony {
    let mut faults = faults.into_iter();
    let outcome = faults.next().unwrap_or(Outcome::Supported);
    let more = faults.filter_map(|fault| match fault {
        Outcome::Wrong(Fault { expected, got, .. }) => Some(format!("also {got}, not {expected}")),
        _ => None,
    });
    Testimony {
        outcome: outcome.with_evidence(more),
        basis: format!("{basis} compared with the vendor's own records"),
        advice,
    }
}
