//! One input made from others.

use fastrand::Rng;

/// The longest input that is made.
const LONGEST: usize = 64 << 10;

/// How often an input is changed at most.
const MOST_CHANGES: usize = 8;

/// Numbers at which programs go wrong.
const NUMBERS: [&str; 16] = [
    "0",
    "-1",
    "1",
    "00",
    "127",
    "255",
    "65536",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "0.1",
    "1e400",
    "1e-400",
    "99999999999999999999999999999999999999999999999999",
];

/// Texts at which programs go wrong.
const TEXTS: [&str; 12] = [
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "é",
    "\u{feff}",
    "\u{202e}",
    "\u{1f980}",
    "𝟡",
    "İ",
];

/// An input that no one wrote: one of the pool, changed a few times. `words` mean something to what parses it.
pub(crate) fn mutated(rng: &mut Rng, pool: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = any(rng, pool).map(<[u8]>::to_vec).unwrap_or_default();
    for _ in 0..rng.usize(1..=MOST_CHANGES) {
        change(rng, &mut input, pool, words);
        input.truncate(LONGEST);
    }
    input
}

fn any<'p>(rng: &mut Rng, pool: &'p [Vec<u8>]) -> Option<&'p [u8]> {
    rng.choice(pool).map(Vec::as_slice)
}

fn change(rng: &mut Rng, input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str]) {
    let word = |rng: &mut Rng| {
        let own = rng.choice(words).copied().unwrap_or_default();
        let text = rng.choice(TEXTS).unwrap_or_default();
        if rng.u8(0..4) == 0 { text } else { own }
            .as_bytes()
            .to_vec()
    };
    match rng.u8(0..12) {
        0 => {
            if let Some(byte) = rng.choice(input.iter_mut()) {
                *byte ^= 1 << rng.u8(0..8);
            }
        }
        1 => {
            if let Some(byte) = rng.choice(input.iter_mut()) {
                *byte = rng.u8(..);
            }
        }
        2 => drop(input.drain(span(rng, input.len()))),
        3 => input.truncate(rng.usize(0..=input.len())),
        4 | 5 => {
            let at = rng.usize(0..=input.len());
            input.splice(at..at, word(rng));
        }
        6 => drop(input.splice(span(rng, input.len()), word(rng))),
        7 => {
            if let Some(digits) = number(rng, input) {
                let number = rng.choice(NUMBERS).unwrap_or_default();
                input.splice(digits, number.bytes());
            }
        }
        8 => {
            let piece = input[span(rng, input.len())].to_vec();
            let at = rng.usize(0..=input.len());
            input.splice(at..at, piece);
        }
        // Deep nesting and long runs.
        9 => {
            let start = rng.usize(0..=input.len());
            let end = (start + rng.usize(1..=16)).min(input.len());
            let piece = input[start..end].repeat(1 << rng.u32(1..=12));
            input.splice(start..start, piece.into_iter().take(LONGEST));
        }
        10 => {
            if let Some(other) = any(rng, pool) {
                let piece = other[span(rng, other.len())].to_vec();
                input.splice(span(rng, input.len()), piece);
            }
        }
        _ => {
            if let Some(other) = any(rng, pool) {
                input.truncate(rng.usize(0..=input.len()));
                input.extend_from_slice(&other[rng.usize(0..=other.len())..]);
            }
        }
    }
}

/// A part of something so long; short ones are likelier.
fn span(rng: &mut Rng, length: usize) -> std::ops::Range<usize> {
    let start = rng.usize(0..=length);
    let most = if rng.bool() { 8 } else { length };
    start..start + rng.usize(0..=most.min(length - start))
}

/// Where a number stands.
fn number(rng: &mut Rng, input: &[u8]) -> Option<std::ops::Range<usize>> {
    let from = rng.usize(0..=input.len());
    let start = from + input[from..].iter().position(u8::is_ascii_digit)?;
    let digits = input[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    Some(start..start + digits.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs_and_another_seed_others() {
        let pool = [b"SELECT {{ x }} LIMIT 10".to_vec(), Vec::new()];
        let made = |seed| {
            let mut rng = Rng::with_seed(seed);
            let inputs = (0..200).map(|_| mutated(&mut rng, &pool, &["{{", "}}"]));
            inputs.collect::<Vec<_>>()
        };
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
        assert!(made(7).iter().all(|input| input.len() <= LONGEST));
    }

    #[test]
    fn something_comes_of_nothing() {
        let mut rng = Rng::with_seed(1);
        let inputs = (0..100).map(|_| mutated(&mut rng, &[], &["word"]));
        assert!(inputs.into_iter().any(|input| !input.is_empty()));
    }
}
