//! What the program's exit code says.

/// One exit code: its number, its name in these docs, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitCode {
    /// The number the process ends with.
    pub code: i32,
    /// The constant's name.
    pub name: &'static str,
    /// When the program ends so, in one line.
    pub meaning: &'static str,
}

macro_rules! exit_codes {
    ($($NAME:ident = $code:literal, $meaning:literal;)+) => {
        $(#[doc = $meaning] pub const $NAME: i32 = $code;)+

        /// All exit codes, by number.
        pub const ALL: &[ExitCode] = &[
            $(ExitCode { code: $NAME, name: stringify!($NAME), meaning: $meaning },)+
        ];
    };
}

exit_codes! {
    OK = 0, "Everything asked for was done, and nothing fell short.";
    FELL_SHORT = 1, "The connector fell short: some check is wrong or was refused.";
    USAGE = 2, "The command line is not valid.";
    INCONCLUSIVE = 3, "Nothing is wrong, but some verdict is unknown. That an orchestrator was at rest does not count.";
    INVALID = 4, "A connector folder, a manifest or the credentials are not valid.";
    UNREACHABLE = 5, "The database, the vendor or the registry cannot be reached, or refused the login.";
    DRIVER = 6, "A driver is missing, cannot be installed or cannot be loaded.";
    FILES = 7, "A file, standard input or standard output cannot be read or written.";
    IMAGE = 8, "An image cannot be built, moved or read: an engine, a registry or a package client is missing, or failed.";
    INTERNAL = 70, "The program itself is at fault; please report it.";
    INTERRUPTED = 130, "Stopped by the user; what was made in the database has been removed.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_fit_a_process() {
        assert!(ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(ALL.iter().all(|code| (0..=255).contains(&code.code)));
    }
}
