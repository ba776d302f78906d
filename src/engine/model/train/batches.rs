//! The order of rows in an epoch: shuffled by a seed, rows of similar length together so that little
//! is padding. Indices only.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Batches whose rows are sorted together by length before they are cut apart.
const BUCKET_BATCHES: usize = 16;

/// One epoch's batches of row indices: every row once, at most `batch` rows each.
///
/// Rows are shuffled, cut into buckets of 16 batches, sorted by length within a bucket, cut into
/// batches, and the batches shuffled. The same generator state gives the same order.
pub fn shuffled(lengths: &[usize], batch: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let batch = batch.max(1);
    let mut rows: Vec<usize> = (0..lengths.len()).collect();
    rows.shuffle(rng);
    let mut batches = Vec::with_capacity(lengths.len().div_ceil(batch));
    for bucket in rows.chunks_mut(batch.saturating_mul(BUCKET_BATCHES)) {
        bucket.sort_by_key(|row| lengths.get(*row).copied().unwrap_or(0));
        batches.extend(bucket.chunks(batch).map(<[usize]>::to_vec));
    }
    batches.shuffle(rng);
    batches
}

/// Batches for evaluation: longest together, order of no consequence.
pub fn by_length(lengths: &[usize], batch: usize) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..lengths.len()).collect();
    rows.sort_by_key(|row| lengths.get(*row).copied().unwrap_or(0));
    rows.chunks(batch.max(1)).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn every_row_once_and_the_same_for_the_same_seed() {
        let lengths: Vec<usize> = (0..1003).map(|i| i * 7 % 61).collect();
        let of = |seed| shuffled(&lengths, 8, &mut ChaCha8Rng::seed_from_u64(seed));
        let batches = of(1);
        assert_eq!(batches, of(1));
        assert_ne!(batches, of(2));
        let mut rows: Vec<usize> = batches.concat();
        assert_ne!(rows, (0..1003).collect::<Vec<_>>());
        rows.sort_unstable();
        assert_eq!(rows, (0..1003).collect::<Vec<_>>());
        assert!(batches.iter().all(|b| !b.is_empty() && b.len() <= 8));
    }

    #[test]
    fn bucketing_saves_padding() {
        let lengths: Vec<usize> = (0..1024).map(|i| 1 + i * 37 % 97).collect();
        let waste = |batches: &[Vec<usize>]| -> usize {
            let padded = |b: &Vec<usize>| b.iter().map(|r| lengths[*r]).max().unwrap() * b.len();
            batches.iter().map(padded).sum::<usize>() - lengths.iter().sum::<usize>()
        };
        let bucketed = waste(&shuffled(&lengths, 16, &mut ChaCha8Rng::seed_from_u64(3)));
        let plain: Vec<Vec<usize>> = (0..64).map(|b| (0..16).map(|i| b * 16 + i).collect()).collect();
        assert!(bucketed * 5 < waste(&plain), "{bucketed} {}", waste(&plain));
    }

    #[test]
    fn no_rows_no_batches() {
        assert!(shuffled(&[], 0, &mut ChaCha8Rng::seed_from_u64(0)).is_empty());
        assert!(by_length(&[], 4).is_empty());
    }
}
