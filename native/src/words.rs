//! Words of a text, their stems, and the words that misspelt ones mean (`features.py`, `spelling.py`).

use crate::strings::Strings;

/// Letters of a word that is corrected at most; longer ones stay as they are.
const MAX_CORRECTED: usize = 20;

#[rustfmt::skip]
const ENDINGS: [(&[u8], &[u8]); 42] = [
    (b"ization", b"iz"), (b"isation", b"iz"), (b"ational", b"at"), (b"fulness", b"ful"), (b"iveness", b"iv"),
    (b"ising", b"iz"), (b"ised", b"iz"), (b"ises", b"iz"), (b"ise", b"iz"), (b"yse", b"yz"), (b"ysed", b"yz"),
    (b"ysing", b"yz"), (b"ations", b""), (b"ation", b""), (b"ators", b""), (b"ator", b""), (b"ating", b""),
    (b"ated", b""), (b"ates", b""), (b"ate", b""), (b"ements", b""), (b"ement", b""), (b"ings", b""), (b"ing", b""),
    (b"ions", b""), (b"ion", b""), (b"ies", b"y"), (b"ied", b"y"), (b"edly", b""), (b"ed", b""), (b"ers", b""),
    (b"er", b""), (b"ors", b""), (b"or", b""), (b"ely", b""), (b"ly", b""), (b"ous", b""), (b"us", b"us"),
    (b"is", b"is"), (b"es", b""), (b"s", b""), (b"e", b""),
];

/// Calls `found` with each word, number (as `0`) and question or exclamation mark, in lower case.
pub fn tokens(text: &[u8], mut found: impl FnMut(&[u8])) {
    let mut word: Vec<u8> = Vec::with_capacity(24);
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte.is_ascii_alphabetic() {
            word.clear();
            let mut apostrophe = false;
            while at < text.len() {
                let byte = text[at];
                let next_is_letter = at + 1 < text.len() && text[at + 1].is_ascii_alphabetic();
                if byte.is_ascii_alphabetic() {
                    word.push(byte.to_ascii_lowercase());
                } else if byte == b'\'' && next_is_letter && !apostrophe {
                    apostrophe = true;
                    word.push(byte);
                } else {
                    break;
                }
                at += 1;
            }
            found(&word);
        } else if byte.is_ascii_digit() {
            while at < text.len() && text[at].is_ascii_digit() {
                at += 1;
            }
            found(b"0");
        } else {
            if byte == b'?' || byte == b'!' {
                found(&text[at..at + 1]);
            }
            at += 1;
        }
    }
}

/// A word without its ending, in a buffer that is lent.
pub fn stem<'a>(word: &'a [u8], into: &'a mut Vec<u8>) -> &'a [u8] {
    if word.len() < 4 {
        return word;
    }
    let word = word.strip_suffix(b"'s").unwrap_or(word);
    if word.ends_with(b"ss") {
        return word;
    }
    for (ending, left) in &ENDINGS {
        if let Some(base) = word.strip_suffix(*ending) {
            if base.len() + left.len() < 3 {
                continue;
            }
            into.clear();
            into.extend_from_slice(base);
            into.extend_from_slice(left);
            let (last, before) = (into[into.len() - 1], into[into.len() - 2]);
            if into.len() > 3 && last == before && !matches!(last, b'l' | b's' | b'z') {
                into.pop();
            }
            return into;
        }
    }
    word
}

/// Known words, and what misspelt ones mean.
pub struct Speller {
    known: Strings,
    stems: Strings,
    /// Guarded words and what is left of them when one letter is missing.
    near: Strings,
    /// For each of `near`, the word that is meant.
    meant: Vec<Vec<u8>>,
}

impl Speller {
    pub fn new(known: &[&[u8]], guarded: &[&[u8]]) -> Self {
        let mut speller =
            Speller { known: Strings::new(), stems: Strings::new(), near: Strings::new(), meant: Vec::new() };
        let mut buffer = Vec::new();
        for word in known {
            speller.known.add(word);
            speller.stems.add(stem(word, &mut buffer));
        }
        let mut sorted = guarded.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        for word in &sorted {
            speller.guard(word, word);
        }
        for word in sorted.iter().filter(|word| word.len() >= 6) {
            for index in 0..word.len() {
                speller.guard(&without(word, index), word);
            }
        }
        speller
    }

    fn guard(&mut self, written: &[u8], meant: &[u8]) {
        if self.near.add(written) as usize == self.meant.len() {
            self.meant.push(meant.to_vec()); // the first in the alphabet keeps it
        }
    }

    /// The number of a known word.
    pub fn known(&self, word: &[u8]) -> Option<u32> {
        self.known.find(word)
    }

    /// All known words with their numbers.
    pub fn known_words(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.known.all()
    }

    /// The guarded word one letter, or two swapped ones, away from an unknown `word`; or the word itself.
    pub fn corrected<'a>(&'a self, word: &'a [u8], buffer: &mut Vec<u8>) -> &'a [u8] {
        if word.len() < 5 || word.len() > MAX_CORRECTED {
            return word;
        }
        if self.stems.find(stem(word, buffer)).is_some() {
            return word;
        }
        if let Some(near) = self.meant_by(word) {
            return near;
        }
        let mut shorter = [0; MAX_CORRECTED];
        shorter[..word.len() - 1].copy_from_slice(&word[1..]);
        for index in 0..word.len() {
            // without the letter at `index`: the one before it comes back
            if index > 0 {
                shorter[index - 1] = word[index - 1];
            }
            if let Some(near) = self.meant_by(&shorter[..word.len() - 1]) {
                if near.len().abs_diff(word.len()) <= 1 {
                    return near;
                }
            }
        }
        word
    }

    fn meant_by(&self, written: &[u8]) -> Option<&[u8]> {
        self.near.find(written).map(|number| self.meant[number as usize].as_slice())
    }
}

/// A word without one letter.
fn without(word: &[u8], index: usize) -> Vec<u8> {
    [&word[..index], &word[index + 1..]].concat()
}
