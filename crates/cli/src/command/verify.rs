//! `bowline verify`: whether an export, or manifest and templates in an image, follow from their evidence.

use std::error::Error as _;
use std::path::Path;

use bowline_connector::Workspace;
use bowline_contract::{AssetClass, layout};
use bowline_image::inspect::{AttestedPlatform, attested};
use bowline_workbench::evidence::{self, Judged};

use super::build::proven_by;
use super::image;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::insecure::InsecureRegistries;
use crate::named::{self, NamedConnector};
use crate::style::{BAD, GOOD, paint};

use super::test::{confidential, not_held};

/// Check that an export, or manifest and templates in an image, follow from their evidence.
///
/// Of a connector, judges the evidence of the last whole run again, with no database and no credentials, and compares
/// what it proves with `output/<connector>`. Of an image, does so with the evidence that is attached to it, for every
/// platform, and compares what it proves with the manifest and the templates in the layers.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An image is its name in a registry, `oci:DIR[:IMAGE]`, or an archive.\n\n\
                  Examples:\n  bowline verify shop\n  bowline verify registry.example.com/team/agent:1.0"
)]
#[command(mut_args(named::warehouses))]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    connector: NamedConnector,
    #[command(flatten)]
    registries: InsecureRegistries,
}

impl VerifyArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let named = self.connector.name();
        if let Some(name) = named.and_then(|named| exported(context, named)) {
            return self.export(context, Some(&name));
        }
        if let Some(folder) = named.filter(|named| is_export(&context.path(Path::new(named)))) {
            return Err(CliError::usage(
                format!("`{folder}` is not the export of a connector of this workspace"),
                "`bowline verify <connector>` judges what stands in `output/<connector>`",
            ));
        }
        let found = context.locate(named, Some(AssetClass::Warehouse));
        // A word alone is the name of a connector; whoever means an image says from where, or which.
        let image = named.filter(|name| {
            name.contains([':', '/', '.']) || context.directory.join(name).is_file()
        });
        match (found, image) {
            (Err(_), Some(image)) => self.image(context, image),
            (found, _) => found.and_then(|_| self.export(context, named)),
        }
    }

    fn export(&self, context: &Context, name: Option<&str>) -> Result<Ended, CliError> {
        let connector = context.warehouse(name)?;
        let judged = evidence::judge_again(&connector, evidence::read(&connector)?)?;
        let mut verified = Verified::default();
        let mut unfounded = evidence::unfounded(&connector, &judged)?;
        unfounded.extend(not_held(&judged));
        let name = connector.name.as_str();
        verified.tell(name, Compared::Export, unfounded, Some(&judged));
        verified.end(context)
    }

    fn image(&self, context: &Context, image: &str) -> Result<Ended, CliError> {
        let platforms = image::read(context, image, &self.registries, attested)?;
        if platforms.iter().all(|platform| platform.exports.is_empty()) {
            return Err(CliError::usage(
                format!("`{image}` holds no warehouse connector"),
                "`bowline image inspect` tells what an image holds",
            ));
        }
        let mut verified = Verified::default();
        for platform in &platforms {
            verified.shipped(platform)?;
        }
        verified.end(context)
    }
}

fn is_export(folder: &Path) -> bool {
    folder.join(layout::MANIFEST_FILE).is_file()
}

/// The connector of this workspace whose own folder, or whose export, a folder is.
fn exported(context: &Context, folder: &str) -> Option<String> {
    let folder = context.path(Path::new(folder));
    let name = is_export(&folder).then(|| folder.file_name())??;
    let found = context
        .locate(name.to_str(), Some(AssetClass::Warehouse))
        .ok()?;
    let output = Workspace::find(&found.dir).ok()?.output_dir(&found.name);
    let is_it = |own: &Path| matches!((own.canonicalize(), folder.canonicalize()), (Ok(own), Ok(given)) if own == given);
    (is_it(&output) || is_it(&found.dir)).then(|| found.name.to_string())
}

/// What is compared with evidence.
#[derive(Debug, Clone, Copy)]
enum Compared {
    Export,
    /// What was proven of what an image holds: whatever else is in a connector's folder is not compared.
    Shipped,
}

impl Compared {
    fn told(self, follows: bool) -> &'static str {
        match (self, follows) {
            (Self::Export, true) => "the export follows",
            (Self::Export, false) => "the export does not follow",
            (Self::Shipped, true) => "manifest and templates follow",
            (Self::Shipped, false) => "manifest and templates do not follow",
        }
    }
}

/// What was verified.
#[derive(Default)]
struct Verified {
    text: String,
    fell_short: bool,
}

impl Verified {
    /// Compares what an image ships for a platform with what is attached.
    fn shipped(&mut self, platform: &AttestedPlatform) -> Result<(), CliError> {
        let mut proven = Vec::new();
        let mut founded = Vec::new();
        for (connector, files) in &platform.exports {
            let name = format!("{connector} for {}", platform.platform);
            let Some(packed) = platform.evidence.get(connector) else {
                let lacking = vec!["no evidence of it is attached".to_owned()];
                self.tell(&name, Compared::Shipped, lacking, None);
                continue;
            };
            let place = format!("{connector} of {}", platform.digest);
            match evidence::judge_packed(packed, &place) {
                Ok(judged) => {
                    let unfounded = judged.unfounded(files, &place)?;
                    proven.push(proven_by(connector, packed.clone(), &judged));
                    founded.push((name, unfounded, judged));
                }
                Err(error) => {
                    let cause = error.source().map(|cause| format!(": {cause}"));
                    let told = format!("{error}{}", cause.unwrap_or_default());
                    self.tell(&name, Compared::Shipped, vec![told], None);
                }
            }
        }
        let is_stated = platform
            .statements
            .iter()
            .any(|statement| statement.is_about(&platform.digest) && statement.states(&proven));
        for (name, mut unfounded, judged) in founded {
            if !is_stated {
                let told = "no statement attached says of this image what its evidence comes to";
                unfounded.push(told.to_owned());
            }
            self.tell(&name, Compared::Shipped, unfounded, Some(&judged.judged));
        }
        Ok(())
    }

    fn tell(
        &mut self,
        name: &str,
        compared: Compared,
        unfounded: Vec<String>,
        judged: Option<&Judged>,
    ) {
        let follows = unfounded.is_empty();
        self.fell_short |= !follows;
        let sign = if follows {
            paint(GOOD, "✓")
        } else {
            paint(BAD, "✗")
        };
        let told = compared.told(follows);
        let line = format!("{sign} {name}: {told} from its evidence\n");
        self.text.push_str(&line);
        for line in unfounded.into_iter().chain(judged.and_then(confidential)) {
            self.text.push_str(&format!("  {line}\n"));
        }
    }

    fn end(self, context: &Context) -> Result<Ended, CliError> {
        context.printer.text(&self.text)?;
        Ok(if self.fell_short {
            Ended::FellShort
        } else {
            Ended::Fine
        })
    }
}
