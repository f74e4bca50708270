//! The results of a sweep: a grid of what is done, a table of means, a line for each cell.

use crate::run::cell::{Outcome, State};
use crate::run::event::Measures;
use crate::spec::Stage;
use crate::spec::sweep::Cell;
use std::fmt::Write;

/// Values in the order in which they first appear.
fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for value in values {
        if !out.contains(&value) {
            out.push(value);
        }
    }
    out
}

/// The column of backdoored models.
const PLANTED: &str = "(attack)";

fn column(cell: &Cell) -> &str {
    cell.defense.as_deref().unwrap_or(PLANTED)
}

/// Attacks by defenses: of each how many seeds are done (`3/3`), running (`>`) and failed (`!`).
pub fn grid(cells: &[Cell], states: &[State]) -> String {
    let columns = distinct(cells.iter().map(column));
    let rows = distinct(cells.iter().map(|c| c.attack.as_str()));
    let wide = rows.iter().map(|r| r.len()).max().unwrap_or(0).max(7);
    let mut out = format!("{:<wide$}", "");
    columns.iter().for_each(|c| out += &format!("  {c:>8}"));
    out.push('\n');
    for row in rows {
        let _ = write!(out, "{row:<wide$}");
        for name in &columns {
            let here: Vec<&State> = cells.iter().zip(states).filter(|(c, _)| c.attack == row && column(c) == *name).map(|(_, s)| s).collect();
            let count = |is: fn(&State) -> bool| here.iter().filter(|s| is(s)).count();
            let marks = [(count(|s| matches!(s, State::Running)), ">"), (count(|s| matches!(s, State::Failed(_))), "!")];
            let marks: String = marks.iter().map(|(n, mark)| mark.repeat(*n)).collect();
            let text = format!("{marks} {}/{}", count(|s| matches!(s, State::Done(_))), here.len());
            let _ = write!(out, "  {:>width$}", text.trim(), width = name.len().max(8));
        }
        out.push('\n');
    }
    out
}

/// Mean and standard deviation (of a sample: n - 1) of `values`.
fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { f64::NAN })
}

fn shown(values: &[f64]) -> String {
    match spread(values) {
        _ if values.is_empty() => "-".to_owned(),
        (mean, deviation) if deviation.is_finite() => format!("{mean:.3} ± {deviation:.3}"),
        (mean, _) => format!("{mean:.3}"),
    }
}

/// A table for each attack: mean and deviation over seeds, with their number. No winner is marked.
pub fn markdown(cells: &[(Cell, Option<Outcome>)]) -> String {
    let mut out = String::new();
    for attack in distinct(cells.iter().map(|(c, _)| c.attack.as_str())) {
        let _ = writeln!(out, "## {attack}\n");
        let _ = writeln!(out, "| defense | n | CA | ASR | RA | DER | seconds | clean images | poisoned images | precision / recall |");
        let _ = writeln!(out, "|---|---|---|---|---|---|---|---|---|---|");
        let of_attack: Vec<&(Cell, Option<Outcome>)> = cells.iter().filter(|(c, _)| c.attack == attack).collect();
        for name in distinct(of_attack.iter().map(|(c, _)| column(c))) {
            out += &row(name, &of_attack.iter().filter(|(c, _)| column(c) == name).map(|(_, o)| o.as_ref()).collect::<Vec<_>>());
        }
        out.push('\n');
    }
    out
}

fn row(name: &str, outcomes: &[Option<&Outcome>]) -> String {
    let done: Vec<&Outcome> = outcomes.iter().flatten().copied().filter(|o| o.error.is_none()).collect();
    let of = |value: &dyn Fn(&Outcome) -> f64| shown(&done.iter().map(|o| value(o)).collect::<Vec<_>>());
    let failed = outcomes.iter().flatten().filter(|o| o.error.is_some()).count();
    let missing = outcomes.len() - done.len() - failed;
    let mut n = done.len().to_string();
    if failed > 0 {
        let _ = write!(n, ", {failed} failed");
    }
    if missing > 0 {
        let _ = write!(n, ", {missing} missing");
    }
    let der = if name == PLANTED { "-".to_owned() } else { of(&|o| o.after.der(&o.before)) };
    let seconds = of(&|o| o.seconds).split(" ±").next().and_then(|s| s.parse::<f64>().ok()).map_or("-".to_owned(), |s| format!("{s:.1}"));
    let images = |value: fn(&Outcome) -> usize| done.first().map_or("-".to_owned(), |o| value(o).to_string());
    let shares = |value: fn(&crate::run::evidence::Detection) -> Option<f64>| {
        shown(&done.iter().filter_map(|o| value(o.detection.as_ref()?)).collect::<Vec<_>>())
    };
    let found = match done.iter().any(|o| o.detection.is_some()) {
        true => format!("{} / {}", shares(|d| d.precision()), shares(|d| d.recall())),
        false => "-".to_owned(),
    };
    format!(
        "| {name} | {n} | {} | {} | {} | {der} | {seconds} | {} | {} | {found} |\n",
        of(&|o| o.after.ca),
        of(&|o| o.after.asr),
        of(&|o| o.after.ra),
        images(|o| o.clean_images),
        images(|o| o.poisoned_images)
    )
}

/// A line for each cell; empty fields where it is not done.
pub fn csv(cells: &[(Cell, Option<Outcome>)]) -> String {
    let mut out = "cell,attack,defense,seed,state,ca_before,asr_before,ra_before,ca,asr,ra,der,rir,seconds,gpu,clean_images,poisoned_images,removed,hits,poisoned,attack_run,defense_run,device,version,error\n".to_owned();
    for (cell, outcome) in cells {
        let state = match outcome {
            Some(o) if o.error.is_none() => "done",
            Some(_) => "failed",
            None => "missing",
        };
        let mut fields =
            vec![cell.id.clone(), cell.attack.clone(), cell.defense.clone().unwrap_or_default(), cell.seed.to_string(), state.to_owned()];
        match outcome.as_ref().filter(|o| o.error.is_none()) {
            Some(o) => fields.extend(numbers(cell, o)),
            None => fields.extend(std::iter::repeat_n(String::new(), 19)),
        }
        fields.push(outcome.as_ref().and_then(|o| o.error.clone()).unwrap_or_default());
        out += &fields.iter().map(|f| quoted(f)).collect::<Vec<_>>().join(",");
        out.push('\n');
    }
    out
}

fn numbers(cell: &Cell, o: &Outcome) -> Vec<String> {
    let of = |m: &Measures| [m.ca, m.asr, m.ra].map(|v| v.to_string());
    let rated = cell.stage == Stage::Defense;
    let rate = |value: f64| if rated { value.to_string() } else { String::new() };
    let mut fields = of(&o.before).to_vec();
    fields.extend(of(&o.after));
    fields.extend([rate(o.after.der(&o.before)), rate(o.after.rir(&o.before)), o.seconds.to_string(), o.gpu.to_string()]);
    fields.extend([o.clean_images, o.poisoned_images].map(|n| n.to_string()));
    let detection = o.detection.map_or([const { String::new() }; 3], |d| [d.removed, d.hits, d.poisoned].map(|n| n.to_string()));
    fields.extend(detection);
    fields.extend([o.attack_run.clone(), o.defense_run.clone().unwrap_or_default(), o.device.clone(), o.version.clone()]);
    fields
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

/// An object for each cell, one a line.
pub fn lines(cells: &[(Cell, Option<Outcome>)]) -> String {
    let line = |(cell, outcome): &(Cell, Option<Outcome>)| {
        let value = serde_json::json!({ "cell": cell.id, "attack": cell.attack, "defense": cell.defense, "seed": cell.seed, "outcome": outcome });
        format!("{value}\n")
    };
    cells.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Vec<(Cell, Option<Outcome>)> {
        let cell = |defense: Option<&str>, seed: u64| Cell {
            id: format!("{}-{seed}", defense.unwrap_or("a")),
            stage: if defense.is_some() { Stage::Defense } else { Stage::Attack },
            attack: "badnets".into(),
            defense: defense.map(str::to_owned),
            seed,
            needs: None,
            spec: toml::Table::new(),
        };
        let done = |asr: f64| {
            let m = |asr| Measures { ca: 0.9, asr, ra: 0.1, ..Measures::default() };
            Some(Outcome { before: m(1.0), after: m(asr), seconds: 2.0, ..Outcome::default() })
        };
        let failed = Some(Outcome { error: Some("the loss, diverged".into()), ..Outcome::default() });
        vec![
            (cell(None, 0), done(1.0)),
            (cell(Some("nad"), 0), done(0.2)),
            (cell(Some("nad"), 1), done(0.4)),
            (cell(Some("nad"), 2), failed),
            (cell(Some("abl"), 0), None),
        ]
    }

    #[test]
    fn seeds_become_mean_deviation_and_number() {
        let text = markdown(&cells());
        assert!(text.contains("| nad | 2, 1 failed | 0.900 ± 0.000 | 0.300 ± 0.141 |"), "{text}");
        assert!(text.contains("| abl | 0, 1 missing | - |"), "{text}");
        assert!(text.contains("| (attack) | 1 | 0.900 | 1.000 |"), "{text}");
    }

    #[test]
    fn every_csv_line_has_every_field() {
        let text = csv(&cells());
        let commas = |line: &str| line.split('"').step_by(2).map(|part| part.matches(',').count()).sum::<usize>();
        let counts: Vec<usize> = text.lines().map(commas).collect();
        assert!(counts.iter().all(|c| *c == counts[0]), "{text}");
        assert!(text.contains("\"the loss, diverged\""), "{text}");
    }

    #[test]
    fn the_grid_counts_seeds() {
        let cells = cells();
        let states: Vec<State> =
            vec![State::Done(Box::default()), State::Done(Box::default()), State::Running, State::Failed(Box::default()), State::Waiting];
        let text = grid(&cells.into_iter().map(|(c, _)| c).collect::<Vec<_>>(), &states);
        assert!(text.contains("1/1") && text.contains(">! 1/3") && text.contains("0/1"), "{text}");
    }
}
