//! Writing an image to disk: a folder with an OCI layout, the same in one file, or a file that `docker load` takes.
//!
//! Each is written beside its place and renamed into it, so that there is a whole image or none. Blobs are checked
//! while they are copied. A blob that lies in a file is linked rather than copied where the file system can, and
//! then it is checked by reading it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use bowline_durable::{RealDisk, sync_name, sync_tree};
use serde_json::json;

use crate::archive::LIST;
use crate::layout::{FULL_NAME, INDEX, MARKER, Others, REF_NAME, REFERRERS, VERSION, blob_name};
use crate::{
    Blob, Cancel, Descriptor, Document, Index, OciError, OciErrorKind, PackedImage, json_bytes,
    oci_error,
};

const BUFFER: usize = 256 << 10;

/// Writes an image as a folder with an OCI layout.
///
/// In a folder that is a layout already an image of the same name is replaced, and images of other names stay; any
/// other folder that is not empty is left alone.
///
/// # Errors
/// When the folder holds something else, when something cannot be read or written, when a blob is damaged, and when
/// `cancel` becomes true. The folder is then as it was before.
pub fn write_layout(image: &PackedImage, folder: &Path, cancel: &Cancel) -> Result<(), OciError> {
    check_layout_place(&image.tag, folder)?;
    let stage = tempfile::Builder::new()
        .prefix(".bowline-image-")
        .tempdir_in(parent(folder))
        .map_err(|error| unwritable(folder, error))?;
    // A temporary folder is closed to others; what is in it need not be.
    let layout = stage.path().join("layout");
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(|error| unwritable(folder, error))?;
    for blob in &image.blobs {
        let target = blobs.join(blob.descriptor.digest.hex());
        place(blob, &target, cancel).map_err(|error| unwritable(folder, error))?;
    }
    let write = |name: &str, bytes: &[u8]| {
        fs::write(layout.join(name), bytes).map_err(|error| unwritable(folder, error))
    };
    for document in documents(image) {
        write(&blob_name(&document.digest), &document.bytes)?;
    }
    write(MARKER, &marker())?;
    // Copying takes long; what others wrote meanwhile stays, too.
    let _lock = lock(folder, cancel)?;
    let others = others_in(&image.tag, folder)?;
    for digest in &others.blobs {
        let name = blob_name(digest);
        keep(&folder.join(&name), &layout.join(&name))
            .map_err(|error| unwritable(folder, error))?;
    }
    let mut index = image_index(image);
    index.manifests.extend(referrers_index(image)?.manifests);
    let is_new = |each: &Descriptor| image.referrers.iter().all(|own| own.digest != each.digest);
    index
        .manifests
        .extend(others.manifests.into_iter().filter(is_new));
    write(INDEX, &json_bytes(&index))?;
    replace(&layout, folder, &stage.path().join("old")).map_err(|error| unwritable(folder, error))
}

/// How long others may take to replace a layout.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long after it was asked whether they are done it is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until nobody else replaces a layout, and keeps others from it while what is given lives. Nothing where a file
/// system knows no locks or another program keeps its own for long: builds then go on as if alone.
fn lock(folder: &Path, cancel: &Cancel) -> Result<Option<File>, OciError> {
    // The layout itself is replaced, and what is beside it would be left lying there: the folder around both is neither.
    let Ok(around) = File::open(parent(folder)) else {
        return Ok(None);
    };
    let begun = Instant::now();
    loop {
        match around.try_lock() {
            Ok(()) => return Ok(Some(around)),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LONGEST_WAIT => {
                cancel.check("writing the image")?;
                thread::sleep(PAUSE);
            }
            Err(_) => return Ok(None),
        }
    }
}

/// Whether an image of that name may be written to this folder.
///
/// # Errors
/// When the folder holds something else.
pub fn check_layout_place(tag: &str, folder: &Path) -> Result<(), OciError> {
    others_in(tag, folder).map(drop)
}

/// What stays in a folder that an image of that name is written to.
fn others_in(name: &str, folder: &Path) -> Result<Others, OciError> {
    let occupied = |cause: &str, hint: &str| {
        OciError::new(OciErrorKind::Unwritable, format!("`{}`", folder.display()))
            .because(cause.to_owned())
            .hint(hint.to_owned())
    };
    let other_things = || {
        let cause = "it is there already and holds something else";
        occupied(cause, "name a folder that is not there, or remove this one")
    };
    let entries: Result<Vec<_>, _> = match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Others::default()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(other_things()),
        Err(error) => return Err(unwritable(folder, error)),
    };
    let entries = entries.map_err(|error| unwritable(folder, error))?;
    if entries.is_empty() {
        return Ok(Others::default());
    }
    let is_own = |name: &OsStr| [MARKER, INDEX, "blobs"].iter().any(|own| name == *own);
    if !entries.iter().all(|entry| is_own(&entry.file_name())) {
        return Err(other_things());
    }
    let others = Others::besides(name, folder).map_err(|_| other_things())?;
    match tag_of(name) {
        Some(tag) if others.have_tag(tag) => Err(occupied(
            &format!("another image in it has the tag `{tag}`"),
            "name another folder or another tag",
        )),
        _ => Ok(others),
    }
}

/// Puts a blob that stays beside the new ones.
fn keep(old: &Path, new: &Path) -> io::Result<()> {
    if new.exists() || fs::hard_link(old, new).is_ok() {
        return Ok(());
    }
    fs::copy(old, new).map(drop)
}

fn replace(new: &Path, place: &Path, old: &Path) -> io::Result<()> {
    sync_tree(new)?;
    if place.exists() {
        fs::rename(place, old)?;
        fs::rename(new, place).inspect_err(|_| {
            // What was there before comes back; when even that fails, the first error says more.
            let _restored = fs::rename(old, place);
        })?;
    } else {
        fs::rename(new, place)?;
    }
    sync_name(&RealDisk, place)
}

/// Writes an image as an OCI layout in one tar file.
///
/// # Errors
/// When something cannot be read or written, when a blob is damaged, and when it is cancelled. The file is then
/// as it was before.
pub fn write_oci_archive(
    image: &PackedImage,
    file: &Path,
    cancel: &Cancel,
) -> Result<(), OciError> {
    archive(image, file, &BTreeMap::new(), cancel)
}

/// Writes an image as a file that `docker load` and `podman load` take. It is an OCI layout as well.
///
/// # Errors
/// When the image is for several platforms, which such a file cannot hold, and as
/// [`write_oci_archive`].
pub fn write_docker_archive(
    image: &PackedImage,
    file: &Path,
    cancel: &Cancel,
) -> Result<(), OciError> {
    if image.root.is_index() {
        return Err(OciError::new(
            OciErrorKind::Invalid,
            format!(
                "`{}` for several platforms as one Docker archive",
                image.tag
            ),
        )
        .hint("write an OCI archive or an OCI layout, or name one platform".to_owned()));
    }
    let manifest = image.root.to_manifest()?;
    let layers: Vec<String> = manifest
        .layers
        .iter()
        .map(|layer| blob_name(&layer.digest))
        .collect();
    let list = json!([{
        "Config": blob_name(&manifest.config.digest),
        "RepoTags": [image.tag],
        "Layers": layers,
    }]);
    let extra = BTreeMap::from([(LIST.to_owned(), json_bytes(&list))]);
    archive(image, file, &extra, cancel)
}

fn archive(
    image: &PackedImage,
    path: &Path,
    extra: &BTreeMap<String, Vec<u8>>,
    cancel: &Cancel,
) -> Result<(), OciError> {
    let failed = |error| unwritable(path, error);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bowline-image-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file, less what the user's mask takes away.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let stage = builder.tempfile_in(parent(path)).map_err(failed)?;
    let index = json_bytes(&image_index(image));
    let referrers = json_bytes(&referrers_index(image)?);
    let mut small: BTreeMap<String, &[u8]> = documents(image)
        .map(|document| (blob_name(&document.digest), document.bytes.as_slice()))
        .collect();
    small.extend(
        extra
            .iter()
            .map(|(name, bytes)| (name.clone(), bytes.as_slice())),
    );
    let marker = marker();
    small.insert(MARKER.to_owned(), &marker);
    small.insert(INDEX.to_owned(), &index);
    // Engines load an archive only when its index lists a single thing.
    small.insert(REFERRERS.to_owned(), &referrers);
    let write = || -> io::Result<()> {
        let mut archive = tar::Builder::new(BufWriter::with_capacity(BUFFER, stage.as_file()));
        for folder in ["blobs/", "blobs/sha256/"] {
            append(&mut archive, folder, 0, io::empty())?;
        }
        for blob in &image.blobs {
            let reader = Stoppable {
                inner: blob.open().map_err(io::Error::other)?,
                cancel,
            };
            let name = blob_name(&blob.descriptor.digest);
            append(&mut archive, &name, blob.descriptor.size, reader)?;
        }
        for (name, bytes) in &small {
            append(&mut archive, name, bytes.len() as u64, *bytes)?;
        }
        archive.into_inner()?.flush()
    };
    write()
        .and_then(|()| stage.as_file().sync_all())
        .map_err(failed)?;
    stage.persist(path).map_err(|error| failed(error.error))?;
    sync_name(&RealDisk, path).map_err(failed)
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    if name.ends_with('/') {
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
    } else {
        header.set_mode(0o644);
    }
    header.set_cksum();
    archive.append(&header, content)
}

fn documents(image: &PackedImage) -> impl Iterator<Item = &Document> {
    image
        .manifests
        .iter()
        .chain([&image.root])
        .chain(&image.referrers)
}

fn marker() -> Vec<u8> {
    json_bytes(&json!({ "imageLayoutVersion": VERSION }))
}

/// The image under its names.
fn image_index(image: &PackedImage) -> Index {
    let mut root = image
        .root
        .descriptor()
        .annotated(FULL_NAME, image.tag.as_str());
    if let Some(tag) = tag_of(&image.tag) {
        root = root.annotated(REF_NAME, tag);
    }
    Index::new(vec![root])
}

/// What belongs to the image.
fn referrers_index(image: &PackedImage) -> Result<Index, OciError> {
    let manifests = image.referrers.iter().map(|referrer| {
        Ok(Descriptor {
            artifact_type: referrer.to_manifest()?.artifact_type,
            ..referrer.descriptor()
        })
    });
    Ok(Index::new(manifests.collect::<Result<_, OciError>>()?))
}

/// The tag in an image's name.
fn tag_of(name: &str) -> Option<&str> {
    let (_, tag) = name.rsplit_once(':')?;
    (!tag.contains('/')).then_some(tag)
}

/// Puts a blob into a new file.
fn place(blob: &Blob, target: &Path, cancel: &Cancel) -> io::Result<()> {
    let linked = blob
        .file()
        .is_some_and(|file| fs::hard_link(file, target).is_ok());
    if linked {
        let mut check = crate::Verified::new(File::open(target)?, &blob.descriptor, blob.place());
        return pump(&mut check, &mut io::sink(), cancel);
    }
    let mut reader = blob.open().map_err(io::Error::other)?;
    let mut file = File::create_new(target)?;
    pump(&mut reader, &mut file, cancel)
}

fn pump(from: &mut dyn Read, to: &mut dyn Write, cancel: &Cancel) -> io::Result<()> {
    let mut reader = Stoppable {
        inner: from,
        cancel,
    };
    let mut buffer = vec![0; BUFFER];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads until it is told to stop.
struct Stoppable<'a, R> {
    inner: R,
    cancel: &'a Cancel,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancel
            .check("writing the image")
            .map_err(io::Error::other)?;
        self.inner.read(buffer)
    }
}

/// The folder that a path is in.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn unwritable(place: &Path, error: io::Error) -> OciError {
    oci_error(
        error,
        OciErrorKind::Unwritable,
        format!("`{}`", place.display()),
    )
}
