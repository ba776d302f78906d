//! Losses over logits, made only of candle operations that have a backward pass. The mean over rows
//! is what is minimised.

use candle_core::{D, Device, Result, Tensor};

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Softmax cross-entropy: logits `[rows, classes]`, targets are class indices.
    CrossEntropy,
    /// Sigmoid cross-entropy: logits `[rows, 1]`, targets in [0, 1].
    BinaryCrossEntropy,
    /// Squared error: outputs `[rows, 1]`, any finite targets.
    SquaredError,
}

impl Loss {
    /// One loss per row, `[rows]`. `targets` has as many entries as `logits` has rows; for
    /// [`Loss::CrossEntropy`] each is a class index below the number of classes.
    pub fn per_row(self, logits: &Tensor, targets: &[f32]) -> Result<Tensor> {
        let device = logits.device();
        match self {
            Loss::CrossEntropy => {
                // The maximum is detached: it cancels in value and in gradient.
                let max = logits.max_keepdim(D::Minus1)?.detach();
                let shifted = logits.broadcast_sub(&max)?;
                let log_sum = shifted.exp()?.sum(D::Minus1)?.log()?;
                let picked = (shifted * one_hot(targets, logits.dim(D::Minus1)?, device)?)?.sum(D::Minus1)?;
                log_sum - picked
            }
            Loss::BinaryCrossEntropy => {
                // max(z, 0) - z t + ln(1 + exp(-|z|)): no overflow at either end.
                let z = logits.squeeze(D::Minus1)?;
                let t = Tensor::new(targets, device)?;
                let soft = (z.abs()?.neg()?.exp()? + 1.0)?.log()?;
                (z.relu()? - (&z * t)?)? + soft
            }
            Loss::SquaredError => {
                let z = logits.squeeze(D::Minus1)?;
                (z - Tensor::new(targets, device)?)?.sqr()
            }
        }
    }

    /// The mean over rows, a scalar.
    pub fn mean(self, logits: &Tensor, targets: &[f32]) -> Result<Tensor> {
        self.per_row(logits, targets)?.mean_all()
    }
}

fn one_hot(targets: &[f32], classes: usize, device: &Device) -> Result<Tensor> {
    let mut values = vec![0f32; targets.len() * classes];
    for (row, target) in values.chunks_exact_mut(classes.max(1)).zip(targets) {
        if let Some(cell) = row.get_mut(*target as usize) {
            *cell = 1.0;
        }
    }
    Tensor::from_vec(values, (targets.len(), classes), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Var;

    fn check(loss: Loss, logits: &[f32], columns: usize, targets: &[f32], expected: &[f64]) {
        let rows = targets.len();
        let var = Var::from_slice(logits, (rows, columns), &Device::Cpu).unwrap();
        let per_row = loss.per_row(var.as_tensor(), targets).unwrap().to_vec1::<f32>().unwrap();
        for (found, expected) in per_row.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5 * (1.0 + expected), "{loss:?} {per_row:?}");
        }
        // Finite differences of the mean.
        let total = loss.mean(var.as_tensor(), targets).unwrap();
        let grads = total.backward().unwrap();
        let grad = grads.get(&var).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let at = |i: usize, by: f32| {
            let mut moved = logits.to_vec();
            moved[i] += by;
            let moved = Tensor::from_vec(moved, (rows, columns), &Device::Cpu).unwrap();
            loss.mean(&moved, targets).unwrap().to_scalar::<f32>().unwrap()
        };
        for (i, g) in grad.iter().enumerate() {
            let slope = (at(i, 1e-2) - at(i, -1e-2)) / 2e-2;
            assert!((slope - g).abs() < 5e-3, "{loss:?} {i}: {slope} {g}");
        }
    }

    #[test]
    fn values_and_slopes_are_those_of_the_formulas() {
        let ln2 = std::f64::consts::LN_2;
        let three = (1f64.exp() + 2f64.exp() + 3f64.exp()).ln();
        check(Loss::CrossEntropy, &[0.0, 0.0, 0.0, 1.0, 2.0, 3.0], 3, &[1.0, 2.0], &[3f64.ln(), three - 3.0]);
        check(
            Loss::BinaryCrossEntropy,
            &[0.5, 2.0, -3.0],
            1,
            &[1.0, 0.0, 0.25],
            &[(1.0 + (-0.5f64).exp()).ln(), (1.0 + 2f64.exp()).ln(), 0.75 + (1.0 + (-3f64).exp()).ln()],
        );
        check(Loss::BinaryCrossEntropy, &[0.0], 1, &[0.0], &[ln2]);
        check(Loss::SquaredError, &[0.5, -1.0], 1, &[2.0, -1.5], &[2.25, 0.25]);
    }

    #[test]
    fn extreme_logits_do_not_overflow() {
        let far = Tensor::new(&[[1e4f32], [-1e4]], &Device::Cpu).unwrap();
        let loss = Loss::BinaryCrossEntropy.per_row(&far, &[0.0, 0.0]).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(loss, [1e4, 0.0]);
        let far = Tensor::new(&[[1e4f32, -1e4]], &Device::Cpu).unwrap();
        let loss = Loss::CrossEntropy.per_row(&far, &[1.0]).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(loss, [2e4]);
    }
}
