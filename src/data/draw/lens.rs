//! The camera: blur of the lens and of the movement, sharpening, and the sensor's noise.

use super::canvas::{Canvas, Colour, SIDE};
use super::rng::Draw;

/// Blurs by up to `largest` pixels (a Gaussian's deviation), a little more along one axis than the other.
pub fn blur(canvas: &mut Canvas, largest: f32, draw: &mut Draw) {
    let (happens, share, lopsided) = (draw.chance(0.6), draw.unit(), draw.range(0.6, 1.4));
    if !happens || largest == 0.0 {
        return;
    }
    let sigma = largest * share;
    spread(canvas, sigma * lopsided, sigma * (2.0 - lopsided));
}

/// Sharpens as cameras do: thin halos along edges. `most` is the largest overshoot, as a share of a step.
pub fn sharpen(canvas: &mut Canvas, most: f32, draw: &mut Draw) {
    let share = draw.unit() * most;
    pass(canvas, 1, -share * 0.5);
    pass(canvas, SIDE, -share * 0.5);
    canvas.pixels.iter_mut().for_each(|p| *p = p.map(|c| c.max(0.0)));
}

/// A Gaussian with these deviations, as repeated sums of three neighbours: the variance of `[a, 1-2a, a]` is `2a`.
pub fn spread(canvas: &mut Canvas, along_x: f32, along_y: f32) {
    for (step, sigma) in [(1, along_x), (SIDE, along_y)] {
        let variance = sigma * sigma;
        let passes = (variance / 0.5) as usize + 1;
        for _ in 0..passes {
            pass(canvas, step, variance / (2.0 * passes as f32));
        }
    }
}

/// Adds `share` of both neighbours along an axis (`step` 1: the row; `SIDE`: the column), edges repeated.
fn pass(canvas: &mut Canvas, step: usize, share: f32) {
    let from = canvas.pixels.clone();
    for (index, pixel) in canvas.pixels.iter_mut().enumerate() {
        let place = index / step % SIDE;
        let before = from[if place == 0 { index } else { index - step }];
        let after = from[if place == SIDE - 1 { index } else { index + step }];
        let own: Colour = from[index];
        *pixel = std::array::from_fn(|c| own[c] + share * (before[c] - own[c] + after[c] - own[c]));
    }
}

/// Adds noise of a deviation of up to `largest` grey levels; three quarters of the variance grey, as a demosaiced
/// sensor's is, the rest coloured.
pub fn grain(canvas: &mut Canvas, largest: f32, draw: &mut Draw) {
    let sigma = largest / 255.0 * draw.range(0.15, 1.0);
    if sigma == 0.0 {
        return;
    }
    // The variances add up: 0.75 + 0.25 = 1.
    let (grey_share, own_share) = (sigma * 0.866_025_4, sigma * 0.5);
    for pixel in &mut canvas.pixels {
        let grey = draw.grain() * grey_share;
        *pixel = pixel.map(|c| c.clamp(0.0, 1.0) + grey + own_share * draw.grain());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::draw::rng::Part;

    fn dot() -> Canvas {
        let mut canvas = Canvas::plain([0.0; 3]);
        canvas.pixels[16 * SIDE + 16] = [1.0; 3];
        canvas
    }

    #[test]
    fn blur_keeps_the_light_and_has_the_asked_deviation() {
        let mut canvas = dot();
        spread(&mut canvas, 1.5, 0.5);
        let (mut sum, mut xx, mut yy) = (0.0, 0.0, 0.0);
        canvas.each(|x, y, p| {
            sum += p[0];
            xx += p[0] * (x - 16.5) * (x - 16.5);
            yy += p[0] * (y - 16.5) * (y - 16.5);
        });
        assert!((sum - 1.0).abs() < 1e-4 && (xx - 2.25).abs() < 1e-2 && (yy - 0.25).abs() < 1e-3, "{sum} {xx} {yy}");
    }

    #[test]
    fn grain_stays_under_the_largest_deviation() {
        let mut canvas = Canvas::plain([0.5; 3]);
        grain(&mut canvas, 10.0, &mut Draw::new("", 0, Part::Train, 0));
        let spread = canvas.pixels.iter().map(|p| (p[0] - 0.5) * (p[0] - 0.5)).sum::<f32>() / 1024.0;
        assert!(spread > 0.0 && spread.sqrt() * 255.0 < 11.0);
    }
}
