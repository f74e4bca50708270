//! SimCLR's augmentation (Chen et al. 2020): two random views of each image, made on the host from 8-bit images.
//!
//! ```text
//! random crop, resized to the image's own size -> mirrored? -> colour jitter? -> grey? -> normalised
//! jitter: brightness, contrast, saturation and hue, in random order
//! ```
//! Each operation is torchvision's on float tensors: nothing is rounded between them.

use super::batch::{Order, number};
use super::colour::{brightness, contrast, hue, saturation};
use crate::data::{Images, Normalise};
use crate::rng;
use burn::prelude::*;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// A crop's width over its height, least and most (torchvision).
const RATIO: [f32; 2] = [3.0 / 4.0, 4.0 / 3.0];
/// Crops that are drawn until one fits into the image (torchvision).
const TRIES: usize = 10;

/// How views are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Augmentation {
    /// Share of the image's area that a crop keeps, least and most; none: no crop.
    pub crop: Option<[f32; 2]>,
    /// Whether every other view is mirrored: not for traffic signs and digits, which have a handedness.
    pub flip: bool,
    /// Strength of brightness, contrast, saturation (factors 1 - s to 1 + s) and hue (turns -s to s).
    pub jitter: [f32; 4],
    /// Share of views whose colours are changed.
    pub jitter_chance: f32,
    /// Share of views without colour.
    pub grey_chance: f32,
}

impl Default for Augmentation {
    // spec.md 1.7
    fn default() -> Self {
        Self { crop: Some([0.08, 1.0]), flip: true, jitter: [0.4, 0.4, 0.4, 0.1], jitter_chance: 0.8, grey_chance: 0.2 }
    }
}

impl Augmentation {
    /// The same without the crop: how BadEncoder varies its reference image.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { crop: None, ..self }
    }
}

/// A part of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl Window {
    /// torchvision's RandomResizedCrop: `share` of the area, least and most. Where no crop fits, the whole image (its
    /// sides' ratio is in reach for all images that are near to square).
    fn draw(share: [f32; 2], [height, width]: [usize; 2], rng: &mut ChaCha8Rng) -> Self {
        for _ in 0..TRIES {
            let area = (height * width) as f32 * rng.random_range(share[0]..=share[1]);
            let ratio = rng.random_range(RATIO[0].ln()..=RATIO[1].ln()).exp();
            let [w, h] = [area * ratio, area / ratio].map(|square| square.sqrt().round() as usize);
            if (1..=width).contains(&w) && (1..=height).contains(&h) {
                return Self { top: rng.random_range(0..=height - h), left: rng.random_range(0..=width - w), height: h, width: w };
            }
        }
        Self { top: 0, left: 0, height, width }
    }
}

/// A change of colours: which operations in which order, and by how much each, in the order of [`Augmentation::jitter`].
#[derive(Clone, Copy, Debug)]
struct Jitter {
    order: [usize; 4],
    amounts: [f32; 4],
}

impl Jitter {
    fn draw(strength: [f32; 4], rng: &mut ChaCha8Rng) -> Self {
        let mut order = [0, 1, 2, 3];
        order.shuffle(rng);
        let mut around = |middle: f32, s: f32| rng.random_range((middle - s).max(middle - 1.0)..=middle + s);
        let [b, c, s, h] = strength;
        Self { order, amounts: [around(1.0, b), around(1.0, c), around(1.0, s), around(0.0, h)] }
    }

    fn apply(&self, planes: &mut [f32]) {
        for operation in self.order {
            let apply = [brightness, contrast, saturation, hue][operation];
            apply(planes, self.amounts[operation]);
        }
    }
}

/// What is done to one image.
#[derive(Clone, Debug)]
struct View {
    window: Option<Window>,
    mirrored: bool,
    jitter: Option<Jitter>,
    grey: bool,
}

impl View {
    fn draw(how: &Augmentation, [_, height, width]: [usize; 3], rng: &mut ChaCha8Rng) -> Self {
        let window = how.crop.map(|share| Window::draw(share, [height, width], rng));
        let mirrored = how.flip && rng.random_range(0..2) == 1;
        let jitter = (rng.random::<f32>() < how.jitter_chance).then(|| Jitter::draw(how.jitter, rng));
        Self { window, mirrored, jitter, grey: rng.random::<f32>() < how.grey_chance }
    }

    /// `image` of `shape` = (3, height, width) into `out`, in 0..1.
    fn apply(&self, image: &[u8], [_, height, width]: [usize; 3], out: &mut [f32]) {
        let window = self.window.unwrap_or(Window { top: 0, left: 0, height, width });
        for (from, to) in image.chunks_exact(height * width).zip(out.chunks_exact_mut(height * width)) {
            resize(from, width, window, to, [height, width]);
        }
        if self.mirrored {
            out.chunks_exact_mut(width).for_each(<[f32]>::reverse);
        }
        if let Some(jitter) = self.jitter {
            jitter.apply(out);
        }
        if self.grey {
            saturation(out, 0.0);
        }
    }
}

/// A window of a plane of 8-bit values, `width` wide, enlarged to `sides` in 0..1: bilinear, pixels have their values at
/// their centres.
fn resize(plane: &[u8], width: usize, window: Window, out: &mut [f32], sides: [usize; 2]) {
    // for each target the two sources and the weight of the second
    let taps = |from: usize, to: usize| {
        (0..to).map(move |i| {
            let at = ((i as f32 + 0.5) * from as f32 / to as f32 - 0.5).max(0.0);
            let first = (at as usize).min(from - 1);
            (first, (first + 1).min(from - 1), at - first as f32)
        })
    };
    let columns: Vec<_> = taps(window.width, sides[1]).collect();
    for (row, (above, below, weight)) in out.chunks_exact_mut(sides[1]).zip(taps(window.height, sides[0])) {
        let [above, below] = [above, below].map(|y| &plane[(window.top + y) * width + window.left..][..window.width]);
        for (value, &(left, right, across)) in row.iter_mut().zip(&columns) {
            let between = |row: &[u8]| f32::from(row[left]) * (1.0 - across) + f32::from(row[right]) * across;
            *value = (between(above) * (1.0 - weight) + between(below) * weight) / 255.0;
        }
    }
}

/// One view of each of the images at `indices`, drawn from `rng`, normalised.
///
/// # Shapes
/// - output: `[indices.len(), 3, height, width]`
pub fn views<B: Backend>(
    images: &Images,
    indices: &[usize],
    how: &Augmentation,
    normalise: &Normalise,
    rng: &mut ChaCha8Rng,
    device: &B::Device,
) -> Tensor<B, 4> {
    let [channels, height, width] = images.shape;
    let drawn: Vec<View> = indices.iter().map(|_| View::draw(how, images.shape, rng)).collect();
    let mut values = vec![0f32; indices.len() * images.stride()];
    values.par_chunks_exact_mut(images.stride()).zip(indices.par_iter().zip(&drawn)).for_each(|(out, (&index, view))| {
        view.apply(images.get(index), images.shape, out);
        for (channel, plane) in out.chunks_exact_mut(height * width).enumerate() {
            plane.iter_mut().for_each(|v| *v = (*v - normalise.mean[channel]) / normalise.std[channel]);
        }
    });
    Tensor::from_data(TensorData::new(values, [indices.len(), channels, height, width]), device)
}

/// Draws a stage's batches of view pairs. Which images a step sees, and in which views, follows from the seed, the
/// stage's name and the step alone, so that a run can go on from any step.
pub struct Pairs<'a> {
    images: &'a Images,
    normalise: &'a Normalise,
    how: &'a Augmentation,
    batch: usize,
    seed: u64,
    stage: &'static str,
    order: Order,
}

impl<'a> Pairs<'a> {
    /// Batches of two views each of `batch` images.
    pub fn new(images: &'a Images, normalise: &'a Normalise, how: &'a Augmentation, batch: usize, seed: u64, stage: &'static str) -> Self {
        let order = Order::new(images.len(), batch, seed, format!("order {stage}"));
        Self { images, normalise, how, batch, seed, stage, order }
    }

    /// Steps in an epoch; a last, smaller batch is left out, since the loss depends on the number of views.
    pub fn steps(&self) -> u64 {
        (self.images.len() / self.batch.max(1)) as u64
    }

    /// The batch of step `within` of `epoch`: rows i and n + i are two views of one image.
    ///
    /// # Shapes
    /// - output: `[2 n, 3, height, width]`, n the batch
    pub fn get<B: Backend>(&mut self, epoch: u64, within: u64, device: &B::Device) -> Tensor<B, 4> {
        let indices = self.order.get(epoch, within);
        let mut rng = rng::stream(self.seed, &format!("views {}", self.stage), number(epoch, within));
        views(self.images, &[indices, indices].concat(), self.how, self.normalise, &mut rng, device)
    }
}

#[cfg(test)]
mod tests {
    use super::super::colour::tests::{image, reference};
    use super::*;
    use burn::backend::Flex;

    const SHAPE: [usize; 3] = [3, 8, 8];
    const PLAIN: Normalise = Normalise { mean: [0.0; 3], std: [1.0; 3] };

    fn formula(n: usize, i: usize) -> f64 {
        ((i + 1) as f64 * 0.618_033_988_749_894_9 + n as f64 * 0.754_877_666_246_692_7).fract()
    }

    fn images(count: usize) -> Images {
        let pixels = (0..count).flat_map(|n| (0..192).map(move |i| (formula(60 + n, i) * 256.0) as u8)).collect();
        Images { shape: SHAPE, pixels }
    }

    #[test]
    fn crops_are_enlarged_as_torchvisions() {
        let plane: Vec<u8> = image().iter().map(|v| (v * 255.0).round() as u8).collect();
        let window = Window { top: 2, left: 1, height: 4, width: 6 };
        let theirs = reference("crop");
        for (channel, plane) in plane.chunks_exact(64).enumerate() {
            let mut out = [0f32; 64];
            resize(plane, 8, window, &mut out, [8, 8]);
            for (i, (ours, theirs)) in out.iter().zip(&theirs[channel * 64..]).enumerate() {
                // The grey pixel, 0.5 there and 128 of 255 here, lies outside this window.
                assert!((ours - theirs).abs() < 2e-6, "value {i} of channel {channel} is {ours}, torchvision has {theirs}");
            }
        }
    }

    #[test]
    fn windows_lie_inside_and_keep_the_shares_that_were_asked_for() {
        let mut rng = rng::stream(0, "test", 0);
        let (mut least, mut most, mut sum) = (1f32, 0f32, 0f32);
        for _ in 0..4000 {
            let w = Window::draw([0.2, 0.9], [32, 32], &mut rng);
            assert!(w.top + w.height <= 32 && w.left + w.width <= 32);
            let (share, ratio) = ((w.height * w.width) as f32 / 1024.0, w.width as f32 / w.height as f32);
            assert!((0.68..1.47).contains(&ratio), "{w:?}");
            (least, most, sum) = (least.min(share), most.max(share), sum + share);
        }
        assert!((0.17..0.22).contains(&least) && (0.85..0.95).contains(&most), "{least} to {most}");
        assert!((0.52..0.56).contains(&(sum / 4000.0)), "mean {}", sum / 4000.0);
    }

    #[test]
    fn a_view_without_any_change_is_the_normalised_image() {
        let (images, how) = (images(2), Augmentation { crop: None, flip: false, jitter: [0.0; 4], jitter_chance: 1.0, grey_chance: 0.0 });
        let normalise = Normalise { mean: [0.1, 0.2, 0.3], std: [0.5, 1.0, 2.0] };
        let got = views::<Flex>(&images, &[1, 0], &how, &normalise, &mut rng::stream(0, "test", 0), &Default::default());
        let got: Vec<f32> = got.into_data().to_vec().unwrap();
        for (i, value) in got.iter().enumerate() {
            let (image, channel) = (1 - i / 192, i / 64 % 3);
            let expected = (f32::from(images.get(image)[i % 192]) / 255.0 - normalise.mean[channel]) / normalise.std[channel];
            assert!((value - expected).abs() < 1e-5, "value {i}: {value} is not {expected}");
        }
    }

    #[test]
    fn shares_of_views_are_mirrored_changed_and_grey() {
        let mut rng = rng::stream(1, "test", 0);
        let drawn: Vec<View> = (0..4000).map(|_| View::draw(&Augmentation::default(), SHAPE, &mut rng)).collect();
        let share = |what: fn(&View) -> bool| drawn.iter().filter(|v| what(v)).count() as f32 / 4000.0;
        for (got, expected) in [(share(|v| v.mirrored), 0.5), (share(|v| v.jitter.is_some()), 0.8), (share(|v| v.grey), 0.2)] {
            assert!((got - expected).abs() < 0.03, "{got} is not {expected}");
        }
        let orders: std::collections::BTreeSet<_> = drawn.iter().filter_map(|v| v.jitter).map(|j| j.order).collect();
        assert_eq!(orders.len(), 24);
        for jitter in drawn.iter().filter_map(|v| v.jitter) {
            assert!(jitter.amounts[..3].iter().all(|a| (0.6..=1.4).contains(a)) && jitter.amounts[3].abs() <= 0.1);
        }
    }

    /// Pairs are of one image, an epoch sees every image once, and a step is the same whenever it is asked for.
    #[test]
    fn a_step_is_the_same_whenever_it_is_asked_for() {
        let (images, how) = (images(10), Augmentation { crop: None, flip: false, jitter_chance: 0.0, grey_chance: 0.0, ..Augmentation::default() });
        let values =
            |pairs: &mut Pairs<'_>, epoch, within| pairs.get::<Flex>(epoch, within, &Default::default()).into_data().to_vec::<f32>().unwrap();
        let mut still = Pairs::new(&images, &PLAIN, &how, 5, 1, "encoder");
        assert_eq!(still.steps(), 2);
        let whole: Vec<f32> = (0..2).flat_map(|step| values(&mut still, 3, step)[..5 * 192].to_vec()).collect();
        let mut firsts: Vec<u8> = whole.chunks(192).map(|image| (image[0] * 255.0).round() as u8).collect();
        let mut all: Vec<u8> = (0..10).map(|i| images.get(i)[0]).collect();
        firsts.sort_unstable();
        all.sort_unstable();
        assert_eq!(firsts, all);
        let pair = values(&mut still, 3, 1);
        assert_eq!(pair[..5 * 192], pair[5 * 192..]);
        let how = Augmentation::default();
        let mut one = Pairs::new(&images, &PLAIN, &how, 4, 1, "encoder");
        let late = values(&mut one, 5, 1);
        assert_ne!(late[..4 * 192], late[4 * 192..]);
        let mut two = Pairs::new(&images, &PLAIN, &how, 4, 1, "encoder");
        values(&mut two, 0, 0);
        assert_eq!(values(&mut two, 5, 1), late);
        assert_ne!(values(&mut Pairs::new(&images, &PLAIN, &how, 4, 2, "encoder"), 5, 1), late);
    }
}
