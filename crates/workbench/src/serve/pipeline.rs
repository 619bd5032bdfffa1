//! A pipeline connector, served.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::hinted;
use bowline_connector::Credentials;
use bowline_contract::pipeline::{AssetEvent, RunEvent, Window};
use bowline_pipeline::{
    FailedPart, FetchMethods, PageServer, PageServerError, PipelineConnector, RunQuery,
    SourceError, SourceErrorKind,
};
use bowline_sdk::{Error, ErrorKind, Json, Page, Pipeline, PipelineSession, Wanted};

/// Serves the connector until its standard input ends.
pub(super) fn serve(connector: PipelineConnector, on_failed: Arc<OnFailed>) -> ExitCode {
    bowline_sdk::pipeline::serve(Served {
        connector,
        on_failed,
    })
}

type OnFailed = dyn Fn(&FailedPart) + Send + Sync;

struct Served {
    connector: PipelineConnector,
    on_failed: Arc<OnFailed>,
}

impl Pipeline for Served {
    type Session = Session;

    fn name(&self) -> &str {
        self.connector.name.as_str()
    }

    fn setup(&self, credentials: &bowline_sdk::Credentials) -> Result<Session, Error> {
        let credentials = Credentials::of_connect_args(credentials.as_map().clone());
        let pipeline = self
            .connector
            .open(&credentials, Arc::new(AtomicBool::new(false)))
            .map_err(failed)?;
        pipeline.check().map_err(failed)?;
        if pipeline.methods().is_some() {
            return Ok(Session::Methods(pipeline));
        }
        let (connector, on_failed) = (self.connector.clone(), Arc::clone(&self.on_failed));
        Ok(Session::PageServer(PageServer::new(
            move |cancel| connector.open(&credentials, cancel),
            move |failed| on_failed(failed),
        )))
    }
}

/// A login.
enum Session {
    /// Of a connector that has the contract's methods itself.
    Methods(Arc<dyn bowline_pipeline::Pipeline>),
    /// Of one that is read to the end.
    PageServer(PageServer),
}

impl PipelineSession for Session {
    fn fetch_metadata(&mut self, page: Page) -> Result<Vec<Json>, Error> {
        let page = of_page(page);
        let assets = match self {
            Self::Methods(pipeline) => methods(pipeline.as_ref())?
                .fetch_metadata(page)
                .map_err(failed),
            Self::PageServer(slices) => slices.assets(page).map_err(no_slice),
        };
        Ok(assets?.into_iter().map(AssetEvent::into_json).collect())
    }

    fn fetch_run_details(&mut self, wanted: &Wanted, page: Page) -> Result<Vec<Json>, Error> {
        let (query, page) = (query(wanted)?, of_page(page));
        let runs = match self {
            Self::Methods(pipeline) => methods(pipeline.as_ref())?
                .fetch_run_details(Some(&query), page)
                .map_err(failed),
            Self::PageServer(slices) => slices.runs(&query, page).map_err(no_slice),
        };
        Ok(runs?.into_iter().map(RunEvent::into_json).collect())
    }
}

fn methods(pipeline: &dyn bowline_pipeline::Pipeline) -> Result<&dyn FetchMethods, Error> {
    pipeline
        .methods()
        .ok_or_else(|| Error::new(ErrorKind::Driver, "the connector lost its methods"))
}

fn of_page(page: Page) -> bowline_pipeline::PageQuery {
    let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
    bowline_pipeline::PageQuery {
        limit: count(page.limit),
        offset: count(page.offset),
    }
}

fn query(wanted: &Wanted) -> Result<RunQuery, Error> {
    let bound = |name: &str, text: &str| {
        text.parse().map_err(|_| {
            Error::new(
                ErrorKind::Driver,
                format!("`{name}` is not an instant with an offset: `{text}`"),
            )
        })
    };
    Ok(match wanted {
        Wanted::Ids(ids) => RunQuery::Ids(ids.clone()),
        Wanted::Window { start, end } => RunQuery::Window(Window {
            start: bound("window_start", start)?,
            end: bound("window_end", end)?,
        }),
    })
}

fn no_slice(error: PageServerError) -> Error {
    match error {
        PageServerError::Source(error) => failed(error),
        PageServerError::Kept(_) => hinted(Error::new(ErrorKind::Other, error.to_string()), &error),
    }
}

fn failed(error: SourceError) -> Error {
    let kind = match error.kind {
        SourceErrorKind::Unreachable => ErrorKind::Connection,
        SourceErrorKind::Timeout => ErrorKind::Timeout,
        SourceErrorKind::Unauthorized => ErrorKind::Permission,
        SourceErrorKind::TooLarge => ErrorKind::TooLarge,
        SourceErrorKind::Cancelled => ErrorKind::Cancelled,
        SourceErrorKind::Expression
        | SourceErrorKind::Credentials
        | SourceErrorKind::Unsendable
        | SourceErrorKind::Connector
        | SourceErrorKind::Pages => ErrorKind::Driver,
        SourceErrorKind::RateLimited
        | SourceErrorKind::Broken
        | SourceErrorKind::Vendor
        | SourceErrorKind::Refused
        | SourceErrorKind::NotFound
        | SourceErrorKind::NoSuchPage
        | SourceErrorKind::Format
        | SourceErrorKind::PlaceExpired
        | SourceErrorKind::ForeignHost => ErrorKind::Other,
    };
    hinted(Error::new(kind, error.to_string()), &error)
}
