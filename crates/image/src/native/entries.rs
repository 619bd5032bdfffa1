//! From planned files to a layer's entries: links in the base are followed, and folders that it lacks are added.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bowline_oci::layer::{Content, Entry, Node, OPAQUE, Tree};

use crate::error::{ImageError, ImageErrorKind};
use crate::plan::PlannedFile;

/// What folders that the base lacks may be used for: read by all, written by root.
const FOLDER_MODE: u32 = 0o755;

/// The entries of a layer that holds these files and takes away what is below it in the emptied folders. `tree` is what is
/// below it, and knows afterwards what it adds.
pub(super) fn entries<'a>(
    files: impl IntoIterator<Item = &'a PlannedFile>,
    emptied: &[&str],
    tree: &mut Tree,
) -> Result<Vec<Entry<'a>>, ImageError> {
    let mut entries: BTreeMap<String, Entry<'a>> = BTreeMap::new();
    tree.next_layer();
    for folder in emptied {
        let Some(folder) = tree.follow(folder).filter(|folder| is_folder(tree, folder)) else {
            continue;
        };
        let opaque = format!("{folder}/{OPAQUE}");
        tree.add(&opaque, Node::File);
        add(&mut entries, &folder, None, FOLDER_MODE);
        let nothing = Cow::Owned(Content::Bytes(Vec::new()));
        add(&mut entries, &opaque, Some(nothing), 0o644);
    }
    for file in files {
        let path = tree
            .follow_folders(&file.path)
            .filter(|_| file.path.starts_with('/'))
            .ok_or_else(|| misplaced(&file.path, "links in the base lead round in circles"))?;
        for folder in folders(&path) {
            match tree.get(folder) {
                Some(Node::Folder) => {}
                Some(_) => {
                    return Err(misplaced(
                        &file.path,
                        &format!("`{folder}` is no folder in the base"),
                    ));
                }
                None => {
                    tree.add(folder, Node::Folder);
                    add(&mut entries, folder, None, FOLDER_MODE);
                }
            }
        }
        if tree.get(&path) == Some(&Node::Folder) {
            return Err(misplaced(&file.path, "it is a folder in the base"));
        }
        tree.add(&path, Node::File);
        add(
            &mut entries,
            &path,
            Some(Cow::Borrowed(&file.content)),
            file.mode,
        );
    }
    Ok(entries.into_values().collect())
}

/// Whether a base has a folder there; a layer may hold files and no entry for the folder around them.
fn is_folder(tree: &Tree, path: &str) -> bool {
    let is_below = |other: &str| {
        other
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    tree.get(path) == Some(&Node::Folder) || tree.iter().any(|(other, _)| is_below(other))
}

fn add<'a>(
    entries: &mut BTreeMap<String, Entry<'a>>,
    path: &str,
    content: Option<Cow<'a, Content>>,
    mode: u32,
) {
    let path = path.trim_start_matches('/').to_owned();
    entries.insert(
        path.clone(),
        Entry {
            path,
            content,
            mode,
        },
    );
}

/// The folders that lead to a path, the outermost first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').skip(1).map(|(end, _)| &path[..end])
}

fn misplaced(path: &str, cause: &str) -> ImageError {
    ImageError::new(ImageErrorKind::Plan, format!("`{path}` in the image")).because(cause)
}

#[cfg(test)]
mod tests {

    use super::*;

    fn file(path: &str) -> PlannedFile {
        PlannedFile {
            path: path.to_owned(),
            content: Content::Bytes(Vec::new()),
            mode: 0o644,
            platform: None,
        }
    }

    fn base() -> Tree {
        let mut tree = Tree::default();
        tree.add("/opt", Node::Folder);
        tree.add("/usr", Node::Folder);
        tree.add("/usr/lib", Node::Folder);
        tree.add("/lib", Node::Link("usr/lib".to_owned()));
        tree.add("/etc", Node::File);
        tree
    }

    #[test]
    fn only_missing_folders_are_added_and_links_are_followed() {
        let files = [
            file("/opt/custom-connectors/shop/connector.py"),
            file("/lib/python3/one.py"),
            file("/opt/custom-connectors/shop/a.txt"),
        ];
        let mut tree = base();
        let paths = |entries: Vec<Entry<'_>>| -> Vec<String> {
            entries.into_iter().map(|entry| entry.path).collect()
        };
        assert_eq!(
            paths(entries(&files, &["/opt/custom-connectors/shop"], &mut tree).unwrap()),
            [
                "opt/custom-connectors",
                "opt/custom-connectors/shop",
                "opt/custom-connectors/shop/a.txt",
                "opt/custom-connectors/shop/connector.py",
                "usr/lib/python3",
                "usr/lib/python3/one.py",
            ]
        );
        let next = [file("/opt/custom-connectors/shop/b.txt")];
        assert_eq!(
            paths(entries(&next, &[], &mut tree).unwrap()),
            ["opt/custom-connectors/shop/b.txt"]
        );
    }

    #[test]
    fn what_a_base_has_of_a_connector_is_taken_away() {
        let mut tree = base();
        tree.add("/connectors", Node::Link("opt".to_owned()));
        // A layer need not hold an entry for the folder.
        tree.add("/opt/shop/old.j2", Node::File);
        let files = [file("/connectors/shop/new.j2")];
        let made = entries(&files, &["/connectors/shop"], &mut tree).unwrap();
        let paths: Vec<String> = made.into_iter().map(|entry| entry.path).collect();
        assert_eq!(
            paths,
            ["opt/shop", "opt/shop/.wh..wh..opq", "opt/shop/new.j2"]
        );
        assert_eq!(tree.get("/opt/shop/old.j2"), None);
        assert_eq!(tree.get("/opt/shop/new.j2"), Some(&Node::File));
    }

    #[test]
    fn files_where_folders_are_and_the_other_way_round_are_refused() {
        let refused = |path| {
            let files = [file(path)];
            entries(&files, &[], &mut base()).unwrap_err().to_string()
        };
        assert!(refused("/etc/x").contains("`/etc` is no folder"));
        assert!(refused("/opt").contains("it is a folder"));
        assert!(refused("opt/x").contains("`opt/x`"));
    }
}
