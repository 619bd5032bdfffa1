//! What is said of a built image, and the warnings before.

use std::fmt::Write as _;
use std::path::Path;

use bowline_connector::Workspace;
use bowline_contract::layout::CREDENTIALS_FILE;
use bowline_contract::{AssetClass, Capability};
use bowline_image::ImagePlan;
use bowline_image::native::Output;
use bowline_image::plan::Question;
use bowline_oci::Platform;

use super::builder::Made;
use crate::context::Context;
use crate::style::{GOOD, HEADING, QUIET, STRONG, paint};

/// The most metrics that a warning names.
const NAMED: usize = 4;

/// What a question is about, as a warning: short unless details are wanted.
pub(super) fn warning(question: &Question, says_details: bool) -> String {
    match question {
        Question::MetricsWithoutQueryLanguage { connector, metrics } => format!(
            "`{connector}`: {} proven, but will not work because `{}` was not: {}",
            match metrics.len() {
                1 => "1 metric was".to_owned(),
                many => format!("{many} metrics were"),
            },
            Capability::FullQueryLanguage.name(),
            if says_details || metrics.len() <= NAMED {
                metrics.join(", ")
            } else {
                format!(
                    "{}, and {} more, which `-v` lists; `bowline test {connector}` says what is missing",
                    metrics[..NAMED].join(", "),
                    metrics.len() - NAMED
                )
            }
        ),
    }
}

/// The image, what is in it, and what to do next.
pub(super) fn summary(
    plan: &ImagePlan,
    made: &Made,
    workspace: &Workspace,
    context: &Context,
) -> String {
    let shown = |path: &Path| context.shown(path).display().to_string();
    let base = context.printer.with_short_paths(&plan.base.shown());
    let platforms: Vec<String> = plan.platforms.iter().map(Platform::to_string).collect();
    let mut text = format!(
        "{} built {} for {} {}\n",
        paint(GOOD, "✓"),
        paint(STRONG, &plan.tag),
        platforms.join(", "),
        paint(QUIET, format!("on {base}"))
    );
    for connector in &plan.connectors {
        let what = match (connector.class, connector.mode) {
            (AssetClass::Warehouse, Some(mode)) => format!("warehouse, {}", mode.name()),
            (AssetClass::Warehouse, None) => "warehouse".to_owned(),
            (AssetClass::Pipeline, _) => "pipeline".to_owned(),
        };
        let _ = writeln!(text, "  {}  {what}", connector.name);
    }
    text.push_str(&whereabouts(plan, made, &shown));
    let _ = writeln!(text, "\n{}", paint(HEADING, "Next"));
    text.push_str(&next(plan, made, &shown));
    let _ = writeln!(
        text,
        "  where credentials are self-hosted, the agent needs what these files hold, which the image does not:"
    );
    for connector in &plan.connectors {
        let file = workspace
            .dir_of(connector.class)
            .join(connector.name.as_str())
            .join(CREDENTIALS_FILE);
        let _ = writeln!(text, "    {}", shown(&file));
    }
    text
}

fn whereabouts(plan: &ImagePlan, made: &Made, shown: &dyn Fn(&Path) -> String) -> String {
    match made {
        Made::Native(built, output) => {
            let place = match output {
                Output::Layout(path) => format!("OCI layout {}", shown(path)),
                Output::OciArchive(path) => format!("OCI archive {}", shown(path)),
                Output::DockerArchive(path) => format!("Docker archive {}", shown(path)),
                Output::Registry(reference) => format!("pushed to {reference}"),
            };
            format!(
                "  {place}: {}, of which {} on top of the base\n  {}\n",
                bytes(built.size),
                bytes(built.new_size),
                built.digest
            )
        }
        Made::Engine(engine, built) => {
            let images: Vec<&str> = built.images.iter().map(|(_, name)| name.as_str()).collect();
            let pushed = if built.pushed {
                format!(", pushed to {}", plan.tag)
            } else {
                String::new()
            };
            format!(
                "  kept by {}{pushed}\n  {}\n",
                engine.name(),
                images.join("\n  ")
            )
        }
    }
}

/// What brings the image and all that is attached to it to a registry.
const PUSH: &str = "bowline build --push --tag <registry>/<name>:<tag> with the same connectors, base and platforms";

fn next(plan: &ImagePlan, made: &Made, shown: &dyn Fn(&Path) -> String) -> String {
    let tag = &plan.tag;
    match made {
        // Its index lists what is attached beside the image, so programs want to be told which is meant.
        Made::Native(_, Output::Layout(path)) => format!(
            "  push it with all that is attached: {PUSH}, or\n    \
             oras copy --recursive --from-oci-layout {}:{} <registry>/<name>:<tag>\n",
            shown(path),
            tag.rsplit(':').next().unwrap_or_default()
        ),
        Made::Native(_, Output::OciArchive(path)) => format!(
            "  push it with all that is attached: {PUSH}, or\n    \
             without: skopeo copy --all --preserve-digests oci-archive:{} docker://<registry>/<name>:<tag>\n",
            shown(path)
        ),
        Made::Native(_, Output::DockerArchive(path)) => {
            format!(
                "  load it: docker load --input {0}, or podman load --input {0}\n  \
                 push it: {PUSH}\n",
                shown(path)
            )
        }
        Made::Engine(engine, built) if !built.pushed && built.images.len() > 1 => {
            format!(
                "  push it: {} manifest push --all {tag} docker://{tag}\n",
                engine.name()
            )
        }
        Made::Engine(engine, built) if !built.pushed => {
            format!("  push it: {} push {tag}\n", engine.name())
        }
        Made::Native(_, Output::Registry(_)) | Made::Engine(..) => {
            format!("  deploy {tag} where the agent runs\n")
        }
    }
}

/// A number of bytes as people read it.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = count as f64 / 1000.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    match count {
        0..1000 => format!("{count} B"),
        _ => format!("{value:.1} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_short() {
        let shown = [0, 999, 1000, 999_949, 999_950, 123_456_789, 5_000_000_000].map(bytes);
        assert_eq!(
            shown,
            [
                "0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "123.5 MB", "5.0 GB"
            ]
        );
    }
}
