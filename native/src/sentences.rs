//! A text cut into sentences of bounded length (`segments.py`).

const MAX_SENTENCE: usize = 400;

/// What Python's `str.isspace` says of ASCII.
pub fn blank(byte: u8) -> bool {
    matches!(byte, 9..=13 | 28..=32)
}

/// (start, end) of each sentence; together they cover the text.
pub fn sentences(text: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        match end_at(text, at) {
            Some(end) => {
                bounded(text, start, end, &mut found);
                start = end;
                at = end;
            }
            None => at += 1,
        }
    }
    bounded(text, start, text.len(), &mut found);
    found
}

/// Where a sentence ends whose end is marked at `at`.
fn end_at(text: &[u8], at: usize) -> Option<usize> {
    let run = |from: usize, of: fn(u8) -> bool| from + text[from..].iter().take_while(|byte| of(**byte)).count();
    match text[at] {
        b'\n' => Some(run(at, |byte| byte == b'\n')),
        b'.' | b'!' | b'?' | b';' | b':' => {
            let closed = run(at + 1, |byte| matches!(byte, b'"' | b'\'' | b')' | b']'));
            let end = run(closed, blank);
            if end > closed {
                Some(end)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn bounded(text: &[u8], mut start: usize, end: usize, found: &mut Vec<(usize, usize)>) {
    while end - start > MAX_SENTENCE {
        let half = start + MAX_SENTENCE / 2;
        let space = text[half..start + MAX_SENTENCE].iter().rposition(|byte| *byte == b' ');
        let cut = space.map_or(start + MAX_SENTENCE, |place| half + place + 1);
        found.push((start, cut));
        start = cut;
    }
    if end > start {
        found.push((start, end));
    }
}
