//! What jobs say of whom they belong to, against what the vendor says of that.

use std::collections::{BTreeMap, BTreeSet};

use bowline_contract::pipeline::AssetEvent;
use bowline_words::counted;

use super::given::any_speaks_of;
use super::owners::Owners;
use super::records::{Kind, Record, Records};
use super::{Judged, SEVERAL};
use crate::pipeline::outcome::Outcome;
use crate::pipeline::times::SHOWN;

/// Words of names for those to whom a job may belong.
const OWNING: &str = "own creat author maintain user respons";
/// Words of names for those who are told, and own nothing.
const TOLD: &str = "notif alert subscri watch cc bcc";

/// Addresses of owners that the vendor says nowhere, of jobs whose own records have one of somebody else.
pub(super) fn made_up(
    jobs: &[Judged<'_, AssetEvent>],
    owners: &Owners<'_>,
    records: &Records,
) -> Option<Outcome> {
    if records.is_cut {
        return None;
    }
    let is_address = |said: &str| {
        let parts = said.split_once('@');
        parts.is_some_and(|(who, host)| !who.is_empty() && host.contains('.'))
            && !said.contains(char::is_whitespace)
    };
    let all = records.kinds.iter().flat_map(Kind::records);
    let said: BTreeSet<String> = all
        .flat_map(Record::everything)
        .filter(|said| said.contains('@'))
        .map(|said| said.to_lowercase())
        .collect();
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    let lines = jobs.iter().filter_map(|(number, job, label)| {
        let given = job.json()["owner"]["primary_email"].as_str()?.trim();
        let mut own = owners.own(*number);
        let (place, own) = own.find(|(place, said)| {
            is_address(said) && any_speaks_of(place, OWNING) && !any_speaks_of(place, TOLD)
        })?;
        // The part behind the name may come from elsewhere.
        let name = |said: &str| said.split('@').next().map(str::to_lowercase);
        if owners
            .everything(*number)
            .any(|said| name(said) == name(given))
        {
            return None;
        }
        let given = given.to_lowercase();
        let is_said = *known.entry(given.clone()).or_insert_with(|| {
            said.contains(&given) || said.iter().any(|said| said.contains(&given))
        });
        (!is_said).then(|| format!("{label}: `{given}`, and the vendor's `{place}` is `{own}`"))
    });
    let lines: Vec<String> = lines.collect();
    let got = format!(
        "{} that the vendor says nowhere",
        counted(lines.len(), "owner")
    );
    (lines.len() >= SEVERAL && 2 * lines.len() > jobs.len()).then(|| {
        let expected = "`owner.primary_email` as the vendor says it of each job";
        Outcome::wrong(expected, got).with_evidence(lines.into_iter().take(SHOWN))
    })
}
