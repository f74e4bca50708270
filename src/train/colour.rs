//! Changes of colour, as torchvision makes them on float tensors: an image is its red, green and blue plane in 0..1.

/// Weights of red, green and blue in grey (ITU-R 601, torchvision's digits).
const GREY: [f32; 3] = [0.2989, 0.587, 0.114];

/// The three planes of an image.
fn rgb(planes: &mut [f32]) -> [&mut [f32]; 3] {
    let plane = planes.len() / 3;
    let (red, rest) = planes.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    [red, green, blue]
}

fn grey([r, g, b]: [f32; 3]) -> f32 {
    GREY[0] * r + GREY[1] * g + GREY[2] * b
}

/// `factor * value + (1 - factor) * other`, within 0..1.
fn blend(value: f32, other: f32, factor: f32) -> f32 {
    (factor * value + (1.0 - factor) * other).clamp(0.0, 1.0)
}

/// Calls `change` with every pixel.
fn each_pixel(planes: &mut [f32], change: impl Fn([f32; 3]) -> [f32; 3]) {
    let [red, green, blue] = rgb(planes);
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        [*r, *g, *b] = change([*r, *g, *b]);
    }
}

/// Darker below 1, brighter above.
pub fn brightness(planes: &mut [f32], factor: f32) {
    planes.iter_mut().for_each(|v| *v = blend(*v, 0.0, factor));
}

/// Away from, or towards, the mean grey of the whole image.
pub fn contrast(planes: &mut [f32], factor: f32) {
    let [red, green, blue] = rgb(planes);
    let sum: f32 = red.iter().zip(green.iter()).zip(blue.iter()).map(|((r, g), b)| grey([*r, *g, *b])).sum();
    let mean = sum / red.len() as f32;
    planes.iter_mut().for_each(|v| *v = blend(*v, mean, factor));
}

/// Away from, or towards, each pixel's own grey; at 0 the image is grey.
pub fn saturation(planes: &mut [f32], factor: f32) {
    each_pixel(planes, |pixel| {
        let grey = grey(pixel);
        pixel.map(|v| blend(v, grey, factor))
    });
}

/// Turns the colours of the image: in HSV, the hue by `turns`.
pub fn hue(planes: &mut [f32], turns: f32) {
    each_pixel(planes, |[r, g, b]| {
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let range = most - least;
        if range == 0.0 {
            return [r, g, b];
        }
        let sixths = if most == r {
            (g - b) / range
        } else if most == g {
            2.0 + (b - r) / range
        } else {
            4.0 + (r - g) / range
        };
        let hue = ((sixths / 6.0 + turns).rem_euclid(1.0)) * 6.0;
        let within = hue - hue.floor();
        let (falling, rising) = (most - range * within, most - range * (1.0 - within));
        match hue as usize % 6 {
            0 => [most, rising, least],
            1 => [falling, most, least],
            2 => [least, most, rising],
            3 => [least, falling, most],
            4 => [rising, least, most],
            _ => [most, least, falling],
        }
    });
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::Value;

    fn formula(i: usize) -> f64 {
        ((i + 1) as f64 * 0.618_033_988_749_894_9 + 60.0 * 0.754_877_666_246_692_7).fract()
    }

    /// The image that torchvision was given (tests/encoder_reference/generate.py): one pixel of it is grey.
    pub fn image() -> Vec<f32> {
        let mut image: Vec<f32> = (0..192).map(|i| (formula(i) * 256.0).floor() as f32 / 255.0).collect();
        (0..3).for_each(|channel| image[channel * 64] = 0.5);
        image
    }

    pub fn reference(name: &str) -> Vec<f32> {
        let all: Value = serde_json::from_str(include_str!("../../tests/encoder_reference/reference.json")).unwrap();
        all["views"][name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    }

    #[test]
    fn colours_change_as_torchvisions() {
        type Case = (&'static str, fn(&mut [f32], f32), f32);
        let cases: [Case; 7] = [
            ("brightness", brightness, 1.3),
            ("contrast", contrast, 0.7),
            ("contrast, more", contrast, 1.4),
            ("saturation", saturation, 1.35),
            ("grey", saturation, 0.0),
            ("hue", hue, 0.08),
            ("hue, back", hue, -0.1),
        ];
        for (name, change, amount) in cases {
            let mut image = image();
            change(&mut image, amount);
            for (i, (ours, theirs)) in image.iter().zip(reference(name)).enumerate() {
                assert!((ours - theirs).abs() < 2e-6, "{name}: value {i} is {ours}, torchvision has {theirs}");
            }
        }
    }
}
