//! What an image is built on, as people write it.

use std::path::{Path, PathBuf};

/// What an image is built on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseImage {
    /// An image in a registry, or in an engine's own store, by its reference as given.
    Reference(String),
    /// A folder that holds an OCI layout; the tag or digest says which of its images, if it has several.
    Layout {
        /// The folder.
        path: PathBuf,
        /// Which image: a tag or a digest.
        image: Option<String>,
    },
    /// A file as `docker save` writes it, or an OCI layout packed with tar.
    Archive(PathBuf),
}

/// The prefixes that say what a base is, in the words of the image tools.
const LAYOUT: &str = "oci:";
const ARCHIVES: [&str; 2] = ["oci-archive:", "docker-archive:"];

impl BaseImage {
    /// Reads a base as written: `oci:DIR[:IMAGE]`, `oci-archive:FILE` or `docker-archive:FILE`; the path of a folder
    /// that holds an OCI layout, or of a file; anything else is a reference. Relative paths begin in the directory.
    #[must_use]
    pub fn parse(directory: &Path, text: &str) -> Self {
        if let Some(path) = ARCHIVES.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            return Self::Archive(directory.join(path));
        }
        if let Some(rest) = text.strip_prefix(LAYOUT) {
            return layout(directory, rest);
        }
        let path = directory.join(text);
        if path.join("oci-layout").is_file() {
            return layout(directory, text);
        }
        if path.is_file() {
            return Self::Archive(path);
        }
        Self::Reference(text.to_owned())
    }

    /// The base in the words it can be given in.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Reference(reference) => reference.clone(),
            Self::Layout { path, image: None } => format!("{LAYOUT}{}", path.display()),
            Self::Layout {
                path,
                image: Some(image),
            } => format!("{LAYOUT}{}:{image}", path.display()),
            Self::Archive(path) => path.display().to_string(),
        }
    }

    /// The name that it has for others. What lies in files has none: the same base may lie in any.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Reference(reference) => Some(reference),
            Self::Layout { .. } | Self::Archive(_) => None,
        }
    }
}

fn layout(directory: &Path, text: &str) -> BaseImage {
    // A folder may have a colon in its name; an image may not have a slash in its tag.
    let (path, image) = match text.rsplit_once(':') {
        Some((path, image)) if !directory.join(text).is_dir() && !image.contains('/') => {
            // In a digest, `sha256:...`, the algorithm belongs to the image.
            match path.rsplit_once(':') {
                Some((path, "sha256")) => (path, Some(format!("sha256:{image}"))),
                _ => (path, Some(image.to_owned())),
            }
        }
        _ => (text, None),
    };
    BaseImage::Layout {
        path: directory.join(path),
        image: image.filter(|image| !image.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_recognised() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        std::fs::create_dir(at.join("base")).unwrap();
        std::fs::write(at.join("base/oci-layout"), "{}").unwrap();
        std::fs::write(at.join("base.tar"), "").unwrap();
        let text = |path: &str| at.join(path).display().to_string();
        let layout = |path: &str, image: Option<&str>| BaseImage::Layout {
            path: at.join(path),
            image: image.map(str::to_owned),
        };
        let archive = |path: &str| BaseImage::Archive(at.join(path));
        let digest = "sha256:00ff";
        for (given, expected) in [
            (text("base"), layout("base", None)),
            (format!("oci:{}", text("base")), layout("base", None)),
            (
                format!("oci:{}:1.0", text("base")),
                layout("base", Some("1.0")),
            ),
            (
                format!("oci:{}:{digest}", text("base")),
                layout("base", Some(digest)),
            ),
            (format!("oci:{}", text("absent")), layout("absent", None)),
            (text("base.tar"), archive("base.tar")),
            (
                format!("docker-archive:{}", text("x.tar")),
                archive("x.tar"),
            ),
            (
                "base:1.0".to_owned(),
                BaseImage::Reference("base:1.0".to_owned()),
            ),
        ] {
            assert_eq!(BaseImage::parse(Path::new(""), &given), expected, "{given}");
        }
        assert_eq!(layout("base", Some("1.0")).name(), None);
    }
}
