#!/usr/bin/env bash
# Tests a connector in a pipeline: a report for people in the log, JUnit and JSON in $REPORTS.
#
#   CONNECTOR_NAME   the connector; empty when there is only one
#   BOWLINE_DRIVERS  drivers to install first, by their names
#   SECTION          one section of the suite; empty for all
#   ALLOW_UNKNOWN    true: exit code 3 (something could not be found out) passes, of the export too
#   EXPORT           true: export when everything was tested
set -uo pipefail

# What an earlier run left is not what this one found.
mkdir -p "$REPORTS"
rm -f "$REPORTS/report.json" "$REPORTS/junit.xml" "$REPORTS/summary.md" "$REPORTS/report.html"

drivers=${BOWLINE_DRIVERS:-}
for driver in ${drivers//,/ }; do
  bowline driver install "$driver" || exit
done

# Runs a command on the connector. Empty arrays are unbound to bash 3, which macOS has.
on_connector() {
  bowline "$@" ${CONNECTOR_NAME:+"$CONNECTOR_NAME"}
  code=$?
  if [ "$code" -eq 3 ] && [ "${ALLOW_UNKNOWN:-false}" = true ]; then
    code=0
  fi
}

# One run asks the database; the other forms are written from its report.
on_connector test ${SECTION:+-m "$SECTION"} --format json > "$REPORTS/report.json"
if [ -s "$REPORTS/report.json" ]; then
  bowline report "$REPORTS/report.json" --format human
  bowline report "$REPORTS/report.json" --format junit > "$REPORTS/junit.xml"
  bowline report "$REPORTS/report.json" --format markdown > "$REPORTS/summary.md"
  bowline report "$REPORTS/report.json" -o "$REPORTS/report.html"
  [ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$REPORTS/summary.md" >> "$GITHUB_STEP_SUMMARY"
else
  # An empty file is no report; what was in the way stands in the log.
  rm -f "$REPORTS/report.json"
fi
if [ "$code" -eq 0 ] && [ "${EXPORT:-false}" = true ] && [ -z "${SECTION:-}" ]; then
  on_connector export
fi
exit "$code"
