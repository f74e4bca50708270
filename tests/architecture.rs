//! Rules about the code that the compiler does not know.

use std::path::{Path, PathBuf};

fn sources(dir: &str) -> Vec<(PathBuf, String)> {
    fn walk(path: &Path, out: &mut Vec<(PathBuf, String)>) {
        if path.is_dir() {
            let mut entries: Vec<_> = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
            entries.sort();
            entries.iter().for_each(|p| walk(p, out));
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push((path.to_owned(), std::fs::read_to_string(path).unwrap()));
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut out);
    assert!(!out.is_empty(), "{dir} holds no source");
    out
}

/// The line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap()
}

#[test]
fn the_tensor_library_is_named_below_the_engine_only() {
    for part in ["src/app", "src/ui", "src/figure", "src/export", "src/spec", "src/schedule.rs", "src/data"] {
        for (file, text) in sources(part) {
            let named = text
                .lines()
                .map(code)
                .find(|l| l.contains("burn::") || l.contains("burn_") || l.contains("crate::model") || l.contains("crate::train"));
            assert_eq!(named, None, "{}", file.display());
        }
    }
}

#[test]
fn the_engine_knows_no_screen() {
    for part in ["src/spec", "src/data", "src/kernel", "src/model", "src/attack", "src/defense", "src/train", "src/run"] {
        for (file, text) in sources(part) {
            let named =
                text.lines().map(code).find(|l| ["crate::ui", "crate::app", "crate::cli", "ratatui", "crossterm::"].iter().any(|w| l.contains(w)));
            assert_eq!(named, None, "{}", file.display());
        }
    }
}

#[test]
fn unsafe_code_stands_in_the_kernels_alone() {
    for (file, text) in sources("src") {
        let kernel = file.components().any(|c| c.as_os_str() == "kernel");
        let found = text.lines().map(code).any(|l| l.contains("unsafe ") || l.contains("unsafe{"));
        assert!(kernel || !found, "{}", file.display());
    }
}

#[test]
fn files_stay_readable() {
    for (file, text) in sources("src") {
        let lines = text.lines().count();
        assert!(lines <= 450, "{} has {lines} lines: is there a second concept inside?", file.display());
    }
}
