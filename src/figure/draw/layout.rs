//! Where everything stands on the page, in points of 1/72 inch.
//!
//! ```text
//! legend, once, over all panels
//! y title | ticks | frame | labels of horizontal lines     (title, then spans, over each frame)
//!                 | ticks
//!                   x title, once where all panels share it
//! caption, then notes, as wide as the panels
//! ```

use super::geometry::{Place, Rect};
use super::text::{width, wrap};
use crate::figure::scene::{Along, Axis, Look, Panel, Scene};

/// Sizes of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// Size of words, in points.
    pub font: f64,
    /// Size of small print.
    pub small: f64,
    /// Whether caption and notes are part of the picture.
    pub caption: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { font: 8.0, small: 6.4, caption: true }
    }
}

/// Air around the page and between panels.
const MARGIN: f64 = 8.0;
const GAP: f64 = 11.0;
/// Narrowest room for legend, caption and notes.
const NARROWEST: f64 = 330.0;
/// Length of a line in the legend, and room for a mark alone.
const SAMPLE: (f64, f64) = (24.0, 7.0);

/// Width of a series' sample in the legend.
pub(super) fn sample(look: Look) -> f64 {
    if look.dash.is_some() || look.bar.is_some() { SAMPLE.0 } else { SAMPLE.1 }
}

/// A page that is laid out.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout<'a> {
    /// Of the page.
    pub size: Place,
    /// Frame of each panel, with what is written around it.
    pub frames: Vec<Frame>,
    /// Left middle of each entry of the legend.
    pub legend: Vec<(&'a str, Look, Place)>,
    /// Titles that all panels share, at their centre.
    pub x_title: Option<(&'a str, Place)>,
    pub y_title: Option<(&'a str, Place)>,
    /// Left middle of each line of the caption; the first stands right of the name.
    pub caption: Vec<(String, Place)>,
    pub name: Option<(String, Place)>,
    /// Left middle of each line of the notes.
    pub notes: Vec<(String, Place)>,
}

/// One panel's frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frame {
    pub rect: Rect,
    /// Height of the middle of the title, and of the spans' names.
    pub title: f64,
    pub spans: f64,
    /// Whether values are written at the vertical axis.
    pub y_ticks: bool,
    /// Where the panel's own titles stand, when they are not shared.
    pub x_title: Option<f64>,
    pub y_title: Option<f64>,
}

/// What is the same for a whole column of panels.
struct Column {
    y_title: f64,
    ticks: f64,
    labels: f64,
    y_ticks: bool,
}

pub(super) fn layout<'a>(scene: &'a Scene, style: &Style) -> Layout<'a> {
    let columns = columns(scene, style);
    let line = style.font * 1.4;
    let shared_x = shared(scene, |p| &p.x);
    let shared_y = shared(scene, |p| &p.y);
    let left = if shared_y.is_some() { line + 2.0 } else { 0.0 };
    let frame_width = scene.frame.0;
    let grid = left + columns.iter().map(|c| c.y_title + c.ticks + frame_width + c.labels).sum::<f64>() + GAP * (columns.len().max(1) - 1) as f64;
    let content = grid.max(NARROWEST);
    let mut page = Layout { size: (content + 2.0 * MARGIN + 4.0, 0.0), ..Layout::default() };
    let x0 = MARGIN + (content - grid) / 2.0;
    let mut y = MARGIN + legend(&mut page, scene, style, content);
    let top = y;
    for row in scene.rows() {
        y = place_row(&mut page, row, &columns, (x0 + left, y), scene.frame, style, shared_x.is_some());
    }
    y -= GAP;
    page.y_title = shared_y.map(|title| (title, (x0 + line / 2.0, middle(&page.frames, top, y))));
    if let Some(title) = shared_x {
        page.x_title = Some((title, (centre(&page.frames, x0 + grid / 2.0), y + line / 2.0 + 1.0)));
        y += line + 2.0;
    }
    if style.caption {
        y = small_print(&mut page, scene, style, (MARGIN + 2.0, y + 7.0), content - 4.0);
    }
    page.size = (page.size.0.ceil(), (y + MARGIN).ceil());
    page
}

/// The axis title, when it is the same in all panels.
fn shared(scene: &Scene, axis: fn(&Panel) -> &Axis) -> Option<&str> {
    let title = &axis(scene.panels.first()?).title;
    (!title.is_empty() && scene.panels.iter().all(|p| axis(p).title == *title)).then_some(title.as_str())
}

fn columns(scene: &Scene, style: &Style) -> Vec<Column> {
    let own_title = shared(scene, |p| &p.y).is_none();
    let mut columns: Vec<Column> = Vec::new();
    for index in 0..scene.columns.max(1) {
        let panels: Vec<&Panel> = scene.rows().filter_map(|row| row.get(index)).collect();
        // Names right of a panel that takes the whole row stand right of the last column.
        let ends =
            scene.rows().filter_map(|row| if row[0].whole_row { (index + 1 == scene.columns.max(1)).then_some(&row[0]) } else { row.get(index) });
        // Values stand at the first column alone, where the rest of the row has the same axis.
        let repeats = index > 0
            && scene.rows().all(|row| row.get(index).is_none_or(|p| p.absent.is_some() || (p.y.ticks == row[0].y.ticks && p.y.max == row[0].y.max)));
        let widest = |texts: Vec<&str>, size: f64| texts.into_iter().map(|t| width(t, size, false)).fold(0.0, f64::max);
        let ticks = widest(panels.iter().flat_map(|p| &p.y.ticks).map(|t| t.label.as_str()).collect(), style.font);
        let references = ends.flat_map(|p| &p.references).filter(|r| r.along == Along::Y);
        let labels = widest(references.map(|r| r.label.as_str()).collect(), style.small + 0.6);
        columns.push(Column {
            y_title: if own_title && panels.iter().any(|p| !p.y.title.is_empty()) { style.font * 1.4 + 2.0 } else { 0.0 },
            ticks: if repeats || ticks == 0.0 { 0.0 } else { ticks + 6.0 },
            labels: if labels > 0.0 { labels + 5.0 } else { 0.0 },
            y_ticks: !repeats,
        });
    }
    columns
}

/// Air between two entries of the legend.
const APART: f64 = 14.0;

/// Puts the legend at the top, in centred lines of about as many entries; the height it takes.
fn legend<'a>(page: &mut Layout<'a>, scene: &'a Scene, style: &Style, room: f64) -> f64 {
    let entries: Vec<(&str, Look, f64)> =
        scene.legend().into_iter().map(|(label, look)| (label, look, sample(look) + 4.0 + width(label, style.font, false))).collect();
    if entries.is_empty() {
        return 0.0;
    }
    let length = |line: &[(&str, Look, f64)]| line.iter().map(|e| e.2 + APART).sum::<f64>() - APART;
    let fits = |a_line: &usize| entries.chunks(*a_line).all(|line| length(line) <= room);
    let lines = (1..=entries.len()).find(|lines| fits(&entries.len().div_ceil(*lines))).unwrap_or(entries.len());
    let height = style.font * 1.5;
    for (number, line) in entries.chunks(entries.len().div_ceil(lines)).enumerate() {
        let mut x = MARGIN + (room - length(line)) / 2.0;
        for (label, look, wide) in line {
            page.legend.push((label, *look, (x, MARGIN + height * (number as f64 + 0.5))));
            x += wide + APART;
        }
    }
    height * lines as f64 + 3.0
}

/// Places a row of panels whose top left corner is `at`; where the next row begins.
fn place_row(page: &mut Layout, row: &[Panel], columns: &[Column], at: Place, frame: Place, style: &Style, shared_x: bool) -> f64 {
    let line = style.font * 1.4;
    let has_title = row.iter().any(|p| !p.title.is_empty());
    let over = |p: &Panel| !p.spans.is_empty() || p.references.iter().any(|r| r.along == Along::X && !r.label.is_empty());
    let title = if has_title { line } else { 0.0 };
    let spans = if row.iter().any(over) { line } else { 0.0 };
    let height = frame.1 * row.iter().map(|p| p.stretch).fold(0.0, f64::max);
    let top = at.1 + title + spans + 2.0;
    // Pictures have no values at their axes.
    let ticks = if row.iter().any(|p| !p.x.ticks.is_empty()) { line } else { 0.0 };
    let mut x = at.0;
    for (panel, column) in row.iter().zip(columns) {
        let left = x + column.y_title + column.ticks;
        let whole = columns.iter().skip(1).map(|c| GAP + c.y_title + c.ticks + frame.0).sum::<f64>();
        let inner: f64 = columns.iter().rev().skip(1).map(|c| c.labels).sum();
        let width = if panel.whole_row { frame.0 + whole + inner } else { frame.0 };
        let rect = Rect { x: left, y: top, width, height };
        let under = top + height + ticks + 2.0;
        page.frames.push(Frame {
            rect,
            title: at.1 + title / 2.0,
            spans: at.1 + title + spans / 2.0,
            y_ticks: column.y_ticks,
            x_title: (!shared_x).then_some(under + line / 2.0),
            y_title: (column.y_title > 0.0).then_some(x + column.y_title / 2.0),
        });
        x = left + frame.0 + column.labels + GAP;
    }
    top + height + ticks + if shared_x { 2.0 } else { line + 3.0 } + GAP
}

fn middle(frames: &[Frame], top: f64, bottom: f64) -> f64 {
    match (frames.first(), frames.last()) {
        (Some(first), Some(last)) => (first.rect.y + last.rect.bottom()) / 2.0,
        _ => (top + bottom) / 2.0,
    }
}

fn centre(frames: &[Frame], otherwise: f64) -> f64 {
    let left = frames.iter().map(|f| f.rect.x).fold(f64::INFINITY, f64::min);
    let right = frames.iter().map(|f| f.rect.right()).fold(f64::NEG_INFINITY, f64::max);
    if left < right { (left + right) / 2.0 } else { otherwise }
}

/// Caption and notes from `at` downwards; where they end.
fn small_print(page: &mut Layout, scene: &Scene, style: &Style, at: Place, room: f64) -> f64 {
    let mut y = at.1;
    let name = if scene.name.is_empty() { String::new() } else { format!("{}:", scene.name) };
    let indent = if name.is_empty() { 0.0 } else { width(&name, style.font, true) + 4.0 };
    if !name.is_empty() {
        page.name = Some((name, (at.0, y)));
    }
    if !scene.caption.is_empty() {
        for (i, text) in wrap(&scene.caption, style.font, room, indent).into_iter().enumerate() {
            page.caption.push((text, (at.0 + if i == 0 { indent } else { 0.0 }, y)));
            y += style.font * 1.35;
        }
        y += 1.5;
    }
    for note in &scene.footnotes {
        for text in wrap(note, style.small, room, 0.0) {
            page.notes.push((text, (at.0, y)));
            y += style.small * 1.35;
        }
        y += 1.0;
    }
    y - style.small
}
