//! The files that a connector without Python needs in an image.

use std::path::{Path, PathBuf};

use bowline_contract::Template;
use bowline_contract::layout::{CHECKS_DIR, DOCKERFILE_EXTRA, PYTHON_FILE, TEMPLATES_DIR};
use bowline_contract::manifest::AssetClass;
use bowline_oci::layer::Content;
use bowline_oci::{Cancel, Platform};

use super::declared::{Needs, needs};
use super::text::{connector_py, source_folder};
use super::{drivers, program};
use crate::error::{ImageError, ImageErrorKind};
use crate::event::BuildEvent;
use crate::plan::{Candidate, PlannedFile, Runtime, RuntimeFiles};

/// Where an image keeps Bowline's program and the drivers.
pub(super) const HOME: &str = "/opt/bowline";

/// What a Cargo project is made from; its program is all that an image needs.
const CARGO_PROJECT: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src/",
    "vendor/",
    "tests/",
    "benches/",
    "examples/",
];

/// Runs connectors without Python with Bowline's own program.
pub struct BowlineRuntime<'a> {
    /// The root of the workspace that the connectors are of.
    pub workspace: PathBuf,
    /// A build of the program, or a folder of builds for several platforms; nothing means the running one.
    pub binary: Option<PathBuf>,
    /// Where drivers are kept that are fetched for images.
    pub drivers: PathBuf,
    /// Stops a download.
    pub cancel: &'a Cancel,
    /// Hears what takes its time.
    pub on_event: &'a dyn Fn(BuildEvent),
}

impl Runtime for BowlineRuntime<'_> {
    fn provide(
        &self,
        connector: &Candidate,
        root: &str,
        own: &[PlannedFile],
        platforms: &[Platform],
    ) -> Result<RuntimeFiles, ImageError> {
        let source = match source_folder(connector.class) {
            "." => root.to_owned(),
            folder => format!("{root}/{folder}"),
        };
        let needs = needs(&connector.dir)?;
        let mut files = source_files(own, root, &source, &needs);
        let mut shared = Vec::new();
        for platform in platforms {
            shared.push(program::bowline(self.binary.as_deref(), platform)?);
            match &needs {
                Needs::Nothing => {}
                Needs::Driver(name) => shared.push(drivers::library(
                    name,
                    platform,
                    &self.drivers,
                    self.cancel.flag(),
                    self.on_event,
                )?),
                Needs::File(path) => is_there(path, &source, &files)?,
                Needs::Program { program, arguments } => {
                    let command = (program.as_str(), arguments.as_slice());
                    let places = (self.workspace.as_path(), connector.dir.as_path());
                    let named = program::of_command(command, places, &source, platform)?;
                    put_in(&mut files, named);
                }
            }
        }
        let templates = match connector.class {
            AssetClass::Warehouse => exported(&connector.export.join(TEMPLATES_DIR))?,
            AssetClass::Pipeline => Vec::new(),
        };
        files.push(PlannedFile {
            path: format!("{root}/{PYTHON_FILE}"),
            content: Content::Bytes(
                connector_py(&connector.name, connector.class, &templates).into_bytes(),
            ),
            mode: 0o644,
            platform: None,
        });
        Ok(RuntimeFiles { own: files, shared })
    }
}

/// The files of a connector's own folder, `own` under `root`, that go into an image for this machine: what it takes to
/// run, and its program as it is built.
///
/// # Errors
/// When `connector.toml` cannot be read, or the program is not there.
pub(crate) fn shipped_files(
    (workspace, dir): (&Path, &Path),
    root: &str,
    own: &[PlannedFile],
) -> Result<Vec<PlannedFile>, ImageError> {
    let needs = needs(dir)?;
    let mut files = source_files(own, root, root, &needs);
    if let Needs::Program { program, arguments } = &needs {
        let command = (program.as_str(), arguments.as_slice());
        let named = program::of_command(command, (workspace, dir), root, &Platform::host())?;
        put_in(&mut files, named);
    }
    Ok(files)
}

/// Puts files in, in the place of those with the same path that are for every platform.
fn put_in(files: &mut Vec<PlannedFile>, named: Vec<PlannedFile>) {
    for new in named {
        files.retain(|old| old.path != new.path || old.platform.is_some());
        files.push(new);
    }
}

/// The connector's own folder in its place; what only building or proving it takes stays out.
fn source_files(own: &[PlannedFile], root: &str, source: &str, needs: &Needs) -> Vec<PlannedFile> {
    let is_cargo_project = matches!(needs, Needs::Program { .. })
        && own
            .iter()
            .any(|file| file.path == format!("{root}/{}", CARGO_PROJECT[0]));
    let is_needed = |relative: &str| {
        relative != DOCKERFILE_EXTRA
            && !relative.starts_with(&format!("{CHECKS_DIR}/"))
            && !(is_cargo_project
                && CARGO_PROJECT.iter().any(|part| {
                    if part.ends_with('/') {
                        relative.starts_with(part)
                    } else {
                        relative == *part
                    }
                }))
    };
    own.iter()
        .filter_map(|file| {
            let relative = file.path.strip_prefix(root)?.strip_prefix('/')?;
            is_needed(relative).then(|| PlannedFile {
                path: format!("{source}/{relative}"),
                ..file.clone()
            })
        })
        .collect()
}

/// Sees that a file of the connector's own is in its folder.
fn is_there(path: &str, source: &str, files: &[PlannedFile]) -> Result<(), ImageError> {
    let relative = path.strip_prefix("./").unwrap_or(path);
    // An absolute path is one of the base, or of what Dockerfile.extra installs there.
    if Path::new(path).is_absolute()
        || files
            .iter()
            .any(|file| file.path == format!("{source}/{relative}"))
    {
        return Ok(());
    }
    Err(
        ImageError::new(ImageErrorKind::Missing, format!("driver library `{path}`"))
            .because("it is not among the files of the connector's folder that go into the image")
            .hint("put it there, and see that no .gitignore names it".to_owned()),
    )
}

/// The templates of an export.
fn exported(folder: &Path) -> Result<Vec<&'static Template>, ImageError> {
    let unreadable = |error: std::io::Error| {
        ImageError::new(
            ImageErrorKind::Unreadable,
            format!("`{}`", folder.display()),
        )
        .because(error.to_string())
    };
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // That there is no export is told with everything else that is missing.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(unreadable(error)),
    };
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        found.extend(Template::find(&name));
    }
    found.sort_by_key(|template| template.name);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use bowline_contract::ConnectorName;

    use super::*;

    struct Place {
        dir: tempfile::TempDir,
        class: AssetClass,
    }

    impl Place {
        fn new(class: AssetClass, connector_toml: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(dir.path().join("output/shop/templates")).unwrap();
            let place = Self { dir, class };
            place.write("connector.toml", connector_toml);
            place
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        /// The paths that a connector with these files of its own comes to, its own and the shared ones.
        fn provided(&self, own: &[&str]) -> Result<(Vec<String>, Vec<String>), ImageError> {
            let root = "/opt/c/shop";
            let cancel = Cancel::default();
            let runtime = BowlineRuntime {
                workspace: self.dir.path().to_path_buf(),
                binary: None,
                drivers: self.dir.path().join("drivers"),
                cancel: &cancel,
                on_event: &|_| (),
            };
            let candidate = Candidate {
                name: ConnectorName::parse("shop").unwrap(),
                class: self.class,
                dir: self.dir.path().to_path_buf(),
                packs: Vec::new(),
                export: self.dir.path().join("output/shop"),
            };
            let own: Vec<PlannedFile> = own
                .iter()
                .map(|path| PlannedFile {
                    path: format!("{root}/{path}"),
                    content: Content::Bytes(Vec::new()),
                    mode: 0o644,
                    platform: None,
                })
                .collect();
            let files = runtime.provide(&candidate, root, &own, &[Platform::host()])?;
            let paths =
                |files: &[PlannedFile]| files.iter().map(|file| file.path.clone()).collect();
            Ok((paths(&files.own), paths(&files.shared)))
        }
    }

    #[test]
    fn a_warehouse_keeps_its_folder_beside_what_the_agent_reads() {
        let place = Place::new(AssetClass::Warehouse, "[driver]\nkind = \"sqlite\"");
        place.write("output/shop/templates/get_schemas_query_template.j2", "x");
        let (own, shared) = place
            .provided(&[
                "connector.toml",
                "templates/a.sql.j2",
                "checks/own.toml",
                "Dockerfile.extra",
            ])
            .unwrap();
        assert_eq!(
            own,
            [
                "/opt/c/shop/source/connector.toml",
                "/opt/c/shop/source/templates/a.sql.j2",
                "/opt/c/shop/connector.py"
            ]
        );
        assert_eq!(shared, ["/opt/bowline/bin/bowline"]);
    }

    #[test]
    fn a_pipeline_keeps_its_folder_where_it_is() {
        let place = Place::new(AssetClass::Pipeline, "[http]\nbase_url = \"x\"");
        let (own, _) = place
            .provided(&["connector.toml", "manifest.json"])
            .unwrap();
        assert_eq!(
            own,
            [
                "/opt/c/shop/connector.toml",
                "/opt/c/shop/manifest.json",
                "/opt/c/shop/connector.py"
            ]
        );
    }

    #[test]
    fn of_a_program_only_what_was_built_goes_in() {
        let text = "[driver]\nkind = \"process\"\ncommand = [\"./target/release/connector\"]";
        let place = Place::new(AssetClass::Warehouse, text);
        let own = [
            "Cargo.toml",
            "connector.toml",
            "src/main.rs",
            "vendor/sdk/lib.rs",
        ];
        assert_eq!(
            place.provided(&own).unwrap_err().kind,
            ImageErrorKind::Missing
        );
        place.write("target/release/connector", "program");
        let (own, _) = place.provided(&own).unwrap();
        assert_eq!(
            own,
            [
                "/opt/c/shop/source/connector.toml",
                "/opt/c/shop/source/target/release/connector",
                "/opt/c/shop/connector.py"
            ]
        );
    }

    #[test]
    fn a_library_of_the_connectors_own_must_be_in_its_folder() {
        let text = "[driver]\nkind = \"adbc\"\npath = \"./lib/driver.so\"";
        let place = Place::new(AssetClass::Warehouse, text);
        assert!(place.provided(&["lib/driver.so"]).is_ok());
        let error = place.provided(&["connector.toml"]).unwrap_err().to_string();
        assert!(error.contains("`./lib/driver.so`"), "{error}");
    }
}
