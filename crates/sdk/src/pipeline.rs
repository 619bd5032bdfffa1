//! Connectors for orchestrators.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;

use bowline_protocol::{
    ConnectorKind, Done, ErrorObject, FetchMetadataParams, FetchMetadataResult,
    FetchRunDetailsParams, FetchRunDetailsResult, Method, SetupParams, code,
};
use serde_json::Value as Json;

use crate::conversation::{self, Host, Work, parameters, written};
use crate::{Credentials, Error};

/// A connector for an orchestrator: how to log in.
pub trait Pipeline {
    /// One login.
    type Session: PipelineSession;

    /// The connector's name, for people.
    fn name(&self) -> &str;

    /// Logs in. Called again on a new login or after a panic; the session before is gone by then.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`](crate::ErrorKind::Connection) when the service cannot be reached,
    /// [`ErrorKind::Permission`](crate::ErrorKind::Permission) when it refuses the login.
    fn setup(&self, credentials: &Credentials) -> Result<Self::Session, Error>;
}

/// A login to an orchestrator. Dropping it logs out.
pub trait PipelineSession {
    /// One page of assets, in the contract's shape: at most `page.limit` objects, sparse (no nulls, no empty lists),
    /// in an order that stays the same from page to page.
    ///
    /// # Errors
    /// With the service's own words and the kind that fits.
    fn fetch_metadata(&mut self, page: Page) -> Result<Vec<Json>, Error>;

    /// One page of the wanted runs, in the contract's shape: at most `page.limit` objects, sparse, in an order that
    /// stays the same from page to page. Times are ISO 8601 with an offset.
    ///
    /// # Errors
    /// With the service's own words and the kind that fits.
    fn fetch_run_details(&mut self, wanted: &Wanted, page: Page) -> Result<Vec<Json>, Error>;
}

/// Which part of a listing is asked for, in items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The most items wanted.
    pub limit: u64,
    /// How many items come before the page.
    pub offset: u64,
}

/// Which runs are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Those with these ids, whenever they ran.
    Ids(Vec<String>),
    /// Those of a half-open window; every page of it is asked with the same bounds.
    Window {
        /// The first instant, ISO 8601 with its offset.
        start: String,
        /// The first instant after it, ISO 8601 with its offset.
        end: String,
    },
}

/// Speaks the process protocol for the connector, until it is told to close or its standard input ends. The exit code
/// is for `main` to return.
#[must_use]
pub fn serve<P: Pipeline>(connector: P) -> ExitCode {
    conversation::serve(PipelineHost::new(connector), Arc::default())
}

/// The same conversation over another input and output, such as texts in a test. It ends with the input at the latest.
///
/// # Errors
/// When an answer cannot be written.
pub fn converse<P: Pipeline>(
    connector: P,
    input: impl BufRead,
    mut output: impl Write,
) -> io::Result<()> {
    conversation::converse(
        &mut PipelineHost::new(connector),
        &Work::default(),
        conversation::lines_of(input),
        &mut output,
    )
}

struct PipelineHost<P: Pipeline> {
    connector: P,
    /// What the last successful login used.
    login: Option<Credentials>,
    session: Option<P::Session>,
}

impl<P: Pipeline> PipelineHost<P> {
    fn new(connector: P) -> Self {
        Self {
            connector,
            login: None,
            session: None,
        }
    }

    fn setup(&mut self, credentials: Credentials) -> Result<(), ErrorObject> {
        self.close();
        self.session = Some(self.connector.setup(&credentials)?);
        self.login = Some(credentials);
        Ok(())
    }

    fn session(&mut self) -> Result<&mut P::Session, ErrorObject> {
        if let (None, Some(login)) = (&self.session, self.login.clone()) {
            self.setup(login)?;
        }
        self.session
            .as_mut()
            .ok_or_else(|| ErrorObject::new(code::INVALID_REQUEST, "`setup` comes before fetching"))
    }
}

fn wanted(params: FetchRunDetailsParams) -> Result<Wanted, ErrorObject> {
    match (params.run_ids, params.window_start, params.window_end) {
        (Some(ids), _, _) => Ok(Wanted::Ids(ids)),
        (None, Some(start), Some(end)) => Ok(Wanted::Window { start, end }),
        _ => Err(ErrorObject::new(
            code::INVALID_PARAMS,
            "either `run_ids` or both `window_start` and `window_end` must be given",
        )),
    }
}

impl<P: Pipeline> Host for PipelineHost<P> {
    const KIND: ConnectorKind = ConnectorKind::Pipeline;

    fn name(&self) -> &str {
        self.connector.name()
    }

    fn methods(&self) -> Vec<Method> {
        vec![
            Method::Setup,
            Method::FetchMetadata,
            Method::FetchRunDetails,
        ]
    }

    fn call(&mut self, method: Method, params: Json) -> Result<String, ErrorObject> {
        match method {
            Method::Setup => {
                let params: SetupParams = parameters(params)?;
                self.setup(Credentials::new(params.credentials))?;
                written(&Done {})
            }
            Method::FetchMetadata => {
                let FetchMetadataParams { limit, offset } = parameters(params)?;
                let assets = self.session()?.fetch_metadata(Page { limit, offset })?;
                written(&FetchMetadataResult { assets })
            }
            _ => {
                let params: FetchRunDetailsParams = parameters(params)?;
                let page = Page {
                    limit: params.limit,
                    offset: params.offset,
                };
                let wanted = wanted(params)?;
                let runs = self.session()?.fetch_run_details(&wanted, page)?;
                written(&FetchRunDetailsResult { runs })
            }
        }
    }

    fn abandon(&mut self) {
        self.session = None;
    }

    fn close(&mut self) {
        self.login = None;
        self.session = None;
    }
}
