//! Which options of ADBC drivers name files.

use std::collections::BTreeMap;
use std::path::Path;

use crate::AdbcLibrary;
use crate::libpq;
use crate::paths::{database_file, whole};

/// DuckDB's settings that name a folder or a file.
const DUCKDB_FILES: [&str; 5] = [
    "extension_directory",
    "home_directory",
    "log_query_path",
    "secret_directory",
    "temp_directory",
];

/// Where DuckDB looks for files that statements read.
const DUCKDB_SEARCH: &str = "file_search_path";

/// What stands before DuckDB's path to say which of its extensions opens the file.
const DUCKDB_PREFIXES: [&str; 3] = ["ducklake:", "duckdb:", "sqlite:"];

const SNOWFLAKE_KEY: &str = "adbc.snowflake.sql.client_option.jwt_private_key";
const BIGQUERY_KEY: &str = "adbc.bigquery.sql.auth_credentials";
const BIGQUERY_LOGIN: &str = "adbc.bigquery.sql.auth_type";
const BIGQUERY_KEY_FILE: &str = "json_credential_file";

/// The drivers whose options name files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    DuckDb,
    PostgreSql,
    Sqlite,
    Other,
}

impl Family {
    fn of(library: &AdbcLibrary) -> Self {
        let name = match library {
            AdbcLibrary::Named(name) => name.to_lowercase(),
            AdbcLibrary::File(path) => path
                .file_name()
                .map(|name| name.to_string_lossy().to_lowercase())
                .unwrap_or_default(),
        };
        [
            ("duckdb", Self::DuckDb),
            ("postgres", Self::PostgreSql),
            ("sqlite", Self::Sqlite),
        ]
        .into_iter()
        .find(|(part, _)| name.contains(part))
        .map_or(Self::Other, |(_, family)| family)
    }
}

/// A driver's options, in which every relative path begins in the folder.
pub(super) fn options(
    directory: &Path,
    library: &AdbcLibrary,
    options: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    if directory.as_os_str().is_empty() {
        return options.clone();
    }
    let family = Family::of(library);
    let key_is_file = options
        .get(BIGQUERY_LOGIN)
        .is_some_and(|login| login.ends_with(BIGQUERY_KEY_FILE));
    let mut resolved: BTreeMap<String, String> = options
        .iter()
        .map(|(key, value)| {
            let value = match (family, key.as_str()) {
                (Family::DuckDb, "path" | "uri") => duckdb_place(directory, value),
                (Family::DuckDb, key) if DUCKDB_FILES.contains(&key) => whole(directory, value),
                (Family::PostgreSql, "uri") => libpq::connection(directory, value),
                (Family::Sqlite, "uri") => database_file(directory, value),
                (_, SNOWFLAKE_KEY) => whole(directory, value),
                (_, BIGQUERY_KEY) if key_is_file => whole(directory, value),
                _ => value.clone(),
            };
            (key.clone(), value)
        })
        .collect();
    let folder = directory.to_string_lossy();
    // A comma would end the folder's name.
    if family == Family::DuckDb && !folder.contains(',') {
        resolved
            .entry(DUCKDB_SEARCH.to_owned())
            .or_insert_with(|| folder.into_owned());
    }
    resolved
}

/// What DuckDB opens: a file, `:memory:`, or what one of its extensions knows.
fn duckdb_place(directory: &Path, place: &str) -> String {
    for prefix in DUCKDB_PREFIXES {
        if let Some(rest) = place.strip_prefix(prefix) {
            return format!("{prefix}{}", duckdb_place(directory, rest));
        }
    }
    let is_elsewhere = place.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    if is_elsewhere && !place.starts_with("file:") {
        return place.to_owned();
    }
    database_file(directory, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(library: &str, key: &str, value: &str) -> String {
        let library = AdbcLibrary::Named(library.to_owned());
        let given = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        options(Path::new("/w"), &library, &given)[key].clone()
    }

    #[test]
    fn files_begin_in_the_folder_and_nothing_else_does() {
        for (library, key, value, is) in [
            ("duckdb", "path", "shop.duckdb", "/w/shop.duckdb"),
            ("duckdb", "path", ":memory:", ":memory:"),
            ("duckdb", "path", "md:shop", "md:shop"),
            ("duckdb", "path", "s3://b/shop.db", "s3://b/shop.db"),
            ("duckdb", "path", "sqlite:shop.db", "sqlite:/w/shop.db"),
            ("duckdb", "path", "ducklake:lake.db", "ducklake:/w/lake.db"),
            ("duckdb", "temp_directory", "tmp", "/w/tmp"),
            ("duckdb", "threads", "2", "2"),
            ("sqlite", "uri", "shop.db", "/w/shop.db"),
            (
                "sqlite",
                "uri",
                "file:shop.db?mode=ro",
                "file:/w/shop.db?mode=ro",
            ),
            (
                "postgresql",
                "uri",
                "postgresql://h/d?passfile=p",
                "postgresql://h/d?passfile=/w/p",
            ),
            ("flightsql", "uri", "grpc://h:1", "grpc://h:1"),
            ("snowflake", "uri", "u:p@account/db", "u:p@account/db"),
            ("snowflake", SNOWFLAKE_KEY, "key.p8", "/w/key.p8"),
            ("bigquery", BIGQUERY_KEY, "{\"a\": 1}", "{\"a\": 1}"),
        ] {
            assert_eq!(resolved(library, key, value), is, "{library} {key}");
        }
    }

    #[test]
    fn a_key_of_bigquery_is_a_file_where_its_login_says_so() {
        let given = BTreeMap::from([
            (BIGQUERY_KEY.to_owned(), "key.json".to_owned()),
            (
                BIGQUERY_LOGIN.to_owned(),
                format!("{BIGQUERY_LOGIN}.{BIGQUERY_KEY_FILE}"),
            ),
        ]);
        let library = AdbcLibrary::File("drivers/libadbc_driver_bigquery.so".into());
        let resolved = options(Path::new("/w"), &library, &given);
        assert_eq!(resolved[BIGQUERY_KEY], "/w/key.json");
    }

    #[test]
    fn duckdb_looks_for_files_in_the_folder_unless_it_is_told_otherwise() {
        assert_eq!(resolved("duckdb", DUCKDB_SEARCH, "data"), "data");
        let library = AdbcLibrary::File("libduckdb.so".into());
        let options = options(Path::new("/w"), &library, &BTreeMap::new());
        assert_eq!(options[DUCKDB_SEARCH], "/w");
    }
}
