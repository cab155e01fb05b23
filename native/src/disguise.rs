//! Whether a text may be something else than it looks (`spelling.py`, `encodings.py`): asked first, answered quickly.

use crate::model::Model;
use crate::sentences::blank;

/// Letters and digits from which on a run may be encoded.
const SHORTEST_RUN: usize = 16;
/// Binary digits of one letter.
const BITS: usize = 7;
/// Characters on which ciphers are tried.
const MAX_TRIED: usize = 2_000;

fn digit_like(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'@' | b'$')
}

fn between(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_' | b'*' | b'|' | b',' | b'/' | b'+' | b'~')
}

/// Whether there may be letters set apart or leetspeak in a text.
pub fn suspects(text: &[u8]) -> bool {
    hints_at_leet(text) || (may_be_apart(text) && apart_letters(text))
}

fn hints_at_leet(text: &[u8]) -> bool {
    text.windows(2).any(|pair| digit_like(pair[0]) && pair[1].is_ascii_alphabetic())
        || text.windows(3).any(|three| {
            three[0].is_ascii_alphabetic() && matches!(three[1], b'!' | b'|') && three[2].is_ascii_alphabetic()
        })
}

/// Whether one letter stands between two signs, or four or so stand alone.
fn may_be_apart(text: &[u8]) -> bool {
    let put_between = |at: usize| {
        let rest = &text[at + 1..];
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        rest.len() >= 2 && rest[0].is_ascii_alphanumeric() && between(rest[1])
    };
    if (0..text.len()).any(|at| between(text[at]) && put_between(at)) {
        return true;
    }
    let alone = |at: usize| {
        !blank(text[at]) && (at == 0 || blank(text[at - 1])) && (at + 1 == text.len() || blank(text[at + 1]))
    };
    (0..text.len()).filter(|at| alone(*at)).nth(3).is_some()
}

/// Whether four letters or digits stand apart, with up to three blanks or one sign between two.
fn apart_letters(text: &[u8]) -> bool {
    let letter = |at: usize| at < text.len() && text[at].is_ascii_alphanumeric();
    let next = |at: usize| {
        let gap = text[at + 1..].iter().take(4).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let next = match text.get(at + 1) {
            Some(sign) if between(*sign) => at + 2 + usize::from(text.get(at + 2) == Some(&b' ')),
            _ => at + 1 + gap,
        };
        (next > at + 1 && gap <= 3 && letter(next) && !letter(next + 1)).then_some(next)
    };
    (0..text.len())
        .filter(|at| letter(*at) && (*at == 0 || !letter(at - 1)))
        .any(|at| next(at).and_then(next).and_then(next).is_some())
}

/// Whether a text that looks suspicious reads the same when what looks like leetspeak is read as letters.
pub fn harmless(text: &[u8], sentences: &[(usize, usize)], model: &Model) -> bool {
    let cut_within_words = sentences.iter().any(|(start, _)| *start > 0 && !blank(text[start - 1]));
    !cut_within_words && !apart_letters(text) && !sentences.iter().any(|(start, end)| leet(&text[*start..*end], model))
}

/// Whether a sentence has a word in leetspeak.
fn leet(sentence: &[u8], model: &Model) -> bool {
    let token = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'$' | b'!' | b'|' | b'+' | b'(' | b')' | b'<')
    };
    sentence.split(|byte| !token(*byte)).filter(|word| word.len() >= 2).any(|word| {
        if word.iter().all(u8::is_ascii_alphabetic) {
            return false;
        }
        reads(word, model) || reads(stripped(word), model)
    })
}

fn stripped(word: &[u8]) -> &[u8] {
    let sign = |byte: &u8| matches!(byte, b'!' | b'(' | b')' | b'<' | b'|' | b'+');
    let start = word.iter().take_while(|byte| sign(byte)).count();
    let end = word.len() - word[start..].iter().rev().take_while(|byte| sign(byte)).count();
    &word[start..end]
}

/// Whether a known word results when digits and signs are read as letters.
fn reads(word: &[u8], model: &Model) -> bool {
    let plain: Vec<u8> = word.iter().map(|byte| letter(byte.to_ascii_lowercase())).collect();
    if plain.is_empty() || !plain.iter().all(u8::is_ascii_alphabetic) {
        return false;
    }
    let changed = |from: u8, to: u8| -> Vec<u8> { plain.iter().map(|b| if *b == from { to } else { *b }).collect() };
    model.knows(&plain) || model.knows(&changed(b'i', b'l')) || model.knows(&changed(b'l', b'i'))
}

fn letter(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'2' => b'z',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'6' | b'9' => b'g',
        b'7' | b'+' => b't',
        b'8' => b'b',
        b'|' => b'l',
        b'(' | b'<' => b'c',
        other => other,
    }
}

/// Whether a text may have an encoded piece in it, or be a cipher itself.
pub fn may_hide(text: &[u8], model: &Model) -> bool {
    may_encode(text) || !reads_plain(text, model)
}

/// Whether an encoded piece may be in a text: more than that is asked than any decoder of `encodings.py` needs at least.
fn may_encode(text: &[u8]) -> bool {
    let (mut run, mut hex, mut bits, mut groups) = (0, 0, 0, 0);
    let (mut escapes, mut percents, mut entities, mut codes) = (0, 0, 0, 0);
    for (at, byte) in text.iter().copied().enumerate() {
        let solid = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-');
        run = if solid { run + 1 } else { 0 };
        hex = match byte {
            b' ' | b':' | b',' | b'x' | b'\\' => hex,
            _ if byte.is_ascii_hexdigit() => hex + 1,
            _ => 0,
        };
        bits = if matches!(byte, b'0' | b'1') { bits + 1 } else { 0 };
        groups += usize::from(bits > 0 && bits % BITS == 0);
        percents += usize::from(byte == b'%');
        escapes += usize::from(byte == b'\\');
        entities += usize::from(byte == b'&');
        let ends_code = matches!(text.get(at + 1), Some(b' ' | b'/' | b'|'));
        codes += usize::from(matches!(byte, b'.' | b'-') && ends_code);
        if run >= SHORTEST_RUN || hex >= SHORTEST_RUN {
            return true;
        }
    }
    percents >= 3 || entities >= 2 || escapes >= 4 || groups >= 5 || codes >= 7
}

/// Whether a text is too short for a cipher, or an eighth of its words are ordinary ones.
fn reads_plain(text: &[u8], model: &Model) -> bool {
    let lower = text[..text.len().min(MAX_TRIED)].to_ascii_lowercase();
    let words: Vec<&[u8]> = lower.split(|byte| blank(*byte)).filter(|word| !word.is_empty()).collect();
    if words.len() < 3 {
        return true;
    }
    let mut found: Vec<u32> = words.iter().filter_map(|word| model.ordinary(word)).collect();
    if found.len() * 8 < words.len() {
        return false;
    }
    found.sort_unstable();
    found.dedup();
    found.len() * 8 >= words.len()
}
