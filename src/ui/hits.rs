//! Where on the screen the mouse finds what: noted while drawing.

use crate::app::Action;
use ratatui::layout::{Position, Rect};

/// What a place on the screen means.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A click carries these out.
    Do(Vec<Action>),
    /// The learning-rate chart with its handles.
    Rates(Scale),
}

/// The upright axis of the learning-rate chart as it was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// The plot.
    pub area: Rect,
    /// Lowest and highest rate.
    pub bounds: (f64, f64),
    /// Whether it is logarithmic.
    pub log: bool,
    /// Path and row of each handle.
    pub handles: Vec<(&'static str, u16)>,
}

impl Scale {
    /// The share of the height at which `rate` stands, from 0 at the bottom to 1.
    pub fn height(&self, rate: f64) -> f64 {
        let (low, high) = self.bounds;
        let share = if self.log { (rate.max(1e-12) / low).ln() / (high / low).ln() } else { (rate - low) / (high - low) };
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The row in which `rate` stands.
    pub fn row(&self, rate: f64) -> u16 {
        let rows = f64::from(self.area.height.max(1));
        let from_top = ((1.0 - self.height(rate)) * rows).floor().min(rows - 1.0);
        self.area.y + from_top as u16
    }

    /// The rate in the middle of `row`.
    pub fn rate(&self, row: u16) -> f64 {
        let rows = f64::from(self.area.height.max(1));
        let share = (1.0 - (f64::from(row) - f64::from(self.area.y) + 0.5) / rows).clamp(0.0, 1.0);
        let (low, high) = self.bounds;
        if self.log { low * (high / low).powf(share) } else { low + (high - low) * share }
    }

    /// The handle nearest to `row`.
    pub fn nearest(&self, row: u16) -> Option<&'static str> {
        self.handles.iter().min_by_key(|(_, at)| at.abs_diff(row)).map(|(path, _)| *path)
    }
}

/// Every noted place, the last on top.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hits(Vec<(Rect, Target)>);

impl Hits {
    /// Notes a place.
    pub fn push(&mut self, area: Rect, target: Target) {
        self.0.push((area, target));
    }

    /// Forgets everything: a new frame is drawn.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What lies at a place.
    pub fn at(&self, column: u16, row: u16) -> Option<&Target> {
        self.0.iter().rev().find(|(area, _)| area.contains(Position::new(column, row))).map(|(_, target)| target)
    }
}
