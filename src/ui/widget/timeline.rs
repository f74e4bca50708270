//! The epoch axis: where attack and clean-up lie, the same in both charts.

use crate::app::state::Span;
use crate::app::{State, rates::Course};
use crate::spec::Stage;

/// A stretch of the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Which computation.
    pub stage: Stage,
    /// Its epochs.
    pub epochs: f64,
    /// Where it starts, as a share of the axis.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

/// The axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline(Vec<Segment>);

/// Share of the axis that the attack gets while it is what one watches.
const ATTACK_WATCHED: f64 = 0.45;
/// Share of the axis that the attack keeps once the clean-up is what one watches.
const ATTACK_PAST: f64 = 0.24;

impl Timeline {
    /// The axis as the view is set and the run stands.
    pub fn of(state: &State) -> Self {
        let epochs = |stage| Course::of(state, stage).epochs.max(1) as f64;
        let segment = |stage, from, to| Segment { stage, epochs: epochs(stage), from, to };
        Self(match state.look.span {
            Span::Attack => vec![segment(Stage::Attack, 0.0, 1.0)],
            Span::Defense => vec![segment(Stage::Defense, 0.0, 1.0)],
            Span::Both => {
                let border = if state.defense.stage.is_some() { ATTACK_PAST } else { ATTACK_WATCHED };
                vec![segment(Stage::Attack, 0.0, border), segment(Stage::Defense, border, 1.0)]
            }
        })
    }

    /// The stretches, from the left.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The stretch of `stage`, where it is shown.
    pub fn segment(&self, stage: Stage) -> Option<Segment> {
        self.0.iter().find(|s| s.stage == stage).copied()
    }

    /// Where the end of `epoch` lies.
    pub fn x(&self, stage: Stage, epoch: f64) -> Option<f64> {
        self.segment(stage).map(|s| s.x(epoch))
    }
}

impl Segment {
    /// Where the end of `epoch` lies.
    pub fn x(&self, epoch: f64) -> f64 {
        self.from + (self.to - self.from) * (epoch / self.epochs).clamp(0.0, 1.0)
    }

    /// The epoch at a place.
    pub fn epoch(&self, x: f64) -> f64 {
        ((x - self.from) / (self.to - self.from)).clamp(0.0, 1.0) * self.epochs
    }
}
