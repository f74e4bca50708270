//! What there is to see of a run while it goes on, as panels: accuracies over epochs, and the learning rate. The screen
//! shows them ([`Medium::Cells`]) and its export prints them ([`Medium::Page`]), so the two cannot disagree.

use super::notes;
use super::preset::Measure;
use super::rates::{Course, Handle};
use super::scene::{Along, Axis, Colour, Dash, Kind, Look, Marker, Panel, Piece, Point, Reference, Role, Scale, Series, Source, Span};
use super::ticks::{Tick, rate};
use crate::run::view::{Mark, Point as Seen, RunView};
use crate::spec::Stage;

/// What is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Paper: values of the whole test set are joined, those of the subset a thin line beside; letters stand for
    /// changes under way, and a note explains them.
    Page,
    /// This many columns and rows of a terminal: every epoch has its mark, and the line is that of the subset alone.
    Cells(u16, u16),
}

/// A computation and its stretch of the epoch axis.
#[derive(Clone, Debug)]
pub struct Leg<'a> {
    /// Which.
    pub stage: Stage,
    /// What it uses, for instance `badnets`.
    pub name: &'a str,
    /// Its log.
    pub view: &'a RunView,
    /// Its learning rates.
    pub course: Course<'a>,
    /// Where the stretch ends, as a share of the axis.
    pub end: f64,
}

impl Leg<'_> {
    fn epochs(&self) -> f64 {
        self.course.pace.epochs().max(1) as f64
    }

    /// The phases that have names, each with its stretch of the axis.
    fn stretches(&self, start: f64) -> Vec<Span> {
        let mut from = start;
        let phases = self.course.pace.phases().iter().map(|phase| {
            let span = Span { from, to: from + phase.epochs as f64, label: phase.name.clone() };
            from = span.to;
            span
        });
        phases.filter(|span| !span.label.is_empty()).collect()
    }
}

/// A run that is watched.
#[derive(Clone, Debug)]
pub struct Watch<'a> {
    /// What is shown of it, from the left.
    pub legs: Vec<Leg<'a>>,
    /// A clean-up of the same model to compare with.
    pub before: Option<&'a RunView>,
    /// Rates that can be turned.
    pub handles: Vec<Handle>,
    /// The learning rate of the step done last, with its stage and epoch, while the run goes on.
    pub now: Option<(Stage, f64, f64)>,
    /// Whether rates stand on a logarithmic axis.
    pub log: bool,
    /// What it is drawn on.
    pub medium: Medium,
}

/// Columns of a page: what numbers along the axis have room on.
const PAGE: f64 = 45.0;
/// Columns that a number along the axis takes.
const NUMBER: f64 = 5.0;
/// Rows from which quarters are written, not halves.
const QUARTERS: u16 = 10;

const RATIOS: [Curve; 2] = [
    Curve { name: "CA", of: Measure::Ca, role: Role::Ca, colour: Colour::Blue, marker: Marker::Triangle, dash: Dash::Solid },
    Curve { name: "ASR", of: Measure::Asr, role: Role::Asr, colour: Colour::Vermillion, marker: Marker::Circle, dash: Dash::DashDot },
];

/// One of the accuracies.
struct Curve {
    name: &'static str,
    of: Measure,
    role: Role,
    colour: Colour,
    marker: Marker,
    dash: Dash,
}

impl Watch<'_> {
    fn on_page(&self) -> bool {
        self.medium == Medium::Page
    }

    /// Legs, each with its stage's first epoch on the axis and the share at which it begins.
    fn placed(&self) -> impl Iterator<Item = (&Leg<'_>, f64, f64)> {
        let mut at = (0.0, 0.0);
        self.legs.iter().map(move |leg| {
            let (epoch, share) = at;
            at = (epoch + leg.epochs(), leg.end);
            (leg, epoch, share)
        })
    }

    /// The leg of `stage`, and its first epoch on the axis.
    fn leg(&self, stage: Stage) -> Option<(&Leg<'_>, f64)> {
        self.placed().find(|(leg, ..)| leg.stage == stage).map(|(leg, start, _)| (leg, start))
    }

    /// The epoch axis: each leg counts from 0.
    fn epochs(&self) -> Axis {
        let end: f64 = self.legs.iter().map(Leg::epochs).sum();
        let air = if self.on_page() { end * 0.015 } else { 0.0 };
        let pieces = self.placed().map(|(leg, start, share)| Piece { values: (start, start + leg.epochs()), shares: (share, leg.end) });
        let scale = if self.legs.len() > 1 { Scale::Pieces(pieces.collect()) } else { Scale::Linear };
        let ticks = self.placed().flat_map(|(leg, start, share)| self.numbers(leg, start, share)).collect();
        Axis { title: "epoch".to_owned(), min: -air, max: end + air, ticks, scale }
    }

    /// Round epochs, as many as have room.
    fn numbers(&self, leg: &Leg, start: f64, share: f64) -> Vec<Tick> {
        let (epochs, columns) = (leg.epochs(), if let Medium::Cells(columns, _) = self.medium { f64::from(columns) } else { PAGE });
        let room = (leg.end - share) * columns;
        let round = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
        let step = round.into_iter().find(|step| step / epochs * room >= NUMBER).unwrap_or(epochs).min(epochs);
        let first = u32::from(start > 0.0);
        let values = (first..).map(|k| f64::from(k) * step).take_while(|epoch| *epoch <= epochs);
        values.map(|epoch| Tick { value: start + epoch, label: format!("{epoch}") }).collect()
    }

    /// CA and ASR: on the whole test set after each epoch, with marks; on the fixed subset within epochs, as a line.
    pub fn accuracies(&self) -> Panel {
        let mut series: Vec<Series> = self.before().into_iter().collect();
        for (leg, start, _) in self.placed() {
            series.extend(RATIOS.iter().map(|curve| self.whole(leg, start, curve)));
            series.extend(RATIOS.iter().map(|curve| self.subset(leg, start, curve)));
        }
        series.retain(|s| !s.points.is_empty());
        let references = self.border().into_iter().chain(self.phases()).chain(self.changes()).collect();
        let (x, y, spans) = (self.epochs(), self.shares(), self.names());
        Panel { x, y, series, references, spans, all_marks: !self.on_page(), stretch: 1.0, ..Panel::default() }
    }

    fn shares(&self) -> Axis {
        let axis = Axis::linear("share of test images", 0.0, 1.0, 5, 0.04);
        let Medium::Cells(_, rows) = self.medium else { return axis };
        let values: &[f64] = if rows >= QUARTERS { &[0.0, 0.25, 0.5, 0.75, 1.0] } else { &[0.0, 0.5, 1.0] };
        let ticks = values.iter().map(|share| Tick { value: *share, label: format!("{:.0}%", share * 100.0) });
        Axis { ticks: ticks.collect(), ..axis }
    }

    fn whole(&self, leg: &Leg, start: f64, curve: &Curve) -> Series {
        let joined = self.on_page() || leg.view.probes.is_empty();
        let dash = if self.on_page() { curve.dash } else { Dash::Solid };
        let look =
            Look { role: curve.role, colour: curve.colour, marker: Some(curve.marker), dash: joined.then_some(dash), width: 1.3, ..Look::default() };
        let points = measured(leg.view, &leg.view.epochs, start, |p| curve.of.of(&p.measures));
        Series { label: curve.name.to_owned(), look, points }
    }

    fn subset(&self, leg: &Leg, start: f64, curve: &Curve) -> Series {
        let look = Look { role: curve.role, colour: curve.colour, marker: None, dash: Some(Dash::Solid), width: 0.5, ..Look::default() };
        let seen = if self.on_page() { leg.view.probes.clone() } else { within(leg.view) };
        let points = measured(leg.view, &seen, start, |p| curve.of.of(&p.measures));
        Series { label: format!("{}, subset", curve.name), look, points }
    }

    /// The ASR of the clean-up before.
    fn before(&self) -> Option<Series> {
        let (run, (leg, start)) = (self.before?, self.leg(Stage::Defense)?);
        let mut seen = if run.probes.is_empty() { run.epochs.clone() } else { within(run) };
        seen.retain(|p| p.epoch <= leg.epochs());
        let look = Look { role: Role::Before, colour: Colour::Grey, marker: None, dash: Some(Dash::Solid), width: 0.9, ..Look::default() };
        let points = measured(run, &seen, start, |p| p.measures.asr);
        Some(Series { label: format!("ASR before: {}", run.facts.defense), look, points })
    }

    /// Names of the legs, where there is no caption to say it.
    fn names(&self) -> Vec<Span> {
        let what = |stage| match stage {
            Stage::Pretrain => "before",
            Stage::Attack | Stage::Reinjection => "attack",
            Stage::Defense => "clean-up",
        };
        let span = |leg: &Leg, start: f64| Span { from: start, to: start + leg.epochs(), label: format!("{}: {}", what(leg.stage), leg.name) };
        let whole = |leg: &Leg, start: f64| if self.on_page() { Vec::new() } else { vec![span(leg, start)] };
        let named = self.placed().map(|(leg, start, _)| if leg.stretches(start).len() > 1 { leg.stretches(start) } else { whole(leg, start) });
        named.flatten().collect()
    }

    /// Where each phase but the first begins.
    fn phases(&self) -> Vec<Reference> {
        let begins = self.placed().flat_map(|(leg, start, _)| leg.stretches(start).into_iter().skip(1));
        begins.map(|span| Reference::new(Kind::Phase, Along::X, span.from, "")).collect()
    }

    /// Where the clean-up begins.
    fn border(&self) -> Option<Reference> {
        let (_, start) = self.leg(Stage::Defense).filter(|(_, start)| *start > 0.0)?;
        Some(Reference::new(Kind::Stage, Along::X, start, ""))
    }

    /// What was changed by hand under way.
    fn changes(&self) -> Vec<Reference> {
        let marks = self.placed().flat_map(|(leg, start, _)| leg.view.marks.iter().enumerate().map(move |(i, mark)| (i, mark, start)));
        let line = |(i, mark, start): (usize, &Mark, f64)| Reference {
            words: change(mark),
            ..Reference::new(Kind::Change, Along::X, start + mark.epoch, notes::letter(i))
        };
        marks.map(line).collect()
    }

    /// The learning rate that was, exactly where settings and changes agree with the log, else as logged; and the one
    /// to come.
    pub fn rates(&self) -> Panel {
        let mut series: Vec<Series> = self.placed().flat_map(|(leg, start, _)| [past(leg, start), to_come(leg, start)]).collect();
        series.extend(self.place_of_now());
        series.retain(|s| !s.points.is_empty());
        let changes = self.changes().into_iter().map(|line| Reference { label: String::new(), words: String::new(), ..line });
        let border = self.border().into_iter().chain(self.phases());
        let references = border.chain(changes).chain(self.second_phase()).chain(self.handle_lines()).collect();
        let y = self.rate_axis(&series);
        // On the screen the names stand over the chart above.
        let spans = if self.on_page() { self.names() } else { Vec::new() };
        Panel { x: self.epochs(), y, series, references, spans, all_marks: !self.on_page(), stretch: 0.55, ..Panel::default() }
    }

    fn place_of_now(&self) -> Option<Series> {
        let (stage, epoch, lr) = self.now?;
        let (_, start) = self.leg(stage)?;
        let look = Look { role: Role::Now, marker: Some(Marker::Diamond), ..Look::default() };
        Some(Series { label: String::new(), look, points: vec![Point::computed(start + epoch, lr)] })
    }

    fn second_phase(&self) -> Option<Reference> {
        let (leg, start) = self.leg(Stage::Defense)?;
        Some(Reference::new(Kind::Phase, Along::X, start + leg.course.second_phase()?, "phase 2"))
    }

    fn handle_lines(&self) -> Vec<Reference> {
        // Where the clean-up is not shown there is a name, but no line.
        let from = self.leg(Stage::Defense).map_or(f64::INFINITY, |(_, start)| start);
        let line = |handle: &Handle| Reference {
            words: format!("{} {}", handle.label, rate(handle.rate)),
            from: Some(from),
            ..Reference::new(Kind::Handle, Along::Y, handle.rate, beside(handle))
        };
        self.handles.iter().map(line).collect()
    }

    /// From nothing to a little over the highest rate; or whole halves of decades around all rates but those that an
    /// attack runs out with.
    fn rate_axis(&self, series: &[Series]) -> Axis {
        const TITLE: &str = "learning rate";
        let handles = self.handles.iter().map(|h| h.rate);
        let tops = series.iter().map(|s| s.points.iter().map(|p| p.y).fold(0.0, f64::max));
        let top = handles.clone().chain(tops.clone()).fold(0.0, f64::max);
        if self.log && top > 0.0 {
            let logged = self.leg(Stage::Defense).into_iter().flat_map(|(leg, _)| leg.view.probes.iter().map(|p| p.lr));
            let low = handles.chain(tops).chain(logged).filter(|r| *r > 0.0).fold(top, f64::min);
            return Axis::log(TITLE, half_decade(low / 1.5, f64::floor), half_decade(top * 1.5, f64::ceil));
        }
        let top = if top > 0.0 { top * 1.15 } else { 1.0 };
        let axis = Axis::linear(TITLE, 0.0, top, 4, 0.0);
        if self.on_page() { axis } else { Axis { ticks: Vec::new(), ..axis } }
    }
}

fn half_decade(rate: f64, round: fn(f64) -> f64) -> f64 {
    10f64.powf(round(rate.log10() * 2.0) / 2.0)
}

/// The looks within epochs, with the state before the first step; nothing where there are none.
fn within(view: &RunView) -> Vec<Seen> {
    let first = view.epochs.first().filter(|_| !view.probes.is_empty());
    first.into_iter().chain(&view.probes).copied().collect()
}

fn measured(view: &RunView, points: &[Seen], start: f64, value: impl Fn(&Seen) -> f64) -> Vec<Point> {
    let source = |p: &Seen| Source { run: view.facts.id.clone(), seed: view.facts.seed, epoch: p.epoch, value: value(p), across: None };
    points.iter().map(|p| Point::measured(start + p.epoch, source(p))).collect()
}

fn past(leg: &Leg, start: f64) -> Series {
    let look = Look { role: Role::Rate, colour: Colour::Black, marker: None, dash: Some(Dash::Solid), width: 1.1, ..Look::default() };
    let points = if leg.course.history.explained() { in_epochs(leg.course.past(), leg, start) } else { logged(leg.view, start) };
    Series { label: "LR".to_owned(), look, points }
}

fn to_come(leg: &Leg, start: f64) -> Series {
    let look = Look { role: Role::ToCome, colour: Colour::Grey, marker: None, dash: Some(Dash::Dots), width: 0.9, ..Look::default() };
    Series { label: "LR to come".to_owned(), look, points: in_epochs(leg.course.to_come(), leg, start) }
}

/// Points over steps as points over epochs.
fn in_epochs(points: Vec<Point>, leg: &Leg, start: f64) -> Vec<Point> {
    points.into_iter().map(|p| Point { x: start + leg.course.pace.epoch(p.x), ..p }).collect()
}

/// The rates as they were logged.
fn logged(view: &RunView, start: f64) -> Vec<Point> {
    let mut seen: Vec<Seen> = view.epochs.iter().chain(&view.probes).copied().filter(|p| p.step > 0).collect();
    seen.sort_by_key(|p| p.step);
    seen.dedup_by_key(|p| p.step);
    measured(view, &seen, start, |p| p.lr)
}

/// A change in a few words: `MAX1 0.16`.
fn change(mark: &Mark) -> String {
    let short = match mark.path.as_str() {
        "defense.lr_max1" => "MAX1",
        "defense.lr_max2" => "MAX2",
        "defense.lr_base" => "BASE",
        "defense.lr" => "LR",
        "defense.phase1_epochs" => "phase 1",
        other => other.rsplit('.').next().unwrap_or(other),
    };
    let value = if mark.path.starts_with("defense.lr") { rate(mark.value) } else { format!("{}", mark.value) };
    format!("{short} {value}")
}

/// A handle's name where room is scarce: `M1 1.25e-3`.
fn beside(handle: &Handle) -> String {
    let (first, last) = (handle.label.chars().next(), handle.label.chars().last().filter(char::is_ascii_digit));
    format!("{} {}", first.into_iter().chain(last).collect::<String>(), rate(handle.rate))
}
