//! What each driver is and what its options mean.

use super::Need::{Optional, Required};
use super::PackageSource::{Npm, PyPi};
use super::{CatalogueEntry, DriverOption, Need, builds};

const fn option(
    name: &'static str,
    need: Need,
    meaning: &'static str,
    example: &'static str,
) -> DriverOption {
    DriverOption {
        name,
        meaning,
        need,
        example,
    }
}

const USERNAME: DriverOption = option(
    "username",
    Optional,
    "the login, when the URI does not hold it",
    "{{ user }}",
);

const PASSWORD: DriverOption = option(
    "password",
    Optional,
    "the password, when the URI does not hold it",
    "{{ password }}",
);

pub(super) const ENTRIES: &[CatalogueEntry] = &[
    CatalogueEntry {
        name: "duckdb",
        title: "DuckDB",
        summary: "an analytical database in one file, with no server",
        source: Npm,
        license: "MIT",
        entrypoint: "duckdb_adbc_init",
        options: &[
            option(
                "path",
                Required,
                "the database file, made when missing; `:memory:` for one that lives as long as the program",
                "{{ path }}",
            ),
            option(
                "access_mode",
                Optional,
                "`read_only` changes nothing and lets other programs read the file too",
                "read_only",
            ),
            option(
                "threads",
                Optional,
                "how many threads one statement may use",
                "2",
            ),
            option(
                "memory_limit",
                Optional,
                "the most memory it may use",
                "1GB",
            ),
        ],
        builds: builds::DUCKDB,
    },
    CatalogueEntry {
        name: "postgresql",
        title: "PostgreSQL",
        summary: "PostgreSQL and databases that speak its protocol, through ADBC; the driver of kind `postgres` is compiled in and needs no installation",
        source: PyPi,
        license: "Apache-2.0",
        entrypoint: "AdbcDriverPostgresqlInit",
        options: &[
            option(
                "uri",
                Required,
                "where the database is and how to log in; special characters percent-encoded, as `uri_encode` does",
                "postgresql://{{ user | uri_encode }}:{{ password | uri_encode }}@{{ host | uri_encode }}:{{ port }}/{{ database | uri_encode }}",
            ),
            option(
                "adbc.postgresql.use_copy",
                Optional,
                "`false` runs queries as they are instead of through COPY, which streams large results",
                "false",
            ),
        ],
        builds: builds::POSTGRESQL,
    },
    CatalogueEntry {
        name: "sqlite",
        title: "SQLite",
        summary: "SQLite through ADBC; the driver of kind `sqlite` is compiled in and needs no installation",
        source: PyPi,
        license: "Apache-2.0",
        entrypoint: "AdbcDriverSqliteInit",
        options: &[option(
            "uri",
            Required,
            "the database file, or `:memory:`",
            "{{ path }}",
        )],
        builds: builds::SQLITE,
    },
    CatalogueEntry {
        name: "flightsql",
        title: "Arrow Flight SQL",
        summary: "any server that speaks Flight SQL, such as Dremio, Doris or DataFusion",
        source: PyPi,
        license: "Apache-2.0",
        entrypoint: "AdbcDriverFlightsqlInit",
        options: &[
            option(
                "uri",
                Required,
                "where the server is; `grpc://` in the clear, `grpc+tls://` encrypted",
                "grpc+tls://{{ host }}:{{ port }}",
            ),
            USERNAME,
            PASSWORD,
            option(
                "adbc.flight.sql.authorization_header",
                Optional,
                "the whole authorization header, for servers that take a token",
                "Bearer {{ token }}",
            ),
            option(
                "adbc.flight.sql.client_option.tls_skip_verify",
                Optional,
                "`true` accepts any certificate; for tests only",
                "true",
            ),
        ],
        builds: builds::FLIGHTSQL,
    },
    CatalogueEntry {
        name: "snowflake",
        title: "Snowflake",
        summary: "the Snowflake warehouse",
        source: PyPi,
        license: "Apache-2.0",
        entrypoint: "AdbcDriverSnowflakeInit",
        options: &[
            option(
                "adbc.snowflake.sql.account",
                Required,
                "the account identifier, organization and account name joined by a hyphen",
                "{{ account }}",
            ),
            option("username", Required, "the login", "{{ user }}"),
            PASSWORD,
            option(
                "adbc.snowflake.sql.auth_type",
                Optional,
                "how to log in: `auth_snowflake` (a password, the default), `auth_jwt` (a key pair), `auth_oauth`",
                "auth_jwt",
            ),
            option(
                "adbc.snowflake.sql.client_option.jwt_private_key_pkcs8_value",
                Optional,
                "the private key as PEM text, for `auth_jwt`",
                "{{ private_key }}",
            ),
            option(
                "adbc.snowflake.sql.client_option.jwt_private_key_pkcs8_password",
                Optional,
                "the private key's passphrase",
                "{{ private_key_passphrase }}",
            ),
            option(
                "adbc.snowflake.sql.client_option.auth_token",
                Optional,
                "the token, for `auth_oauth`",
                "{{ token }}",
            ),
            option(
                "adbc.snowflake.sql.warehouse",
                Optional,
                "the warehouse that runs the statements",
                "{{ warehouse }}",
            ),
            option(
                "adbc.snowflake.sql.db",
                Optional,
                "the database statements start in",
                "{{ database }}",
            ),
            option(
                "adbc.snowflake.sql.schema",
                Optional,
                "the schema statements start in",
                "{{ schema }}",
            ),
            option(
                "adbc.snowflake.sql.role",
                Optional,
                "the role to work as",
                "{{ role }}",
            ),
        ],
        builds: builds::SNOWFLAKE,
    },
    CatalogueEntry {
        name: "bigquery",
        title: "Google BigQuery",
        summary: "the BigQuery warehouse",
        source: PyPi,
        license: "Apache-2.0",
        entrypoint: "AdbcDriverBigqueryInit",
        options: &[
            option(
                "adbc.bigquery.sql.project_id",
                Required,
                "the project that pays for the queries",
                "{{ project_id }}",
            ),
            option(
                "adbc.bigquery.sql.auth_type",
                Optional,
                "how to log in, each with the prefix `adbc.bigquery.sql.auth_type.`: `app_default_credentials`, `json_credential_file`, `json_credential_string`, `user_authentication`",
                "adbc.bigquery.sql.auth_type.json_credential_string",
            ),
            option(
                "adbc.bigquery.sql.auth_credentials",
                Optional,
                "the service account's key: its JSON text or the path of its file, as `auth_type` says",
                "{{ service_account_json }}",
            ),
            option(
                "adbc.bigquery.sql.dataset_id",
                Optional,
                "the dataset statements start in",
                "{{ dataset }}",
            ),
            option(
                "adbc.bigquery.sql.location",
                Optional,
                "where the data is kept",
                "{{ location }}",
            ),
        ],
        builds: builds::BIGQUERY,
    },
    CatalogueEntry {
        name: "spark",
        title: "Apache Spark",
        summary: "Spark SQL through Spark Connect",
        source: PyPi,
        license: "Apache-2.0",
        entrypoint: "AdbcDriverSparkInit",
        options: &[option(
            "uri",
            Required,
            "where the server is; a token and encryption are parts of it",
            "sc://{{ host }}:{{ port }}/;token={{ token }};use_ssl=true",
        )],
        builds: builds::SPARK,
    },
    CatalogueEntry {
        name: "oracle",
        title: "Oracle Database",
        summary: "Oracle Database, without Oracle's client libraries",
        source: PyPi,
        license: "MIT",
        entrypoint: "AdbcDriverOracleInit",
        options: &[
            option(
                "uri",
                Required,
                "where the database is, by service name",
                "oracle://{{ host }}:{{ port }}/{{ service }}",
            ),
            USERNAME,
            PASSWORD,
            option(
                "adbc.oracle.current_schema",
                Optional,
                "the schema statements start in",
                "{{ schema }}",
            ),
        ],
        builds: builds::ORACLE,
    },
    CatalogueEntry {
        name: "db2",
        title: "IBM Db2",
        summary: "IBM Db2, without IBM's client libraries",
        source: PyPi,
        license: "MIT",
        entrypoint: "AdbcDriverDb2Init",
        options: &[
            option(
                "uri",
                Required,
                "where the database is",
                "db2://{{ host }}:{{ port }}/{{ database }}",
            ),
            USERNAME,
            PASSWORD,
            option(
                "adbc.db2.current_schema",
                Optional,
                "the schema statements start in",
                "{{ schema }}",
            ),
        ],
        builds: builds::DB2,
    },
];
