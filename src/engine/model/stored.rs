//! How weights lie in a file in numbers smaller than f32, and the way back. A matrix of 8-bit whole
//! numbers `NAME [rows x columns]` (I8) has a scale per row beside it, `NAME_scale [rows]` (F32):
//! `weight = whole * scale`, symmetric, the largest of a row at 127. That is what `fused/int_product.rs`
//! makes of f32 weights, so that a quantised folder scores as its source does in int8.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::TensorView;
use safetensors::{Dtype as FileType, View};

use super::dtype::Dtype;
use super::error::{ModelError, ModelErrorKind};
use super::fused::{column_scale, quantise_weight};

/// One tensor as it is written.
pub(super) struct Entry {
    name: String,
    dtype: FileType,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

pub(super) fn scales_name(name: &str) -> String {
    format!("{name}_scale")
}

/// A tensor in the numbers asked for. As whole numbers only the layers' dense weights and the word
/// embeddings, which are nearly all of a model; what else there is stays f32 then.
pub(super) fn store(
    ours: &str,
    file_name: &str,
    tensor: &Tensor,
    dtype: Dtype,
) -> Result<Vec<Entry>, ModelError> {
    let tensor = tensor.detach().to_device(&Device::Cpu)?.contiguous()?;
    Ok(match dtype {
        Dtype::Int8 if becomes_whole(ours, &tensor) => whole(file_name, &tensor)?,
        Dtype::F32 | Dtype::Int8 => vec![floats(file_name, &tensor, DType::F32)?],
        Dtype::F16 => vec![floats(file_name, &tensor, DType::F16)?],
        Dtype::Bf16 => vec![floats(file_name, &tensor, DType::BF16)?],
    })
}

fn becomes_whole(ours: &str, tensor: &Tensor) -> bool {
    let of_layer = ours.starts_with("encoder.layer.") && ours.ends_with(".weight");
    tensor.rank() == 2 && (of_layer || ours == "embeddings.word_embeddings.weight")
}

fn floats(name: &str, tensor: &Tensor, dtype: DType) -> Result<Entry, ModelError> {
    let (tensor, dtype) = match dtype {
        DType::F16 => (tensor.to_dtype(dtype)?, FileType::F16),
        DType::BF16 => (tensor.to_dtype(dtype)?, FileType::BF16),
        _ => (tensor.to_dtype(DType::F32)?, FileType::F32),
    };
    Ok(Entry {
        name: name.to_owned(),
        dtype,
        shape: tensor.dims().to_vec(),
        bytes: View::data(&tensor).into_owned(),
    })
}

fn whole(name: &str, tensor: &Tensor) -> Result<Vec<Entry>, ModelError> {
    let (mut bytes, mut scales) = (Vec::with_capacity(tensor.elem_count()), Vec::new());
    for row in tensor.to_vec2::<f32>()? {
        let scale = column_scale(&row);
        bytes.extend(row.iter().map(|weight| quantise_weight(*weight, scale) as u8));
        scales.push(scale);
    }
    let rows = scales.len();
    let scales = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    Ok(vec![
        Entry { name: name.to_owned(), dtype: FileType::I8, shape: tensor.dims().to_vec(), bytes },
        Entry { name: scales_name(name), dtype: FileType::F32, shape: vec![rows], bytes: scales },
    ])
}

/// The bytes of whole numbers `[rows x columns]` and of their rows' scales, as floats, row-major.
pub(super) fn to_floats(whole: &[u8], scales: &[u8]) -> Vec<f32> {
    let (scales, _) = scales.as_chunks::<4>();
    let columns = whole.len() / scales.len().max(1);
    let rows = whole.chunks_exact(columns.max(1)).zip(scales);
    rows.flat_map(|(row, scale)| {
        let scale = f32::from_le_bytes(*scale);
        row.iter().map(move |byte| f32::from(*byte as i8) * scale)
    })
    .collect()
}

/// Writes entries as a safetensors file.
pub(super) fn write(file: &Path, entries: &[Entry]) -> Result<(), ModelError> {
    let cannot = |why: String| {
        ModelError::new(ModelErrorKind::Resource, format!("cannot write {}: {why}", file.display()))
            .hint("check the folder's permissions and the space left on the disk")
    };
    let mut views = Vec::with_capacity(entries.len());
    for entry in entries {
        let view = TensorView::new(entry.dtype, entry.shape.clone(), &entry.bytes);
        views.push((entry.name.as_str(), view.map_err(|e| cannot(e.to_string()))?));
    }
    let info = std::collections::HashMap::from([("format".to_string(), "pt".to_string())]);
    safetensors::serialize_to_file(views, Some(info), file).map_err(|e| cannot(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_come_back_within_half_a_step_and_stay_where_they_are() {
        let numbers: Vec<f32> = (0..96).map(|i| (i as f32 * 0.7).sin() * (1 + i / 32) as f32).collect();
        let tensor = Tensor::from_vec(numbers.clone(), (3, 32), &Device::Cpu).unwrap();
        let once = whole("w", &tensor).unwrap();
        let back = to_floats(&once[0].bytes, &once[1].bytes);
        for (row, (was, is)) in numbers.chunks(32).zip(back.chunks(32)).enumerate() {
            let step = was.iter().fold(0f32, |top, v| top.max(v.abs())) / 127.0;
            assert!(was.iter().zip(is).all(|(a, b)| (a - b).abs() <= step * 0.501), "row {row}");
        }
        let again = whole("w", &Tensor::from_vec(back, (3, 32), &Device::Cpu).unwrap()).unwrap();
        assert_eq!(once[0].bytes, again[0].bytes);
    }

    #[test]
    fn a_row_of_zeros_is_zeros() {
        let zeros = Tensor::zeros((2, 32), DType::F32, &Device::Cpu).unwrap();
        let stored = whole("w", &zeros).unwrap();
        assert!(to_floats(&stored[0].bytes, &stored[1].bytes).iter().all(|v| *v == 0.0));
    }
}
