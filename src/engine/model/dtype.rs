//! In which numbers a model computes scores: what a user may ask for, and what that means on a device.

use std::fmt;
use std::str::FromStr;

use super::error::{ModelError, ModelErrorKind};

/// Numbers of the products. Sums, normalisation and softmax are never in less than f32 on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Dtype {
    #[default]
    F32,
    /// Half precision: GPUs only.
    F16,
    Bf16,
    /// 8-bit whole numbers: weights per output column, activations per token. CPU only.
    Int8,
}

impl Dtype {
    pub const NAMES: [&'static str; 4] = ["f32", "f16", "bf16", "int8"];

    /// Whether scores in this type can be had on a device, and if not, what to do.
    pub fn check(self, on_cpu: bool) -> Result<(), ModelError> {
        let hint = match (self, on_cpu) {
            (Self::F16 | Self::Bf16, true) => "use int8, which is the faster type on a CPU, or f32",
            (Self::Int8, false) => "use f16 or bf16, which are the faster types on a GPU, or f32",
            _ => return Ok(()),
        };
        let place = if on_cpu { "the CPU" } else { "a GPU" };
        Err(ModelError::new(ModelErrorKind::Usage, format!("{self} is not computed on {place}")).hint(hint))
    }
}

impl FromStr for Dtype {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "f32" | "float32" => Ok(Self::F32),
            "f16" | "float16" | "half" => Ok(Self::F16),
            "bf16" | "bfloat16" => Ok(Self::Bf16),
            "int8" | "i8" => Ok(Self::Int8),
            other => {
                Err(ModelError::new(ModelErrorKind::Usage, format!("there is no number type \"{other}\""))
                    .hint(format!("use one of {}", Self::NAMES.join(", "))))
            }
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_as_they_print_and_know_their_place() {
        for name in Dtype::NAMES {
            let dtype: Dtype = name.parse().unwrap();
            assert_eq!(dtype.to_string(), name);
            assert!(dtype.check(true).is_ok() || dtype.check(false).is_ok());
        }
        assert!("int4".parse::<Dtype>().unwrap_err().hint.unwrap().contains("int8"));
        assert!(Dtype::F16.check(true).unwrap_err().hint.unwrap().contains("int8"));
    }
}
