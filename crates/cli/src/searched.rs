//! What fits of a connector found nothing for, kept so that nobody is sent to look again while nothing changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use bowline_connector::Workspace;
use bowline_contract::Template;
use bowline_warehouse::Connector;
use bowline_warehouse::template::TemplateSet;
use serde_json::{Map, Value, json};

use crate::context::Context;

/// The circumstances of a fit: in the same, the next one finds nothing more.
pub(crate) struct Search {
    place: Option<PathBuf>,
    circumstances: Value,
}

impl Search {
    /// A fit of a connector with these templates, over what names itself so.
    pub(crate) fn of(connector: &Connector, product: &str, templates: &TemplateSet) -> Self {
        let state = Workspace::find(&connector.dir).map(|workspace| workspace.state_dir());
        let texts: Map<String, Value> = templates
            .iter()
            .map(|own| (own.template.short_name().to_owned(), json!(own.text)))
            .collect();
        Self {
            place: state
                .ok()
                .map(|state| state.join("fits").join(format!("{}.json", connector.name))),
            circumstances: json!({
                // The bank of spellings grows with it.
                "program": env!("BOWLINE_VERSION"),
                "product": product,
                "can_change_a_table": connector.has_functional_place(),
                "templates": texts,
            }),
        }
    }

    /// The templates, by short name, for which a fit in these circumstances found nothing.
    pub(crate) fn in_vain(&self) -> BTreeSet<String> {
        let text = self.place.as_ref().and_then(|place| fs::read(place).ok());
        let kept: Value = text
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        let names = kept["in_vain"].as_array().into_iter().flatten();
        names
            .filter(|_| kept["circumstances"] == self.circumstances)
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }

    /// Keeps that a fit found nothing for these. A workspace that cannot be written is told when asked to say more.
    pub(crate) fn keep(
        &self,
        context: &Context,
        templates: impl Iterator<Item = &'static Template>,
    ) {
        let mut in_vain = self.in_vain();
        in_vain.extend(templates.map(|template| template.short_name().to_owned()));
        let kept = json!({ "circumstances": self.circumstances, "in_vain": in_vain });
        let write = |place: &PathBuf| -> io::Result<()> {
            let folder = place.parent().unwrap_or(place);
            fs::create_dir_all(folder)?;
            let file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&file, &kept)?;
            file.persist(place)?;
            Ok(())
        };
        if let Some(Err(error)) = self.place.as_ref().map(write) {
            context
                .printer
                .detail(format!("what the fit tried cannot be kept: {error}"));
        }
    }
}
