//! What jobs say of whom they belong to, and when they run, against the vendor's fields of that sort.

use std::collections::BTreeSet;

use bowline_contract::pipeline::AssetEvent;
use bowline_words::counted;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::given::any_speaks_of;
use super::owners::Owners;
use super::records::Records;
use super::{Judged, SEVERAL};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// Words of names for those who are told, and own nothing.
const TOLD: &str = "notif alert subscri watch cc bcc email_on";

/// Judges jobs.
pub(super) fn of_jobs(
    jobs: &[Judged<'_, AssetEvent>],
    owners: &Owners<'_>,
    records: &Records,
) -> Vec<Outcome> {
    let faults = [made_up(jobs, owners, records), other_zones(jobs, owners)];
    faults.into_iter().flatten().collect()
}

fn wrong(field: &str, got: String, lines: Vec<String>) -> Outcome {
    Outcome::wrong(format!("`{field}` as the vendor says it of each job"), got)
        .with_evidence(lines.into_iter().take(SHOWN))
}

/// Addresses of owners that the vendor says nowhere, of jobs whose own records have one.
fn made_up(
    jobs: &[Judged<'_, AssetEvent>],
    owners: &Owners<'_>,
    records: &Records,
) -> Option<Outcome> {
    let is_address = |said: &str| {
        let parts = said.split_once('@');
        parts.is_some_and(|(who, host)| !who.is_empty() && host.contains('.'))
            && !said.contains(char::is_whitespace)
    };
    let said: BTreeSet<String> = records
        .kinds
        .iter()
        .flat_map(|kind| kind.records())
        .flat_map(|record| record.everything())
        .filter(|said| said.contains('@'))
        .map(|said| said.to_lowercase())
        .collect();
    let lines = jobs.iter().filter_map(|(number, job, label)| {
        let given = job.json()["owner"]["primary_email"].as_str()?;
        let mut own = owners.own(*number);
        let (place, own) =
            own.find(|(place, said)| is_address(said) && !any_speaks_of(place, TOLD))?;
        let is_said = said
            .iter()
            .any(|said| said.contains(&given.trim().to_lowercase()));
        (!is_said).then(|| format!("{label}: `{given}`, and the vendor's `{place}` is `{own}`"))
    });
    let lines: Vec<String> = lines.collect();
    let got = format!(
        "{} that the vendor says nowhere",
        counted(lines.len(), "owner")
    );
    (lines.len() >= SEVERAL && 2 * lines.len() > jobs.len())
        .then(|| wrong("owner.primary_email", got, lines))
}

/// Zones of schedules that are not those beside the vendor's own.
fn other_zones(jobs: &[Judged<'_, AssetEvent>], owners: &Owners<'_>) -> Option<Outcome> {
    let now = Timestamp::UNIX_EPOCH;
    let zone = |name: &str| TimeZone::get(name).ok().map(|zone| zone.to_offset(now));
    let is_zone = |said: &str| said == "UTC" || said.contains('/') && zone(said).is_some();
    let lines = jobs.iter().filter_map(|(number, job, label)| {
        let schedule = &job.json()["schedule"];
        let given = schedule["timezone"].as_str()?;
        let cron = schedule["cron_expression"].as_str()?;
        let above = |place: &'_ str| {
            place
                .rsplit_once('.')
                .map_or(String::new(), |all| all.0.into())
        };
        let mut own = owners.own(*number);
        let beside: String = own
            .find(|(_, said)| *said == cron)
            .map(|(place, _)| above(place))?;
        let mut said = owners
            .own(*number)
            .filter(|(place, said)| is_zone(said) && above(place) == beside);
        let (place, said) = said.next()?;
        (said != given && zone(said) != zone(given))
            .then(|| format!("{label}: `{given}`, and the vendor's `{place}` is `{said}`"))
    });
    let lines: Vec<String> = lines.collect();
    let got = counted(lines.len(), "other zone");
    (lines.len() >= SEVERAL).then(|| wrong("schedule.timezone", got, lines))
}
