//! Kernels over rows that go to and from whole numbers: the activations of one token become 8-bit
//! numbers with a scale and a zero point of their own, products of whole numbers become floats again.
//! Written once over the primitives of `lanes_*.rs`, as in `rows.rs`. Row lengths are multiples of 32.

use super::isa::{IntForm, Isa};

/// How one row was made whole: `x = scale * (q - zero)`, `q` from 0 to 255.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RowScale {
    pub scale: f32,
    pub zero: i32,
}

impl RowScale {
    /// The finest scale that reaches from `low` to `high` and has an exact 0.
    pub fn spanning(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = (high - low) / 255.0;
        if scale > 0.0 && scale.is_finite() {
            Self { scale, zero: (-low / scale).round_ties_even().clamp(0.0, 255.0) as i32 }
        } else {
            Self { scale: if scale == 0.0 { 0.0 } else { f32::NAN }, zero: 0 }
        }
    }

    /// The row held something that is not a finite number: so must everything computed from it.
    pub const NOT_FINITE: Self = Self { scale: f32::NAN, zero: 0 };
}

/// Quantises a row into `out` in the layout of `form`: numbers less the zero point in 16 bits, or bytes,
/// two of which lie in one element.
pub fn quantise(isa: Isa, form: IntForm, row: &[f32], out: &mut [i16]) -> RowScale {
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::quantise(form, row, out) },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::quantise(form, row, out) },
        _ => super::lanes_scalar::quantise(form, row, out),
    }
}

/// `out = bias + scale * scales * (products - zero * sums)` for one panel of columns, row by row:
/// `products [rows x width]` of quantised numbers, the panel's `columns`, and the first of each row's
/// `out`, whose rows are `stride` apart. All rows in one call, because a row of a panel is two vectors.
pub fn dequantise(
    isa: Isa,
    products: &[i32],
    rows: &[RowScale],
    columns: Columns,
    (out, stride): (&mut [f32], usize),
) {
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::dequantise(products, rows, columns, (out, stride)) },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::dequantise(products, rows, columns, (out, stride)) },
        _ => super::lanes_scalar::dequantise(products, rows, columns, (out, stride)),
    }
}

/// What belongs to a panel's columns.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    pub sums: &'a [i32],
    pub scales: &'a [f32],
    pub bias: &'a [f32],
}

/// Two bytes to an element, in the order of memory.
pub fn as_bytes(numbers: &mut [i16]) -> &mut [u8] {
    let length = numbers.len() * 2;
    // SAFETY: the same memory; bytes have no alignment and no invalid values.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast::<u8>(), length) }
}

macro_rules! int_kernels {
    ($(#[$feature:meta])*) => {
        $(#[$feature])*
        pub fn quantise(
            form: IntForm,
            row: &[f32],
            out: &mut [i16],
        ) -> RowScale {
            let (chunks, _) = row.as_chunks::<N>();
            let (mut low, mut high) = (splat(0.0), splat(0.0));
            // What is not finite drops out of min and max, but not out of a sum.
            let mut total = splat(0.0);
            for chunk in chunks {
                let x = load(chunk);
                low = min(low, x);
                high = max(high, x);
                total = fma(x, splat(0.0), total);
            }
            let found = match sum(total) == 0.0 {
                true => RowScale::spanning(-maximum(sub(splat(0.0), low)), maximum(high)),
                false => RowScale::NOT_FINITE,
            };
            let inverse = splat(if found.scale > 0.0 { 1.0 / found.scale } else { 0.0 });
            let zero = found.zero as f32;
            match form {
                IntForm::Pairs => {
                    let (bottom, top) = (splat(-zero), splat(255.0 - zero));
                    for (chunk, out) in chunks.iter().zip(out.as_chunks_mut::<N>().0) {
                        let q = max(min(mul(load(chunk), inverse), top), bottom);
                        store_pairs(out, to_ints(q));
                    }
                }
                IntForm::Fours => {
                    let out = as_bytes(out);
                    for (chunk, out) in chunks.iter().zip(out.as_chunks_mut::<N>().0) {
                        // Rounded before the zero point is added, as in the other form.
                        let q = add(round(mul(load(chunk), inverse)), splat(zero));
                        store_bytes(out, to_ints(max(min(q, splat(255.0)), splat(0.0))));
                    }
                }
            }
            found
        }

        $(#[$feature])*
        pub fn dequantise(
            products: &[i32],
            rows: &[RowScale],
            columns: Columns,
            (out, stride): (&mut [f32], usize),
        ) {
            let width = columns.sums.len();
            let (sums, _) = columns.sums.as_chunks::<N>();
            let (scales, _) = columns.scales.as_chunks::<N>();
            let (bias, _) = columns.bias.as_chunks::<N>();
            // By number: a panel is two vectors wide, and zipped iterators for them cost more than the
            // arithmetic where they are not inlined.
            for (at, row) in rows.iter().enumerate() {
                let products = products.get(at * width..(at + 1) * width);
                let out = out.get_mut(at * stride..at * stride + width);
                let (Some(products), Some(out)) = (products, out) else { break };
                let (zero, scale) = (splat_int(row.zero), splat(row.scale));
                let (products, _) = products.as_chunks::<N>();
                let (out, _) = out.as_chunks_mut::<N>();
                let steps = sums.len().min(scales.len()).min(bias.len()).min(products.len()).min(out.len());
                for at in 0..steps {
                    let exact = sub_ints(load_ints(&products[at]), mul_ints(zero, load_ints(&sums[at])));
                    // Not fused: the same rounding on every processor.
                    let scales = mul(load(&scales[at]), scale);
                    store(&mut out[at], add(mul(from_ints(exact), scales), load(&bias[at])));
                }
            }
        }
    };
}
pub(super) use int_kernels;
