//! Axes: where a value stands.

use super::ticks::{self, Tick};

/// The smallest value that a logarithmic axis tells apart from nothing.
const NOTHING: f64 = 1e-12;

/// An axis in data units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Quantity and unit, for instance `epoch`.
    pub title: String,
    /// Value at the left or the bottom.
    pub min: f64,
    /// Value at the right or the top.
    pub max: f64,
    /// Where values are written.
    pub ticks: Vec<Tick>,
    /// How values are spread.
    pub scale: Scale,
}

/// How values are spread along an axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm.
    Log,
    /// Evenly within each of some pieces, in their order.
    Pieces(Vec<Piece>),
}

/// A piece of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// First and last value.
    pub values: (f64, f64),
    /// Where they stand, as shares of the axis.
    pub shares: (f64, f64),
}

impl Piece {
    fn position(&self, value: f64) -> f64 {
        self.shares.0 + (self.shares.1 - self.shares.0) * share(value, self.values)
    }
}

/// How far `value` is on the way from the first to the second.
fn share(value: f64, (from, to): (f64, f64)) -> f64 {
    if to > from { (value - from) / (to - from) } else { 0.5 }
}

/// Share of the narrowest panel's width that a digit of a label takes, with its part of the gap to the next label.
const DIGIT: f64 = 0.034;

impl Axis {
    /// An axis from `min` to `max` with about `count` ticks at round values, and `margin` (a share of the length) of
    /// air beyond either end, so that a curve along the end is seen whole.
    pub fn linear(title: &str, min: f64, max: f64, count: usize, margin: f64) -> Self {
        let (min, max) = ticks::bounds(min, max);
        let air = (max - min) * margin;
        Self { title: title.to_owned(), min: min - air, max: max + air, ticks: ticks::linear(min, max, count), ..Self::default() }
    }

    /// The same over what is counted, as epochs are: ticks at whole numbers alone, from a whole `min` on.
    pub fn counted(title: &str, min: f64, max: f64, count: usize, margin: f64) -> Self {
        let (min, max) = ticks::bounds(min, max);
        let steps = (max - min).clamp(1.0, count as f64) as usize;
        Self::linear(title, min, max, steps, margin)
    }

    /// An axis over a few `values`, in order, with a tick at each where their labels have room side by side, else as
    /// [`Self::linear`].
    pub fn over(title: &str, values: &[f64], count: usize, margin: f64) -> Self {
        let (low, high) = (values.first().copied().unwrap_or_default(), values.last().copied().unwrap_or_default());
        let axis = Self::linear(title, low, high, count, margin);
        let own: Vec<Tick> = values.iter().map(|&value| Tick { value, label: ticks::number(value) }).collect();
        let digits = |tick: &Tick| tick.label.chars().count() as f64;
        let room = |pair: &[Tick]| pair[1].value - pair[0].value >= (high - low) * DIGIT * (digits(&pair[0]) + digits(&pair[1])) / 2.0;
        if (1..=count).contains(&own.len()) && own.windows(2).all(room) { Self { ticks: own, ..axis } } else { axis }
    }

    /// A logarithmic axis without ticks.
    pub fn log(title: &str, min: f64, max: f64) -> Self {
        Self { title: title.to_owned(), min, max, scale: Scale::Log, ..Self::default() }
    }

    /// Where `value` lies: 0 at the start of the axis, 1 at its end.
    pub fn position(&self, value: f64) -> f64 {
        let ends = (self.min, self.max);
        match &self.scale {
            Scale::Linear => share(value, ends),
            Scale::Log => share(log(value), (log(self.min), log(self.max))),
            Scale::Pieces(pieces) => {
                let piece = pieces.iter().find(|piece| value <= piece.values.1).or(pieces.last());
                piece.map_or_else(|| share(value, ends), |piece| piece.position(value))
            }
        }
    }

    /// The value at a share of an axis in one piece.
    pub fn value(&self, share: f64) -> f64 {
        match self.scale {
            Scale::Log => (log(self.min) + share * (log(self.max) - log(self.min))).exp(),
            Scale::Linear | Scale::Pieces(_) => self.min + share * (self.max - self.min),
        }
    }
}

/// A logarithm that zero, too, has; what is no number stays none.
fn log(value: f64) -> f64 {
    if value < NOTHING { NOTHING.ln() } else { value.ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_over_few_values_is_labelled_at_them() {
        let labels = |values: &[f64]| Axis::over("", values, 6, 0.05).ticks.into_iter().map(|tick| tick.label).collect::<Vec<_>>();
        assert_eq!(labels(&[0.1, 0.2, 0.5, 1.0]), ["0.1", "0.2", "0.5", "1"]);
        assert_eq!(labels(&[8.0, 31.0, 126.0, 252.0]), ["8", "31", "126", "252"]);
        // Too close side by side, too many, one alone, and none.
        assert_eq!(labels(&[0.1, 0.15, 1.0]), ["0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), ["1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(labels(&[0.1]), ["0.1"]);
        assert!(!labels(&[]).is_empty());
    }

    #[test]
    fn what_is_counted_has_no_halves() {
        let labels = |from: f64, to: f64| Axis::counted("", from, to, 7, 0.02).ticks.into_iter().map(|tick| tick.label).collect::<Vec<_>>();
        assert_eq!(labels(1.0, 4.0), ["1", "2", "3", "4"]);
        assert_eq!(labels(0.0, 1.0), ["0", "1"]);
        assert_eq!(labels(0.0, 14.0), ["0", "2", "4", "6", "8", "10", "12", "14"]);
        assert_eq!(labels(3.0, 3.0), ["3", "4", "5", "6"]);
    }

    #[test]
    fn a_logarithmic_axis_has_decades_of_one_length() {
        let axis = Axis::log("", 1e-4, 1.0);
        for (value, share) in [(1e-4, 0.0), (1e-2, 0.5), (1.0, 1.0)] {
            assert!((axis.position(value) - share).abs() < 1e-9 && (axis.value(share) / value - 1.0).abs() < 1e-9);
        }
        assert!(axis.position(0.0) < 0.0 && axis.position(f64::NAN).is_nan());
    }

    #[test]
    fn pieces_join() {
        let pieces = vec![Piece { values: (0.0, 20.0), shares: (0.0, 0.25) }, Piece { values: (20.0, 34.0), shares: (0.25, 1.0) }];
        let axis = Axis { max: 34.0, scale: Scale::Pieces(pieces), ..Axis::default() };
        for (value, share) in [(0.0, 0.0), (10.0, 0.125), (20.0, 0.25), (27.0, 0.625), (34.0, 1.0)] {
            assert!((axis.position(value) - share).abs() < 1e-9, "{value}");
        }
    }
}
