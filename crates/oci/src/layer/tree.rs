//! What a file system of layers holds: each path once, with what the upper layers took away gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

const WHITEOUT: &str = ".wh.";
/// The name of a file that takes away what the layers below have in its folder.
pub const OPAQUE: &str = ".wh..wh..opq";
/// How many links a path may lead through, as in Linux.
const LINKS: usize = 40;

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, and where it leads: absolute, or from its own folder.
    Link(String),
    /// Another name of the file at this absolute path.
    HardLink(String),
    /// A device or the like.
    Other,
}

/// The paths of an image. Paths are absolute, without a slash at their end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tree {
    nodes: BTreeMap<String, (Node, usize)>,
    layers: usize,
}

impl Tree {
    /// From now on entries are of the next layer above.
    pub fn next_layer(&mut self) {
        self.layers += 1;
    }

    /// Takes in an entry of the current layer.
    pub fn add(&mut self, path: &str, node: Node) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == OPAQUE {
            self.remove_below(folder);
        } else if let Some(gone) = name.strip_prefix(WHITEOUT) {
            let gone = format!("{folder}/{gone}");
            self.remove_below(&gone);
            if self.is_lower(&gone) {
                self.nodes.remove(&gone);
            }
        } else {
            if node != Node::Folder {
                self.remove_below(path);
            }
            self.nodes.insert(path.to_owned(), (node, self.layers));
        }
    }

    fn is_lower(&self, path: &str) -> bool {
        self.nodes
            .get(path)
            .is_some_and(|(_, layer)| *layer < self.layers)
    }

    /// Removes what lower layers have below a folder; the current layer's own stays.
    fn remove_below(&mut self, folder: &str) {
        let below = format!("{folder}/");
        let gone: Vec<String> = self
            .nodes
            .range(below.clone()..)
            .take_while(|(path, _)| path.starts_with(&below))
            .filter(|(_, (_, layer))| *layer < self.layers)
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.nodes.remove(&path);
        }
    }

    /// What is at a path, links not followed.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path).map(|(node, _)| node)
    }

    /// All paths and what they are, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes
            .iter()
            .map(|(path, (node, _))| (path.as_str(), node))
    }

    /// The path that this one leads to when the links in it, all but one at its end, are followed. Nothing when they
    /// lead round in circles.
    #[must_use]
    pub fn follow_folders(&self, path: &str) -> Option<String> {
        let (folder, name) = path.rsplit_once('/')?;
        let folder = self.follow(folder)?;
        Some(format!("{}/{name}", folder.trim_end_matches('/')))
    }

    /// The path that this one leads to when every link in it is followed; it need not be there. Nothing when they
    /// lead round in circles.
    #[must_use]
    pub fn follow(&self, path: &str) -> Option<String> {
        let mut todo: Vec<String> = parts(path).rev().collect();
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            if let Some(Node::Link(to)) = self.get(&format!("/{}", done.join("/"))) {
                links += 1;
                if links > LINKS {
                    return None;
                }
                if to.starts_with('/') {
                    done.clear();
                } else {
                    done.pop();
                }
                todo.extend(parts(to).rev());
            }
        }
        Some(format!("/{}", done.join("/")))
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = String> {
    path.split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn upper_layers_take_away_what_lower_ones_have() {
        let mut tree = Tree::default();
        for path in ["/a", "/a/x", "/a/y", "/ab", "/b", "/b/x"] {
            let is_folder = matches!(path, "/a" | "/b");
            tree.add(path, if is_folder { Node::Folder } else { Node::File });
        }
        tree.next_layer();
        tree.add("/a/new", Node::File);
        tree.add("/a/.wh..wh..opq", Node::File);
        tree.add("/.wh.b", Node::File);
        assert_eq!(paths(&tree), ["/a", "/a/new", "/ab"]);
        tree.next_layer();
        tree.add("/a", Node::Link("ab".to_owned()));
        assert_eq!(paths(&tree), ["/a", "/ab"]);
    }

    #[test]
    fn links_are_followed() {
        let mut tree = Tree::default();
        tree.add("/usr/lib", Node::Folder);
        tree.add("/lib", Node::Link("usr/lib".to_owned()));
        tree.add(
            "/usr/lib/python3",
            Node::Link("/lib/../lib/python3.11".to_owned()),
        );
        tree.add("/round", Node::Link("round".to_owned()));
        assert_eq!(
            tree.follow("/lib/python3/site").as_deref(),
            Some("/usr/lib/python3.11/site")
        );
        assert_eq!(
            tree.follow_folders("/lib/python3").as_deref(),
            Some("/usr/lib/python3")
        );
        assert_eq!(tree.follow("/round/x"), None);
        assert_eq!(tree.follow("/../../lib").as_deref(), Some("/usr/lib"));
        assert_eq!(tree.follow_folders("/opt").as_deref(), Some("/opt"));
    }
}
