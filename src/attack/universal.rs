//! The pattern of LF from a model: a universal DeepFool perturbation, smoothed at every step (spec.md 1.4).
//!
//! ```text
//! v = 0
//! repeat <= 50 times, until 80% of the images are fooled or the share has settled:
//!   for each image x that v does not fool:
//!     d = DeepFool(x + v -> target);  v = 0.2 * unit(G(v + G(d)))
//! T = round(255 v)                       G: the smoothing, unit: stretched to 0..1
//! ```
//! BackdoorBench feeds images without the normalisation that its network was trained with; here they are normalised.

use super::lf::{kernel, smoothed};
use crate::data::Images;
use crate::kernel::Train;
use crate::model::{Mode, PreActResNet};
use crate::rng;
use crate::train::Lookup;
use burn::module::AutodiffModule;
use burn::prelude::*;

/// Training images that the perturbation is made for.
const IMAGES: usize = 100;
/// Rounds over them.
const ROUNDS: usize = 50;
/// Share of them that is to be fooled.
const FOOLED: f64 = 0.8;
/// Rounds whose shares must lie within `SETTLED_BY` of each other to end it.
const SETTLED: usize = 5;
/// See `SETTLED`.
const SETTLED_BY: f64 = 0.01;
/// DeepFool's steps for one image.
const STEPS: usize = 200;
/// DeepFool goes this much further than the boundary.
const OVERSHOOT: f32 = 0.02;
/// Peak of the pattern, as a share of white: 51 grey levels.
const PEAK: f64 = 0.2;

/// The pattern `T`, planar, 8 bits, for `model`, and the share of images that it fools.
///
/// `images`: training images, of which some are drawn by `seed`.
pub fn universal<B: Train>(
    model: &PreActResNet<B>,
    images: &Images,
    lookup: &Lookup,
    target: u16,
    seed: u64,
    device: &B::Device,
    progress: &mut dyn FnMut(usize, usize),
) -> (Vec<u8>, f64) {
    let mut chosen = rng::permutation(images.len(), rng::stream(seed, "universal perturbation", 0));
    chosen.truncate(IMAGES);
    let sample = images.select(&chosen);
    let maker = Maker { model, lookup, target: usize::from(target), device, shape: images.shape };
    let mut pattern = vec![0.0; images.stride()];
    let (mut shares, plain) = (Vec::new(), maker.classes(&sample, None));
    for round in 0..ROUNDS {
        progress(round, ROUNDS);
        for (i, class) in plain.iter().enumerate() {
            let x: Vec<f32> = sample.get(i).iter().zip(&pattern).map(|(p, v)| f32::from(*p) / 255.0 + *v as f32).collect();
            if maker.class(&x) == *class
                && *class != maker.target
                && let Some(step) = maker.deep_fool(&x)
            {
                let smooth = maker.smooth(&step.into_iter().map(f64::from).collect::<Vec<_>>());
                pattern.iter_mut().zip(smooth).for_each(|(v, d)| *v += d);
                pattern = unit(&maker.smooth(&pattern));
                pattern.iter_mut().for_each(|v| *v *= PEAK);
            }
        }
        let after = maker.classes(&sample, Some(&pattern));
        let changed = after.iter().zip(&plain).filter(|(a, b)| a != b).count();
        shares.push(changed as f64 / plain.len().max(1) as f64);
        let last = &shares[shares.len().saturating_sub(SETTLED)..];
        let settled = last.len() == SETTLED && last.iter().all(|s| (s - last[0]).abs() < SETTLED_BY);
        if last.last().is_some_and(|s| *s >= FOOLED) || settled {
            break;
        }
    }
    (pattern.iter().map(|v| (255.0 * v).round().clamp(0.0, 255.0) as u8).collect(), shares.last().copied().unwrap_or(0.0))
}

/// Stretched to 0..1.
fn unit(values: &[f64]) -> Vec<f64> {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    let span = if high > low { high - low } else { 1.0 };
    values.iter().map(|v| (v - low) / span).collect()
}

/// The model and what it sees.
struct Maker<'a, B: Train> {
    model: &'a PreActResNet<B>,
    lookup: &'a Lookup,
    target: usize,
    device: &'a B::Device,
    shape: [usize; 3],
}

impl<B: Train> Maker<'_, B> {
    /// Images in 0..1 as the network takes them.
    fn tensor<C: crate::kernel::Kernels<Device = B::Device>>(&self, pixels: Vec<f32>) -> Tensor<C, 4> {
        let [channels, height, width] = self.shape;
        let count = pixels.len() / (channels * height * width).max(1);
        Tensor::from_data(TensorData::new(pixels, [count, channels, height, width]), self.device)
    }

    fn class(&self, x: &[f32]) -> usize {
        self.answers(x.to_vec()).first().copied().unwrap_or_default()
    }

    fn classes(&self, images: &Images, pattern: Option<&[f64]>) -> Vec<usize> {
        let more = |i: usize| pattern.map_or(0.0, |p| p[i % p.len()] as f32);
        self.answers(images.pixels.iter().enumerate().map(|(i, p)| f32::from(*p) / 255.0 + more(i)).collect())
    }

    fn answers(&self, pixels: Vec<f32>) -> Vec<usize> {
        let x = self.lookup.normalise(self.tensor::<B::InnerBackend>(pixels));
        let classes = self.model.valid().forward(x, Mode::Eval).argmax(1).into_data().convert::<i64>();
        classes.as_slice::<i64>().unwrap_or_default().iter().map(|c| *c as usize).collect()
    }

    /// Logits of one image and the gradient of (target - class) with respect to its pixels.
    fn slope(&self, x: Vec<f32>) -> (Vec<f32>, Vec<f32>, usize) {
        let x = self.tensor::<B>(x).require_grad();
        let logits = self.model.forward(self.lookup.normalise(x.clone()), Mode::Eval);
        let values: Vec<f32> = logits.clone().into_data().convert::<f32>().to_vec().unwrap_or_default();
        let top = (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best });
        let pick = |class: usize| logits.clone().slice([0..1, class..class + 1]);
        let grads = (pick(self.target) - pick(top)).sum().backward();
        let slope = x.grad(&grads).map(|g| g.into_data().convert::<f32>().to_vec().unwrap_or_default()).unwrap_or_default();
        (values, slope, top)
    }

    /// The smallest step found that makes one image, in 0..1, the target; `None` where it is not reached.
    fn deep_fool(&self, x: &[f32]) -> Option<Vec<f32>> {
        let mut total = vec![0f32; x.len()];
        for _ in 0..STEPS {
            let at = x.iter().zip(&total).map(|(x, d)| x + (1.0 + OVERSHOOT) * d).collect();
            let (logits, slope, top) = self.slope(at);
            if top == self.target {
                return Some(total.into_iter().map(|d| d * (1.0 + OVERSHOOT)).collect());
            }
            let norm: f32 = slope.iter().map(|v| v * v).sum::<f32>();
            let gap = (logits.get(self.target)? - logits.get(top)?).abs();
            // A flat model cannot be led anywhere.
            if norm < 1e-12 || !gap.is_finite() {
                return None;
            }
            // A step that stops on the boundary never crosses it in floating point.
            let scale = (gap + 1e-4) / norm;
            total.iter_mut().zip(slope).for_each(|(d, w)| *d += scale * w);
        }
        None
    }

    /// Each plane smoothed along rows and columns.
    fn smooth(&self, planes: &[f64]) -> Vec<f64> {
        let ([_, height, width], kernel) = (self.shape, kernel());
        let mut out = Vec::with_capacity(planes.len());
        for plane in planes.chunks_exact(height * width) {
            let rows: Vec<f64> = plane.chunks_exact(width).flat_map(|row| (0..width).map(|x| smoothed(row, &kernel, x))).collect();
            let columns: Vec<Vec<f64>> = (0..width).map(|x| (0..height).map(|y| rows[y * width + x]).collect()).collect();
            out.extend((0..height).flat_map(|y| columns.iter().map(move |c| (y, c))).map(|(y, column)| smoothed(column, &kernel, y)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Normalise;
    use crate::spec::Stages;
    use burn::backend::{Autodiff, Flex};

    type B = Autodiff<Flex>;

    fn network() -> PreActResNet<B> {
        let stages = Stages { widths: vec![4, 8], blocks: 1 };
        PreActResNet::new(&stages, 3, &mut rng::stream(1, "test", 0), &Default::default())
    }

    #[test]
    fn deep_fool_reaches_the_target_and_the_pattern_is_smooth_and_bounded() {
        let (model, device) = (network(), Default::default());
        let lookup = Lookup::new(&Normalise { mean: [0.5; 3], std: [0.25; 3] });
        let images = Images { shape: [3, 16, 16], pixels: (0..20 * 768).map(|i| (i * 131 % 256) as u8).collect() };
        let maker = Maker { model: &model, lookup: &lookup, target: 2, device: &device, shape: images.shape };
        let x: Vec<f32> = images.get(0).iter().map(|p| f32::from(*p) / 255.0).collect();
        let other = (maker.class(&x) + 1) % 3;
        let maker = Maker { target: other, ..maker };
        let step = maker.deep_fool(&x).expect("the target is not reached");
        let moved: Vec<f32> = x.iter().zip(&step).map(|(x, d)| x + d).collect();
        assert_eq!(maker.class(&moved), other);
        let (pattern, _) = universal(&model, &images, &lookup, other as u16, 0, &device, &mut |_, _| {});
        assert_eq!((pattern.len(), pattern.iter().max()), (768, Some(&51)));
        let rough = pattern.chunks(16).flat_map(|row| row.windows(2)).map(|w| w[0].abs_diff(w[1])).max();
        assert!(rough.is_some_and(|d| d <= 12), "{rough:?}");
    }
}
