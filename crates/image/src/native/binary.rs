//! Which system and processor a program is made for, by how its file begins.

use std::fs::File;
use std::io::{self, Read};

use bowline_oci::Platform;
use bowline_oci::layer::Content;

use crate::error::{ImageError, ImageErrorKind};
use crate::plan::PlannedFile;

const ELF: &[u8] = b"\x7fELF";
const MACH_O: [[u8; 4]; 4] = [
    [0xcf, 0xfa, 0xed, 0xfe],
    [0xce, 0xfa, 0xed, 0xfe],
    [0xfe, 0xed, 0xfa, 0xcf],
    [0xfe, 0xed, 0xfa, 0xce],
];
/// How many bytes of a file tell.
const START: usize = 20;

/// What a program is made for, in words; nothing when it is no program, or runs on the platform.
fn foreign(start: &[u8], platform: &Platform) -> Option<String> {
    if MACH_O.iter().any(|magic| start.starts_with(magic)) {
        return Some("macOS".to_owned());
    }
    if !start.starts_with(ELF) {
        return None;
    }
    let field = |at: usize| start.get(at..at + 2).map(|two| [two[0], two[1]]);
    let is_big_endian = start.get(5) == Some(&2);
    let machine = field(18).map(|two| {
        if is_big_endian {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        }
    });
    let made_for = match machine {
        Some(3) => "386",
        Some(40) => "arm",
        Some(62) => "amd64",
        Some(183) => "arm64",
        Some(21) if is_big_endian => "ppc64",
        Some(21) => "ppc64le",
        Some(22) => "s390x",
        Some(243) => "riscv64",
        // Firmware and the like run on no processor that images are made for.
        _ => return None,
    };
    (made_for != platform.architecture || platform.os != "linux")
        .then(|| format!("linux/{made_for}"))
}

/// Sees that no program among these files is made for another platform.
///
/// # Errors
/// The first that is, or that cannot be read.
pub(super) fn check<'a>(
    files: impl IntoIterator<Item = &'a PlannedFile>,
    platform: &Platform,
) -> Result<(), ImageError> {
    for file in files {
        let start = start_of(&file.content).map_err(|error| match &file.content {
            Content::File(path) => {
                ImageError::new(ImageErrorKind::Unreadable, format!("`{}`", path.display()))
                    .because(error.to_string())
            }
            Content::Bytes(_) => ImageError::new(ImageErrorKind::Unreadable, file.path.clone()),
        })?;
        if let Some(made_for) = foreign(&start, platform) {
            return Err(
                ImageError::new(ImageErrorKind::WrongPlatform, format!("`{}`", file.path))
                    .because(format!(
                        "it is a program for `{made_for}`, and the image is for `{platform}`"
                    ))
                    .hint(if platform.os == "linux" && made_for.starts_with("linux/") { format!(
                            "give a build of it for `{platform}`, or build with `--platform {made_for}`"
                        ) } else { format!("give a build of it for `{platform}`") }),
            );
        }
    }
    Ok(())
}

fn start_of(content: &Content) -> io::Result<Vec<u8>> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.iter().copied().take(START).collect()),
        Content::File(path) => {
            let mut start = Vec::with_capacity(START);
            File::open(path)?
                .take(START as u64)
                .read_to_end(&mut start)?;
            Ok(start)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline_words::Diagnose;

    fn elf(machine: u16) -> Vec<u8> {
        let mut start = b"\x7fELF\x02\x01\x01".to_vec();
        start.resize(18, 0);
        start.extend(machine.to_le_bytes());
        start
    }

    fn checked(bytes: Vec<u8>, platform: &Platform) -> Result<(), String> {
        let file = PlannedFile {
            path: "/opt/custom-connectors/shop/serve".to_owned(),
            content: Content::Bytes(bytes),
            mode: 0o755,
            platform: None,
        };
        check([&file], platform).map_err(|error| error.diagnose().to_string())
    }

    #[test]
    fn programs_for_another_processor_are_caught() {
        let (amd64, arm64) = (Platform::linux_amd64(), Platform::linux_arm64());
        assert_eq!(checked(elf(62), &amd64), Ok(()));
        assert_eq!(checked(elf(183), &arm64), Ok(()));
        assert_eq!(
            checked(elf(62), &arm64).unwrap_err(),
            "made for another platform: `/opt/custom-connectors/shop/serve`\n\
             it is a program for `linux/amd64`, and the image is for `linux/arm64`\n\
             hint: give a build of it for `linux/arm64`, or build with `--platform linux/amd64`"
        );
        assert!(checked(MACH_O[0].to_vec(), &arm64).is_err());
        assert_eq!(checked(b"#!/bin/sh\n".to_vec(), &amd64), Ok(()));
        assert_eq!(checked(b"\x7fELF".to_vec(), &amd64), Ok(()));
    }
}
