//! The complete connectors that a new one can start from.

/// A complete connector for one orchestrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// Its name.
    pub name: &'static str,
    /// The orchestrator, for people.
    pub orchestrator: &'static str,
    pub(super) connector: &'static str,
    pub(super) manifest: &'static str,
}

macro_rules! example {
    ($name:literal, $orchestrator:literal) => {
        Example {
            name: $name,
            orchestrator: $orchestrator,
            connector: include_str!(concat!(
                "../../../../examples/etl_connectors/",
                $name,
                "/connector.toml"
            )),
            manifest: include_str!(concat!(
                "../../../../examples/etl_connectors/",
                $name,
                "/manifest.json"
            )),
        }
    };
}

impl Example {
    /// All of them, by name.
    pub const ALL: [Self; 8] = [
        example!("airbyte", "Airbyte"),
        example!("airflow", "Apache Airflow 3"),
        example!("dagster", "Dagster"),
        example!("data_factory", "Azure Data Factory"),
        example!("databricks", "Databricks Jobs"),
        example!("dbt_cloud", "dbt Cloud"),
        example!("kestra", "Kestra 1"),
        example!("prefect", "Prefect 3"),
    ];

    /// The example of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|example| example.name == name)
    }
}
