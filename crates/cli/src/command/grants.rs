//! `bowline grants`: the smallest rights that a connector's account needs.

use std::num::NonZeroU64;
use std::time::Duration;

use bowline_conformance::warehouse::Options;
use bowline_driver::Limits;
use bowline_words::counted;
use bowline_workbench::Event;
use bowline_workbench::grants::{Effort, Grants, Needed, Proof, Purpose, grants};
use serde_json::{Value, json};

use super::test::{USUAL_TIMEOUT, at_least_one};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::listing::Listing;
use crate::named::{self, NamedConnector};
use crate::style::{BAD, GOOD, OPEN, paint};

/// Find the smallest rights that a connector's account needs.
///
/// Runs the suite with the account of the credentials, and sees what it touches. Where that account may make another, the
/// rights are proven: the suite runs again as an account that has only them, and without each of them to tell what is
/// lost. That account is removed at the end, after Ctrl-C too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bowline grants shop --to reader > grants.sql")]
#[command(mut_args(named::warehouses))]
pub(crate) struct GrantsArgs {
    #[command(flatten)]
    connector: NamedConnector,
    /// The account that the script gives rights to, as SQL writes it
    #[arg(long, value_name = "ACCOUNT", default_value = "bowline")]
    to: String,
    /// Make no account: only list the rights to what a run touched
    #[arg(long)]
    no_proof: bool,
    /// How the rights are written
    #[arg(long, value_name = "FORMAT", default_value = "sql")]
    format: GrantsFormat,
    /// Stop a statement after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_TIMEOUT, value_parser = at_least_one::<NonZeroU64>)]
    timeout: NonZeroU64,
}

/// How rights can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum GrantsFormat {
    /// A script of GRANT statements, with comments
    Sql,
    /// For programs
    Json,
}

impl GrantsArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let connector = context.warehouse(self.connector.name())?;
        let usual = Options::default();
        let options = Options {
            limits: Limits {
                timeout: Duration::from_secs(self.timeout.get()),
                ..usual.limits
            },
            ..usual
        };
        let effort = if self.no_proof {
            Effort::List
        } else {
            Effort::Prove
        };
        let bar = context.printer.bar("{spinner} {prefix} {msg}");
        bar.set_prefix(format!("grants of {}", connector.name));
        let run = context.interruptible()?;
        let found = grants(&connector, &options, effort, run, &|event| match event {
            Event::Connecting { .. } => bar.set_message("a run with all rights"),
            Event::Proving { without, done, of } => {
                let lacks = match without {
                    [] => "all that is needed".to_owned(),
                    [one] => format!("not {}", one.right),
                    [one, ..] => format!("not {} and {} more", one.right, without.len() - 1),
                };
                bar.set_message(format!("{}/{of}: {lacks}", done + 1));
            }
            event => context.tell(event),
        });
        bar.finish_and_clear();
        let found = found?;
        match self.format {
            GrantsFormat::Sql => {
                context
                    .printer
                    .data(&script(connector.name.as_str(), &found, &self.to))?
            }
            GrantsFormat::Json => context
                .printer
                .data(&format!("{:#}\n", document(&found, &self.to)))?,
        }
        self.conclude(context, &found)
    }

    /// Says how far it is proven.
    fn conclude(&self, context: &Context, found: &Grants) -> Result<Ended, CliError> {
        let mut listing = Listing::default();
        let ended = match &found.proof {
            Proof::Proven { checks } => {
                let checks = match checks {
                    1 => "1 check is".to_owned(),
                    checks => format!("{checks} checks are"),
                };
                let together = found.needed.iter().map(|needed| needed.together).max();
                let words = match together {
                    Some(together @ 2..) => format!(
                        "proven: with these, {checks} supported as before; without those that were left out together, up \
                         to {together} of them, something is lost"
                    ),
                    _ => format!(
                        "proven: with these and no more, {checks} supported as before; without each, something is lost"
                    ),
                };
                listing.prose(&format!("{} ", paint(GOOD, "✓")), "  ", &words);
                Ended::Fine
            }
            Proof::Short(lost) => {
                let words = "not enough: with all these rights this is lost";
                listing.prose(&format!("{} ", paint(BAD, "✗")), "  ", words);
                for lost in lost {
                    listing.prose("  - ", "    ", lost);
                }
                Ended::FellShort
            }
            Proof::Unproven(why) => {
                listing.prose(
                    &format!("{} ", paint(OPEN, "?")),
                    "  ",
                    &format!("not proven: {why}"),
                );
                if self.no_proof {
                    Ended::Fine
                } else {
                    Ended::Inconclusive
                }
            }
        };
        context.printer.say(listing.finish().trim_end());
        if found.left_behind.is_empty() {
            return Ok(ended);
        }
        context.tell(Event::LeftBehind {
            statements: &found.left_behind,
        });
        Ok(Ended::FellShort)
    }
}

/// The statements, each with what is lost without it.
fn script(connector: &str, found: &Grants, account: &str) -> String {
    let mut text = format!(
        "-- What connector `{connector}` needs of {}{}.\n",
        found.product,
        match found.proof {
            Proof::Proven { .. } => ", proven",
            Proof::Short(_) => "; not enough",
            Proof::Unproven(_) => ", not proven",
        }
    );
    for right in &found.everybodys {
        text.push_str(&format!("-- Everybody has {right}.\n"));
    }
    for (purpose, heading) in [
        (Purpose::Login, "To log in"),
        (Purpose::Platform, "For the platform"),
        (
            Purpose::FunctionalChecks,
            "Only for the functional checks of `bowline test`",
        ),
    ] {
        let needed = found.needed.iter();
        let mut needed = needed
            .filter(|needed| needed.grant.purpose == purpose)
            .peekable();
        if needed.peek().is_some() {
            text.push_str(&format!("\n-- {heading}\n"));
        }
        for Needed {
            grant,
            lost,
            together,
        } in needed
        {
            text.push_str(&format!("{};\n", grant.given_to(account)));
            let without = match together {
                1 => "it".to_owned(),
                together => format!("it and {}", counted(together - 1, "other")),
            };
            for lost in lost {
                text.push_str(&format!("--   without {without}: {lost}\n"));
            }
        }
    }
    if !found.spare.is_empty() {
        text.push_str(&format!(
            "\n-- Not needed, though touched: {}\n",
            counted(found.spare.len(), "right")
        ));
        for grant in &found.spare {
            text.push_str(&format!("--   {}\n", grant.right));
        }
    }
    text
}

fn document(found: &Grants, account: &str) -> Value {
    let purpose = |purpose| match purpose {
        Purpose::Login => "login",
        Purpose::Platform => "platform",
        Purpose::FunctionalChecks => "functional_checks",
    };
    let needed = found.needed.iter().map(|needed| {
        json!({
            "right": needed.grant.right,
            "statement": needed.grant.given_to(account),
            "purpose": purpose(needed.grant.purpose),
            "lost_without": needed.lost,
            "left_out_together": needed.together,
        })
    });
    let (proof, lost, reason) = match &found.proof {
        Proof::Proven { .. } => ("proven", &[][..], None),
        Proof::Short(lost) => ("short", lost.as_slice(), None),
        Proof::Unproven(why) => ("unproven", &[][..], Some(why)),
    };
    json!({
        "version": 1,
        "product": found.product,
        "needed": needed.collect::<Vec<_>>(),
        "everybodys": found.everybodys,
        "not_needed": found.spare.iter().map(|grant| &grant.right).collect::<Vec<_>>(),
        "proof": proof,
        "lost_with_all": lost,
        "reason": reason,
        "left_behind": found.left_behind,
    })
}
