//! Words as numbers: each different word gets the next number, and is found again by one look-up.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

const NONE: u32 = u32::MAX;

/// A set of words with numbers, filled once.
pub struct Strings {
    letters: Vec<u8>,
    count: u32,
    /// By open addressing: a power of two of places, at most half of them taken.
    places: Vec<Place>,
}

/// Where a word stands.  All that a look-up compares lies together: what is not in the caches costs more than it weighs.
#[derive(Clone, Copy)]
struct Place {
    hash: u32,
    number: u32,
    start: u32,
    size: u32,
}

const FREE: Place = Place { hash: 0, number: NONE, start: 0, size: 0 };

impl Strings {
    pub fn new() -> Self {
        Strings { letters: Vec::new(), count: 0, places: vec![FREE; 1024] }
    }

    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// All words with their numbers, in no order.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.places.iter().filter(|place| place.number != NONE).map(|place| (self.word(place), place.number))
    }

    fn word(&self, place: &Place) -> &[u8] {
        &self.letters[place.start as usize..][..place.size as usize]
    }

    /// The number of a word that is in the set.
    pub fn find(&self, word: &[u8]) -> Option<u32> {
        let hash = hash(word);
        let mut at = hash as usize & (self.places.len() - 1);
        loop {
            let place = &self.places[at];
            if place.number == NONE {
                return None;
            }
            if place.hash == hash && self.word(place) == word {
                return Some(place.number);
            }
            at = (at + 1) & (self.places.len() - 1);
        }
    }

    /// The number of a word, which is put into the set if it is new.
    pub fn add(&mut self, word: &[u8]) -> u32 {
        if let Some(number) = self.find(word) {
            return number;
        }
        let (number, start) = (self.count, self.letters.len() as u32);
        self.letters.extend_from_slice(word);
        self.count += 1;
        if self.len() * 2 > self.places.len() {
            let larger = vec![FREE; self.places.len() * 2];
            let smaller = std::mem::replace(&mut self.places, larger);
            for place in smaller.into_iter().filter(|place| place.number != NONE) {
                self.put(place);
            }
        }
        self.put(Place { hash: hash(word), number, start, size: word.len() as u32 });
        number
    }

    fn put(&mut self, place: Place) {
        let mut at = place.hash as usize & (self.places.len() - 1);
        while self.places[at].number != NONE {
            at = (at + 1) & (self.places.len() - 1);
        }
        self.places[at] = place;
    }
}

/// FNV-1a with a last mix.  The set is fixed when texts come, so nobody can fill it with words of one hash.
fn hash(word: &[u8]) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for each in word {
        hash = (hash ^ u64::from(*each)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 29)) as u32
}

/// Hashes keys made of numbers that we gave ourselves.
#[derive(Default, Clone)]
pub struct OwnNumbers(u64);

impl Hasher for OwnNumbers {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for each in bytes {
            self.write_u32(u32::from(*each));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0.rotate_left(26) ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// A map from such keys.
pub type Numbered<K, V> = HashMap<K, V, BuildHasherDefault<OwnNumbers>>;
