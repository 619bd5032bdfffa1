//! What the driver manager and the drivers say went wrong, sorted into kinds and stripped of what they add.

use bowline_words::{listed, nearest};

use crate::error::{kind_of_sqlstate, kind_of_words};
use crate::{SqlError, SqlErrorKind};

/// Debian's package of a driver, by what is in the driver's name.
const PACKAGES: [(&str, &str); 5] = [
    ("mariadb", "odbc-mariadb"),
    ("mysql", "odbc-mariadb"),
    ("postgres", "odbc-postgresql"),
    ("sqlite", "libsqliteodbc"),
    ("freetds", "tdsodbc"),
];

/// One record of a failed call.
#[derive(Debug, Clone)]
pub(super) struct Diagnostic {
    /// The SQLSTATE.
    pub(super) state: String,
    /// The server's own number of the error; 0 when there is none.
    pub(super) native: i32,
    /// The words, with who says them in brackets before.
    pub(super) message: String,
}

/// All a failed call left behind, the most important first; empty when the driver said nothing.
#[derive(Debug, Clone)]
pub(super) struct Failure(pub(super) Vec<Diagnostic>);

impl Failure {
    /// What a call comes to that is not made, since the statement was asked to stop.
    pub(super) fn stopped() -> Self {
        Self(vec![Diagnostic {
            state: "HY008".to_owned(),
            native: 0,
            message: "operation cancelled".to_owned(),
        }])
    }

    /// Whether the driver does not have what was called.
    pub(super) fn is_unsupported(&self) -> bool {
        let mut records = self.0.iter();
        records.any(|record| matches!(record.state.as_str(), "IM001" | "HYC00"))
    }

    /// The error for a statement.
    pub(super) fn running(self) -> SqlError {
        self.error(SqlErrorKind::Other)
    }

    /// The error for a connection that did not come about.
    pub(super) fn connecting(self) -> SqlError {
        self.error(SqlErrorKind::Connection)
    }

    /// The error for a connection through a driver that may not be there; `drivers` are those that are.
    pub(super) fn reaching(self, wanted: Option<&str>, drivers: &[String]) -> SqlError {
        let is_driver = |record: &Diagnostic| {
            matches!(record.state.as_str(), "IM002" | "IM003" | "IM004" | "IM012")
                || record.message.contains("Can't open lib")
        };
        let Some(record) = self.0.iter().find(|record| is_driver(record)) else {
            return self.connecting();
        };
        let words = words(&record.message);
        let installed = match drivers {
            [] => "no ODBC driver is installed".to_owned(),
            drivers => format!("the installed drivers are {}", listed(drivers)),
        };
        let lower = wanted.unwrap_or_default().to_lowercase();
        let package = PACKAGES.iter().find(|(part, _)| lower.contains(part));
        let near = wanted.and_then(|wanted| nearest(wanted, drivers.iter().map(String::as_str)));
        let (what, hint) = match (wanted, near, package) {
            (Some(wanted), _, Some((_, package))) if drivers.iter().any(|name| name == wanted) => (
                format!("ODBC driver cannot be loaded: `{wanted}`"),
                format!("install it again; its package is `{package}` on Debian and Ubuntu"),
            ),
            (Some(wanted), Some(near), _) if near != wanted => (
                format!("ODBC driver is not installed: `{wanted}`"),
                format!("did you mean `{near}`? {installed}"),
            ),
            (Some(wanted), _, Some((_, package))) => (
                format!("ODBC driver is not installed: `{wanted}`"),
                format!("install it; its package is `{package}` on Debian and Ubuntu; {installed}"),
            ),
            (Some(wanted), _, None) => (
                format!("ODBC driver is not installed: `{wanted}`"),
                format!("install the vendor's package, or name one that is there: {installed}"),
            ),
            (None, _, _) => (
                "ODBC data source cannot be used".to_owned(),
                format!("`odbcinst -q -s` lists the data sources of the machine; {installed}"),
            ),
        };
        SqlError {
            kind: SqlErrorKind::Driver,
            sqlstate: Some(record.state.clone()),
            message: format!("{what}: {words}"),
            hint: Some(hint),
        }
    }

    fn error(self, otherwise: SqlErrorKind) -> SqlError {
        // Warnings come along with errors, and not always after them.
        let is_error = |record: &&Diagnostic| !record.state.starts_with("01");
        let Some(record) = self.0.iter().find(is_error).or(self.0.first()) else {
            return SqlError::new(otherwise, "the ODBC driver failed and did not say why");
        };
        // Who speaks stands in brackets before each message: of characters with four bytes only the first is seen.
        if record.message == "[" {
            return four_byte_text();
        }
        SqlError {
            kind: kind(record).unwrap_or(otherwise),
            sqlstate: Some(record.state.clone()).filter(|state| state.len() == 5),
            message: words(&record.message),
            hint: None,
        }
    }
}

/// The error of a driver none of whose text can be read.
pub(super) fn four_byte_text() -> SqlError {
    SqlError::new(
        SqlErrorKind::Driver,
        "the ODBC driver writes characters of four bytes, and its manager reads two",
    )
    .hint(
        "have it write UTF-16: where the driver was made by Simba, by `DriverManagerEncoding=UTF-16` in its .ini file"
            .to_owned(),
    )
}

fn kind(record: &Diagnostic) -> Option<SqlErrorKind> {
    use SqlErrorKind::{Connection, Permission, UnsupportedType};
    let by_number = is_mariadb(&record.message)
        .then(|| mariadb_kind(record.native))
        .flatten();
    if by_number.is_some() {
        return by_number;
    }
    let is_login = [
        "authentication failed",
        "no pg_hba.conf entry",
        "no password supplied",
    ]
    .iter()
    .any(|words| record.message.contains(words));
    match record.state.as_str() {
        "HYC00" | "07006" => Some(UnsupportedType),
        "08001" | "08004" if is_login => Some(Permission),
        // ODBC has one code for bad syntax and for what a user may not do.
        "42000" if record.message.contains("denied") => Some(Permission),
        "08001" | "08003" | "08S01" => Some(Connection),
        state => {
            let known = kind_of_sqlstate(state, &record.message);
            known
                .filter(|kind| *kind != SqlErrorKind::Other)
                .or_else(|| kind_of_words(&record.message))
        }
    }
}

/// Whether MariaDB's or MySQL's own driver speaks, whose codes say less than the server's numbers.
fn is_mariadb(message: &str) -> bool {
    message.starts_with("[ma-") || message.starts_with("[MySQL]")
}

fn mariadb_kind(number: i32) -> Option<SqlErrorKind> {
    use SqlErrorKind::{
        Busy, Cancelled, Connection, Data, MissingObject, Permission, Syntax, Timeout,
    };
    Some(match number {
        1064 | 1065 | 1149 => Syntax,
        1044 | 1045 | 1142 | 1143 | 1227 | 1290 | 1370 | 1698 => Permission,
        1049 | 1051 | 1054 | 1109 | 1128 | 1146 | 1305 | 1630 => MissingObject,
        1205 | 1969 | 3024 => Timeout,
        1021 | 1037 | 1038 | 1041 | 1114 | 1203 | 1213 | 1226 | 1461 => Busy,
        1317 => Cancelled,
        1048 | 1062 | 1264 | 1292 | 1365 | 1366 | 1406 | 1451 | 1452 | 1690 | 4025 => Data,
        1040 | 1053 | 1927 | 2002 | 2003 | 2005 | 2006 | 2012 | 2013 | 2026 => Connection,
        _ => return None,
    })
}

/// The server's own words, without who passes them on.
fn words(message: &str) -> String {
    let mut rest = message.trim();
    while let Some((_, after)) = rest
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
    {
        rest = after.trim_start();
    }
    // psqlODBC adds what it was doing.
    let rest = rest.split(";\nError while ").next().unwrap_or(rest);
    let rest = rest.strip_prefix("ERROR:").unwrap_or(rest);
    rest.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(state: &str, native: i32, message: &str) -> Failure {
        Failure(vec![Diagnostic {
            state: state.to_owned(),
            native,
            message: message.to_owned(),
        }])
    }

    #[test]
    fn characters_of_four_bytes_are_told_from_what_is_left_of_a_message() {
        let error = failure("S", 0, "[").connecting();
        assert_eq!(error.kind, SqlErrorKind::Driver);
        assert!(error.text().contains("four bytes"), "{error}");
    }

    #[test]
    fn the_code_or_the_servers_number_tells_the_kind() {
        use SqlErrorKind::*;
        for (state, native, message, expected) in [
            (
                "42P01",
                7,
                "ERROR: relation \"t\" does not exist;\nError while executing the query",
                MissingObject,
            ),
            ("42601", 7, "ERROR: syntax error", Syntax),
            (
                "42000",
                1064,
                "[ma-3.1.15][10.11.6-MariaDB]You have an error in your SQL syntax",
                Syntax,
            ),
            (
                "42000",
                1142,
                "[ma-3.1.15][10.11.6-MariaDB]SELECT command denied",
                Permission,
            ),
            (
                "42000",
                229,
                "[Vendor]The SELECT permission was denied",
                Permission,
            ),
            ("42000", 1049, "[ma-3.1.15]Unknown database", MissingObject),
            (
                "70100",
                1969,
                "[ma-3.1.15]Query execution was interrupted (max_statement_time exceeded)",
                Timeout,
            ),
            ("HYT00", 0, "[x]Timeout expired", Timeout),
            ("HY008", 0, "[x]Operation canceled", Cancelled),
            (
                "HY000",
                2013,
                "[ma-3.1.15]Lost connection to server during query",
                Connection,
            ),
            (
                "HY000",
                5014,
                "[ma-3.1.15]Write error: Connection reset by peer (104)",
                Connection,
            ),
            ("HY000", 1, "[x]whatever", Other),
        ] {
            let error = failure(state, native, message).running();
            assert_eq!(error.kind, expected, "{message}");
        }
        let login = failure(
            "08001",
            101,
            "FATAL:  password authentication failed for user",
        );
        assert_eq!(login.connecting().kind, Permission);
        assert_eq!(failure("HY000", 1, "x").connecting().kind, Connection);
        assert_eq!(Failure(Vec::new()).connecting().kind, Connection);
    }

    #[test]
    fn words_are_the_servers_own() {
        let text = "ERROR: relation \"t\" does not exist;\nError while executing the query";
        assert_eq!(words(text), "relation \"t\" does not exist");
        assert_eq!(
            words("[unixODBC][Driver Manager]Data source name not found"),
            "Data source name not found"
        );
        assert_eq!(
            words("[ma-3.1.15][10.11.6-MariaDB]Unknown column '[x]'"),
            "Unknown column '[x]'"
        );
    }

    #[test]
    fn a_missing_driver_names_what_to_install() {
        let missing = || {
            failure(
                "IM002",
                0,
                "[unixODBC][Driver Manager]Data source name not found",
            )
        };
        let drivers = ["PostgreSQL Unicode".to_owned()];
        let error = missing().reaching(Some("MariaDB Unicode"), &drivers);
        assert_eq!(error.kind, SqlErrorKind::Driver);
        assert!(error.text().contains("`odbc-mariadb`"), "{error}");
        assert!(error.text().contains("`PostgreSQL Unicode`"), "{error}");
        let error = missing().reaching(Some("PostgreSQL Unicod"), &drivers);
        assert!(
            error.text().contains("did you mean `PostgreSQL Unicode`?"),
            "{error}"
        );
        let error = missing().reaching(Some("Db2"), &[]);
        assert!(
            error.text().contains("no ODBC driver is installed"),
            "{error}"
        );
        let error = missing().reaching(None, &drivers);
        assert!(error.text().contains("odbcinst -q -s"), "{error}");
        let refused = failure("08001", 0, "could not connect to server");
        assert_eq!(
            refused.reaching(Some("X"), &drivers).kind,
            SqlErrorKind::Connection
        );
    }

    #[test]
    fn a_warning_before_the_error_is_not_the_error() {
        let mut both = failure("01000", 0, "note");
        both.0
            .extend(failure("22012", 7, "ERROR: division by zero").0);
        let error = both.running();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (SqlErrorKind::Data, "division by zero")
        );
    }
}
