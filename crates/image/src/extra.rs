//! `Dockerfile.extra`: what a connector asks of the image before its files are added.

/// The instructions of a `Dockerfile.extra`, in their order; a file with none is no extra.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerfileExtra {
    /// The instructions; never empty.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Which.
    pub kind: InstructionKind,
    /// Everything behind the word, as written, with its line breaks.
    pub arguments: String,
    /// The line it begins at, counted from 1.
    pub line: usize,
}

/// The instructions that a `Dockerfile.extra` may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InstructionKind {
    /// A command, which only an engine can run.
    Run,
    /// Variables of the image.
    Env,
    /// A variable of the build.
    Arg,
}

impl DockerfileExtra {
    /// The first instruction that only an engine can carry out.
    #[must_use]
    pub fn needs_engine(&self) -> Option<&Instruction> {
        self.instructions
            .iter()
            .find(|each| each.kind == InstructionKind::Run)
    }
}
