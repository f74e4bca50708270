//! Where on the screen the mouse finds what: noted while drawing.

use crate::app::Action;
use crate::figure::scene::Axis;
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
    /// Its axis.
    pub axis: Axis,
    /// Path and row of each handle.
    pub handles: Vec<(&'static str, u16)>,
}

impl Scale {
    /// The rate in the middle of `row`.
    pub fn rate(&self, row: u16) -> f64 {
        let rows = f64::from(self.area.height.max(1));
        let share = (1.0 - (f64::from(row) - f64::from(self.area.y) + 0.5) / rows).clamp(0.0, 1.0);
        self.axis.value(share)
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
