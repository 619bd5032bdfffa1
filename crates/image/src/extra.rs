//! `Dockerfile.extra`: what a connector asks of the image before its files are added.
//!
//! Three instructions may stand in it. `ENV` and `ARG` are carried out without an engine, `RUN` needs one. `COPY` and
//! `ADD` are refused, because the folder that an image is built from is made for the build and gone after it.

mod parse;
mod words;

use std::collections::BTreeMap;

pub use parse::{ExtraProblem, ExtraProblemKind};
pub use words::Word;

/// The instructions of a `Dockerfile.extra`, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerfileExtra {
    /// The instructions; never empty.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub action: Action,
    /// The instruction as written, with its line breaks, without comments and without a line break at its end.
    pub text: String,
    /// The line it begins at, counted from 1.
    pub line: usize,
}

/// What an instruction does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Runs a command, which only an engine can.
    Run,
    /// Sets variables of the image, in this order.
    Env(Vec<(String, Word)>),
    /// Declares variables of the build, with what they are when nobody sets them.
    Arg(Vec<(String, Option<Word>)>),
}

impl DockerfileExtra {
    /// Reads the file's text; nothing when it holds no instruction, only comments and blank lines.
    ///
    /// # Errors
    /// Every instruction that may not stand there or cannot be read.
    pub fn parse(text: &str) -> Result<Option<Self>, Vec<ExtraProblem>> {
        parse::parse(text)
    }

    /// The first instruction that only an engine can carry out.
    #[must_use]
    pub fn needs_engine(&self) -> Option<&Instruction> {
        self.instructions
            .iter()
            .find(|each| each.action == Action::Run)
    }

    /// What the `ENV` instructions set, in their order.
    ///
    /// `image` and `build` are the variables of the image and of the build as they are before, and become what they are
    /// after. Words see what was set before their instruction, not what the same instruction sets. A variable of the
    /// image hides a variable of the build.
    pub fn carry_out(
        &self,
        image: &mut BTreeMap<String, String>,
        build: &mut BTreeMap<String, String>,
    ) -> Vec<(String, String)> {
        let mut set = Vec::new();
        for instruction in &self.instructions {
            match &instruction.action {
                Action::Run => {}
                Action::Arg(pairs) => {
                    for (name, word) in pairs {
                        if let Some(word) = word {
                            let value = word.value(|name| image.get(name).or(build.get(name)));
                            build.insert(name.clone(), value);
                        }
                    }
                }
                Action::Env(pairs) => {
                    let values: Vec<(String, String)> = pairs
                        .iter()
                        .map(|(name, word)| {
                            let value = word.value(|name| image.get(name).or(build.get(name)));
                            (name.clone(), value)
                        })
                        .collect();
                    image.extend(values.iter().cloned());
                    set.extend(values);
                }
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_a_dockerfile_sets() {
        let text = "ARG VERSION=2\nENV HOME_DIR=/opt/client PATH=/opt/client/bin:$PATH\n\
                    ENV LIB=${HOME_DIR}/lib-$VERSION EMPTY=${NOTHING}\nENV VERSION=3\nENV SEEN=$VERSION\n\
                    ENV LIB=x AFTER=$LIB\n";
        let extra = DockerfileExtra::parse(text).unwrap().unwrap();
        let mut image = BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]);
        let set = extra.carry_out(&mut image, &mut BTreeMap::new());
        let set: Vec<(&str, &str)> = set.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            set,
            [
                ("HOME_DIR", "/opt/client"),
                ("PATH", "/opt/client/bin:/bin"),
                ("LIB", "/opt/client/lib-2"),
                ("EMPTY", ""),
                ("VERSION", "3"),
                ("SEEN", "3"),
                ("LIB", "x"),
                ("AFTER", "/opt/client/lib-2"),
            ]
        );
        assert_eq!(extra.needs_engine(), None);
    }
}
