//! Memory: scratch that a thread keeps, and results that are written without being cleared first.

use std::cell::RefCell;
use std::mem::MaybeUninit;

/// The scratch buffers of one thread, kept from call to call so that their pages are cleared once.
#[derive(Default)]
pub struct Scratch {
    buffers: [Vec<f32>; 3],
}

/// Floats in a cache line.
const LINE: usize = 16;

impl Scratch {
    /// One slice per size, each starting on a cache line; contents are whatever was left there.
    pub fn take(&mut self, sizes: [usize; 3]) -> [&mut [f32]; 3] {
        let mut sizes = sizes.into_iter();
        self.buffers.each_mut().map(|buffer| {
            let size = sizes.next().unwrap_or(0);
            if buffer.len() < size + LINE {
                // not `resize`: what is there need not be copied
                *buffer = vec![0.0; size + LINE];
            }
            let start = buffer.as_ptr().align_offset(4 * LINE).min(LINE);
            &mut buffer[start..start + size]
        })
    }
}

/// Runs `work` with this thread's scratch. Not to be nested: `work` must not reach another call of this on its thread.
pub fn with_scratch<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    thread_local! { static SCRATCH: RefCell<Scratch> = RefCell::default(); }
    SCRATCH.with_borrow_mut(work)
}

/// A vector of `len` values that `fill` writes, each of them, before it returns.
///
/// # Safety
/// `fill` must have written every value of the slice it is handed.
pub unsafe fn filled(len: usize, fill: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    fill(&mut values.spare_capacity_mut()[..len]);
    // SAFETY: the capacity is at least `len`, and the caller vouches that `fill` wrote all of it.
    unsafe { values.set_len(len) };
    values
}

/// Values that are to be overwritten, as [`MaybeUninit`].
pub fn as_uninit(values: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    // SAFETY: the same layout; nothing in this module's reach writes anything but `f32`s, so `values` stays initialised.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}

/// A pointer that several threads may write through, each to values of its own.
#[derive(Clone, Copy)]
pub struct Shared(*mut f32);

// SAFETY: a bare address; whoever writes through it vouches that no two threads touch the same value.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Of the start of `values`.
    pub fn new(values: &mut [MaybeUninit<f32>]) -> Self {
        Self(values.as_mut_ptr().cast())
    }

    /// The `len` values from `start`.
    ///
    /// # Safety
    /// They must lie inside the slice that `self` was made of, which must still be borrowed by the caller, and no other
    /// slice made of them may be alive. Values that were not written yet may only be written.
    #[expect(clippy::mut_from_ref, reason = "the caller vouches that the slices are disjoint")]
    pub unsafe fn slice(&self, start: usize, len: usize) -> &mut [f32] {
        // SAFETY: what the caller vouches for.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }
}
