//! Drawing of photographs that were never taken: an object, its surroundings, the light and the camera.
//!
//! Stages, each a file: [`background`] paints what lies behind, [`pose`] lays the object's [`canvas::Texture`] on it,
//! [`light`] exposes the scene, [`lens`] blurs it and adds noise. All randomness comes from [`rng::Draw`].
//! [`split_kept`] remembers on disk what was drawn.

pub mod background;
pub mod canvas;
mod kept;
pub mod lens;
pub mod light;
pub mod pose;
pub mod rng;

pub use kept::split_kept;

use rayon::prelude::*;

use super::{Images, Split};
use crate::spec::data::Synthetic;
use canvas::SIDE;
use rng::{Draw, Part};

/// A set that is drawn: what a class looks like in one picture.
pub trait Painter: Sync {
    /// The name that presets use; part of the seed.
    fn name(&self) -> &'static str;
    /// Number of classes.
    fn classes(&self) -> usize;
    /// One picture of `class`, as 8-bit planes.
    fn paint(&self, class: usize, settings: &Synthetic, draw: &mut Draw) -> Vec<u8>;
}

/// A setting within its limits; what is no number counts as the lower one.
pub fn limited(value: f64, low: f32, high: f32) -> f32 {
    (value as f32).max(low).min(high)
}

/// A setting's strength, 1 where pictures look like a street: `light` and `clutter` are 0.4 there, their default.
pub fn strength(setting: f64) -> f32 {
    limited(setting / 0.4, 0.0, 2.5)
}

/// Images drawn between two reports of progress.
const CHUNK: usize = 256;

/// Draws the first `count` images of a part; `progress` gets the number drawn so far.
///
/// Image `i` follows from the settings, the part and `i` alone, so it is the same for any `count` and any
/// number of threads.
pub fn split(painter: &dyn Painter, settings: &Synthetic, test: bool, count: usize, progress: &mut dyn FnMut(usize)) -> Split {
    let labels = labels(painter, settings.seed, test, count);
    let mut images = Images { shape: [3, SIDE, SIDE], pixels: vec![0; count * 3 * SIDE * SIDE] };
    let stride = images.stride();
    for (number, chunk) in images.pixels.chunks_mut(CHUNK * stride).enumerate() {
        let first = number * CHUNK;
        chunk.par_chunks_exact_mut(stride).enumerate().for_each(|(offset, image)| {
            let index = first + offset;
            paint_into(image, painter, settings, test, index, labels[index]);
        });
        progress((first + CHUNK).min(count));
    }
    Split { images, labels }
}

/// Draws image `index` of a part.
fn paint_into(image: &mut [u8], painter: &dyn Painter, settings: &Synthetic, test: bool, index: usize, label: u16) {
    let part = if test { Part::Test } else { Part::Train };
    let mut draw = Draw::new(painter.name(), settings.seed, part, index as u64);
    image.copy_from_slice(&painter.paint(usize::from(label), settings, &mut draw));
}

/// Labels in rounds: every round holds each class once, in a random order. Any beginning is therefore balanced
/// to within one image a class, and a longer set begins with the shorter one.
fn labels(painter: &dyn Painter, seed: u64, test: bool, count: usize) -> Vec<u16> {
    let classes = painter.classes();
    let part = if test { Part::TestLabels } else { Part::TrainLabels };
    let rounds = count.div_ceil(classes.max(1));
    let order = (0..rounds).flat_map(|r| Draw::new(painter.name(), seed, part, r as u64).permutation(classes));
    order.take(count).collect()
}
