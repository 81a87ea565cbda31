//! One line of an input, changed as files are: bits that flip, ends that are missing, pieces of another file, other
//! digits, and words that parsers fear.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// What stands at the edge of a number, a string or a nesting.
const WORDS: [&str; 24] = [
    "0",
    "-0",
    "-1",
    "1e999",
    "-1e999",
    "1e-999",
    "NaN",
    "nan",
    "inf",
    "null",
    "true",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "0.1e1",
    "\"\"",
    "\\u0000",
    "\u{feff}",
    "[",
    "{",
    "]",
    "\r",
    "\n",
];

/// Most changes of a line.
const MOST: usize = 4;

/// The input with one of its lines changed, once to four times; `other` lends pieces.
pub(crate) fn mutated(input: &[u8], other: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    let at = rng.random_range(0..lines.len().max(1));
    let mut line = lines.get(at).map(|line| line.to_vec()).unwrap_or_default();
    for _ in 0..rng.random_range(1..=MOST) {
        change(&mut line, other, rng);
    }
    let mut out = lines[..at].concat();
    out.extend(line);
    out.extend(lines.get(at + 1..).unwrap_or_default().concat());
    out
}

fn change(line: &mut Vec<u8>, other: &[u8], rng: &mut StdRng) {
    let at = rng.random_range(0..=line.len());
    let to = rng.random_range(at..=line.len());
    match rng.random_range(0..7) {
        0 => {
            if let Some(byte) = line.get_mut(at) {
                *byte ^= 1 << rng.random_range(0..8);
            }
        }
        1 => line.truncate(at),
        2 => drop(line.drain(at..to.min(at + 16))),
        3 => {
            let piece = line[at..to.min(at + 32)].to_vec();
            line.splice(to..to, piece);
        }
        4 => {
            let from = rng.random_range(0..=other.len());
            let piece = other[from..(from + rng.random_range(0..64)).min(other.len())].to_vec();
            line.splice(at..to.min(at + 64), piece);
        }
        5 => digits(line, rng),
        _ => {
            let word = WORDS.choose(rng).copied().unwrap_or_default();
            line.splice(at..to.min(at + word.len()), word.bytes());
        }
    }
}

/// Puts another digit, or a word in the place of a whole number.
fn digits(line: &mut Vec<u8>, rng: &mut StdRng) {
    let places: Vec<usize> = (0..line.len()).filter(|at| line[*at].is_ascii_digit()).collect();
    let Some(&at) = places.choose(rng) else { return };
    if rng.random_bool(0.5) {
        line[at] = b'0' + rng.random_range(0..10);
        return;
    }
    let is_part = |byte: &u8| byte.is_ascii_digit() || b".eE+-".contains(byte);
    let start = line[..at].iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
    let end = line[at..].iter().position(|byte| !is_part(byte)).map_or(line.len(), |length| at + length);
    let word = WORDS.choose(rng).copied().unwrap_or_default();
    line.splice(start..end, word.bytes());
}
