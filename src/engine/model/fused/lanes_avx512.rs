//! Vector primitives for AVX-512: 16 numbers at a time.

use std::arch::x86_64::*;

use super::int_rows::{Columns, RowScale, as_bytes};
use super::isa::IntForm;

type V = __m512;
type I = __m512i;
const N: usize = 16;

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load(from: &[f32; N]) -> V {
    // SAFETY: both are 16 f32s.
    unsafe { std::mem::transmute::<[f32; N], V>(*from) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store(to: &mut [f32; N], v: V) {
    // SAFETY: both are 16 f32s.
    *to = unsafe { std::mem::transmute::<V, [f32; N]>(v) };
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load_ints(from: &[i32; N]) -> I {
    // SAFETY: both are 16 i32s.
    unsafe { std::mem::transmute::<[i32; N], I>(*from) }
}

/// The low 16 bits of each, in order.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store_pairs(to: &mut [i16; N], v: I) {
    // SAFETY: both are 16 i16s.
    *to = unsafe { std::mem::transmute::<__m256i, [i16; N]>(_mm512_cvtepi32_epi16(v)) };
}

/// Each, cut off at 0 and 255, in order.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store_bytes(to: &mut [u8; N], v: I) {
    let not_negative = _mm512_max_epi32(v, _mm512_setzero_si512());
    // SAFETY: both are 16 bytes.
    *to = unsafe { std::mem::transmute::<__m128i, [u8; N]>(_mm512_cvtusepi32_epi8(not_negative)) };
}

/// p * 2^n for whole n.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn exp2i(p: V, n: V) -> V {
    _mm512_scalef_ps(p, n)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn round(x: V) -> V {
    _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x)
}

/// The first `n` lanes of `v`, the others of `other`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn first(v: V, n: usize, other: V) -> V {
    _mm512_mask_mov_ps(other, ((1u32 << n.min(N)) - 1) as __mmask16, v)
}

macro_rules! primitives {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty = $intrinsic:ident;)*) => {$(
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq")]
        fn $name($($arg: $type),*) -> $out {
            $intrinsic($($arg),*)
        }
    )*};
}

primitives! {
    splat(x: f32) -> V = _mm512_set1_ps;
    add(a: V, b: V) -> V = _mm512_add_ps;
    sub(a: V, b: V) -> V = _mm512_sub_ps;
    mul(a: V, b: V) -> V = _mm512_mul_ps;
    div(a: V, b: V) -> V = _mm512_div_ps;
    fma(a: V, b: V, c: V) -> V = _mm512_fmadd_ps;
    to_ints(a: V) -> I = _mm512_cvtps_epi32;
    from_ints(a: I) -> V = _mm512_cvtepi32_ps;
    splat_int(a: i32) -> I = _mm512_set1_epi32;
    add_ints(a: I, b: I) -> I = _mm512_add_epi32;
    sub_ints(a: I, b: I) -> I = _mm512_sub_epi32;
    mul_ints(a: I, b: I) -> I = _mm512_mullo_epi32;
    max(a: V, b: V) -> V = _mm512_max_ps;
    min(a: V, b: V) -> V = _mm512_min_ps;
    sum(a: V) -> f32 = _mm512_reduce_add_ps;
    maximum(a: V) -> f32 = _mm512_reduce_max_ps;
}

super::rows::row_kernels!(#[target_feature(enable = "avx512f,avx512dq")]);
super::softmax::softmax_kernels!(#[target_feature(enable = "avx512f,avx512dq")]);
super::int_rows::int_kernels!(#[target_feature(enable = "avx512f,avx512dq")]);
