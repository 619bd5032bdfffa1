//! How the pages of a list are asked for, by the names of its parameters and of the fields in its answers.

use serde_json::Value as Json;

use super::document::Document;
use super::endpoint::{ListEndpoint, Parameter, folded};
use super::fields::{Access, Fields};

/// How a list's pages are asked for.
#[derive(Debug)]
pub(super) struct ProposedPaging {
    /// Parameters to send, with the text that stands for their value.
    pub(super) parameters: Vec<(String, &'static str)>,
    /// The members of `pages`, as TOML writes them.
    pub(super) pages: Vec<String>,
}

const SIZES: [&str; 14] = [
    "limit",
    "pagesize",
    "perpage",
    "pagelimit",
    "maxresults",
    "maxitems",
    "size",
    "count",
    "top",
    "take",
    "max",
    "itemsperpage",
    "resultsperpage",
    "pagesizelimit",
];
const OFFSETS: [&str; 7] = [
    "offset",
    "skip",
    "startat",
    "start",
    "pageoffset",
    "startindex",
    "from",
];
const NUMBERS: [&str; 6] = [
    "page",
    "pagenumber",
    "pageno",
    "pageindex",
    "currentpage",
    "pagenum",
];
const CURSORS: [&str; 11] = [
    "cursor",
    "pagetoken",
    "nextpagetoken",
    "nexttoken",
    "nextcursor",
    "continuationtoken",
    "continuation",
    "pagecursor",
    "after",
    "startingafter",
    "marker",
];
const NEXT_CURSORS: [&str; 10] = [
    "next_cursor",
    "next_page_token",
    "next_token",
    "end_cursor",
    "continuation_token",
    "next_page_cursor",
    "next_marker",
    "cursor",
    "continuation",
    "next",
];
const NEXT_LINKS: [&str; 6] = [
    "next",
    "next_url",
    "next_page",
    "next_link",
    "next_page_url",
    ODATA_NEXT,
];
/// OData's address of the next page, of which there is none once the parameter for the size was reached.
const ODATA_NEXT: &str = "odata_next_link";
const MORE: [&str; 4] = ["has_more", "more", "has_next", "has_next_page"];
const TOTALS: [&str; 7] = [
    "total",
    "total_count",
    "total_entries",
    "total_results",
    "total_items",
    "total_elements",
    "total_records",
];
/// The most records that a page is asked for when the document allows more.
const LARGEST: u64 = 1000;
const USUAL: u64 = 100;

impl ProposedPaging {
    /// What the list's parameters and answer tell; nothing when there is no word of pages.
    pub(super) fn of(document: &Document, list: &ListEndpoint<'_>) -> Option<Self> {
        let find = |names: &[&str]| {
            let parameters = list.parameters.iter();
            names.iter().find_map(|name| {
                let is_time = |parameter: &Parameter<'_>| parameter.schema["format"] == "date-time";
                parameters.clone().find(|parameter| {
                    let called = [parameter.name.as_ref(), of_pages(&parameter.name)].map(folded);
                    called.iter().any(|own| own == name) && !is_time(parameter)
                })
            })
        };
        let answer = Fields::new(document, "response", list.answer);
        let is_text =
            |schema: &Json| document.kind(schema) == "string" && !schema["type"].is_null();
        // Some call it an offset or a page what is the word for the next one, and give it by the same name.
        let token = || {
            let asked = find(&OFFSETS).or_else(|| find(&NUMBERS))?;
            let given = answer.plain(&[asked.name.as_ref()])?;
            (is_text(asked.schema) && is_text(given.schema)).then(|| (asked, Some(given.value())))
        };
        let deep = |names: &[&str]| {
            let found = answer.plain(names);
            found.or_else(|| answer.objects().find_map(|inner| inner.plain(names)))
        };
        let mut parameters = Vec::new();
        let mut pages = Vec::new();
        let next_cursor = || deep(&NEXT_CURSORS).map(|next| next.value());
        let cursor = find(&CURSORS).map(|cursor| (cursor, next_cursor()));
        let cursor = cursor.or_else(token);
        let next_link = link(document, &answer, cursor.is_some());
        // What is asked for by a body is not had by an address.
        let next_link = next_link.filter(|_| list.method == "GET" || cursor.is_none());
        let size = find(&SIZES).filter(|_| answer.plain(&[ODATA_NEXT]).is_none());
        if list.link_header {
            pages.push(style("link"));
            pages.push("next = \"headers.link | default('') | next_link\"".to_owned());
        } else if let Some(next) = next_link {
            pages.push(style("link"));
            pages.push(format!("next = {}", toml_text(&next)));
        } else if let Some((cursor, next)) = cursor {
            let by_last = || {
                // Cursors without a word about the next one are the id of the last record.
                let record = Fields::new(document, "last", list.record);
                let id = record.plain(&["id", "uuid", "key"])?;
                Some(match deep(&MORE) {
                    Some(more) => format!("{} if {}", id.path, more.part()),
                    None => format!("{} if records", id.path),
                })
            };
            parameters.push((cursor.name.to_string(), "{{ page.cursor }}"));
            pages.push(style("cursor"));
            let next = next.or_else(by_last);
            let next = next.unwrap_or_else(|| "response.next_cursor | default(none)".to_owned());
            pages.push(format!("next = {}", toml_text(&next)));
        } else if let Some(offset) = find(&OFFSETS).filter(|_| size.is_some()) {
            parameters.push((offset.name.to_string(), "{{ page.offset }}"));
            pages.push(style("offset"));
            pages.extend(
                deep(&TOTALS).map(|total| format!("total = {}", toml_text(&total.value()))),
            );
        } else if let Some(number) = find(&NUMBERS) {
            parameters.push((number.name.to_string(), "{{ page.number }}"));
            pages.push(style("number"));
            if starts_at_zero(number.schema) {
                pages.push("first = 0".to_owned());
            }
            pages.extend(
                deep(&TOTALS).map(|total| format!("total = {}", toml_text(&total.value()))),
            );
        } else {
            return None;
        }
        if let Some(size) = size {
            parameters.insert(0, (size.name.to_string(), "{{ page.size }}"));
            pages.insert(1, format!("size = {}", page_size(size)));
        }
        Some(Self { parameters, pages })
    }
}

fn style(name: &str) -> String {
    format!("style = \"{name}\"")
}

/// A parameter's name without the object around it that says that it is about pages: `limit` for `pagination.limit`.
fn of_pages(name: &str) -> &str {
    match name.split_once(['.', '[']) {
        Some((outer, inner)) if folded(outer).starts_with("pag") => inner,
        _ => name,
    }
}

/// The address of the next page, where an answer holds one; what may be a cursor as well is none where one is asked
/// for.
fn link(document: &Document, answer: &Fields<'_>, cursor_asked: bool) -> Option<String> {
    let is_text = |next: &Access<'_>| document.kind(next.schema) == "string";
    let is_address = |next: &Access<'_>| {
        let told = next.schema["description"].as_str().unwrap_or_default();
        let words = [told.to_lowercase(), folded(&next.path)];
        let sounds = |word: &str| words.iter().any(|text| text.contains(word));
        let format = next.schema["format"].as_str();
        is_text(next) && (matches!(format, Some("uri" | "url")) || sounds("url") || sounds("link"))
    };
    let direct = answer.plain(&NEXT_LINKS).filter(is_address);
    let in_links = || {
        let links = answer.inside(&["links", "_links", "paging", "pagination"])?;
        let object = links
            .inside(&["next"])
            .and_then(|next| next.plain(&["href", "url", "link"]));
        let text = || links.plain(&NEXT_LINKS).filter(is_text);
        object.or_else(|| text().filter(|next| !cursor_asked || is_address(next)))
    };
    direct.or_else(in_links).map(|next| next.value())
}

fn page_size(parameter: &Parameter<'_>) -> u64 {
    let most = parameter.schema["maximum"].as_u64();
    most.map_or(USUAL, |most| most.clamp(1, LARGEST))
}

fn starts_at_zero(schema: &Json) -> bool {
    let zero = |key: &str| schema[key].as_i64() == Some(0);
    zero("default") || (zero("minimum") && schema.get("default").is_none())
}

/// A text as TOML writes it.
pub(super) fn toml_text(text: &str) -> String {
    // JSON's escapes are TOML's too, but for the one control character that JSON lets stand.
    Json::from(text).to_string().replace('\u{7f}', "\\u007f")
}
