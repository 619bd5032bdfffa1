//! The process protocol, version 1: what the program and a connector in a process of its own say to each other.
//!
//! The page `docs/protocol.md` tells the rules; this crate holds the messages as types, without any reading or
//! writing, so that both ends of a conversation use the same ones.
//!
//! ```
//! use bowline_protocol::{Method, QueryParams, QueryResult, Request, Response, WireValue};
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let question = QueryParams {
//!     sql: "SELECT 12.50 AS total".to_owned(),
//!     max_rows: 100,
//!     max_bytes: 1_000_000,
//!     timeout_ms: 60_000,
//! };
//! let line = serde_json::to_string(&Request::new(3, Method::Query, question))?;
//! assert!(line.starts_with(r#"{"jsonrpc":"2.0","id":3,"method":"query","params":{"sql":"SELECT"#));
//!
//! let line = r#"{"jsonrpc":"2.0","id":3,"result":{"columns":[{"name":"total","type":"DECIMAL"}],"rows":[[{"$decimal":"12.50"}]]}}"#;
//! let answer: Response<QueryResult> = serde_json::from_str(line)?;
//! let rows = answer.result.map(|result| result.rows);
//! assert_eq!(rows, Some(vec![vec![WireValue::Decimal("12.50".to_owned())]]));
//! # Ok(())
//! # }
//! ```

mod error;
mod message;
mod pipeline;
mod reading;
mod value;
mod warehouse;

pub use error::{ErrorData, ErrorKind, ErrorObject, code};
pub use message::{
    ConnectorKind, Done, InitializeParams, InitializeResult, JsonRpc, Method, MisspeltMethod,
    OutsideCode, Request, Response, VERSION,
};
pub use pipeline::{
    FetchMetadataParams, FetchMetadataResult, FetchRunDetailsParams, FetchRunDetailsResult,
    SetupParams, VendorAnswersResult,
};
pub use reading::read_answer;
pub use value::WireValue;
pub use warehouse::{
    ANSWER_OVERHEAD, ConnectParams, ConnectResult, ExecuteParams, ExecuteResult, FunctionalPlace,
    GivenText, NotJson, OtherName, QueryParams, QueryResult, QueryTogetherParams,
    QueryTogetherResult, SuiteTexts, TemplateProblem, TemplatesResult, ThreadAnswer, WireColumn,
};
