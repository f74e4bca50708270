//! Vectors of float32 lanes: the few instructions that the kernels are written in, once per instruction set.
//!
//! A value of [`Avx512`] or [`Avx2`] is a token: it can be had from `detect` alone, so whoever holds one knows that the
//! machine has the instructions. The methods are `#[inline(always)]` and become single instructions inside
//! [`Lanes::run`], the only function that is compiled with the instruction set switched on.

use super::isa::Task;
use std::arch::asm;
use std::arch::x86_64::{
    __m256, __m256i, __m512, __mmask16, _mm256_and_si256, _mm256_castpd_ps, _mm256_castps_pd, _mm256_cmpeq_epi32, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_maskload_ps, _mm256_permute2f128_ps, _mm256_permute4x64_pd, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32, _mm256_setzero_ps,
    _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_loadu_ps,
    _mm512_permutex2var_ps, _mm512_set1_ps, _mm512_setr_epi32, _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_shuffle_ps, _mm512_storeu_ps,
    _mm512_unpackhi_ps, _mm512_unpacklo_ps,
};

/// A vector instruction set. See the module's note on tokens.
///
/// # Safety
/// Every method but `run` may only be called inside [`Lanes::run`] (it is compiled to instructions that the machine is
/// then known to have), and pointers must be valid for the lanes that the method's name says are read or written.
pub trait Lanes: Copy + Send + Sync + 'static {
    /// Lanes in a vector.
    const N: usize;
    /// A vector.
    type V: Copy;
    /// Which lanes a masked load reads.
    type Mask: Copy;

    /// Runs `task` compiled with this instruction set.
    fn run<T: Task>(self, task: T) -> T::Output;
    /// All lanes 0.
    unsafe fn zero() -> Self::V;
    /// All lanes `value`.
    unsafe fn splat(value: f32) -> Self::V;
    /// All lanes the value at `from`, read where it is used.
    unsafe fn broadcast(from: *const f32) -> Self::V;
    /// `N` values from `from`.
    unsafe fn load(from: *const f32) -> Self::V;
    /// `N` values to `to`.
    unsafe fn store(to: *mut f32, value: Self::V);
    /// `a * b + c`, rounded once.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The lanes whose bits are set, lane 0 lowest.
    unsafe fn mask(bits: u32) -> Self::Mask;
    /// The lanes of `mask` from `from`, the others 0; memory of the others is not touched.
    unsafe fn load_masked(from: *const f32, mask: Self::Mask) -> Self::V;
    /// Lanes 0, 2, 4, .. of `a` followed by those of `b`.
    unsafe fn even(a: Self::V, b: Self::V) -> Self::V;
    /// Writes the transpose of `rows` (at most `N`) rows of `columns` (at most `N`) values: `columns` rows of `N`
    /// values, those from lane `rows` on 0. `pitches`: floats from one row to the next, of source and target.
    unsafe fn transpose(from: *const f32, to: *mut f32, rows: usize, columns: usize, pitches: (usize, usize));
}

/// 16 lanes; see the module's note on tokens.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx512 {
    /// The token, on a machine that has the instructions.
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        found.then_some(Self(()))
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
fn run_avx512<T: Task>(task: T) -> T::Output {
    task.run()
}

// In all of the following methods:
// SAFETY: the caller vouches for the instruction set and for the pointers, as the trait asks.
impl Lanes for Avx512 {
    const N: usize = 16;
    type V = __m512;
    type Mask = __mmask16;

    #[inline(always)]
    fn run<T: Task>(self, task: T) -> T::Output {
        // SAFETY: `self` exists, so `detect` found every feature that `run_avx512` is compiled with.
        unsafe { run_avx512(task) }
    }
    #[inline(always)]
    unsafe fn zero() -> __m512 {
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> __m512 {
        unsafe { _mm512_set1_ps(*from) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m512) {
        unsafe { _mm512_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn mask(bits: u32) -> __mmask16 {
        bits as __mmask16
    }
    #[inline(always)]
    unsafe fn load_masked(from: *const f32, mask: __mmask16) -> __m512 {
        unsafe { _mm512_maskz_loadu_ps(mask, from) }
    }
    #[inline(always)]
    unsafe fn even(a: __m512, b: __m512) -> __m512 {
        unsafe {
            let index = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            _mm512_permutex2var_ps(a, index, b)
        }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, to: *mut f32, rows: usize, columns: usize, pitches: (usize, usize)) {
        unsafe {
            let mask = Self::mask((1u32 << columns) - 1);
            let mut a = [Self::zero(); 16];
            for (r, row) in a.iter_mut().enumerate().take(rows) {
                *row = Self::load_masked(from.add(r * pitches.0), mask);
            }
            // 4 x 4 blocks inside each quarter of a vector, then the quarters
            let mut b = a;
            for r in (0..16).step_by(4) {
                let (lo01, hi01) = (_mm512_unpacklo_ps(a[r], a[r + 1]), _mm512_unpackhi_ps(a[r], a[r + 1]));
                let (lo23, hi23) = (_mm512_unpacklo_ps(a[r + 2], a[r + 3]), _mm512_unpackhi_ps(a[r + 2], a[r + 3]));
                b[r] = _mm512_shuffle_ps::<0x44>(lo01, lo23);
                b[r + 1] = _mm512_shuffle_ps::<0xEE>(lo01, lo23);
                b[r + 2] = _mm512_shuffle_ps::<0x44>(hi01, hi23);
                b[r + 3] = _mm512_shuffle_ps::<0xEE>(hi01, hi23);
            }
            for c in 0..4 {
                let (even01, even23) = (_mm512_shuffle_f32x4::<0x88>(b[c], b[c + 4]), _mm512_shuffle_f32x4::<0x88>(b[c + 8], b[c + 12]));
                let (odd01, odd23) = (_mm512_shuffle_f32x4::<0xDD>(b[c], b[c + 4]), _mm512_shuffle_f32x4::<0xDD>(b[c + 8], b[c + 12]));
                a[c] = _mm512_shuffle_f32x4::<0x88>(even01, even23);
                a[c + 4] = _mm512_shuffle_f32x4::<0x88>(odd01, odd23);
                a[c + 8] = _mm512_shuffle_f32x4::<0xDD>(even01, even23);
                a[c + 12] = _mm512_shuffle_f32x4::<0xDD>(odd01, odd23);
            }
            for (c, column) in a.iter().enumerate().take(columns) {
                Self::store(to.add(c * pitches.1), *column);
            }
        }
    }
}

/// 8 lanes; see the module's note on tokens.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, on a machine that has the instructions.
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Task>(task: T) -> T::Output {
    task.run()
}

// In all of the following methods:
// SAFETY: the caller vouches for the instruction set and for the pointers, as the trait asks.
impl Lanes for Avx2 {
    const N: usize = 8;
    type V = __m256;
    type Mask = __m256i;

    #[inline(always)]
    fn run<T: Task>(self, task: T) -> T::Output {
        // SAFETY: `self` exists, so `detect` found every feature that `run_avx2` is compiled with.
        unsafe { run_avx2(task) }
    }
    #[inline(always)]
    unsafe fn zero() -> __m256 {
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> __m256 {
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    #[expect(clippy::pointers_in_nomem_asm_block, reason = "the assembly is empty: it hides the address and reads nothing")]
    unsafe fn broadcast(mut from: *const f32) -> __m256 {
        // A tile of sums fills all 16 registers: a broadcast that the compiler moves ahead of its use takes a sum's register,
        // and that sum goes through memory at every step (40 GFLOP/s instead of 85 on a Zen 3). An address that it cannot
        // see through keeps the broadcast in its place.
        unsafe {
            asm!("/* {0} */", inout(reg) from, options(nomem, nostack, preserves_flags));
            _mm256_set1_ps(*from)
        }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m256) {
        unsafe { _mm256_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn mask(bits: u32) -> __m256i {
        unsafe {
            let lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(bits as i32), lane), lane)
        }
    }
    #[inline(always)]
    unsafe fn load_masked(from: *const f32, mask: __m256i) -> __m256 {
        unsafe { _mm256_maskload_ps(from, mask) }
    }
    #[inline(always)]
    unsafe fn even(a: __m256, b: __m256) -> __m256 {
        unsafe {
            let halves = _mm256_shuffle_ps::<0x88>(a, b);
            _mm256_castpd_ps(_mm256_permute4x64_pd::<0xD8>(_mm256_castps_pd(halves)))
        }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, to: *mut f32, rows: usize, columns: usize, pitches: (usize, usize)) {
        unsafe {
            let mask = Self::mask((1u32 << columns) - 1);
            let mut a = [Self::zero(); 8];
            for (r, row) in a.iter_mut().enumerate().take(rows) {
                *row = Self::load_masked(from.add(r * pitches.0), mask);
            }
            // 4 x 4 blocks inside each half of a vector, then the halves
            let mut b = a;
            for r in (0..8).step_by(4) {
                let (lo01, hi01) = (_mm256_unpacklo_ps(a[r], a[r + 1]), _mm256_unpackhi_ps(a[r], a[r + 1]));
                let (lo23, hi23) = (_mm256_unpacklo_ps(a[r + 2], a[r + 3]), _mm256_unpackhi_ps(a[r + 2], a[r + 3]));
                b[r] = _mm256_shuffle_ps::<0x44>(lo01, lo23);
                b[r + 1] = _mm256_shuffle_ps::<0xEE>(lo01, lo23);
                b[r + 2] = _mm256_shuffle_ps::<0x44>(hi01, hi23);
                b[r + 3] = _mm256_shuffle_ps::<0xEE>(hi01, hi23);
            }
            for c in 0..4 {
                a[c] = _mm256_permute2f128_ps::<0x20>(b[c], b[c + 4]);
                a[c + 4] = _mm256_permute2f128_ps::<0x31>(b[c], b[c + 4]);
            }
            for (c, column) in a.iter().enumerate().take(columns) {
                Self::store(to.add(c * pitches.1), *column);
            }
        }
    }
}
