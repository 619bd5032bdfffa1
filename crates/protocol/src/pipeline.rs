//! What the methods of a pipeline connector take and give.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// What `setup` takes.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SetupParams {
    /// What stands under `connect_args` in credentials.json.
    pub credentials: Map<String, Json>,
    /// Whether `vendor_answers` will be asked: then what the vendor answers is kept for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_answers: bool,
}

impl std::fmt::Debug for SetupParams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.credentials.keys().collect();
        f.debug_struct("SetupParams")
            .field("credentials", &names)
            .finish_non_exhaustive()
    }
}

/// What `vendor_answers` gives: what the vendor answered while the connector fetched, since this was asked last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorAnswersResult {
    /// JSON as the vendor wrote it, a text for each answer.
    pub answers: Vec<String>,
    /// Whether there was more than is kept.
    #[serde(default)]
    pub is_cut: bool,
}

/// What `fetch_metadata` takes: one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchMetadataParams {
    /// The most assets wanted.
    pub limit: u64,
    /// How many assets come before the page.
    pub offset: u64,
}

/// What `fetch_metadata` gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FetchMetadataResult {
    /// The assets of the page, in the contract's shape.
    pub assets: Vec<Json>,
}

/// What `fetch_run_details` takes: one page of a window, or of the named runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchRunDetailsParams {
    /// The runs wanted; given, the window is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_ids: Option<Vec<String>>,
    /// The first instant of the window, ISO 8601 with its offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_start: Option<String>,
    /// The first instant after the window, ISO 8601 with its offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_end: Option<String>,
    /// The most runs wanted.
    pub limit: u64,
    /// How many runs come before the page.
    pub offset: u64,
}

/// What `fetch_run_details` gives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FetchRunDetailsResult {
    /// The runs of the page, in the contract's shape.
    pub runs: Vec<Json>,
}
