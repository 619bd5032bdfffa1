#!/bin/sh
# Installs bowline for this user: fetches the archive of this platform, compares its checksum, and puts the binary in
# place. Nothing is changed before the checksum is right.
#
#   BOWLINE_RELEASES     where releases lie (a page of releases, a mirror, or file:///folder)
#   BOWLINE_VERSION      the version; the latest without it
#   BOWLINE_INSTALL_DIR  where the binary goes; ~/.local/bin without it
set -eu

fail() {
  printf 'error: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '\nhint: %s\n' "$2" >&2
  exit 1
}

fetch() {
  case "$1" in
    file://*) cp "${1#file://}" "$2" ;;
    *)
      if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --retry 3 --output "$2" "$1"
      elif command -v wget >/dev/null 2>&1; then
        wget --quiet --tries=3 --output-document="$2" "$1"
      else
        fail "neither curl nor wget is here" "install one of them"
      fi
      ;;
  esac || fail "cannot fetch: $1" "see that the address can be reached from here, or set BOWLINE_RELEASES to a mirror"
}

target() {
  case "$(uname -s)" in
    Linux) system=unknown-linux-gnu ;;
    Darwin) system=apple-darwin ;;
    *) fail "there is no archive for this system: $(uname -s)" "build from source: cargo install --path crates/cli" ;;
  esac
  case "$(uname -m)" in
    x86_64 | amd64) processor=x86_64 ;;
    aarch64 | arm64) processor=aarch64 ;;
    *) fail "there is no archive for this processor: $(uname -m)" "build from source: cargo install --path crates/cli" ;;
  esac
  if [ "$system" = unknown-linux-gnu ] && ! getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
    fail "there is no archive for this C library: bowline is built for glibc" "use an image with glibc, or build from source"
  fi
  printf '%s-%s' "$processor" "$system"
}

# Where the binary goes, as a whole path.
directory() {
  directory=${BOWLINE_INSTALL_DIR:-${HOME:+$HOME/.local/bin}}
  case "$directory" in
    "") fail "it is not known where to install: HOME is not set" "set BOWLINE_INSTALL_DIR to a folder" ;;
    /*) ;;
    *) directory=$PWD/$directory ;;
  esac
  [ ! -d "$directory/bowline" ] ||
    fail "there is a folder where the binary goes: $directory/bowline" "remove it, or set BOWLINE_INSTALL_DIR to another folder"
  printf '%s' "$directory"
}

# The program that computes checksums.
hasher() {
  if command -v sha256sum >/dev/null 2>&1; then
    echo sha256sum
  elif command -v shasum >/dev/null 2>&1; then
    echo "shasum -a 256"
  else
    fail "neither sha256sum nor shasum is here" "install one of them (coreutils or perl)"
  fi
}

main() {
  releases=${BOWLINE_RELEASES:-@RELEASES@}
  case "$releases" in
    *://*) ;;
    *) fail "it is not known where releases lie" "set BOWLINE_RELEASES to the page of releases" ;;
  esac
  target=$(target)
  directory=$(directory)
  hasher=$(hasher)
  for program in tar gzip; do
    command -v "$program" >/dev/null 2>&1 || fail "$program is not here" "install it"
  done
  case "${BOWLINE_VERSION:-latest}" in
    latest) folder="$releases/latest/download" ;;
    *) folder="$releases/download/v${BOWLINE_VERSION#v}" ;;
  esac
  case "$releases" in
    file://*) folder=$releases ;;
  esac

  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  archive="bowline-$target.tar.gz"
  fetch "$folder/$archive" "$work/$archive"
  fetch "$folder/$archive.sha256" "$work/$archive.sha256"
  wanted=$(cut -d ' ' -f 1 "$work/$archive.sha256")
  found=$($hasher "$work/$archive")
  [ "$wanted" = "${found%% *}" ] ||
    fail "the checksum of $archive is not the one of the release" "try again; if it stays so, do not use the file and report it"

  tar -xzf "$work/$archive" -C "$work" || fail "cannot unpack: $archive" "see that there is room in ${TMPDIR:-/tmp}"
  mkdir -p "$directory" && cp "$work/bowline/bowline" "$directory/.bowline.new" ||
    fail "cannot write into: $directory" "set BOWLINE_INSTALL_DIR to a folder that you may write to"
  # Tried where it will stand: nothing may be started in some folders for temporary files.
  if ! "$directory/.bowline.new" --version >/dev/null; then
    rm -f "$directory/.bowline.new"
    fail "the binary does not start in: $directory" \
      "set BOWLINE_INSTALL_DIR to a folder in which programs may start, or build from source: cargo install --path crates/cli"
  fi
  # A rename replaces a binary that is running, and never leaves half of one.
  mv -f "$directory/.bowline.new" "$directory/bowline" ||
    fail "cannot write into: $directory" "set BOWLINE_INSTALL_DIR to a folder that you may write to"
  printf '%s is in %s\n' "$("$directory/bowline" --version)" "$directory" >&2
  case ":$PATH:" in
    *":$directory:"*) printf 'try it: bowline demo\n' >&2 ;;
    *) printf 'put it on your path: export PATH="%s:$PATH"\n' "$directory" >&2 ;;
  esac
}

main
