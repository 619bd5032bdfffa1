//! What somebody at a terminal or before a page waits for: help, words to complete, the doctor, a report's page.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::measure::{Clock, Figures, repeat};
use super::record::{Goal, Row};
use super::{Bowline, write};
use crate::process::{Failure, run_quietly, step};
use crate::provide::browser;

const AT_ONCE: Duration = Duration::from_millis(20);

/// Measured by the page itself: from its navigation until it is laid out, has been filtered and is laid out again.
const VISIT: &str = r#"<script>
addEventListener("load", () => {
  const laidOut = () => document.body.offsetHeight;
  const search = document.getElementById("search");
  laidOut();
  search.value = "ql_metrics";
  search.dispatchEvent(new Event("input"));
  laidOut();
  const shown = [...document.querySelectorAll(".check")].filter((check) => !check.hidden).length;
  document.title = shown > 0 ? performance.now() / 1000 : "nothing is shown";
});
</script>"#;

/// Opens the page without a window, and says what it has measured as its last line.
const BROWSE: &str = r#"chromium --headless --no-sandbox --disable-gpu --no-first-run \
    --user-data-dir="$1/profile" --dump-dom "file://$1/page.html" 2> /dev/null \
    | sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p'"#;

/// Measures with a connector of the workspace whose whole suite has run.
pub(super) fn rows(
    bowline: &Bowline,
    workspace: &Path,
    connector: &str,
    runs: usize,
) -> Result<Vec<Row>, Failure> {
    step("help, completions and the doctor");
    let help = bowline.measure(workspace, &["test", "--help"], runs)?;
    let completed = repeat(runs, &[0], Clock::Process, || {
        let mut command = bowline.command(workspace);
        command
            .args(["--", "bowline", "test", ""])
            .env("BOWLINE_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", "2");
        command
    })?;
    let doctor = bowline.measure(workspace, &["doctor", connector], runs)?;
    let page = page(bowline, workspace, connector, runs)?;
    let second = Duration::from_secs(1);
    Ok(vec![
        Row::new("help of a command", Goal::time(AT_ONCE), help),
        Row::new(
            "names of connectors completed",
            Goal::time(AT_ONCE),
            completed,
        ),
        Row::new(
            "`doctor` of a connector, PostgreSQL",
            Goal::time(2 * second),
            doctor,
        ),
        Row::new(
            "a report's page of the whole suite opened and filtered, Chromium",
            Goal::time(second),
            page,
        ),
    ])
}

fn page(
    bowline: &Bowline,
    workspace: &Path,
    connector: &str,
    runs: usize,
) -> Result<Figures, Failure> {
    step("a report's page");
    browser()?;
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let file = folder.path().join("page.html");
    run_quietly(
        bowline
            .command(workspace)
            .args(["report", connector, "--output"])
            .arg(&file),
    )?;
    let page = std::fs::read_to_string(&file)
        .map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    write(&file, &page.replace("</body>", &format!("{VISIT}</body>")))?;
    repeat(runs, &[0], Clock::Told, || {
        let mut command = Command::new("sh");
        command.args(["-c", BROWSE, "sh"]).arg(folder.path());
        command
    })
}
