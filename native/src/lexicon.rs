//! The concepts behind words and phrases (`features.Lexicon`), by the numbers of their stems.

use crate::strings::Numbered;

/// Tokens between two concepts that are still taken together.
pub const REACH: usize = 8;

type Phrase = (Vec<u32>, u32);

pub struct Lexicon {
    single: Numbered<u32, Vec<u32>>,
    phrases: Numbered<(u32, u32), Vec<Phrase>>,
}

impl Lexicon {
    /// From (stems of a phrase, concept), in the order in which they are listed.
    pub fn new(entries: Vec<Phrase>) -> Self {
        let mut lexicon = Lexicon { single: Numbered::default(), phrases: Numbered::default() };
        for (words, concept) in entries {
            if words.len() == 1 {
                lexicon.single.entry(words[0]).or_default().push(concept);
            } else {
                lexicon.phrases.entry((words[0], words[1])).or_default().push((words[2..].to_vec(), concept));
            }
        }
        for options in lexicon.phrases.values_mut() {
            options.sort_by_key(|(rest, _)| std::cmp::Reverse(rest.len()));
        }
        lexicon
    }

    /// Adds (place, concept) of each hit at a place of a sentence; the longest phrases win over the single word.
    pub fn look(&self, words: &[u32], place: usize, hits: &mut Vec<(usize, u32)>) {
        if !self.phrase(words, place, hits) {
            for concept in self.single.get(&words[place]).into_iter().flatten() {
                hits.push((place, *concept));
            }
        }
    }

    fn phrase(&self, words: &[u32], place: usize, hits: &mut Vec<(usize, u32)>) -> bool {
        if place + 1 >= words.len() {
            return false;
        }
        let mut longest = None;
        for (rest, concept) in self.phrases.get(&(words[place], words[place + 1])).into_iter().flatten() {
            if longest > Some(rest.len()) {
                break;
            }
            if words[place + 2..].starts_with(rest) {
                hits.push((place, *concept));
                longest = Some(rest.len());
            }
        }
        longest.is_some()
    }
}
