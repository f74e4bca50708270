//! Real data: the official CIFAR-10 files, or a cut of them, in the folder that `TUNEOUT_TEST_DATA` names.
//!
//! Run with `--ignored`; without the data these tests fail, so that a run that saw none is not taken for a pass.

use std::path::PathBuf;
use tuneout::data::{DataDirs, check, load, preview};
use tuneout::spec::data::{Data, Files};

fn dirs() -> DataDirs {
    let root = std::env::var_os("TUNEOUT_TEST_DATA").map(PathBuf::from).expect("TUNEOUT_TEST_DATA names a folder");
    let nested = ["cifar-10-lossless", "cifar-10-full"].map(|folder| root.join(folder));
    DataDirs { dirs: [vec![root], nested.to_vec()].concat() }
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn cifar10_checks_out() {
    let lines = check(&Data::Cifar10(Files::default()), &dirs()).unwrap();
    assert_eq!(lines.iter().filter(|line| line.ends_with("ok")).count(), 6, "{lines:?}");
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn cifar10_has_its_known_colours_and_every_class() {
    let set = load(&Data::Cifar10(Files { train: 5000, test: 500 }), &dirs(), &mut |_, _| {}).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (5000, 500));
    for channel in 0..3 {
        let planes = (0..5000).flat_map(|i| &set.train.images.get(i)[channel * 1024..][..1024]);
        let mean = planes.map(|&p| f64::from(p)).sum::<f64>() / (5000.0 * 1024.0 * 255.0);
        assert!((mean - f64::from(set.normalise.mean[channel])).abs() < 0.01, "channel {channel}: {mean}");
    }
    for class in 0..10 {
        let count = set.train.labels.iter().filter(|&&label| label == class).count();
        assert!((350..650).contains(&count), "{count} of class {class}");
    }
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn cifar10_pictures_stand_upright() {
    // Neighbours resemble each other along both axes when planes, rows and columns are taken in the right order.
    let set = load(&Data::Cifar10(Files { train: 300, test: 1 }), &dirs(), &mut |_, _| {}).unwrap();
    let step = |offset: usize| {
        let pairs = (0..300).flat_map(|i| {
            let green = &set.train.images.get(i)[1024..2048];
            (0..1024 - offset).map(|at| f64::from(green[at].abs_diff(green[at + offset])))
        });
        pairs.sum::<f64>() / (300 * (1024 - offset)) as f64
    };
    assert!(step(1) < 20.0 && step(32) < 20.0 && step(16) > 1.5 * step(32), "{} {} {}", step(1), step(32), step(16));
    // Sky lies above ships and airplanes: the upper third is brighter than the lower one.
    let light = |rows: std::ops::Range<usize>| {
        let outdoors = (0..300).filter(|&i| matches!(set.train.labels[i], 0 | 8));
        outdoors.flat_map(|i| &set.train.images.get(i)[2048..][rows.start * 32..rows.end * 32]).map(|&p| f64::from(p)).sum::<f64>()
    };
    assert!(light(0..10) > light(22..32));
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn the_preview_is_the_beginning_of_the_test_batch() {
    let data = Data::Cifar10(Files { train: 10, test: 20 });
    let all = load(&data, &dirs(), &mut |_, _| {}).unwrap().test;
    assert_eq!(preview(&data, &dirs(), 7).unwrap(), all.first(7, "test").unwrap());
}

#[test]
#[ignore = "needs TUNEOUT_TEST_DATA"]
fn more_than_there_is_is_refused() {
    let data = Data::Cifar10(Files { train: 10_000_000, test: 1 });
    let words = load(&data, &dirs(), &mut |_, _| {}).unwrap_err().to_string();
    assert!(words.contains("train: 10000000 images were asked for"), "{words}");
}
