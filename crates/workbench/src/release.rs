//! What was released: read from an export's files, wherever they lie.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bowline_contract::layout::{
    EVIDENCE_DIR, EVIDENCE_FILE, MANIFEST_FILE, TEMPLATE_EXPORT_ENDING, TEMPLATES_DIR,
};
use bowline_contract::{Template, VariableType};
use bowline_evidence::unpack;
use bowline_report::{Release, Spelling};
use bowline_template::{CompiledTemplate, TemplateValue};
use bowline_warehouse::template::{Arguments, ConnectorTemplate, Origin, TemplateSet};
use jiff::civil::date;
use serde_json::{Map, Value};

use crate::WorkbenchError;

/// Reads an export from its folder, and from the evidence in it which server it was proven on.
///
/// # Errors
/// [`WorkbenchError::ExportRead`].
pub fn read_folder(folder: &Path) -> Result<Release, WorkbenchError> {
    let mut files = BTreeMap::new();
    let mut keep = |name: String, path: &Path| {
        let bytes = fs::read(path).map_err(|error| unreadable(path, error))?;
        files.insert(name, bytes);
        Ok::<_, WorkbenchError>(())
    };
    keep(MANIFEST_FILE.to_owned(), &folder.join(MANIFEST_FILE))?;
    let templates = folder.join(TEMPLATES_DIR);
    if templates.is_dir() {
        let entries = fs::read_dir(&templates).map_err(|error| unreadable(&templates, error))?;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&templates, error))?.path();
            if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                keep(format!("{TEMPLATES_DIR}/{name}"), &path)?;
            }
        }
    }
    let release = read_files(&folder.display().to_string(), &files)?;
    let evidence = folder.join(EVIDENCE_DIR).join(EVIDENCE_FILE);
    let server = fs::read(&evidence)
        .ok()
        .and_then(|packed| unpack(&packed, EVIDENCE_FILE).ok())
        .map(|evidence| evidence.recording.product);
    Ok(Release { server, ..release })
}

/// Reads an export from its files: the manifest and the templates by their names below its folder. `place` is where
/// they lie, for errors.
///
/// # Errors
/// [`WorkbenchError::ExportRead`].
pub fn read_files(
    place: &str,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Release, WorkbenchError> {
    let refused = |why: String| WorkbenchError::ExportRead {
        place: place.to_owned(),
        why,
    };
    let manifest = files
        .get(MANIFEST_FILE)
        .ok_or_else(|| refused(format!("there is no `{MANIFEST_FILE}`")))?;
    let manifest: Map<String, Value> = serde_json::from_slice(manifest)
        .map_err(|error| refused(format!("`{MANIFEST_FILE}` is no manifest: {error}")))?;
    let mut templates = BTreeMap::new();
    for (name, bytes) in files {
        let name = name
            .strip_prefix(TEMPLATES_DIR)
            .and_then(|name| name.strip_prefix('/')?.strip_suffix(TEMPLATE_EXPORT_ENDING));
        let Some(name) = name else { continue };
        let text = std::str::from_utf8(bytes)
            .map_err(|error| refused(format!("template `{name}` is no text: {error}")))?;
        let template = Template::find(name);
        let spelling = Spelling {
            text: text.to_owned(),
            rendered: template.and_then(|template| rendered(template, text)),
        };
        let name = template.map(Template::short_name).unwrap_or(name);
        templates.insert(name.to_owned(), Some(spelling));
    }
    Ok(Release::of_manifest(&manifest, templates))
}

fn unreadable(path: &Path, error: std::io::Error) -> WorkbenchError {
    WorkbenchError::ExportRead {
        place: path.display().to_string(),
        why: error.to_string(),
    }
}

/// What a template becomes with arguments that stand for all; none where it becomes nothing.
fn rendered(template: &'static Template, text: &str) -> Option<String> {
    let mut set = TemplateSet::default();
    set.insert(ConnectorTemplate {
        template,
        text: text.to_owned(),
        origin: Origin::Composed,
        compiled: CompiledTemplate::compile(template.short_name(), text).ok()?,
    });
    let variables = template.variables.iter();
    let arguments = Arguments {
        variables: variables
            .map(|variable| (variable.name, sample(variable.name, variable.kind)))
            .collect(),
        placeholders: template
            .placeholders
            .iter()
            .map(|placeholder| (*placeholder, format!("{{{placeholder}}}")))
            .collect(),
    };
    set.render(template, &arguments).ok()
}

/// A value that shows where it goes.
fn sample(name: &str, kind: VariableType) -> TemplateValue {
    let text = |text: &str| TemplateValue::Text(text.to_owned());
    let day = date(2024, 6, 15);
    match kind {
        VariableType::Text => text(name),
        VariableType::Integer => TemplateValue::Integer(7),
        VariableType::Float => TemplateValue::Float(0.25),
        VariableType::Boolean => TemplateValue::Boolean(true),
        VariableType::Date => TemplateValue::Date(day),
        VariableType::DateTime => TemplateValue::DateTime(day.at(10, 30, 45, 0)),
        VariableType::List | VariableType::TextList => {
            TemplateValue::List(vec![text("first"), text("second")])
        }
        VariableType::PairList => TemplateValue::List(vec![
            TemplateValue::Tuple(vec![text("first"), text("one")]),
            TemplateValue::Tuple(vec![text("second"), text("two")]),
        ]),
    }
}
