//! `[sources.*]`: requests, their pages, where the records are, and what to find them by.

use bowline_connector::folder::ProblemKind;

use super::section::{Form, Section};
use crate::expression::{Expression, Template};

/// A list of the vendor's records.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it is asked for.
    pub origin: Origin,
    /// The request.
    pub request: Request,
    /// How its answer is split into pages; not at all when not said.
    pub paging: Option<Paging>,
    /// The records in an answer, called `response`; the answer itself when not said.
    pub records: Option<Expression>,
    /// The records inside each of those records, which is their `parent` then.
    pub flatten: Option<Expression>,
    /// Which records count.
    pub when: Option<Expression>,
    /// What expressions find a record by.
    pub index: Option<Index>,
    /// What tells records apart, so that pages that overlap do not double one. The `key` of single records does too.
    pub id: Option<Expression>,
    /// Statuses that mean that there is no such thing, which is no failure.
    pub missing: Vec<u16>,
    /// What counts as failure of this request although the status says success.
    pub reject: Vec<super::RejectRule>,
}

/// What a source is asked for.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Once.
    Once,
    /// Once for each record of another source.
    Each {
        /// The other source.
        source: String,
        /// For which of its records, each called `parent`.
        when: Option<Expression>,
    },
    /// Once for so many records of another source, together called `batch`.
    Batch {
        /// The other source.
        source: String,
        /// For which of its records, each called `parent`.
        when: Option<Expression>,
        /// How many at most.
        size: usize,
    },
}

impl Origin {
    /// The source whose records it is asked for.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::Once => None,
            Self::Each { source, .. } | Self::Batch { source, .. } => Some(source),
        }
    }
}

/// What records are found by.
#[derive(Debug, Clone)]
pub enum Index {
    /// One record for each key.
    One(Expression),
    /// A list of records for each key.
    Many(Expression),
    /// A record stands in the list of each key of a list.
    ManyKeys(Expression),
}

impl Index {
    /// The expression that gives the key or keys.
    #[must_use]
    pub fn expression(&self) -> &Expression {
        match self {
            Self::One(key) | Self::Many(key) | Self::ManyKeys(key) => key,
        }
    }
}

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The address behind the base address. What expressions give is percent-encoded.
    pub path: Template,
    /// Whether the path is a whole address of its own.
    pub absolute: bool,
    /// Query parameters: a list repeats the parameter, null leaves it out.
    pub query: Vec<(String, Template)>,
    /// The body, sent as JSON.
    pub json: Option<Template>,
    /// A GraphQL query, sent with `variables` as JSON.
    pub graphql: Option<String>,
    /// The variables of a GraphQL query.
    pub variables: Option<Template>,
    /// Headers of this request.
    pub headers: Vec<(String, Template)>,
    /// How the answer is written.
    pub format: BodyFormat,
}

impl Request {
    /// The address as it stands in the file, for errors.
    pub(crate) fn path_text(&self) -> String {
        match &self.path {
            Template::Constant(path) => crate::expression::text_of(path),
            Template::Typed(expression) => format!("{{{{ {} }}}}", expression.text()),
            Template::Text(parts) => parts.iter().map(ToString::to_string).collect(),
            Template::List(_) | Template::Table(_) => String::new(),
        }
    }

    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let query = self.query.iter().map(|(_, value)| value);
        let headers = self.headers.iter().map(|(_, value)| value);
        std::iter::once(&self.path)
            .chain(query)
            .chain(headers)
            .chain(&self.json)
            .chain(&self.variables)
    }
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// As JSON.
    Json,
    /// As one JSON value per line; the answer is the list of them.
    JsonLines,
}

/// How a long list is read.
#[derive(Debug, Clone)]
pub struct Paging {
    /// The style.
    pub style: PagingStyle,
    /// How many records a page is asked for, as `page.size`.
    pub size: usize,
    /// The number of records there are in all, where an answer says it.
    pub total: Option<Expression>,
    /// Whether the page is the last one, where an answer says it.
    pub last: Option<Expression>,
    /// How many pages are read at most; more are an error.
    pub most: usize,
}

/// The styles of paging. Requests place `page.size` and the style's own value where the vendor wants them.
#[derive(Debug, Clone)]
pub enum PagingStyle {
    /// `page.offset`: records before the page.
    Offset,
    /// `page.number`, counting from the first.
    Number {
        /// The number of the first page.
        first: i64,
    },
    /// `page.cursor`: where the last answer says to go on.
    Cursor {
        /// The cursor of the first page; null when not said.
        first: Option<String>,
        /// The next cursor; null or empty text ends the list. Sees `response`, `headers`, `records` and `last`.
        next: Expression,
    },
    /// The whole address of the next page, on the same host; null ends the list.
    Link {
        /// The next address. Sees `response`, `headers`, `records` and `last`.
        next: Expression,
    },
}

const STYLES: [&str; 4] = ["offset", "number", "cursor", "link"];
/// Those that vendors read with: every request may be sent again.
const METHODS: [&str; 2] = ["GET", "POST"];

impl Source {
    /// What tells the records on its pages apart, if anything does.
    pub(crate) fn identity(&self) -> Option<&Expression> {
        match (&self.id, &self.index, &self.flatten) {
            (Some(id), _, _) => Some(id),
            (None, Some(Index::One(key)), None) => Some(key),
            _ => None,
        }
    }

    pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Option<Self> {
        let origin = read_origin(section);
        let request = read_request(section);
        let paging = section.table("pages", Paging::read);
        let records = section.expression("records");
        let flatten = section.expression("flatten");
        let when = section.expression("when");
        let index = read_index(section);
        let id = section.expression("id");
        let missing = section.counts("missing");
        let reject = section.tables("reject", |rule| {
            let message = rule.expression("message");
            Some(super::RejectRule {
                when: rule.required_expression("when")?,
                message,
            })
        });
        Some(Self {
            origin: origin?,
            request: request?,
            paging: match paging {
                None => None,
                Some(paging) => Some(paging?),
            },
            records,
            flatten,
            when,
            index,
            id,
            missing,
            reject,
        })
    }
}

fn read_origin(section: &mut Section<'_, '_, '_>) -> Option<Origin> {
    match section.form("for_each") {
        Form::Table => section
            .table("for_each", |each| {
                let source = each.required_text("source");
                let when = each.expression("when");
                let batch = each.count("batch", 1);
                let source = source?;
                Some(match batch {
                    None => Origin::Each { source, when },
                    Some(size) => Origin::Batch { source, when, size },
                })
            })
            .flatten(),
        Form::Text | Form::List => Some(match section.text("for_each") {
            Some(source) => Origin::Each { source, when: None },
            None => Origin::Once,
        }),
    }
}

fn read_index(section: &mut Section<'_, '_, '_>) -> Option<Index> {
    let many = section.flag("many");
    let key = section.expression("key");
    let keys = section.expression("keys");
    match (key, keys) {
        (Some(_), Some(_)) => {
            section.report_at(
                "keys",
                ProblemKind::InvalidValue,
                "both `key` and `keys` are given".to_owned(),
                Some("keep the one that fits: `keys` is a list".to_owned()),
            );
            None
        }
        (Some(key), None) if many => Some(Index::Many(key)),
        (Some(key), None) => Some(Index::One(key)),
        (None, Some(keys)) => Some(Index::ManyKeys(keys)),
        (None, None) => None,
    }
}

/// Reads the keys of a request, which stand among others in a source's table.
pub(super) fn read_request(section: &mut Section<'_, '_, '_>) -> Option<Request> {
    let graphql = section.text("graphql");
    let json = section.template("json");
    let variables = section.template("variables");
    let query = section.templates("query");
    let headers = section.templates("headers");
    let with_body = graphql.is_some() || json.is_some();
    let method = section.text("method").map_or_else(
        || Some(if with_body { "POST" } else { "GET" }.to_owned()),
        |method| {
            let known = METHODS.contains(&method.as_str());
            if !known {
                section.report_at(
                    "method",
                    ProblemKind::InvalidValue,
                    format!("unknown method `{method}`"),
                    Some(bowline_words::nearest::hint(&method, METHODS)),
                );
            }
            known.then_some(method)
        },
    );
    let format = match section.text("format").as_deref() {
        None | Some("json") => BodyFormat::Json,
        Some("ndjson") => BodyFormat::JsonLines,
        Some(other) => {
            let hint = bowline_words::nearest::hint(other, ["json", "ndjson"]);
            section.report_at(
                "format",
                ProblemKind::InvalidValue,
                format!("unknown format `{other}`"),
                Some(hint),
            );
            BodyFormat::Json
        }
    };
    let path = section.template("path");
    let url = section.template("url");
    let absolute = url.is_some();
    let path = path.or(url);
    if path.is_none() && !section.has("path") && !section.has("url") {
        section.missing("path");
    }
    Some(Request {
        method: method?,
        path: path?,
        absolute,
        query,
        json,
        graphql,
        variables,
        headers,
        format,
    })
}

/// The size of a page when none is said.
const PAGE_SIZE: usize = 100;
/// How many pages are read when no bound is said.
const MOST_PAGES: usize = 10_000;

impl Paging {
    fn read(section: &mut Section<'_, '_, '_>) -> Option<Self> {
        let style = section.required_text("style");
        let size = section.count("size", 1).unwrap_or(PAGE_SIZE);
        let most = section.count("most", 1).unwrap_or(MOST_PAGES);
        let total = section.expression("total");
        let last = section.expression("last");
        let style = match style?.as_str() {
            "offset" => PagingStyle::Offset,
            "number" => PagingStyle::Number {
                first: section
                    .count("first", 0)
                    .and_then(|first| i64::try_from(first).ok())
                    .unwrap_or(1),
            },
            "cursor" => {
                let first = section.text("first");
                let next = section.required_expression("next")?;
                PagingStyle::Cursor { first, next }
            }
            "link" => PagingStyle::Link {
                next: section.required_expression("next")?,
            },
            other => {
                section.report_at(
                    "style",
                    ProblemKind::InvalidValue,
                    format!("unknown style of paging: `{other}`"),
                    Some(bowline_words::nearest::hint(other, STYLES)),
                );
                section.forget_unknown();
                return None;
            }
        };
        Some(Self {
            style,
            size,
            total,
            last,
            most,
        })
    }
}
