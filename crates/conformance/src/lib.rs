//! The suite: checks, plan, runner, events, verdicts and what is derived from them.
