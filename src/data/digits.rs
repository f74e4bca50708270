//! House-number-like digits: coloured plates, two weights of one font, neighbours cut off at the sides.

use super::draw::Painter;
use super::draw::background::plate;
use super::draw::canvas::{Canvas, Colour, Texture, luminance, mix};
use super::draw::pose::Pose;
use super::draw::rng::Draw;
use super::draw::{lens, light, limited, strength};
use super::{DataError, assets};
use crate::spec::data::Synthetic;
use rayon::prelude::*;

/// Side at which a digit is rendered once, in texels.
const TEXELS: u32 = 96;

/// Styles: the font's weight and its width as a share of the drawn one.
const STYLES: [(&str, f32); 4] = [("bold", 1.0), ("bold", 0.8), ("normal", 1.0), ("normal", 0.85)];

/// Width of the widest digit with its space, in half heights of the digit, at full width.
const ADVANCE: f32 = 1.66;

const PLATES: [Colour; 10] = [
    [0.92, 0.92, 0.90],
    [0.10, 0.22, 0.48],
    [0.08, 0.09, 0.10],
    [0.62, 0.30, 0.20],
    [0.80, 0.72, 0.56],
    [0.16, 0.36, 0.24],
    [0.50, 0.50, 0.50],
    [0.70, 0.64, 0.52],
    [0.34, 0.26, 0.20],
    [0.72, 0.76, 0.80],
];
const INKS: [Colour; 8] = [
    [0.95, 0.95, 0.93],
    [0.06, 0.06, 0.07],
    [0.82, 0.66, 0.26],
    [0.60, 0.12, 0.12],
    [0.12, 0.20, 0.45],
    [0.75, 0.75, 0.74],
    [0.35, 0.22, 0.14],
    [0.90, 0.86, 0.74],
];

/// The ten digits in every style, rendered.
pub struct Digits {
    /// By style, then by digit.
    textures: Vec<Vec<Texture>>,
}

impl Digits {
    /// Renders the digits.
    pub fn render() -> Result<Self, DataError> {
        let options = assets::text_options()?;
        let style = |&(weight, width): &(&str, f32)| {
            (0..10).map(|digit| Texture::from_svg("digit", svg(digit, weight, width).as_bytes(), TEXELS, &options)).collect()
        };
        Ok(Self { textures: STYLES.par_iter().map(style).collect::<Result<_, _>>()? })
    }
}

/// A digit as an SVG, as high as its square: 0.729 em is the height of the font's digits.
fn svg(digit: usize, weight: &str, width: f32) -> String {
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><g transform="translate(50 98) scale({width} 1)"><text font-family="DejaVu Sans" font-weight="{weight}" font-size="131" text-anchor="middle">{digit}</text></g></svg>"#
    )
}

/// A plate and an ink that can be told apart.
fn colours(draw: &mut Draw) -> (Colour, Colour) {
    let plate = draw.pick(&PLATES).map(|c| c * draw.range(0.85, 1.1));
    for _ in 0..8 {
        let ink = draw.pick(&INKS);
        if (luminance(ink) - luminance(plate)).abs() > 0.3 {
            return (plate, ink);
        }
    }
    (plate, if luminance(plate) < 0.5 { INKS[0] } else { INKS[1] })
}

impl Painter for Digits {
    fn name(&self) -> &'static str {
        "digits"
    }

    fn classes(&self) -> usize {
        10
    }

    fn paint(&self, class: usize, settings: &Synthetic, draw: &mut Draw) -> Vec<u8> {
        let (light, clutter) = (strength(settings.light), strength(settings.clutter));
        let (ground, ink) = colours(draw);
        let mut canvas = plate(ground, clutter, draw);
        // Off to a side a neighbour would be as good an answer, so digits keep nearer to the middle.
        let pose = Pose::draw(settings, 0.5, draw);
        let style = draw.below(STYLES.len());
        let shadow = draw.chance(0.25).then(|| (draw.range(0.04, 0.12), draw.range(0.04, 0.12)));
        let mut lay = |digit: usize, aside: f32| {
            let texture = &self.textures[style][digit];
            if let Some((x, y)) = shadow {
                let dark = mix(ground, [0.0; 3], 0.5);
                stamp(&mut canvas, &pose.moved(aside + x, y), texture, dark);
            }
            stamp(&mut canvas, &pose.moved(aside, 0.0), texture, ink);
        };
        for side in [-1.0, 1.0] {
            let (there, gap) = (draw.chance(0.5 * clutter.min(2.0)), draw.range(0.0, 0.25));
            let digit = draw.below(10);
            if there {
                lay(digit, side * (ADVANCE * STYLES[style].1 + gap));
            }
        }
        lay(class, 0.0);
        light::expose(&mut canvas, light, draw);
        // House numbers are read from afar: twice the blur of a sign.
        lens::blur(&mut canvas, limited(settings.blur, 0.0, 8.0) * 2.0, draw);
        lens::grain(&mut canvas, limited(settings.noise, 0.0, 255.0), draw);
        canvas.planes()
    }
}

fn stamp(canvas: &mut Canvas, pose: &Pose, texture: &Texture, ink: Colour) {
    pose.lay(canvas, texture, |_, _, _| ink);
}
