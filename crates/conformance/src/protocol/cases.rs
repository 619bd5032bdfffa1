//! The cases, as data.

use bowline_protocol::{Method, VERSION, code};
use serde_json::{Value as Json, json};

use super::CheckOptions;

/// One case: what is sent in turn, and what must come back.
pub(super) struct Case {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) of: Of,
    pub(super) begin: Begin,
    pub(super) steps: &'static [(Say, Expect)],
}

/// Which programs a case is for.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Any,
    Warehouse,
    Pipeline,
    /// Those that serve `templates`.
    Templates,
}

/// How far the conversation is when the steps begin.
#[derive(Clone, Copy)]
pub(super) enum Begin {
    /// Nothing was said.
    Cold,
    /// Hands were shaken.
    Initialized,
    /// It is logged in.
    Connected,
}

/// What is sent.
pub(super) enum Say {
    /// A call with parameters made from the options.
    Call(Method, fn(&CheckOptions) -> Json),
    /// A call of a method that nobody has.
    Unknown,
    /// A line as it is; its answer has no id.
    Line(&'static str),
    /// The end of its standard input; nothing is to come back, and it has to end.
    EndOfInput,
    /// Nothing; it has to end by itself.
    Nothing,
}

/// What must come back.
pub(super) enum Expect {
    Hello,
    Done,
    Connected,
    Rows,
    Executed,
    Templates,
    Assets,
    Runs,
    /// An error, with this code if one is named.
    Error(Option<i64>),
    /// An error of the kind `too_large`.
    TooLarge,
}

const STILL_THERE: (Say, Expect) = (Say::Unknown, Expect::Error(Some(code::METHOD_NOT_FOUND)));
const ROWS: (Say, Expect) = (Say::Call(Method::Query, query), Expect::Rows);
const CLOSED: (Say, Expect) = (Say::Call(Method::Close, nothing), Expect::Done);
const ENDED: (Say, Expect) = (Say::Nothing, Expect::Done);
const HUNG_UP: (Say, Expect) = (Say::EndOfInput, Expect::Done);

pub(super) const CASES: &[Case] = &[
    Case {
        id: "handshake",
        title: "`initialize` gives the version, the kind and the methods of that kind",
        of: Of::Any,
        begin: Begin::Cold,
        steps: &[(Say::Call(Method::Initialize, initialize), Expect::Hello)],
    },
    Case {
        id: "later_client",
        title: "parameters that a later version may add are passed over",
        of: Of::Any,
        begin: Begin::Cold,
        steps: &[(
            Say::Call(Method::Initialize, initialize_later),
            Expect::Hello,
        )],
    },
    Case {
        id: "other_version",
        title: "`initialize` with a version it does not speak is an error",
        of: Of::Any,
        begin: Begin::Cold,
        steps: &[(
            Say::Call(Method::Initialize, initialize_other),
            Expect::Error(None),
        )],
    },
    Case {
        id: "no_handshake",
        title: "any other method before `initialize` is an error",
        of: Of::Any,
        begin: Begin::Cold,
        steps: &[
            (Say::Call(Method::Query, query), Expect::Error(None)),
            (Say::Call(Method::Initialize, initialize), Expect::Hello),
        ],
    },
    Case {
        id: "unknown_method",
        title: "an unknown method is an error, and the conversation goes on",
        of: Of::Any,
        begin: Begin::Initialized,
        steps: &[STILL_THERE, STILL_THERE],
    },
    Case {
        id: "not_json",
        title: "a line that is not JSON is an error without an id, and the conversation goes on",
        of: Of::Any,
        begin: Begin::Initialized,
        steps: &[
            (
                Say::Line("{\"jsonrpc\": \"2.0\", "),
                Expect::Error(Some(code::PARSE_ERROR)),
            ),
            STILL_THERE,
        ],
    },
    Case {
        id: "not_a_request",
        title: "JSON that is no request is an error without an id, and the conversation goes on",
        of: Of::Any,
        begin: Begin::Initialized,
        steps: &[
            (Say::Line("42"), Expect::Error(Some(code::INVALID_REQUEST))),
            STILL_THERE,
        ],
    },
    Case {
        id: "no_login",
        title: "a statement before `connect` is an error",
        of: Of::Warehouse,
        begin: Begin::Initialized,
        steps: &[(
            Say::Call(Method::Query, query),
            Expect::Error(Some(code::INVALID_REQUEST)),
        )],
    },
    Case {
        id: "no_setup",
        title: "fetching before `setup` is an error",
        of: Of::Pipeline,
        begin: Begin::Initialized,
        steps: &[(
            Say::Call(Method::FetchMetadata, page),
            Expect::Error(Some(code::INVALID_REQUEST)),
        )],
    },
    Case {
        id: "no_credentials",
        title: "`connect` without credentials is an error",
        of: Of::Warehouse,
        begin: Begin::Initialized,
        steps: &[(
            Say::Call(Method::Connect, nothing),
            Expect::Error(Some(code::INVALID_PARAMS)),
        )],
    },
    Case {
        id: "templates",
        title: "`templates` gives texts under the contract's names, without a login",
        of: Of::Templates,
        begin: Begin::Initialized,
        steps: &[(Say::Call(Method::Templates, nothing), Expect::Templates)],
    },
    Case {
        id: "close",
        title: "`close` is answered, and the process ends",
        of: Of::Any,
        begin: Begin::Initialized,
        steps: &[CLOSED, ENDED],
    },
    Case {
        id: "end_of_input",
        title: "the process ends when its standard input does",
        of: Of::Any,
        begin: Begin::Initialized,
        steps: &[HUNG_UP],
    },
    Case {
        id: "end_before_a_word",
        title: "the process ends when its standard input does, even before the handshake",
        of: Of::Any,
        begin: Begin::Cold,
        steps: &[HUNG_UP],
    },
    Case {
        id: "query",
        title: "a query gives rows as long as its columns, with values of the protocol's forms",
        of: Of::Warehouse,
        begin: Begin::Connected,
        steps: &[ROWS, ROWS],
    },
    Case {
        id: "execute",
        title: "a statement can be run for its effect, and the next query runs",
        of: Of::Warehouse,
        begin: Begin::Connected,
        steps: &[
            (Say::Call(Method::Execute, execute), Expect::Executed),
            ROWS,
        ],
    },
    Case {
        id: "failing_statement",
        title: "a statement that fails is an error, and the next one runs",
        of: Of::Warehouse,
        begin: Begin::Connected,
        steps: &[
            (
                Say::Call(Method::Query, nonsense),
                Expect::Error(Some(code::FAILED)),
            ),
            ROWS,
        ],
    },
    Case {
        id: "too_many_rows",
        title: "more rows than asked for are an error, and the next statement runs",
        of: Of::Warehouse,
        begin: Begin::Connected,
        steps: &[
            (Say::Call(Method::Query, query_no_rows), Expect::TooLarge),
            ROWS,
        ],
    },
    Case {
        id: "too_many_bytes",
        title: "more bytes than asked for are an error, and the next statement runs",
        of: Of::Warehouse,
        begin: Begin::Connected,
        steps: &[
            (Say::Call(Method::Query, query_no_bytes), Expect::TooLarge),
            ROWS,
        ],
    },
    Case {
        id: "assets",
        title: "a page of assets is a list no longer than asked for",
        of: Of::Pipeline,
        begin: Begin::Connected,
        steps: &[(Say::Call(Method::FetchMetadata, page), Expect::Assets)],
    },
    Case {
        id: "runs",
        title: "a page of runs is a list no longer than asked for",
        of: Of::Pipeline,
        begin: Begin::Connected,
        steps: &[(Say::Call(Method::FetchRunDetails, window), Expect::Runs)],
    },
    Case {
        id: "log_out",
        title: "`close` logs out, and the process ends",
        of: Of::Any,
        begin: Begin::Connected,
        steps: &[CLOSED, ENDED],
    },
    Case {
        id: "end_of_input_logged_in",
        title: "the process ends when its standard input does, logged in or not",
        of: Of::Any,
        begin: Begin::Connected,
        steps: &[HUNG_UP],
    },
];

pub(super) fn initialize(_: &CheckOptions) -> Json {
    json!({"protocol": VERSION, "client": "bowline protocol check"})
}

fn initialize_later(options: &CheckOptions) -> Json {
    let mut params = initialize(options);
    params["added_later"] = json!({"a": [1, null]});
    params
}

fn initialize_other(_: &CheckOptions) -> Json {
    json!({"protocol": 999_999, "client": "bowline protocol check"})
}

pub(super) fn credentials(options: &CheckOptions) -> Json {
    json!({"credentials": options.credentials})
}

fn nothing(_: &CheckOptions) -> Json {
    json!({})
}

fn statement(sql: &str, max_rows: u64, max_bytes: u64) -> Json {
    json!({"sql": sql, "max_rows": max_rows, "max_bytes": max_bytes, "timeout_ms": 30_000})
}

fn query(options: &CheckOptions) -> Json {
    statement(&options.sql, 1000, 1_000_000)
}

fn query_no_rows(options: &CheckOptions) -> Json {
    statement(&options.sql, 0, 1_000_000)
}

fn query_no_bytes(options: &CheckOptions) -> Json {
    statement(&options.sql, 1000, 0)
}

fn nonsense(_: &CheckOptions) -> Json {
    statement("THIS IS NO STATEMENT OF ANY LANGUAGE", 1000, 1_000_000)
}

fn execute(options: &CheckOptions) -> Json {
    json!({"sql": options.sql, "timeout_ms": 30_000})
}

fn page(_: &CheckOptions) -> Json {
    json!({"limit": 1, "offset": 0})
}

fn window(_: &CheckOptions) -> Json {
    json!({
        "window_start": "2024-01-01T00:00:00+00:00",
        "window_end": "2024-01-02T00:00:00+00:00",
        "limit": 1,
        "offset": 0
    })
}
