//! What is fuzzed.

/// Something that parses what others wrote.
#[derive(Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is parsed, for people.
    pub about: &'static str,
    /// Parses any bytes, and uses what comes out as far as no outside is needed. Gives what came of it in a few words:
    /// an error's message, or the shape of the result.
    pub run: fn(&[u8]) -> String,
    /// What it begins with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words that mean something to it.
    pub words: &'static [&'static str],
}

impl Target {
    /// The target with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        crate::TARGETS
            .iter()
            .copied()
            .find(|target| target.name == name)
    }
}
