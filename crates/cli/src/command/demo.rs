//! `bowline demo`: a connector from nothing to a proven export, told step by step.

mod shop;

use std::fs;
use std::path::{Path, PathBuf};

use bowline_connector::{Located, Workspace};
use bowline_contract::layout::CREDENTIALS_FILE;
use bowline_contract::{AssetClass, ConnectorName, SuiteSection};
use bowline_driver::Limits;
use bowline_warehouse::dialect::Pack;
use bowline_warehouse::{Connector, Scaffold};
use bowline_words::Diagnose;
use bowline_workbench::warehouse;
use serde_json::json;

use super::driver::install_quietly;
use super::export::export;
use super::schema;
use super::test::{SuiteArgs, prove, written};
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Ended;
use crate::kept::Kept;
use crate::listing::Listing;
use crate::proven::Proving;
use crate::report::{self, Format, Next};
use crate::style::{GOOD, HEADING, QUIET, STRONG, paint};

/// See a whole connector made and proven, on a database made for it.
///
/// Makes a folder with a small shop database in it, starts a connector for it, proves it and exports it. DuckDB's
/// driver is installed through npm or pip if it is not there yet; without a network, SQLite takes its place.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// The folder to make; it must not exist
    #[arg(default_value = "bowline-demo")]
    folder: PathBuf,
}

/// The engine the demo runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    DuckDb,
    Sqlite,
}

impl Engine {
    fn dialect(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Sqlite => "sqlite",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::DuckDb => "shop.duckdb",
            Self::Sqlite => "shop.sqlite",
        }
    }
}

impl DemoArgs {
    pub(crate) fn exec(&self, context: &Context) -> Result<Ended, CliError> {
        let folder = context.path(&self.folder);
        make_folder(&folder, &self.folder)?;
        let demo = Demo {
            context: context.within(folder.clone()),
            shown: &self.folder,
        };
        let ended = demo.run();
        // Half a demo is nothing to look at, and would be in the way of the next one.
        if matches!(ended, Err(_) | Ok(Ended::Interrupted)) && fs::remove_dir_all(&folder).is_ok() {
            context.printer.say(format!(
                "removed `{}`, which was not finished",
                self.folder.display()
            ));
        }
        ended
    }
}

/// The folder must be ours alone: it is made here, and never one that holds something.
fn make_folder(folder: &Path, shown: &Path) -> Result<(), CliError> {
    if folder.symlink_metadata().is_ok() {
        return Err(CliError::usage(
            format!("`{}` exists already", shown.display()),
            "name another folder: `bowline demo <folder>`",
        ));
    }
    fs::create_dir_all(folder).map_err(|error| CliError::write(shown, error))
}

/// A demo on its way.
struct Demo<'a> {
    context: Context,
    shown: &'a Path,
}

impl Demo<'_> {
    fn run(&self) -> Result<Ended, CliError> {
        self.introduce()?;
        let engine = self.driver()?;
        let connector = self.connector(engine)?;
        self.database(&connector, engine)?;
        self.proof(&connector)
    }

    fn introduce(&self) -> Result<(), CliError> {
        let mut page = Listing::default();
        page.line(format!(
            "A connector from nothing to a proven export, in {}",
            paint(STRONG, format!("{}/", self.shown.display()))
        ));
        self.show(page)
    }

    /// Step 1: DuckDB's driver, or else SQLite.
    fn driver(&self) -> Result<Engine, CliError> {
        self.step(
            1,
            "A driver",
            "To talk to a database takes a driver: a library that speaks its language. The demo wants DuckDB's, \
             because DuckDB needs no server.",
        )?;
        let mut page = Listing::default();
        let engine = match install_quietly(&self.context, "duckdb")? {
            Ok(installed) => {
                let folder = installed.library.parent().unwrap_or(&installed.library);
                page.line(format!(
                    "  {}",
                    paint(QUIET, "$ bowline driver install duckdb")
                ));
                page.line(format!(
                    "  {} DuckDB {} is in {}",
                    paint(GOOD, "✓"),
                    installed.version,
                    folder.display()
                ));
                Engine::DuckDb
            }
            Err(error) => {
                let problem = error.diagnose();
                page.prose(
                    "  - ",
                    "    ",
                    &format!("DuckDB's driver cannot be installed: {}", problem.what),
                );
                for cause in problem
                    .causes
                    .iter()
                    .flat_map(|cause| cause.lines())
                    .take(4)
                {
                    page.line(format!("      {}", paint(QUIET, cause)));
                }
                page.prose(
                    "  - ",
                    "    ",
                    "So the demo goes on with SQLite, which is compiled in. It can do less: percentiles and query \
                     logs, for example, it does not have.",
                );
                Engine::Sqlite
            }
        };
        self.show(page)?;
        Ok(engine)
    }

    /// Step 2: the connector, by the same means as `bowline new`.
    fn connector(&self, engine: Engine) -> Result<Connector, CliError> {
        self.step(
            2,
            "A connector",
            "A connector is a folder that says how to reach the database and how its SQL is spelled. It starts from \
             a dialect pack, so there is nothing to write yet.",
        )?;
        let folder = &self.context.directory;
        let workspace = Workspace::at(folder);
        let scaffolded = Scaffold::plan(
            ConnectorName::parse("shop").map_err(CliError::Name)?,
            Pack::find(engine.dialect()).cloned(),
            None,
        )?
        .write(&workspace)?;
        schema::write_into(&workspace)?;
        let connector = scaffolded.connector;
        let credentials = connector.dir.join(CREDENTIALS_FILE);
        let connect_args = json!({ "path": engine.file() });
        let text = format!("{:#}\n", json!({ "connect_args": connect_args }));
        fs::write(&credentials, text).map_err(|error| CliError::write(&credentials, error))?;
        let mut page = Listing::default();
        page.line(format!(
            "  {}",
            paint(
                QUIET,
                format!("$ bowline new shop --dialect {}", engine.dialect())
            )
        ));
        for file in &scaffolded.files {
            let file = self.context.shown(file).display();
            page.line(format!("  {} {file}", paint(GOOD, "✓")));
        }
        self.show(page)?;
        Ok(connector)
    }

    /// Step 3: a database to prove it against.
    fn database(&self, connector: &Connector, engine: Engine) -> Result<(), CliError> {
        self.step(
            3,
            "A database",
            "A small shop, with a view, with NULLs, and with names that break careless SQL: capitals, blanks, dots, \
             quotes, other scripts.",
        )?;
        let credentials = warehouse::credentials(connector, &|event| self.context.tell(event))?;
        let database = warehouse::open(connector, &credentials, &Limits::default(), &|_| ())?;
        let mut connection = warehouse::connect(connector, database.as_ref())?;
        for statement in shop::statements() {
            connection
                .run(&statement, &Limits::default())
                .map_err(CliError::Statement)?;
        }
        let mut page = Listing::default();
        page.line(format!(
            "  {} {} with {} rows in {} tables and a view",
            paint(GOOD, "✓"),
            engine.file(),
            shop::rows(),
            shop::tables()
        ));
        self.show(page)
    }

    /// Steps 4 and 5: the suite, and what it proved.
    fn proof(&self, connector: &Connector) -> Result<Ended, CliError> {
        self.step(
            4,
            "The proof",
            "The suite writes SQL with every template, over rows whose answers are known, runs it, and compares.",
        )?;
        let suite = SuiteArgs::default();
        let found = Located {
            name: connector.name.clone(),
            class: AssetClass::Warehouse,
            dir: connector.dir.clone(),
        };
        let proving = Proving::begin(&found)?;
        let recorded = prove(&self.context, connector, SuiteSection::ALL, &suite)?;
        let report = &recorded.report;
        self.quote("bowline test")?;
        let written = written(&self.context, connector, report);
        Kept::of(&found.dir, found.class, found.name.as_str())?.keep(&self.context, &written);
        report::write(
            &self.context.printer,
            &written,
            Format::Human,
            Next::Nothing,
        )?;
        let ended = Ended::from(report.conclusion());
        if ended == Ended::Interrupted {
            return Ok(ended);
        }
        self.step(
            5,
            "The export",
            "What was proven, and nothing else, is what the platform takes: a manifest of capabilities and metrics, \
             and the templates behind them.",
        )?;
        self.quote("bowline export")?;
        let mut page = Listing::default();
        let (done, _) = export(&self.context, connector, &recorded, proving)?;
        page.line(format!("  {done}"));
        self.show(page)?;
        self.farewell()?;
        Ok(ended)
    }

    fn farewell(&self) -> Result<(), CliError> {
        let mut page = Listing::default();
        page.line("");
        page.line(paint(HEADING, "Try next"));
        let tries = [
            (
                format!("cd {}", self.shown.display()),
                "everything below works in there",
            ),
            (
                "bowline query \"SELECT * FROM customer_totals\" --limit 5".to_owned(),
                "look at the shop",
            ),
            (
                "bowline explain get_avg_function".to_owned(),
                "what a template is for, and how dialects spell it",
            ),
            (
                "mkdir connectors/shop/templates".to_owned(),
                "long templates have files of their own; break one on purpose:",
            ),
            (
                "echo 'MAX({x})' > connectors/shop/templates/get_avg_function.sql.j2".to_owned(),
                "",
            ),
            ("bowline test".to_owned(), "and see it named first"),
            (
                "bowline new mine --dialect postgres".to_owned(),
                "then start your own",
            ),
        ];
        for (command, why) in tries {
            page.line(format!("  {}", paint(STRONG, command)));
            if !why.is_empty() {
                page.line(format!("      {}", paint(QUIET, why)));
            }
        }
        self.show(page)
    }

    /// The heading of a step and what it is about.
    fn step(&self, number: usize, title: &str, about: &str) -> Result<(), CliError> {
        let mut page = Listing::default();
        page.line("");
        page.line(paint(HEADING, format!("{number}. {title}")));
        page.prose("  ", "  ", about);
        page.line("");
        self.show(page)
    }

    /// The command a reader would type for what follows.
    fn quote(&self, command: &str) -> Result<(), CliError> {
        let mut page = Listing::default();
        page.line(format!("  {}", paint(QUIET, format!("$ {command}"))));
        page.line("");
        self.show(page)
    }

    fn show(&self, page: Listing) -> Result<(), CliError> {
        self.context.printer.text(&page.finish())
    }
}
