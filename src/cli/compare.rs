//! `tuneout compare`: the Compare screen without a screen.

use super::{CliError, Exit};
use crate::export::comparison;
use crate::figure::comparison::{Candidate, Column, Comparison, Library, Shelf};
use crate::run::find;
use crate::statistics::Better;
use clap::Args;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Which runs, and how they are shown.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Runs: their names, or the beginnings of them [default: every run that did not fail and was not stopped]
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
    /// Only runs on this data set
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Only runs of this attack
    #[arg(long, value_name = "NAME")]
    attack: Option<String>,
    /// Only runs of this defense
    #[arg(long, value_name = "NAME")]
    defense: Option<String>,
    /// Sort by the column of this heading: defense (the usual order), n, ca, asr, ra, der, rir, hours and so on
    #[arg(long, value_name = "COLUMN", value_parser = column, default_value = "defense")]
    sort: Column,
    /// Sort the other way round
    #[arg(long)]
    reverse: bool,
    /// Print the table as CSV, with 95% intervals and the names of the runs
    #[arg(long)]
    csv: bool,
    /// Write table and charts (CSV, SVG, PNG) into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The column of this heading.
fn column(heading: &str) -> Result<Column, String> {
    let headings = Column::ALL.map(|column| column.name().to_lowercase());
    let place = headings.iter().position(|name| *name == heading.to_lowercase());
    place.map(|at| Column::ALL[at]).ok_or_else(|| format!("there is no such column; there are: {}", headings.join(", ")))
}

/// Prints the table, or writes files.
pub fn compare(args: &CompareArgs, runs: &Path) -> Result<Exit, CliError> {
    let library = Shelf::default().read(runs)?;
    for damage in &library.damaged {
        eprintln!("tuneout: {damage}; left out");
    }
    let chosen = chosen(args, runs, &library)?;
    let comparison = Comparison::of(&library.candidates, |id| chosen.contains(id));
    let comparison = Comparison { damaged: library.damaged.iter().map(ToString::to_string).collect(), ..comparison };
    if comparison.is_empty() {
        return Err(CliError::NothingToCompare { runs: runs.to_owned(), wanted: wanted(args) });
    }
    comparison.aside.iter().for_each(|words| eprintln!("tuneout: {words}; not counted"));
    let mut out = String::new();
    if let Some(dir) = &args.out {
        let files = comparison::write(&comparison, dir)?;
        files.iter().for_each(|file| out += &format!("{}\n", file.display()));
    } else if args.csv {
        out = comparison::csv(&comparison);
    } else {
        let column = args.sort;
        out = comparison::text(&comparison, column, (column.better() == Some(Better::Higher)) != args.reverse);
        out += &remarks(&comparison);
    }
    std::io::stdout().write_all(out.as_bytes()).map_err(CliError::Output)?;
    Ok(Exit::Ok)
}

/// Names of the runs that were asked for; with a defense comes the backdoored model that it started from.
fn chosen(args: &CompareArgs, runs: &Path, library: &Library) -> Result<BTreeSet<String>, CliError> {
    let mut named = BTreeSet::new();
    for name in &args.runs {
        let dir = find::find(runs, name)?;
        named.extend(dir.file_name().map(|id| id.to_string_lossy().into_owned()));
    }
    let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
    let fits = |c: &&Candidate| {
        let facts = &c.run.view.facts;
        let asked = if named.is_empty() { c.usable() } else { named.contains(&c.run.id) };
        asked && is(&args.data, &facts.data) && is(&args.attack, &facts.attack) && is(&args.defense, &facts.defense)
    };
    Ok(library.candidates.iter().filter(fits).map(|c| c.run.id.clone()).collect())
}

/// What was asked for, in words.
fn wanted(args: &CompareArgs) -> String {
    let facets = [("data set", &args.data), ("attack", &args.attack), ("defense", &args.defense)];
    let words: Vec<String> = facets.iter().filter_map(|(name, value)| value.as_ref().map(|v| format!("{name} `{v}`"))).collect();
    if words.is_empty() { "numbers yet".to_owned() } else { words.join(" and ") }
}

/// Why a best is marked or not, and what the numbers are.
fn remarks(comparison: &Comparison) -> String {
    let reasons = [Column::Asr, Column::Ca].into_iter().flat_map(|column| comparison.reasons(column));
    let mut out = "\nCA, ASR and RA in %; mean ± standard deviation over n seeds\n".to_owned();
    reasons.for_each(|reason| out += &format!("{reason}\n"));
    out
}
