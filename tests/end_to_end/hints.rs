//! Hints and messages name only options that there are: looked for in all that the tests make the program say.

use std::collections::{BTreeSet, HashMap};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::needs::binary;
use crate::sandbox::Ran;

/// What a command's help says that it has.
#[derive(Debug, Clone, Default)]
struct Help {
    options: BTreeSet<String>,
    commands: BTreeSet<String>,
}

/// Fails when a hint or message names an option that its command does not have: the one that was run, or the one that it names.
#[track_caller]
pub(crate) fn assert_options_exist(command: &Command, ran: &Ran) {
    let given: Vec<&str> = command
        .get_args()
        .filter_map(|word| word.to_str())
        .collect();
    let hints = ran.stdout.lines().filter(|line| line.contains("hint: "));
    for hint in hints.chain(ran.stderr.lines()) {
        // Every second piece stands between backticks.
        for span in hint.split('`').skip(1).step_by(2) {
            let words: Vec<&str> = span.split_whitespace().collect();
            let path = match words.first() {
                Some(&"bowline") => named(&words[1..]),
                Some(first) if first.starts_with("--") => named(&given),
                _ => continue,
            };
            let Some(path) = path else { continue };
            let help = help(&path);
            let options = words.iter().filter(|word| word.starts_with("--"));
            for option in options.filter_map(|word| word.split('=').next()) {
                assert!(
                    help.options.contains(option) || option == "--",
                    "`bowline {}` has no `{option}`, which is named here: {hint}",
                    path.join(" ")
                );
            }
        }
    }
}

/// The command that words name, if they name one.
fn named(words: &[&str]) -> Option<Vec<String>> {
    let mut path = Vec::new();
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        if help(&path).commands.contains(*word) {
            path.push((*word).to_owned());
        } else if !path.is_empty() {
            break;
        }
    }
    Some(path).filter(|path| !path.is_empty())
}

fn help(path: &[String]) -> Help {
    static KNOWN: Mutex<Option<HashMap<Vec<String>, Help>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(help) = known.get(path) {
        return help.clone();
    }
    let output = Command::new(binary())
        .args(path)
        .arg("--help")
        .output()
        .expect("the binary under test");
    let text = String::from_utf8_lossy(&output.stdout);
    let options = text
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with('-'))
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_end_matches([',', '.']))
        .filter(|word| word.starts_with("--"));
    let commands = text
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next());
    let help = Help {
        options: options.map(str::to_owned).collect(),
        commands: commands.map(str::to_owned).collect(),
    };
    known.insert(path.to_vec(), help.clone());
    help
}
