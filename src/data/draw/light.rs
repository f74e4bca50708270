//! Light: exposure, colour cast, gradients, shade and haze.

use super::background::noise;
use super::canvas::{Canvas, Colour, SIDE, luminance, mix};
use super::rng::Draw;

/// Light that falls on the object alone: it may stand against a bright sky, be bleached or lit from one side.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    gain: f32,
    bleach: f32,
    slope: (f32, f32),
}

impl Local {
    /// Draws the object's light by the strength of the setting `light`.
    pub fn draw(strength: f32, draw: &mut Draw) -> Self {
        let (dx, dy) = draw.direction();
        let slope = draw.range(0.0, 0.16) * strength;
        let dim = draw.unit();
        Self {
            gain: (1.0 + strength * (0.10 - 0.42 * dim * dim)).max(0.2),
            bleach: (draw.unit() * draw.unit() * 0.5 * strength).min(0.7),
            slope: (dx * slope, dy * slope),
        }
    }

    /// The object's own colour under this light, at (x, y) from -1 to 1.
    pub fn on(&self, x: f32, y: f32, own: Colour) -> Colour {
        let worn = mix(own, [luminance(own) * 0.8 + 0.12; 3], self.bleach);
        let gain = (self.gain * (1.0 + self.slope.0 * x + self.slope.1 * y)).max(0.0);
        worn.map(|c| (c * 0.90 + 0.03) * gain)
    }
}

/// Exposes the whole picture: gain, cast, shade, haze. Values may pass beyond white and are clipped later.
pub fn expose(canvas: &mut Canvas, strength: f32, draw: &mut Draw) {
    let gain = exposure(strength, draw);
    let warm = draw.normal() * 0.05 * strength;
    let cast: Colour = [1.0 + warm, 1.0 + draw.normal() * 0.02 * strength, 1.0 - warm];
    for pixel in &mut canvas.pixels {
        *pixel = std::array::from_fn(|c| pixel[c] * gain * cast[c].max(0.2));
    }
    if draw.chance(0.22 * strength) {
        shade(canvas, strength, draw);
    }
    if draw.chance(0.15 * strength) {
        dapple(canvas, strength, draw);
    }
    if draw.chance(0.25 * strength) {
        let veil = draw.range(0.35, 0.8) * gain.min(1.0);
        let share = (draw.unit() * 0.35 * strength).min(0.7);
        canvas.pixels.iter_mut().for_each(|p| *p = mix(*p, [veil, veil, veil * 1.03], share));
    }
}

/// Half is well exposed; most of the rest is darker, down to four tenths of the light, and some is overexposed.
fn exposure(strength: f32, draw: &mut Draw) -> f32 {
    let (kind, share) = (draw.unit(), draw.unit());
    let stray = if kind < 0.5 {
        0.24 * share - 0.18
    } else if kind < 0.9 {
        -0.15 - 0.47 * share
    } else {
        0.06 + 0.34 * share
    };
    (1.0 + stray * strength).max(0.12)
}

/// The shadow of a house or a trunk: one side of a line is darker.
fn shade(canvas: &mut Canvas, strength: f32, draw: &mut Draw) {
    let (dx, dy) = draw.direction();
    let (x0, y0) = (draw.range(8.0, 24.0), draw.range(8.0, 24.0));
    let depth = (draw.range(0.2, 0.5) * strength).min(0.8);
    let soft = draw.range(1.0, 8.0);
    canvas.each(|x, y, pixel| {
        let inside = (((x - x0) * dx + (y - y0) * dy) / soft + 0.5).clamp(0.0, 1.0);
        *pixel = pixel.map(|c| c * (1.0 - depth * inside));
    });
}

/// Light that falls through leaves.
fn dapple(canvas: &mut Canvas, strength: f32, draw: &mut Draw) {
    let spots = noise(draw, 7);
    let depth = (draw.range(0.1, 0.3) * strength).min(0.7);
    canvas.each(|x, y, pixel| {
        let spot = spots[y as usize * SIDE + x as usize];
        *pixel = pixel.map(|c| (c * (1.0 + spot * depth)).max(0.0));
    });
}
