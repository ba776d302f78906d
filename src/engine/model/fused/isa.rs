//! Which instructions this processor has, found out when a model is prepared, and what shape of tile
//! they multiply best.

use std::sync::OnceLock;

use crate::engine::model::error::{ModelError, ModelErrorKind};

/// In rising order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    Scalar,
    Avx2,
    Avx512,
}

/// Names the most that may be used: to find out whether a difference between two machines comes from their
/// instructions, and to measure older ones on a newer machine.
const LIMIT: &str = "RECSCOPE_ISA";

impl Isa {
    /// The best set of this processor, or what `RECSCOPE_ISA` limits it to. Read once.
    pub fn detect() -> Self {
        static FOUND: OnceLock<Isa> = OnceLock::new();
        *FOUND.get_or_init(|| {
            let limit = Self::limit(std::env::var(LIMIT).ok().as_deref()).ok().flatten();
            limit.map_or(Self::best(), |most| most.min(Self::best()))
        })
    }

    /// Whether `RECSCOPE_ISA`, if it is set, names a set: a slip must not pass for a measurement.
    pub fn check_limit() -> Result<(), ModelError> {
        Self::limit(std::env::var(LIMIT).ok().as_deref()).map(|_| ())
    }

    fn limit(said: Option<&str>) -> Result<Option<Self>, ModelError> {
        let Some(said) = said.filter(|said| !said.is_empty()) else { return Ok(None) };
        let all = [Self::Scalar, Self::Avx2, Self::Avx512];
        all.into_iter().find(|isa| isa.name().eq_ignore_ascii_case(said)).map(Some).ok_or_else(|| {
            let what = format!("{LIMIT} is {said:?}, which names no instructions");
            ModelError::new(ModelErrorKind::Unsupported, what).hint("say scalar, avx2 or avx512, or unset it")
        })
    }

    fn best() -> Self {
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

    /// As `RECSCOPE_ISA` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Every set that this processor can run, for tests and benches.
    pub fn available() -> Vec<Self> {
        match Self::best() {
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
    /// bytes of [`IntForm::Fours`], the same multiplications per cycle as 8-bit ones without VNNI, and
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_set_or_an_error() {
        for isa in [Isa::Scalar, Isa::Avx2, Isa::Avx512] {
            assert_eq!(Isa::limit(Some(isa.name())), Ok(Some(isa)));
        }
        assert_eq!(Isa::limit(Some("AVX2")), Ok(Some(Isa::Avx2)));
        assert_eq!((Isa::limit(None), Isa::limit(Some(""))), (Ok(None), Ok(None)));
        assert!(Isa::limit(Some("avx3")).unwrap_err().message.contains("RECSCOPE_ISA"));
        // The order is what makes it a limit.
        assert!(Isa::Scalar < Isa::Avx2 && Isa::Avx2 < Isa::Avx512);
    }
}
