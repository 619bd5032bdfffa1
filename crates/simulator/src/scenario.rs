//! What a simulated vendor is like, and how badly it behaves; everything follows from a seed.

use std::fmt;

use fastrand::Rng;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What a simulated vendor is like.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Everything that looks like chance follows from it.
    pub seed: u64,
    /// How long lists are split.
    pub paging: PagingStyle,
    /// How requests are written.
    pub form: Form,
    /// How one says who asks.
    pub login: Login,
    /// How times are written.
    pub times: Clock,
    /// In which order runs are listed.
    pub order: Order,
    /// Whether runs that have not ended have a list of their own.
    pub lists: Lists,
    /// How the runs of steps are asked for.
    pub steps: Steps,
    /// How runs are found by their identifiers.
    pub lookup: Lookup,
    /// What another attempt is.
    pub attempts: Attempts,
    /// How many records the connector asks a page for.
    pub page: usize,
    /// How many records the vendor gives at most, whatever it is asked for.
    pub most: usize,
    /// Whether lists say how many records they have in all.
    pub says_total: bool,
    /// How many jobs there are.
    pub jobs: usize,
    /// How many runs there are when the clock begins.
    pub runs: usize,
    /// Over how many hours before that they are spread.
    pub hours: u64,
    /// Of a hundred requests, how many fail in a way that passes.
    pub faults: u8,
    /// How many seconds it wants to be left alone at most when it was asked too often.
    pub rest: i64,
    /// How often the same request fails in a row at most.
    pub in_row: u8,
    /// How fast it lets itself be asked; any number of requests when not said.
    pub rate: Option<Rate>,
    /// Of a hundred requests, before how many something changes.
    pub changes: u8,
    /// When the clock begins.
    pub start: Timestamp,
    /// How far the vendor's clock is ahead of ours.
    pub skew: SignedDuration,
    /// How long an answer takes at most, in microseconds of the vendor's clock.
    pub latency: u64,
    /// Whether identifiers and names hold what nobody thought of.
    pub odd: bool,
    /// Whether some runs stand in a way that is not documented.
    pub unmapped: bool,
    /// How long error texts are at least, in bytes.
    pub error_length: usize,
    /// Whether runs of the same hour come in another order at every request, where pages are told by their place.
    pub shuffled: bool,
    /// Whether a page behind the last one by number is the last one again.
    pub clamped: bool,
}

/// A bucket of tokens, each good for a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How many tokens are added in a minute.
    pub per_minute: u32,
    /// How many it holds.
    pub burst: u32,
}

/// Writes an enum of choices with the names that options and lines for people use.
macro_rules! choices {
    ($(#[$meta:meta])* pub enum $Name:ident { $($(#[$variant_meta:meta])* $Variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $Name { $($(#[$variant_meta])* $Variant,)+ }

        impl $Name {
            /// Every choice.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// Its word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$Variant => $word),+ }
            }

            /// The choice with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|choice| choice.word() == word)
            }

            fn any(rng: &mut Rng) -> Self {
                Self::ALL[rng.usize(0..Self::ALL.len())]
            }
        }
    };
}

choices! {
    /// How long lists are split.
    pub enum PagingStyle {
        /// By how many records to skip.
        Offset = "offset",
        /// By the number of the page.
        Number = "number",
        /// By a cursor that the page before gave.
        Cursor = "cursor",
        /// By the identifier of the last record on the page before.
        After = "after",
        /// By the address of the next page.
        Link = "link",
        /// Not at all.
        None = "none",
    }
}

choices! {
    /// How requests are written.
    pub enum Form {
        /// As GET with a query.
        Query = "query",
        /// As POST with a JSON body.
        Body = "body",
        /// As GraphQL.
        GraphQl = "graphql",
    }
}

choices! {
    /// How one says who asks.
    pub enum Login {
        /// Not at all.
        None = "none",
        /// A key in a header.
        Header = "header",
        /// A user name and a password.
        Basic = "basic",
        /// A request that gives a token, which expires after a while.
        Token = "token",
    }
}

choices! {
    /// How times are written.
    pub enum Clock {
        /// As RFC 3339 in UTC.
        Utc = "utc",
        /// As RFC 3339 with the offset of Berlin, which changes twice a year.
        Berlin = "berlin",
        /// As seconds since 1970, with a fraction.
        Seconds = "seconds",
        /// As milliseconds since 1970.
        Millis = "millis",
    }
}

choices! {
    /// In which order runs are listed.
    pub enum Order {
        /// Those that were asked for last first.
        Newest = "newest",
        /// Those that were asked for first first.
        Oldest = "oldest",
        /// Those that changed last first.
        LastChanged = "last-changed",
        /// Those that changed first first; what changes goes to the end.
        FirstChanged = "first-changed",
        /// By importance, which changes.
        Rank = "rank",
    }
}

choices! {
    /// Whether runs that have not ended have a list of their own.
    pub enum Lists {
        /// One list has all, by when they changed.
        One = "one",
        /// Those that ended are in one list, those that have not in another.
        Two = "two",
    }
}

choices! {
    /// How the runs of steps are asked for.
    pub enum Steps {
        /// Not at all.
        None = "none",
        /// For each run.
        Each = "each",
        /// For several runs at once.
        Batch = "batch",
    }
}

choices! {
    /// How runs are found by their identifiers.
    pub enum Lookup {
        /// One by one, or several at once where requests have bodies.
        ById = "by-id",
        /// In the list of all runs.
        InList = "in-list",
    }
}

choices! {
    /// What another attempt is.
    pub enum Attempts {
        /// The same run, which works again.
        SameRun = "same-run",
        /// A run of its own.
        NewRun = "new-run",
    }
}

impl Clock {
    /// The moment as precisely as it can be written.
    #[must_use]
    pub fn cut(self, at: Timestamp) -> Timestamp {
        let cut = match self {
            Self::Millis => Timestamp::from_millisecond(at.as_millisecond()),
            _ => Timestamp::from_microsecond(at.as_microsecond()),
        };
        cut.unwrap_or(at)
    }

    /// The moment as the vendor writes it.
    #[must_use]
    pub fn write(self, at: Timestamp) -> serde_json::Value {
        match self {
            Self::Utc => at.to_string().into(),
            Self::Berlin => {
                let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
                let offset = zone.to_offset(at);
                at.display_with_offset(offset).to_string().into()
            }
            Self::Seconds => at.as_duration().as_secs_f64().into(),
            Self::Millis => at.as_millisecond().into(),
        }
    }

    /// A moment as a request writes it.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Timestamp> {
        match self {
            Self::Utc | Self::Berlin => text.parse().ok(),
            Self::Seconds => {
                let span = SignedDuration::try_from_secs_f64(text.parse().ok()?).ok()?;
                let nanos = span.as_nanos();
                let micros = (nanos + 500).div_euclid(1000);
                Timestamp::from_microsecond(i64::try_from(micros).ok()?).ok()
            }
            Self::Millis => Timestamp::from_millisecond(text.parse().ok()?).ok(),
        }
    }
}

/// Where clocks begin: days on which Berlin's clocks change, a leap day, a year's end, and one like any other.
const STARTS: [&str; 5] = [
    "2026-10-25T01:20:00.123456Z",
    "2026-03-29T01:10:00Z",
    "2028-02-29T23:59:58.5Z",
    "2026-12-31T23:59:59.999Z",
    "2026-11-23T08:00:00Z",
];

impl Scenario {
    /// A well-behaved vendor that answers at once: what nobody asks otherwise is simple and stands still.
    #[must_use]
    pub fn calm(seed: u64, start: Timestamp) -> Self {
        Self {
            seed,
            paging: PagingStyle::Offset,
            form: Form::Query,
            login: Login::Header,
            times: Clock::Utc,
            order: Order::Newest,
            lists: Lists::One,
            steps: Steps::None,
            lookup: Lookup::ById,
            attempts: Attempts::NewRun,
            page: 100,
            most: 500,
            says_total: false,
            jobs: 12,
            runs: 300,
            hours: 24,
            faults: 0,
            rest: 50,
            in_row: 3,
            rate: None,
            changes: 0,
            start,
            skew: SignedDuration::ZERO,
            latency: 1,
            odd: false,
            unmapped: false,
            error_length: 0,
            shuffled: false,
            clamped: false,
        }
    }

    /// Whether pages by number say how far their list goes: half of the vendors without a total say nothing of the end.
    pub(crate) fn says_end(&self) -> bool {
        self.says_total || self.seed.is_multiple_of(2)
    }

    /// The vendor of a seed: any mixture of what vendors are like.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let start = STARTS[rng.usize(0..STARTS.len())]
            .parse()
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let paging = PagingStyle::any(rng);
        let form = match (paging, Form::any(rng)) {
            // A link is an address; GraphQL has only one.
            (PagingStyle::Link, Form::GraphQl) => Form::Query,
            (_, form) => form,
        };
        let order = match (paging, Order::any(rng)) {
            // Whoever goes on behind a record must not let it move.
            (PagingStyle::After, Order::LastChanged | Order::FirstChanged | Order::Rank) => {
                Order::Newest
            }
            (_, order) => order,
        };
        let most = if rng.u8(0..3) == 0 {
            rng.usize(1..8)
        } else {
            500
        };
        let scenario = Self {
            paging,
            form,
            login: Login::any(rng),
            times: Clock::any(rng),
            order,
            lists: Lists::any(rng),
            steps: Steps::any(rng),
            lookup: Lookup::any(rng),
            attempts: Attempts::any(rng),
            page: rng.usize(1..16),
            most,
            says_total: rng.bool(),
            jobs: rng.usize(1..10),
            runs: rng.usize(0..50),
            hours: rng.u64(1..72),
            faults: [0, 0, 10, 30][rng.usize(0..4)],
            changes: [0, 10, 30, 60][rng.usize(0..4)],
            skew: SignedDuration::from_secs([0, 0, 300, -300][rng.usize(0..4)]),
            latency: [1_000, 200_000, 5_000_000][rng.usize(0..3)],
            odd: rng.bool(),
            unmapped: rng.u8(0..4) == 0,
            error_length: if rng.u8(0..50) == 0 { 100_000 } else { 0 },
            in_row: [3, 3, 8][rng.usize(0..3)],
            rate: (rng.u8(0..4) == 0).then(|| Rate {
                per_minute: [20, 120, 600][rng.usize(0..3)],
                burst: rng.u32(1..12),
            }),
            shuffled: rng.u8(0..8) == 0,
            clamped: rng.bool(),
            ..Self::calm(seed, start)
        };
        // A full page that comes again and again is no end that a connector could know.
        Self {
            clamped: scenario.clamped && scenario.says_end(),
            ..scenario
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}: paging {}, {} requests, login {}, times {}, order {}, {} list(s), steps {}, lookup {}, \
             attempts {}, page {}, at most {}, total {}, {} jobs, {} runs over {} h, faults {} % and {} in a row, \
             rate {}, changes {} %, from {}, skew {:#}, odd names {}, undocumented states {}, shuffled {}, clamped {}",
            self.seed,
            self.paging.word(),
            self.form.word(),
            self.login.word(),
            self.times.word(),
            self.order.word(),
            self.lists.word(),
            self.steps.word(),
            self.lookup.word(),
            self.attempts.word(),
            self.page,
            self.most,
            self.says_total,
            self.jobs,
            self.runs,
            self.hours,
            self.faults,
            self.in_row,
            self.rate.map_or_else(
                || "any".to_owned(),
                |rate| format!("{} a minute after {}", rate.per_minute, rate.burst)
            ),
            self.changes,
            self.start,
            self.skew,
            self.odd,
            self.unmapped,
            self.shuffled,
            self.clamped,
        )
    }
}
