//! What both jobs and runs need to be put together from the fields of a record.

use std::fmt::Write as _;

use super::document::Document;
use super::endpoint::ListEndpoint;
use super::fields::{Access, Fields};
use super::paging::toml_text;
use super::proposal::record_fields;

/// The names under which a record has the address of its page.
pub(super) const PAGES: [&str; 6] = ["html_url", "web_url", "ui_url", "page_url", "url", "link"];

/// Lines of `[assets]` or `[runs]`: a field, and its value as TOML writes it.
pub(super) type Lines = Vec<(&'static str, String)>;

pub(super) fn expression(text: &str) -> String {
    toml_text(text)
}

pub(super) fn write_lines(text: &mut String, lines: &Lines) {
    for (name, value) in lines {
        let _ = writeln!(text, "{name} = {value} # review");
    }
}

/// The list at one of these names, and the fields of its records.
pub(super) fn list<'d>(
    document: &'d Document,
    fields: &Fields<'d>,
    names: &[&str],
) -> Option<(Access<'d>, Fields<'d>)> {
    let found = fields.find(names)?;
    let items = document.items(found.schema)?;
    Some((found, Fields::new(document, "item", items)))
}

/// What stands between the expressions of an id of several.
const JOINT: &str = " ~ '/' ~ ";

/// Expressions put together to one id.
pub(super) fn joined(parts: &[String]) -> String {
    parts.join(JOINT)
}

/// The same expressions, for the record that a list hangs on.
pub(super) fn of_parent(id: &str) -> String {
    let parts = id.split(JOINT);
    let parts: Vec<String> = parts
        .map(|part| part.replacen("record", "parent", 1))
        .collect();
    joined(&parts)
}

/// The expressions for the fields that tell records of a list apart, where the path of one of them has several: all of
/// these are fields, too.
pub(super) fn key_of_several(document: &Document, list: &ListEndpoint<'_>) -> Option<Vec<String>> {
    let below = format!("{}/", list.base());
    let paths = document.at(&["paths"]).as_object()?;
    let fields = record_fields(document, list);
    paths
        .keys()
        .filter_map(|path| path.strip_prefix(&below))
        .filter_map(|rest| {
            let names = rest.trim_end_matches('/').split('/').map(|segment| {
                let name = segment.strip_prefix('{')?.strip_suffix('}')?;
                Some(fields.plain(&[name])?.path)
            });
            names.collect::<Option<Vec<String>>>()
        })
        .filter(|key| key.len() > 1)
        .min_by_key(Vec::len)
}
