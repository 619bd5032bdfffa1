//! The templates that a fit writes into a `connector.py`: one more layer over its classes, written anew by the next fit.

use bowline_contract::{Template, TemplateSection};

use super::overlay::{FITTED, NewTemplate};
use crate::scaffold::python_literal;

/// The docstring of the layer's classes.
const ABOUT: &str = "    \"\"\"What `bowline fit` found.\"\"\"";

/// A class of the layer.
#[derive(Debug, Default)]
struct Layer {
    /// What stands in it before its methods.
    head: String,
    methods: Vec<Method>,
}

#[derive(Debug)]
struct Method {
    name: String,
    text: String,
}

impl Layer {
    fn put(&mut self, method: Method) {
        match self.methods.iter_mut().find(|old| old.name == method.name) {
            Some(old) => *old = method,
            None => self.methods.push(method),
        }
    }
}

/// `connector.py` with these templates in its layer, over those of earlier fits.
pub(super) fn with_layer(text: &str, templates: &[NewTemplate]) -> String {
    let (rest, mut layers) = parted(text);
    for new in templates {
        let class = new.template.section.class_name();
        let name = new.template.name;
        let value = new.text.as_deref().map(python_literal);
        let value = value.unwrap_or_else(|| "None".to_owned());
        let text = format!(
            "    def {name}(self):\n        # {}\n        return {value}\n",
            new.comment
        );
        let name = name.to_owned();
        layer_of(&mut layers, class).put(Method { name, text });
    }
    let mut written = format!("{}\n", rest.trim_end());
    for (class, layer) in &layers {
        let base = if defines(&rest, class) {
            format!("({class})")
        } else {
            String::new()
        };
        written.push_str(&format!(
            "\n\nclass {class}{base}:\n{ABOUT}\n{}",
            layer.head
        ));
        for method in &layer.methods {
            written.push_str(&format!("\n{}", method.text));
        }
    }
    written
}

/// The templates that a fit wrote.
pub(super) fn fitted_methods(text: &str) -> Vec<&'static Template> {
    let (_, layers) = parted(text);
    let methods = layers.into_iter().flat_map(|(_, layer)| layer.methods);
    let is_ours = |method: &Method| {
        let mut lines = method.text.lines().map(str::trim_start);
        lines.any(|line| {
            line.strip_prefix("# ")
                .is_some_and(|line| line.starts_with(FITTED))
        })
    };
    methods
        .filter(is_ours)
        .filter_map(|method| Template::all().find(|template| template.name == method.name))
        .collect()
}

fn layer_of<'l>(layers: &'l mut Vec<(String, Layer)>, class: &str) -> &'l mut Layer {
    let at = layers.iter().position(|(name, _)| name == class);
    let at = at.unwrap_or_else(|| {
        layers.push((class.to_owned(), Layer::default()));
        layers.len() - 1
    });
    &mut layers[at].1
}

/// A file without what fits wrote, and what they wrote, all layers in one, by the order of the contract's classes. A
/// method that is written again behind a layer was dead there, and is left out.
fn parted(text: &str) -> (String, Vec<(String, Layer)>) {
    let lines: Vec<&str> = text.lines().collect();
    let mut rest: Vec<&str> = Vec::new();
    let mut layers: Vec<(String, Layer)> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let class = class_of(lines[at]).filter(|_| lines.get(at + 1) == Some(&ABOUT));
        let Some(class) = class else {
            if let Some(name) = method_of(lines[at]) {
                for (_, layer) in &mut layers {
                    layer.methods.retain(|method| method.name != name);
                }
            }
            rest.push(lines[at]);
            at += 1;
            continue;
        };
        at += 2;
        let is_inside = |line: &&&str| line.is_empty() || line.starts_with([' ', '\t']);
        let inside = lines[at..].iter().take_while(is_inside).count();
        let layer = layer_of(&mut layers, class);
        read_layer(&lines[at..at + inside], layer);
        at += inside;
    }
    layers.retain(|(_, layer)| !layer.methods.is_empty() || !layer.head.is_empty());
    let order = |class: &str| {
        let mut all = TemplateSection::ALL.iter();
        all.position(|section| section.class_name() == class)
    };
    layers.sort_by_key(|(class, _)| order(class));
    (rest.join("\n"), layers)
}

fn read_layer(lines: &[&str], layer: &mut Layer) {
    let starts: Vec<usize> = (0..lines.len())
        .filter(|at| method_of(lines[*at]).is_some())
        .collect();
    let joined = |lines: &[&str]| {
        let text = lines.join("\n");
        let text = text.trim_matches('\n').trim_end();
        if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        }
    };
    let first = starts.first().copied().unwrap_or(lines.len());
    layer.head.push_str(&joined(&lines[..first]));
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(lines.len());
        layer.put(Method {
            name: method_of(lines[*start]).unwrap_or_default().to_owned(),
            text: joined(&lines[*start..end]),
        });
    }
}

/// The name of the class that begins in a line.
fn class_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("class ")?;
    rest.split(['(', ':', ' ']).next()
}

/// The name of the method that begins in a line.
fn method_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("    def ")?;
    rest.split('(').next()
}

fn defines(text: &str, class: &str) -> bool {
    text.lines().any(|line| class_of(line) == Some(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &'static str, text: &str, comment: &str) -> NewTemplate {
        NewTemplate {
            template: Template::known(name),
            text: Some(text.to_owned()),
            comment: comment.to_owned(),
        }
    }

    fn file() -> (String, &'static str) {
        let class = Template::known("get_length").section.class_name();
        let text = format!("class BaseConnector:\n    pass\n\n\nclass {class}:\n    pass\n");
        (text, class)
    }

    #[test]
    fn the_next_fit_writes_the_layer_anew() {
        let (text, class) = file();
        let first = with_layer(&text, &[new("get_length", "LEN({x})", "Fitted on X: 1.")]);
        let layer = format!(
            "\n\nclass {class}({class}):\n{ABOUT}\n\n    def get_length_template(self):\n        # Fitted on X: 1.\n        return \"LEN({{x}})\"\n"
        );
        assert_eq!(first, format!("{text}{layer}"));
        assert_eq!(fitted_methods(&first), [Template::known("get_length")]);
        assert_eq!(with_layer(&first, &[]), first);

        let again = [
            new("get_length", "LENGTH({x})", "Fitted on Y: 1."),
            new("is_null", "a\n\nb", "Fitted on Y: 1."),
        ];
        let second = with_layer(&first, &again);
        assert_eq!(
            second.matches(&format!("class {class}({class}):")).count(),
            1
        );
        assert!(!second.contains("Fitted on X"), "{second}");
        assert!(second.contains("return \"LENGTH({x})\""), "{second}");
        assert_eq!(fitted_methods(&second).len(), 2);
        assert_eq!(with_layer(&second, &again), second);
    }

    #[test]
    fn layers_of_earlier_versions_become_one_and_what_users_wrote_stays() {
        let (text, class) = file();
        let layer = |name: &str, comment: &str| {
            format!(
                "\n\nclass {class}({class}):\n{ABOUT}\n\n    def {name}(self):\n        # {comment}\n        return \"1\"\n"
            )
        };
        let own = format!(
            "\n\nclass {class}({class}):\n    def is_null_template(self):\n        return \"mine\"\n\n\nBaseConnector.text_type = \"CLOB\"\n"
        );
        let text = [
            text,
            layer("get_length_template", "Fitted on X."),
            layer("is_null_template", "Fitted on X."),
            own.clone(),
            layer("get_average", "Changed by me."),
        ]
        .concat();
        let written = with_layer(&text, &[]);
        assert_eq!(written.matches(ABOUT).count(), 1, "{written}");
        assert!(written.contains(own.trim()), "{written}");
        assert_eq!(
            written.matches("def is_null_template").count(),
            1,
            "{written}"
        );
        assert!(written.contains("# Changed by me."), "{written}");
        assert_eq!(fitted_methods(&text), [Template::known("get_length")]);
    }

    #[test]
    fn a_file_without_the_class_gets_it() {
        let (_, class) = file();
        let length = new("get_length", "LEN({x})", "Fitted on X.");
        let written = with_layer("class BaseConnector:\n    pass\n", &[length]);
        assert!(
            written.contains(&format!("\n\nclass {class}:\n")),
            "{written}"
        );
    }
}
