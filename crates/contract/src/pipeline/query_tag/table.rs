//! The keys in a query's comment that tie it to a job.

/// Whose jobs a query tag names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Integration {
    /// Pipelines of a custom connector.
    Custom,
    /// Airflow.
    Airflow,
    /// Azure Data Factory.
    Adf,
    /// dbt, wherever it runs.
    Dbt,
    /// dbt Cloud.
    DbtCloud,
}

impl Integration {
    /// Every integration.
    pub const ALL: [Self; 5] = [
        Self::Custom,
        Self::Airflow,
        Self::Adf,
        Self::Dbt,
        Self::DbtCloud,
    ];

    /// Its name in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Custom => "custom ETL",
            Self::Airflow => "Airflow",
            Self::Adf => "ADF",
            Self::Dbt => "dbt",
            Self::DbtCloud => "dbt Cloud",
        }
    }
}

/// One identifier that a JSON object in a query's comment may carry, and the keys it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryTag {
    /// Whose jobs it names.
    pub integration: Integration,
    /// What it names, as it is typed: `job`, `node-name`.
    pub identifier: &'static str,
    /// Its keys, the usual one first; that one is understood in capitals too.
    pub keys: &'static [&'static str],
}

impl QueryTag {
    /// The tag that a key belongs to.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        QUERY_TAGS.iter().find(|tag| tag.has_key(key))
    }

    /// The usual key.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.keys.first().copied().unwrap_or_default()
    }

    fn has_key(&self, key: &str) -> bool {
        self.keys.contains(&key) || self.key().to_uppercase() == key
    }
}

/// The identifier of an integration by its name, or by one of its keys.
#[must_use]
pub fn identifier(integration: Integration, name: &str) -> Option<&'static QueryTag> {
    QUERY_TAGS
        .iter()
        .filter(|tag| tag.integration == integration)
        .find(|tag| tag.identifier.eq_ignore_ascii_case(name) || tag.has_key(name))
}

const fn tag(
    integration: Integration,
    identifier: &'static str,
    keys: &'static [&'static str],
) -> QueryTag {
    QueryTag {
        integration,
        identifier,
        keys,
    }
}

/// Every query tag; a task of a custom connector counts only beside its job.
pub const QUERY_TAGS: &[QueryTag] = &[
    tag(Integration::Custom, "job", &["mcd_job_id"]),
    tag(Integration::Custom, "task", &["mcd_task_id"]),
    tag(Integration::Custom, "connection", &["mcd_resource_id"]),
    tag(
        Integration::Airflow,
        "dag",
        &["dag_id", "dag", "dag_name", "airflow_dag", "airflow_dag_id"],
    ),
    tag(
        Integration::Airflow,
        "task",
        &[
            "task_id",
            "task",
            "task_name",
            "airflow_task",
            "airflow_task_id",
        ],
    ),
    tag(Integration::Airflow, "connection", &["airflow_env"]),
    tag(Integration::Adf, "pipeline", &["adf_pipeline_name"]),
    tag(Integration::Adf, "activity", &["adf_activity_name"]),
    tag(Integration::Adf, "connection", &["mc_integration_name"]),
    tag(
        Integration::Dbt,
        "invocation",
        &["dbt_invocation_id", "invocation_id"],
    ),
    tag(
        Integration::Dbt,
        "node",
        &["dbt_node_id", "model_id", "node_id"],
    ),
    tag(
        Integration::Dbt,
        "node-name",
        &["dbt_model", "dbt_model_name", "model_name", "node_name"],
    ),
    tag(
        Integration::Dbt,
        "target",
        &["dbt_target", "dbt_target_name", "target_name"],
    ),
    tag(Integration::DbtCloud, "job", &["dbt_cloud_job_id"]),
    tag(Integration::DbtCloud, "run", &["dbt_cloud_run_id"]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_key_names_one_tag() {
        let keys: Vec<&str> = QUERY_TAGS
            .iter()
            .flat_map(|tag| tag.keys)
            .copied()
            .collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }

    #[test]
    fn the_first_key_is_known_in_capitals() {
        assert_eq!(QueryTag::find("DAG_ID"), QueryTag::find("dag_id"));
        assert_eq!(QueryTag::find("dag_name").unwrap().identifier, "dag");
        assert_eq!(QueryTag::find("DAG_NAME"), None);
        assert_eq!(QueryTag::find("Dag_Id"), None);
    }

    #[test]
    fn an_identifier_is_found_by_its_name_and_by_its_keys() {
        let dag = identifier(Integration::Airflow, "DAG");
        assert_eq!(dag, identifier(Integration::Airflow, "airflow_dag"));
        assert_eq!(dag.unwrap().key(), "dag_id");
        assert_eq!(identifier(Integration::Dbt, "dag_id"), None);
    }
}
