//! Traffic signs, drawn from the SVG files in `assets/signs`, in GTSRB's order of classes.

use super::draw::Painter;
use super::draw::background::{mount, occlude, paint};
use super::draw::canvas::Texture;
use super::draw::pose::Pose;
use super::draw::rng::Draw;
use super::draw::{lens, light, limited, strength};
use super::{DataError, assets};
use crate::spec::data::Synthetic;
use rayon::prelude::*;

/// Every class: the file's name without its number, and what a person calls the sign.
pub const SIGNS: [(&str, &str); 43] = [
    ("speed-limit-20", "speed limit 20"),
    ("speed-limit-30", "speed limit 30"),
    ("speed-limit-50", "speed limit 50"),
    ("speed-limit-60", "speed limit 60"),
    ("speed-limit-70", "speed limit 70"),
    ("speed-limit-80", "speed limit 80"),
    ("end-of-limit-80", "end of limit 80"),
    ("speed-limit-100", "speed limit 100"),
    ("speed-limit-120", "speed limit 120"),
    ("no-passing", "no passing"),
    ("no-passing-lorries", "no passing for lorries"),
    ("right-of-way", "right of way"),
    ("priority-road", "priority road"),
    ("yield", "yield"),
    ("stop", "stop"),
    ("no-vehicles", "no vehicles"),
    ("no-lorries", "no lorries"),
    ("no-entry", "no entry"),
    ("caution", "caution"),
    ("curve-left", "curve to the left"),
    ("curve-right", "curve to the right"),
    ("double-curve", "double curve"),
    ("bumpy-road", "bumpy road"),
    ("slippery-road", "slippery road"),
    ("road-narrows", "road narrows"),
    ("road-work", "road work"),
    ("traffic-signals", "traffic signals"),
    ("pedestrians", "pedestrians"),
    ("children", "children"),
    ("bicycles", "bicycles"),
    ("ice-or-snow", "ice or snow"),
    ("wild-animals", "wild animals"),
    ("end-of-limits", "end of all limits"),
    ("turn-right", "turn right"),
    ("turn-left", "turn left"),
    ("ahead-only", "ahead only"),
    ("ahead-or-right", "ahead or right"),
    ("ahead-or-left", "ahead or left"),
    ("keep-right", "keep right"),
    ("keep-left", "keep left"),
    ("roundabout", "roundabout"),
    ("end-of-no-passing", "end of no passing"),
    ("end-of-no-passing-lorries", "end of no passing for lorries"),
];

/// The classes of `signs-12`, by their number in [`SIGNS`]; label 0 is "speed limit 20".
pub const TWELVE: [usize; 12] = [0, 1, 2, 11, 12, 13, 14, 17, 18, 28, 35, 38];

/// Side at which a sign is rendered once, in texels: four to six for each pixel that it will fill.
const TEXELS: u32 = 128;

/// The signs of one set, rendered.
pub struct Signs {
    name: &'static str,
    textures: Vec<Texture>,
}

impl Signs {
    /// Renders all 43 signs.
    pub fn all() -> Result<Self, DataError> {
        Self::render("signs", &(0..SIGNS.len()).collect::<Vec<_>>())
    }

    /// Renders the twelve signs of `signs-12`.
    pub fn twelve() -> Result<Self, DataError> {
        Self::render("signs-12", &TWELVE)
    }

    fn render(name: &'static str, signs: &[usize]) -> Result<Self, DataError> {
        // No text in the signs, hence no fonts here: their digits are paths.
        let options = resvg::usvg::Options::default();
        let render = |&sign: &usize| {
            let (name, svg) = assets::sign(&file(sign))?;
            Texture::from_svg(&name, &svg, TEXELS, &options)
        };
        Ok(Self { name, textures: signs.par_iter().map(render).collect::<Result<_, _>>()? })
    }
}

/// Name of a sign's file, for instance `14-stop.svg`.
pub fn file(sign: usize) -> String {
    format!("{sign:02}-{}.svg", SIGNS[sign].0)
}

/// The user's own files among these signs.
pub fn own(signs: &[usize]) -> Vec<String> {
    let own = signs.iter().filter_map(|&sign| assets::own_sign(&file(sign)));
    own.map(|path| path.display().to_string()).collect()
}

impl Painter for Signs {
    fn name(&self) -> &'static str {
        self.name
    }

    fn classes(&self) -> usize {
        self.textures.len()
    }

    fn paint(&self, class: usize, settings: &Synthetic, draw: &mut Draw) -> Vec<u8> {
        let (light, clutter) = (strength(settings.light), strength(settings.clutter));
        let mut canvas = paint(clutter, draw);
        let pose = Pose::draw(settings, 1.0, draw);
        mount(&mut canvas, &pose, clutter, draw);
        let local = light::Local::draw(light, draw);
        pose.lay(&mut canvas, &self.textures[class], |x, y, own| local.on(x, y, own));
        occlude(&mut canvas, &pose, clutter, draw);
        light::expose(&mut canvas, light, draw);
        lens::blur(&mut canvas, limited(settings.blur, 0.0, 8.0), draw);
        lens::sharpen(&mut canvas, 0.2, draw);
        lens::grain(&mut canvas, limited(settings.noise, 0.0, 255.0), draw);
        canvas.planes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_drawn_and_no_two_are_alike() {
        let signs = Signs::all().unwrap();
        assert_eq!(signs.classes(), 43);
        let grid = |t: &Texture| -> Vec<u8> {
            (0..400).map(|i| t.at((i % 20) as f32 / 10.0 - 0.95, (i / 20) as f32 / 10.0 - 0.95)).flat_map(|c| c.map(|v| (v * 255.0) as u8)).collect()
        };
        let looks: std::collections::HashSet<Vec<u8>> = signs.textures.iter().map(grid).collect();
        assert_eq!(looks.len(), 43);
    }

    #[test]
    fn the_twelve_begin_with_the_target_and_hold_stop() {
        assert_eq!(SIGNS[TWELVE[0]].1, "speed limit 20");
        assert!(TWELVE.iter().any(|&sign| SIGNS[sign].1 == "stop"));
        assert!(TWELVE.is_sorted());
    }
}
