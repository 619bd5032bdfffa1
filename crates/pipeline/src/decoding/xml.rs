//! XML as records: an element is its text, or a record of its attributes (`@name`), the elements in it (a list of those
//! that are named alike) and its text (`#text`); an empty one is null. Prefixes of namespaces are left out.

use std::sync::Arc;

use bowline_template::Value;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::{Budget, DecodeError};

/// How deep elements may be nested.
const MOST_DEEP: usize = 128;
/// The name of an element's text beside attributes or elements.
const TEXT: &str = "#text";

/// A document, as a record of its one element.
pub(super) fn read(text: &str, mut budget: Budget) -> Result<Value, DecodeError> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        let event = reader
            .read_event()
            .map_err(|error| malformed(format!("{error} at byte {}", reader.error_position())))?;
        match event {
            Event::Start(start) => {
                if open.len() > MOST_DEEP {
                    return Err(malformed(format!("nested more than {MOST_DEEP} deep")));
                }
                open.push(Element::begin(&start, &mut budget)?);
            }
            Event::Empty(start) => {
                let element = Element::begin(&start, &mut budget)?;
                close(element, &mut open, &mut budget)?;
            }
            Event::End(_) => {
                let Some(element) = open.pop() else { break };
                close(element, &mut open, &mut budget)?;
            }
            Event::Text(text) => {
                add(&mut open, &text.decode().map_err(malformed)?);
            }
            Event::CData(text) => {
                add(&mut open, &text.decode().map_err(malformed)?);
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(malformed)?;
                let character = reference.resolve_char_ref().map_err(malformed)?;
                let known = character.map(String::from);
                let known = known.or_else(|| resolve_predefined_entity(&name).map(str::to_owned));
                let known = known.ok_or_else(|| malformed(format!("unknown entity `&{name};`")))?;
                add(&mut open, &known);
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(document), true) if !document.children.is_empty() => {
            if !document.text.trim().is_empty() {
                return Err(malformed("text outside the document's element"));
            }
            document.value(&mut budget)
        }
        (_, true) => Err(malformed("there is no element")),
        (_, false) => Err(malformed("it ends within an element")),
    }
}

fn malformed(error: impl std::fmt::Display) -> DecodeError {
    DecodeError::Malformed(error.to_string())
}

/// An element that is being read.
#[derive(Default)]
struct Element {
    name: Arc<str>,
    children: Vec<(Arc<str>, Vec<Value>)>,
    text: String,
}

impl Element {
    fn begin(start: &BytesStart<'_>, budget: &mut Budget) -> Result<Self, DecodeError> {
        let local = start.local_name();
        let name = std::str::from_utf8(local.as_ref()).map_err(malformed)?;
        let mut element = Self {
            name: budget.name(name)?,
            ..Self::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(malformed)?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let local = attribute.key.local_name();
            let name = std::str::from_utf8(local.as_ref()).map_err(malformed)?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(malformed)?;
            let name = budget.name(&format!("@{name}"))?;
            let value = budget.text(&value)?;
            element.add(name, value, budget)?;
        }
        Ok(element)
    }

    fn add(&mut self, name: Arc<str>, value: Value, budget: &Budget) -> Result<(), DecodeError> {
        budget.item()?;
        match self.children.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => self.children.push((name, vec![value])),
        }
        Ok(())
    }

    fn value(self, budget: &mut Budget) -> Result<Value, DecodeError> {
        let text = self.text.trim();
        if self.children.is_empty() {
            return if text.is_empty() {
                Ok(Value::NONE)
            } else {
                budget.text(text)
            };
        }
        let mut fields = Vec::with_capacity(self.children.len() + 1);
        for (name, mut values) in self.children {
            let value = match values.pop() {
                Some(only) if values.is_empty() => only,
                last => {
                    values.extend(last);
                    budget.list(values)?
                }
            };
            fields.push((name, value));
        }
        if !text.is_empty() {
            fields.push((budget.name(TEXT)?, budget.text(text)?));
        }
        budget.record(fields)
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn close(element: Element, open: &mut [Element], budget: &mut Budget) -> Result<(), DecodeError> {
    let name = Arc::clone(&element.name);
    let value = element.value(budget)?;
    match open.last_mut() {
        Some(around) => around.add(name, value, budget),
        None => Err(malformed("an element ends that did not begin")),
    }
}
