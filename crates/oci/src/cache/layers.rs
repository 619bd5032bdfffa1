//! Large layers that were packed before, kept for the next time: packing takes seconds, and the bytes are the same each
//! time.
//!
//! A layer is found by the digest of what it unpacks to, which takes a fraction of the time to work out. What cannot be
//! kept is packed again; that harms nobody.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cache::{BlobCache, note_use};
use crate::layer::{Content, Entry, NewLayer, unpacked_digest, write_layer};
use crate::{Cancel, Descriptor, Digest, OciError, json_bytes};

/// A change of what layers are packed to changes this.
const VERSION: u32 = 1;
/// Smaller layers, in bytes, are packed sooner than they are looked up.
const LARGE: u64 = 8 << 20;
/// How many layers are kept; the one that was used longest ago goes first.
const MOST: usize = 4;

/// A folder of packed layers. Several processes may use it at once.
#[derive(Debug, Clone)]
pub struct KeptLayers {
    folder: PathBuf,
    blobs: BlobCache,
}

impl KeptLayers {
    /// Those in this folder, which is made when the first layer is kept.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            blobs: BlobCache::new(&folder),
            folder,
        }
    }

    /// Writes a layer of these entries into a new file, as [`write_layer`] does; one that was packed before is copied.
    ///
    /// # Errors
    /// Those of [`write_layer`].
    pub fn write(
        &self,
        entries: &[Entry<'_>],
        time: u64,
        target: &Path,
        cancel: &Cancel,
    ) -> Result<NewLayer, OciError> {
        if size(entries) < LARGE {
            return write_layer(entries, time, target, cancel);
        }
        let diff_id = unpacked_digest(entries, time, cancel)?;
        if let Some(descriptor) = self.copy(&diff_id, target) {
            return Ok(NewLayer {
                descriptor,
                diff_id,
            });
        }
        let layer = write_layer(entries, time, target, cancel)?;
        // An entry that changed between the two readings is no longer what the first one said.
        if layer.diff_id == diff_id {
            self.keep(&layer, target);
        }
        Ok(layer)
    }

    /// Puts the layer that unpacks to this into a new file, if it is here and whole.
    fn copy(&self, diff_id: &Digest, target: &Path) -> Option<Descriptor> {
        let note = self.note(diff_id);
        let descriptor: Descriptor = serde_json::from_slice(&fs::read(&note).ok()?).ok()?;
        let file = self.blobs.find(&descriptor)?;
        if fs::hard_link(&file, target).is_err() && fs::copy(&file, target).is_err() {
            // What was copied half must not be in the way of the layer itself.
            let _ = fs::remove_file(target);
            return None;
        }
        note_use(&note);
        Some(descriptor)
    }

    fn keep(&self, layer: &NewLayer, file: &Path) {
        let keep = || {
            self.blobs
                .keep(&layer.descriptor, File::open(file).ok()?)
                .ok()?;
            let mut note = tempfile::NamedTempFile::new_in(&self.folder).ok()?;
            note.write_all(&json_bytes(&layer.descriptor)).ok()?;
            note.persist(self.note(&layer.diff_id)).ok()
        };
        if keep().is_some() {
            self.forget_old();
        }
    }

    /// Removes all but the newest layers, and blobs of which nothing is known.
    fn forget_old(&self) {
        let files = || fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut notes: Vec<(SystemTime, PathBuf)> = files()
            .filter(|file| file.path().extension().is_some_and(|end| end == NOTE))
            .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
            .collect();
        notes.sort();
        for (_, note) in notes.iter().rev().skip(MOST) {
            let kept = fs::read(note).map(|bytes| serde_json::from_slice::<Descriptor>(&bytes));
            let _ = fs::remove_file(note);
            if let Ok(Ok(descriptor)) = kept {
                self.blobs.forget(&descriptor);
            }
        }
    }

    /// The file that says which blob unpacks to this.
    fn note(&self, diff_id: &Digest) -> PathBuf {
        self.folder
            .join(format!("{VERSION}-{}.{NOTE}", diff_id.hex()))
    }
}

const NOTE: &str = "json";

/// How many bytes the files have; those that cannot be looked at count nothing.
fn size(entries: &[Entry<'_>]) -> u64 {
    let contents = entries.iter().filter_map(|entry| entry.content.as_deref());
    contents
        .map(|content| match content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(path) => fs::metadata(path).map_or(0, |about| about.len()),
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn entry(fill: u8) -> [Entry<'static>; 1] {
        let large = usize::try_from(LARGE).unwrap();
        [Entry {
            path: "opt/large.so".to_owned(),
            content: Some(Cow::Owned(Content::Bytes(vec![fill; large]))),
            mode: 0o644,
        }]
    }

    fn written(folder: &Path, entries: &[Entry<'_>]) -> (NewLayer, Vec<u8>) {
        let work = tempfile::tempdir().unwrap();
        let target = work.path().join("layer");
        let layer = KeptLayers::new(folder.to_owned())
            .write(entries, 0, &target, &Cancel::default())
            .unwrap();
        (layer, fs::read(target).unwrap())
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let files = fs::read_dir(folder).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    }

    fn blobs(folder: &Path) -> Vec<PathBuf> {
        let files = files(folder).into_iter();
        files.filter(|file| file.extension().is_none()).collect()
    }

    #[test]
    fn a_layer_is_packed_once() {
        let folder = tempfile::tempdir().unwrap();
        let (first, bytes) = written(folder.path(), &entry(1));
        let (second, same) = written(folder.path(), &entry(1));
        assert_eq!(first.descriptor, second.descriptor);
        assert_eq!(first.diff_id, second.diff_id);
        assert!(bytes == same);
        assert_eq!(files(folder.path()).len(), 2);
        // What is kept is what is handed out: another blob under the layer's name shows.
        let note = files(folder.path());
        let note = note.iter().find(|file| file.extension().is_some()).unwrap();
        let other = Descriptor::of("text/plain", b"abc");
        fs::write(note, json_bytes(&other)).unwrap();
        let cache = BlobCache::new(folder.path());
        cache.keep(&other, b"abc".as_slice()).unwrap();
        assert_eq!(written(folder.path(), &entry(1)).1, b"abc");
    }

    #[test]
    fn what_is_damaged_is_packed_again() {
        let folder = tempfile::tempdir().unwrap();
        let (_, bytes) = written(folder.path(), &entry(1));
        fs::write(blobs(folder.path()).remove(0), "nonsense").unwrap();
        assert!(written(folder.path(), &entry(1)).1 == bytes);
        for note in files(folder.path()) {
            fs::write(note, "nonsense").unwrap();
        }
        assert!(written(folder.path(), &entry(1)).1 == bytes);
    }

    #[test]
    fn few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for fill in 0..=MOST {
            written(folder.path(), &entry(u8::try_from(fill).unwrap()));
        }
        assert_eq!(files(folder.path()).len(), 2 * MOST);
    }

    #[test]
    fn a_folder_that_cannot_be_used_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let (layer, bytes) = written(&file.join("layers"), &entry(1));
        assert_eq!(layer.descriptor.size, bytes.len() as u64);
    }
}
