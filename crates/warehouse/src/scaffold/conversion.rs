//! What a declarative connector takes over from one whose templates come from its own code.

use std::fmt::Write;
use std::sync::Arc;

use bowline_contract::{Template, TemplateKind, TemplateSection};
use serde_json::{Map, Value, json};

use crate::connector::{Connector, Functional, FunctionalTarget};
use crate::dialect::{Pack, ScaffoldFiles};
use crate::template::TemplateSet;

/// Everything that is taken over.
#[derive(Debug, Clone)]
pub(super) struct Conversion {
    from: String,
    templates: TemplateSet,
    target: Option<FunctionalTarget>,
    connect_args: Map<String, Value>,
}

impl Conversion {
    pub(super) fn of(
        from: &Connector,
        connect_args: &Map<String, Value>,
        renamed: &[(String, String)],
    ) -> Self {
        let mut connect_args = connect_args.clone();
        for (ours, theirs) in renamed {
            if let Some(value) = connect_args.remove(theirs) {
                connect_args.insert(ours.clone(), value);
            }
        }
        Self {
            from: from.name.to_string(),
            templates: from.templates.clone(),
            target: match &from.functional {
                Some(Functional::Given(target)) => Some(target.clone()),
                Some(Functional::Declared(_)) | None => None,
            },
            connect_args,
        }
    }

    /// A pack's `connector.toml` with the functional checks' table that is taken over.
    pub(super) fn connector(&self, text: &str) -> String {
        let head = text
            .split("\n# Where functional checks")
            .next()
            .unwrap_or(text);
        let mut text = format!("{}\n", head.trim_end());
        if let Some(target) = &self.target {
            text.push_str(
                "\n# Where functional checks may drop, create and change a table of their own.\n\
                 # Take the section out and they do not run.\n[functional]\n",
            );
            let database = target.database.as_ref().map(|name| ("database", name));
            let names = [("schema", &target.schema), ("table", &target.table)];
            for (key, name) in database.into_iter().chain(names) {
                let _ = writeln!(text, "{key} = {}", toml::Value::from(name.as_str()));
            }
        }
        text
    }

    /// A `templates.toml` with what differs from the pack.
    pub(super) fn templates(&self, pack: Option<&Arc<Pack>>) -> String {
        let mut text = format!(
            "# The templates of connector `{}` that differ from the pack this one extends.\n",
            self.from
        );
        for section in TemplateSection::ALL {
            let entries: Vec<String> = Template::all()
                .filter(|template| template.section == *section)
                .filter_map(|template| self.entry(template, pack))
                .collect();
            if !entries.is_empty() {
                let _ = write!(text, "\n[{section}]\n{}", entries.concat());
            }
        }
        text
    }

    fn entry(&self, template: &Template, pack: Option<&Arc<Pack>>) -> Option<String> {
        let own = self.templates.get(template).map(|own| own.text.as_str());
        let of_pack = pack
            .and_then(|pack| pack.spelling(template))
            .map(|spelling| spelling.text);
        let value = match (own, of_pack) {
            (own, of_pack) if own == of_pack => return None,
            // A flag's `false` is its answer, not its absence.
            (None, _) if template.kind == TemplateKind::Flag => toml::Value::from(""),
            (None, _) => toml::Value::from(false),
            (Some(own), _) => toml::Value::from(own),
        };
        Some(format!("{} = {value}\n", template.short_name()))
    }

    /// A `credentials.json` with the credentials that the pack's own connectors use; all of them where that is not
    /// known.
    pub(super) fn credentials(&self, known: Option<&ScaffoldFiles>) -> String {
        let schema: Value = known
            .and_then(|known| serde_json::from_str(&known.credentials_schema).ok())
            .unwrap_or_default();
        let wanted = schema["connect_args"]["schema"].as_object();
        let kept: Map<String, Value> = self
            .connect_args
            .iter()
            .filter(|(name, _)| wanted.is_none_or(|wanted| wanted.contains_key(*name)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        format!("{:#}\n", json!({ "connect_args": kept }))
    }
}
