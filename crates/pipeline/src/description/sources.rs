//! `[sources.*]`: requests, their pages, where the records are, and what to find them by.

use bowline_connector::folder::ProblemKind;
use jiff::SignedDuration;

use super::auth::Pair;
use super::http::RejectRule;
use super::paging::Paging;
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
    pub reject: Vec<RejectRule>,
    /// What becomes of the reading when a list cannot be read.
    pub failing: Failing,
    /// The longest window that may be asked for; any when not said.
    pub window: Option<WindowCap>,
}

/// What becomes of the reading when a source that is asked for each record of another fails for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Failing {
    /// It stops.
    #[default]
    Stop,
    /// It goes on without, and tells of it.
    LeaveOut,
}

/// The longest window that the vendor takes in one request; longer ones are asked for in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowCap {
    /// How long a window may be.
    pub length: Option<SignedDuration>,
    /// How many records the vendor gives of a window at most. Where it gave as many, the window is split.
    pub records: Option<usize>,
}

/// What a source is asked for.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Once.
    Once,
    /// Once for each of these.
    Each {
        /// What it is asked for.
        of: Drivers,
        /// For which of them, each called `parent`.
        when: Option<Expression>,
    },
    /// Once for so many of these, together called `batch`.
    Batch {
        /// What it is asked for.
        of: Drivers,
        /// For which of them, each called `parent`.
        when: Option<Expression>,
        /// How many at most.
        size: usize,
    },
}

/// What a source is asked for one by one.
#[derive(Debug, Clone)]
pub enum Drivers {
    /// The records of another source, by its name.
    Source(String),
    /// The items of a list that is no source, such as the accounts among the credentials.
    List(Expression),
}

impl Origin {
    /// What it is asked for, if not once.
    pub(crate) fn drivers(&self) -> Option<&Drivers> {
        match self {
            Self::Once => None,
            Self::Each { of, .. } | Self::Batch { of, .. } => Some(of),
        }
    }

    /// The source whose records it is asked for.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        match self.drivers()? {
            Drivers::Source(name) => Some(name),
            Drivers::List(_) => None,
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
    /// Other hosts than that of the base address that may know who asks, where a vendor's record names the host.
    pub hosts: Option<Vec<String>>,
    /// Query parameters: a list repeats the parameter, null leaves it out.
    pub query: Vec<(String, Template)>,
    /// The body, sent as JSON.
    pub json: Option<Template>,
    /// The body, sent as a form: a list repeats the field, null leaves it out.
    pub form: Vec<(String, Template)>,
    /// The body, sent as it is.
    pub body: Option<Template>,
    /// A GraphQL query, sent with `variables` as JSON.
    pub graphql: Option<String>,
    /// The variables of a GraphQL query.
    pub variables: Option<Template>,
    /// Headers of this request.
    pub headers: Vec<(String, Template)>,
    /// A user name and password of this request's own.
    pub basic: Option<Pair>,
    /// How the answer is written; as JSON when not said, or for a login as text if it is no JSON.
    pub format: Option<BodyFormat>,
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

    /// A form that is sent to a whole address.
    pub(super) fn form(url: Template, form: Vec<(String, Template)>) -> Self {
        Self {
            method: "POST".to_owned(),
            path: url,
            absolute: true,
            hosts: None,
            query: Vec::new(),
            json: None,
            form,
            body: None,
            graphql: None,
            variables: None,
            headers: Vec::new(),
            basic: None,
            format: None,
        }
    }

    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        let named = self.query.iter().chain(&self.headers).chain(&self.form);
        std::iter::once(&self.path)
            .chain(named.map(|(_, value)| value))
            .chain(
                [&self.json, &self.body, &self.variables]
                    .into_iter()
                    .flatten(),
            )
            .chain(self.basic.iter().flat_map(Pair::templates))
    }
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFormat {
    /// As JSON.
    Json,
    /// As one JSON value per line; the answer is the list of them.
    JsonLines,
    /// As lines of values, of which the first names the fields; the answer is the list of records.
    Csv {
        /// What stands between values: one byte.
        delimiter: u8,
    },
    /// As XML; the answer is the record that its one element is.
    Xml,
    /// As text.
    Text,
}

/// Those that vendors read with: every request may be sent again.
const METHODS: [&str; 2] = ["GET", "POST"];
const FORMATS: [&str; 6] = ["json", "ndjson", "csv", "tsv", "xml", "text"];

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
        let reject = RejectRule::read_all(section);
        let failing = read_failing(section);
        let window = section.table("window", |window| WindowCap {
            length: window
                .number("most_hours")
                .and_then(|hours| SignedDuration::try_from_secs_f64(hours * 3600.0).ok()),
            records: window.count("most_records", 1),
        });
        Some(Self {
            failing,
            window,
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
                let source = each.text("source");
                let list = each.expression("list");
                let when = each.expression("when");
                let batch = each.count("batch", 1);
                let of = match (source, list) {
                    (Some(source), None) => Drivers::Source(source),
                    (None, Some(list)) => Drivers::List(list),
                    (Some(_), Some(_)) => {
                        each.report_at(
                            "list",
                            ProblemKind::InvalidValue,
                            "both `source` and `list` are given".to_owned(),
                            Some("keep the one that fits".to_owned()),
                        );
                        return None;
                    }
                    (None, None) => {
                        if !each.has("list") {
                            each.required_text("source");
                        }
                        return None;
                    }
                };
                Some(match batch {
                    None => Origin::Each { of, when },
                    Some(size) => Origin::Batch { of, when, size },
                })
            })
            .flatten(),
        Form::Text | Form::List => Some(match section.text("for_each") {
            Some(source) => Origin::Each {
                of: Drivers::Source(source),
                when: None,
            },
            None => Origin::Once,
        }),
    }
}

fn read_failing(section: &mut Section<'_, '_, '_>) -> Failing {
    const KEY: &str = "failing";
    const WORDS: [&str; 2] = ["stop", "leave_out"];
    let (message, hint) = match section.text(KEY).as_deref() {
        None | Some("stop") => return Failing::Stop,
        Some("leave_out") if section.has("for_each") => return Failing::LeaveOut,
        Some("leave_out") => (
            "only a source with `for_each` may leave out what fails".to_owned(),
            "take it away: a list that is read once is needed whole".to_owned(),
        ),
        Some(other) => (
            format!("`{KEY}` is neither `stop` nor `leave_out`: `{other}`"),
            bowline_words::nearest::hint(other, WORDS),
        ),
    };
    section.report_at(KEY, ProblemKind::InvalidValue, message, Some(hint));
    Failing::Stop
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
    let form = section.templates("form");
    let body = section.template("body");
    let variables = section.template("variables");
    let query = section.templates("query");
    let headers = section.templates("headers");
    let basic = section.table("basic", Pair::read).flatten();
    let bodies = ["graphql", "json", "form", "body"];
    let given: Vec<&str> = bodies.into_iter().filter(|key| section.has(key)).collect();
    if let [first, second, ..] = given[..] {
        section.report_at(
            second,
            ProblemKind::InvalidValue,
            format!("both `{first}` and `{second}` are given"),
            Some("keep one: a request has one body".to_owned()),
        );
    }
    let method = section.choice("method", METHODS);
    let standard = if given.is_empty() { "GET" } else { "POST" };
    let format = read_format(section);
    let path = section.template("path");
    let url = section.template("url");
    let beginning = |template: &Option<Template>| Some(template.as_ref()?.beginning()?.to_owned());
    let is_whole = |address: &str| {
        let scheme = address.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| {
            ["http", "https"]
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known))
        })
    };
    if beginning(&path).is_some_and(|path| is_whole(&path)) {
        let hint = "write a whole address as `url`, or only what stands behind the base address";
        let message = "`path` is a whole address".to_owned();
        section.report_at(
            "path",
            ProblemKind::InvalidValue,
            message,
            Some(hint.to_owned()),
        );
    }
    if beginning(&url).is_some_and(|url| !is_whole(&url)) {
        let hint =
            "begin it with `https://`, or write what stands behind the base address as `path`";
        let message = "`url` is no whole address".to_owned();
        section.report_at(
            "url",
            ProblemKind::InvalidValue,
            message,
            Some(hint.to_owned()),
        );
    }
    let absolute = url.is_some();
    let hosts = section.texts("hosts");
    let hosts = section.has("hosts").then_some(hosts);
    if let Some(host) = hosts
        .iter()
        .flatten()
        .find(|host| host.contains(['/', ':']))
    {
        section.report_at(
            "hosts",
            ProblemKind::InvalidValue,
            format!("`{host}` is no name of a host"),
            Some("write it without scheme, port and path, such as `api.example.com`".to_owned()),
        );
    }
    if !absolute && hosts.is_some() {
        section.report_at(
            "hosts",
            ProblemKind::InvalidValue,
            "`hosts` stands beside no `url`".to_owned(),
            Some("hosts of next pages stand in `pages`".to_owned()),
        );
    }
    let path = path.or(url);
    if path.is_none() && !section.has("path") && !section.has("url") {
        section.missing("path");
    }
    Some(Request {
        method: method.unwrap_or(standard).to_owned(),
        path: path?,
        absolute,
        hosts,
        query,
        json,
        form,
        body,
        graphql,
        variables,
        headers,
        basic,
        format,
    })
}

fn read_format(section: &mut Section<'_, '_, '_>) -> Option<BodyFormat> {
    let delimiter = section.text("delimiter");
    let byte = match delimiter.as_deref().map(str::as_bytes) {
        None => None,
        Some([byte]) => Some(*byte),
        Some(_) => {
            section.report_at(
                "delimiter",
                ProblemKind::InvalidValue,
                "`delimiter` is not one character of ASCII".to_owned(),
                None,
            );
            None
        }
    };
    Some(match section.choice("format", FORMATS)? {
        "json" => BodyFormat::Json,
        "ndjson" => BodyFormat::JsonLines,
        "csv" => BodyFormat::Csv {
            delimiter: byte.unwrap_or(b','),
        },
        "tsv" => BodyFormat::Csv { delimiter: b'\t' },
        "xml" => BodyFormat::Xml,
        _ => BodyFormat::Text,
    })
}
