//! `bowline verify`: whether an export, or what an image ships, follows from its evidence.

use std::error::Error as _;

use bowline_image::inspect::{AttestedPlatform, attested};
use bowline_workbench::evidence::{self, Judged};

use super::image;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::insecure::InsecureRegistries;
use crate::named::NamedConnector;
use crate::style::{BAD, GOOD, paint};

use super::test::{confidential, not_held};

/// Check that an export, or what an image ships, follows from its evidence.
///
/// Of a connector, judges the evidence of the last whole run again, with no database and no credentials, and compares
/// what it proves with `output/<connector>`. Of an image, does so with the evidence that is attached to it, for every
/// platform, and compares what it proves with what is in the layers.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An image is its name in a registry, `oci:DIR[:IMAGE]`, or an archive.\n\n\
                  Examples:\n  bowline verify shop\n  bowline verify registry.example.com/team/agent:1.0"
)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    connector: NamedConnector,
    #[command(flatten)]
    registries: InsecureRegistries,
}

impl VerifyArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        // A word alone is the name of a connector; whoever means an image says from where, or which.
        let image = self.connector.name().filter(|name| {
            name.contains([':', '/', '.']) || context.directory.join(name).is_file()
        });
        match image {
            Some(image) => self.image(context, image),
            None => self.export(context),
        }
    }

    fn export(&self, context: &Context) -> Result<Ended, CliError> {
        let connector = context.warehouse(self.connector.name())?;
        let judged = evidence::judge_again(&connector, evidence::read(&connector)?)?;
        let mut verified = Verified::default();
        let mut unfounded = evidence::unfounded(&connector, &judged)?;
        unfounded.extend(not_held(&judged));
        let name = connector.name.as_str();
        verified.tell(name, "the export", unfounded, Some(&judged));
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
            for connector in platform.exports.keys() {
                let name = format!("{connector} for {}", platform.platform);
                verified.shipped(platform, connector, &name)?;
            }
        }
        verified.end(context)
    }
}

/// What was verified.
#[derive(Default)]
struct Verified {
    text: String,
    fell_short: bool,
}

impl Verified {
    /// Compares what an image ships of a connector with what is attached.
    fn shipped(
        &mut self,
        platform: &AttestedPlatform,
        connector: &str,
        name: &str,
    ) -> Result<(), CliError> {
        let Some(packed) = platform.evidence.get(connector) else {
            let lacking = vec!["no evidence of it is attached".to_owned()];
            self.tell(name, "what ships", lacking, None);
            return Ok(());
        };
        let place = format!("{connector} of {}", platform.digest);
        let judged = match evidence::judge_packed(packed, &place) {
            Ok(judged) => judged,
            Err(error) => {
                let cause = error.source().map(|cause| format!(": {cause}"));
                let told = format!("{error}{}", cause.unwrap_or_default());
                self.tell(name, "what ships", vec![told], None);
                return Ok(());
            }
        };
        let mut unfounded = judged.unfounded(&platform.exports[connector], &place)?;
        let is_stated = platform.statements.iter().any(|statement| {
            statement.is_about(&platform.digest) && statement.rests_on(connector, packed)
        });
        if !is_stated {
            unfounded
                .push("no statement attached is about this image and this evidence".to_owned());
        }
        self.tell(name, "what ships", unfounded, Some(&judged.judged));
        Ok(())
    }

    fn tell(&mut self, name: &str, what: &str, unfounded: Vec<String>, judged: Option<&Judged>) {
        let (sign, follows) = if unfounded.is_empty() {
            (paint(GOOD, "✓"), "follows")
        } else {
            self.fell_short = true;
            (paint(BAD, "✗"), "does not follow")
        };
        let line = format!("{sign} {name}: {what} {follows} from its evidence\n");
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
