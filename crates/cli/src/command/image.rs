//! `bowline image`: what is in an agent image.

use std::path::PathBuf;
use std::sync::Arc;

use bowline_image::inspect::{Attached, DescribedBy, InspectedConnector, InspectedImage, inspect};
use bowline_image::{BaseImage, ImageError, native};
use bowline_oci::registry::Access;
use bowline_oci::{BlobSource, Cancel};
use clap::Subcommand;

use crate::command::build::{Voice, bytes};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::insecure::InsecureRegistries;
use crate::listing::Listing;
use crate::style::{QUIET, STRONG, paint};

/// Look into agent images.
#[derive(Debug, clap::Args)]
pub(crate) struct ImageArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Tell what an image holds: its connectors, their modes and capabilities, and what is attached to it
    ///
    /// Nothing of the image is run. Its layers are read only when it does not itself say which connectors it holds.
    #[command(
        after_help = "Examples:\n  bowline image inspect registry.example.com/team/agent:1.0\n  \
                      bowline image inspect oci:image --format json"
    )]
    Inspect(InspectArgs),
}

#[derive(Debug, clap::Args)]
struct InspectArgs {
    /// The image: its name in a registry, `oci:DIR[:IMAGE]`, or an archive
    #[arg(value_name = "IMAGE")]
    image: String,
    /// How to show it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    #[command(flatten)]
    registries: InsecureRegistries,
}

/// How an image is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For programs
    Json,
}

impl ImageArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        match &self.action {
            Action::Inspect(args) => args.exec(context),
        }
    }
}

impl InspectArgs {
    fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let inspected = read(context, &self.image, &self.registries, inspect)?;
        match self.format {
            Format::Human => context.printer.text(&page(&self.image, &inspected))?,
            Format::Json => {
                let text = serde_json::to_string_pretty(&inspected)
                    .map_err(|error| CliError::Internal(error.to_string()))?;
                context.printer.data(&format!("{text}\n"))?;
            }
        }
        Ok(Ended::Fine)
    }
}

/// Reads something of an image, wherever it is.
pub(super) fn read<T>(
    context: &Context,
    image: &str,
    registries: &InsecureRegistries,
    reading: impl FnOnce(&dyn BlobSource, &Cancel) -> Result<T, ImageError>,
) -> Result<T, CliError> {
    let cancel = Cancel::default();
    let asked = cancel.clone();
    let _on_stop = context.interruptible()?.on_stop(move || asked.cancel());
    let voice = Voice::new(context);
    let mut access = Access::of_user(|name| std::env::var_os(name).map(PathBuf::from));
    access.insecure.clone_from(&registries.insecure);
    access.cancel = cancel;
    let tell = voice.clone();
    access.on_event = Arc::new(move |event| tell.tell(event.into()));
    let image = BaseImage::parse(&context.directory, image);
    let found =
        native::open(&image, &access).and_then(|source| reading(source.as_ref(), &access.cancel));
    voice.rest();
    Ok(found.map_err(|error| image.or_file(&context.directory, error))?)
}

fn page(name: &str, image: &InspectedImage) -> String {
    let mut page = Listing::default();
    page.line(paint(STRONG, name));
    page.field("digest", image.digest.as_str());
    for each in &image.attached {
        page.field("attached", &attached(each));
    }
    for platform in &image.platforms {
        page.heading(&platform.platform);
        if platform.digest != image.digest {
            page.field("digest", platform.digest.as_str());
        }
        page.field(
            "layers",
            &format!("{}, {}", platform.layers, bytes(platform.size)),
        );
        page.field(
            "runs as",
            match platform.user.as_str() {
                "" => "root",
                user => user,
            },
        );
        if let Some(created) = &platform.created {
            page.field("created", created);
        }
        for (label, value) in &platform.labels {
            page.field("label", &format!("{label}={value}"));
        }
        for each in &platform.attached {
            page.field("attached", &attached(each));
        }
        page.gap();
        for connector in &platform.connectors {
            describe(&mut page, connector);
        }
        if platform.connectors.is_empty() {
            page.line(paint(QUIET, "  no connectors"));
        } else if platform.described_by == DescribedBy::Layers {
            page.line(paint(
                QUIET,
                "  as their manifests in the layers say; modes are not told there",
            ));
        }
    }
    page.finish()
}

fn describe(page: &mut Listing, connector: &InspectedConnector) {
    let mut about = vec![match connector.class.as_str() {
        "etl" => "pipeline",
        class => class,
    }];
    about.extend(connector.mode.as_deref());
    about.extend(connector.connection_type.as_deref());
    page.prose(
        "  ",
        "    ",
        &format!("{}  {}", connector.name, about.join(", ")),
    );
    if !connector.capabilities.is_empty() {
        page.prose("    ", "    ", &connector.capabilities.join(", "));
    }
}

fn attached(attached: &Attached) -> String {
    let files: Vec<String> = attached
        .files
        .iter()
        .map(|file| format!("{} ({})", file.title, bytes(file.size)))
        .collect();
    format!("{}: {}", attached.artifact_type, files.join(", "))
}

#[cfg(test)]
mod tests {
    use bowline_image::inspect::{AttachedName, InspectedPlatform};

    use super::*;

    #[test]
    fn an_image_is_shown_with_what_it_holds() {
        let digest = bowline_oci::Digest::of(b"");
        let image = InspectedImage {
            digest: digest.clone(),
            media_type: "index".to_owned(),
            platforms: vec![InspectedPlatform {
                platform: "linux/amd64".to_owned(),
                digest: digest.clone(),
                layers: 3,
                size: 1_500_000,
                user: String::new(),
                created: None,
                labels: [("k".to_owned(), "evil\u{1b}[2J".to_owned())].into(),
                described_by: DescribedBy::Label,
                connectors: vec![InspectedConnector {
                    name: "shop".to_owned(),
                    class: "warehouse".to_owned(),
                    connection_type: Some("custom-connector-0000001".to_owned()),
                    connection_name: None,
                    mode: Some("full".to_owned()),
                    capabilities: vec!["supports_metadata".to_owned()],
                }],
                attached: vec![Attached {
                    artifact_type: "application/vnd.cyclonedx+json".to_owned(),
                    digest: digest.clone(),
                    files: vec![AttachedName {
                        title: "sbom.cdx.json".to_owned(),
                        media_type: "application/vnd.cyclonedx+json".to_owned(),
                        size: 12,
                    }],
                }],
            }],
            attached: Vec::new(),
        };
        let text = anstream::adapter::strip_str(&page("agent:1", &image)).to_string();
        assert_eq!(
            text,
            format!(
                "agent:1\n  digest    {digest}\n\nlinux/amd64\n  layers    3, 1.5 MB\n  runs as   root\n  \
                 label     k=evil\\u{{1b}}[2J\n  \
                 attached  application/vnd.cyclonedx+json: sbom.cdx.json (12 B)\n\n  \
                 shop  warehouse, full, custom-connector-0000001\n    supports_metadata\n"
            )
        );
    }
}
