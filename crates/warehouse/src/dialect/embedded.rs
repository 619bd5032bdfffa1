//! The packs' files, as text in the program. Bases stand before the packs that extend them.

use std::borrow::Cow;

use super::pack::{ANY_ENGINE, ScaffoldFiles};

/// One pack's files.
pub(super) struct Embedded {
    /// The pack's name: its folder's.
    pub(super) name: &'static str,
    /// `pack.toml`
    pub(super) pack: &'static str,
    /// `templates.toml`
    pub(super) templates: &'static str,
    /// `templates/*.sql.j2`: file name and text.
    pub(super) template_files: &'static [(&'static str, &'static str)],
    /// What a new connector starts with.
    pub(super) scaffold: Option<ScaffoldFiles>,
}

macro_rules! file {
    ($pack:literal, $file:literal) => {
        include_str!(concat!("../../../../dialects/", $pack, "/", $file))
    };
}

macro_rules! engine {
    ($pack:literal, $templates:tt) => {
        engine!($pack, Some(Cow::Borrowed(file!($pack, "connector.toml"))), $templates)
    };
    ($pack:literal, $connector:expr, [$($template:literal),* $(,)?]) => {
        Embedded {
            name: $pack,
            pack: file!($pack, "pack.toml"),
            templates: file!($pack, "templates.toml"),
            template_files: &[$((
                concat!($template, ".sql.j2"),
                include_str!(concat!("../../../../dialects/", $pack, "/templates/", $template, ".sql.j2")),
            )),*],
            scaffold: Some(ScaffoldFiles {
                connector: $connector,
                credentials: Cow::Borrowed(file!($pack, "credentials.json")),
                credentials_schema: Cow::Borrowed(file!($pack, "credentials_schema.json")),
            }),
        }
    };
}

/// Every pack.
pub(super) const PACKS: &[Embedded] = &[
    Embedded {
        name: ANY_ENGINE,
        pack: file!("ansi", "pack.toml"),
        templates: file!("ansi", "templates.toml"),
        template_files: &[],
        scaffold: None,
    },
    engine!(
        "duckdb",
        [
            "get_columns_query",
            "get_query_logs_query",
            "get_tables_query",
        ]
    ),
    engine!(
        "firebird",
        None,
        [
            "get_columns_query",
            "get_is_timestamp_expression",
            "get_not_is_timestamp_expression",
            "get_tables_query",
        ]
    ),
    engine!(
        "mariadb",
        [
            "get_columns_query",
            "get_is_timestamp_expression",
            "get_not_is_timestamp_expression",
            "get_query_logs_query",
            "get_tables_query",
        ]
    ),
    engine!(
        "postgres",
        [
            "get_columns_query",
            "get_is_timestamp_expression",
            "get_not_is_timestamp_expression",
            "get_query_logs_query",
            "get_tables_query",
        ]
    ),
    engine!("sqlite", ["get_columns_query", "get_tables_query"]),
];
