//! A run as CSV: one row for each look at the model.

use crate::run::view::{Point, RunView};

/// Names of the columns. `kind` is `epoch` (the whole test set, after an epoch) or `probe` (the fixed subset, within
/// one); `ca`, `asr` and `ra` are shares of 1, `lr` and `loss` those since the look before.
pub const COLUMNS: [&str; 11] = ["run", "stage", "seed", "kind", "epoch", "step", "lr", "loss", "ca", "asr", "ra"];

/// Epochs and probes of `runs` by step, with a header line (RFC 4180, `\n` at line ends).
pub fn runs<'a>(runs: impl IntoIterator<Item = &'a RunView>) -> String {
    let mut out = line(COLUMNS);
    runs.into_iter().for_each(|view| out.push_str(&rows(view)));
    out
}

fn rows(view: &RunView) -> String {
    let mut points: Vec<(&Point, &str)> = view.epochs.iter().map(|p| (p, "epoch")).chain(view.probes.iter().map(|p| (p, "probe"))).collect();
    // At an epoch's end the subset is looked at before the whole test set.
    points.sort_by_key(|(point, kind)| (point.step, *kind == "epoch"));
    let stage = view.stage.map_or("", |s| s.name());
    let number = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
    let row = |(p, kind): (&Point, &str)| {
        let m = p.measures;
        let head = [view.facts.id.clone(), stage.to_owned(), view.facts.seed.to_string(), kind.to_owned(), number(p.epoch), p.step.to_string()];
        line(head.into_iter().chain([p.lr, p.loss, m.ca, m.asr, m.ra].map(number)))
    };
    points.into_iter().map(row).collect()
}

/// One line of CSV. Fields that hold a comma, a quote or a line end are quoted.
pub fn line<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> String {
    let quoted = |field: S| {
        let field = field.as_ref();
        if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
    };
    let mut line = fields.into_iter().map(quoted).collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

/// The fields of each line of a CSV that [`line()`] wrote.
pub fn parse(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut fields, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                fields.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut fields));
            }
            other => field.push(other),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let fields = ["", "a,b", "say \"x\"", "two\nlines", "plain"].map(str::to_owned);
        assert_eq!(parse(&(line(&fields) + &line(["1", "2"]))), [fields.to_vec(), vec!["1".to_owned(), "2".to_owned()]]);
    }
    use crate::run::event::Measures;
    use crate::spec::Stage;

    #[test]
    fn rows_come_by_step_and_awkward_words_are_quoted() {
        let point = |epoch, step| Point { epoch, step, lr: 0.1, loss: f64::NAN, measures: Measures { ca: 0.5, asr: 0.25, ..Measures::default() } };
        let mut view = RunView { stage: Some(Stage::Defense), epochs: vec![point(0.0, 0), point(1.0, 10)], ..RunView::default() };
        view.probes = vec![point(0.5, 5), point(1.0, 10)];
        view.facts.id = "a,\"b\"".into();
        let text = runs([&view]);
        let expected = "run,stage,seed,kind,epoch,step,lr,loss,ca,asr,ra
\"a,\"\"b\"\"\",defense,0,epoch,0,0,0.1,,0.5,0.25,0
\"a,\"\"b\"\"\",defense,0,probe,0.5,5,0.1,,0.5,0.25,0
\"a,\"\"b\"\"\",defense,0,probe,1,10,0.1,,0.5,0.25,0
\"a,\"\"b\"\"\",defense,0,epoch,1,10,0.1,,0.5,0.25,0
";
        assert_eq!(text, expected);
    }
}
