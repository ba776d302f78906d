//! The innermost product on AVX-512: 12 rows by 32 columns held in 24 registers. In assembly, because
//! the development profile compiles our code at opt-level 1 with checks on every pointer step, which
//! would cost more than the arithmetic. Nothing else belongs here.

use std::arch::asm;

/// Rows of one tile.
pub const ROWS: usize = 12;
/// Columns of one tile, and the width of a packed panel.
pub const WIDTH: usize = 32;

/// Where a tile starts from before products are added.
#[derive(Clone, Copy)]
pub enum Start {
    Zero,
    /// The same 32 numbers in every row.
    Bias(*const f32),
    /// What the output holds.
    Output,
}

/// `c[12 x 32] = start + a[12 x k] * b[k x 32]`. Strides count f32s; `b` is contiguous.
///
/// # Safety
/// Needs AVX-512F. Readable: 12 rows of `k` floats at stride `a_stride` from `a`, `32 k` floats from
/// `b`, 32 floats of a bias. Writable: 12 rows of 32 floats at stride `c_stride` from `c`. `k >= 1`.
#[target_feature(enable = "avx512f")]
pub unsafe fn multiply_tile(
    k: usize,
    a: *const f32,
    a_stride: usize,
    b: *const f32,
    c: *mut f32,
    c_stride: usize,
    start: Start,
) {
    static ZEROS: [f32; WIDTH] = [0.0; WIDTH];
    let (init, init_step) = match start {
        Start::Zero => (ZEROS.as_ptr(), 0),
        Start::Bias(bias) => (bias, 0),
        Start::Output => (c.cast_const(), c_stride.wrapping_mul(4)),
    };
    let step = a_stride.wrapping_mul(3);
    let (a1, a2, a3) =
        (a.wrapping_add(step), a.wrapping_add(step.wrapping_mul(2)), a.wrapping_add(step.wrapping_mul(3)));
    // SAFETY: the caller vouches for the ranges; only the listed registers are changed.
    unsafe {
        asm!(
            "vmovups zmm0, [{init}]", "vmovups zmm1, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm2, [{init}]", "vmovups zmm3, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm4, [{init}]", "vmovups zmm5, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm6, [{init}]", "vmovups zmm7, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm8, [{init}]", "vmovups zmm9, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm10, [{init}]", "vmovups zmm11, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm12, [{init}]", "vmovups zmm13, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm14, [{init}]", "vmovups zmm15, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm16, [{init}]", "vmovups zmm17, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm18, [{init}]", "vmovups zmm19, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm20, [{init}]", "vmovups zmm21, [{init} + 64]", "add {init}, {init_step}",
            "vmovups zmm22, [{init}]", "vmovups zmm23, [{init} + 64]", "add {init}, {init_step}",
            "2:",
            "vmovups zmm24, [{b}]", "vmovups zmm25, [{b} + 64]",
            "vbroadcastss zmm26, dword ptr [{a0}]", "vfmadd231ps zmm0, zmm26, zmm24", "vfmadd231ps zmm1, zmm26, zmm25",
            "vbroadcastss zmm27, dword ptr [{a0} + {lda}]", "vfmadd231ps zmm2, zmm27, zmm24", "vfmadd231ps zmm3, zmm27, zmm25",
            "vbroadcastss zmm28, dword ptr [{a0} + {lda}*2]", "vfmadd231ps zmm4, zmm28, zmm24", "vfmadd231ps zmm5, zmm28, zmm25",
            "vbroadcastss zmm29, dword ptr [{a1}]", "vfmadd231ps zmm6, zmm29, zmm24", "vfmadd231ps zmm7, zmm29, zmm25",
            "vbroadcastss zmm30, dword ptr [{a1} + {lda}]", "vfmadd231ps zmm8, zmm30, zmm24", "vfmadd231ps zmm9, zmm30, zmm25",
            "vbroadcastss zmm31, dword ptr [{a1} + {lda}*2]", "vfmadd231ps zmm10, zmm31, zmm24", "vfmadd231ps zmm11, zmm31, zmm25",
            "vbroadcastss zmm26, dword ptr [{a2}]", "vfmadd231ps zmm12, zmm26, zmm24", "vfmadd231ps zmm13, zmm26, zmm25",
            "vbroadcastss zmm27, dword ptr [{a2} + {lda}]", "vfmadd231ps zmm14, zmm27, zmm24", "vfmadd231ps zmm15, zmm27, zmm25",
            "vbroadcastss zmm28, dword ptr [{a2} + {lda}*2]", "vfmadd231ps zmm16, zmm28, zmm24", "vfmadd231ps zmm17, zmm28, zmm25",
            "vbroadcastss zmm29, dword ptr [{a3}]", "vfmadd231ps zmm18, zmm29, zmm24", "vfmadd231ps zmm19, zmm29, zmm25",
            "vbroadcastss zmm30, dword ptr [{a3} + {lda}]", "vfmadd231ps zmm20, zmm30, zmm24", "vfmadd231ps zmm21, zmm30, zmm25",
            "vbroadcastss zmm31, dword ptr [{a3} + {lda}*2]", "vfmadd231ps zmm22, zmm31, zmm24", "vfmadd231ps zmm23, zmm31, zmm25",
            "add {b}, 128", "add {a0}, 4", "add {a1}, 4", "add {a2}, 4", "add {a3}, 4",
            "dec {k}",
            "jnz 2b",
            "vmovups [{c}], zmm0", "vmovups [{c} + 64], zmm1", "add {c}, {ldc}",
            "vmovups [{c}], zmm2", "vmovups [{c} + 64], zmm3", "add {c}, {ldc}",
            "vmovups [{c}], zmm4", "vmovups [{c} + 64], zmm5", "add {c}, {ldc}",
            "vmovups [{c}], zmm6", "vmovups [{c} + 64], zmm7", "add {c}, {ldc}",
            "vmovups [{c}], zmm8", "vmovups [{c} + 64], zmm9", "add {c}, {ldc}",
            "vmovups [{c}], zmm10", "vmovups [{c} + 64], zmm11", "add {c}, {ldc}",
            "vmovups [{c}], zmm12", "vmovups [{c} + 64], zmm13", "add {c}, {ldc}",
            "vmovups [{c}], zmm14", "vmovups [{c} + 64], zmm15", "add {c}, {ldc}",
            "vmovups [{c}], zmm16", "vmovups [{c} + 64], zmm17", "add {c}, {ldc}",
            "vmovups [{c}], zmm18", "vmovups [{c} + 64], zmm19", "add {c}, {ldc}",
            "vmovups [{c}], zmm20", "vmovups [{c} + 64], zmm21", "add {c}, {ldc}",
            "vmovups [{c}], zmm22", "vmovups [{c} + 64], zmm23", "add {c}, {ldc}",
            a0 = inout(reg) a => _,
            a1 = inout(reg) a1 => _,
            a2 = inout(reg) a2 => _,
            a3 = inout(reg) a3 => _,
            lda = in(reg) a_stride.wrapping_mul(4),
            b = inout(reg) b => _,
            k = inout(reg) k => _,
            c = inout(reg) c => _,
            ldc = in(reg) c_stride.wrapping_mul(4),
            init = inout(reg) init => _,
            init_step = in(reg) init_step,
            out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _,
            out("zmm4") _, out("zmm5") _, out("zmm6") _, out("zmm7") _,
            out("zmm8") _, out("zmm9") _, out("zmm10") _, out("zmm11") _,
            out("zmm12") _, out("zmm13") _, out("zmm14") _, out("zmm15") _,
            out("zmm16") _, out("zmm17") _, out("zmm18") _, out("zmm19") _,
            out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _,
            out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _,
            out("zmm28") _, out("zmm29") _, out("zmm30") _, out("zmm31") _,
            options(nostack),
        );
    }
}
