//! The suite's report as it is written: plain text and numbers, which no type of the suite is needed for.

use bowline_contract::AssetClass;
use bowline_report::pipeline::{
    CheckResult, FeatureResult, Reading, Reason, UnmappedStatus, Window,
};
use bowline_report::{PipelineReport, Summary, VERSION};
use bowline_words::Diagnose;

use super::{CheckReport, Doubt, Outcome, ReadingReport, Report};

impl Report {
    /// The report as it is written and read, about the connector of this name.
    #[must_use]
    pub fn written(&self, connector: &str) -> PipelineReport {
        let sections = self.sections.iter();
        let features = self.features.iter().map(|found| FeatureResult {
            name: found.feature.name().to_owned(),
            answer: found.answer,
            why: found.why.clone(),
            records: found.records.clone(),
        });
        let unmapped = self.unmapped.iter().map(|(word, seen)| UnmappedStatus {
            word: word.clone(),
            seen: *seen,
        });
        PipelineReport {
            version: VERSION,
            bowline_version: env!("CARGO_PKG_VERSION").to_owned(),
            asset_class: AssetClass::Pipeline,
            connector: connector.to_owned(),
            tier: self.tier,
            sections: sections.map(ToString::to_string).collect(),
            window: Window {
                start: self.window.0.to_string(),
                end: self.window.1.to_string(),
            },
            interrupted: self.interrupted,
            elapsed_ms: self.elapsed.into(),
            summary: Summary::of(self.checks.iter().map(|found| found.outcome.verdict())),
            checks: self.checks.iter().map(check).collect(),
            features: features.collect(),
            unmapped: unmapped.collect(),
            warnings: self.warnings.clone(),
            readings: self.readings.iter().map(reading).collect(),
        }
    }
}

fn check(found: &CheckReport) -> CheckResult {
    CheckResult {
        id: found.check.id.to_owned(),
        section: found.check.section.name().to_owned(),
        title: found.check.title.to_owned(),
        tier: found.check.tier,
        verdict: found.outcome.verdict(),
        basis: found.basis.clone(),
        reason: reason(&found.outcome),
        advice: found.advice.clone(),
        elapsed_ms: found.elapsed.map(Into::into),
    }
}

fn reason(outcome: &Outcome) -> Option<Reason> {
    Some(match outcome {
        Outcome::Supported => return None,
        Outcome::Wrong(fault) => Reason::Answer {
            expected: fault.expected.clone(),
            got: fault.got.clone(),
            evidence: fault.evidence.clone(),
            hint: fault.hint.clone(),
        },
        Outcome::Unknown(Doubt::Answer(error)) => Reason::Vendor {
            what: error.diagnose().to_string(),
        },
        Outcome::Unknown(Doubt::NothingToSee(what)) => Reason::NothingToSee { what: what.clone() },
        Outcome::Unknown(Doubt::NoOccasion(what)) => Reason::NoOccasion { what: what.clone() },
        Outcome::Unknown(Doubt::Changed(what)) => Reason::Changed { what: what.clone() },
        Outcome::Unknown(Doubt::NotReached(what) | Doubt::Unasked(what)) => {
            Reason::NotReached { what: what.clone() }
        }
        Outcome::Unknown(Doubt::Interrupted) => Reason::Interrupted,
        Outcome::Blocked { by } => Reason::Blocked {
            by: by.id.to_owned(),
        },
    })
}

fn reading(found: &ReadingReport) -> Reading {
    Reading {
        what: found.what.clone(),
        records: found.records,
        events: found.events,
        passed_over: found.passed_over,
        outside: found.outside,
        repeated: found.repeated,
        requests: found.requests,
        elapsed_ms: found.elapsed.into(),
        error: found.error.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bowline_contract::PipelineSection;
    use bowline_contract::pipeline::PipelineFeature;
    use bowline_pipeline::{SourceError, SourceErrorKind};
    use bowline_report::pipeline::FeatureAnswer;
    use jiff::Timestamp;

    use super::*;
    use crate::Tier;
    use crate::pipeline::{CHECKS, Fault, FeatureReport};

    /// Every outcome, with every reason there is.
    fn outcomes() -> Vec<Outcome> {
        let vendor = SourceError::new(SourceErrorKind::Timeout, "`runs`");
        let fault = Fault {
            expected: "17 runs".to_owned(),
            got: "16 runs".to_owned(),
            evidence: vec!["run 4 is missing".to_owned()],
            hint: Some("read the next page".to_owned()),
        };
        let what = || "as it is".to_owned();
        vec![
            Outcome::Supported,
            Outcome::Wrong(Fault {
                hint: None,
                ..fault.clone()
            }),
            Outcome::Wrong(fault),
            Outcome::Unknown(Doubt::Answer(vendor)),
            Outcome::Unknown(Doubt::NothingToSee(what())),
            Outcome::Unknown(Doubt::NoOccasion(what())),
            Outcome::Unknown(Doubt::Changed(what())),
            Outcome::Unknown(Doubt::NotReached(what())),
            Outcome::Unknown(Doubt::Interrupted),
            Outcome::Blocked { by: CHECKS[0] },
        ]
    }

    fn report(outcomes: Vec<Outcome>) -> Report {
        let answers = [
            FeatureAnswer::Yes,
            FeatureAnswer::No,
            FeatureAnswer::Unknown,
        ];
        let features = PipelineFeature::ALL.iter().zip(answers);
        let readings = [None, Some("cut off".to_owned())];
        Report {
            tier: Tier::Strict,
            sections: PipelineSection::ALL.to_vec(),
            window: (Timestamp::UNIX_EPOCH, Timestamp::MAX),
            checks: outcomes
                .into_iter()
                .map(|outcome| CheckReport {
                    check: CHECKS[1],
                    outcome,
                    basis: "180 runs".to_owned(),
                    advice: Vec::new(),
                    elapsed: Some(Duration::from_millis(3)),
                })
                .collect(),
            features: features
                .map(|(feature, answer)| FeatureReport {
                    feature: *feature,
                    answer,
                    why: "17 of 17 jobs".to_owned(),
                    records: vec!["{}".to_owned()],
                })
                .collect(),
            unmapped: [("NAPPING".to_owned(), 2)].into_iter().collect(),
            warnings: vec!["deprecated".to_owned()],
            readings: readings
                .map(|error| ReadingReport {
                    what: "runs".to_owned(),
                    records: 6,
                    events: 5,
                    passed_over: 4,
                    outside: 3,
                    repeated: 2,
                    requests: 1,
                    elapsed: Duration::from_nanos(1_234_567),
                    error,
                })
                .to_vec(),
            elapsed: Duration::from_millis(250),
            interrupted: false,
        }
    }

    #[test]
    fn every_outcome_reads_back_as_it_was_written() {
        let written = bowline_report::Report::Pipeline(report(outcomes()).written("nights"));
        let text = written.to_json().unwrap();
        let read = bowline_report::Report::from_json(&text, "report.json").unwrap();
        assert_eq!(read, written);
        assert_eq!(read.to_json().unwrap(), text);
    }

    #[test]
    fn what_is_written_comes_to_the_same() {
        for outcome in outcomes() {
            let report = report(vec![outcome]);
            let written = report.written("nights");
            assert_eq!(written.open(), report.open());
            assert_eq!(written.conclusion(), report.conclusion());
        }
    }
}
