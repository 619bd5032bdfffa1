//! The text of Dockerfiles: the agent image's, and the one that teams test in.

use std::fmt::Write as _;

use bowline_contract::layout;
use bowline_contract::manifest::AssetClass;
use bowline_oci::Platform;

use crate::plan::{BASE_DIGEST_LABEL, ImagePlan, PlannedConnector, TestImage, Tested};

/// The folder of a build context that holds the files of all connectors.
pub(crate) const CONTEXT_FILES: &str = "files";
/// The folder of an image in which files stand that belong to no one connector.
const SHARED_FOLDER: &str = "shared";

/// The Dockerfile of an agent image for one platform, over a base that the engine knows under this name and that has
/// this digest, if it knows that. It copies from the folders that [`context_path`] names.
pub(crate) fn agent(
    plan: &ImagePlan,
    platform: &Platform,
    (base, digest): (&str, Option<&str>),
) -> String {
    let mut text = format!("FROM {base}\n\nUSER root\n");
    for (name, value) in &plan.environment {
        let _ = writeln!(text, "ENV {name}={}", quoted(value));
    }
    if plan
        .shared
        .iter()
        .any(|file| file.platform.as_ref().is_none_or(|only| only == platform))
    {
        let _ = writeln!(text, "\nCOPY {CONTEXT_FILES}/{SHARED_FOLDER}/ /");
    }
    for connector in &plan.connectors {
        let _ = writeln!(text, "\n# {}", connector.name);
        if let Some(extra) = &connector.extra {
            for instruction in &extra.instructions {
                let _ = writeln!(text, "{}", instruction.text);
            }
        }
        let folder = context_folder(connector);
        let _ = writeln!(text, "COPY {folder}/ {}/", connector.root);
        if !connector.requirements.is_empty() {
            let file = format!("{}/{}", connector.root, layout::REQUIREMENTS_FILE);
            let _ = writeln!(text, "{}", install(&file));
        }
    }
    // Without one the base's own label, which is of the base's base, would stay.
    let digest = (BASE_DIGEST_LABEL, digest.unwrap_or_default());
    let labels = plan.labels.iter();
    let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
    text.push('\n');
    for (name, value) in labels.chain([digest]) {
        let _ = writeln!(text, "LABEL {}={}", quoted(name), quoted(value));
    }
    let _ = writeln!(text, "\nUSER {}", plan.user);
    text
}

/// The Dockerfile of the image that teams test in. It copies nothing: the workspace and the program are there when a
/// container runs, so that neither credentials nor a stale copy get into the image.
pub(crate) fn test(base: &str, tested: &[Tested<'_>]) -> String {
    let mut text = format!(
        "# Made by `bowline dockerfile`; run it again when a requirements.txt or a Dockerfile.extra changes.\n\
         ARG {argument}={base}\nFROM ${{{argument}}}\n\nUSER root\nLABEL {label}=\"true\"\n",
        argument = TestImage::BASE_ARGUMENT,
        label = TestImage::LABEL,
    );
    for each in tested {
        if each.extra.is_none() && each.requirements.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n# {}", each.connector.name);
        if let Some(extra) = &each.extra {
            for instruction in &extra.instructions {
                let _ = writeln!(text, "{}", instruction.text);
            }
        }
        if each.requirements.is_empty() {
            continue;
        }
        let lines: Vec<String> = each
            .requirements
            .iter()
            .map(|requirement| shell_word(&requirement.text))
            .collect();
        let _ = writeln!(
            text,
            "RUN printf '%s\\n' {} > {REQUIREMENTS}",
            lines.join(" ")
        );
        let _ = writeln!(text, "{}", install(REQUIREMENTS));
    }
    let _ = writeln!(
        text,
        "\n# The packages are there already: no environment of their own is made.\n\
         ENV BOWLINE_PYTHON_PACKAGES=installed\nWORKDIR {}\nENTRYPOINT [\"{}\"]\nCMD [\"test\"]",
        TestImage::WORKSPACE,
        TestImage::PROGRAM
    );
    text
}

/// Where a test image keeps the list of packages while it installs them.
const REQUIREMENTS: &str = "/tmp/requirements.txt";

/// The compose file of a test image. The network is the machine's own, so that an address in credentials.json means
/// the same inside and outside.
pub(crate) fn compose(up: &str, platform: Option<&Platform>) -> String {
    let platform = platform.map(|platform| format!("    platform: {platform}\n"));
    format!(
        "# Made by `bowline dockerfile`. Test a connector with: docker compose run --rm test test NAME\n\
         services:\n  test:\n    image: {tag}\n{platform}    build:\n      context: .\n      network: host\n    \
         network_mode: host\n    environment:\n      - {connector}\n      - {hours}\n    volumes:\n      - {up}:{workspace}\n      \
         - ${{BOWLINE_BINARY:-{program}}}:{program}:ro\n",
        tag = TestImage::TAG,
        platform = platform.unwrap_or_default(),
        connector = layout::CONNECTOR_VARIABLE,
        hours = layout::ETL_TEST_WINDOW_VARIABLE,
        workspace = TestImage::WORKSPACE,
        program = TestImage::PROGRAM,
    )
}

/// A text as one word of a shell.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Installs the packages a file lists, with the Python that the agent runs in: a virtual environment where the base
/// names one, else the one on the path.
fn install(file: &str) -> String {
    format!(
        "RUN venv=\"${{VIRTUAL_ENV:-$VENV_DIR}}\" && PATH=\"${{venv:+$venv/bin:}}$PATH\" \\\n    \
         PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore \\\n    \
         python3 -m pip install --no-cache-dir --disable-pip-version-check --requirement {file}"
    )
}

/// The folder of the build context that holds a connector's files.
fn context_folder(connector: &PlannedConnector) -> String {
    let class = match connector.class {
        AssetClass::Warehouse => layout::CONNECTORS_DIR,
        AssetClass::Pipeline => layout::ETL_CONNECTORS_DIR,
    };
    format!("{CONTEXT_FILES}/{class}/{}", connector.name)
}

/// Where in the build context a file of a connector stands, by its path in the image.
pub(crate) fn context_path(connector: &PlannedConnector, path: &str) -> String {
    let inside = path.strip_prefix(&connector.root).unwrap_or(path);
    format!("{}{inside}", context_folder(connector))
}

/// Where in the build context a shared file stands, by its path in the image.
pub(crate) fn shared_context_path(path: &str) -> String {
    format!("{CONTEXT_FILES}/{SHARED_FOLDER}{path}")
}

/// A text as one word of a Dockerfile, in which nothing stands for anything else.
fn quoted(text: &str) -> String {
    let mut word = String::from("\"");
    for letter in text.chars() {
        if matches!(letter, '"' | '\\' | '$') {
            word.push('\\');
        }
        word.push(letter);
    }
    word.push('"');
    word
}
