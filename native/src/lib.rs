//! The compiled half of screening: what `glasshouse.guard.misuse` does with undisguised ASCII text, told again in Rust.
//!
//! The Python modules are the reference, and tests compare both on any text.  Nothing here keeps state between calls:
//! a `Model` is read-only once it is made, so threads may share it.  Everything that does not look like plain text is
//! handed back (`DISGUISED`), or marked for a second look.

#![deny(unsafe_op_in_unsafe_fn)]

mod disguise;
mod lexicon;
mod model;
mod sentences;
mod strings;
mod words;

use model::Model;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// The text may be disguised: the caller reads it himself.
const DISGUISED: i64 = -1;
/// A fault in here: the caller reads the text himself.
const FAULT: i64 = -2;
/// Bytes before the features in an answer: the evidence, whether something may hide in the text, how many features.
const HEAD: usize = 16;

/// The bytes that a caller lends for one call.
///
/// # Safety
/// `at` must point to `size` readable bytes that nobody changes during the call.
unsafe fn lent<'a>(at: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        return &[];
    }
    // SAFETY: promised by the caller
    unsafe { std::slice::from_raw_parts(at, size) }
}

/// A model from its description (`model::Model::read`); null if the description is not understood.
///
/// # Safety
/// `at` must point to `size` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn glasshouse_model(at: *const u8, size: usize) -> *mut Model {
    // SAFETY: promised by the caller
    let described = unsafe { lent(at, size) };
    match catch_unwind(|| Model::read(described)) {
        Ok(Some(model)) => Box::into_raw(Box::new(model)),
        _ => std::ptr::null_mut(),
    }
}

/// Gives a model back.
///
/// # Safety
/// `model` must come from `glasshouse_model` and not be used again.
#[no_mangle]
pub unsafe extern "C" fn glasshouse_forget(model: *mut Model) {
    if !model.is_null() {
        // SAFETY: promised by the caller
        drop(unsafe { Box::from_raw(model) });
    }
}

/// Weighs an ASCII text.  Writes its evidence and its features to `out`; answers how many bytes, or why not.
///
/// # Safety
/// `model` must come from `glasshouse_model`; `at` must point to `size` readable bytes, `out` to `room` writable ones.
#[no_mangle]
pub unsafe extern "C" fn glasshouse_weigh(
    model: *const Model,
    at: *const u8,
    size: usize,
    out: *mut u8,
    room: usize,
) -> i64 {
    // SAFETY: promised by the caller
    let (model, text) = unsafe { (&*model, lent(at, size)) };
    // SAFETY: promised by the caller
    let out = unsafe { std::slice::from_raw_parts_mut(out, room) };
    catch_unwind(AssertUnwindSafe(|| weigh(model, text, out))).unwrap_or(FAULT)
}

/// The evidence of several lists of features together, one after the other as they came from `glasshouse_weigh`; not a
/// number if they are none.
///
/// # Safety
/// `model` must come from `glasshouse_model`; `at` must point to `size` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn glasshouse_together(model: *const Model, at: *const u8, size: usize) -> f64 {
    // SAFETY: promised by the caller
    let (model, shown) = unsafe { (&*model, lent(at, size)) };
    let numbers = shown.chunks_exact(4).map(|each| u32::from_ne_bytes([each[0], each[1], each[2], each[3]]));
    catch_unwind(AssertUnwindSafe(|| model.together(numbers.collect()))).ok().flatten().unwrap_or(f64::NAN)
}

fn weigh(model: &Model, text: &[u8], out: &mut [u8]) -> i64 {
    if !text.is_ascii() {
        return DISGUISED;
    }
    let ends = sentences::sentences(text);
    if disguise::suspects(text) && !disguise::harmless(text, &ends, model) {
        return DISGUISED;
    }
    let weighed = model.weigh(text, &ends);
    let needed = HEAD + 4 * weighed.shown.len();
    if needed > out.len() {
        return FAULT;
    }
    let may_hide = u32::from(disguise::may_hide(text, model));
    let count = weighed.shown.len() as u32;
    out[..8].copy_from_slice(&weighed.evidence.to_ne_bytes());
    for (place, number) in [may_hide, count].iter().chain(&weighed.shown).enumerate() {
        out[8 + 4 * place..12 + 4 * place].copy_from_slice(&number.to_ne_bytes());
    }
    needed as i64
}
