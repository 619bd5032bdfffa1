//! The templates that a fit writes into a `connector.py`: one more layer over its classes, written anew by the next fit.

use bowline_contract::{Template, TemplateSection};

use super::overlay::{FITTED, NewTemplate};
use crate::scaffold::python_literal;

/// The docstring of the layer's classes.
const ABOUT: &str = "    \"\"\"What `bowline fit` found.\"\"\"";

/// A method of a layer's class, with the comments and decorators above it.
#[derive(Debug)]
struct Method {
    name: String,
    text: String,
}

/// The methods of a layer's class.
type Layer = (String, Vec<Method>);

/// `connector.py` with these templates in its layer, over those of earlier fits, and with these lines behind it.
pub(super) fn with_layer(text: &str, templates: &[NewTemplate], lines: &[String]) -> String {
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
        put(&mut layers, class, Method { name, text });
    }
    let mut written = "\n".to_owned();
    for (class, methods) in &layers {
        let base = if defines(&rest, class) {
            format!("({class})")
        } else {
            String::new()
        };
        written.push_str(&format!("\n\nclass {class}{base}:\n{ABOUT}\n"));
        for method in methods {
            written.push_str(&format!("\n{}", method.text));
        }
    }
    if !lines.is_empty() {
        written.push_str(&format!("\n\n{}", lines.concat()));
    }
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    format!("{}{}", rest.trim_end(), written.replace('\n', line_end))
}

/// The templates that a fit wrote: those whose last definition has its comment.
pub(super) fn fitted_methods(text: &str) -> Vec<&'static Template> {
    let mut methods: Vec<(&str, bool)> = Vec::new();
    for line in text.lines() {
        let comment = line.trim_start().strip_prefix("# ");
        if let Some(name) = method_of(line) {
            methods.retain(|(known, _)| *known != name);
            methods.push((name, false));
        } else if comment.is_some_and(|comment| comment.starts_with(FITTED))
            && let Some((_, is_ours)) = methods.last_mut()
        {
            *is_ours = true;
        }
    }
    let ours = methods.into_iter().filter(|(_, is_ours)| *is_ours);
    ours.filter_map(|(name, _)| Template::all().find(|template| template.name == name))
        .collect()
}

fn put(layers: &mut Vec<Layer>, class: &str, method: Method) {
    let at = layers.iter().position(|(name, _)| name == class);
    let at = at.unwrap_or_else(|| {
        layers.push((class.to_owned(), Vec::new()));
        layers.len() - 1
    });
    let methods = &mut layers[at].1;
    match methods.iter_mut().find(|old| old.name == method.name) {
        Some(old) => *old = method,
        None => methods.push(method),
    }
}

/// A file without what fits wrote, and what they wrote, all layers in one, by the order of the contract's classes. A
/// method that is written again behind a layer was dead there, and is left out.
fn parted(text: &str) -> (String, Vec<Layer>) {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut rest: Vec<&str> = Vec::new();
    let mut layers: Vec<Layer> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if let Some((class, methods, end)) = layer_at(&lines, at) {
            for method in methods {
                put(&mut layers, class, method);
            }
            at = end;
            continue;
        }
        if let Some(name) = method_of(lines[at]) {
            for (_, methods) in &mut layers {
                methods.retain(|method| method.name != name);
            }
        }
        rest.push(lines[at]);
        at += 1;
    }
    layers.retain(|(_, methods)| !methods.is_empty());
    let order = |class: &str| {
        let mut all = TemplateSection::ALL.iter();
        all.position(|section| section.class_name() == class)
    };
    layers.sort_by_key(|(class, _)| order(class));
    (rest.join("\n"), layers)
}

/// The layer that begins at a line: its class, its methods, and the line behind it. None where a user gave it another
/// shape than a fit does: where such a layer ends cannot be told from its lines, so it is left alone.
fn layer_at<'t>(lines: &[&'t str], at: usize) -> Option<(&'t str, Vec<Method>, usize)> {
    let class = class_of(lines[at])?;
    let heads = [
        format!("class {class}:"),
        format!("class {class}({class}):"),
    ];
    let about = lines.get(at + 1)?.trim_end();
    let is_layer = about == ABOUT && heads.iter().any(|head| head == lines[at].trim_end());
    let (above, inside) = (&lines[..at], &lines[at + 2..]);
    let is_decorated = above
        .iter()
        .rfind(|line| !is_blank(line))
        .is_some_and(|line| line.starts_with('@'));
    let stands_alone = above.last().is_none_or(|line| is_blank(line)) && !is_decorated;
    let is_inside = |line: &&&str| is_blank(line) || line.starts_with([' ', '\t']);
    let length = inside.iter().take_while(is_inside).count();
    let has_end = inside.get(length).is_none_or(|line| begins_statement(line));
    let inside = &inside[..length];
    if !is_layer || !stands_alone || !has_end || inside.iter().any(|line| goes_on(line)) {
        return None;
    }
    Some((class, methods_in(inside)?, at + 2 + length))
}

/// The methods that make up a class; none where it has anything else.
fn methods_in(lines: &[&str]) -> Option<Vec<Method>> {
    let mut methods: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut above_next: Vec<&str> = Vec::new();
    for line in lines.iter().map(|line| line.trim_end()) {
        if let Some(name) = method_of(line) {
            above_next.push(line);
            methods.push((name, std::mem::take(&mut above_next)));
        } else if line.starts_with("    @") || line.starts_with("    #") {
            above_next.push(line);
        } else if !above_next.is_empty() {
            return None;
        } else if line.starts_with("        ") {
            methods.last_mut()?.1.push(line);
        } else if !line.is_empty() {
            return None;
        } else if let Some((_, text)) = methods.last_mut() {
            text.push(line);
        }
    }
    let methods = methods.into_iter().map(|(name, lines)| Method {
        name: name.to_owned(),
        text: format!("{}\n", lines.join("\n").trim_end()),
    });
    above_next.is_empty().then(|| methods.collect())
}

/// Whether a text that a line begins may go on in the next, or its statement does by a backslash.
fn goes_on(line: &str) -> bool {
    let mut quote = None;
    let mut rest = line.chars();
    loop {
        let is_long = ["\"\"\"", "'''"]
            .iter()
            .any(|quotes| rest.as_str().starts_with(quotes));
        match (quote, rest.next()) {
            (None, Some('"' | '\'')) if is_long => return true,
            (None, Some(start @ ('"' | '\''))) => quote = Some(start),
            (None, Some('#')) => return false,
            (Some(_), Some('\\')) => {
                rest.next();
            }
            (Some(start), Some(end)) if start == end => quote = None,
            (_, Some(_)) => {}
            (_, None) => return quote.is_some() || line.trim_end().ends_with('\\'),
        }
    }
}

/// Whether a line is the first of a statement, and cannot be a further one of a statement or of a text.
fn begins_statement(line: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let gives_attribute = line
        .split_once(" = ")
        .is_some_and(|(name, _)| name.contains('.') && name.chars().all(is_name));
    let words = ["class ", "def ", "async def ", "import ", "@"];
    gives_attribute || words.iter().any(|word| line.starts_with(word))
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
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

    fn fitted(text: &str, templates: &[NewTemplate]) -> String {
        with_layer(text, templates, &[])
    }

    fn file() -> (String, &'static str) {
        let class = Template::known("get_length").section.class_name();
        let text = format!("class BaseConnector:\n    pass\n\n\nclass {class}:\n    pass\n");
        (text, class)
    }

    #[test]
    fn the_next_fit_writes_the_layer_anew() {
        let (text, class) = file();
        let first = fitted(&text, &[new("get_length", "LEN({x})", "Fitted on X: 1.")]);
        let layer = format!(
            "\n\nclass {class}({class}):\n{ABOUT}\n\n    def get_length_template(self):\n        # Fitted on X: 1.\n        return \"LEN({{x}})\"\n"
        );
        assert_eq!(first, format!("{text}{layer}"));
        assert_eq!(fitted_methods(&first), [Template::known("get_length")]);
        assert_eq!(fitted(&first, &[]), first);

        let again = [
            new("get_length", "LENGTH({x})", "Fitted on Y: 1."),
            new("is_null", "a\n\nb", "Fitted on Y: 1."),
        ];
        let second = fitted(&first, &again);
        assert_eq!(
            second.matches(&format!("class {class}({class}):")).count(),
            1
        );
        assert!(!second.contains("Fitted on X"), "{second}");
        assert!(second.contains("return \"LENGTH({x})\""), "{second}");
        assert_eq!(fitted_methods(&second).len(), 2);
        assert_eq!(fitted(&second, &again), second);
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
        let written = fitted(&text, &[]);
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
        let written = fitted("class BaseConnector:\n    pass\n", &[length]);
        assert!(
            written.contains(&format!("\n\nclass {class}:\n")),
            "{written}"
        );
    }

    #[test]
    fn a_layer_of_another_shape_is_left_alone() {
        let (text, class) = file();
        let first = fitted(&text, &[new("get_length", "LEN({x})", "Fitted on X.")]);
        let returned = "        return \"LEN({x})\"\n";
        let head = format!("class {class}({class}):\n{ABOUT}");
        let edited = |from: &str, to: &str| {
            assert!(first.contains(from), "{from}\n{first}");
            first.replace(from, to)
        };
        let behind = |lines: &str| edited(returned, &format!("{returned}{lines}"));
        for edited in [
            edited(returned, "        return \"\"\"\nLEN({x})\n\"\"\"\n"),
            edited(returned, "        return '''\nclass {x}\n'''\n"),
            edited(returned, "        return \"LEN(\\\nclass {x})\"\n"),
            edited(returned, &format!("# Mine.\n{returned}")),
            edited(returned, "        return (\n\"LEN({x})\"\n        )\n"),
            behind("    length = 1\n"),
            behind("    # def other(self):\n"),
            behind("\tlength = 1\n"),
            behind("# Mine.\n"),
            edited(&head, &format!("@mine\n{head}")),
            edited(&head, &format!("@mine\n\n{head}")),
            edited(&head, &format!("class {class}({class}, Mine):\n{ABOUT}")),
        ] {
            let ours = fitted_methods(&edited);
            assert_eq!(ours, [Template::known("get_length")], "{edited}");
            let mut written = edited.clone();
            for words in ["LENGTH({x})", "SIZE({x})"] {
                written = fitted(&written, &[new("get_length", words, "Fitted on Y.")]);
                let layer = written.strip_prefix(edited.trim_end());
                let layer = layer.unwrap_or_else(|| panic!("{written}"));
                let method = format!("# Fitted on Y.\n        return \"{words}\"\n");
                assert_eq!(layer.matches("class ").count(), 1, "{written}");
                assert!(layer.ends_with(&method), "{written}");
            }
        }
    }

    #[test]
    fn quotes_in_a_fitted_text_are_no_other_shape() {
        let (text, _) = file();
        for words in [
            "''''",
            "\"\"\"",
            "\"'\"''' \\\\",
            "a\n'''\n\"\"\" # \\\n",
            "#'''",
        ] {
            let length = [new("get_length", words, "Fitted on X.")];
            let first = fitted(&text, &length);
            assert_eq!(fitted(&first, &length), first);
        }
    }

    #[test]
    fn what_stands_above_a_method_goes_with_it() {
        let (text, _) = file();
        let length = |words| new("get_length", words, "Fitted on X.");
        let helper = "\n    # Mine.\n    @staticmethod\n    def helper():\n        return 1\n";
        let behind = "\n\n@mine\ndef other():\n    pass\n";
        let first = fitted(&text, &[length("LEN({x})")]) + helper + behind;
        let second = fitted(&first, &[length("SIZE({x})")]);
        let method = format!("return \"SIZE({{x}})\"\n{helper}");
        assert!(second.ends_with(&method), "{second}");
        assert!(second.contains(behind), "{second}");
        assert!(!second.contains("LEN("), "{second}");
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        let (text, _) = file();
        let wide = |text: &str| text.replace('\n', "\r\n");
        let words = ["BaseConnector.text_type = \"CLOB\"\n".to_owned()];
        let length = |words| [new("get_length", words, "Fitted on X.")];
        let first = with_layer(&text, &length("LEN({x})"), &words);
        let written = with_layer(&wide(&text), &length("LEN({x})"), &words);
        assert_eq!(written, wide(&first));
        let second = fitted(&first, &length("SIZE({x})"));
        assert_eq!(second.matches(ABOUT).count(), 1, "{second}");
        assert_eq!(fitted(&written, &length("SIZE({x})")), wide(&second));
        assert_eq!(fitted_methods(&written), fitted_methods(&first));
    }
}
