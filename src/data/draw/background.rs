//! What stands behind, beside and before a sign: sky, foliage, walls, poles, plates, twigs.

use super::canvas::{Canvas, Colour, SIDE, band, luminance, mix};
use super::lens;
use super::pose::Pose;
use super::rng::Draw;

const SKIES: [Colour; 5] = [[0.76, 0.78, 0.80], [0.82, 0.82, 0.81], [0.55, 0.59, 0.65], [0.38, 0.52, 0.74], [0.60, 0.69, 0.82]];
const LEAVES: [Colour; 6] = [[0.13, 0.19, 0.09], [0.24, 0.31, 0.13], [0.19, 0.17, 0.12], [0.36, 0.29, 0.13], [0.10, 0.11, 0.11], [0.30, 0.36, 0.22]];
const WALLS: [Colour; 7] =
    [[0.62, 0.56, 0.48], [0.45, 0.25, 0.18], [0.78, 0.74, 0.66], [0.40, 0.40, 0.42], [0.74, 0.62, 0.40], [0.25, 0.26, 0.30], [0.55, 0.58, 0.60]];
const POLES: [Colour; 3] = [[0.50, 0.51, 0.52], [0.32, 0.33, 0.34], [0.66, 0.66, 0.66]];
const NEIGHBOURS: [Colour; 5] = [[0.72, 0.10, 0.13], [0.06, 0.30, 0.66], [0.92, 0.92, 0.90], [0.93, 0.70, 0.08], [0.15, 0.15, 0.16]];

/// Largest deviation of the background's blur, in pixels: it lies behind the plane in focus.
const DEFOCUS: f32 = 1.9;

/// A background: two kinds of ground on either side of an edge, at most.
pub fn paint(strength: f32, draw: &mut Draw) -> Canvas {
    let mut canvas = ground(strength, draw);
    if draw.chance(0.55 * strength) {
        let other = ground(strength, draw);
        let (dx, dy) = edge(draw);
        let (x0, y0) = (draw.range(4.0, 28.0), draw.range(2.0, 30.0));
        let rough = noise(draw, 4);
        let wild = if draw.chance(0.4) { draw.range(1.0, 5.0) * strength.min(1.0) } else { 0.0 };
        for (index, pixel) in canvas.pixels.iter_mut().enumerate() {
            let (x, y) = ((index % SIDE) as f32 + 0.5, (index / SIDE) as f32 + 0.5);
            let depth = (x - x0) * dx + (y - y0) * dy + rough[index] * wild;
            *pixel = mix(*pixel, other.pixels[index], (depth + 0.5).clamp(0.0, 1.0));
        }
    }
    let sigma = draw.range(0.4 * DEFOCUS, DEFOCUS);
    lens::spread(&mut canvas, sigma, sigma);
    canvas
}

/// Mostly an upright or level edge, as of roofs, trunks and horizons.
fn edge(draw: &mut Draw) -> (f32, f32) {
    let lean = draw.range(-0.25, 0.25);
    match draw.below(5) {
        0 => draw.direction(),
        1 | 2 => (1.0, lean),
        _ => (lean, 1.0),
    }
}

fn ground(strength: f32, draw: &mut Draw) -> Canvas {
    match draw.below(10) {
        0..2 => sky(strength, draw),
        2..7 => foliage(strength, draw),
        _ => wall(strength, draw),
    }
}

fn sky(strength: f32, draw: &mut Draw) -> Canvas {
    let (top, bottom) = (draw.pick(&SKIES), draw.pick(&SKIES));
    let (share, clouds) = (draw.range(0.0, 0.6) * strength.min(1.0), draw.range(0.0, 0.05) * strength);
    let cloud = noise(draw, 16);
    let mut canvas = Canvas::plain(top);
    for (index, pixel) in canvas.pixels.iter_mut().enumerate() {
        let fall = (index / SIDE) as f32 / SIDE as f32;
        *pixel = mix(top, bottom, fall * share).map(|c| c + cloud[index] * clouds);
    }
    canvas
}

/// Leaves and twigs at several sizes, with the sky seen through here and there.
fn foliage(strength: f32, draw: &mut Draw) -> Canvas {
    let (dark, light) = (draw.pick(&LEAVES), draw.pick(&LEAVES));
    let sky = mix(draw.pick(&SKIES), light, draw.range(0.0, 0.6));
    let holes = if draw.chance(0.35) { draw.range(0.2, 0.75) } else { 2.0 };
    let (coarse, middle, fine) = (noise(draw, 11), noise(draw, 5), noise(draw, 2));
    let (tint, depth) = (noise(draw, 8), draw.range(0.10, 0.30) * strength);
    let mut canvas = Canvas::plain(dark);
    for (index, pixel) in canvas.pixels.iter_mut().enumerate() {
        let rough = 0.5 * coarse[index] + 0.7 * middle[index] + 0.6 * fine[index];
        let leaf = mix(dark, light, (0.5 + 0.5 * tint[index] * strength.min(1.0)).clamp(0.0, 1.0));
        let lit = leaf.map(|c| (c + c * rough * depth * 4.0).max(0.0));
        *pixel = mix(lit, sky, ((rough * strength.min(1.0) - holes) * 2.5).clamp(0.0, 1.0));
    }
    canvas
}

/// Plaster, brick or the side of a vehicle, with windows or ledges.
fn wall(strength: f32, draw: &mut Draw) -> Canvas {
    let base = draw.pick(&WALLS);
    let (coarse, fine) = (noise(draw, 13), noise(draw, 3));
    let (spots, grain) = (draw.range(0.02, 0.12) * strength, draw.range(0.0, 0.06) * strength);
    let mut canvas = Canvas::plain(base);
    for (index, pixel) in canvas.pixels.iter_mut().enumerate() {
        *pixel = base.map(|c| (c * (1.0 + coarse[index] * spots * 2.0) + fine[index] * grain).max(0.0));
    }
    for _ in 0..draw.below(4) {
        if draw.chance(0.6 * strength) {
            window(&mut canvas, draw);
        }
    }
    canvas
}

fn window(canvas: &mut Canvas, draw: &mut Draw) {
    let colour = match draw.below(3) {
        0 => draw.pick(&SKIES),
        1 => [0.10, 0.11, 0.13],
        _ => draw.pick(&WALLS),
    };
    let (x, y) = (draw.range(-6.0, 30.0), draw.range(-6.0, 30.0));
    let (wide, high) = if draw.chance(0.4) { (40.0, draw.range(1.0, 5.0)) } else { (draw.range(3.0, 14.0), draw.range(4.0, 18.0)) };
    let lean = draw.range(-0.08, 0.08);
    canvas.lay(colour, |px, py| {
        let (along, across) = (px + lean * py, py - lean * px);
        band(along, x, x + wide) * band(across, y, y + high)
    });
}

/// The pole below the sign, and now and then a plate under it or another sign's edge above.
pub fn mount(canvas: &mut Canvas, pose: &Pose, strength: f32, draw: &mut Draw) {
    let (x, y) = pose.centre;
    if draw.chance(0.6 * strength) {
        let (colour, wide) = (draw.pick(&POLES), draw.range(0.7, 1.7));
        let (lean, light) = (draw.range(-0.05, 0.05), draw.range(0.5, 1.1));
        canvas.lay(colour.map(|c| c * light), |px, py| band(px + lean * (py - y), x - wide, x + wide) * (py - y + 0.5).clamp(0.0, 1.0));
    }
    if draw.chance(0.10 * strength) {
        let (wide, top) = (pose.half * draw.range(0.6, 1.0), y + pose.half * draw.range(1.03, 1.15));
        let (high, shade) = (draw.range(3.0, 9.0), draw.range(0.4, 0.9));
        canvas.lay([0.8 * shade, 0.8 * shade, 0.78 * shade], |px, py| band(px, x - wide, x + wide) * band(py, top, top + high));
    }
    if draw.chance(0.12 * strength) {
        neighbour(canvas, pose, draw);
    }
}

/// The edge of another sign above or below.
fn neighbour(canvas: &mut Canvas, pose: &Pose, draw: &mut Draw) {
    let (colour, radius) = (draw.pick(&NEIGHBOURS), pose.half * draw.range(0.9, 1.1));
    let apart = (pose.half + radius) * if draw.chance(0.6) { -draw.range(1.0, 1.06) } else { draw.range(1.0, 1.06) };
    let (x, y) = (pose.centre.0 + draw.range(-1.5, 1.5), pose.centre.1 + apart);
    let (rim, light) = (draw.range(0.06, 0.2) * radius, draw.range(0.4, 1.0));
    let disc = |px: f32, py: f32, size: f32| (size - ((px - x) * (px - x) + (py - y) * (py - y)).sqrt() + 0.5).clamp(0.0, 1.0);
    canvas.lay([0.8 * light, 0.8 * light, 0.78 * light], |px, py| disc(px, py, radius));
    canvas.lay(colour.map(|c| c * light), |px, py| disc(px, py, radius - rim));
}

/// A twig, a bar or a leaf before the sign; rare, and never large enough to hide it.
pub fn occlude(canvas: &mut Canvas, pose: &Pose, strength: f32, draw: &mut Draw) {
    if !draw.chance(0.14 * strength) {
        return;
    }
    let colour = if draw.chance(0.6) { draw.pick(&LEAVES) } else { draw.pick(&WALLS) };
    let (x, y) = (pose.centre.0 + draw.range(-1.0, 1.0) * pose.half, pose.centre.1 + draw.range(-1.0, 1.0) * pose.half);
    let (dx, dy) = draw.direction();
    let (long, wide) = if draw.chance(0.5) { (40.0, draw.range(0.5, 1.3)) } else { (draw.range(2.5, 6.0), draw.range(2.0, 4.0)) };
    let rough = noise(draw, 3);
    canvas.lay(colour, |px, py| {
        let (along, across) = ((px - x) * dx + (py - y) * dy, (py - y) * dx - (px - x) * dy);
        let bump = rough[(py as usize).min(SIDE - 1) * SIDE + (px as usize).min(SIDE - 1)];
        band(along, -long, long) * band(across + bump, -wide, wide)
    });
}

/// Smooth noise, about -1..1, with lumps of `cell` pixels.
pub fn noise(draw: &mut Draw, cell: usize) -> Vec<f32> {
    let width = SIDE / cell + 3;
    let (shift_x, shift_y) = (draw.unit(), draw.unit());
    let lattice: Vec<f32> = (0..width * width).map(|_| draw.range(-1.0, 1.0)).collect();
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    (0..SIDE * SIDE)
        .map(|index| {
            let at = |i: usize, shift: f32| i as f32 / cell as f32 + shift;
            let (x, y) = (at(index % SIDE, shift_x), at(index / SIDE, shift_y));
            let (column, row) = (x as usize, y as usize);
            let (u, v) = (ease(x - column as f32), ease(y - row as f32));
            let corner = |down: usize, right: usize| lattice[(row + down) * width + column + right];
            let upper = corner(0, 0) + (corner(0, 1) - corner(0, 0)) * u;
            let lower = corner(1, 0) + (corner(1, 1) - corner(1, 0)) * u;
            upper + (lower - upper) * v
        })
        .collect()
}

/// A plate of one colour, lightly worn: the ground of house numbers.
pub fn plate(colour: Colour, strength: f32, draw: &mut Draw) -> Canvas {
    let (coarse, fine) = (noise(draw, 14), noise(draw, 3));
    let (spots, grain) = (draw.range(0.02, 0.14) * strength, draw.range(0.0, 0.05) * strength);
    let mut canvas = Canvas::plain(colour);
    for (index, pixel) in canvas.pixels.iter_mut().enumerate() {
        *pixel = colour.map(|c| (c + coarse[index] * spots + fine[index] * grain).clamp(0.0, 1.0));
    }
    if draw.chance(0.5 * strength) {
        // The plate's own edge, and what lies beyond it.
        let beyond = draw.pick(&WALLS);
        let beyond = mix(beyond, [luminance(beyond); 3], 0.5);
        let (low, high) = (draw.range(-3.0, 5.0), draw.range(27.0, 35.0));
        let lean = draw.range(-0.1, 0.1);
        canvas.lay(beyond, |x, y| 1.0 - band(y + lean * (x - 16.0), low, high));
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::draw::rng::Part;

    #[test]
    fn without_clutter_the_ground_is_plain() {
        for index in 0..50 {
            let canvas = paint(0.0, &mut Draw::new("", 0, Part::Train, index));
            assert!(canvas.pixels.iter().all(|p| *p == canvas.pixels[0]));
        }
    }

    #[test]
    fn noise_is_bounded_for_every_cell_size() {
        let mut draw = Draw::new("", 0, Part::Train, 0);
        for cell in 1..=SIDE {
            assert!(noise(&mut draw, cell).iter().all(|v| v.abs() <= 1.001), "{cell}");
        }
    }
}
