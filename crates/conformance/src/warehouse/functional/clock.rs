//! The server's clock: what it says of changes and queries is judged by it, not by ours.

use bowline_template::TemplateValue;
use jiff::{SignedDuration, Timestamp};

use crate::warehouse::ahead::Renders;
use crate::warehouse::answers::{Halt, came};
use crate::warehouse::chain::{Chain, Spec};
use crate::warehouse::reading;

/// A clock that is further off than this is none: the templates that read it are mistaken.
const SKEW: SignedDuration = SignedDuration::from_mins(15);
/// What nobody needs to be told.
const LITTLE: SignedDuration = SignedDuration::from_secs(5);

pub(super) const SERVER_CLOCK: Spec =
    Spec::new("server_clock", "the server tells its time", &[], &[]).strict();

/// Whether the connector has the templates that tell the server's time.
pub(super) fn is_told(chain: &Chain<'_>) -> bool {
    chain.has("current_timestamp_func") && chain.has("convert_to_unix_timestamp_func")
}

/// A query of the server's time in seconds.
pub(super) fn seconds(with: &impl Renders) -> Result<String, Halt> {
    let now = with.render("current_timestamp_func", Vec::new())?;
    let variables = vec![("date_expr", TemplateValue::Text(now))];
    with.bare(with.render("convert_to_unix_timestamp_func", variables)?)
}

/// How far the server's clock is ahead of ours, as far as the connector's templates can tell.
pub(super) fn skew(chain: &mut Chain<'_>) -> Option<SignedDuration> {
    if !is_told(chain) {
        return None;
    }
    let skew = chain.check(
        &SERVER_CLOCK,
        |asking| {
            let sql = seconds(asking)?;
            asking.try_run(None, &sql).map(drop)
        },
        |answers| {
            Ok(answers.steps.last().and_then(|step| {
                let told = step.answer.result.as_deref().ok()?.scalar()?;
                let seconds = reading::float(told).filter(|seconds| seconds.is_finite())?;
                let told = SignedDuration::try_from_secs_f64(seconds).ok()?;
                let here = came(&step.answer).duration_since(Timestamp::UNIX_EPOCH);
                Some(told.saturating_sub(here)).filter(|skew| skew.abs() < SKEW)
            }))
        },
    )??;
    if skew.abs() > LITTLE {
        let direction = if skew.is_negative() {
            "behind"
        } else {
            "ahead of"
        };
        let words = format!(
            "the server's clock is {} s {direction} this machine's: times are judged by the server's",
            skew.abs().as_secs()
        );
        chain.advise(&SERVER_CLOCK, words);
    }
    Some(skew)
}
