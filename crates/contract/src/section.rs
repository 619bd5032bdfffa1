//! The two ways the contract divides things: sections of templates, and sections of the suite that judges them.

use crate::words::words;
use bowline_words::{Diagnose, Diagnostic, nearest};

words! {
    /// The groups that templates stand in.
    pub enum TemplateSection {
        Metadata = "metadata", "Queries that list databases, schemas, tables and columns.";
        QueryLogs = "query_logs", "The query that reads what was run, when and by whom.";
        CustomSqlMonitor = "custom_sql_monitor", "What turns a user's own SQL into a monitor.";
        CoreQueryBuilding = "core_query_building", "The frame of every query: clauses, names, ordering.";
        StringAndLiteralHandling = "string_and_literal_handling", "How values are written into SQL text.";
        TypeCasting = "type_casting", "Conversions between text, numbers, dates and timestamps.";
        DateTimeFunctions = "date_time_functions", "The clock, the calendar and time zones.";
        DialectCapabilityFlags = "dialect_capability_flags", "Yes-or-no facts about the dialect's grammar.";
        NullAndNanHandling = "null_and_nan_handling", "Tests for missing values and for not-a-number.";
        ComparisonOperators = "comparison_operators", "Conditions that compare two expressions.";
        AggregationFunctions = "aggregation_functions", "Functions that draw one value from many rows.";
        StringFunctions = "string_functions", "Length, parts and patterns of text.";
        ArrayAndTimestampValidation = "array_and_timestamp_validation", "Arrays, and whether text is a timestamp.";
        MathFunctions = "math_functions", "Absolute values and random numbers.";
        RcaAndAdvancedFunctions = "rca_and_advanced_functions", "What root-cause analysis needs.";
        FieldOperations = "field_operations", "How a field is referred to once it has an alias.";
        Functional = "functional", "Statements that make, change and drop the test table.";
    }
}

impl TemplateSection {
    /// The name of the Python class that holds the section's methods.
    #[must_use]
    pub const fn class_name(self) -> &'static str {
        match self {
            Self::Metadata => "MetadataQueryTemplates",
            Self::QueryLogs => "QueryLogCollectionTemplates",
            Self::CustomSqlMonitor => "CustomSQLMonitorTemplates",
            Self::Functional => "FunctionalTestOperations",
            Self::CoreQueryBuilding
            | Self::StringAndLiteralHandling
            | Self::TypeCasting
            | Self::DateTimeFunctions
            | Self::DialectCapabilityFlags
            | Self::NullAndNanHandling
            | Self::ComparisonOperators
            | Self::AggregationFunctions
            | Self::StringFunctions
            | Self::ArrayAndTimestampValidation
            | Self::MathFunctions
            | Self::RcaAndAdvancedFunctions
            | Self::FieldOperations => "QueryLanguageTemplates",
        }
    }
}

words! {
    /// The sections of the suite for warehouse connectors; their names are the section filters too.
    pub enum SuiteSection {
        Connection = "connection", "The connector connects, and rows and column names survive JSON.";
        Metadata = "metadata", "Databases, schemas, tables, columns and query logs are found and well formed.";
        CustomMonitors = "custom_monitors", "A user's own SQL can be counted and limited.";
        QlPrerequisites = "ql_prerequisites", "The building blocks that every generated query uses.";
        QlMetrics = "ql_metrics", "The functions that metrics are computed with.";
        Functional = "functional", "Changes made to a real table show up in metadata and query logs.";
    }
}

/// The filter name that stands for both query-language sections.
const QUERY_LANGUAGE: &str = "query_language";

impl SuiteSection {
    /// Every name a section filter takes: the sections and `query_language`.
    pub fn filter_names() -> impl Iterator<Item = &'static str> {
        Self::ALL
            .iter()
            .map(|section| section.name())
            .chain([QUERY_LANGUAGE])
    }

    /// The sections a filter name selects; `query_language` gives both `ql_` sections.
    ///
    /// # Errors
    /// When no section has that name.
    pub fn parse_filter(name: &str) -> Result<&'static [Self], UnknownSection> {
        if name == QUERY_LANGUAGE {
            return Ok(&[Self::QlPrerequisites, Self::QlMetrics]);
        }
        Self::ALL
            .iter()
            .position(|section| section.name() == name)
            .map(|at| &Self::ALL[at..=at])
            .ok_or_else(|| UnknownSection {
                name: name.to_owned(),
                hint: nearest::hint(name, Self::filter_names()),
            })
    }
}

words! {
    /// The sections of the suite for pipeline connectors; their names are the section filters too.
    pub enum PipelineSection {
        Connection = "etl_connection", "The connector loads and connects, and its manifest is whole.";
        Metadata = "etl_metadata", "Jobs are found and well formed, each once.";
        RunDetails = "etl_run_details", "Runs are found and well formed, each once, in the window that was asked for.";
    }
}

/// What the name of every section for pipelines begins with.
const ETL_PREFIX: &str = "etl_";

impl PipelineSection {
    /// The section that a filter names, with or without `etl_`.
    ///
    /// # Errors
    /// When no section has that name.
    pub fn parse_filter(name: &str) -> Result<Self, UnknownSection> {
        let bare = name.strip_prefix(ETL_PREFIX).unwrap_or(name);
        let prefixed = format!("{ETL_PREFIX}{bare}");
        Self::from_name(&prefixed).ok_or_else(|| UnknownSection {
            name: name.to_owned(),
            hint: nearest::hint(&prefixed, Self::NAMES.iter().copied()),
        })
    }
}

/// A section filter that names no section of the suite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown section: `{name}`")]
pub struct UnknownSection {
    /// What was asked for.
    pub name: String,
    /// The nearest section, or all of them.
    pub hint: String,
}

impl Diagnose for UnknownSection {
    fn diagnose(&self) -> Diagnostic {
        Diagnostic::of(self).hint(self.hint.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_selects_its_section() {
        for section in SuiteSection::ALL {
            assert_eq!(
                SuiteSection::parse_filter(section.name()),
                Ok(&[*section][..])
            );
        }
        assert_eq!(
            SuiteSection::parse_filter("query_language"),
            Ok(&[SuiteSection::QlPrerequisites, SuiteSection::QlMetrics][..])
        );
    }

    #[test]
    fn an_unknown_filter_names_the_nearest() {
        let error = SuiteSection::parse_filter("ql_metric").unwrap_err();
        assert_eq!(
            error.diagnose().to_string(),
            "unknown section: `ql_metric`\nhint: did you mean `ql_metrics`?"
        );
        let error = SuiteSection::parse_filter("everything").unwrap_err();
        assert!(error.hint.contains("`functional`, `query_language`"));
    }

    #[test]
    fn pipelines_have_sections_of_their_own() {
        for section in PipelineSection::ALL {
            assert_eq!(PipelineSection::parse_filter(section.name()), Ok(*section));
        }
        assert_eq!(
            PipelineSection::parse_filter("metadata"),
            Ok(PipelineSection::Metadata)
        );
        assert_eq!(
            PipelineSection::parse_filter("metadat").unwrap_err().hint,
            "did you mean `etl_metadata`?"
        );
    }
}
