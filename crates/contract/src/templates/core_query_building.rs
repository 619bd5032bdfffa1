//! Templates of the section `core_query_building`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind, Variable, VariableType};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "build_cte_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("alias", VariableType::Text),
            Variable::required("cte", VariableType::Text),
        ],
        placeholders: &[],
        description: "Names a query, so that a later one can select from it.",
        guidance: "Gives `WITH alias AS (query)` without anything after it; the SELECT follows. \
                   `cte` is a whole query. Nearly every other check stands on this one, so make it \
                   right first.",
    },
    Template {
        name: "add_select_clause_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("select_expressions", VariableType::TextList),
            Variable::optional("cte", VariableType::Text),
        ],
        placeholders: &[],
        description: "Writes a SELECT clause, behind a named query if there is one.",
        guidance: "Join `select_expressions` with commas; an empty list means all fields. When \
                   `cte` is given it comes first, exactly as it was built, followed by a space or \
                   a line break.",
    },
    Template {
        name: "add_from_clause_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::optional("select_clause", VariableType::Text),
            Variable::required("from_expression", VariableType::Text),
        ],
        placeholders: &[],
        description: "Adds a FROM clause to a SELECT clause.",
        guidance: "`from_expression` is a table, an alias or a bracketed query, ready to use. \
                   Callers may render it without `select_clause` and put that in front themselves: \
                   begin with ` FROM` only after the clause, and let an absent one be empty text.",
    },
    Template {
        name: "union_queries_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("queries", VariableType::TextList),
            Variable::optional("distinct", VariableType::Boolean),
        ],
        placeholders: &[],
        description: "Stacks the rows of several queries.",
        guidance: "Joins `queries` with `UNION ALL`, so that equal rows stay; only with `distinct` \
                   true are duplicates removed. There may be one query, or dozens: bracket them \
                   only if the dialect allows it.",
    },
    Template {
        name: "alias_field_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("field", VariableType::Text),
            Variable::required("alias", VariableType::Text),
        ],
        placeholders: &[],
        description: "Gives an expression a name in the result.",
        guidance: "`field` is an expression, `alias` a name that callers have escaped already \
                   where that is needed. `field AS alias` suits almost everywhere.",
    },
    Template {
        name: "all_fields_expression_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "Selects every field.",
        guidance: "Stands alone in the SELECT list: `*`.",
    },
    Template {
        name: "escape_field_name_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("field_name", VariableType::Text)],
        placeholders: &[],
        description: "Quotes a name, so that blanks, capitals and reserved words survive.",
        guidance: "`field_name` is the bare name. Wrap it in the dialect's quotes for identifiers \
                   and double any such quote inside it; in some dialects a quoted name is also \
                   taken with its case.",
    },
    Template {
        name: "get_table_identifier_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::optional("database", VariableType::Text),
            Variable::required("schema", VariableType::Text),
            Variable::required("table", VariableType::Text),
        ],
        placeholders: &[],
        description: "Writes a table's full name.",
        guidance: "Parts arrive bare. Quote each part by itself, not the whole, so that dots \
                   inside a name stay inside. `database` may be absent, and a dialect without \
                   catalogues may ignore it.",
    },
    Template {
        name: "get_arbitrary_where_clause_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &[],
        description: "A condition that holds for every row.",
        guidance: "Used where a condition must stand but none is wanted. `1 = 1` works where there \
                   are no boolean literals.",
    },
    Template {
        name: "ascending_order_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Sorts an expression from small to great.",
        guidance: "`{x}` is the expression; what comes out stands after `ORDER BY`. Where NULLs go \
                   is left to the dialect.",
    },
    Template {
        name: "descending_order_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[],
        placeholders: &["x"],
        description: "Sorts an expression from great to small.",
        guidance: "`{x}` is the expression; what comes out stands after `ORDER BY`. Where NULLs go \
                   is left to the dialect.",
    },
    Template {
        name: "get_case_when_func_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[
            Variable::required("conditions_and_results", VariableType::PairList),
            Variable::optional("else_result", VariableType::Text),
        ],
        placeholders: &[],
        description: "Picks a result by the first condition that holds.",
        guidance: "`conditions_and_results` is a list of pairs, each a condition and the \
                   expression for it, in order of precedence. Without `else_result` rows that fit \
                   no condition become NULL: write no ELSE then. Test whether it is given, for `0` \
                   and `''` are results too.",
    },
    Template {
        name: "negate_expression_template",
        section: TemplateSection::CoreQueryBuilding,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Expression,
        variables: &[Variable::required("query", VariableType::Text)],
        placeholders: &[],
        description: "Turns a condition into its opposite.",
        guidance: "`query` is a condition, in spite of its name. Bracket it: `NOT a OR b` is not \
                   `NOT (a OR b)`. NULL stays NULL.",
    },
];
