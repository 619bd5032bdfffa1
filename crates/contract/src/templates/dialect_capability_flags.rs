//! Templates of the section `dialect_capability_flags`.

use crate::section::{SuiteSection, TemplateSection};
use crate::template::{Template, TemplateKind};

pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "supports_literal_select_template",
        section: TemplateSection::DialectCapabilityFlags,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "Whether a SELECT may stand without FROM.",
        guidance: "`true` if `SELECT 1` works. With `false`, the suite asks every bare expression \
                   over a one-row source instead. Where a dummy table is needed, as with `FROM \
                   DUAL`, answer `false`.",
    },
    Template {
        name: "supports_literal_group_by_template",
        section: TemplateSection::DialectCapabilityFlags,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "Whether GROUP BY may hold a constant.",
        guidance: "`true` if grouping by a text literal succeeds. The suite tries it and compares: \
                   a guess is found out.",
    },
    Template {
        name: "supports_group_by_on_subquery_template",
        section: TemplateSection::DialectCapabilityFlags,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "Whether ORDER BY may stand inside a named query or a derived table.",
        guidance: "Despite its name it is about ordering. The suite tries it and compares.",
    },
    Template {
        name: "parses_timestamp_with_trailing_text_template",
        section: TemplateSection::DialectCapabilityFlags,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "Whether a cast to a timestamp forgives text behind it.",
        guidance: "`true` if casting text such as `2024-01-01 extra` to a timestamp succeeds. \
                   Strict parsers say `false`. The suite tries it and compares.",
    },
    Template {
        name: "supports_as_keyword_for_table_alias_template",
        section: TemplateSection::DialectCapabilityFlags,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "Whether AS may stand before a derived table's alias.",
        guidance: "With `false` the alias follows the closing bracket directly, as Oracle's \
                   dialect demands.",
    },
    Template {
        name: "supports_limit_0_template",
        section: TemplateSection::DialectCapabilityFlags,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "Whether a query may ask for no rows at all.",
        guidance: "`true` if a limit of 0 is accepted and gives the columns without rows.",
    },
    Template {
        name: "requires_subquery_alias_template",
        section: TemplateSection::DialectCapabilityFlags,
        judged_in: SuiteSection::QlPrerequisites,
        kind: TemplateKind::Flag,
        variables: &[],
        placeholders: &[],
        description: "Whether a derived table must have an alias.",
        guidance: "`true` if `SELECT * FROM (SELECT 1)` is refused without a name behind the \
                   bracket. An alias that is not needed does no harm; one that is missing does.",
    },
];
