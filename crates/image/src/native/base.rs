//! The base of an image: which of its manifests is for which platform, and what its file system holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_oci::layer::{LayerEntry, Node, Tree, read_layer};
use bowline_oci::{
    BlobSource, Cancel, Descriptor, Document, Manifest, OciError, OciErrorKind, Platform,
    json_bytes, manifest_for, media_type, oci_error, read_config,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{ImageError, ImageErrorKind, from_oci};

/// The largest file of a base whose content is kept, in bytes.
const LARGEST_KEPT: u64 = 256 << 10;
/// The largest C library that is looked into.
const LARGEST_LIBRARY: u64 = 32 << 20;
/// Within so many bytes the GNU C library tells its version.
const LONGEST_BANNER: usize = 200;
/// The file that names the users of a system.
const USERS: &str = "/etc/passwd";
/// A change of what is remembered about a base changes this.
const FACTS_VERSION: u32 = 2;

/// A base for one platform.
#[derive(Debug)]
pub(super) struct PlatformBase {
    pub(super) source: Arc<dyn BlobSource>,
    pub(super) platform: Platform,
    /// The name of its manifest.
    pub(super) digest: String,
    pub(super) manifest: Manifest,
    pub(super) config: Map<String, Value>,
    pub(super) facts: BaseFacts,
}

/// What the file system of a base holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BaseFacts {
    version: u32,
    /// Its paths.
    pub tree: Tree,
    /// The content of some small files, by path: the system's users and release, and the settings of Python's
    /// environments.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The version of the GNU C library, such as `2.36`, if the base has it.
    pub glibc: Option<String>,
}

/// Whether a file's content is kept.
fn is_kept(path: &str) -> bool {
    matches!(
        path,
        USERS
            | "/etc/os-release"
            | "/usr/lib/os-release"
            | "/lib/apk/db/installed"
            | "/usr/lib/apk/db/installed"
    ) || path.ends_with("/pyvenv.cfg")
}

/// Whether a file is the GNU C library.
fn is_glibc(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name == "libc.so.6" || (name.starts_with("libc-2.") && name.ends_with(".so"))
}

/// The version that the GNU C library tells of itself.
fn glibc_version(library: &[u8]) -> Option<String> {
    const BEFORE: &[u8] = b"GNU C Library ";
    const RELEASE: &[u8] = b"release version ";
    let after = |bytes: &[u8], words: &[u8]| {
        let at = bytes
            .windows(words.len())
            .position(|window| window == words)?;
        Some(at + words.len())
    };
    let banner = &library[after(library, BEFORE)?..];
    let banner = &banner[..banner.len().min(LONGEST_BANNER)];
    let version = banner[after(banner, RELEASE)?..].iter();
    let version: String = version
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .map(|byte| char::from(*byte))
        .collect();
    Some(version.trim_end_matches('.').to_owned())
}

impl BaseFacts {
    /// Reads them from the layers of an image, the lowest first.
    ///
    /// # Errors
    /// When a layer cannot be read, and when it is cancelled.
    pub fn read(
        source: &dyn BlobSource,
        layers: &[Descriptor],
        cancel: &Cancel,
    ) -> Result<Self, OciError> {
        let mut facts = Self {
            version: FACTS_VERSION,
            ..Self::default()
        };
        for layer in layers {
            facts.tree.next_layer();
            read_layer(source, layer, &mut |entry| {
                cancel.check("reading the base")?;
                facts.take(entry)
            })?;
        }
        let Self { tree, files, .. } = &mut facts;
        files.retain(|path, _| tree.get(path) == Some(&Node::File));
        Ok(facts)
    }

    fn take(&mut self, entry: LayerEntry<'_>) -> Result<(), OciError> {
        let is_kept = entry.size <= LARGEST_KEPT && is_kept(entry.path);
        let is_glibc = entry.size <= LARGEST_LIBRARY && is_glibc(entry.path);
        if entry.node == Node::File && (is_kept || is_glibc) {
            let mut bytes = Vec::new();
            entry.content.read_to_end(&mut bytes).map_err(|error| {
                oci_error(
                    error,
                    OciErrorKind::Corrupt,
                    format!("`{}` in the base", entry.path),
                )
            })?;
            if is_glibc {
                self.glibc = glibc_version(&bytes).or(self.glibc.take());
            } else {
                self.files.insert(entry.path.to_owned(), bytes);
            }
        }
        self.tree.add(entry.path, entry.node);
        Ok(())
    }

    /// Whether the base's system knows this user, which may be a name or a number.
    #[must_use]
    pub fn has_user(&self, user: &str) -> bool {
        let name = user.split_once(':').map_or(user, |(name, _)| name);
        if name == "root" || name.bytes().all(|byte| byte.is_ascii_digit()) {
            return true;
        }
        let path = self.tree.follow(USERS).unwrap_or_default();
        let users = self.files.get(&path).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(users)
            .lines()
            .any(|line| line.split(':').next() == Some(name))
    }

    fn remembered(file: &Path) -> Option<Self> {
        let facts: Self = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        (facts.version == FACTS_VERSION).then_some(facts)
    }

    /// Keeps them for the next build. One that cannot be kept is worked out again, which harms nobody.
    fn remember(&self, file: &Path) {
        let keep = || {
            let folder = file.parent()?;
            fs::create_dir_all(folder).ok()?;
            let mut temporary = tempfile::NamedTempFile::new_in(folder).ok()?;
            std::io::Write::write_all(&mut temporary, &json_bytes(self)).ok()?;
            temporary.persist(file).ok()
        };
        let _kept = keep();
    }
}

/// The base for one platform. What its layers hold is remembered in the folder `cache`, by the name of its manifest.
pub(super) fn for_platform(
    source: &Arc<dyn BlobSource>,
    root: &Document,
    platform: &Platform,
    cache: Option<&Path>,
    cancel: &Cancel,
) -> Result<PlatformBase, ImageError> {
    let document = manifest_for(source.as_ref(), root, platform).map_err(from_oci)?;
    let mut manifest = document.to_manifest().map_err(from_oci)?;
    for layer in &mut manifest.layers {
        layer.media_type = media_type::oci(&layer.media_type).to_owned();
    }
    let config = read_config(source.as_ref(), &manifest.config).map_err(from_oci)?;
    check_platform(source.as_ref(), &config, platform)?;
    check_config(source.as_ref(), &config, &manifest)?;
    let remembered: Option<PathBuf> =
        cache.map(|folder| folder.join(format!("{}.json", document.digest.hex())));
    let facts = match remembered.as_deref().and_then(BaseFacts::remembered) {
        Some(facts) => facts,
        None => {
            let facts = source
                .prepare(&manifest.layers)
                .and_then(|()| BaseFacts::read(source.as_ref(), &manifest.layers, cancel))
                .map_err(from_oci)?;
            if let Some(file) = remembered {
                facts.remember(&file);
            }
            facts
        }
    };
    Ok(PlatformBase {
        source: Arc::clone(source),
        platform: platform.clone(),
        digest: document.digest.to_string(),
        manifest,
        config,
        facts,
    })
}

fn about(source: &dyn BlobSource, kind: ImageErrorKind) -> ImageError {
    ImageError::new(kind, format!("the image `{}`", source.name()))
}

pub(crate) fn check_platform(
    source: &dyn BlobSource,
    config: &Map<String, Value>,
    wanted: &Platform,
) -> Result<(), ImageError> {
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    let own = Platform {
        os: text("os").unwrap_or("linux").to_owned(),
        architecture: text("architecture").unwrap_or_default().to_owned(),
        variant: text("variant").map(str::to_owned),
    };
    if own.fits(wanted) {
        Ok(())
    } else {
        Err(about(source, ImageErrorKind::WrongPlatform)
            .because(format!(
                "it is made for `{own}`, and the image is to be for `{wanted}`"
            ))
            .hint(format!(
                "build for it with `--platform {own}`, or name a base for `{wanted}`"
            )))
    }
}

/// What a builder without an engine cannot honour, and what does not fit together.
fn check_config(
    source: &dyn BlobSource,
    config: &Map<String, Value>,
    manifest: &Manifest,
) -> Result<(), ImageError> {
    let triggers = config.get("config").and_then(|inner| inner.get("OnBuild"));
    if triggers
        .and_then(Value::as_array)
        .is_some_and(|each| !each.is_empty())
    {
        return Err(about(source, ImageErrorKind::NeedsEngine)
            .because("it has `ONBUILD` instructions, which only an engine carries out")
            .hint("build with `--builder docker`, `podman` or `buildah`".to_owned()));
    }
    let told = diff_ids(config).len();
    if told != manifest.layers.len() {
        return Err(about(source, ImageErrorKind::Corrupt).because(format!(
            "its configuration tells of {told} layers, its manifest of {}",
            manifest.layers.len()
        )));
    }
    let strange = manifest
        .layers
        .iter()
        .find(|layer| !layer.media_type.starts_with(media_type::LAYER));
    match strange {
        Some(layer) => Err(about(source, ImageErrorKind::NeedsEngine).because(format!(
            "a layer of it has the media type `{}`",
            layer.media_type
        ))),
        None => Ok(()),
    }
}

/// What the layers unpack to, as a configuration tells it.
pub(super) fn diff_ids(config: &Map<String, Value>) -> &[Value] {
    config
        .get("rootfs")
        .and_then(|rootfs| rootfs.get("diff_ids"))
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_those_of_the_base() {
        let mut facts = BaseFacts {
            version: FACTS_VERSION,
            ..BaseFacts::default()
        };
        assert!(facts.has_user("root") && facts.has_user("1000:1000"));
        assert!(!facts.has_user("mcdagent"));
        facts.files.insert(
            USERS.to_owned(),
            b"root:x:0:0::/root:/bin/sh\nmcdagent:x:1000:1000::/:/bin/sh\n".to_vec(),
        );
        assert!(facts.has_user("mcdagent") && facts.has_user("mcdagent:mcdagent"));
        assert!(!facts.has_user("mcd"));
    }

    #[test]
    fn the_c_library_tells_its_version() {
        let library = b"\0\x01GNU C Library (Debian GLIBC 2.36-9+deb12u9) stable release version 2.36.\nCopyright";
        assert_eq!(glibc_version(library).as_deref(), Some("2.36"));
        assert_eq!(glibc_version(b"GNU C Library"), None);
        assert!(is_glibc("/usr/lib/x86_64-linux-gnu/libc.so.6"));
        assert!(!is_glibc("/usr/lib/libc-client.so"));
    }
}
