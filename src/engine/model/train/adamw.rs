//! AdamW with decoupled weight decay and clipping by global norm, as torch computes them. Knows
//! variables and gradients by name; nothing about models or schedules.

use candle_core::backprop::GradStore;
use candle_core::{DType, Result, Tensor, Var};

/// What weight decay applies to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decay {
    /// Everything but biases and layer normalisations: Hugging Face's trainer.
    #[default]
    Weights,
    /// Every parameter: `torch.optim.AdamW(model.parameters())`.
    Everything,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWOptions {
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    pub weight_decay: f64,
    pub decay: Decay,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01, decay: Decay::default() }
    }
}

/// Loshchilov and Hutter 2019. Per step t (from 1), with gradient g and rate lr:
/// `w -= lr * decay * w`; `m = b1 m + (1 - b1) g`; `v = b2 v + (1 - b2) g^2`;
/// `w -= lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps)`.
pub struct AdamW {
    parameters: Vec<Parameter>,
    options: AdamWOptions,
    step: i32,
}

struct Parameter {
    var: Var,
    decays: bool,
    first: Tensor,
    second: Tensor,
}

impl AdamW {
    pub fn new(vars: &[(String, Var)], options: AdamWOptions) -> Result<Self> {
        let parameter = |(name, var): &(String, Var)| {
            let zeros = var.as_tensor().zeros_like()?;
            let decays = options.decay == Decay::Everything
                || !(name.ends_with(".bias") || name.contains("LayerNorm"));
            Ok(Parameter { var: var.clone(), decays, first: zeros.clone(), second: zeros })
        };
        let parameters = vars.iter().map(parameter).collect::<Result<_>>()?;
        Ok(Self { parameters, options, step: 0 })
    }

    /// One update at this rate, gradients first scaled by `scale` (see [`clip_scale`]). A variable
    /// without a gradient is an error: it would silently never learn.
    pub fn update(&mut self, grads: &GradStore, scale: f64, rate: f64) -> Result<()> {
        let AdamWOptions { beta1, beta2, eps, weight_decay, .. } = self.options;
        self.step = self.step.saturating_add(1);
        let first_left = 1.0 - beta1.powi(self.step);
        let second_left = (1.0 - beta2.powi(self.step)).sqrt();
        for p in &mut self.parameters {
            let Some(grad) = grads.get(p.var.as_tensor()) else {
                candle_core::bail!("a variable of shape {:?} has no gradient", p.var.shape())
            };
            // Detached, or the moments would keep every past step's graph alive.
            let grad = grad.detach();
            let grad = if scale == 1.0 { grad } else { (grad * scale)? };
            p.first = ((&p.first * beta1)? + (&grad * (1.0 - beta1))?)?;
            p.second = ((&p.second * beta2)? + (grad.sqr()? * (1.0 - beta2))?)?;
            let denominator = ((p.second.sqrt()? / second_left)? + eps)?;
            let change = ((&p.first / denominator)? * (rate / first_left))?;
            let weights = p.var.as_tensor().detach();
            let weights = if p.decays { (weights * (1.0 - rate * weight_decay))? } else { weights };
            p.var.set(&(weights - change)?)?;
        }
        Ok(())
    }
}

/// The L2 norm of all gradients together, as one long vector.
pub fn global_norm(vars: &[(String, Var)], grads: &GradStore) -> Result<f64> {
    let mut sum = 0.0;
    for (_, var) in vars {
        if let Some(grad) = grads.get(var.as_tensor()) {
            sum += f64::from(grad.sqr()?.sum_all()?.to_dtype(DType::F32)?.to_scalar::<f32>()?);
        }
    }
    Ok(sum.sqrt())
}

/// torch's `clip_grad_norm_`: min(1, max_norm / (norm + 1e-6)); 1 when `max_norm` is 0.
pub fn clip_scale(norm: f64, max_norm: f64) -> f64 {
    if max_norm > 0.0 { (max_norm / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn decay_is_decoupled_and_spares_biases_and_norms() {
        let var = |x: f32| Var::new(&[x], &Device::Cpu).unwrap();
        let vars: Vec<(String, Var)> =
            ["a.weight", "a.bias", "a.LayerNorm.weight"].map(|name| (name.to_string(), var(2.0))).to_vec();
        let mut adam = AdamW::new(&vars, AdamWOptions { weight_decay: 0.5, ..Default::default() }).unwrap();
        // Slope 0: only the decay moves anything, by rate * decay * w.
        let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
        for (_, v) in &vars {
            loss = (loss + (v.as_tensor() - v.as_tensor()).unwrap().sum_all().unwrap()).unwrap();
        }
        adam.update(&loss.backward().unwrap(), 1.0, 0.1).unwrap();
        let now: Vec<f32> = vars.iter().map(|(_, v)| v.to_vec1::<f32>().unwrap()[0]).collect();
        assert!((now[0] - 1.9).abs() < 1e-6, "{now:?}");
        assert_eq!(now[1..], [2.0, 2.0]);
    }

    #[test]
    fn the_first_step_is_the_rate_whatever_the_slope() {
        let v = Var::new(&[1f32, -1.0], &Device::Cpu).unwrap();
        let vars = vec![("w.weight".to_string(), v.clone())];
        let mut adam = AdamW::new(&vars, AdamWOptions { weight_decay: 0.0, ..Default::default() }).unwrap();
        let loss = (v.as_tensor() * &Tensor::new(&[3f32, -0.02], &Device::Cpu).unwrap()).unwrap();
        adam.update(&loss.sum_all().unwrap().backward().unwrap(), 1.0, 0.01).unwrap();
        let now = v.to_vec1::<f32>().unwrap();
        assert!((now[0] - 0.99).abs() < 1e-6 && (now[1] + 0.99).abs() < 1e-6, "{now:?}");
    }

    #[test]
    fn a_variable_outside_the_graph_is_an_error() {
        let v = Var::new(&[1f32], &Device::Cpu).unwrap();
        let lost = Var::new(&[1f32], &Device::Cpu).unwrap();
        let vars = vec![("a.weight".to_string(), v.clone()), ("b.weight".to_string(), lost)];
        let grads = v.as_tensor().sum_all().unwrap().backward().unwrap();
        assert!(AdamW::new(&vars, Default::default()).unwrap().update(&grads, 1.0, 0.1).is_err());
    }

    #[test]
    fn clipping_follows_torch() {
        assert_eq!(clip_scale(0.5, 1.0), 1.0);
        assert!((clip_scale(4.0, 1.0) - 1.0 / 4.000001).abs() < 1e-15);
        assert_eq!(clip_scale(4.0, 0.0), 1.0);
        let v = Var::new(&[3f32, 4.0], &Device::Cpu).unwrap();
        let grads = (v.as_tensor().sqr().unwrap().sum_all().unwrap() * 0.5).unwrap().backward().unwrap();
        assert!((global_norm(&[("v".into(), v)], &grads).unwrap() - 5.0).abs() < 1e-6);
    }
}
