//! `pages` of a source: the styles in which vendors give long lists.

use bowline_connector::folder::ProblemKind;

use super::section::{Form, Section};
use crate::expression::Expression;

const STYLES: [&str; 4] = ["offset", "number", "cursor", "link"];

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
    /// Whether the vendor takes no offsets but multiples of the page size.
    pub aligned: bool,
}

impl Paging {
    /// Whether the method and body of the first request go with the next one.
    pub(crate) fn keeps_body(&self) -> Keep {
        match &self.style {
            PagingStyle::Link { follow, .. } => follow.body,
            _ => Keep::No,
        }
    }
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
        /// How it is followed.
        follow: Follow,
    },
}

/// How the address of a next page is followed.
#[derive(Debug, Clone, Default)]
pub struct Follow {
    /// Whether the method and body of the first request go with it.
    pub body: Keep,
    /// Whether parameters of the first request that it lacks go with it.
    pub query: Keep,
    /// Which hosts it may be on, beside that of the page it stood on.
    pub hosts: Hosts,
}

/// Whether something of the first request is part of the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    /// It is.
    Yes,
    /// It is not.
    #[default]
    No,
}

/// Which hosts the address of a next page may be on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hosts {
    /// Its own, which are asked on the host of the page: a proxy stands in front.
    Ignored,
    /// These too.
    Named(Vec<String>),
    /// No others.
    #[default]
    Own,
}

impl Follow {
    fn read(section: &mut Section<'_, '_, '_>) -> Self {
        let mut follow = Self::default();
        for word in section.texts("keep") {
            match word.as_str() {
                "body" => follow.body = Keep::Yes,
                "query" => follow.query = Keep::Yes,
                other => section.report_at(
                    "keep",
                    ProblemKind::InvalidValue,
                    format!("unknown word in `keep`: `{other}`"),
                    Some(bowline_words::nearest::hint(other, ["body", "query"])),
                ),
            }
        }
        follow.hosts = match section.form("hosts") {
            Form::List => Hosts::Named(section.texts("hosts")),
            Form::Text | Form::Table => match section.choice("hosts", ["ignore"]) {
                Some(_) => Hosts::Ignored,
                None => Hosts::Own,
            },
        };
        follow
    }
}

/// The size of a page when none is said.
const PAGE_SIZE: usize = 100;
/// How many pages are read when no bound is said.
const MOST_PAGES: usize = 10_000;

impl Paging {
    pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Option<Self> {
        let style = section.required_text("style");
        let size = section.count("size", 1).unwrap_or(PAGE_SIZE);
        let most = section.count("most", 1).unwrap_or(MOST_PAGES);
        let total = section.expression("total");
        let last = section.expression("last");
        let mut aligned = false;
        let style = match style?.as_str() {
            "offset" => {
                aligned = section.flag("aligned");
                PagingStyle::Offset
            }
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
            "link" => {
                let follow = Follow::read(section);
                let next = section.required_expression("next")?;
                PagingStyle::Link { next, follow }
            }
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
            aligned,
        })
    }
}
