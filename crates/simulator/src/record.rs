//! Jobs and runs as the vendor writes them.

use serde_json::{Value as Json, json};

use crate::scenario::Scenario;
use crate::world::{Job, Run, RunState, World};

/// A job.
pub(crate) fn job(job: &Job) -> Json {
    json!({
        "id": job.id,
        "name": job.name,
        "schedule": job.cron.as_ref().map(|cron| json!({"cron": cron, "timezone": "Europe/Berlin"})),
        "paused": job.paused,
        "owner": job.owner.as_ref().map(|mail| json!({"email": mail})),
        "steps": (1..=job.steps).map(|step| json!({"name": format!("step-{step}")})).collect::<Json>(),
        "folder": null,
    })
}

/// A run.
pub(crate) fn run(world: &World, scenario: &Scenario, run: &Run) -> Json {
    let time = |at| scenario.times.write(at);
    json!({
        "id": run.id,
        "job": world.job_id(run.job),
        "state": run.state.word(),
        "attempt": run.attempt,
        "retry_of": run.retry_of,
        "trigger": if run.by_hand { "user" } else { "timer" },
        "queued": time(run.queued),
        "started": run.started.map(time),
        "ended": run.ended.map(time),
        "updated": time(run.updated),
        "error": run.error.as_ref().map(|text| json!({"type": "ValueError", "message": text})),
        "note": null,
    })
}

/// The runs of a run's steps; those of a run that waits there are none of.
pub(crate) fn steps(world: &World, scenario: &Scenario, run: &Run) -> Vec<Json> {
    let Some(started) = run.started else {
        return Vec::new();
    };
    let job = world.jobs.get(run.job);
    // A job that is gone leaves runs whose steps are still known.
    let count = job.and_then(|job| job.now()).map_or(1, |job| job.steps);
    (1..=count)
        .map(|step| {
            let state = match run.state {
                RunState::Failed if step < count => RunState::Succeeded,
                state => state,
            };
            json!({
                "id": format!("{}.{step}", run.id),
                "run": run.id,
                "name": format!("step-{step}"),
                "state": state.word(),
                "started": scenario.times.write(started),
                "ended": run.ended.map(|at| scenario.times.write(at)),
                "message": (state == RunState::Failed).then(|| run.error.clone()),
            })
        })
        .collect()
}
