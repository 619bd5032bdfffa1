//! Whole runs of the suite in this process, over every engine that is here: recorded ones that are replayed, and ones
//! in which statements come to nothing.

mod disturbed;
mod replay;
mod shop;
