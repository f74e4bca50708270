//! A comparison as a table for people, as CSV, and as files.

use super::ExportError;
use super::csv::line;
use crate::figure::comparison::{Column, Comparison, HOURS, Row};
use crate::figure::{self, Format};
use crate::files;
use crate::run::view::Status;
use crate::statistics::Summary;
use std::path::{Path, PathBuf};

/// The measures of the CSV, each with mean, standard deviation, and the ends of the 95% interval of the mean.
const MEASURES: [Column; 6] = [Column::Ca, Column::Asr, Column::Ra, Column::Der, Column::Rir, Column::Hours];

/// Names of the columns before and after those of the measures. Shares are of 1; `best` names the columns in which the
/// row is the best; `hours` are those of `hours_kind`, and empty where a row has both kinds.
const FIRST: [&str; 9] = ["row", "data", "attack", "defense", "state", "n", "seeds", "runs", "best"];
const LAST: [&str; 6] = ["hours_kind", "clean_images", "poisoned_images", "precision", "recall", "class_flagged"];

/// A line for each row (RFC 4180, `\n` at line ends); empty fields where there is no such number.
pub fn csv(comparison: &Comparison) -> String {
    let of_measure = |column: &Column| ["", "_sd", "_low", "_high"].map(|end| format!("{}{end}", column.name().to_ascii_lowercase()));
    let names =
        FIRST.iter().map(|name| (*name).to_owned()).chain(MEASURES.iter().flat_map(of_measure)).chain(LAST.iter().map(|name| (*name).to_owned()));
    let mut out = line(names);
    for (place, row) in comparison.rows.iter().enumerate() {
        out.push_str(&line(fields(comparison, place, row)));
    }
    out
}

fn fields(comparison: &Comparison, place: usize, row: &Row) -> Vec<String> {
    let best = MEASURES.iter().filter(|column| comparison.contests(**column).iter().any(|contest| contest.winner() == Some(place)));
    let best: Vec<&str> = best.map(|column| column.name()).collect();
    let seeds: Vec<String> = row.trials.iter().map(|t| t.seed.to_string()).collect();
    let runs: Vec<&str> = row.trials.iter().map(|t| t.run.as_str()).collect();
    let mut fields = vec![
        row.label.clone(),
        row.images(),
        row.spec.attack.name().to_owned(),
        row.defense().unwrap_or_default().to_owned(),
        state(row).to_owned(),
        row.trials.len().to_string(),
        seeds.join(" "),
        runs.join(" "),
        best.join(" "),
    ];
    fields.extend(MEASURES.iter().flat_map(|column| spread(row.summary(*column))));
    let kind = row.gpu().map_or("", |gpu| HOURS[usize::from(gpu)]);
    let mean = |summary: Option<Summary>| summary.map_or_else(String::new, |s| s.mean.to_string());
    let precision = row.summary_of(|t| t.detection.as_ref()?.precision());
    let recall = row.summary_of(|t| t.detection.as_ref()?.recall());
    let flagged = row.summary_of(|t| t.flagged.map(|yes| f64::from(u8::from(yes))));
    fields.push(kind.to_owned());
    fields.extend([row.summary(Column::Clean), row.summary(Column::Poisoned), precision, recall, flagged].map(mean));
    fields
}

fn spread(summary: Option<Summary>) -> [String; 4] {
    let number = |value: Option<f64>| value.filter(|v| v.is_finite()).map_or_else(String::new, |v| v.to_string());
    let interval = summary.and_then(|s| s.interval());
    [summary.map(|s| s.mean), summary.and_then(|s| s.deviation), interval.map(|i| i.0), interval.map(|i| i.1)].map(number)
}

fn state(row: &Row) -> &'static str {
    match row.status {
        Status::Finished if row.steered => "by hand",
        Status::Finished => "finished",
        Status::Failed(_) => "failed",
        Status::Stopped => "stopped",
        Status::Empty | Status::Running | Status::Paused => "unfinished",
    }
}

/// The table with columns under each other, sorted; a star at a best value.
pub fn text(comparison: &Comparison, sort: Column, descending: bool) -> String {
    let shown = |column: &Column| comparison.rows.iter().any(|row| row.text(*column) != "-");
    let columns: Vec<Column> = Column::ALL.into_iter().filter(shown).collect();
    let mut lines = vec![columns.iter().map(|column| column.name().to_owned()).collect::<Vec<_>>()];
    for place in comparison.sorted(sort, descending) {
        let best = |column: &Column| comparison.contests(*column).iter().any(|contest| contest.winner() == Some(place));
        let field = |column: &Column| format!("{}{}", comparison.rows[place].text(*column), if best(column) { " *" } else { "" });
        lines.push(columns.iter().map(field).collect());
    }
    let width = |at: usize| lines.iter().filter_map(|fields| fields.get(at)).map(|field| field.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let aligned = |(at, field): (usize, &String)| if at == 0 { format!("{field:<0$}", widths[at]) } else { format!("  {field:>0$}", widths[at]) };
    lines.iter().map(|fields| fields.iter().enumerate().map(aligned).collect::<String>().trim_end().to_owned() + "\n").collect()
}

/// Writes the table as `compare-SUBJECT-table.csv` into `dir`, and its charts as SVG, PNG and CSV beside it; the files written.
///
/// # Errors
/// When a chart cannot be drawn, or a file cannot be written.
pub fn write(comparison: &Comparison, dir: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let stem = stem(comparison);
    let table = dir.join(format!("{stem}-table.csv"));
    files::write(&table, csv(comparison).as_bytes()).map_err(|source| ExportError::Io { path: table.clone(), source })?;
    let mut written = vec![table];
    written.extend(figure::write(&comparison.scene(), dir, &stem, &Format::ALL)?);
    Ok(written)
}

/// `compare-badnets-on-signs-12`.
fn stem(comparison: &Comparison) -> String {
    let words: String = comparison.subject().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("compare-{words}")
}
