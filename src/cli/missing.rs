//! What is missing of the figures, how long it would take, and computing it.

use super::show::print;
use super::{CliError, Exit, Place, measure, sweep};
use crate::app::words;
use crate::figure::cells::{self, Scale, Standing};
use crate::figure::{FigureError, FigureId, runs};
use crate::files;
use crate::run::speed;
use crate::spec::sweep::Cell;
use crate::spec::work::Speeds;
use clap::Args;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Headings of the list.
const COLUMNS: [&str; 5] = ["figure", "shows", "runs", "missing", "time here"];

/// Said where the speed was tried while something else used the processor.
pub(super) const BUSY: &str = "\nSomething else keeps this machine busy: times of networks that no finished run here had are too long.";

/// Every figure with what is there of its runs.
pub fn list(scale: Scale, place: &Place) -> Result<Exit, CliError> {
    let device = place.device()?;
    let scan = runs::scan(&place.runs())?;
    let speeds = speed::speeds(&device, &place.runs());
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    let (mut all, mut again) = (Vec::new(), Vec::new());
    for id in FigureId::all() {
        rows.push(row(&Standing::of(id, scale, &scan, &speeds)?, &id.to_string(), scale));
        let own = cells_of(id, scale)?;
        again.extend(cells::injections(id, scale, &own)?);
        all.extend(own);
    }
    let standing = Standing { title: "runs that figures share count once".to_owned(), ..Standing::of_cells(&once(all), &again, &scan, &speeds) };
    rows.push(row(&standing, "all", scale));
    let widths: [usize; 5] = std::array::from_fn(|c| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or_default());
    let line = |row: &[String; 5]| row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect::<String>();
    let table: String = rows.iter().map(|row| format!("{}\n", line(row).trim_end())).collect();
    let busy = if speeds.disturbed { BUSY } else { "" };
    print(&format!("{table}\n{}{busy}\n", footnote(scale, &device.describe())))
}

fn row(standing: &Standing, figure: &str, scale: Scale) -> [String; 5] {
    let [there, missing] = words::standing(standing, scale);
    let time =
        if standing.whole() || standing.runs.is_none() { String::new() } else { standing.seconds.map_or_else(|| "unknown".to_owned(), words::about) };
    [figure.to_owned(), standing.title.clone(), there, missing, time]
}

/// How long the cells take one after the other.
pub(super) fn time(cells: &[&Cell], speeds: &Speeds) -> String {
    let seconds = cells.iter().map(|c| speeds.cell(&c.run().ok()?, c.stage).map(|e| e.seconds));
    seconds.sum::<Option<f64>>().map_or_else(|| "unknown".to_owned(), words::about)
}

fn footnote(scale: Scale, device: &str) -> String {
    let (scale, flag) = match scale {
        Scale::Full => ("the paper's scale; --reduced lists the small ones on the embedded sets", ""),
        Scale::Reduced => ("reduced, on the embedded sets", " --reduced"),
    };
    format!(
        "Runs: {scale}; `+ 36` are re-injections.\nTime: on {device}, one run after the other with all threads; several at once (--jobs) take less.\nNot counted: Figure 10 attacks each of its models, a matter of seconds.\n`tuneout figure N{flag} --run-missing` computes what is missing and draws it."
    )
}

/// Each cell once, in order.
fn once(cells: Vec<Cell>) -> Vec<Cell> {
    let mut seen = BTreeSet::new();
    let (attacks, defenses): (Vec<Cell>, Vec<Cell>) = cells.into_iter().filter(|c| seen.insert(c.id.clone())).partition(|c| c.needs.is_none());
    attacks.into_iter().chain(defenses).collect()
}

/// The cells of a figure; none where it names no runs of that scale.
pub fn cells_of(id: FigureId, scale: Scale) -> Result<Vec<Cell>, CliError> {
    match cells::cells(id, scale) {
        Err(FigureError::Settings { .. }) => Ok(Vec::new()),
        other => Ok(other?),
    }
}

/// Which runs figures are made of, and whether missing ones are computed.
#[derive(Debug, Args)]
pub struct MadeOf {
    /// From small runs on the embedded sets, not those of the paper's scale
    #[arg(long)]
    reduced: bool,
    /// Compute the runs that are missing first; the same command goes on where it was cut off
    #[arg(long)]
    run_missing: bool,
    /// With --run-missing: runs at the same time; the threads are shared among them [default: one a core, on a GPU 1]
    #[arg(long, value_name = "N", requires = "run_missing", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
}

impl MadeOf {
    /// How large the runs are.
    pub fn scale(&self) -> Scale {
        if self.reduced { Scale::Reduced } else { Scale::Full }
    }

    /// Whether they are the small ones.
    pub fn reduced(&self) -> bool {
        self.reduced
    }
}

/// Computes every cell of the figures that is not there yet, where that is asked for, and measures what they show beyond
/// logs.
pub fn compute(ids: &[FigureId], made_of: &MadeOf, place: &Place) -> Result<Exit, CliError> {
    if !made_of.run_missing {
        return Ok(Exit::Ok);
    }
    let scale = made_of.scale();
    let mut all = Vec::new();
    for &id in ids {
        // Of all figures, those that have such runs.
        all.extend(if ids.len() > 1 { cells_of(id, scale)? } else { cells::cells(id, scale)? });
    }
    let all = once(all);
    if all.is_empty() {
        return Ok(Exit::Ok);
    }
    let name = if let [only] = ids { only.stem() } else { "figures".to_owned() };
    let path = place.runs().join("cells").join(format!("{name}-{}.jsonl", scale.name()));
    let lines = all.iter().map(|c| serde_json::to_string(c).map(|line| line + "\n")).collect::<Result<String, _>>().unwrap_or_default();
    files::write(&path, lines.as_bytes()).map_err(|source| unwritten(path.clone(), source))?;
    let on_a_gpu = place.device()?.is_gpu();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = made_of.jobs.map_or(if on_a_gpu { 1 } else { cores }, usize::from);
    let computed = sweep::all(&path, jobs, true, place)?;
    if matches!(computed, Exit::Interrupted | Exit::Preempted) {
        return Ok(computed);
    }
    let measured = measure::measure(ids, scale, place)?;
    Ok(if computed == Exit::Ok { measured } else { computed })
}

fn unwritten(path: PathBuf, source: std::io::Error) -> CliError {
    FigureError::Io { path, source }.into()
}
