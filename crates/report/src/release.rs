//! What a connector was released with, and what another release means for those who use it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bowline_contract::{Template, TemplateKind};
use serde::Serialize;
use serde_json::{Map, Value};

/// What a run, an export or an image says that a connector does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// What the platform knows connections of it by; none where it is not told.
    pub connection_type: Option<String>,
    /// The server it was proven on, as that names itself; none where it is not told.
    pub server: Option<String>,
    /// The capabilities that were proven.
    pub capabilities: BTreeSet<String>,
    /// The metrics that were proven.
    pub metrics: BTreeSet<String>,
    /// The templates that were proven, by name, with their texts where they are told.
    pub templates: BTreeMap<String, Option<Spelling>>,
    /// The credentials, by their paths such as `connect_args.host`; none where they are not told.
    pub credentials: Option<BTreeMap<String, Credential>>,
}

/// The text of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    /// As it is written.
    pub text: String,
    /// What it becomes with arguments that stand for all; none where it becomes nothing.
    pub rendered: Option<String>,
}

/// What a schema asks of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whether it must be given.
    pub required: bool,
    /// Everything else, as JSON.
    pub rule: String,
}

/// How much a change asks of those who use the connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bump {
    /// Nothing is different.
    None,
    /// The same things are done otherwise.
    Patch,
    /// More is there.
    Minor,
    /// Something is gone, or has to be given that was not.
    Major,
}

impl Bump {
    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// What is different about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseChange {
    /// What kind of thing it is.
    pub what: Thing,
    /// Its name.
    pub name: String,
    /// What it was; null where it was not there.
    pub before: Option<String>,
    /// What it is; null where it is gone.
    pub after: Option<String>,
    /// What that asks for.
    pub bump: Bump,
}

/// A kind of thing that a release holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A capability.
    Capability,
    /// A metric.
    Metric,
    /// A template.
    Template,
    /// A credential.
    Credential,
    /// What the platform knows connections of it by.
    ConnectionType,
    /// The server.
    Server,
}

impl Thing {
    /// All kinds, in the order in which changes are told.
    pub const ALL: [Self; 6] = [
        Self::Capability,
        Self::Metric,
        Self::Template,
        Self::Credential,
        Self::ConnectionType,
        Self::Server,
    ];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capability => "capability",
            Self::Metric => "metric",
            Self::Template => "template",
            Self::Credential => "credential",
            Self::ConnectionType => "connection type",
            Self::Server => "server",
        }
    }
}

/// Everything that is different between two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseChanges {
    /// What all of it asks for together.
    pub bump: Bump,
    /// Each change: capabilities, metrics, templates, credentials, the connection type, the server.
    pub changes: Vec<ReleaseChange>,
}

impl Release {
    /// What a report says.
    #[must_use]
    pub fn of_report(report: &crate::WarehouseReport) -> Self {
        let is_proven = |verdict| verdict == Some(crate::Verdict::Supported);
        let capabilities = report.capabilities.iter();
        let metrics = report.metrics.iter();
        let templates = report.templates.iter();
        Self {
            connection_type: None,
            server: Some(report.product.clone()).filter(|product| !product.is_empty()),
            capabilities: capabilities
                .filter(|each| is_proven(each.verdict))
                .map(|each| each.name.clone())
                .collect(),
            metrics: metrics
                .filter(|each| each.supported)
                .map(|each| each.name.clone())
                .collect(),
            templates: templates
                .filter(|each| is_proven(each.verdict) && is_exported(&each.name))
                .map(|each| (short(&each.name), None))
                .collect(),
            credentials: None,
        }
    }

    /// What an exported manifest says; `templates` are those beside it.
    #[must_use]
    pub fn of_manifest(
        manifest: &Map<String, Value>,
        templates: BTreeMap<String, Option<Spelling>>,
    ) -> Self {
        let proven = |key: &str| {
            let all = manifest.get(key).and_then(Value::as_object);
            let all = all.into_iter().flatten();
            all.filter(|(_, is)| is.as_bool() == Some(true))
                .map(|(name, _)| name.clone())
                .collect()
        };
        let mut credentials = BTreeMap::new();
        if let Some(Value::Object(schema)) = manifest.get("credentials_schema") {
            gather(schema, "", &mut credentials);
        }
        let connection_type = manifest.get("connection_type").and_then(Value::as_str);
        Self {
            connection_type: connection_type.map(str::to_owned),
            server: None,
            capabilities: proven("capabilities"),
            metrics: proven("metrics"),
            templates,
            credentials: Some(credentials),
        }
    }

    /// What is different from an earlier release.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> ReleaseChanges {
        let mut changes = names(Thing::Capability, &before.capabilities, &self.capabilities);
        changes.extend(names(Thing::Metric, &before.metrics, &self.metrics));
        changes.extend(templates(&before.templates, &self.templates));
        if let (Some(before), Some(after)) = (&before.credentials, &self.credentials) {
            changes.extend(credentials(before, after));
        }
        // The platform takes a connector of another type for another one: connections stay with the old.
        for (what, bump, before, after) in [
            (
                Thing::ConnectionType,
                Bump::Major,
                &before.connection_type,
                &self.connection_type,
            ),
            (Thing::Server, Bump::Patch, &before.server, &self.server),
        ] {
            if let (Some(before), Some(after)) = (before, after)
                && before != after
            {
                changes.push(ReleaseChange {
                    what,
                    name: what.name().replace(' ', "_"),
                    before: Some(before.clone()),
                    after: Some(after.clone()),
                    bump,
                });
            }
        }
        let bump = changes.iter().map(|change| change.bump).max();
        ReleaseChanges {
            bump: bump.unwrap_or(Bump::None),
            changes,
        }
    }
}

impl ReleaseChanges {
    /// A summary for a pull request.
    #[must_use]
    pub fn markdown(&self, before: &str, after: &str) -> String {
        let mut page = format!("### `{before}` → `{after}`: {}\n\n", self.bump.name());
        if self.changes.is_empty() {
            page.push_str("Nothing is different.\n");
            return page;
        }
        page.push_str("| | what | before | after |\n| --- | --- | --- | --- |\n");
        for change in &self.changes {
            let cell = |text: &Option<String>| match text.as_deref() {
                None => "–".to_owned(),
                Some(text) => text
                    .replace('\n', " ")
                    .replace('|', "\\|")
                    .replace('`', "\\`"),
            };
            let _ = writeln!(
                page,
                "| {} | {} `{}` | {} | {} |",
                change.bump.name(),
                change.what.name(),
                change.name,
                cell(&change.before),
                cell(&change.after)
            );
        }
        page
    }
}

/// Whether an export holds the template: statements serve the suite alone.
fn is_exported(name: &str) -> bool {
    Template::find(name).is_none_or(|template| template.kind != TemplateKind::Statement)
}

/// The name of a template without what they all end in.
fn short(name: &str) -> String {
    let known = Template::find(name).map(Template::short_name);
    known.unwrap_or(name).to_owned()
}

fn names(what: Thing, before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<ReleaseChange> {
    let change = |name: &String| {
        let word = |set: &BTreeSet<String>| set.contains(name).then(|| "proven".to_owned());
        ReleaseChange {
            what,
            name: name.clone(),
            before: word(before),
            after: word(after),
            bump: if after.contains(name) {
                Bump::Minor
            } else {
                Bump::Major
            },
        }
    };
    before.symmetric_difference(after).map(change).collect()
}

fn templates(
    before: &BTreeMap<String, Option<Spelling>>,
    after: &BTreeMap<String, Option<Spelling>>,
) -> Vec<ReleaseChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |name: &String| {
        let (before, after) = (before.get(name), after.get(name));
        let bump = match (before, after) {
            (None, _) => Bump::Minor,
            (_, None) => Bump::Major,
            (Some(Some(before)), Some(Some(after))) if before.is_as_good_as(after) => return None,
            (Some(None), _) | (_, Some(None)) => return None,
            (Some(Some(_)), Some(Some(_))) => Bump::Patch,
        };
        let shown = |spelling: Option<&Option<Spelling>>| match spelling? {
            None => Some("proven".to_owned()),
            Some(spelling) => Some(spelling.rendered.as_ref().unwrap_or(&spelling.text).clone()),
        };
        Some(ReleaseChange {
            what: Thing::Template,
            name: name.clone(),
            before: shown(before),
            after: shown(after),
            bump,
        })
    };
    names.into_iter().filter_map(change).collect()
}

impl Spelling {
    /// Whether the database is sent the same.
    fn is_as_good_as(&self, other: &Self) -> bool {
        self.text == other.text || (self.rendered.is_some() && self.rendered == other.rendered)
    }
}

fn credentials(
    before: &BTreeMap<String, Credential>,
    after: &BTreeMap<String, Credential>,
) -> Vec<ReleaseChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |name: &String| {
        let (before, after) = (before.get(name), after.get(name));
        let bump = match (before, after) {
            (before, after) if before == after => return None,
            (None, Some(after)) if !after.required => Bump::Minor,
            (Some(before), Some(after)) if before.rule == after.rule && !after.required => {
                Bump::Minor
            }
            // What was stored may be refused: a schema refuses what it does not know.
            _ => Bump::Major,
        };
        let shown = |credential: Option<&Credential>| {
            credential.map(|credential| {
                let word = if credential.required {
                    "required"
                } else {
                    "optional"
                };
                format!("{word} {}", credential.rule)
            })
        };
        Some(ReleaseChange {
            what: Thing::Credential,
            name: name.clone(),
            before: shown(before),
            after: shown(after),
            bump,
        })
    };
    names.into_iter().filter_map(change).collect()
}

/// The credentials of a schema, those inside of others too.
fn gather(schema: &Map<String, Value>, path: &str, credentials: &mut BTreeMap<String, Credential>) {
    for (name, rule) in schema {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        let mut rule = rule.as_object().cloned().unwrap_or_default();
        let required = rule.remove("required").and_then(|value| value.as_bool());
        if let Some(Value::Object(inner)) = rule.remove("schema") {
            gather(&inner, &path, credentials);
        }
        rule.remove("meta");
        rule.sort_keys();
        credentials.insert(
            path,
            Credential {
                required: required == Some(true),
                rule: Value::Object(rule).to_string(),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn release(capability: bool, avg: &str, credentials: Value) -> Release {
        let manifest = json!({
            "capabilities": { "supports_metadata": capability },
            "metrics": { "numeric_mean": true },
            "credentials_schema": { "connect_args": { "type": "dict", "schema": credentials } },
        });
        let spelling = Spelling {
            text: avg.to_owned(),
            rendered: Some(avg.replace("{{ x }}", "x").replace("{x}", "x")),
        };
        let templates = BTreeMap::from([("get_avg_function".to_owned(), Some(spelling))]);
        Release::of_manifest(manifest.as_object().unwrap(), templates)
    }

    fn host(required: bool, kind: &str) -> Value {
        json!({ "host": { "required": required, "type": kind } })
    }

    #[test]
    fn what_a_change_asks_for() {
        let first = release(true, "AVG({x})", host(true, "string"));
        let bump = |after: Release| after.changes_since(&first).bump;
        assert_eq!(bump(first.clone()), Bump::None);
        assert_eq!(
            bump(release(true, "AVG({{ x }})", host(true, "string"))),
            Bump::None,
            "it renders to the same"
        );
        assert_eq!(
            bump(release(true, "MEAN({x})", host(true, "string"))),
            Bump::Patch
        );
        assert_eq!(
            bump(release(true, "AVG({x})", host(false, "string"))),
            Bump::Minor
        );
        assert_eq!(
            bump(release(true, "AVG({x})", host(true, "integer"))),
            Bump::Major
        );
        assert_eq!(bump(release(true, "AVG({x})", json!({}))), Bump::Major);
        let lost = release(false, "AVG({x})", host(true, "string"));
        assert_eq!(bump(lost.clone()), Bump::Major);
        assert_eq!(first.changes_since(&lost).bump, Bump::Minor);
        let mut more = host(true, "string");
        more["port"] = json!({ "type": "integer" });
        assert_eq!(bump(release(true, "AVG({x})", more.clone())), Bump::Minor);
        more["port"]["required"] = true.into();
        assert_eq!(bump(release(true, "AVG({x})", more)), Bump::Major);
    }

    #[test]
    fn another_connection_type_is_another_connector() {
        let first = release(true, "AVG({x})", json!({}));
        let of_type = |name: &str| Release {
            connection_type: Some(name.to_owned()),
            ..first.clone()
        };
        let changes = of_type("b").changes_since(&of_type("a"));
        assert_eq!(changes.bump, Bump::Major);
        assert_eq!(changes.changes[0].what, Thing::ConnectionType);
        assert_eq!(of_type("a").changes_since(&of_type("a")).bump, Bump::None);
        assert_eq!(of_type("a").changes_since(&first).bump, Bump::None);
    }

    #[test]
    fn the_summary_says_both_sides_and_keeps_its_table() {
        let first = release(true, "AVG({x})", json!({}));
        let other = release(false, "a | b\n`c`", json!({}));
        let page = other.changes_since(&first).markdown("1.0", "2.0");
        assert!(page.starts_with("### `1.0` → `2.0`: major\n"), "{page}");
        assert!(page.contains("| major | capability `supports_metadata` | proven | – |"));
        assert!(
            page.contains("| patch | template `get_avg_function` | AVG(x) | a \\| b \\`c\\` |"),
            "{page}"
        );
        let none = first.changes_since(&first).markdown("a", "b");
        assert!(none.ends_with("Nothing is different.\n"));
    }
}
