//! The results of a sweep: a grid of what is done, a table of means, a line for each cell.

use crate::figure::comparison::{Column, Trial, summary, times_flagged};
use crate::run::cell::{Outcome, State};
use crate::run::event::Measures;
use crate::run::evidence::Detection;
use crate::spec::Stage;
use crate::spec::sweep::Cell;
use crate::statistics::{Best, Summary, best};
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

/// What a line or a column of the grid is named by.
type Name = fn(&Cell) -> &str;

/// Of more defenses than this, each has a line of its own.
const MOST_COLUMNS: usize = 12;

/// Attacks by defenses, or the other way round where there are many defenses: of each how many seeds are done (`3/3`),
/// running (`>`) and failed (`!`); blank where there is no such cell.
pub fn grid(cells: &[Cell], states: &[State]) -> String {
    let turned = distinct(cells.iter().map(column)).len() > MOST_COLUMNS;
    let (row_of, column_of): (Name, Name) = if turned { (column, |c| &c.attack) } else { (|c| &c.attack, column) };
    let (rows, columns) = (distinct(cells.iter().map(row_of)), distinct(cells.iter().map(column_of)));
    let wide = rows.iter().map(|r| r.len()).max().unwrap_or(0).max(7);
    let mut out = format!("{:<wide$}", "");
    columns.iter().for_each(|c| out += &format!("  {c:>8}"));
    out.push('\n');
    for row in rows {
        let mut line = format!("{row:<wide$}");
        for name in &columns {
            let here: Vec<&State> = cells.iter().zip(states).filter(|(c, _)| row_of(c) == row && column_of(c) == *name).map(|(_, s)| s).collect();
            let _ = write!(line, "  {:>width$}", tally(&here), width = name.len().max(8));
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// Where the seeds of one cell of the grid stand.
fn tally(states: &[&State]) -> String {
    if states.is_empty() {
        return String::new();
    }
    let count = |is: fn(&State) -> bool| states.iter().filter(|s| is(s)).count();
    let marks = [(count(|s| matches!(s, State::Running)), ">"), (count(|s| matches!(s, State::Failed(_))), "!")];
    let marks: String = marks.iter().map(|(n, mark)| mark.repeat(*n)).collect();
    format!("{marks} {}/{}", count(|s| matches!(s, State::Done(_))), states.len()).trim().to_owned()
}

fn shown(summary: Option<Summary>) -> String {
    match summary {
        None => "-".to_owned(),
        Some(Summary { mean, deviation: Some(deviation), .. }) => format!("{mean:.3} ± {deviation:.3}"),
        Some(Summary { mean, .. }) => format!("{mean:.3}"),
    }
}

/// The cells of one line of a table.
struct Group<'a> {
    name: &'a str,
    done: Vec<Trial>,
    failed: usize,
    missing: usize,
}

impl<'a> Group<'a> {
    fn of(name: &'a str, cells: &[&(Cell, Option<Outcome>)]) -> Self {
        let is_done = |o: &&Outcome| o.error.is_none();
        let trial = |(cell, outcome): &(Cell, Option<Outcome>)| outcome.as_ref().filter(is_done).map(|o| Trial::of_cell(cell.seed, cell.stage, o));
        let failed = cells.iter().filter(|(_, o)| o.as_ref().is_some_and(|o| o.error.is_some())).count();
        let done: Vec<Trial> = cells.iter().filter_map(|cell| trial(cell)).collect();
        let missing = cells.len() - done.len() - failed;
        Self { name, done, failed, missing }
    }

    fn count(&self) -> String {
        let mut n = self.done.len().to_string();
        for (count, word) in [(self.failed, "failed"), (self.missing, "missing")] {
            if count > 0 {
                let _ = write!(n, ", {count} {word}");
            }
        }
        n
    }

    fn seconds(&self) -> String {
        match (summary(&self.done, Column::Hours), self.done.first()) {
            (Some(hours), Some(first)) => format!("{:.1} {}", hours.mean * 3600.0, if first.gpu { "GPU" } else { "CPU" }),
            (None, Some(_)) => "CPU and GPU".to_owned(),
            _ => "-".to_owned(),
        }
    }

    fn images(&self, column: Column) -> String {
        let few = |trial: &Trial| column.value(trial).unwrap_or_default();
        self.done.first().map_or("-".to_owned(), |first| few(first).to_string())
    }

    fn found(&self) -> String {
        let shares = |value: fn(&Detection) -> Option<f64>| {
            shown(Summary::of(&self.done.iter().filter_map(|t| value(t.detection.as_ref()?)).collect::<Vec<_>>()))
        };
        match self.done.iter().any(|t| t.detection.is_some()) {
            true => format!("{} / {}", shares(Detection::precision), shares(Detection::recall)),
            false => times_flagged(&self.done).unwrap_or_else(|| "-".to_owned()),
        }
    }
}

/// The measures of a table, in the order of its columns.
const MEASURES: [Column; 4] = [Column::Ca, Column::Asr, Column::Ra, Column::Der];

/// A table for each attack: mean and deviation over seeds, with their number. A best value is in bold where the 95%
/// intervals of all defenses lie apart from its own.
pub fn markdown(cells: &[(Cell, Option<Outcome>)]) -> String {
    let mut out = String::new();
    for attack in distinct(cells.iter().map(|(c, _)| c.attack.as_str())) {
        let _ = writeln!(out, "## {attack}\n");
        let _ = writeln!(out, "| defense | n | CA | ASR | RA | DER | seconds | clean images | poisoned images | found |");
        let _ = writeln!(out, "|---|---|---|---|---|---|---|---|---|---|");
        let of_attack: Vec<&(Cell, Option<Outcome>)> = cells.iter().filter(|(c, _)| c.attack == attack).collect();
        let of = |name| of_attack.iter().filter(|(c, _)| column(c) == name).copied().collect::<Vec<_>>();
        let groups: Vec<Group> = distinct(of_attack.iter().map(|(c, _)| column(c))).into_iter().map(|name| Group::of(name, &of(name))).collect();
        let winners = MEASURES.map(|column| winner(&groups, column));
        for group in &groups {
            out += &row(group, winners);
        }
        if winners.iter().any(Option::is_some) {
            out += "\nBold: the 95% intervals (Student's t over seeds) of all other defenses lie apart.\n";
        }
        out.push('\n');
    }
    if cells.iter().filter_map(|(_, outcome)| outcome.as_ref()).any(|o| o.detection.is_some() || o.flagged.is_some()) {
        out += "Found: precision / recall of what was removed; of Neural Cleanse, in how many runs it flagged the attacker's class.\n";
    }
    out
}

/// The defense that is best in a column, where one is.
fn winner<'a>(groups: &[Group<'a>], column: Column) -> Option<&'a str> {
    let contest: Vec<(&str, Summary)> =
        groups.iter().filter(|g| g.name != PLANTED).filter_map(|g| Some((g.name, summary(&g.done, column)?))).collect();
    let samples: Vec<Summary> = contest.iter().map(|(_, sample)| *sample).collect();
    match best(&samples, column.better()?) {
        Best::Is(place) => contest.get(place).map(|(name, _)| *name),
        _ => None,
    }
}

fn row(group: &Group, winners: [Option<&str>; 4]) -> String {
    let mut fields = vec![group.name.to_owned(), group.count()];
    for (column, winner) in MEASURES.into_iter().zip(winners) {
        let text = shown(summary(&group.done, column));
        fields.push(if winner == Some(group.name) { format!("**{text}**") } else { text });
    }
    fields.extend([group.seconds(), group.images(Column::Clean), group.images(Column::Poisoned), group.found()]);
    format!("| {} |\n", fields.join(" | "))
}

/// A line for each cell; empty fields where it is not done.
pub fn csv(cells: &[(Cell, Option<Outcome>)]) -> String {
    let mut out = "cell,attack,defense,seed,state,ca_before,asr_before,ra_before,ca,asr,ra,der,rir,seconds,gpu,clean_images,poisoned_images,removed,hits,poisoned,flagged,attack_run,defense_run,device,version,error\n".to_owned();
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
            None => fields.extend(std::iter::repeat_n(String::new(), 20)),
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
    fields.push(o.flagged.map_or_else(String::new, |yes| yes.to_string()));
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
        assert!(!text.contains("**"), "one of the defenses has no runs, and none is the best of one");
    }

    #[test]
    fn what_was_found_is_said_in_the_words_of_each_defense() {
        let mut cells = cells();
        let abl = Detection { removed: 8, hits: 6, poisoned: 12 };
        for (place, (flagged, detection)) in [(1, (Some(true), None)), (2, (Some(false), None)), (4, (None, Some(abl)))] {
            cells[place].1 = Some(Outcome { flagged, detection, ..Outcome::default() });
        }
        let text = markdown(&cells);
        assert!(text.lines().any(|line| line.starts_with("| nad ") && line.ends_with("| class in 1 of 2 |")), "{text}");
        assert!(text.lines().any(|line| line.starts_with("| abl ") && line.ends_with("| 0.750 / 0.500 |")), "{text}");
        assert!(text.ends_with("it flagged the attacker's class.\n"), "{text}");
        let sheet = csv(&cells);
        let column = sheet.lines().next().map(|head| head.split(',').position(|name| name == "flagged")).unwrap().unwrap();
        let flags: Vec<&str> = sheet.lines().skip(1).map(|line| line.split(',').nth(column).unwrap()).collect();
        assert_eq!(flags, ["", "true", "false", "", ""]);
    }

    #[test]
    fn many_defenses_have_a_line_each_and_what_does_not_exist_is_blank() {
        let (mut cells, mut states): (Vec<Cell>, Vec<State>) = cells().into_iter().map(|(cell, _)| (cell, State::Waiting)).unzip();
        states[1] = State::Running;
        let other = Cell { attack: "wanet".into(), ..cells[0].clone() };
        cells.push(other);
        states.push(State::Done(Box::default()));
        assert_eq!(grid(&cells, &states), "         (attack)       nad       abl\nbadnets       0/1     > 0/3       0/1\nwanet         1/1\n");
        for n in 0..MOST_COLUMNS {
            cells.push(Cell { defense: Some(format!("lr {n}")), ..cells[0].clone() });
            states.push(State::Waiting);
        }
        let text = grid(&cells, &states);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..4], ["           badnets     wanet", "(attack)       0/1       1/1", "nad          > 0/3", "abl            0/1"]);
        assert_eq!(lines.len(), 4 + MOST_COLUMNS);
    }

    #[test]
    fn a_best_is_in_bold_where_intervals_lie_apart() {
        let mut all = cells();
        all.truncate(1);
        for (name, asr) in [("nad", [0.900, 0.901]), ("abl", [0.100, 0.101])] {
            for (seed, asr) in asr.into_iter().enumerate() {
                let mut one = cells()[1].clone();
                one.0.defense = Some(name.to_owned());
                one.0.seed = seed as u64;
                if let Some(outcome) = &mut one.1 {
                    outcome.after.asr = asr;
                }
                all.push(one);
            }
        }
        let text = markdown(&all);
        assert!(text.contains("| abl | 2 | 0.900 ± 0.000 | **0.101 ± 0.001** |") || text.contains("| **0.100 ± 0.001** |"), "{text}");
        assert_eq!(text.matches("**").count(), 4, "ASR and DER, and CA and RA are equal: {text}");
        // Hours of two kinds are not averaged.
        if let Some(outcome) = &mut all[1].1 {
            outcome.gpu = true;
        }
        assert!(markdown(&all).contains("| CPU and GPU |"));
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
