//! The additive model: what sentences show, and the evidence of sentences and blocks (`features.py`, `screener.py`).

use crate::lexicon::{Lexicon, REACH};
use crate::strings::{Numbered, Strings};
use crate::words::{stem, tokens, Speller};

const MAX_BLOCK: usize = 2_000;
const NONE: u32 = u32::MAX;

pub struct Model {
    bias: f64,
    margin: f64,
    scale: f64,
    weights: Vec<i32>,
    speller: Speller,
    ordinary: Strings,
    stems: Strings,
    /// By the number of a known word: the number of its stem, or `NONE`.
    by_known: Vec<u32>,
    by_stem: Vec<Stem>,
    by_pair: Numbered<(u32, u32), u32>,
    lexicon: Lexicon,
    /// By concept: its feature, or `NONE`.
    by_concept: Vec<u32>,
    by_concepts: Numbered<(u32, u32), u32>,
}

/// What the model knows of a stem.
#[derive(Clone, Copy)]
struct Stem {
    /// Its feature, or `NONE`.
    feature: u32,
    /// Whether a pair of the vocabulary begins with it.
    begins_pair: bool,
    /// Whether a word or a phrase of the lexicon begins with it.
    begins_phrase: bool,
}

const UNKNOWN: Stem = Stem { feature: NONE, begins_pair: false, begins_phrase: false };

/// The evidence of a text's best piece, and all that the text shows.
pub struct Weighed {
    pub evidence: f64,
    /// Ascending, each once.
    pub shown: Vec<u32>,
}

/// Neighbouring sentences, each feature once.
struct Block {
    start: usize,
    alone: bool,
    shown: Vec<u32>,
}

impl Model {
    /// From a description: three numbers, lists of words, and the weights (`compiled.describe`); `None` if it is wrong.
    pub fn read(described: &[u8]) -> Option<Model> {
        let mut from = Description(described);
        let (bias, margin, scale) = (from.float()?, from.float()?, from.float()?);
        let (known, guarded, ordinary) = (from.words()?, from.words()?, from.words()?);
        let (vocabulary, entries) = (from.words()?, from.words()?);
        let weights: Vec<i32> = vocabulary.iter().map(|_| from.whole()).collect::<Option<_>>()?;
        if !from.0.is_empty() || entries.len() % 2 != 0 {
            return None;
        }
        let mut names = Strings::new();
        for feature in &vocabulary {
            names.add(feature);
        }
        if names.len() != vocabulary.len() {
            return None; // a feature twice: its number would not be its place
        }
        let mut model = Model {
            bias,
            margin,
            scale,
            weights,
            speller: Speller::new(&known, &guarded),
            ordinary: Strings::new(),
            stems: Strings::new(),
            by_known: Vec::new(),
            by_stem: Vec::new(),
            by_pair: Numbered::default(),
            lexicon: Lexicon::new(Vec::new()),
            by_concept: Vec::new(),
            by_concepts: Numbered::default(),
        };
        for word in ordinary {
            model.ordinary.add(word);
        }
        model.take_plain(&vocabulary);
        model.take_concepts(&entries, &names)?;
        let mut buffer = Vec::new();
        let known =
            model.speller.known_words().map(|(word, number)| (number, model.find_stem(stem(word, &mut buffer))));
        let mut known: Vec<(u32, u32)> = known.collect();
        known.sort_unstable();
        model.by_known = known.into_iter().map(|(_, stem)| stem).collect();
        Some(model)
    }

    fn take_plain(&mut self, vocabulary: &[&[u8]]) {
        for (number, feature) in vocabulary.iter().enumerate().filter(|(_, feature)| feature.first() != Some(&b'#')) {
            match feature.iter().position(|byte| *byte == b' ') {
                None => {
                    let stem = self.stem_number(feature);
                    self.by_stem[stem as usize].feature = number as u32;
                }
                Some(space) => {
                    let pair = (self.stem_number(&feature[..space]), self.stem_number(&feature[space + 1..]));
                    self.by_pair.insert(pair, number as u32);
                    self.by_stem[pair.0 as usize].begins_pair = true;
                }
            }
        }
    }

    /// From concepts and their phrases by turns; those of one concept follow each other.
    fn take_concepts(&mut self, entries: &[&[u8]], names: &Strings) -> Option<()> {
        let mut concepts = Strings::new();
        let mut phrases = Vec::new();
        let (mut buffer, mut words) = (Vec::new(), Vec::new());
        for entry in entries.chunks_exact(2) {
            words.clear();
            tokens(entry[1], |word| words.push(self.stem_number(stem(word, &mut buffer))));
            if words.is_empty() {
                return None;
            }
            phrases.push((words.clone(), concepts.add(entry[0])));
        }
        for (words, _) in &phrases {
            self.by_stem[words[0] as usize].begins_phrase = true;
        }
        self.lexicon = Lexicon::new(phrases);
        self.by_concept = vec![NONE; concepts.len()];
        for (one, number) in concepts.all() {
            let name = [b"#", one].concat();
            self.by_concept[number as usize] = names.find(&name).unwrap_or(NONE);
            for (other, second) in concepts.all().filter(|(_, second)| *second != number) {
                if let Some(feature) = names.find(&[&name, b">" as &[u8], other].concat()) {
                    self.by_concepts.insert((number, second), feature);
                }
            }
        }
        Some(())
    }

    fn stem_number(&mut self, stem: &[u8]) -> u32 {
        let number = self.stems.add(stem);
        self.by_stem.resize(self.stems.len(), UNKNOWN);
        number
    }

    fn find_stem(&self, stem: &[u8]) -> u32 {
        self.stems.find(stem).unwrap_or(NONE)
    }

    pub fn knows(&self, word: &[u8]) -> bool {
        self.speller.known(word).is_some()
    }

    /// The place of a word in the list of ordinary words.
    pub fn ordinary(&self, word: &[u8]) -> Option<u32> {
        self.ordinary.find(word)
    }

    /// What a text of these sentences shows; the highest evidence is that of nothing if there are none.
    pub fn weigh(&self, text: &[u8], sentences: &[(usize, usize)]) -> Weighed {
        let mut best = Weighed { evidence: f64::NEG_INFINITY, shown: Vec::new() };
        let mut block: Option<Block> = None;
        let (mut words, mut shown) = (Vec::new(), Vec::new());
        for (start, end) in sentences.iter().copied() {
            self.show(&text[start..end], &mut words, &mut shown);
            match &mut block {
                Some(open) if end - open.start <= MAX_BLOCK => {
                    if open.alone {
                        best.offer(self.of_sentence(&open.shown));
                        open.alone = false;
                    }
                    open.shown.extend_from_slice(&shown);
                    best.offer(self.of_sentence(&shown));
                }
                _ => {
                    let next = Block { start, alone: true, shown: shown.clone() };
                    if let Some(done) = block.replace(next) {
                        self.end(done, &mut best);
                    }
                }
            }
        }
        if let Some(done) = block {
            self.end(done, &mut best);
        }
        once(&mut best.shown);
        best
    }

    /// A block of one sentence counts as a block, since it has no other context.
    fn end(&self, mut block: Block, best: &mut Weighed) {
        once(&mut block.shown);
        best.offer(self.of_block(&block.shown));
        best.shown.extend_from_slice(&block.shown);
    }

    /// The evidence of a sentence beside others, which must be clearer.
    fn of_sentence(&self, shown: &[u32]) -> f64 {
        (self.bias - self.margin) + self.total(shown) as f64 * self.scale
    }

    fn of_block(&self, shown: &[u32]) -> f64 {
        self.bias + self.total(shown) as f64 * self.scale
    }

    /// The evidence of all these features together.
    pub fn together(&self, mut shown: Vec<u32>) -> Option<f64> {
        once(&mut shown);
        if shown.last().map_or(false, |last| *last as usize >= self.weights.len()) {
            return None;
        }
        Some(self.of_block(&shown))
    }

    fn total(&self, shown: &[u32]) -> i64 {
        shown.iter().map(|feature| i64::from(self.weights[*feature as usize])).sum()
    }

    /// The features of one sentence, ascending, each once.
    fn show(&self, sentence: &[u8], words: &mut Vec<u32>, shown: &mut Vec<u32>) {
        words.clear();
        shown.clear();
        let (mut spelt, mut stemmed) = (Vec::with_capacity(32), Vec::with_capacity(32));
        tokens(sentence, |word| {
            words.push(match self.speller.known(word) {
                Some(number) => self.by_known[number as usize],
                None => self.find_stem(stem(self.speller.corrected(word, &mut spelt), &mut stemmed)),
            });
        });
        let mut hits = Vec::new();
        for (place, word) in words.iter().enumerate().filter(|(_, word)| **word != NONE) {
            let known = &self.by_stem[*word as usize];
            shown.push(known.feature);
            if known.begins_pair && place + 1 < words.len() {
                shown.extend(self.by_pair.get(&(*word, words[place + 1])));
            }
            if known.begins_phrase {
                self.lexicon.look(words, place, &mut hits);
            }
        }
        self.show_concepts(&hits, shown);
        shown.retain(|feature| *feature != NONE);
        once(shown);
    }

    fn show_concepts(&self, hits: &[(usize, u32)], shown: &mut Vec<u32>) {
        let mut first = 0;
        for (number, (place, concept)) in hits.iter().enumerate() {
            shown.push(self.by_concept[*concept as usize]);
            while place - hits[first].0 > REACH {
                first += 1;
            }
            for (_, other) in &hits[first..number] {
                shown.extend(self.by_concepts.get(&(*other, *concept)));
            }
        }
    }
}

impl Weighed {
    fn offer(&mut self, evidence: f64) {
        if evidence > self.evidence {
            self.evidence = evidence;
        }
    }
}

fn once(shown: &mut Vec<u32>) {
    shown.sort_unstable();
    shown.dedup();
}

/// What is left to read of a description.
struct Description<'a>(&'a [u8]);

impl<'a> Description<'a> {
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        if size > self.0.len() {
            return None;
        }
        let (taken, left) = self.0.split_at(size);
        self.0 = left;
        Some(taken)
    }

    fn float(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn whole(&mut self) -> Option<i32> {
        Some(i32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A list: how many, and each with its length.
    fn words(&mut self) -> Option<Vec<&'a [u8]>> {
        let count = self.whole()?;
        (0..count).map(|_| self.whole().and_then(|size| self.take(usize::try_from(size).ok()?))).collect()
    }
}
