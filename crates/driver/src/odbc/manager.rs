//! The ODBC driver manager: its library, loaded at run time, and the functions in it.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are looked up by name"
)]

use std::ffi::c_void;
use std::sync::OnceLock;

use libloading::Library;

use crate::{SqlError, SqlErrorKind};

/// What ODBC calls a handle: of an environment, a connection or a statement.
pub(super) type Raw = *mut c_void;

/// Names of the manager's library, the likeliest first.
const LIBRARIES: &[&str] = if cfg!(windows) {
    &["odbc32.dll"]
} else if cfg!(target_os = "macos") {
    &[
        "libodbc.2.dylib",
        "/opt/homebrew/lib/libodbc.2.dylib",
        "/usr/local/lib/libodbc.2.dylib",
    ]
} else {
    &["libodbc.so.2", "libodbc.so.1", "libodbc.so"]
};

const INSTALL: &str = if cfg!(target_os = "macos") {
    "install unixODBC, such as with `brew install unixodbc`"
} else {
    "install unixODBC: the package is `unixodbc` on Debian and Ubuntu, `unixODBC` on Fedora and Red Hat"
};

macro_rules! functions {
    ($($field:ident = $symbol:literal ($($argument:ty),*);)*) => {
        /// The manager's functions, as the ODBC 3.8 headers declare them.
        pub(super) struct Manager {
            $(pub(super) $field: unsafe extern "system" fn($($argument),*) -> i16,)*
        }

        impl Manager {
            fn of(library: &Library) -> Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: the types are those of the ODBC headers, with 16-bit wide characters and
                    // pointer-sized lengths as every 64-bit build of the managers has them.
                    $($field: *unsafe { library.get($symbol) }?,)*
                })
            }
        }
    };
}

functions! {
    alloc_handle = b"SQLAllocHandle" (i16, Raw, *mut Raw);
    free_handle = b"SQLFreeHandle" (i16, Raw);
    set_environment_attribute = b"SQLSetEnvAttr" (Raw, i32, Raw, i32);
    set_connection_attribute = b"SQLSetConnectAttrW" (Raw, i32, Raw, i32);
    set_statement_attribute = b"SQLSetStmtAttrW" (Raw, i32, Raw, i32);
    drivers = b"SQLDriversW" (Raw, u16, *mut u16, i16, *mut i16, *mut u16, i16, *mut i16);
    driver_connect = b"SQLDriverConnectW" (Raw, Raw, *const u16, i16, *mut u16, i16, *mut i16, u16);
    disconnect = b"SQLDisconnect" (Raw);
    get_info = b"SQLGetInfoW" (Raw, u16, Raw, i16, *mut i16);
    exec_direct = b"SQLExecDirectW" (Raw, *const u16, i32);
    more_results = b"SQLMoreResults" (Raw);
    num_result_columns = b"SQLNumResultCols" (Raw, *mut i16);
    describe_column = b"SQLDescribeColW" (Raw, u16, *mut u16, i16, *mut i16, *mut i16, *mut usize, *mut i16, *mut i16);
    column_attribute = b"SQLColAttributeW" (Raw, u16, u16, Raw, i16, *mut i16, *mut isize);
    row_count = b"SQLRowCount" (Raw, *mut isize);
    fetch = b"SQLFetch" (Raw);
    get_data = b"SQLGetData" (Raw, u16, i16, Raw, isize, *mut isize);
    cancel = b"SQLCancel" (Raw);
    diagnostic_record = b"SQLGetDiagRecW" (i16, Raw, i16, *mut u16, *mut i32, *mut u16, i16, *mut i16);
}

/// The machine's driver manager, loaded on the first call and kept: drivers do not take being unloaded well.
///
/// # Errors
/// Kind `Driver`, with the package to install.
pub(super) fn manager() -> Result<&'static Manager, SqlError> {
    static MANAGER: OnceLock<Manager> = OnceLock::new();
    if let Some(manager) = MANAGER.get() {
        return Ok(manager);
    }
    let loaded = load(LIBRARIES)?;
    Ok(MANAGER.get_or_init(|| loaded))
}

fn load(names: &[&str]) -> Result<Manager, SqlError> {
    let mut reasons = Vec::new();
    for name in names {
        // SAFETY: loading runs the library's initialisers; the manager's have no conditions.
        let loaded = unsafe { Library::new(name) }.and_then(|library| {
            let manager = Manager::of(&library)?;
            std::mem::forget(library);
            Ok(manager)
        });
        match loaded {
            Ok(manager) => return Ok(manager),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Err(SqlError::new(
        SqlErrorKind::Driver,
        format!(
            "ODBC driver manager cannot be loaded: {}",
            reasons.first().map_or("", String::as_str)
        ),
    )
    .hint(INSTALL.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_manager_names_the_package() {
        let error = load(&["libno-such-manager.so.2"])
            .err()
            .expect("no library");
        assert_eq!(error.kind, SqlErrorKind::Driver);
        assert!(
            error.message.contains("libno-such-manager.so.2")
                && error
                    .text()
                    .to_lowercase()
                    .contains("hint: install unixodbc"),
            "{error}"
        );
    }
}
