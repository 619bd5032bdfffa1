//! A fresh folder, a clean environment, perhaps a fresh database, and the binary run in it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::hints::assert_options_exist;
use crate::needs::{binary, drivers, postgres, python};

/// No command of a test takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// How every password here begins. No escaping changes these letters, so that no spelling of it goes unseen.
pub(crate) const MARK: &str = "canary7f3a";
/// How many commands said nothing of it.
static SEARCHED: AtomicU64 = AtomicU64::new(0);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; none when a signal ended it.
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Both streams, for messages of failed assertions.
    pub(crate) fn said(&self) -> String {
        format!(
            "exit: {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.exit, self.stdout, self.stderr
        )
    }

    /// What it wrote to standard output, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{}", self.said()))
    }

    /// This same run, provided that it ended with the code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.exit, Some(code), "{}", self.said());
        self
    }
}

/// Lets nobody else read a file.
pub(crate) fn close(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a file of ours");
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// One test's own place.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: TempDir,
    database: Option<Database>,
}

/// One test's own PostgreSQL database and the role that owns it.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) port: u16,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("bowline-test-")
            .tempdir()
            .expect("a temporary folder");
        for child in ["work", "home", "tmp"] {
            fs::create_dir(folder.path().join(child)).expect("a folder in the sandbox");
        }
        Self {
            folder,
            database: None,
        }
    }

    /// A sandbox with an empty PostgreSQL database.
    pub(crate) fn with_postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let cluster = postgres().expect("a PostgreSQL server");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("case_{}_{number}", std::process::id());
        let database = Database {
            user: format!("{name}_owner"),
            // What looks different in URLs, in JSON, in CSV and in a shell.
            password: format!("{MARK}/\"%41@:{number}"),
            port: cluster.port(),
            name,
        };
        cluster
            .create_database(&database.name, &database.user, &database.password)
            .expect("an empty database");
        let mut sandbox = Self::new();
        sandbox.database = Some(database);
        sandbox
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where commands run.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Runs statements in the database as superuser.
    pub(crate) fn sql(&self, statements: &str) -> String {
        let database = self.database.as_ref().expect("a sandbox with a database");
        postgres()
            .and_then(|cluster| {
                cluster
                    .sql(&database.name, statements)
                    .map_err(|error| error.to_string())
            })
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Writes a file below the working folder, with the folders it needs.
    pub(crate) fn write(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.work().join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("a folder in the sandbox");
        }
        fs::write(&path, text).expect("a file in the sandbox");
        if path
            .file_name()
            .is_some_and(|name| name == "credentials.json")
        {
            close(&path);
        }
    }

    /// Reads a file below the working folder.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.work().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Every file below a folder of the working folder, sorted, as paths relative to it.
    pub(crate) fn files(&self, path: impl AsRef<Path>) -> BTreeSet<String> {
        let base = self.work().join(path);
        let mut found = BTreeSet::new();
        walk(&base, &base, &mut found);
        found
    }

    /// The binary with arguments, ready to run here: nothing of the tester's environment reaches it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(args)
            .current_dir(self.work())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder().join("home"))
            .env("TMPDIR", self.folder().join("tmp"))
            .env("LANG", "C.UTF-8")
            .env("BOWLINE_DRIVER_DIR", drivers())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// As [`Self::command`], with the tests' own Python where there is one.
    pub(crate) fn command_with_python(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.envs(python().map(|python| ("BOWLINE_PYTHON", python)));
        command
    }

    /// As [`Self::command`], run by a shell that has carried out a script before.
    pub(crate) fn command_after(&self, script: &str, args: &[&str]) -> Command {
        let plain = self.command(args);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{script}; exec \"$@\""), "sh"])
            .arg(plain.get_program())
            .args(plain.get_args())
            .current_dir(self.work())
            .env_clear()
            .envs(
                plain
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// As [`Self::bowline`], with the tests' own Python where there is one.
    pub(crate) fn bowline_with_python(&self, args: &[&str]) -> Ran {
        self.finish(&mut self.command_with_python(args), None)
    }

    /// Runs the binary to its end.
    pub(crate) fn bowline(&self, args: &[&str]) -> Ran {
        self.finish(&mut self.command(args), None)
    }

    /// Runs a prepared command to its end, and checks that the password is nowhere in what it says.
    pub(crate) fn finish(&self, command: &mut Command, input: Option<&str>) -> Ran {
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().expect("the binary under test");
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            // A command may end without reading its input.
            let _closed = stdin.write_all(input.as_bytes());
        }
        let ran = wait(child);
        assert_no_secret("the output", &ran.stdout);
        assert_no_secret("the messages", &ran.stderr);
        SEARCHED.fetch_add(1, Ordering::Relaxed);
        assert_options_exist(command, &ran);
        ran
    }

    /// Files name a schema that lies where they say.
    pub(crate) fn assert_schemas(&self, files: &[&str]) {
        for file in files {
            let text = self.read(file);
            let schema = text.lines().find_map(|line| line.strip_prefix("#:schema "));
            let schema = schema.unwrap_or_else(|| panic!("{file} names no schema"));
            let path = self.work().join(file).with_file_name(schema);
            assert!(path.is_file(), "{}", path.display());
        }
    }

    /// Fails when any file but `credentials.json` holds the password, or when temporary files were left.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        self.assert_clean_but(&[]);
    }

    /// As [`Self::assert_clean`], for a test that has put the password into files that end so.
    #[track_caller]
    pub(crate) fn assert_clean_but(&self, endings: &[&str]) {
        for child in ["work", "home"] {
            let base = self.folder().join(child);
            let mut files = BTreeSet::new();
            walk(&base, &base, &mut files);
            for file in files {
                let may_hold = endings.iter().any(|ending| file.ends_with(ending));
                if !may_hold && !file.ends_with("credentials.json") {
                    let bytes = fs::read(base.join(&file)).unwrap_or_default();
                    assert_no_secret(&file, &String::from_utf8_lossy(&bytes));
                }
            }
        }
        let mut left = BTreeSet::new();
        let temporary = self.folder().join("tmp");
        walk(&temporary, &temporary, &mut left);
        assert!(left.is_empty(), "temporary files were left: {left:?}");
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let (Some(database), Ok(cluster)) = (&self.database, postgres()) {
            // The whole server goes away soon; a database that stays until then harms nobody.
            let _left = cluster.drop_database(&database.name, &database.user);
        }
    }
}

/// How many times something is tried, where the environment says so.
pub(crate) fn many<N: FromStr>(variable: &str) -> Option<N> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Adds the commands that were searched for the password to what the tests counted.
pub(crate) fn count_searched() {
    bowline_tally::add(
        bowline_tally::Kind::Searched,
        SEARCHED.load(Ordering::Relaxed),
    );
}

/// Fails when a password shows up in a text.
#[track_caller]
fn assert_no_secret(place: &str, text: &str) {
    assert!(
        !text.contains(MARK),
        "a password stands in {place}:\n{text}"
    );
}

/// Waits for a child whose streams are piped; one that hangs is killed and fails the test.
pub(crate) fn wait(child: Child) -> Ran {
    let pid = child.id().to_string();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // The receiver is gone only when the test gave up.
        let _late = sender.send(child.wait_with_output());
    });
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        let _killed = Command::new("kill").args(["-KILL", &pid]).status();
        panic!("the command still ran after {PATIENCE:?}");
    };
    let output = output.expect("the child's output");
    Ran {
        exit: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn walk(base: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(base, &path, found);
        } else if let Ok(relative) = path.strip_prefix(base) {
            found.insert(relative.to_string_lossy().into_owned());
        }
    }
}
