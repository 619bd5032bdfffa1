//! The drivers against real engines: SQLite, DuckDB, PostgreSQL and, through ODBC, MariaDB.
//!
//! DuckDB and PostgreSQL need their ADBC drivers installed in the folder `BOWLINE_DRIVER_DIR` names, or the
//! standard one. PostgreSQL is the server `BOWLINE_TEST_POSTGRES` names, or one started here; MariaDB is
//! always started here. What is missing fails the test when `CI` is set and is reported otherwise.

mod announced;
mod compiled_in;
mod compiled_in_login;
mod duckdb;
mod engine;
mod limits;
mod login;
mod odbc;
mod postgresql;
mod server_death;
