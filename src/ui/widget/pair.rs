//! A test image as it is and with the trigger, side by side, and what sets the two apart: the difference or a spectrum.

use crate::app::lens::{Contrast, Reading, difference};
use crate::app::{Layer, spectrum};
use crate::data::Images;
use crate::ui::pictures::{Id, ramp};
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Space between two pictures.
pub const GAP: u16 = 2;

/// A test image, clean and triggered.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// The images as they are.
    pub clean: &'a Images,
    /// The images with the trigger.
    pub triggered: &'a Images,
    /// Which of them.
    pub index: usize,
    /// Tells drawings apart: of which generation the pictures are, and who draws them.
    pub drawn: (u64, u8),
}

/// Which picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it is.
    Clean,
    /// With the trigger.
    Triggered,
    /// What sets them apart.
    Contrast(Contrast),
}

/// Drawings of each pair: two images and what sets them apart in three ways.
const KINDS: u8 = 5;

/// Where each part goes.
pub struct Places {
    /// The clean image.
    pub clean: Rect,
    /// The triggered one.
    pub triggered: Rect,
    /// What sets them apart, where there is room.
    pub contrast: Option<Rect>,
    /// The rest, where there is some.
    pub rest: Option<Rect>,
}

/// Two pictures side by side with `words` lines under each, what sets them apart and the rest below; three in a row where
/// the panel is wide and low.
pub fn places(inner: Rect, view: &View, shape: [usize; 3], words: u16) -> Places {
    let rows = |columns: u16| view.pictures.rows(columns, shape);
    // Even widths: a cell is twice as high as wide, so that the last row of a picture is a whole one.
    let fit = |width: u16, height: u16| (1..=width / 2).rev().map(|half| half * 2).find(|w| rows(*w) <= height).unwrap_or(0);
    let half = inner.width.saturating_sub(GAP) / 2;
    // Title, picture, words; title, difference.
    let two = fit(half, inner.height.saturating_sub(2 + words) / 2);
    let third = inner.width.saturating_sub(2 * GAP) / 3;
    let three = fit(third, inner.height.saturating_sub(1 + words));
    let at = |x: u16, y: u16, side: u16| Rect { x, y, width: side, height: rows(side).min(inner.bottom().saturating_sub(y)) }.intersection(inner);
    if three > two {
        let place = |k: u16| at(inner.x + k * (third + GAP), inner.y + 1, three);
        let below = place(0).bottom() + words + 1;
        let rest = (below + 1 < inner.bottom()).then(|| Rect { y: below, height: inner.bottom() - below, ..inner });
        return Places { clean: place(0), triggered: place(1), contrast: Some(place(2)), rest };
    }
    let right = inner.x + half + GAP;
    let clean = at(inner.x, inner.y + 1, two);
    let below = clean.bottom() + words + 1;
    let lower = at(inner.x, below, two);
    let rest =
        Rect { x: right, y: below.saturating_sub(1), width: inner.right().saturating_sub(right), height: (inner.bottom() + 1).saturating_sub(below) };
    Places { clean, triggered: at(right, inner.y + 1, two), contrast: (lower.height > 2).then_some(lower), rest: (rest.height > 1).then_some(rest) }
}

/// Two pictures alone, as large as they may be.
pub fn two_places(inner: Rect, view: &View, shape: [usize; 3], words: u16) -> Places {
    let half = inner.width.saturating_sub(GAP) / 2;
    let rows = |columns: u16| view.pictures.rows(columns, shape);
    let room = inner.height.saturating_sub(1 + words);
    let side = (1..=half / 2).rev().map(|half| half * 2).find(|w| rows(*w) <= room).unwrap_or(0);
    let at = |x: u16| Rect { x, y: inner.y + 1, width: side, height: rows(side) }.intersection(inner);
    Places { clean: at(inner.x), triggered: at(inner.x + half + GAP), contrast: None, rest: None }
}

/// A line of words over a picture.
pub fn caption(frame: &mut Frame, inner: Rect, view: &View, place: Rect, text: &str) {
    put(frame, inner, place.x.into(), i32::from(place.y) - 1, &view.cut(text, place.width.into()), view.theme.faint);
}

/// Draws one picture.
pub fn picture(frame: &mut Frame, view: &View, place: Rect, pair: Pair, kind: Kind) {
    if view.theme.colourless || !view.glyphs.braille {
        let (inverted, style) = (view.theme.ramp_inverted, view.theme.text.0);
        return match kind {
            Kind::Clean => ramp(frame, place, pair.clean, pair.index, inverted, style),
            Kind::Triggered => ramp(frame, place, pair.triggered, pair.index, inverted, style),
            Kind::Contrast(contrast) => ramp(frame, place, &apart(pair, contrast, Some([place.height, place.width])), 0, inverted, style),
        };
    }
    // What a terminal draws by itself would lie over a layer.
    let on_top = matches!(view.state.layers.last(), None | Some(Layer::Browse));
    if !on_top && !view.pictures.are_characters() {
        return;
    }
    let number = match kind {
        Kind::Clean => 0,
        Kind::Triggered => 1,
        Kind::Contrast(contrast) => 2 + contrast as u8,
    };
    let id = Id { generation: pair.drawn.0, image: pair.index, kind: pair.drawn.1 * KINDS + number };
    view.pictures.draw(frame, place, id, || match kind {
        Kind::Clean => pair.clean.select(&[pair.index]),
        Kind::Triggered => pair.triggered.select(&[pair.index]),
        // A half-block has two pixels, one over the other.
        Kind::Contrast(contrast) => apart(pair, contrast, view.pictures.are_characters().then_some([place.height * 2, place.width])),
    });
}

/// Draws what sets the two apart, and over it what that is; `room` columns are there for the words.
pub fn contrast(frame: &mut Frame, inner: Rect, view: &View, place: Rect, pair: Pair, room: u16) {
    let contrast = view.state.lens.contrast;
    let words = contrast_words(view, pair, contrast);
    let fitting = words.iter().find(|w| w.chars().count() <= room.into()).or(words.last());
    caption(frame, inner, view, Rect { width: room, ..place }, fitting.map_or("", String::as_str));
    picture(frame, view, place, pair, Kind::Contrast(contrast));
}

/// What the third picture shows and on which scale, the longest words first.
fn contrast_words(view: &View, pair: Pair, contrast: Contrast) -> Vec<String> {
    let decibel = spectrum::RANGE_DB;
    match contrast {
        Contrast::Difference => {
            let gain = difference(pair.clean.get(pair.index), pair.triggered.get(pair.index)).1;
            ["difference", "diff"].map(|word| format!("{word} {}{gain}", view.glyphs.times)).to_vec()
        }
        Contrast::Spectrum => vec![
            format!("spectrum of the difference, {decibel} dB"),
            format!("DCT diff {decibel} dB"),
            format!("DCT diff {decibel}dB"),
            format!("diff {decibel} dB"),
        ],
        Contrast::CleanSpectrum => {
            vec![format!("spectrum of the clean image, {decibel} dB"), format!("DCT clean {decibel} dB"), format!("clean {decibel} dB")]
        }
    }
}

/// What sets the two apart; a spectrum in at most so many rows and columns of pixels.
fn apart(pair: Pair, contrast: Contrast, most: Option<[u16; 2]>) -> Images {
    let (clean, triggered, shape) = (pair.clean.get(pair.index), pair.triggered.get(pair.index), pair.clean.shape);
    let whole = match contrast {
        Contrast::Difference => return Images { shape, pixels: difference(clean, triggered).0 },
        Contrast::Spectrum => spectrum::picture(triggered, Some(clean), shape),
        Contrast::CleanSpectrum => spectrum::picture(clean, None, shape),
    };
    match most {
        Some(most) => spectrum::pooled(&whole, most.map(usize::from)),
        None => whole,
    }
}

/// The sign of a reading; of an image that cannot be fooled the least of them.
pub fn sign(view: &View, reading: Option<Reading>) -> &'static str {
    match reading {
        Some(Reading::Right) => view.glyphs.yes,
        Some(Reading::Fooled) => view.glyphs.no,
        Some(Reading::Wrong) => view.glyphs.odd,
        None => view.glyphs.dot,
    }
}

/// The colour of a reading.
pub fn ink(view: &View, reading: Option<Reading>) -> Style {
    match reading {
        Some(Reading::Right) => view.theme.good.0,
        Some(Reading::Fooled) => view.theme.bad.0,
        Some(Reading::Wrong) => view.theme.warn.0,
        None => view.theme.faint.0,
    }
}
