//! The text of the generated `connector.py`.

use std::fmt::Write as _;

use bowline_contract::manifest::AssetClass;
use bowline_contract::{ConnectorName, Template, TemplateSection};

const SESSION: &str = include_str!("session.py");
const WAREHOUSE: &str = include_str!("warehouse.py");
const PIPELINE: &str = include_str!("pipeline.py");

/// Where the connector's own folder is, seen from `connector.py`.
pub(super) fn source_folder(class: AssetClass) -> &'static str {
    match class {
        // The agent's manifest and templates take the place of the connector's own.
        AssetClass::Warehouse => "source",
        AssetClass::Pipeline => ".",
    }
}

/// The `connector.py` of a connector; `templates` are those that its export has.
pub(super) fn connector_py(
    name: &ConnectorName,
    class: AssetClass,
    templates: &[&'static Template],
) -> String {
    let (thing, imports, code) = match class {
        AssetClass::Warehouse => (
            "database",
            "import base64\nimport collections\nimport decimal\nimport json\nimport math\nimport os\n\
             import subprocess\nimport threading\nimport weakref\n\
             from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional, Set, Tuple, TypeVar\n",
            WAREHOUSE,
        ),
        AssetClass::Pipeline => (
            "orchestrator",
            "import collections\nimport datetime\nimport json\nimport os\nimport subprocess\nimport threading\n\
             import weakref\nfrom typing import Any, Callable, Deque, Dict, List, Optional, Sequence, TypeVar\n",
            PIPELINE,
        ),
    };
    let mut text = format!(
        "\"\"\"Connector `{name}`, for the platform's agent.\n\n\
         Made by Bowline; a change is lost when the image is built again. The {thing} is reached by the program \
         `bowline`,\nwhich runs beside the agent and is asked over the process protocol. Python 3.8 or later, and \
         nothing to install.\n\"\"\"\n\n\
         {imports}\nNAME = \"{name}\"\nFOLDER = \"{}\"\n\n{SESSION}{code}",
        source_folder(class)
    );
    if class == AssetClass::Warehouse {
        let mut class_name = "";
        for section in TemplateSection::ALL {
            if section.class_name() != class_name {
                class_name = section.class_name();
                write_class(&mut text, class_name, templates);
            }
        }
    }
    text
}

fn write_class(text: &mut String, class_name: &str, templates: &[&'static Template]) {
    let _ = write!(
        text,
        "\n\nclass {class_name}:\n    \"\"\"Texts of the folder `templates`; a template that is not there is not supported.\"\"\"\n"
    );
    let methods = Template::all()
        .filter(|template| template.section.class_name() == class_name)
        .filter(|template| templates.iter().any(|one| one.name == template.name));
    for template in methods {
        let name = template.name;
        let _ = write!(
            text,
            "\n    def {name}(self) -> Optional[str]:\n        return template(\"{name}\")\n"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ConnectorName {
        ConnectorName::parse("shop").unwrap()
    }

    #[test]
    fn every_exported_template_has_its_method_in_the_contracts_class() {
        let all: Vec<&Template> = Template::all().collect();
        let text = connector_py(&name(), AssetClass::Warehouse, &all);
        let mut class = "";
        let mut found = 0;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("class ") {
                class = rest.trim_end_matches(':');
            }
            let method = line
                .strip_prefix("    def ")
                .and_then(|rest| rest.split('(').next());
            if let Some(template) = method.and_then(Template::find) {
                assert_eq!(class, template.section.class_name(), "{}", template.name);
                found += 1;
            }
        }
        assert_eq!(found, all.len());
    }

    #[test]
    fn what_is_not_exported_has_no_method() {
        let text = connector_py(&name(), AssetClass::Warehouse, &[]);
        assert!(text.contains("class QueryLanguageTemplates:"));
        assert!(!text.contains("_template(self)"), "{text}");
    }

    #[test]
    fn lines_are_as_short_as_everywhere() {
        for class in [AssetClass::Warehouse, AssetClass::Pipeline] {
            let all: Vec<&Template> = Template::all().collect();
            let text = connector_py(&name(), class, &all);
            let long: Vec<&str> = text.lines().filter(|line| line.len() > 120).collect();
            assert!(long.is_empty(), "{long:?}");
            assert!(!text.contains("\n\n\n\n") && text.ends_with('\n'));
        }
    }
}
