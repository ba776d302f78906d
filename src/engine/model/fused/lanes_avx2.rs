//! Vector primitives for AVX2 with FMA: 8 numbers at a time.

use std::arch::x86_64::*;

use super::int_rows::{Columns, RowScale, as_bytes};
use super::isa::IntForm;

type V = __m256;
type I = __m256i;
const N: usize = 8;

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load(from: &[f32; N]) -> V {
    // SAFETY: both are 8 f32s.
    unsafe { std::mem::transmute::<[f32; N], V>(*from) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn store(to: &mut [f32; N], v: V) {
    // SAFETY: both are 8 f32s.
    *to = unsafe { std::mem::transmute::<V, [f32; N]>(v) };
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn load_ints(from: &[i32; N]) -> I {
    // SAFETY: both are 8 i32s.
    unsafe { std::mem::transmute::<[i32; N], I>(*from) }
}

/// The low 16 bits of each, in order.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn store_pairs(to: &mut [i16; N], v: I) {
    // Packing works within halves: their first quarters hold what is wanted.
    let packed = _mm256_permute4x64_epi64::<0b1000>(_mm256_packs_epi32(v, v));
    // SAFETY: both are 8 i16s.
    *to = unsafe { std::mem::transmute::<__m128i, [i16; N]>(_mm256_castsi256_si128(packed)) };
}

/// Each, cut off at 0 and 255, in order.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn store_bytes(to: &mut [u8; N], v: I) {
    // SAFETY: both are 8 i32s.
    let wide = unsafe { std::mem::transmute::<I, [i32; N]>(v) };
    *to = wide.map(|n| n.clamp(0, 255) as u8);
}

/// p * 2^n for whole n from -126 to 127: n goes into the exponent's bits.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn exp2i(p: V, n: V) -> V {
    let bits = _mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)));
    _mm256_mul_ps(p, _mm256_castsi256_ps(bits))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn round(x: V) -> V {
    _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn sum(a: V) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn maximum(a: V) -> f32 {
    let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
    let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
}

/// The first `n` lanes of `v`, the others of `other`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn first(v: V, n: usize, other: V) -> V {
    let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let wanted = _mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(N) as i32), lanes);
    _mm256_blendv_ps(other, v, _mm256_castsi256_ps(wanted))
}

macro_rules! primitives {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty = $intrinsic:ident;)*) => {$(
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        fn $name($($arg: $type),*) -> $out {
            $intrinsic($($arg),*)
        }
    )*};
}

primitives! {
    splat(x: f32) -> V = _mm256_set1_ps;
    add(a: V, b: V) -> V = _mm256_add_ps;
    sub(a: V, b: V) -> V = _mm256_sub_ps;
    mul(a: V, b: V) -> V = _mm256_mul_ps;
    div(a: V, b: V) -> V = _mm256_div_ps;
    fma(a: V, b: V, c: V) -> V = _mm256_fmadd_ps;
    to_ints(a: V) -> I = _mm256_cvtps_epi32;
    from_ints(a: I) -> V = _mm256_cvtepi32_ps;
    splat_int(a: i32) -> I = _mm256_set1_epi32;
    add_ints(a: I, b: I) -> I = _mm256_add_epi32;
    sub_ints(a: I, b: I) -> I = _mm256_sub_epi32;
    mul_ints(a: I, b: I) -> I = _mm256_mullo_epi32;
    max(a: V, b: V) -> V = _mm256_max_ps;
    min(a: V, b: V) -> V = _mm256_min_ps;
}

super::rows::row_kernels!(#[target_feature(enable = "avx2,fma")]);
super::softmax::softmax_kernels!(#[target_feature(enable = "avx2,fma")]);
super::int_rows::int_kernels!(#[target_feature(enable = "avx2,fma")]);
