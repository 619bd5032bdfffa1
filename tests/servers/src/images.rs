//! Base images for tests, made by programs nobody here wrote: `buildah` packs a folder that holds a static busybox or
//! this machine's Python.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::ServerError;
use crate::program::find_program;

/// What the shell of a base can do.
const APPLETS: [&str; 16] = [
    "cat",
    "cp",
    "echo",
    "env",
    "find",
    "grep",
    "head",
    "id",
    "ls",
    "mkdir",
    "printf",
    "rm",
    "sh",
    "sha256sum",
    "stat",
    "true",
];
/// The users of a base: the one who installs and the one the agent runs as.
const USERS: &str =
    "root:x:0:0:root:/root:/bin/sh\nmcdagent:x:1000:1000:agent:/home/mcdagent:/bin/sh\n";
/// The user that bases run as, as the stock agent's does.
const USER: &str = "mcdagent";

/// A store of images of a test's own, which `buildah` and `podman` use when they have its environment.
#[derive(Debug)]
pub struct ImageStore {
    folder: TempDir,
}

impl ImageStore {
    /// An empty store.
    ///
    /// # Errors
    /// [`ServerError::NotFound`] when buildah is not on this machine.
    pub fn new() -> Result<Self, ServerError> {
        if !Self::is_installed() {
            return Err(ServerError::NotFound {
                engine: "buildah",
                hint: "install Debian's packages buildah and busybox-static, or let `cargo xtask test` do it",
            });
        }
        let folder = tempfile::Builder::new()
            .prefix("bowline-store-")
            .tempdir()
            .map_err(ServerError::Folder)?;
        let settings = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/graph\"\nrunroot = \"{0}/run\"\n",
            folder.path().display()
        );
        fs::write(folder.path().join("storage.conf"), settings).map_err(ServerError::Folder)?;
        Ok(Self { folder })
    }

    /// Whether what makes bases is on this machine.
    #[must_use]
    pub fn is_installed() -> bool {
        ["buildah", "busybox"]
            .into_iter()
            .all(|name| find_program(name).is_some())
    }

    /// The variables that lead an engine to this store, and let it run commands without privileges of its own.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, OsString); 2] {
        let settings = self.folder.path().join("storage.conf");
        [
            ("CONTAINERS_STORAGE_CONF", settings.into_os_string()),
            ("BUILDAH_ISOLATION", "chroot".into()),
        ]
    }

    /// Runs `buildah` on this store and gives what it wrote.
    ///
    /// # Errors
    /// [`ServerError`] with its words when it fails.
    pub fn buildah(&self, arguments: &[&str]) -> Result<String, ServerError> {
        let mut command = Command::new("buildah");
        command.args(arguments).envs(self.environment());
        output(command)
    }

    /// Packs a folder as an image with one layer, in a new OCI layout, under this tag. `settings` are those of
    /// `buildah config`, such as `--env A=1`.
    ///
    /// # Errors
    /// [`ServerError`] when it cannot be packed.
    pub fn pack(
        &self,
        root: &Path,
        layout: &Path,
        tag: &str,
        settings: &[&str],
    ) -> Result<(), ServerError> {
        let container = self.buildah(&["from", "scratch"])?;
        let container = container.trim();
        self.buildah(&[
            "copy",
            "--quiet",
            container,
            &root.display().to_string(),
            "/",
        ])?;
        let configured = [&["config"], settings, &["--user", USER, container]].concat();
        self.buildah(&configured)?;
        let target = format!("oci:{}:{tag}", layout.display());
        self.buildah(&[
            "commit",
            "--quiet",
            "--rm",
            "--timestamp",
            "0",
            container,
            &target,
        ])?;
        Ok(())
    }

    /// A base with a shell and nothing else, as an OCI layout.
    ///
    /// # Errors
    /// [`ServerError`] when it cannot be made.
    pub fn busybox_base(&self, layout: &Path, tag: &str) -> Result<(), ServerError> {
        let root = tempfile::tempdir().map_err(ServerError::Folder)?;
        put_busybox(root.path())?;
        // A base without one is none for an agent. Nothing of these tests starts it.
        std::os::unix::fs::symlink("busybox", root.path().join("bin/python3"))
            .map_err(ServerError::Folder)?;
        self.pack(root.path(), layout, tag, &["--env", "PATH=/bin"])
    }

    /// A base with a shell and the given Python, with its pip, below `/usr/local`, as an OCI layout. The Python is told
    /// by a program, which may be that of a virtual environment: what that is made from goes in.
    ///
    /// # Errors
    /// [`ServerError`] when it cannot be made.
    pub fn python_base(&self, layout: &Path, tag: &str, python: &Path) -> Result<(), ServerError> {
        let root = tempfile::tempdir().map_err(ServerError::Folder)?;
        put_busybox(root.path())?;
        put_python(root.path(), python)?;
        put_runtimes(root.path())?;
        let path = "PATH=/usr/local/bin:/bin";
        self.pack(
            root.path(),
            layout,
            tag,
            &["--env", path, "--cmd", "python3"],
        )
    }
}

fn put_busybox(root: &Path) -> Result<(), ServerError> {
    let busybox = find_program("busybox").unwrap_or_default();
    let put = || {
        for folder in ["bin", "etc", "home/mcdagent", "opt", "root", "tmp"] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::copy(&busybox, root.join("bin/busybox"))?;
        for applet in APPLETS {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(applet))?;
        }
        fs::write(root.join("etc/passwd"), USERS)?;
        fs::write(root.join("etc/group"), "root:x:0:\nmcdagent:x:1000:\n")
    };
    put().map_err(ServerError::Folder)?;
    // A static one, which Debian has too, needs none, and `ldd` fails on it.
    match put_libraries(root, &[busybox]) {
        Ok(()) | Err(ServerError::Failed { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What of a Python's library no agent needs, and what of it is large.
const LEFT_OUT: [&str; 8] = [
    "test",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "lib2to3",
    "__pycache__",
    "site-packages",
];

fn put_python(root: &Path, python: &Path) -> Result<(), ServerError> {
    let mut asked = Command::new(python);
    asked.args([
        "-c",
        "import os, sys, sysconfig, pip\n\
         print(os.path.realpath(getattr(sys, '_base_executable', sys.executable)))\n\
         print(sysconfig.get_path('stdlib'))\n\
         print(os.path.dirname(pip.__file__))\n\
         print('%d.%d' % sys.version_info[:2])",
    ]);
    let told = output(asked)?;
    let mut lines = told.lines().map(str::to_owned);
    let mut next = || lines.next().unwrap_or_default();
    let (program, library, pip, version) = (next(), next(), next(), next());
    let bin = root.join("usr/local/bin");
    let lib = root.join(format!("usr/local/lib/python{version}"));
    copy_tree(Path::new(&library), &lib, &LEFT_OUT)?;
    copy_tree(
        Path::new(&pip),
        &lib.join("site-packages/pip"),
        &["__pycache__"],
    )?;
    let put = || {
        fs::create_dir_all(&bin)?;
        fs::copy(&program, bin.join(format!("python{version}")))?;
        std::os::unix::fs::symlink(format!("python{version}"), bin.join("python3"))
    };
    put().map_err(ServerError::Folder)?;
    let mut modules = vec![PathBuf::from(program)];
    let loaded = fs::read_dir(lib.join("lib-dynload")).map_err(ServerError::Folder)?;
    modules.extend(loaded.flatten().map(|entry| entry.path()));
    put_libraries(root, &modules)
}

/// What nearly every program in machine code needs beside the C library, and every real base has.
const RUNTIMES: [&str; 6] = [
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libstdc++.so.6",
];

fn put_runtimes(root: &Path) -> Result<(), ServerError> {
    let mut listed = Command::new("/sbin/ldconfig");
    listed.arg("-p");
    let known = output(listed)?;
    for name in RUNTIMES {
        let place = known
            .lines()
            .filter(|line| line.trim_start().starts_with(name))
            .find_map(|line| line.split("=> ").nth(1));
        let Some(place) = place else { continue };
        let target = root.join(place.trim_start_matches('/'));
        let put = || {
            fs::create_dir_all(target.parent().unwrap_or(root))?;
            fs::copy(place, &target).map(drop)
        };
        put().map_err(ServerError::Folder)?;
    }
    Ok(())
}

/// The shared libraries that programs need, at the paths at which the loader looks for them here.
fn put_libraries(root: &Path, programs: &[PathBuf]) -> Result<(), ServerError> {
    let mut listed = Command::new("ldd");
    listed.args(programs);
    let mut libraries: Vec<PathBuf> = output(listed)?
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(|word| PathBuf::from(word.trim_end_matches(':')))
        .filter(|path| !programs.contains(path))
        .collect();
    libraries.sort();
    libraries.dedup();
    for library in libraries {
        let target = root.join(library.strip_prefix("/").unwrap_or(&library));
        let put = || {
            fs::create_dir_all(target.parent().unwrap_or(root))?;
            fs::copy(&library, &target).map(drop)
        };
        put().map_err(ServerError::Folder)?;
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path, without: &[&str]) -> Result<(), ServerError> {
    let copy = || {
        fs::create_dir_all(to)?;
        fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()
    };
    for entry in copy().map_err(ServerError::Folder)? {
        let name = entry.file_name();
        if without.iter().any(|each| name == *each) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        if source.is_dir() {
            copy_tree(&source, &target, without)?;
        } else {
            fs::copy(&source, &target).map_err(ServerError::Folder)?;
        }
    }
    Ok(())
}

fn output(mut command: Command) -> Result<String, ServerError> {
    let program = PathBuf::from(command.get_program());
    let output = command.output().map_err(|source| ServerError::Spawn {
        program: program.clone(),
        source,
    })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(ServerError::Failed {
            program,
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
