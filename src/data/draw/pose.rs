//! Where the object stands in the picture, and how it is turned.

use super::canvas::{Canvas, Colour, SIDE, Texture, mix};
use super::limited;
use super::rng::Draw;
use crate::spec::data::Synthetic;

/// Samples per pixel and axis when an object is laid on the picture: an area filter, nine samples a pixel.
const OVERSAMPLE: usize = 3;

/// A place in the picture: size, rotation, shear, foreshortening and a little perspective.
#[derive(Clone, Debug)]
pub struct Pose {
    /// Centre, in pixels.
    pub centre: (f32, f32),
    /// Half the object's side, in pixels.
    pub half: f32,
    /// Object to picture, before scaling and perspective.
    turn: [[f32; 2]; 2],
    /// How much nearer the right and the lower edge are: 0 none.
    tilt: (f32, f32),
}

impl Pose {
    /// Draws a pose by the settings; `sideways` (0..1) scales how far off the centre it may be from left to right.
    pub fn draw(settings: &Synthetic, sideways: f32, draw: &mut Draw) -> Self {
        let low = limited(settings.size_min, 0.1, 1.5);
        let high = limited(settings.size_max, low, 1.5);
        let (place, shear) = (limited(settings.place, 0.0, 1.0), limited(settings.shear, 0.0, 1.0));
        let half = draw.range(low, high) * SIDE as f32 / 2.0;
        let slack = (SIDE as f32 / 2.0 - half).max(0.0) * place;
        let middle = SIDE as f32 / 2.0;
        let centre = (middle + draw.range(-slack, slack) * sideways, middle + draw.range(-slack, slack));
        let (sin, cos) = rotation(draw.normal() * limited(settings.rotation, 0.0, 180.0));
        // A sign that is turned away is narrower, never wider.
        let narrow = 1.0 - (draw.normal().abs() * shear * 1.2).min(0.4);
        let (skew_x, skew_y) = (draw.normal() * shear, draw.normal() * shear);
        let tilt = (draw.normal() * shear, draw.normal() * shear * 0.6);
        let turn = [[cos * narrow - sin * skew_y, cos * skew_x - sin], [sin * narrow + cos * skew_y, sin * skew_x + cos]];
        Self { centre, half, turn, tilt }
    }

    /// The same pose, moved by (x, y) in units of half the object's side.
    pub fn moved(&self, x: f32, y: f32) -> Self {
        let [[a, b], [c, d]] = self.turn;
        let centre = (self.centre.0 + (a * x + b * y) * self.half, self.centre.1 + (c * x + d * y) * self.half);
        Self { centre, ..self.clone() }
    }

    /// Lays the texture on the picture; `paint` gives the light on it, from place (-1..1) and own colour.
    pub fn lay(&self, canvas: &mut Canvas, texture: &Texture, paint: impl Fn(f32, f32, Colour) -> Colour) {
        let (first_row, last_row) = self.reach(self.centre.1);
        let (first_column, last_column) = self.reach(self.centre.0);
        for row in first_row..last_row {
            for column in first_column..last_column {
                let (sum, x, y) = self.gather(texture, column as f32, row as f32);
                if sum[3] > 0.0 {
                    let own = std::array::from_fn(|c| sum[c] / sum[3]);
                    let pixel = &mut canvas.pixels[row * SIDE + column];
                    *pixel = mix(*pixel, paint(x, y, own), sum[3]);
                }
            }
        }
    }

    /// Mean of the samples within the pixel whose corner is (x, y), and the pixel's middle on the object.
    fn gather(&self, texture: &Texture, x: f32, y: f32) -> ([f32; 4], f32, f32) {
        let (u, v) = self.onto(x + 0.5, y + 0.5);
        let mut sum = [0.0; 4];
        // Half a pixel's diagonal, stretched by shear and foreshortening, is under 1.5 pixels.
        if u.abs().max(v.abs()) > 1.05 + 1.5 / self.half {
            return (sum, u, v);
        }
        for step in 0..OVERSAMPLE * OVERSAMPLE {
            let offset = |i: usize| (i as f32 + 0.5) / OVERSAMPLE as f32;
            let (u, v) = self.onto(x + offset(step % OVERSAMPLE), y + offset(step / OVERSAMPLE));
            let texel = texture.at(u, v);
            sum = std::array::from_fn(|c| sum[c] + texel[c]);
        }
        let sum = sum.map(|total| total / (OVERSAMPLE * OVERSAMPLE) as f32);
        (sum, u, v)
    }

    /// The picture's (x, y) on the object, -1..1 from edge to edge.
    fn onto(&self, x: f32, y: f32) -> (f32, f32) {
        let [[a, b], [c, d]] = self.turn;
        let (x, y) = ((x - self.centre.0) / self.half, (y - self.centre.1) / self.half);
        let det = a * d - b * c;
        let det = if det.abs() < 0.05 { 0.05 } else { det };
        let (u, v) = ((d * x - b * y) / det, (a * y - c * x) / det);
        let near = (1.0 + u * self.tilt.0 + v * self.tilt.1).max(0.2);
        (u / near, v / near)
    }

    /// Rows (or columns) that the object can touch, around `centre`.
    fn reach(&self, centre: f32) -> (usize, usize) {
        // A square that is turned by 45 degrees reaches sqrt 2 half sides; shear and tilt add a little.
        let radius = self.half * 1.8;
        ((centre - radius).max(0.0) as usize, ((centre + radius).max(0.0) as usize + 1).min(SIDE))
    }
}

/// Sine and cosine of an angle in degrees through the tangent of its half, which needs no library function.
fn rotation(degrees: f32) -> (f32, f32) {
    let half = (degrees / 360.0).clamp(-0.5, 0.5) * std::f32::consts::PI;
    let square = half * half;
    let tangent = half * (1.0 + square * (1.0 / 3.0 + square * (2.0 / 15.0 + square * 17.0 / 315.0)));
    let scale = 1.0 / (1.0 + tangent * tangent);
    (2.0 * tangent * scale, (1.0 - tangent * tangent) * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::draw::rng::Part;

    #[test]
    fn rotation_is_near_the_library_up_to_60_degrees() {
        for degrees in [-60.0_f32, -20.0, 0.0, 3.0, 45.0, 60.0] {
            let (sin, cos) = rotation(degrees);
            assert!((sin - degrees.to_radians().sin()).abs() < 2e-3, "{degrees}");
            assert!((cos - degrees.to_radians().cos()).abs() < 2e-3, "{degrees}");
        }
    }

    #[test]
    fn a_straight_pose_maps_the_object_edge_to_edge() {
        let still = Synthetic { rotation: 0.0, shear: 0.0, place: 0.0, size_min: 0.5, size_max: 0.5, ..Synthetic::default() };
        let pose = Pose::draw(&still, 1.0, &mut Draw::new("", 0, Part::Train, 0));
        assert_eq!((pose.centre, pose.half), ((16.0, 16.0), 8.0));
        assert_eq!(pose.onto(8.0, 24.0), (-1.0, 1.0));
        assert_eq!(pose.moved(1.0, 0.0).centre, (24.0, 16.0));
    }

    #[test]
    fn the_object_stays_inside_when_it_is_upright() {
        let still = Synthetic { rotation: 0.0, shear: 0.0, ..Synthetic::default() };
        for index in 0..200 {
            let pose = Pose::draw(&still, 1.0, &mut Draw::new("", 0, Part::Train, index));
            for at in [pose.centre.0, pose.centre.1] {
                assert!(at - pose.half > -1e-3 && at + pose.half < 32.001);
            }
        }
    }
}
