//! The build as a whole: everything is looked at before anything is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bowline_oci::cache::KeptLayers;
use bowline_oci::registry::{self, Access, LoginFiles, Pushed, Reference, RegistryImage};
use bowline_oci::{
    Archive, Blob, BlobContent, BlobSource, Cancel, Digest, Layout, OciError, PackedImage,
    Platform, check_layout_place, write_docker_archive, write_layout, write_oci_archive,
};

use crate::engine::{BaseFile, Engine, take_stored};
use crate::error::{ImageError, ImageErrorKind, from_oci};
use crate::event::BuildEvent;
use crate::native::base::{PlatformBase, for_platform};
use crate::native::binary;
use crate::native::libc;
use crate::native::pack::{Material, pack};
use crate::native::proven::ProvenConnector;
use crate::plan::{BaseImage, ImagePlan};
use crate::python::{self, BasePython, PackageRequest, Packages};
use crate::work::WorkFolder;

/// What is in bases, in the folder that is kept between builds.
const FACTS: &str = "bases";
/// Unpacked Python packages, in the same folder.
const PACKAGES: &str = "packages";
/// Large layers as they were packed, in the same folder.
const LAYERS: &str = "layers";

/// Where a built image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A folder with an OCI layout.
    Layout(PathBuf),
    /// An OCI layout in one tar file.
    OciArchive(PathBuf),
    /// A file that `docker load` takes; for one platform.
    DockerArchive(PathBuf),
    /// A registry, under this name.
    Registry(Reference),
}

/// How an image is built.
#[derive(Debug, Clone)]
pub struct NativeOptions {
    /// Where it goes.
    pub output: Output,
    /// The time of everything in it, in seconds since 1970.
    pub time: u64,
    /// A folder that keeps between builds what is in bases, unpacked Python packages, and large layers as they were packed;
    /// nothing to keep nothing.
    pub cache: Option<PathBuf>,
    /// What the warehouse connectors were proven by, which is attached.
    pub proven: Vec<ProvenConnector>,
    /// The engines whose stores may have the base: a registry is asked for it only when none of them does.
    pub engines: Vec<Engine>,
    /// How registries are reached; its order to stop stops the whole build.
    pub access: Access,
}

/// An image that has been built and is where it was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The digest of its manifest, or of its index when it is for several platforms.
    pub digest: Digest,
    /// How many bytes its layers and configurations have, each counted once.
    pub size: u64,
    /// How many of them are new.
    pub new_size: u64,
    /// What came of pushing it, when it went to a registry.
    pub pushed: Option<Pushed>,
}

/// Why this way of building cannot build the plan: one error for each reason, none when it can. Nothing is read but
/// the plan.
#[must_use]
pub fn obstacles(plan: &ImagePlan) -> Vec<ImageError> {
    let commands = plan.connectors.iter().filter_map(|connector| {
        let instruction = connector.extra.as_ref()?.needs_engine()?;
        let first = instruction.text.lines().next().unwrap_or_default();
        Some(
            ImageError::new(
                ImageErrorKind::NeedsEngine,
                format!("connector `{}`", connector.name),
            )
            .because(format!(
                "line {} of its Dockerfile.extra runs a command: `{first}`",
                instruction.line
            ))
            .hint("build with `--builder docker`, `podman` or `buildah`".to_owned()),
        )
    });
    commands
        .chain(python::obstacles(&plan.connectors))
        .collect()
}

/// Opens an image in a registry, an OCI layout or an archive.
///
/// # Errors
/// When it is not there, is damaged, or its name is not valid.
pub fn open(image: &BaseImage, access: &Access) -> Result<Arc<dyn BlobSource>, ImageError> {
    let open = || -> Result<Arc<dyn BlobSource>, OciError> {
        Ok(match image {
            BaseImage::Reference(name) => Arc::new(RegistryImage::new(&name.parse()?, access)),
            BaseImage::Layout { path, image } => Arc::new(Layout::open(path, image.as_deref())?),
            BaseImage::Archive(path) => Arc::new(Archive::open(path)?),
        })
    };
    match image.absence() {
        Some(absence) => Err(absence.into()),
        None => open().map_err(from_oci),
    }
}

/// Refuses a base in files that has no Python to load connectors with. What cannot be read here an engine may read.
pub(crate) fn check_python(
    base: &BaseImage,
    platform: &Platform,
    cancel: &Cancel,
) -> Result<(), ImageError> {
    let read = || -> Result<PlatformBase, ImageError> {
        let source = open(base, &Access::new(LoginFiles::default()))?;
        let root = source.root().map_err(from_oci)?;
        for_platform(&source, &root, platform, None, cancel)
    };
    read().map_or(Ok(()), |base| {
        python::check_python(&base.facts, &base.config)
    })
}

/// The base out of an engine's store. An engine keeps one platform under a name, so a build for several asks none.
fn stored(
    plan: &ImagePlan,
    options: &NativeOptions,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<Option<BaseFile>, ImageError> {
    match (&plan.base, plan.platforms.as_slice()) {
        (BaseImage::Reference(name), [platform]) => {
            let cancel = &options.access.cancel;
            take_stored(&options.engines, name, platform, cancel, on_event)
        }
        _ => Ok(None),
    }
}

/// Builds an image without an engine and puts it where it is to go.
///
/// # Errors
/// The first [`obstacles`] there is; when the base cannot be read or does not fit the plan; when a program or a
/// package is for another platform; when something cannot be written. Whatever the error, the output is as it was
/// before.
pub fn build(
    plan: &ImagePlan,
    options: &NativeOptions,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<Built, ImageError> {
    if let Some(obstacle) = obstacles(plan).into_iter().next() {
        return Err(obstacle);
    }
    check_output(plan, options)?;
    let cancel = &options.access.cancel;
    on_event(BuildEvent::Step(format!("reading {}", plan.base.shown())));
    let stored = stored(plan, options, on_event)?;
    let archive = stored.as_ref().map(|file| BaseImage::Archive(file.path()));
    let over_own = archive.clone().and_then(|archive| plan.over_own(archive));
    let plan = over_own.as_ref().unwrap_or(plan);
    let source = open(archive.as_ref().unwrap_or(&plan.base), &options.access)?;
    let root = source.root().map_err(from_oci)?;
    let mut bases = Vec::new();
    for platform in &plan.platforms {
        let facts = options.cache.as_ref().map(|cache| cache.join(FACTS));
        bases.push(for_platform(
            &source,
            &root,
            platform,
            facts.as_deref(),
            cancel,
        )?);
    }
    let work = work_folder(&options.output)?;
    let unpacked = match &options.cache {
        Some(cache) => cache.join(PACKAGES),
        None => work.path().join(PACKAGES),
    };
    for base in &bases {
        python::check_python(&base.facts, &base.config)?;
        libc::check(plan.files_for(&base.platform), &base.facts)?;
    }
    let packages = packages(plan, &bases, &unpacked, cancel, on_event)?;
    for platform in &plan.platforms {
        binary::check(plan.files_for(platform), platform)?;
        binary::check(
            packages
                .get(platform)
                .into_iter()
                .flat_map(|packages| &packages.files)
                .filter(|file| is_extension_module(&file.path)),
            platform,
        )?;
    }
    cancel.check("building the image").map_err(from_oci)?;
    let kept = options.cache.as_ref();
    let kept = kept.map(|cache| KeptLayers::new(cache.join(LAYERS)));
    let image = pack(
        &Material {
            plan,
            bases: &bases,
            packages: &packages,
            proven: &options.proven,
            time: options.time,
            folder: work.path(),
            kept: kept.as_ref(),
            cancel,
        },
        on_event,
    )?;
    let pushed = deliver(plan, &image, options, on_event).map_err(from_oci)?;
    let is_new = |blob: &&Blob| !matches!(blob.content, BlobContent::Source(_));
    let size = |blob: &Blob| blob.descriptor.size;
    Ok(Built {
        digest: image.root.digest.clone(),
        size: image.blobs.iter().map(size).sum(),
        new_size: image.blobs.iter().filter(is_new).map(size).sum(),
        pushed,
    })
}

fn deliver(
    plan: &ImagePlan,
    image: &PackedImage,
    options: &NativeOptions,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<Option<Pushed>, OciError> {
    let cancel = &options.access.cancel;
    let mut writing = |path: &Path| {
        on_event(BuildEvent::Step(format!("writing {}", path.display())));
    };
    match &options.output {
        Output::Layout(folder) => {
            writing(folder);
            write_layout(image, folder, cancel)?;
        }
        Output::OciArchive(file) => {
            writing(file);
            write_oci_archive(image, file, cancel)?;
        }
        Output::DockerArchive(file) => {
            writing(file);
            write_docker_archive(image, file, cancel)?;
        }
        Output::Registry(reference) => {
            let base = match &plan.base {
                BaseImage::Reference(name) => Some(name.parse()?),
                BaseImage::Layout { .. } | BaseImage::Archive(_) => None,
            };
            return registry::push(reference, image, base.as_ref(), &options.access).map(Some);
        }
    }
    Ok(None)
}

/// What can be said of the output before any work.
fn check_output(plan: &ImagePlan, options: &NativeOptions) -> Result<(), ImageError> {
    match &options.output {
        Output::Registry(reference) => {
            registry::ask_to_push(reference, &options.access).map_err(from_oci)
        }
        Output::Layout(folder) => check_layout_place(&plan.tag, folder).map_err(from_oci),
        Output::DockerArchive(file) if plan.platforms.len() > 1 => Err(ImageError::new(
            ImageErrorKind::Plan,
            format!("`{}`: a Docker archive holds one platform", file.display()),
        )
        .hint("write an OCI archive or an OCI layout, or name one platform".to_owned())),
        Output::DockerArchive(file) | Output::OciArchive(file) if file.is_dir() => Err(
            ImageError::new(ImageErrorKind::Unwritable, format!("`{}`", file.display()))
                .because("it is a folder"),
        ),
        _ => Ok(()),
    }
}

/// A folder for what is made on the way; beside the output, so that it can be moved there.
fn work_folder(output: &Output) -> Result<WorkFolder, ImageError> {
    let (shown, made) = match output {
        Output::Layout(path) | Output::OciArchive(path) | Output::DockerArchive(path) => {
            let parent = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let made = WorkFolder::new_in(parent);
            (path.display().to_string(), made)
        }
        Output::Registry(_) => (
            std::env::temp_dir().display().to_string(),
            WorkFolder::temporary(),
        ),
    };
    made.map_err(|error| {
        ImageError::new(ImageErrorKind::Unwritable, format!("`{shown}`")).because(error.to_string())
    })
}

/// Whether Python loads this file as a module in machine code. Packages may hold programs for other platforms as
/// mere data, so nothing else of them is looked at.
fn is_extension_module(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.ends_with(".so") && (name.contains(".cpython-") || name.ends_with(".abi3.so"))
}

/// The Python packages that the connectors ask for, for each platform. They are unpacked into `folder`.
fn packages(
    plan: &ImagePlan,
    bases: &[PlatformBase],
    folder: &Path,
    cancel: &Cancel,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<BTreeMap<Platform, Packages>, ImageError> {
    let mut packages = BTreeMap::new();
    if plan
        .connectors
        .iter()
        .all(|each| each.requirements.is_empty())
    {
        return Ok(packages);
    }
    for base in bases {
        let request = PackageRequest {
            connectors: &plan.connectors,
            platform: &base.platform,
            python: &BasePython::find(&base.facts, &base.config)?,
            folder,
            cancel,
        };
        packages.insert(base.platform.clone(), python::install(&request, on_event)?);
    }
    Ok(packages)
}
