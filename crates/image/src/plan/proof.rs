//! What a connector was when it was proven, kept among the workspace's outputs so that what ships can be compared with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bowline_contract::layout;
use bowline_contract::manifest::AssetClass;
use bowline_oci::layer::Content;
use bowline_oci::{Digest, Hasher, Platform};
use serde::{Deserialize, Serialize};

use super::connector::{exported_files, own_files};
use super::files::Ignored;
use super::{Candidate, PlannedFile};
use crate::error::{ImageError, ImageErrorKind};
use crate::shim::{DriverBuild, built_driver, installed_driver, shipped_files};

/// The version of the files' format.
const FORMAT: u32 = 1;
/// How many differences are told.
const MOST_TOLD: usize = 5;

/// How a test of the whole suite ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofOutcome {
    /// Nothing is wrong with what ships.
    Passed,
    /// Nothing is wrong with what ships, as far as the reference tier asks.
    PassedReference,
    /// Something is wrong.
    Failed,
    /// Nothing is wrong, and something could not be found out.
    Inconclusive,
}

/// The files and the driver that a connector was proven with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proof {
    format: u32,
    outcome: ProofOutcome,
    #[serde(flatten)]
    proven: Proven,
    /// The driver that the connector names, and the platform it ran on.
    driver: Option<(String, DriverBuild)>,
    /// Files of code that it loads and that no image gets, by the path from the workspace's root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outside: Vec<String>,
}

/// Files as they were when they were proven, or are now, by the path from the workspace's root.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Proven {
    files: BTreeMap<String, Digest>,
    /// Those that can be run; nothing in records of programs that did not note it.
    executable: Option<BTreeSet<String>>,
}

impl Proof {
    /// Takes down what is about to be proven, before it is loaded: what changes while it is tested was not tested.
    ///
    /// # Errors
    /// [`ImageErrorKind::Unreadable`] when a file cannot be read.
    pub fn begin(workspace: &Path, candidate: &Candidate) -> Result<Self, ImageError> {
        let ignored = Ignored::of(workspace, &candidate.dir)
            .map_err(|problem| unreadable(&problem.path, problem.why))?;
        let own = own_files(candidate, "", ignored).map_err(|problems| {
            let first = problems.into_iter().next();
            first.map_or_else(
                || unreadable(&candidate.dir, String::new()),
                |problem| unreadable(&problem.path, problem.why),
            )
        })?;
        let mut proven = Proven::default();
        proven.take_down(workspace, &proven_files(workspace, candidate, "", &own)?)?;
        Ok(Self {
            format: FORMAT,
            outcome: ProofOutcome::Inconclusive,
            proven,
            driver: installed_driver(&candidate.dir)?,
            outside: Vec::new(),
        })
    }

    /// Those of these files of code, by the path from the workspace's root, that do not ship with it.
    #[must_use]
    pub fn left_out(&self, workspace: &Path, files: &[String]) -> Vec<String> {
        let real = |file: &String| workspace.join(file).canonicalize().ok();
        let ships: BTreeSet<PathBuf> = self.proven.files.keys().filter_map(real).collect();
        let is_left = |file: &&String| real(file).is_none_or(|file| !ships.contains(&file));
        files.iter().filter(is_left).cloned().collect()
    }

    /// Notes files of code that it loads and that no image gets.
    #[must_use]
    pub fn with_outside(mut self, files: Vec<String>) -> Self {
        self.outside = files;
        self
    }

    /// Keeps how the test ended, with what was exported then. What the reference tier finds right adds nothing to what a
    /// test of the strict tier found of the same files.
    ///
    /// # Errors
    /// [`ImageErrorKind::Unreadable`] and [`ImageErrorKind::Unwritable`].
    pub fn keep(
        mut self,
        workspace: &Path,
        candidate: &Candidate,
        outcome: ProofOutcome,
    ) -> Result<(), ImageError> {
        self.outcome = outcome;
        if candidate.class == AssetClass::Warehouse {
            let exported = exported_files(candidate, "")
                .map_err(|error| unreadable(&candidate.export, error.to_string()))?;
            self.proven.take_down(workspace, &exported)?;
        }
        let path = place(workspace, candidate);
        if outcome == ProofOutcome::PassedReference
            && kept(&path).is_some_and(|kept| self.is_of(&kept.proven, &kept))
        {
            return Ok(());
        }
        write(&path, &self).map_err(|error| unwritable(&path, &error))
    }

    /// Notes that a later test of the whole suite found what was proven and ships to be wrong. Where nothing was proven,
    /// or something else than was tested now, there is nothing to note.
    ///
    /// # Errors
    /// [`ImageErrorKind::Unwritable`].
    pub fn refute(&self, workspace: &Path, candidate: &Candidate) -> Result<(), ImageError> {
        let path = place(workspace, candidate);
        let Some(mut kept) = kept(&path) else {
            return Ok(());
        };
        let export = name_in(workspace, &candidate.export);
        if !self.is_of(&kept.proven.outside_of(&export), &kept) {
            return Ok(());
        }
        kept.outcome = ProofOutcome::Failed;
        write(&path, &kept).map_err(|error| unwritable(&path, &error))
    }

    /// Whether it is of these files, and of the driver of an earlier proof.
    fn is_of(&self, files: &Proven, earlier: &Self) -> bool {
        self.proven.is_same(files) && self.driver == earlier.driver
    }
}

/// What is on record, where it can be read.
fn kept(path: &Path) -> Option<Proof> {
    let text = bowline_contract::reading::read_text(path).ok()?;
    serde_json::from_str(&text).ok()
}

/// Why what would ship is not what was proven.
#[derive(Debug)]
pub(super) struct Objection {
    pub(super) why: String,
    /// What takes it away.
    pub(super) end: ObjectionEnd,
}

/// What takes an objection away, other than to allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectionEnd {
    /// Another test.
    Proof,
    /// That the code goes in: it stays out whatever is tested.
    Code,
}

impl Objection {
    fn to(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            end: ObjectionEnd::Proof,
        }
    }
}

/// What is said against a connector that would ship as something else than was proven; nothing when it is the same.
pub(super) fn objection(
    workspace: &Path,
    candidate: &Candidate,
    own: &[PlannedFile],
    root: &str,
    platforms: &[Platform],
) -> Result<Option<Objection>, ImageError> {
    let path = place(workspace, candidate);
    let shown = path.strip_prefix(workspace).unwrap_or(&path).display();
    let proof: Proof = match bowline_contract::reading::read_text(&path) {
        Ok(text) => match serde_json::from_str(&text) {
            Ok(proof) => proof,
            Err(error) => {
                let why = format!("not proven: its record `{shown}` cannot be read: {error}");
                return Ok(Some(Objection::to(why)));
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let why = "not proven: no test of it is on record";
            return Ok(Some(Objection::to(why)));
        }
        Err(error) => return Err(unreadable(&path, error.to_string())),
    };
    if proof.format != FORMAT {
        let why = format!("not proven: another version of Bowline wrote its record `{shown}`");
        return Ok(Some(Objection::to(why)));
    }
    match proof.outcome {
        ProofOutcome::Passed => {}
        ProofOutcome::PassedReference => {
            let why = "not proven: its last test asked the reference tier only";
            return Ok(Some(Objection::to(why)));
        }
        ProofOutcome::Failed => {
            let why = "not proven: its last test found it wrong";
            return Ok(Some(Objection::to(why)));
        }
        ProofOutcome::Inconclusive => {
            let why = "not proven: its last test left something unknown";
            return Ok(Some(Objection::to(why)));
        }
    }
    let mut now = Proven::default();
    now.take_down(workspace, &proven_files(workspace, candidate, root, own)?)?;
    if candidate.class == AssetClass::Warehouse {
        let exported = exported_files(candidate, root)
            .map_err(|error| unreadable(&candidate.export, error.to_string()))?;
        now.take_down(workspace, &exported)?;
    }
    let mut differences = proof.proven.differences(&now);
    differences.extend(different_drivers(
        candidate,
        proof.driver.as_ref(),
        platforms,
    )?);
    let mut end = ObjectionEnd::Proof;
    // What was changed since may import something else.
    if differences.is_empty() {
        // Something else may be in their place in an image, or it may do without them: that was not proven.
        let left_out = proof.outside.iter();
        differences
            .extend(left_out.map(|path| format!("it imports `{path}`, which does not go in")));
        end = ObjectionEnd::Code;
    }
    Ok(told(&differences).map(|why| Objection { why, end }))
}

fn told(differences: &[String]) -> Option<String> {
    let first = differences.first()?;
    let mut told = format!("not what was proven: {first}");
    for other in differences.iter().take(MOST_TOLD).skip(1) {
        told.push_str(", ");
        told.push_str(other);
    }
    if differences.len() > MOST_TOLD {
        told.push_str(&format!(", and {} more", differences.len() - MOST_TOLD));
    }
    Some(told)
}

impl Proven {
    /// Whether the files are the same, and can be run alike as far as both records note it.
    fn is_same(&self, other: &Self) -> bool {
        let modes = self.executable.as_ref().zip(other.executable.as_ref());
        self.files == other.files && modes.is_none_or(|(own, other)| own == other)
    }

    /// Those of the files that are not in this folder.
    fn outside_of(&self, folder: &str) -> Self {
        let is_outside = |path: &String| !Path::new(path).starts_with(folder);
        let mut outside = self.clone();
        outside.files.retain(|path, _| is_outside(path));
        if let Some(executable) = &mut outside.executable {
            executable.retain(is_outside);
        }
        outside
    }

    /// How what is there now differs from what was proven, in words.
    fn differences(&self, now: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        for (path, digest) in &now.files {
            match self.files.get(path) {
                Some(then) if then != digest => differences.push(format!("`{path}` has changed")),
                Some(_) => differences.extend(self.other_mode(now, path)),
                None => differences.push(format!("`{path}` is new")),
            }
        }
        let mut gone: Vec<&String> = self.files.keys().collect();
        gone.retain(|path| !now.files.contains_key(*path));
        differences.extend(gone.iter().map(|path| format!("`{path}` is gone")));
        differences
    }

    /// How a file differs by whether it can be run, in words.
    fn other_mode(&self, now: &Self, path: &str) -> Option<String> {
        let then = self.executable.as_ref()?.contains(path);
        let is_now = now.executable.as_ref()?.contains(path);
        (then != is_now).then(|| {
            if is_now {
                format!("`{path}` was no program that can be run, and is one now")
            } else {
                format!("`{path}` was a program that can be run, and is none now")
            }
        })
    }

    fn take_down(&mut self, workspace: &Path, planned: &[PlannedFile]) -> Result<(), ImageError> {
        let executable = self.executable.get_or_insert_default();
        for file in planned {
            let Content::File(path) = &file.content else {
                continue;
            };
            let digest = digest_of(path).map_err(|error| unreadable(path, error.to_string()))?;
            let name = name_in(workspace, path);
            if file.mode & 0o100 != 0 {
                executable.insert(name.clone());
            }
            self.files.insert(name, digest);
        }
        Ok(())
    }
}

/// A path from the workspace's root, as records have it.
fn name_in(workspace: &Path, path: &Path) -> String {
    let name = path.strip_prefix(workspace).unwrap_or(path);
    name.to_string_lossy().replace('\\', "/")
}

/// Builds for several platforms are one driver when they are of one version; for the platform of the proof it is the
/// very build.
fn different_drivers(
    candidate: &Candidate,
    proven: Option<&(String, DriverBuild)>,
    platforms: &[Platform],
) -> Result<Vec<String>, ImageError> {
    let mut differences = Vec::new();
    for platform in platforms {
        let Some((name, ships)) = built_driver(&candidate.dir, platform)? else {
            continue;
        };
        let is_proven = proven.is_some_and(|(proven_name, then)| {
            *proven_name == name
                && then.version == ships.version
                && (then.platform != ships.platform || then.archive == ships.archive)
        });
        if !is_proven {
            let then = match proven {
                Some((_, then)) if then.version != ships.version => then.version.clone(),
                Some(_) => "another build".to_owned(),
                None => "not one that `bowline driver install` put there".to_owned(),
            };
            differences.push(format!(
                "driver `{name}` was {then}, and {} goes in for {platform}",
                ships.version
            ));
        }
    }
    Ok(differences)
}

/// The files that a proof is about: what ships of a connector's own folder, its program for this machine, and the dialect
/// packs that its templates are from.
fn proven_files(
    workspace: &Path,
    candidate: &Candidate,
    root: &str,
    own: &[PlannedFile],
) -> Result<Vec<PlannedFile>, ImageError> {
    if candidate.dir.join(layout::CONNECTOR_FILE).is_file() {
        let mut files = shipped_files((workspace, &candidate.dir), root, own)?;
        files.extend(candidate.packs.iter().map(|path| PlannedFile {
            path: path.display().to_string(),
            content: Content::File(path.clone()),
            mode: 0o644,
            platform: None,
        }));
        Ok(files)
    } else {
        let mut files = own.to_vec();
        let manifest = candidate.dir.join(layout::MANIFEST_FILE);
        // An export repeats parts of it.
        if candidate.class == AssetClass::Warehouse && manifest.is_file() {
            files.push(PlannedFile {
                path: format!("{root}/{}", layout::MANIFEST_FILE),
                content: Content::File(manifest),
                mode: 0o644,
                platform: None,
            });
        }
        Ok(files)
    }
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut file = fs::File::open(path)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish().0),
            length => hasher.update(&buffer[..length]),
        }
    }
}

fn place(workspace: &Path, candidate: &Candidate) -> PathBuf {
    // A warehouse's and a pipeline's connector may have one name.
    let file = match candidate.class {
        AssetClass::Warehouse => "proof.json",
        AssetClass::Pipeline => layout::PIPELINE_PROOF_FILE,
    };
    workspace
        .join(layout::OUTPUT_DIR)
        .join(candidate.name.as_str())
        .join(file)
}

fn write(path: &Path, proof: &Proof) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, proof)?;
    io::Write::write_all(&mut file, b"\n")?;
    // Temporary files are private; outputs are for others to read.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path)?;
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> ImageError {
    ImageError::new(ImageErrorKind::Unwritable, format!("`{}`", path.display()))
        .because(error.to_string())
}

fn unreadable(path: &Path, why: String) -> ImageError {
    ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", path.display())).because(why)
}
