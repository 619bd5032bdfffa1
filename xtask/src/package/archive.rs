//! The archive that the install script fetches, its checksum, and the bill of materials beside it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Built, Profile, third_party, unwritten};
use crate::process::{Failure, root, run_quietly, step};

/// The shells that completions are written for, with the names their files go by.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "bowline.bash"),
    ("zsh", "_bowline"),
    ("fish", "bowline.fish"),
];

/// Writes the archive, and gives its path.
pub(super) fn write(built: &Built) -> Result<PathBuf, Failure> {
    step("the archive");
    let staged = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let inside = staged.path().join("bowline");
    stage(built, &inside)?;
    let path = built
        .folder
        .join(format!("bowline-{}.tar.gz", built.triple));
    pack(built, &inside, &path).map_err(|error| unwritten(&path, &error))?;
    let sum = sha256(&path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = built.folder.join(format!("{name}.sha256"));
    std::fs::write(&beside, format!("{sum}  {name}\n"))
        .map_err(|error| unwritten(&beside, &error))?;
    Ok(path)
}

/// Lays out what the archive holds.
fn stage(built: &Built, inside: &Path) -> Result<(), Failure> {
    let make =
        |folder: &Path| std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error));
    let completions = inside.join("completions");
    make(&completions)?;
    let copy = |from: &Path, name: &str| {
        let to = inside.join(name);
        std::fs::copy(from, &to)
            .map(drop)
            .map_err(|error| unwritten(&to, &error))
    };
    let write = |path: PathBuf, text: String| {
        std::fs::write(&path, text).map_err(|error| unwritten(&path, &error))
    };
    let binary = format!("bowline{}", std::env::consts::EXE_SUFFIX);
    copy(&built.binary, &binary)?;
    for page in ["README.md", "LICENSE", "CHANGELOG.md"] {
        copy(&root().join(page), page)?;
    }
    copy(&built.licences, third_party::PAGE)?;
    let materials = built
        .folder
        .join(format!("bowline-{}.cdx.json", built.triple));
    write(materials, third_party::bill_of_materials(&built.crates))?;
    run_quietly(
        Command::new(&built.binary)
            .arg("man")
            .arg(inside.join("man")),
    )?;
    for (shell, name) in COMPLETIONS {
        let script = run_quietly(Command::new(&built.binary).args(["completions", shell]))?;
        write(completions.join(name), script)?;
    }
    Ok(())
}

/// Packs a folder; equal folders give equal archives.
fn pack(built: &Built, inside: &Path, path: &Path) -> std::io::Result<()> {
    let level = match built.profile {
        Profile::Release => Compression::best(),
        Profile::Unoptimized => Compression::fast(),
    };
    let mut archive = tar::Builder::new(GzEncoder::new(File::create(path)?, level));
    archive.mode(tar::HeaderMode::Deterministic);
    let mut waiting = vec![inside.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let entries = std::fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let within = path.strip_prefix(inside).unwrap_or(&path);
            archive.append_path_with_name(&path, Path::new("bowline").join(within))?;
        }
    }
    archive.into_inner()?.finish()?.sync_all()
}

/// The SHA-256 of a file, in hex.
fn sha256(path: &Path) -> Result<String, Failure> {
    use sha2::{Digest, Sha256};

    let bytes = std::fs::read(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    let digest = Sha256::digest(&bytes);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
