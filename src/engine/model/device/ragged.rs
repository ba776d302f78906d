//! A batch of inputs of different lengths as a device reads it: tokens end to end, and how to get from
//! there to a padded batch and back where an operation knows rectangles only.

use candle_core::{DType, Device, Result, Tensor};

use crate::engine::model::forward::Row;

/// Added to the scores of padding: far below any score, yet within f16.
const FAR_BELOW: f64 = -3e4;

pub(super) struct Ragged {
    pub rows: usize,
    /// Length of the longest row; the width of the rectangle.
    pub longest: usize,
    /// Per token, u32: word, token type, position from 0.
    pub ids: Tensor,
    pub type_ids: Tensor,
    pub positions: Tensor,
    /// Where each row starts, `[rows]`, u32.
    pub firsts: Tensor,
    /// The same and the number of tokens at the end, `[rows + 1]`, u32.
    #[cfg(feature = "flash-attn")]
    pub starts: Tensor,
    /// `None`: all rows are equally long, and the tokens are the rectangle.
    uneven: Option<Uneven>,
}

struct Uneven {
    /// Per place of the rectangle, the token that stands there; at padding the row's first.
    spread: Tensor,
    /// Per token, its place in the rectangle.
    pack: Tensor,
    /// `[rows, longest]`, f32: 1 for tokens, 0 for padding.
    mask: Tensor,
}

impl Ragged {
    /// All numbers go up in one copy. Pageable memory on purpose: a batch of 16,384 tokens is some
    /// 300 KB, microseconds beside its milliseconds of products; candle's tensors take no pinned
    /// buffer, and cudarc's (`CudaContext::alloc_pinned`) would need storage built by hand in unsafe
    /// code, kept alive until the copy is done. Overlap comes from tokenising while the device computes.
    pub fn new(rows: &[Row], device: &Device) -> Result<Self> {
        let longest = rows.iter().map(|(ids, _)| ids.len()).max().unwrap_or(0);
        let tokens: usize = rows.iter().map(|(ids, _)| ids.len()).sum();
        let mut numbers: Vec<u32> = Vec::with_capacity(5 * tokens + 2 * rows.len());
        numbers.extend(rows.iter().flat_map(|(ids, _)| *ids));
        numbers.extend(rows.iter().flat_map(|(_, types)| *types));
        numbers.extend(rows.iter().flat_map(|(ids, _)| 0..ids.len() as u32));
        let mut start = 0;
        for (ids, _) in rows {
            numbers.push(start);
            start += ids.len() as u32;
        }
        numbers.push(start);
        let even = rows.iter().all(|(ids, _)| ids.len() == longest);
        if !even {
            let mut start = 0;
            for (ids, _) in rows {
                let length = ids.len() as u32;
                numbers.extend(start..start + length);
                numbers.extend(std::iter::repeat_n(start, longest - ids.len()));
                start += length;
            }
            for (row, (ids, _)) in rows.iter().enumerate() {
                let start = (row * longest) as u32;
                numbers.extend(start..start + ids.len() as u32);
            }
        }
        let length = numbers.len();
        let all = Tensor::from_vec(numbers, length, device)?;
        let mut at = 0;
        let mut take = |n: usize| {
            let part = all.narrow(0, at, n);
            at += n;
            part
        };
        let (ids, type_ids, positions) = (take(tokens)?, take(tokens)?, take(tokens)?);
        let starts = take(rows.len() + 1)?;
        let uneven = match even {
            true => None,
            false => {
                let (spread, pack) = (take(rows.len() * longest)?, take(tokens)?);
                let ones = rows.iter().flat_map(|(ids, _)| (0..longest).map(|at| f32::from(at < ids.len())));
                let mask = Tensor::from_vec(ones.collect(), (rows.len(), longest), device)?;
                Some(Uneven { spread, pack, mask })
            }
        };
        Ok(Self {
            rows: rows.len(),
            longest,
            ids,
            type_ids,
            positions,
            firsts: starts.narrow(0, 0, rows.len())?,
            #[cfg(feature = "flash-attn")]
            starts: starts.copy()?,
            uneven,
        })
    }

    /// Per token `[tokens, width]` to per place `[rows * longest, width]`.
    pub fn spread(&self, x: &Tensor) -> Result<Tensor> {
        match &self.uneven {
            Some(uneven) => x.index_select(&uneven.spread, 0),
            None => Ok(x.clone()),
        }
    }

    /// Per place `[rows * longest, width]` to per token `[tokens, width]`.
    pub fn pack(&self, x: &Tensor) -> Result<Tensor> {
        match &self.uneven {
            Some(uneven) => x.index_select(&uneven.pack, 0),
            None => Ok(x.clone()),
        }
    }

    /// `[rows, longest]`, f32: 1 for tokens, 0 for padding.
    pub fn mask(&self, device: &Device) -> Result<Tensor> {
        match &self.uneven {
            Some(uneven) => Ok(uneven.mask.clone()),
            None => Tensor::ones((self.rows, self.longest), DType::F32, device),
        }
    }

    /// `[rows, 1, 1, longest]` to be added to scores; `None`: nothing is padded.
    pub fn bias(&self, dtype: DType) -> Result<Option<Tensor>> {
        let Some(uneven) = &self.uneven else { return Ok(None) };
        let bias = ((1.0 - &uneven.mask)? * FAR_BELOW)?;
        bias.to_dtype(dtype)?.unsqueeze(1)?.unsqueeze(1).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spread_comes_back_as_it_was() {
        let rows: &[Row] = &[(&[5, 6, 7], &[0, 0, 1]), (&[8], &[0]), (&[9, 4], &[0, 1])];
        let batch = Ragged::new(rows, &Device::Cpu).unwrap();
        assert_eq!((batch.rows, batch.longest), (3, 3));
        assert_eq!(batch.ids.to_vec1::<u32>().unwrap(), [5, 6, 7, 8, 9, 4]);
        assert_eq!(batch.type_ids.to_vec1::<u32>().unwrap(), [0, 0, 1, 0, 0, 1]);
        assert_eq!(batch.positions.to_vec1::<u32>().unwrap(), [0, 1, 2, 0, 0, 1]);
        assert_eq!(batch.firsts.to_vec1::<u32>().unwrap(), [0, 3, 4]);
        let x = batch.ids.to_dtype(DType::F32).unwrap().unsqueeze(1).unwrap();
        let spread = batch.spread(&x).unwrap();
        assert_eq!(
            spread.flatten_all().unwrap().to_vec1::<f32>().unwrap(),
            [5., 6., 7., 8., 8., 8., 9., 4., 9.]
        );
        let back = batch.pack(&spread).unwrap();
        assert_eq!(back.to_vec2::<f32>().unwrap(), x.to_vec2::<f32>().unwrap());
        let bias = batch.bias(DType::F16).unwrap().unwrap();
        assert_eq!(bias.dims(), [3, 1, 1, 3]);
        let bias = bias.flatten_all().unwrap().to_dtype(DType::F32).unwrap().to_vec1::<f32>().unwrap();
        assert!(bias[0] == 0.0 && bias[4] < -2.9e4 && bias[5].is_finite());
    }

    #[test]
    fn equal_rows_are_not_padded() {
        let rows: &[Row] = &[(&[5, 6], &[0, 0]), (&[8, 9], &[0, 0])];
        let batch = Ragged::new(rows, &Device::Cpu).unwrap();
        assert!(batch.bias(DType::F32).unwrap().is_none());
        assert_eq!(batch.mask(&Device::Cpu).unwrap().to_vec2::<f32>().unwrap(), [[1.0; 2]; 2]);
        assert_eq!(batch.firsts.to_vec1::<u32>().unwrap(), [0, 2]);
    }
}
