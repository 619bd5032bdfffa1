//! The table of the 114 templates, one file a section.

mod aggregation_functions;
mod array_and_timestamp_validation;
mod comparison_operators;
mod core_query_building;
mod custom_sql_monitor;
mod date_time_functions;
mod dialect_capability_flags;
mod field_operations;
mod functional;
mod math_functions;
mod metadata;
mod null_and_nan_handling;
mod query_logs;
mod rca_and_advanced_functions;
mod string_and_literal_handling;
mod string_functions;
mod type_casting;

use crate::template::Template;

/// The sections' rows, in the order of the contract.
pub(crate) const TABLE: &[&[Template]] = &[
    metadata::TEMPLATES,
    query_logs::TEMPLATES,
    custom_sql_monitor::TEMPLATES,
    core_query_building::TEMPLATES,
    string_and_literal_handling::TEMPLATES,
    type_casting::TEMPLATES,
    date_time_functions::TEMPLATES,
    dialect_capability_flags::TEMPLATES,
    null_and_nan_handling::TEMPLATES,
    comparison_operators::TEMPLATES,
    aggregation_functions::TEMPLATES,
    string_functions::TEMPLATES,
    array_and_timestamp_validation::TEMPLATES,
    math_functions::TEMPLATES,
    rca_and_advanced_functions::TEMPLATES,
    field_operations::TEMPLATES,
    functional::TEMPLATES,
];
