//! What is known of a connector after several runs: the last, and of what it did not ask, the one before.

use bowline_contract::{PipelineSection, SuiteSection};

use crate::pipeline::FeatureAnswer;
use crate::{PipelineReport, Report, Summary, Verdict, WarehouseReport};

impl Report {
    /// What is known after this run: sections that it did not ask are taken from an earlier report about the same
    /// connector of the same tier and, for a warehouse, the same kind of server, which may be such a union itself. A run
    /// that was stopped adds nothing to it, and a whole one needs nothing of it.
    #[must_use]
    pub fn over(self, earlier: Self) -> Self {
        if self.is_whole() {
            return self;
        }
        match (self, earlier) {
            (Self::Warehouse(last), Self::Warehouse(earlier))
                if (&last.connector, last.tier) == (&earlier.connector, earlier.tier)
                    && [earlier.product.as_str(), ""].contains(&last.product.as_str()) =>
            {
                Self::Warehouse(last.over(earlier))
            }
            (Self::Pipeline(last), Self::Pipeline(earlier))
                if (&last.connector, last.tier) == (&earlier.connector, earlier.tier) =>
            {
                Self::Pipeline(last.over(earlier))
            }
            (last, _) => last,
        }
    }
}

impl WarehouseReport {
    fn over(self, earlier: Self) -> Self {
        if self.interrupted {
            return earlier;
        }
        let is_asked = |section: &str| self.sections.iter().any(|asked| asked == section);
        let names = SuiteSection::ALL.iter().map(|section| section.name());
        let sections = joined(names, &self.sections, &earlier.sections);
        let left = earlier.checks.into_iter();
        let left: Vec<_> = left.filter(|check| !is_asked(&check.section)).collect();
        let is_left = |id: &String| left.iter().any(|check| check.id == *id);
        let mut templates = self.templates;
        for found in &mut templates {
            let mut before = earlier.templates.iter();
            let Some(before) = before.find(|before| before.name == found.name) else {
                continue;
            };
            // What another section found wrong of it is not mended because this one finds it right.
            let mut short = left.iter().filter(|check| check.is_shortfall());
            let is_short = short.any(|check| before.checks.contains(&check.id));
            if before.implemented == found.implemented && (found.verdict.is_none() || is_short) {
                *found = before.clone();
            }
        }
        let mut culprits = self.culprits;
        for mut before in earlier.culprits {
            before.checks.retain(&is_left);
            before.blocks.retain(&is_left);
            let is_named = culprits.iter().any(|now| now.template == before.template);
            if is_left(&before.check) && !is_named {
                culprits.push(before);
            }
        }
        let mut checks: Vec<_> = left.into_iter().chain(self.checks).collect();
        checks.sort_by_key(|check| sections.iter().position(|name| *name == check.section));
        let is_supported = |id: &String| {
            let mut checks = checks.iter();
            checks.any(|check| check.id == *id && check.verdict == Verdict::Supported)
        };
        let mut capabilities = self.capabilities;
        for found in capabilities
            .iter_mut()
            .filter(|each| each.verdict.is_none())
        {
            let mut before = earlier.capabilities.iter();
            if let Some(before) = before.find(|before| before.name == found.name)
                && !before.because.iter().any(is_supported)
            {
                *found = before.clone();
            }
        }
        let mut metrics = self.metrics;
        for found in metrics.iter_mut().filter(|each| !each.is_asked()) {
            let mut before = earlier.metrics.iter();
            if let Some(before) = before.find(|before| before.name == found.name) {
                *found = before.clone();
            }
        }
        let functional = SuiteSection::Functional.name();
        let left_behind = if self.sections.iter().any(|asked| asked == functional) {
            self.left_behind
        } else {
            earlier.left_behind
        };
        let product = match self.product.as_str() {
            "" => earlier.product,
            _ => self.product,
        };
        Self {
            product,
            sections,
            interrupted: earlier.interrupted,
            left_behind,
            summary: Summary::of(checks.iter().map(|check| check.verdict)),
            catalogue: self.catalogue.or(earlier.catalogue),
            culprits,
            checks,
            templates,
            capabilities,
            metrics,
            ..self
        }
    }
}

impl PipelineReport {
    fn over(self, earlier: Self) -> Self {
        if self.interrupted {
            return earlier;
        }
        let is_asked = |section: &str| self.sections.iter().any(|asked| asked == section);
        let names = PipelineSection::ALL.iter().map(|section| section.name());
        let sections = joined(names, &self.sections, &earlier.sections);
        let left = earlier.checks.into_iter();
        let left = left.filter(|check| !is_asked(&check.section));
        let mut checks: Vec<_> = left.chain(self.checks).collect();
        checks.sort_by_key(|check| sections.iter().position(|name| *name == check.section));
        let mut features = self.features;
        for before in earlier.features {
            let mut now = features.iter_mut();
            match now.find(|found| found.name == before.name) {
                Some(found) if found.answer == FeatureAnswer::Unknown => *found = before,
                Some(_) => {}
                None => features.push(before),
            }
        }
        Self {
            sections,
            interrupted: earlier.interrupted,
            summary: Summary::of(checks.iter().map(|check| check.verdict)),
            checks,
            features,
            ..self
        }
    }
}

/// The sections of either run, in the suite's order.
fn joined<'a>(all: impl Iterator<Item = &'a str>, one: &[String], other: &[String]) -> Vec<String> {
    let is_there = |name: &&str| one.iter().chain(other).any(|asked| asked == name);
    all.filter(is_there).map(str::to_owned).collect()
}
