//! The process protocol, version 1: what the program and a connector in a process of its own say to each other.
//!
//! The page `docs/protocol.md` tells the rules; this crate holds the messages as types, without any reading or
//! writing, so that both ends of a conversation use the same ones.

mod error;
mod message;
mod pipeline;
mod value;
mod warehouse;

pub use error::{ErrorData, ErrorKind, ErrorObject, code};
pub use message::{
    ConnectorKind, Done, InitializeParams, InitializeResult, JsonRpc, Method, Request, Response,
    VERSION,
};
pub use pipeline::{
    FetchMetadataParams, FetchMetadataResult, FetchRunDetailsParams, FetchRunDetailsResult,
    SetupParams,
};
pub use value::WireValue;
pub use warehouse::{
    ANSWER_OVERHEAD, ConnectParams, ConnectResult, ExecuteParams, ExecuteResult, FunctionalPlace,
    GivenText, NotJson, QueryParams, QueryResult, TemplateProblem, TemplatesResult, WireColumn,
};
