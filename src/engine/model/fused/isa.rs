//! Which instructions this processor has, found out when a model is prepared, and what shape of tile
//! they multiply best.

/// In rising order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    Scalar,
    Avx2,
    Avx512,
}

impl Isa {
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Scalar
    }

    /// Every set that this processor can run, for tests and benches.
    pub fn available() -> Vec<Self> {
        match Self::detect() {
            Self::Avx512 => vec![Self::Scalar, Self::Avx2, Self::Avx512],
            Self::Avx2 => vec![Self::Scalar, Self::Avx2],
            Self::Scalar => vec![Self::Scalar],
        }
    }

    /// Rows that one tile computes: as many as the registers hold beside a row of `b`.
    pub fn tile_rows(self) -> usize {
        match self {
            Self::Avx512 => 12,
            Self::Avx2 | Self::Scalar => 6,
        }
    }

    /// Rows of a panel that are multiplied in one pass: about what the first-level cache of its time holds.
    pub fn depth(self) -> usize {
        match self {
            Self::Avx512 => 768,
            Self::Avx2 | Self::Scalar => 384,
        }
    }

    /// Columns of one tile: two vector registers. Packed panels are this wide.
    pub fn tile_width(self) -> usize {
        match self {
            Self::Avx512 => 32,
            Self::Avx2 | Self::Scalar => 16,
        }
    }
}

/// How whole numbers are multiplied: which layout activations and weights have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntForm {
    /// Pairs of 16-bit numbers (`vpmaddwd`, AVX2): the zero point is taken off beforehand. Twice the
    /// bytes of [`IntForm::Bytes`], the same multiplications per cycle as 8-bit ones without VNNI, and
    /// nothing can saturate.
    Pairs,
    /// Fours of bytes, unsigned by signed (`vpdpbusd`, AVX-512 VNNI).
    Fours,
}

impl IntForm {
    /// The forms that this processor can run on an instruction set, best first.
    pub fn available(isa: Isa) -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        if isa == Isa::Avx512 && is_x86_feature_detected!("avx512vnni") {
            return vec![Self::Fours, Self::Pairs];
        }
        let _ = isa;
        vec![Self::Pairs]
    }

    /// Numbers of `k` that one multiplication takes.
    pub fn step(self) -> usize {
        match self {
            Self::Pairs => 2,
            Self::Fours => 4,
        }
    }

    /// Rows and columns of a tile.
    pub fn tile(self) -> (usize, usize) {
        match self {
            Self::Pairs => (6, 16),
            Self::Fours => (12, 32),
        }
    }
}
