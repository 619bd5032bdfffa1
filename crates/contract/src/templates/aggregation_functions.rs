//! Templates of the section `aggregation_functions`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get_avg_function_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "The average of an expression over rows.",
        guidance: "`{x}` is a number; NULLs do not count. Where whole numbers give a whole \
                   average, cast first: 10, 20 and 25 average to 18.33 and not to 18.",
    },
    Template {
        name: "get_stddev_function_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "The standard deviation of an expression over rows.",
        guidance: "`{x}` is a number; over a sample or over the population, either will do. Where \
                   the dialect has no function, it can be built from averages of squares.",
    },
    Template {
        name: "get_distinct_count_func_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "How many different values there are.",
        guidance: "`{x}` is an expression; exact: `COUNT(DISTINCT {x})`. NULL is not counted.",
    },
    Template {
        name: "get_distinct_func_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Every different value once.",
        guidance: "`{x}` is an expression. Stands right after SELECT: `DISTINCT {x}`.",
    },
    Template {
        name: "get_safe_divide_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("dividend", VariableType::Text),
            Variable::required("divisor", VariableType::Text),
        ],
        placeholders: &[],
        description: "A quotient that survives division by zero.",
        guidance: "By zero it gives NULL or 0 and never fails. Whole numbers must not be cut: 1 by \
                   2 is 0.5. Bracket `dividend` and `divisor`, which may be sums.",
    },
    Template {
        name: "get_conditional_count_expression_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("expression", VariableType::Text)],
        placeholders: &[],
        description: "Counts the rows for which a condition holds.",
        guidance: "An aggregate; `expression` is a condition. NULL conditions do not count. With \
                   `SUM(CASE ...)` a set without rows gives NULL instead of 0: `COUNT(CASE WHEN \
                   ... THEN 1 END)` does not. More metrics hang on this than on any other \
                   template.",
    },
    Template {
        name: "get_approx_quantiles_func_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("expression", VariableType::Text),
            Variable::optional("num_buckets", VariableType::Integer),
            Variable::optional("num_of_quantiles", VariableType::Integer),
        ],
        placeholders: &[],
        description: "Cuts the values into buckets of equal size, approximately.",
        guidance: "How many is passed as `num_of_quantiles`; older connectors read it as \
                   `num_buckets`, and both names work. Without either, the median. A rough answer \
                   is good enough.",
    },
    Template {
        name: "get_approx_percentile_func_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("expression", VariableType::Text),
            Variable::required("percentile", VariableType::Float),
        ],
        placeholders: &[],
        description: "The value below which a given share of the rows lies, approximately.",
        guidance: "`percentile` is a fraction: 0.5 means the median. Some functions want percents, \
                   or take the arguments the other way round. A rough answer is good enough, an \
                   interpolated one too.",
    },
    Template {
        name: "approx_distinct_func_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("field_name", VariableType::Text)],
        placeholders: &[],
        description: "How many different values there are, approximately.",
        guidance: "Quicker than exact on large tables. Where the dialect has no such function, the \
                   exact count is right as well.",
    },
    Template {
        name: "any_value_template",
        section: TemplateSection::AggregationFunctions,
        judged_in: SuiteSection::QlMetrics,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("col_name", VariableType::Text)],
        placeholders: &[],
        description: "Some value of a column, no matter which.",
        guidance: "An aggregate: whatever it gives must be one of the group's values. `MIN` or \
                   `MAX` serves where there is no function for it; a sum does not.",
    },
];
