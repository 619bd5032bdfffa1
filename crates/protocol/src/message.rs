//! The frame of every message, the methods there are, and the handshake.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ErrorObject;
use crate::reading::object;

/// The version of the protocol these types speak.
pub const VERSION: u32 = 1;

/// The word that marks a message as JSON-RPC 2.0; nothing else is read in its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JsonRpc;

const JSON_RPC: &str = "2.0";

impl Serialize for JsonRpc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(JSON_RPC)
    }
}

impl<'de> Deserialize<'de> for JsonRpc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            JSON_RPC => Ok(Self),
            other => Err(D::Error::custom(format!(
                "`jsonrpc` is `{other}`, not `{JSON_RPC}`"
            ))),
        }
    }
}

/// What the program asks of a connector: one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request<P> {
    /// Marks the message.
    pub jsonrpc: JsonRpc,
    /// The number the answer must carry.
    pub id: u64,
    /// The method's name, see [`Method`].
    pub method: String,
    /// What the method takes; always an object.
    pub params: P,
}

impl<P> Request<P> {
    /// A request.
    #[must_use]
    pub fn new(id: u64, method: Method, params: P) -> Self {
        Self {
            jsonrpc: JsonRpc,
            id,
            method: method.name().to_owned(),
            params,
        }
    }
}

/// A connector's answer: one line of JSON with either a result or an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "R: Deserialize<'de>"))]
pub struct Response<R> {
    /// Marks the message.
    pub jsonrpc: JsonRpc,
    /// The request's number; none when the request could not be read.
    pub id: Option<u64>,
    /// What the method gives; always an object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "object"
    )]
    pub result: Option<R>,
    /// Why the method failed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "object"
    )]
    pub error: Option<ErrorObject>,
}

impl<R> Response<R> {
    /// An answer.
    #[must_use]
    pub fn new(id: Option<u64>, outcome: Result<R, ErrorObject>) -> Self {
        let (result, error) = match outcome {
            Ok(result) => (Some(result), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            jsonrpc: JsonRpc,
            id,
            result,
            error,
        }
    }
}

/// Everything the program may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// The first request of every conversation.
    Initialize,
    /// Log in to the database.
    Connect,
    /// Run a statement and give its rows.
    Query,
    /// Run statements at once, each on a thread of its own that shares the connection.
    QueryTogether,
    /// Run a statement for its effect.
    Execute,
    /// Give the texts of all templates.
    Templates,
    /// Log in to the orchestrator.
    Setup,
    /// Give one page of assets.
    FetchMetadata,
    /// Give one page of runs.
    FetchRunDetails,
    /// Give what the vendor answered while assets and runs were fetched. Not every connector can tell.
    VendorAnswers,
    /// Log out and end the process.
    Close,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 11] = [
        Self::Initialize,
        Self::Connect,
        Self::Query,
        Self::QueryTogether,
        Self::Execute,
        Self::Templates,
        Self::Setup,
        Self::FetchMetadata,
        Self::FetchRunDetails,
        Self::VendorAnswers,
        Self::Close,
    ];

    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::Connect => "connect",
            Self::Query => "query",
            Self::QueryTogether => "query_together",
            Self::Execute => "execute",
            Self::Templates => "templates",
            Self::Setup => "setup",
            Self::FetchMetadata => "fetch_metadata",
            Self::FetchRunDetails => "fetch_run_details",
            Self::VendorAnswers => "vendor_answers",
            Self::Close => "close",
        }
    }

    /// The method with a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the program says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitializeParams {
    /// The protocol version it speaks.
    pub protocol: u32,
    /// Its name and version, for logs.
    pub client: String,
}

/// What a connector says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitializeResult {
    /// The protocol version it speaks: the one it was asked for, else the method fails.
    pub protocol: u32,
    /// What it connects to.
    pub kind: ConnectorKind,
    /// Its name, for people.
    pub name: String,
    /// The methods it serves, `initialize` and `close` aside.
    pub capabilities: Vec<String>,
    /// The program that runs it, where a language's interpreter does; others leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
    /// Code that it runs and that is not installed, where a language's interpreter knows.
    #[serde(default, skip_serializing_if = "OutsideCode::is_empty")]
    pub outside: OutsideCode,
    /// Methods that nobody calls, and whose names are near those of methods that it lacks, where its language tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misspelt: Vec<MisspeltMethod>,
}

/// A method under a name that nobody calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MisspeltMethod {
    /// What it is called.
    pub name: String,
    /// What it seems to be meant for.
    pub meant: String,
    /// The line of the connector's file where it begins, counted from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// Files of code beside a connector's own that are not installed, as paths from where it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideCode {
    /// It has loaded them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loaded: Vec<String>,
    /// Imports name them that were not run, and may never be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imported: Vec<String>,
}

impl OutsideCode {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The two kinds of connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorKind {
    /// It reaches a database: `connect`, `query`, `execute` and, if it has them, `templates`.
    Warehouse,
    /// It reaches an orchestrator: `setup`, `fetch_metadata` and `fetch_run_details`.
    Pipeline,
}

/// The result of a method that gives nothing; the parameters of one that takes nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_another_protocol_is_refused() {
        let text = r#"{"jsonrpc":"1.0","id":1,"result":{}}"#;
        let error = serde_json::from_str::<Response<Done>>(text).unwrap_err();
        assert!(error.to_string().contains("`1.0`"), "{error}");
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let text = r#"{"jsonrpc":"2.0","id":7,"result":{"protocol":1,"kind":"warehouse","name":"x","capabilities":[],"new":1},"more":2}"#;
        let answer: Response<InitializeResult> = serde_json::from_str(text).unwrap();
        assert_eq!(answer.result.unwrap().kind, ConnectorKind::Warehouse);
    }

    #[test]
    fn methods_are_found_by_name() {
        for method in Method::ALL {
            assert_eq!(Method::from_name(method.name()), Some(method));
        }
        assert_eq!(Method::from_name("drop"), None);
    }
}
