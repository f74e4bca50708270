//! What a figure consists of, whatever it is drawn with: the terminal, SVG, PNG and CSV all read one [`Scene`].
//!
//! A scatter is a series without a line, a histogram one with bars ([`Look::bar`]), a category an axis whose ticks are
//! words: later kinds of figures add to this page and leave what reads it alone.

pub use super::axis::{Axis, Piece, Scale};
pub use super::look::{Colour, Dash, Look, Marker, Role};
pub use super::picture::{Origin, Picture};

/// A whole figure: panels in rows and columns, one legend, a caption and notes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The figure's name, for instance `Figure 4`; empty where it has none.
    pub name: String,
    /// What it shows, under the panels.
    pub caption: String,
    /// Settings, seeds, devices and whatever a reader must not miss.
    pub footnotes: Vec<String>,
    /// Panels in a row.
    pub columns: usize,
    /// Row by row.
    pub panels: Vec<Panel>,
    /// Width and height of a panel's frame, in points of 1/72 inch.
    pub frame: (f64, f64),
}

/// One pair of axes with what is drawn between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// What stands over it, for instance `BadNets, CIFAR-10`.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, the last on top.
    pub series: Vec<Series>,
    /// Lines across the panel at one value.
    pub references: Vec<Reference>,
    /// Stretches of the horizontal axis with a name, over the frame.
    pub spans: Vec<Span>,
    /// A picture in place of axes and curves.
    pub picture: Option<Picture>,
    /// Why there is nothing, where there is nothing; line ends are kept.
    pub absent: Option<String>,
    /// Whether every point carries its series' mark, rather than about eight of each series.
    pub all_marks: bool,
    /// Height of the frame as a multiple of [`Scene::frame`]'s.
    pub stretch: f64,
    /// Whether it has a row to itself, as wide as all columns.
    pub whole_row: bool,
    /// Whether it is best to be in the lower right corner, which is shaded then.
    pub best_corner: bool,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Entry in the legend; series of several panels with the same label share one entry.
    pub label: String,
    /// How it is drawn.
    pub look: Look,
    /// From left to right; NaN in `y` is a gap.
    pub points: Vec<Point>,
}

/// One point, with what it was computed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Horizontal value.
    pub x: f64,
    /// Vertical value; NaN is a gap.
    pub y: f64,
    /// Lower and upper end of the band there.
    pub band: Option<(f64, f64)>,
    /// The measured values behind `y`; empty where it follows from settings alone.
    pub sources: Vec<Source>,
    /// Words over it; empty at most points.
    pub label: String,
    /// Ends of a thin bar across, for instance a deviation.
    pub across: Option<(f64, f64)>,
    /// Ends of a thin bar upright.
    pub upright: Option<(f64, f64)>,
    /// Whether it belongs to the line alone, and carries no mark.
    pub bare: bool,
    /// Whether `y` is a median, and the band the quartiles.
    pub median: bool,
}

/// A measured value and where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// Run directory.
    pub run: String,
    /// The run's seed.
    pub seed: u64,
    /// Epochs done.
    pub epoch: f64,
    /// The value.
    pub value: f64,
    /// Where it lies across, where that was measured too; none: where its point does.
    pub across: Option<f64>,
}

impl Point {
    /// A point that follows from settings.
    pub fn computed(x: f64, y: f64) -> Self {
        Self { x, y, ..Self::default() }
    }

    /// The values behind a median with their places: side by side over most of a box's width, so that none hides another.
    pub fn values(&self, wide: f64) -> impl Iterator<Item = (f64, f64)> {
        let n = self.sources.len() as f64;
        let place = move |i: usize| self.x + ((i as f64 + 0.5) / n - 0.5) * wide * 0.8;
        self.sources.iter().enumerate().map(move |(i, source)| (place(i), source.value))
    }

    /// A point read off one log.
    pub fn measured(x: f64, source: Source) -> Self {
        Self { x, y: source.value, sources: vec![source], ..Self::default() }
    }
}

/// A line across a panel at one value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// The axis that `value` belongs to: a value of `Y` draws a horizontal line.
    pub along: Along,
    /// Where it stands, in data units.
    pub value: f64,
    /// What it stands for.
    pub kind: Kind,
    /// Its name: right of the frame for a horizontal line, over the frame for a vertical one.
    pub label: String,
    /// The name in full, for the terminal, where it stands beside the line itself; empty where `label` is all there is.
    pub words: String,
    /// Where a horizontal line begins, in data units; none: at the start of the axis.
    pub from: Option<f64>,
    /// Whether it stands out among its like.
    pub strong: bool,
}

impl Reference {
    /// A line of some kind.
    pub fn new(kind: Kind, along: Along, value: f64, label: impl Into<String>) -> Self {
        Self { kind, along, value, label: label.into(), ..Self::default() }
    }

    /// The name in full.
    pub fn name(&self) -> &str {
        if self.words.is_empty() { &self.label } else { &self.words }
    }
}

/// What a line across stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A value to compare with.
    #[default]
    Value,
    /// A change by hand while the run went on.
    Change,
    /// Where the clean-up begins.
    Stage,
    /// Where the schedule's second phase begins.
    Phase,
    /// A value that can be turned.
    Handle,
    /// Where a defense draws the line: over the data.
    Threshold,
}

/// An axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Along {
    /// The horizontal one.
    #[default]
    X,
    /// The vertical one.
    Y,
}

/// A named stretch of the horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its start, in data units.
    pub from: f64,
    /// Its end, in data units.
    pub to: f64,
    /// Its name.
    pub label: String,
}

impl Scene {
    /// Label and look of each series, once, in the order in which they first appear.
    pub fn legend(&self) -> Vec<(&str, Look)> {
        let mut entries: Vec<(&str, Look)> = Vec::new();
        // What others reported is explained in a note: its marks are those of what was measured, hollow.
        // Boxes are named under the axis.
        let boxes = |series: &Series| series.points.iter().any(|point| point.median);
        let named = |series: &&Series| !series.label.is_empty() && series.look.role != Role::Reported && !boxes(series);
        for series in self.panels.iter().flat_map(|p| &p.series).filter(named) {
            if entries.iter().all(|(label, _)| *label != series.label) {
                entries.push((&series.label, series.look));
            }
        }
        entries
    }

    /// Panels in rows.
    pub fn rows(&self) -> impl Iterator<Item = &[Panel]> {
        self.in_rows(self.columns)
    }

    /// Panels in rows of at most `columns`; one with a row to itself stands alone.
    pub fn in_rows(&self, columns: usize) -> impl Iterator<Item = &[Panel]> {
        self.panels.chunk_by(|a, b| !a.whole_row && !b.whole_row).flat_map(move |row| row.chunks(columns.max(1)))
    }
}

/// A mark to be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark<'a> {
    /// Its shape.
    pub marker: Marker,
    /// Its series' look.
    pub look: Look,
    /// Where it stands.
    pub point: &'a Point,
    /// Marks of one turn may share a place, and then take turns at being seen.
    pub turn: usize,
}

impl Panel {
    /// Points that carry their series' mark. Unless all do: of many points about eight, and those of different series
    /// stand at different places, so that no mark hides another.
    pub fn marks(&self) -> Vec<Mark<'_>> {
        let unbarred = self.series.iter().filter(|s| s.look.bar.is_none());
        let marked: Vec<(Marker, &Series)> = unbarred.filter_map(|s| Some((s.look.marker?, s))).collect();
        let mut marks = Vec::new();
        for (order, (marker, series)) in marked.iter().enumerate() {
            let every = if self.all_marks { 1 } else { series.points.len().div_ceil(9).max(1) };
            let first = order * every / marked.len() % every;
            for (place, point) in series.points.iter().enumerate().skip(first).step_by(every).filter(|(_, point)| !point.bare) {
                let turn = if self.all_marks { place } else { marks.len() };
                marks.push(Mark { marker: *marker, look: series.look, point, turn });
            }
        }
        marks.sort_by_key(|mark| mark.turn);
        marks
    }

    /// The marks as a print lays them, the lowest first. Where it is best to be in a corner many meet there, and the
    /// first series, which a figure is about, has to be seen among them; what others reported stays behind.
    pub fn stack(&self) -> Vec<Mark<'_>> {
        let mut marks = self.marks();
        if self.best_corner {
            marks.reverse();
            marks.sort_by_key(|mark| mark.look.role != Role::Reported);
        }
        marks
    }

    /// Where a series' line runs, as shares of both axes. Between two points it is straight in data units, so on a
    /// logarithmic axis it bends: there it is followed in steps of a `columns`th.
    pub fn path(&self, series: &Series, columns: usize) -> Vec<(f64, f64)> {
        let place = |x: f64, y: f64| (self.x.position(x), self.y.position(y));
        if self.y.scale != Scale::Log {
            return series.points.iter().map(|p| place(p.x, p.y)).collect();
        }
        let mut path: Vec<(f64, f64)> = series.points.first().map(|p| place(p.x, p.y)).into_iter().collect();
        for pair in series.points.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            let wide = (self.x.position(b.x) - self.x.position(a.x)).abs();
            let steps = (wide * columns as f64).ceil().clamp(1.0, columns.max(1) as f64) as usize;
            let share = |k: usize| k as f64 / steps as f64;
            path.extend((1..=steps).map(|k| place(a.x + share(k) * (b.x - a.x), a.y + share(k) * (b.y - a.y))));
        }
        path
    }
}
