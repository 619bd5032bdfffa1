//! The keys in a query's comment that tie it to a job.

/// One identifier that a JSON object in a query's comment may carry, and the keys it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryTag {
    /// Whose jobs it names.
    pub integration: &'static str,
    /// What it names.
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

    fn has_key(&self, key: &str) -> bool {
        self.keys.contains(&key)
            || self
                .keys
                .first()
                .is_some_and(|first| first.to_uppercase() == key)
    }
}

const fn tag(
    integration: &'static str,
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
    tag("custom ETL", "job", &["mcd_job_id"]),
    tag("custom ETL", "task", &["mcd_task_id"]),
    tag("custom ETL", "connection", &["mcd_resource_id"]),
    tag(
        "Airflow",
        "DAG",
        &["dag_id", "dag", "dag_name", "airflow_dag", "airflow_dag_id"],
    ),
    tag(
        "Airflow",
        "task",
        &[
            "task_id",
            "task",
            "task_name",
            "airflow_task",
            "airflow_task_id",
        ],
    ),
    tag("Airflow", "connection", &["airflow_env"]),
    tag("ADF", "pipeline", &["adf_pipeline_name"]),
    tag("ADF", "activity", &["adf_activity_name"]),
    tag("ADF", "connection", &["mc_integration_name"]),
    tag("dbt", "invocation", &["dbt_invocation_id", "invocation_id"]),
    tag("dbt", "node", &["dbt_node_id", "model_id", "node_id"]),
    tag(
        "dbt",
        "node name",
        &["dbt_model", "dbt_model_name", "model_name", "node_name"],
    ),
    tag(
        "dbt",
        "target",
        &["dbt_target", "dbt_target_name", "target_name"],
    ),
    tag("dbt Cloud", "job", &["dbt_cloud_job_id"]),
    tag("dbt Cloud", "run", &["dbt_cloud_run_id"]),
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
        assert_eq!(QueryTag::find("dag_name").unwrap().identifier, "DAG");
        assert_eq!(QueryTag::find("DAG_NAME"), None);
        assert_eq!(QueryTag::find("Dag_Id"), None);
    }
}
