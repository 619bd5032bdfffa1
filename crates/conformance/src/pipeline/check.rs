//! What is asked of a pipeline connector.

use bowline_contract::PipelineSection;

use crate::Tier;

/// One check.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// Its name: the section, a slash and a short name.
    pub id: &'static str,
    /// The section it stands in.
    pub section: PipelineSection,
    /// One line on what it asks.
    pub title: &'static str,
    /// The tier it belongs to.
    pub tier: Tier,
    /// Which connectors it is asked of.
    pub asked_of: AskedOf,
}

/// Which connectors a check is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskedOf {
    /// All of them.
    Every,
    /// Those with the contract's methods; a description has no such methods.
    Methods,
    /// Those that can tell what the vendor answered.
    Telling,
}

macro_rules! checks {
    ($($NAME:ident = $id:literal, $section:ident, $tier:ident, $asked_of:ident, $title:literal;)+) => {
        $(pub(super) static $NAME: Check = Check {
            id: $id,
            section: PipelineSection::$section,
            title: $title,
            tier: Tier::$tier,
            asked_of: AskedOf::$asked_of,
        };)+

        /// Every check, in the order in which reports show them.
        pub static CHECKS: &[&Check] = &[$(&$NAME,)+];
    };
}

checks! {
    CONNECTS = "etl_connection/connects", Connection, Reference, Every,
        "the vendor lets us in";
    MANIFEST = "etl_connection/manifest", Connection, Reference, Every,
        "the mappings are valid, and the credentials schema stands under `connect_args`";
    ASSETS = "etl_metadata/assets", Metadata, Reference, Every,
        "there is at least one job";
    ASSETS_VALID = "etl_metadata/valid", Metadata, Reference, Every,
        "every asset is as the contract says";
    ASSETS_LIMIT = "etl_metadata/limit", Metadata, Strict, Methods,
        "no page holds more than asked for";
    ASSETS_PAGES = "etl_metadata/pages", Metadata, Strict, Every,
        "pages of every size hold the same jobs, each once";
    ASSETS_AGAIN = "etl_metadata/again", Metadata, Strict, Every,
        "a second reading gives the same jobs under the same ids";
    ASSETS_TASKS = "etl_metadata/tasks", Metadata, Strict, Every,
        "tasks have ids of their own, those before them are there, and nothing else that jobs say cannot be so";
    ASSETS_VENDOR = "etl_metadata/vendor", Metadata, Strict, Telling,
        "jobs say what the vendor's own answers say of them";
    RUNS = "etl_run_details/runs", RunDetails, Reference, Every,
        "there is at least one run";
    RUNS_VALID = "etl_run_details/valid", RunDetails, Reference, Every,
        "every run is as the contract says";
    STATUSES = "etl_run_details/statuses", RunDetails, Reference, Every,
        "every status is mapped";
    BY_ID = "etl_run_details/by_id", RunDetails, Reference, Every,
        "runs that are asked for by id come, and no others";
    UNKNOWN_ID = "etl_run_details/unknown_id", RunDetails, Strict, Every,
        "an id that no run has gives nothing";
    NO_QUERY = "etl_run_details/no_query", RunDetails, Strict, Methods,
        "neither ids nor a window is an error";
    LIMIT = "etl_run_details/limit", RunDetails, Strict, Methods,
        "no page holds more than asked for";
    PAGES = "etl_run_details/pages", RunDetails, Strict, Every,
        "pages of every size hold the same runs, each once";
    WINDOW = "etl_run_details/window", RunDetails, Strict, Every,
        "no run is outside the window that was asked for";
    BOUNDS = "etl_run_details/bounds", RunDetails, Strict, Every,
        "a run at the start of a window is in it, one at its end is not";
    NEIGHBOURS = "etl_run_details/neighbours", RunDetails, Strict, Every,
        "neighbouring windows leave no gap between them";
    AGAIN = "etl_run_details/again", RunDetails, Strict, Every,
        "a second reading of a closed window gives the same";
    IDS = "etl_run_details/ids", RunDetails, Strict, Every,
        "every run and task run has an id of its own, and no text is nothing written as text";
    TIMES = "etl_run_details/times", RunDetails, Strict, Every,
        "times are in order";
    RETRIES = "etl_run_details/retries", RunDetails, Strict, Every,
        "attempts follow the attempts that they name";
    JOBS = "etl_run_details/jobs", RunDetails, Strict, Every,
        "jobs, tasks and groups that runs name are in the metadata, and neither contradicts the other";
    RUNS_VENDOR = "etl_run_details/vendor", RunDetails, Strict, Telling,
        "runs say what the vendor's own answers say of them";
    RUNNING = "etl_run_details/running", RunDetails, Strict, Every,
        "runs that have not ended are there too";
}

impl Check {
    /// The check with this name.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        CHECKS.iter().copied().find(|check| check.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_named_for_their_sections_once() {
        for (position, check) in CHECKS.iter().enumerate() {
            let section = check.section.name();
            assert!(check.id.starts_with(&format!("{section}/")), "{}", check.id);
            assert_eq!(
                CHECKS.iter().position(|other| other.id == check.id),
                Some(position)
            );
        }
        assert_eq!(Check::find("etl_run_details/bounds"), Some(&BOUNDS));
    }
}
