//! The `bowline` command line: the only place that prints and that chooses exit codes.
