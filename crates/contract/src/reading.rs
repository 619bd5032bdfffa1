//! Files of a connector's folder, read as far as is sane.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// The largest file that people write by hand, in bytes.
const LARGEST: u64 = 16 << 20;

/// How editors on some systems begin a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a file that somebody wrote, without the byte order mark that some editors begin it with. What is no
/// file, such as a pipe or a device, or is larger than 16 MB is not read at all.
///
/// # Errors
/// When it cannot be read, or is not what is read.
pub fn read_text(path: &Path) -> io::Result<String> {
    text_of(read_bounded(path, LARGEST)?)
}

/// The text of a file's bytes, without the byte order mark that some editors begin it with.
///
/// # Errors
/// When they are no text in UTF-8.
pub fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    not_wide(&bytes)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        let words = "stream did not contain valid UTF-8";
        io::Error::new(io::ErrorKind::InvalidData, words)
    })?;
    Ok(without_mark(text))
}

/// Sees that bytes do not begin as UTF-16 does.
///
/// # Errors
/// When they do, with what to do about it.
pub fn not_wide(bytes: &[u8]) -> io::Result<()> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let words = "it is UTF-16; save it as UTF-8";
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    Ok(())
}

/// A text without the byte order mark that it may begin with.
#[must_use]
pub fn without_mark(mut text: String) -> String {
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    text
}

/// The content of a file of at most so many bytes.
///
/// # Errors
/// As [`read_text`].
pub fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Before it is opened: opening a pipe waits for somebody to write.
    let about = fs::metadata(path)?;
    if about.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a folder, not a file",
        ));
    }
    if !about.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a pipe, socket or device, not a file",
        ));
    }
    let too_large = |length: u64| {
        let message = format!("it has {length} bytes, and at most {most} are read");
        io::Error::new(io::ErrorKind::FileTooLarge, message)
    };
    if about.len() > most {
        return Err(too_large(about.len()));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > most {
        return Err(too_large(length));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_sane_size_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "text").unwrap();
        assert_eq!(read_text(&file).unwrap(), "text");
        assert_eq!(
            read_bounded(&file, 3).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        // It takes no place on the disk.
        File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_len(500 << 20)
            .unwrap();
        let told = read_text(&file).unwrap_err().to_string();
        assert!(told.contains("524288000 bytes"), "{told}");
        assert!(
            read_text(dir.path())
                .unwrap_err()
                .to_string()
                .contains("folder")
        );
        assert_eq!(
            read_text(&dir.path().join("none")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn byte_order_marks_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "\u{feff}a\u{feff}").unwrap();
        assert_eq!(read_text(&file).unwrap(), "a\u{feff}");
        fs::write(&file, "").unwrap();
        assert_eq!(read_text(&file).unwrap(), "");
        fs::write(&file, b"\xFF\xFEa\0").unwrap();
        let told = read_text(&file).unwrap_err().to_string();
        assert!(told.contains("UTF-16"), "{told}");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_waits_for_a_pipe_or_a_device() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(read_text(&pipe).unwrap_err().to_string().contains("pipe"));
        }
        assert!(
            read_text(Path::new("/dev/zero"))
                .unwrap_err()
                .to_string()
                .contains("device")
        );
    }
}
