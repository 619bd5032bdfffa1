//! The `bowline` command; everything is in the library.

fn main() -> std::process::ExitCode {
    bowline_cli::run(std::env::args_os())
}
