//! Samples of attacks, clean and triggered, and what sets them apart (paper Table 1; spec.md section 9).
//!
//! A column for each attack, a row for each kind of picture. The pictures are those that runs keep for the trigger
//! lens: no model and no data set is needed.

use crate::data::{difference, picture};
use crate::figure::names::shown;
use crate::figure::preset::{Pictures, Row};
use crate::figure::runs::{Damage, RunEntry, Scan};
use crate::figure::scene::{Axis, Origin, Panel, Picture, Scene};
use crate::figure::ticks::number;
use crate::run::event::{Answer, LensAnswer};
use crate::spec::{Stage, preset};
use std::path::Path;

/// Letters of a class's name that fit under a picture.
const LETTERS: usize = 19;

/// The pictures of `attacks`, or of the figure's own where there are none given; `None` when no run of any is there.
pub fn scene(pictures: &Pictures, attacks: &[String], scan: &Scan) -> Option<Scene> {
    let attacks = if attacks.is_empty() { &pictures.attacks } else { attacks };
    let columns: Vec<Column> = attacks.iter().map(|attack| Column::of(attack, pictures, scan)).collect();
    if columns.iter().all(|column| column.run.is_none()) {
        return None;
    }
    let mut panels = Vec::new();
    for (number, row) in pictures.rows.iter().enumerate() {
        panels.extend(columns.iter().enumerate().map(|(at, column)| column.panel(*row, number == 0, at == 0)));
    }
    let mut footnotes: Vec<String> = columns.iter().filter_map(|column| column.note(pictures.sample)).collect();
    if !scan.damaged.is_empty() {
        // What is wrong with each stands on the command line: no picture here depends on it.
        let name = |damage: &Damage| damage.path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        footnotes.push(format!("Not readable, and left out: {}.", scan.damaged.iter().map(name).collect::<Vec<_>>().join(", ")));
    }
    Some(Scene { columns: attacks.len(), panels, footnotes, ..Scene::default() })
}

/// One attack.
struct Column<'a> {
    name: String,
    run: Option<&'a RunEntry>,
    /// The clean and the triggered picture, or why there is none.
    pair: Result<[Picture; 2], String>,
    answer: Option<LensAnswer>,
}

impl<'a> Column<'a> {
    fn of(attack: &str, pictures: &Pictures, scan: &'a Scan) -> Self {
        let of_attack = |run: &&RunEntry| run.view.stage == Some(Stage::Attack) && run.spec.attack.name() == attack;
        let runs: Vec<&RunEntry> = scan.runs.iter().filter(of_attack).collect();
        let run = runs.iter().copied().filter(|run| run.finished()).max_by_key(|run| run.view.clock_ms.1);
        let pair = match run {
            Some(run) => pair(run, pictures.sample),
            None => Err(format!("{}\n{}", if runs.is_empty() { "not run" } else { "not run to its end" }, command(attack))),
        };
        let answer = run.and_then(|run| run.view.lens.get(pictures.sample)).copied();
        Self { name: shown("attack.name", attack), run, pair, answer }
    }

    /// `top`: in the first row; `left`: in the first column.
    fn panel(&self, row: Row, top: bool, left: bool) -> Panel {
        let axis = |title: String| Axis { title, max: 1.0, ..Axis::default() };
        let (title, y) = (if top { self.name.clone() } else { String::new() }, axis(if left { row.name().to_owned() } else { String::new() }));
        let panel = Panel { title, y, stretch: 1.0, ..Panel::default() };
        let [clean, triggered] = match &self.pair {
            Ok(pair) => pair,
            // Once is enough.
            Err(why) => {
                let why = if self.run.is_some() { "not readable" } else { why };
                return Panel { x: axis(String::new()), absent: Some(if top { why.to_owned() } else { String::new() }), ..panel };
            }
        };
        let (picture, under) = match row {
            Row::Clean => (clean.clone(), self.answer.map(|a| self.class(a.label))),
            Row::Triggered => (triggered.clone(), self.answer.map(|a| self.said(a.triggered))),
            Row::Difference => {
                let (rgb, gain) = difference(&clean.rgb, &triggered.rgb);
                (Picture { rgb, gain, ..triggered.clone() }, Some(format!("×{gain}")))
            }
        };
        Panel { x: axis(under.unwrap_or_default()), picture: Some(picture), ..panel }
    }

    fn class(&self, label: u16) -> String {
        let classes = self.run.map_or(&[][..], |run| &run.view.facts.classes);
        let name = classes.get(usize::from(label)).cloned().unwrap_or_else(|| label.to_string());
        if name.chars().count() > LETTERS { name.chars().take(LETTERS - 1).chain(['…']).collect() } else { name }
    }

    fn said(&self, answer: Answer) -> String {
        self.class(answer.class)
    }

    fn note(&self, sample: usize) -> Option<String> {
        let run = self.run?;
        let (data, seed) = (shown("data.name", run.spec.data.name()), run.spec.seed);
        if let Err(why) = &self.pair {
            return Some(format!("{}: {}: {why}.", self.name, run.id));
        }
        let place = self.answer.map_or(String::new(), |a| format!(", test image {}", a.index));
        let measures = run.view.latest().map_or(String::new(), |m| format!("; CA {}, ASR {}", number(m.ca), number(m.asr)));
        Some(format!("{}: {}, {data}, seed {seed}, sample {sample}{place}{measures}.", self.name, run.id))
    }
}

/// The clean and the triggered picture of a sample.
fn pair(run: &RunEntry, sample: usize) -> Result<[Picture; 2], String> {
    let read = |kind: &str| {
        let file = format!("samples/{sample}-{kind}.png");
        let rgb = picture::read(&run.dir.join(&file)).map_err(|e| e.to_string())?;
        let index = run.view.lens.get(sample).map(|a| a.index);
        let origin = Origin { run: run.id.clone(), seed: run.spec.seed, sample, index, file };
        Ok::<_, String>(Picture { width: rgb.width() as usize, height: rgb.height() as usize, rgb: rgb.into_raw(), gain: 1, origin })
    };
    let [clean, triggered] = [read("clean")?, read("triggered")?];
    if (clean.width, clean.height) != (triggered.width, triggered.height) {
        return Err(format!("{}: the clean and the triggered sample differ in size", run.dir.display()));
    }
    Ok([clean, triggered])
}

/// What runs an attack: the shortest of its presets, a demonstration before others.
fn command(attack: &str) -> String {
    let presets = preset::all().unwrap_or_default();
    let own = presets.iter().filter(|p| p.spec.attack.name() == attack).min_by_key(|p| (!p.name.starts_with("demo"), p.name.len(), p.name.clone()));
    own.map_or_else(|| format!("tuneout run demo --set attack.name={attack}"), |p| format!("tuneout run {}", p.name))
}
