//! What may be wrong with a connector.

/// Writes the mistakes with what each is called.
macro_rules! mistakes {
    ($($Variant:ident = $words:literal,)+) => {
        /// What is wrong with a connector.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mistake {
            $(#[doc = concat!("It ", $words, ".")] $Variant,)+
        }

        impl Mistake {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// What such a connector does.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$Variant => $words),+ }
            }
        }
    };
}

mistakes! {
    IgnoresOffset = "ignores the offset",
    GivesFirstPageOnly = "gives the first page only",
    DropsLastPage = "drops the last page when it is short",
    DropsShortPages = "drops a short page even when it is the only one",
    ClosedEnd = "takes the end of the window as part of it",
    OpenStart = "takes the start of the window as no part of it",
    WindowFromNow = "counts the window back from now",
    RepeatsOnShift = "repeats runs when the list shifts between pages",
    LosesOnShift = "loses runs when the list shifts between pages",
    SwallowsRefusals = "gives what it has when the vendor answers 429",
    DropsRunning = "leaves out runs that have not ended",
    SharesIdOfRetries = "gives another attempt under the id of the first",
    RetriesOfAnother = "says that attempts follow a run of another job",
    RetriesOfItself = "says that attempts follow themselves",
    ForgetsAttempts = "says of every attempt that it is the first",
    ClampUnnoticed = "does not notice that the vendor gives fewer than asked",
    OffsetIsPage = "takes the offset for the number of a page",
    IgnoresLimit = "gives all the rest, whatever the limit",
    OneTooMany = "gives one more than the limit",
    FiltersAfterPaging = "cuts pages first and filters by the window then",
    OrderChanges = "sorts pages differently from call to call",
    ZoneDropped = "writes times without a zone",
    LocalAsUtc = "writes local times as if they were UTC",
    WholeHours = "cuts the window's bounds to whole hours",
    IdsNotStable = "makes up new ids with every reading",
    IdOfJob = "gives the job's id as the run's",
    IdsShared = "gives one id to several runs",
    IdsIgnored = "ignores the ids and gives the last hours",
    IdsGiveNothing = "gives nothing for ids",
    IdsWithinWindow = "gives only one run for ids",
    UnknownIdFails = "fails over an id that no run has",
    NothingAskedGivesAll = "gives everything when neither ids nor a window is given",
    StepsOfAnother = "gives the steps of another run",
    StatusUnmapped = "gives words that its manifest does not map",
    NoEnd = "leaves out when runs ended",
    NoError = "leaves out what went wrong",
    TimeOfQueueing = "files runs under when they were asked for",
    TimeOfStart = "files runs that have ended under when they began",
    FiltersByStart = "filters by the start and files under the end",
    TimesSwapped = "mixes up start and end",
    TimesAsNumbers = "writes times as seconds since 1970",
    NamesMissing = "leaves out the names of jobs",
    JobsIgnoreOffset = "ignores the offset for jobs",
    JobsDropLast = "loses the last job",
    JobIdsNotStable = "makes up new ids for jobs with every reading",
    TasksLeadNowhere = "says that tasks come after one that their job does not have",
}
