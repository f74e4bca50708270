//! `tuneout presets`: what can be run, and how long it takes here.

use super::show::print;
use super::{CliError, Exit, Place};
use crate::app::cost;
use crate::run::speed;
use crate::spec::work::{Basis, Speeds};
use crate::spec::{Preset, Scenario, preset};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::collections::BTreeSet;

/// Which presets, and how.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    /// Only those of one scenario
    #[arg(long, value_name = "SCENARIO", value_parser = PossibleValuesParser::new(Scenario::NAMES))]
    scenario: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Headings of the table.
const COLUMNS: [&str; 5] = ["preset", "data", "attack", "defense", "time here"];

/// Every preset, by scenario.
pub fn list(args: &ListArgs, place: &Place) -> Result<Exit, CliError> {
    let device = place.device()?;
    let presets = preset::all()?;
    let speeds = speed::speeds(&device, &place.runs());
    let wanted = |p: &&Preset| args.scenario.as_deref().is_none_or(|name| p.spec.scenario.name() == name);
    let presets: Vec<&Preset> = presets.iter().filter(wanted).collect();
    if args.json {
        return print(&presets.iter().map(|p| json_line(p, &speeds, &device.describe())).collect::<String>());
    }
    print(&(table(&presets, &speeds) + &footnote(&presets, &speeds, &device.with_threads())))
}

fn table(presets: &[&Preset], speeds: &Speeds) -> String {
    let cells = |p: &&Preset| {
        let time = speeds.estimate(&p.spec).map_or_else(|| "unknown".to_owned(), |e| cost::time(&e));
        [p.name.clone(), data(p), p.spec.attack.name().to_owned(), p.spec.defense.name().to_owned(), time]
    };
    let rows: Vec<[String; 5]> = presets.iter().map(cells).collect();
    let heading = COLUMNS.map(str::to_owned);
    let widths: [usize; 5] =
        std::array::from_fn(|column| rows.iter().chain([&heading]).map(|row| row[column].chars().count()).max().unwrap_or_default());
    let line = |row: &[String; 5]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    let (mut out, mut scenario) = (String::new(), None);
    for (preset, row) in presets.iter().zip(&rows) {
        if scenario.replace(preset.spec.scenario) != Some(preset.spec.scenario) {
            let space = if out.is_empty() { "" } else { "\n" };
            out += &format!("{space}{}\n{}", preset.spec.scenario.about(), line(&heading));
        }
        out += &line(row);
    }
    out
}

fn data(preset: &Preset) -> String {
    let first = preset.spec.data.name();
    preset.spec.downstream.as_ref().map_or_else(|| first.to_owned(), |second| format!("{first} to {}", second.name()))
}

/// How the times came about.
fn footnote(presets: &[&Preset], speeds: &Speeds, device: &str) -> String {
    let mut bases = BTreeSet::new();
    for preset in presets {
        let network = crate::spec::work::network(&preset.spec.model);
        bases.insert(match speeds.estimate(&preset.spec).map(|e| e.basis) {
            None => format!("  unknown: nothing was measured with {network}, and the test of the device failed"),
            Some(Basis::Runs(1)) => format!("  {network}: measured here, in 1 finished run"),
            Some(Basis::Runs(runs)) => format!("  {network}: measured here, the median of {runs} finished runs"),
            Some(Basis::Test) => {
                let busy = if speeds.disturbed { " (too slow by what else keeps this machine busy now)" } else { "" };
                format!("  {network}: measured here, in a test of a second{busy}; a finished run will say better")
            }
            Some(Basis::Scaled(other)) => format!("  {network}: ~ scaled from the speed of {other} by the multiply-adds of both; may be off by half"),
        });
    }
    let lines: Vec<String> = bases.into_iter().collect();
    format!(
        "\ntime here: from start to end on {device}, looks at the test set included, nothing reused; from the settings\n(images x multiply-adds) and the speed of\n{}\n",
        lines.join("\n")
    )
}

fn json_line(preset: &Preset, speeds: &Speeds, device: &str) -> String {
    let Preset { name, title, about, spec } = preset;
    let estimate = speeds.estimate(spec);
    let basis = estimate.as_ref().map(|e| match &e.basis {
        Basis::Runs(runs) => serde_json::json!({ "measured": "runs", "runs": runs }),
        Basis::Test => serde_json::json!({ "measured": "test" }),
        Basis::Scaled(other) => serde_json::json!({ "scaled_from": other }),
    });
    let value = serde_json::json!({
        "name": name, "title": title, "about": about, "scenario": spec.scenario, "data": spec.data.name(),
        "downstream": spec.downstream.as_ref().map(|d| d.name()), "model": spec.model.name(), "attack": spec.attack.name(),
        "defense": spec.defense.name(), "device": device, "seconds": estimate.map(|e| e.seconds.round()), "basis": basis,
    });
    format!("{value}\n")
}

/// Every setting of one preset, as a preset file that says it all.
pub fn show(name: &str) -> Result<Exit, CliError> {
    let preset = preset::load(name)?;
    let mut table = toml::Table::new();
    table.insert("title".to_owned(), preset.title.into());
    table.insert("about".to_owned(), preset.about.into());
    table.extend(preset.spec.to_table());
    print(&table.to_string())
}
