//! A scene in a terminal: braille lines with a sign for each series, or ASCII alone. The screen's charts are drawn here
//! too, with the signs and colours of its themes ([`Inks`]).

mod dots;
mod inks;
mod names;
mod panel;
mod picture;
mod plot;

pub use dots::{column, row};
pub use inks::{Inks, Signs, TerminalStyle};
pub use panel::PanelView;
pub use picture::{ramp, span};
pub use plot::Plot;

use super::scene::{Look, Panel, Scene};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// Least width and height of a panel beside others.
const PANEL: (u16, u16) = (26, 8);
/// Least width of a panel that holds a picture: five stand side by side in 80 columns.
const PICTURE: u16 = 15;

/// A scene as a widget: the legend, then as many panels as the area holds, the rest counted in the last line.
#[derive(Clone, Copy)]
pub struct SceneView<'a> {
    /// What is drawn.
    pub scene: &'a Scene,
    /// With what.
    pub inks: &'a dyn Inks,
}

impl Widget for SceneView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let legend = self.legend(area, buf);
        let room = Rect { y: area.y + legend, height: area.height - legend, ..area };
        if room.is_empty() || self.scene.panels.is_empty() {
            return;
        }
        let least = if self.scene.panels.iter().any(|p| p.picture.is_some()) { PICTURE } else { PANEL.0 };
        let columns = self.scene.columns.clamp(1, usize::from(area.width / least).max(1));
        let rows: Vec<&[Panel]> = self.scene.in_rows(columns).collect();
        let fit = usize::from(room.height / PANEL.1).max(1);
        let shown = &rows[..rows.len().min(fit)];
        let hidden: usize = rows[shown.len()..].iter().map(|r| r.len()).sum();
        let height = room.height - u16::from(hidden > 0);
        self.rows(shown, columns as u16, Rect { height, ..room }, buf);
        if hidden > 0 {
            let panels = if hidden == 1 { "panel" } else { "panels" };
            let text = format!("and {hidden} more {panels}: enlarge the terminal, or write a file");
            buf.set_stringn(room.x, room.bottom() - 1, text, usize::from(room.width), self.inks.frame());
        }
    }
}

impl SceneView<'_> {
    /// Writes the legend in as many lines as it needs, but no more than a quarter of the area; their number.
    fn legend(&self, area: Rect, buf: &mut Buffer) -> u16 {
        let (mut x, mut y) = (area.x, area.y);
        let entries = self.scene.legend();
        if entries.is_empty() || area.height < 4 {
            return 0;
        }
        for (label, look) in entries {
            let sample = self.sample(look);
            let long = (sample.chars().count() + 1 + label.chars().count()) as u16;
            if x > area.x && x + long > area.right() {
                (x, y) = (area.x, y + 1);
            }
            if y >= area.y + (area.height / 4).max(1) {
                break;
            }
            let (next, _) = buf.set_stringn(x, y, &sample, usize::from(area.right() - x), self.inks.mark(look));
            let room = usize::from(area.right().saturating_sub(next));
            let (next, _) = buf.set_stringn(next, y, format!(" {label}"), room, Style::new());
            x = (next + 3).min(area.right());
        }
        (y - area.y + 1).min(area.height)
    }

    fn sample(&self, look: Look) -> String {
        let ascii = !self.inks.signs().braille;
        if look.bar.is_some() {
            return if look.dash == Some(super::scene::Dash::Dots) { ["⢕⢕", "::"] } else { ["⣿⣿", "||"] }[usize::from(ascii)].to_owned();
        }
        let line = match (look.dash, ascii) {
            (None, _) => " ",
            (Some(super::scene::Dash::Solid), false) => "─",
            (Some(super::scene::Dash::Dashes), false) => "╌",
            (Some(super::scene::Dash::Dots | super::scene::Dash::DashDot), false) => "┈",
            (Some(_), true) => "-",
        };
        format!("{line}{}{line}", self.inks.marker(look).unwrap_or(line))
    }

    /// Shares the height among rows by the stretch of their panels.
    fn rows(&self, rows: &[&[Panel]], columns: u16, area: Rect, buf: &mut Buffer) {
        let stretch = |row: &[Panel]| row.iter().map(|p| p.stretch).fold(0.1, f64::max);
        let whole: f64 = rows.iter().map(|row| stretch(row)).sum();
        let spare = f64::from(area.height.saturating_sub(PANEL.1 * rows.len() as u16));
        let mut y = area.y;
        for (number, row) in rows.iter().enumerate() {
            let wished = PANEL.1 + (spare * stretch(row) / whole).floor() as u16;
            let height = if number + 1 == rows.len() { area.bottom() - y } else { wished.min(area.bottom() - y) };
            for (column, panel) in row.iter().enumerate() {
                let width = if panel.whole_row { area.width } else { area.width / columns };
                let x = area.x + column as u16 * width;
                let gap = u16::from(!panel.whole_row && column + 1 < usize::from(columns)) * 2;
                let place = Rect { x, y, width: width.saturating_sub(gap), height };
                PanelView { panel, inks: self.inks }.render(place, buf);
            }
            y += height;
        }
    }
}

/// `scene` as lines of text without colours, for a terminal of `width` by `height` cells.
pub fn lines(scene: &Scene, width: u16, height: u16, ascii: bool) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    SceneView { scene, inks: &TerminalStyle { ascii, plain: true } }.render(area, &mut buf);
    let row = |y: u16| (0..width).filter_map(|x| buf.cell((x, y))).map(|c| c.symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect()
}

/// Writes `text` at a place, cut at the area's ends; nothing outside of the area.
pub fn put(buf: &mut Buffer, area: Rect, x: i32, y: i32, text: &str, style: impl Into<Style>) {
    let area = area.intersection(buf.area);
    let (left, right) = (i32::from(area.x), i32::from(area.right()));
    let start = x.max(left);
    if y < i32::from(area.y) || y >= i32::from(area.bottom()) || start >= right {
        return;
    }
    let shown: String = text.chars().skip((left - x).max(0) as usize).take((right - start) as usize).collect();
    buf.set_stringn(start as u16, y as u16, shown, (right - start) as usize, style);
}
