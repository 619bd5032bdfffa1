//! Reaching a server: refused, unknown, silent, and what must never be shown.

use std::net::TcpListener;
use std::time::Duration;

use bowline_driver::{SqlError, SqlErrorKind, open};
use bowline_servers::shared;
use bowline_words::Redactor;

use crate::engine::{WAYS_TO_POSTGRESQL, with};

/// What each way to a server says that lets nobody in.
fn refused(uri: &str, password: &str, test: impl Fn(&str, SqlError)) {
    for (way, spec) in WAYS_TO_POSTGRESQL {
        with(spec(uri), |mut spec| {
            spec.redactor = Redactor::new([password.to_owned()]);
            spec.connect_timeout = Duration::from_secs(5);
            let error = match open(&spec) {
                Ok(database) => database.connect().err().unwrap(),
                Err(error) => error,
            };
            test(way, error);
        });
    }
}

#[test]
fn a_refused_login_is_a_matter_of_permission() {
    with(shared::postgres(), |cluster| {
        let uri = format!(
            "postgresql://nobody_here:Marked77@{}:{}/postgres",
            cluster.host(),
            cluster.port()
        );
        refused(&uri, "Marked77", |_, error| {
            assert_eq!(error.kind, SqlErrorKind::Permission, "{error}");
            assert!(error.message.contains("nobody_here"), "{error}");
            assert!(
                !format!("{error} {error:?}").contains("Marked77"),
                "{error}"
            );
        });
    });
}

#[test]
fn a_database_that_is_not_there_is_named() {
    with(shared::postgres(), |cluster| {
        refused(&cluster.url("no_such_database"), "Marked77", |_, error| {
            assert_eq!(error.kind, SqlErrorKind::Connection, "{error}");
            assert!(
                error
                    .message
                    .contains("database \"no_such_database\" does not exist"),
                "{error}"
            );
        });
    });
}

#[test]
fn a_password_in_the_wrong_place_is_masked_or_not_repeated() {
    // A driver takes what follows the last colon for a port, and ADBC's says it back.
    refused(
        "postgresql://me@127.0.0.1:Marked77/x",
        "Marked77",
        |way, error| {
            let repeats = way == "postgresql";
            assert_eq!(error.message.contains("***"), repeats, "{error}");
            assert!(!error.text().contains("Marked77"), "{error}");
        },
    );
}

#[test]
fn nobody_listening_is_a_connection_error() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let uri = format!("postgresql://me@127.0.0.1:{port}/x");
    refused(&uri, "Marked77", |_, error| {
        assert_eq!(error.kind, SqlErrorKind::Connection, "{error}");
        assert!(error.message.contains("Connection refused"), "{error}");
    });
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("postgresql://me@{}/x", silent.local_addr().unwrap());
    for (_, spec) in WAYS_TO_POSTGRESQL {
        with(spec(&uri), |mut spec| {
            spec.connect_timeout = Duration::from_millis(100);
            let error = open(&spec).unwrap().connect().err().unwrap();
            assert_eq!(error.kind, SqlErrorKind::Timeout);
            assert_eq!(
                error.message,
                "connection timed out: no answer within 0.1 s"
            );
        });
    }
}

#[test]
fn a_driver_that_is_not_installed_is_told_how_to_get_it() {
    use bowline_driver::{AdbcLibrary, DriverKind, DriverSpec};
    let with_library = |library| {
        let spec = DriverSpec::new(DriverKind::Adbc {
            library,
            entrypoint: None,
        });
        open(&spec).err().unwrap()
    };
    let error = with_library(AdbcLibrary::Named("posgresql".to_owned()));
    assert_eq!(error.kind, SqlErrorKind::Driver);
    assert_eq!(
        error.text(),
        "driver is not installed: `posgresql`\nhint: did you mean `postgresql`?"
    );
    let error = with_library(AdbcLibrary::File("no/such/driver.so".into()));
    assert!(
        error
            .message
            .starts_with("driver library is not there: `no/such/driver.so`"),
        "{error}"
    );
    let own = std::env::current_exe().unwrap();
    let error = with_library(AdbcLibrary::File(own));
    assert!(
        error.message.starts_with("driver cannot be loaded: "),
        "{error}"
    );
}
