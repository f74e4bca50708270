//! Small pictures in the terminal: through its own picture protocol where it has one, else as half-blocks, and under
//! `--ascii` or without colours as a ramp of characters.

use crate::data::Images;
use crate::figure::terminal;
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::protocol::Protocol;
use ratatui_image::{FilterType, Image, Resize};
use std::cell::RefCell;
use std::collections::HashMap;

/// Drawings kept: every thumbnail of a large screen, in a few sizes of the picture shown large.
const KEPT: usize = 400;

/// Tells drawings apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id {
    /// Counts the changes of the pictures.
    pub generation: u64,
    /// Which image.
    pub image: usize,
    /// Which of its pictures.
    pub kind: u8,
}

/// Draws pictures and keeps the drawings until they change.
pub struct Pictures {
    picker: Picker,
    kept: RefCell<HashMap<(Id, Size), Protocol>>,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { picker: Picker::halfblocks(), kept: RefCell::default() }
    }
}

impl Pictures {
    /// Asks the terminal what it can show. Only terminals that are known to answer are asked: one that stays silent
    /// would swallow the first key.
    pub fn for_this_terminal() -> Self {
        let picker = if answers() { Picker::from_query_stdio().unwrap_or_else(|_| Picker::halfblocks()) } else { Picker::halfblocks() };
        Self { picker, kept: RefCell::default() }
    }

    /// Whether pictures consist of characters, so that a layer may lie over them.
    pub fn are_characters(&self) -> bool {
        self.picker.protocol_type() == ProtocolType::Halfblocks
    }

    /// Rows for a picture of `columns` columns and `shape` (channels, height, width).
    pub fn rows(&self, columns: u16, shape: [usize; 3]) -> u16 {
        let font = self.picker.font_size();
        let wide = f64::from(columns) * f64::from(font.width.max(1));
        (wide * shape[1] as f64 / shape[2].max(1) as f64 / f64::from(font.height.max(1))).round().max(1.0) as u16
    }

    /// Draws the first image of what `make` makes; `id` tells drawings apart.
    pub fn draw(&self, frame: &mut Frame, area: Rect, id: Id, make: impl FnOnce() -> Images) {
        if area.is_empty() {
            return;
        }
        let key = (id, area.as_size());
        let mut kept = self.kept.borrow_mut();
        if !kept.contains_key(&key) {
            // A few sizes of what is on the screen are worth keeping, an afternoon of resizing is not.
            if kept.len() > KEPT {
                kept.clear();
            }
            let images = make();
            let Some(protocol) = (!images.is_empty()).then(|| self.encode(&images, 0, area)).flatten() else { return };
            kept.insert(key, protocol);
        }
        if let Some(protocol) = kept.get(&key) {
            frame.render_widget(Image::new(protocol).allow_clipping(true), area);
        }
    }

    fn encode(&self, images: &Images, index: usize, area: Rect) -> Option<Protocol> {
        let [_, height, width] = images.shape;
        let picture = image::RgbImage::from_raw(width as u32, height as u32, images.rgb(index))?;
        let filter = if self.are_characters() { FilterType::Triangle } else { FilterType::Nearest };
        self.picker.new_protocol(picture.into(), Size::new(area.width, area.height), Resize::Scale(Some(filter))).ok()
    }
}

/// Draws image `index` of `images` as characters.
pub fn ramp(frame: &mut Frame, area: Rect, images: &Images, index: usize, inverted: bool, style: Style) {
    if area.is_empty() || index >= images.len() {
        return;
    }
    let [_, height, width] = images.shape;
    let rgb = images.rgb(index);
    let grey = |x: usize, y: usize| {
        let at = (y * width + x) * 3;
        (0.299 * f64::from(rgb[at]) + 0.587 * f64::from(rgb[at + 1]) + 0.114 * f64::from(rgb[at + 2])) / 255.0
    };
    for row in 0..area.height {
        let line: String = (0..area.width)
            .map(|column| {
                let (x, y) = (terminal::span(column, area.width, width), terminal::span(row, area.height, height));
                let sum: f64 = y.clone().flat_map(|y| x.clone().map(move |x| (x, y))).map(|(x, y)| grey(x, y)).sum();
                let mean = sum / (x.len() * y.len()).max(1) as f64;
                terminal::ramp(if inverted { 1.0 - mean } else { mean })
            })
            .collect();
        frame.buffer_mut().set_string(area.x, area.y + row, line, style);
    }
}

/// Whether the environment names a terminal that answers questions about pictures.
fn answers() -> bool {
    let says = |name: &str, words: &[&str]| std::env::var(name).is_ok_and(|v| words.iter().any(|w| v.contains(w)));
    if std::env::var_os("TMUX").is_some() || says("TERM", &["screen", "tmux"]) {
        return false;
    }
    says("TERM", &["kitty", "foot", "ghostty", "mlterm", "contour", "wezterm"])
        || says("TERM_PROGRAM", &["iTerm", "WezTerm", "ghostty", "rio", "contour"])
        || ["KONSOLE_VERSION", "WT_SESSION"].iter().any(|name| std::env::var_os(name).is_some())
}
