//! What an image is built on, as people write it.

use std::path::{Path, PathBuf};

use bowline_words::nearest::nearest;

use crate::error::{ImageError, ImageErrorKind};

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
    /// that holds an OCI layout, or of a file; anything else is a reference, unless it is written as only a path is.
    /// Relative paths begin in the directory.
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
        if path.is_dir() && is_path(text) {
            return Self::Layout { path, image: None };
        }
        if path.is_file() || is_path(text) {
            return Self::Archive(path);
        }
        Self::Reference(text.to_owned())
    }

    /// That nothing is where it says, or no image. What lies elsewhere than in files is not looked for.
    #[must_use]
    pub fn absence(&self) -> Option<Absence> {
        let (path, why, otherwise) = match self {
            Self::Archive(path) if path.is_file() => return None,
            Self::Archive(path) => (
                path,
                "no such file",
                "name an image, the folder of an OCI layout, or an archive",
            ),
            Self::Layout { path, .. } if path.join("oci-layout").is_file() => return None,
            Self::Layout { path, .. } => (
                path,
                if path.is_dir() {
                    "no OCI layout here"
                } else {
                    "no such folder"
                },
                "name the folder that holds `oci-layout` and `index.json`",
            ),
            Self::Reference(_) => return None,
        };
        let hint = match near(path).filter(|_| !path.exists()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => otherwise.to_owned(),
        };
        Some(Absence {
            path: path.clone(),
            why,
            hint,
        })
    }

    /// An error about it, with the other reading of a name that a file could have as well.
    #[must_use]
    pub fn or_file(&self, directory: &Path, error: ImageError) -> ImageError {
        let is_about_it = matches!(
            error.kind,
            ImageErrorKind::Unreachable
                | ImageErrorKind::Missing
                | ImageErrorKind::Unauthorized
                | ImageErrorKind::Refused
        );
        match self {
            Self::Reference(name) if is_about_it && !name.contains([':', '@']) => {
                let near = near(&directory.join(name));
                let near = near.map(|near| format!("did you mean the file `{near}`?"));
                let hint = error.hint.clone().or(near);
                let other = if directory.join(name).exists() {
                    format!("and the folder `{name}` is named as an image by `{LAYOUT}{name}`")
                } else {
                    format!("nor is there a file or folder `{name}`")
                };
                error.because(other).hint(hint)
            }
            _ => error,
        }
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

/// That nothing is where an image in files should be, or no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// Where.
    pub path: PathBuf,
    /// What is not there.
    pub why: &'static str,
    /// One thing to do about it.
    pub hint: String,
}

impl From<Absence> for ImageError {
    fn from(absence: Absence) -> Self {
        Self::new(
            ImageErrorKind::Missing,
            format!("`{}`", absence.path.display()),
        )
        .because(absence.why)
        .hint(absence.hint)
    }
}

/// The endings of files that no image in a registry is called by.
const ENDINGS: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip", ".json"];

/// Whether a text is written as a path is, and no reference.
fn is_path(text: &str) -> bool {
    let starts = ["/", "./", "../", "~"];
    [".", ".."].contains(&text)
        || starts.iter().any(|start| text.starts_with(start))
        || text.ends_with('/')
        || text.contains('\\')
        || ENDINGS.iter().any(|ending| text.ends_with(ending))
}

/// The name beside a path's that it was probably meant to be.
fn near(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let beside = std::fs::read_dir(path.parent()?).ok()?.flatten();
    let names: Vec<String> = beside
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
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
            (text("base2.tar"), archive("base2.tar")),
            (text("none/"), archive("none/")),
            ("./none".to_owned(), BaseImage::Archive("./none".into())),
            ("none.tar".to_owned(), BaseImage::Archive("none.tar".into())),
            (
                "team/none".to_owned(),
                BaseImage::Reference("team/none".to_owned()),
            ),
            (
                "base:1.0".to_owned(),
                BaseImage::Reference("base:1.0".to_owned()),
            ),
        ] {
            assert_eq!(BaseImage::parse(Path::new(""), &given), expected, "{given}");
        }
        assert_eq!(layout("base", Some("1.0")).name(), None);
        assert_eq!(archive("base.tar").absence(), None);
        let absence = archive("bse.tar").absence().unwrap();
        assert_eq!(absence.why, "no such file");
        assert_eq!(absence.hint, "did you mean `base.tar`?");
        assert_eq!(
            layout("absent", None).absence().unwrap().why,
            "no such folder"
        );
        let reference = BaseImage::Reference("bas".to_owned());
        let unreachable = ImageError::new(ImageErrorKind::Unreachable, "it");
        let both = reference.or_file(at, unreachable);
        assert_eq!(both.causes, ["nor is there a file or folder `bas`"]);
        assert_eq!(both.hint.unwrap(), "did you mean the file `base`?");
    }
}
