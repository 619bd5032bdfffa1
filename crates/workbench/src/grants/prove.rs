//! The runs of a proof: with all rights, and without each.

use bowline_conformance::warehouse::{Options, is_test_object};
use bowline_contract::SuiteSection;
use bowline_driver::SqlError;
use bowline_warehouse::{Connector, FunctionalTarget};

use super::compare::Seen;
use super::grant::{Grant, Grants, Needed, Proof, Purpose};
use super::role::{Candidates, Engine, Role};
use super::touched::Touched;
use crate::table_lock::TableLock;
use crate::warehouse::{ask, connect, credentials, functional_target, open};
use crate::{Event, Run, WorkbenchError};

/// The most runs without some of the platform's rights: where there are more rights, several are left out at a time.
const RUNS: usize = 16;

/// The sections whose statements touch tables, views or schemas.
const TOUCHING: [SuiteSection; 3] = [
    SuiteSection::Connection,
    SuiteSection::Metadata,
    SuiteSection::Functional,
];

/// How far one goes to know which rights are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// The rights to what was touched, as the engine's catalogue has them.
    List,
    /// The same, and the runs of an account that has them.
    Prove,
}

/// Engines that give everybody everything who can open their file.
const WITHOUT_ACCOUNTS: [&str; 2] = ["SQLite ", "DuckDB "];

/// The product, where it has accounts.
fn has_accounts(product: String) -> Result<String, WorkbenchError> {
    if WITHOUT_ACCOUNTS
        .iter()
        .any(|name| product.starts_with(name))
    {
        return Err(WorkbenchError::NoAccounts { product });
    }
    Ok(product)
}

/// Finds the rights that a connector takes: runs the suite, and again as an account that has these rights only.
///
/// The account is removed whatever happens; what could not be removed is told.
///
/// # Errors
/// As [`crate::warehouse::prove`], [`WorkbenchError::NoAccounts`], and [`WorkbenchError::Interrupted`] when the run was stopped.
pub fn grants(
    connector: &Connector,
    options: &Options,
    effort: Effort,
    run: &Run,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Grants, WorkbenchError> {
    let credentials = credentials(connector, on_event)?;
    let trials = Trials {
        connector,
        options,
        functional: functional_target(connector, &credentials)?,
        run,
        on_event,
    };
    let _lock = TableLock::take(connector, &credentials, run, on_event)?;
    let database = open(connector, &credentials, &options.limits, on_event)?;
    has_accounts(database.product())?;
    on_event(Event::Connecting {
        connector: &connector.name,
    });
    let (with_all, touched) = {
        let (report, recording) = ask(
            connector,
            database.clone(),
            trials.functional.clone(),
            options,
            run,
            on_event,
        )?;
        if report.interrupted {
            return Err(WorkbenchError::Interrupted);
        }
        let is_ours = |name: &str| trials.is_ours(name);
        (
            Seen::by(&report, &recording, is_ours),
            Touched::by(&recording, is_ours),
        )
    };
    // Of some drivers it is known once somebody has logged in.
    let product = has_accounts(database.product())?;
    let failed = |error: SqlError| crate::warehouse::unreachable(connector, error);
    let Some(engine) = Engine::of(&product, connector) else {
        let words = "rights are proven on PostgreSQL and MariaDB; this is what the run read";
        return Ok(unproven(product, touched.plain(), words.to_owned()));
    };
    let mut connection = connect(connector, database.as_ref())?;
    let candidates = engine
        .candidates(connection.as_mut(), &touched)
        .map_err(failed)?;
    if effort == Effort::List {
        let words = "nobody asked for a proof".to_owned();
        return Ok(unproven(product, candidates, words));
    }
    let mut role = match Role::make(
        engine,
        connector,
        &credentials,
        &database,
        connection,
        &options.limits,
    ) {
        Ok(role) => role,
        Err(error) => {
            let words = format!(
                "the account of the credentials makes no other: {}",
                error.text()
            );
            return Ok(unproven(product, candidates, words));
        }
    };
    let mut left_behind = Vec::new();
    let proven = trials.prove(&mut role, candidates, &with_all, &mut left_behind);
    // With a role of PostgreSQL all goes that it made.
    let stays = role.remove();
    if stays.is_empty() && engine == Engine::Postgres {
        left_behind.clear();
    }
    left_behind.extend(stays);
    if proven.is_err() && !left_behind.is_empty() {
        on_event(Event::LeftBehind {
            statements: &left_behind,
        });
    }
    proven.map(|proven| Grants {
        product,
        left_behind,
        ..proven
    })
}

/// Rights that are likely to be needed.
fn unproven(product: String, candidates: Candidates, why: String) -> Grants {
    Grants {
        product,
        needed: candidates.wanted.into_iter().map(untried).collect(),
        everybodys: candidates.everybodys,
        spare: Vec::new(),
        proof: Proof::Unproven(why),
        left_behind: Vec::new(),
    }
}

fn untried(grant: Grant) -> Needed {
    Needed {
        grant,
        lost: Vec::new(),
        together: 1,
    }
}

/// What all runs have in common.
struct Trials<'t> {
    connector: &'t Connector,
    options: &'t Options,
    functional: Option<FunctionalTarget>,
    run: &'t Run,
    on_event: &'t (dyn Fn(Event<'_>) + Sync),
}

impl Trials<'_> {
    /// Whether the suite makes something of this name, and removes it.
    fn is_ours(&self, name: &str) -> bool {
        let target = self.functional.as_ref();
        target.is_some_and(|target| is_test_object(&target.table, name))
    }

    /// The runs; what is said of the product and of what is left is not known here.
    fn prove(
        &self,
        role: &mut Role<'_>,
        candidates: Candidates,
        with_all: &Seen,
        left_behind: &mut Vec<String>,
    ) -> Result<Grants, WorkbenchError> {
        let Candidates { wanted, everybodys } = candidates;
        let mut found = Grants {
            product: String::new(),
            needed: Vec::new(),
            everybodys,
            spare: Vec::new(),
            proof: Proof::Unproven(String::new()),
            left_behind: Vec::new(),
        };
        for grant in &wanted {
            if let Err(error) = role.give(grant) {
                found.proof = Proof::Unproven(format!(
                    "the account of the credentials may not give `{}`: {}",
                    grant.right,
                    error.text()
                ));
                found.needed = wanted.into_iter().map(untried).collect();
                return Ok(found);
            }
        }
        let units = units(wanted);
        let of = units.len() + 1;
        let tell = |without: &[Grant], done| (self.on_event)(Event::Proving { without, done, of });
        tell(&[], 0);
        let mut seen = match self.see(role, self.options, left_behind) {
            Err(WorkbenchError::Connect { source, .. }) if !self.run.is_stopped() => {
                found.needed = units.into_iter().flatten().map(untried).collect();
                let words = format!(
                    "the account that was made cannot connect: {}",
                    source.text()
                );
                found.proof = Proof::Unproven(words);
                return Ok(found);
            }
            seen => seen?,
        };
        let mut lost = with_all.lost_in(&seen);
        if !lost.is_empty() {
            // What others change meanwhile is no matter of rights.
            seen = self.see(role, self.options, left_behind)?;
            lost = with_all.lost_in(&seen);
        }
        if !lost.is_empty() {
            found.needed = units.into_iter().flatten().map(untried).collect();
            found.proof = Proof::Short(lost);
            return Ok(found);
        }
        let checks = seen.supported();
        for (done, unit) in units.into_iter().enumerate() {
            tell(&unit, done + 1);
            let is_login = unit.iter().all(|grant| grant.purpose == Purpose::Login);
            // What can be lost is known: the connection.
            if is_login {
                let lost = vec!["no connection".to_owned()];
                let needed = unit.into_iter().map(|grant| Needed {
                    grant,
                    lost: lost.clone(),
                    together: 1,
                });
                found.needed.extend(needed);
                continue;
            }
            let changed = |error| crate::warehouse::unreachable(self.connector, error);
            for grant in &unit {
                role.take(grant).map_err(changed)?;
            }
            let without = self.see(role, &self.options_without(&unit), left_behind);
            let lost = match without {
                Ok(seen) => with_all.lost_in(&seen),
                Err(WorkbenchError::Connect { source, .. }) if !self.run.is_stopped() => {
                    vec![format!("no connection: {}", source.message)]
                }
                Err(error) => return Err(error),
            };
            let lost = match lost.as_slice() {
                [] => Vec::from_iter(with_all.left_open(&unit)),
                _ => lost,
            };
            if lost.is_empty() {
                found.spare.extend(unit);
                continue;
            }
            let together = unit.len();
            for grant in unit {
                role.give(&grant).map_err(changed)?;
                found.needed.push(Needed {
                    grant,
                    lost: lost.clone(),
                    together,
                });
            }
        }
        found.proof = Proof::Proven { checks };
        Ok(found)
    }

    /// What is asked where some rights are missing: expressions touch no object, so only functions hang on theirs.
    fn options_without(&self, unit: &[Grant]) -> Options {
        let mut options = self.options.clone();
        if !unit.iter().any(|grant| grant.right.starts_with("EXECUTE")) {
            options
                .sections
                .retain(|section| TOUCHING.contains(section));
        }
        options
    }

    /// A run as the account.
    fn see(
        &self,
        role: &Role<'_>,
        options: &Options,
        left_behind: &mut Vec<String>,
    ) -> Result<Seen, WorkbenchError> {
        let (report, recording) = ask(
            self.connector,
            role.database.clone(),
            self.functional.clone(),
            options,
            self.run,
            self.on_event,
        )?;
        left_behind.extend(report.left_behind.iter().cloned());
        if report.interrupted {
            return Err(WorkbenchError::Interrupted);
        }
        Ok(Seen::by(&report, &recording, |name| self.is_ours(name)))
    }
}

/// What is left out together: each right alone, unless there are too many.
fn units(wanted: Vec<Grant>) -> Vec<Vec<Grant>> {
    let (mut platform, others): (Vec<Grant>, Vec<Grant>) = wanted
        .into_iter()
        .partition(|grant| grant.purpose == Purpose::Platform);
    let at_a_time = platform.len().div_ceil(RUNS).max(1);
    let mut units = Vec::new();
    let mut functional = Vec::new();
    for grant in others {
        match grant.purpose {
            Purpose::Login => units.push(vec![grant]),
            Purpose::Platform | Purpose::FunctionalChecks => functional.push(vec![grant]),
        }
    }
    while !platform.is_empty() {
        let rest = platform.split_off(at_a_time.min(platform.len()));
        units.push(std::mem::replace(&mut platform, rest));
    }
    units.extend(functional);
    units
}
