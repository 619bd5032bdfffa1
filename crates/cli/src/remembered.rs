//! What is kept of a connector's database between runs, and holds as long as nothing that it came from changes.

use std::fs;
use std::io;
use std::path::PathBuf;

use bowline_connector::Workspace;
use bowline_warehouse::Connector;
use bowline_warehouse::template::TemplateSet;
use bowline_workbench::{Readers, write_whole};
use serde_json::{Map, Value, json};

use crate::context::Context;

/// What was found out in certain circumstances: those of another connector, program, database or template are others.
pub(crate) struct Remembered {
    place: Option<PathBuf>,
    circumstances: Value,
}

impl Remembered {
    /// What is kept in a folder of the workspace's state, of a connector with these templates over what names itself so.
    pub(crate) fn of(
        folder: &str,
        connector: &Connector,
        product: &str,
        templates: &TemplateSet,
    ) -> Self {
        let state = Workspace::find(&connector.dir).map(|workspace| workspace.state_dir());
        let texts: Map<String, Value> = templates
            .iter()
            .map(|own| (own.template.short_name().to_owned(), json!(own.text)))
            .collect();
        Self {
            place: state
                .ok()
                .map(|state| state.join(folder).join(format!("{}.json", connector.name))),
            circumstances: json!({
                "program": env!("BOWLINE_VERSION"),
                "product": product,
                "templates": texts,
            }),
        }
    }

    /// The same where something else counts too.
    pub(crate) fn where_also(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.circumstances[name] = value.into();
        self
    }

    /// What was kept under a name; null when nothing was, or in other circumstances.
    pub(crate) fn read(&self, name: &str) -> Value {
        let text = self.place.as_ref().and_then(|place| fs::read(place).ok());
        let mut kept: Value = text
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        if kept["circumstances"] == self.circumstances {
            kept[name].take()
        } else {
            Value::Null
        }
    }

    /// Keeps something under a name, in place of all that was kept. A workspace that cannot be written is told when asked
    /// to say more.
    pub(crate) fn keep(&self, context: &Context, name: &str, value: impl Into<Value>) {
        let mut kept = json!({ "circumstances": self.circumstances });
        kept[name] = value.into();
        let write = |place: &PathBuf| -> io::Result<()> {
            let folder = place.parent().unwrap_or(place);
            fs::create_dir_all(folder)?;
            write_whole(place, &serde_json::to_vec(&kept)?, Readers::Owner)
        };
        if let Some(Err(error)) = self.place.as_ref().map(write) {
            context
                .printer
                .detail(format!("what was found out cannot be kept: {error}"));
        }
    }
}
