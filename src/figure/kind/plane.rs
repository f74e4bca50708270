//! What defenses cost and what they bring: clean accuracy across, attack success rate upright (paper Figures 5, 12 and
//! 13; spec.md section 9). The lower right is best.
//!
//! The panels are made of plain outcomes, wherever these come from: a figure takes the logs of what was run, the screen
//! the runs that a user chose.

use crate::figure::scene::{Axis, Colour, Dash, Look, Panel, Point, Scene, Series, Source};
use crate::figure::ticks;
use crate::run::event::Measures;
use crate::run::view::RunView;
use crate::statistics::{Best, Better, Summary, best};

/// Clean accuracy and attack success rate of one run after some epoch, shares of 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Run directory.
    pub run: String,
    /// The run's seed.
    pub seed: u64,
    /// Epochs done.
    pub epoch: f64,
    /// Clean accuracy.
    pub ca: f64,
    /// Attack success rate.
    pub asr: f64,
}

impl Outcome {
    /// What the run called `run` measured after `epoch`.
    pub fn of(run: &str, seed: u64, epoch: f64, measures: &Measures) -> Self {
        Self { run: run.to_owned(), seed, epoch, ca: measures.ca, asr: measures.asr }
    }

    /// Where a run ended, or stands; `None` before its first measurement.
    pub fn last(run: &str, view: &RunView) -> Option<Self> {
        let epoch = view.epochs.last().map_or(0.0, |point| point.epoch);
        view.latest().map(|measures| Self::of(run, view.facts.seed, epoch, &measures))
    }

    /// A run's way, an outcome an epoch. Of an epoch that a crash made the run repeat, the last one counts.
    pub fn way(run: &str, view: &RunView) -> Vec<Self> {
        let mut way: Vec<Self> = Vec::new();
        for point in &view.epochs {
            way.retain(|outcome| outcome.epoch < point.epoch);
            way.push(Self::of(run, view.facts.seed, point.epoch, &point.measures));
        }
        way
    }
}

/// One point of the plane: a defense over its seeds, or a single run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// Entry in the legend.
    pub label: String,
    /// Its mark; the colour is the trail's too.
    pub look: Look,
    /// Outcomes of runs that differ in their seed alone. Their mean is the point; with two or more, their standard
    /// deviation is drawn as bars.
    pub outcomes: Vec<Outcome>,
    /// The way there: for each epoch the outcomes of the same runs. Empty: no trail.
    pub trail: Vec<Vec<Outcome>>,
}

impl Entry {
    /// The entry of `runs`, each with the name of its directory; with their way through the plane where `trail`.
    pub fn of<'a>(label: &str, look: Look, runs: impl IntoIterator<Item = (&'a str, &'a RunView)>, trail: bool) -> Self {
        let mut entry = Self { label: label.to_owned(), look, ..Self::default() };
        let mut ways: Vec<Vec<Outcome>> = Vec::new();
        for (run, view) in runs {
            entry.outcomes.extend(Outcome::last(run, view));
            ways.extend(trail.then(|| Outcome::way(run, view)));
        }
        // A mean is one over the same runs all the way.
        let shared = ways.iter().map(Vec::len).min().unwrap_or(0);
        entry.trail = (0..shared).map(|i| ways.iter().map(|way| way[i].clone()).collect()).collect();
        entry
    }

    /// The mean over its runs; `None` where there is none.
    fn mean(&self) -> Option<Mean<'_>> {
        Mean::of(&self.outcomes)
    }

    fn series(&self) -> Option<Series> {
        let mut end = self.mean()?.point();
        if self.outcomes.len() > 1 {
            let mean = self.mean()?;
            end.across = Some((mean.ca.0 - mean.ca.1, mean.ca.0 + mean.ca.1));
            end.upright = Some((mean.asr.0 - mean.asr.1, mean.asr.0 + mean.asr.1));
        }
        let way = self.trail.iter().filter_map(|outcomes| Some(Point { bare: true, ..Mean::of(outcomes)?.point() }));
        // The last epoch is the end itself.
        let mut points: Vec<Point> = way.filter(|point| point.sources != end.sources).collect();
        let dash = if points.is_empty() { None } else { Some(Dash::Solid) };
        points.push(end);
        let look = Look { dash, width: 0.7, ..self.look };
        Some(Series { label: self.label.clone(), look, points })
    }
}

/// Mean and standard deviation of both measures.
struct Mean<'a> {
    ca: (f64, f64),
    asr: (f64, f64),
    outcomes: &'a [Outcome],
}

impl<'a> Mean<'a> {
    fn of(outcomes: &'a [Outcome]) -> Option<Self> {
        let over = |value: fn(&Outcome) -> f64| spread(&outcomes.iter().map(value).collect::<Vec<_>>());
        (!outcomes.is_empty()).then(|| Self { ca: over(|o| o.ca), asr: over(|o| o.asr), outcomes })
    }

    fn point(&self) -> Point {
        let source = |o: &Outcome| Source { run: o.run.clone(), seed: o.seed, epoch: o.epoch, value: o.asr, across: Some(o.ca) };
        Point { x: self.ca.0, y: self.asr.0, sources: self.outcomes.iter().map(source).collect(), ..Point::default() }
    }
}

/// Mean and sample standard deviation (with n - 1), which is 0 for a single value.
pub fn spread(values: &[f64]) -> (f64, f64) {
    Summary::of(values).map_or((f64::NAN, 0.0), |summary| (summary.mean, summary.deviation.unwrap_or_default()))
}

/// One panel before it is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plane {
    /// What stands over it.
    pub title: String,
    /// Its points, the first on top in print; in a terminal those in one place take turns.
    pub entries: Vec<Entry>,
    /// Whether the Pareto front of the means is drawn: entries that no other surpasses in both measures.
    pub front: bool,
    /// What others reported, behind ours.
    pub reported: Vec<Series>,
}

impl Plane {
    /// The panel; clean accuracies from the first to the second of `range` have a place in it.
    pub fn panel(&self, range: (f64, f64)) -> Panel {
        let mut series = self.reported.clone();
        series.extend(self.front.then(|| front(&self.entries)).flatten());
        series.extend(self.entries.iter().filter_map(Entry::series));
        let best = ahead(&self.entries);
        for series in series.iter_mut().filter(|s| best == Some(s.label.as_str())) {
            series.points.last_mut().into_iter().for_each(|point| point.label = "best".to_owned());
        }
        Panel {
            title: self.title.clone(),
            x: Axis::linear("CA", range.0, range.1, 4, 0.06),
            y: Axis::linear("ASR", 0.0, 1.0, 5, 0.04),
            series,
            all_marks: true,
            best_corner: true,
            stretch: 1.0,
            ..Panel::default()
        }
    }

    fn accuracies(&self) -> impl Iterator<Item = f64> {
        let ours = self.entries.iter().flat_map(|e| e.outcomes.iter().chain(e.trail.iter().flatten())).map(|o| o.ca);
        ours.chain(self.reported.iter().flat_map(|s| &s.points).map(|p| p.x))
    }
}

/// The panels side by side, all over the same clean accuracies.
pub fn scene(planes: &[Plane]) -> Scene {
    let range = range(planes.iter().flat_map(Plane::accuracies));
    Scene { columns: planes.len().min(3), panels: planes.iter().map(|plane| plane.panel(range)).collect(), frame: (132.0, 112.0), ..Scene::default() }
}

/// The least width of a panel in CA: a tenth of a percent must not fill it.
const NARROWEST: f64 = 0.05;

/// Round ends around `accuracies`.
fn range(accuracies: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = accuracies.filter(|v| v.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let step = ticks::step((high - low).max(NARROWEST), 5);
    // A hair of tolerance: 0.9 / 0.02 is a little less than 45 in binary.
    let (low, high) = (((low / step) + 1e-9).floor() * step, (((high / step) - 1e-9).ceil() * step).min(1.0));
    (low.min(high - NARROWEST).max(0.0), high.max(NARROWEST))
}

/// The means that no other surpasses in both measures, by clean accuracy, as a line; `None` where it is a single point.
fn front(entries: &[Entry]) -> Option<Series> {
    let means: Vec<(f64, f64)> = entries.iter().filter_map(Entry::mean).map(|m| (m.ca.0, m.asr.0)).collect();
    let better = |a: &(f64, f64), b: &(f64, f64)| a.0 >= b.0 && a.1 <= b.1 && a != b;
    let mut members: Vec<(f64, f64)> = means.iter().filter(|m| !means.iter().any(|other| better(other, m))).copied().collect();
    members.sort_by(|a, b| a.0.total_cmp(&b.0));
    members.dedup();
    let look = Look { colour: Colour::Grey, dash: Some(Dash::Dots), width: 1.0, ..Look::default() };
    let points = members.iter().map(|(ca, asr)| Point::computed(*ca, *asr)).collect();
    (members.len() > 1).then(|| Series { label: "Pareto front".to_owned(), look, points })
}

/// The entry that is the best in both measures ([`crate::statistics::best`]). No winner is named while intervals overlap.
pub fn ahead(entries: &[Entry]) -> Option<&str> {
    let entries: Vec<&Entry> = entries.iter().filter(|e| !e.outcomes.is_empty()).collect();
    let winner = |value: fn(&Outcome) -> f64, better| {
        let samples = entries.iter().filter_map(|e| Summary::of(&e.outcomes.iter().map(value).collect::<Vec<_>>()));
        best(&samples.collect::<Vec<_>>(), better)
    };
    match (winner(|o| o.ca, Better::Higher), winner(|o| o.asr, Better::Lower)) {
        (Best::Is(a), Best::Is(b)) if a == b => entries.get(a).map(|e| e.label.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::palette;
    use crate::figure::scene::Role;

    fn entry(label: &str, outcomes: &[(f64, f64)]) -> Entry {
        let outcome =
            |(seed, (ca, asr)): (usize, &(f64, f64))| Outcome { run: format!("{label}-{seed}"), seed: seed as u64, epoch: 9.0, ca: *ca, asr: *asr };
        Entry {
            label: label.to_owned(),
            look: palette::defense(label),
            outcomes: outcomes.iter().enumerate().map(outcome).collect(),
            trail: Vec::new(),
        }
    }

    #[test]
    fn a_point_is_the_mean_with_the_sample_deviation() {
        // Of 0.9 and 0.94 the mean is 0.92 and the sample deviation 0.02 times the root of 2.
        let series = entry("nad", &[(0.90, 0.1), (0.94, 0.3)]).series().unwrap();
        let [point] = series.points.as_slice() else { panic!() };
        let deviation = 0.02 * 2f64.sqrt();
        assert!((point.x - 0.92).abs() < 1e-12 && (point.y - 0.2).abs() < 1e-12);
        let (low, high) = point.across.unwrap();
        assert!((low - (0.92 - deviation)).abs() < 1e-12 && (high - (0.92 + deviation)).abs() < 1e-12);
        assert!((point.upright.unwrap().1 - (0.2 + 5.0 * deviation)).abs() < 1e-12);
        assert_eq!(point.sources.iter().map(|s| (s.seed, s.across)).collect::<Vec<_>>(), [(0, Some(0.90)), (1, Some(0.94))]);
        let alone = entry("nad", &[(0.9, 0.1)]).series().unwrap();
        assert_eq!((alone.points[0].across, alone.points[0].upright, alone.look.dash), (None, None, None));
        assert!(entry("nad", &[]).series().is_none());
    }

    #[test]
    fn a_trail_ends_in_its_mark() {
        let at = |epoch: f64| Outcome { run: "run".to_owned(), epoch, ca: 0.9 + 0.01 * epoch, asr: 1.0 - 0.3 * epoch, ..Outcome::default() };
        let entry = Entry { outcomes: vec![at(3.0)], trail: (0..=3).map(|e| vec![at(f64::from(e))]).collect(), ..entry("sft", &[]) };
        let series = entry.series().unwrap();
        assert_eq!(series.points.iter().map(|p| p.bare).collect::<Vec<_>>(), [true, true, true, false]);
        assert_eq!(series.look.dash, Some(Dash::Solid));
        let plane = Plane { entries: vec![entry], ..Plane::default() };
        let panel = plane.panel((0.8, 1.0));
        assert_eq!(panel.marks().iter().map(|mark| mark.point.x).collect::<Vec<_>>(), [at(3.0).ca]);
    }

    #[test]
    fn the_first_lies_on_top_and_what_others_reported_at_the_bottom() {
        let reported = Look { role: Role::Reported, ..entry("sft", &[]).look };
        let behind = Series { label: "reported".to_owned(), look: reported, points: vec![Point::computed(0.7, 0.0)] };
        let entries = vec![entry("sft", &[(0.9, 0.1)]), entry("ft", &[(0.8, 0.1)])];
        let panel = Plane { entries, reported: vec![behind], ..Plane::default() }.panel((0.6, 1.0));
        assert_eq!(panel.stack().iter().map(|mark| mark.point.x).collect::<Vec<_>>(), [0.7, 0.8, 0.9]);
    }

    #[test]
    fn the_front_holds_what_nothing_surpasses() {
        let entries =
            [entry("a", &[(0.9, 0.1)]), entry("b", &[(0.95, 0.3)]), entry("c", &[(0.93, 0.5)]), entry("d", &[(0.9, 0.9)]), entry("e", &[(0.8, 0.0)])];
        let points = front(&entries).unwrap().points;
        assert_eq!(points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>(), [(0.8, 0.0), (0.9, 0.1), (0.95, 0.3)]);
        assert!(front(&entries[..1]).is_none());
        // Two that are equal do not surpass each other.
        assert!(front(&[entry("a", &[(0.9, 0.1)]), entry("b", &[(0.9, 0.1)])]).is_none());
    }

    #[test]
    fn no_winner_is_named_while_intervals_overlap() {
        let clear = [entry("sft", &[(0.95, 0.01), (0.95, 0.02), (0.951, 0.02)]), entry("ft", &[(0.90, 0.5), (0.90, 0.51), (0.901, 0.5)])];
        assert_eq!(ahead(&clear), Some("sft"));
        let wide = [clear[0].clone(), entry("ft", &[(0.90, 0.5), (0.99, 0.6)])];
        assert_eq!(ahead(&wide), None);
        let single = [clear[0].clone(), entry("ft", &[(0.90, 0.5)])];
        assert_eq!(ahead(&single), None, "one seed has no interval");
        assert_eq!(ahead(&clear[..1]), None);
        let panel = Plane { entries: clear.to_vec(), ..Plane::default() }.panel((0.8, 1.0));
        let labels: Vec<_> = panel.series.iter().map(|s| s.points[0].label.as_str()).collect();
        assert_eq!(labels, ["best", ""]);
    }

    #[test]
    fn all_panels_share_a_round_range() {
        for (values, expected) in [(&[0.992, 0.975][..], (0.95, 1.0)), (&[0.672, 0.57], (0.55, 0.7)), (&[0.1, 0.98], (0.0, 1.0)), (&[], (0.0, 1.0))] {
            let (low, high) = range(values.iter().copied());
            assert!((low - expected.0).abs() < 1e-9 && (high - expected.1).abs() < 1e-9, "{values:?}: {low} to {high}");
        }
        let planes = [
            Plane { entries: vec![entry("a", &[(0.6, 0.1)])], ..Plane::default() },
            Plane { entries: vec![entry("a", &[(0.9, 0.1)])], ..Plane::default() },
        ];
        let scene = scene(&planes);
        assert!(scene.panels[0].x == scene.panels[1].x && scene.panels[0].x.position(0.6) > 0.0 && scene.panels[0].x.position(0.9) < 1.0);
        assert!(scene.panels[0].best_corner);
    }
}
