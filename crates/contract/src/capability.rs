//! The ten things a platform can do with a connector, each earned in the suite.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::Template;
use crate::words::words;

words! {
    /// What a connector lets the platform do; `capabilities` of the exported manifest.
    pub enum Capability {
        CustomSqlMonitor = "supports_custom_sql_monitor", "Monitors over a user's own SQL.";
        FullQueryLanguage = "supports_full_query_language", "Monitors and metrics built from generated SQL.";
        Metadata = "supports_metadata", "Tables are discovered and catalogued.";
        VolumeRows = "supports_volume_rows", "Table growth is followed by row count, from metadata alone.";
        VolumeBytes = "supports_volume_bytes", "Table growth is followed by size in bytes, from metadata alone.";
        Freshness = "supports_freshness", "The time of a table's last change is known without reading the table.";
        Schema = "supports_schema", "Columns and their types are known, and changes to them are noticed.";
        QueryLogs = "supports_query_logs", "What was run is read from the database's own logs.";
        Lineage = "supports_lineage", "Which table feeds which is drawn from the query logs.";
        FieldLineage = "supports_field_lineage", "Which column feeds which is drawn from the query logs.";
    }
}

impl Capability {
    /// The section of the suite whose checks carry it.
    #[must_use]
    pub const fn suite_section(self) -> SuiteSection {
        match self {
            Self::CustomSqlMonitor => SuiteSection::CustomMonitors,
            Self::FullQueryLanguage => SuiteSection::QlPrerequisites,
            Self::Metadata
            | Self::VolumeRows
            | Self::VolumeBytes
            | Self::Freshness
            | Self::Schema
            | Self::QueryLogs
            | Self::Lineage
            | Self::FieldLineage => SuiteSection::Metadata,
        }
    }
}

/// The capabilities that fall when a template falls short, in the order of the contract.
#[must_use]
pub fn capabilities_of(template: &Template) -> &'static [Capability] {
    match (template.judged_in, template.section) {
        (SuiteSection::Metadata, TemplateSection::QueryLogs) => &[
            Capability::QueryLogs,
            Capability::Lineage,
            Capability::FieldLineage,
        ],
        (SuiteSection::Metadata, _) => match template.short_name() {
            "get_tables_query" => &[
                Capability::Metadata,
                Capability::VolumeRows,
                Capability::VolumeBytes,
                Capability::Freshness,
            ],
            "get_columns_query" => &[Capability::Schema],
            _ => &[Capability::Metadata],
        },
        (SuiteSection::CustomMonitors, _) => &[Capability::CustomSqlMonitor],
        (SuiteSection::QlPrerequisites, _) => &[Capability::FullQueryLanguage],
        (SuiteSection::Connection | SuiteSection::QlMetrics | SuiteSection::Functional, _) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_ten_and_each_is_a_promise() {
        assert_eq!(Capability::ALL.len(), 10);
        for capability in Capability::ALL {
            assert!(capability.name().starts_with("supports_"));
            assert_eq!(Capability::from_name(capability.name()), Some(*capability));
        }
    }

    #[test]
    fn every_capability_hangs_on_a_template_of_its_section() {
        for capability in Capability::ALL {
            let carriers: Vec<&Template> = Template::all()
                .filter(|template| capabilities_of(template).contains(capability))
                .collect();
            assert!(!carriers.is_empty(), "{capability}");
            for template in carriers {
                assert_eq!(
                    template.judged_in,
                    capability.suite_section(),
                    "{}",
                    template.name
                );
            }
        }
    }
}
