//! LF's closed form beside the arrays that BackdoorBench ships (spec.md 12(3)), for whoever has them: `TUNEOUT_LF_ARRAYS`
//! names its folder `resource/lowFrequency`.

use std::path::PathBuf;
use tuneout::attack;
use tuneout::spec::{RunSpec, Trigger};

/// Data set, colour of the closed form, and how many grey levels apart it and the array may lie.
const ARRAYS: [(&str, &str, f64); 3] = [("cifar10", "[18, 0, 51]", 1.0), ("cifar100", "[51, 37, 2]", 1.6), ("gtsrb", "[51, 5, 21]", 3.1)];
/// Our pattern is rounded to whole levels.
const ROUNDING: f64 = 0.5;
const SIDE: usize = 32;

/// The closed form in `colour`, as rows of pixels of three channels: on a black image the trigger alone is left.
fn closed_form(colour: &str) -> Vec<f64> {
    let changes = [("attack.name", "lf"), ("attack.colour", colour)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let spec = RunSpec::default().with_all(&changes, "test").unwrap();
    assert!(matches!(spec.attack.trigger, Trigger::Lf(_)));
    let shape = [3, SIDE, SIDE];
    let mut planes = vec![0u8; 3 * SIDE * SIDE];
    attack::build(&spec.attack, shape, 0).unwrap().unwrap().trigger(&mut planes, shape);
    (0..SIDE * SIDE).flat_map(|pixel| [0, 1, 2].map(|c| f64::from(planes[c * SIDE * SIDE + pixel]))).collect()
}

/// The numbers of a `.npy` file: format 1 or 2, C order, `u1`, `f4` or `f8`.
fn numbers(bytes: &[u8]) -> Result<Vec<f64>, String> {
    let major = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', major, ..] => *major,
        _ => return Err("no .npy file".to_owned()),
    };
    let head = if major == 1 { 10 } else { 12 };
    let length = bytes[8..head].iter().rev().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
    let header = String::from_utf8_lossy(bytes.get(head..head + length).ok_or("the header is cut off")?).into_owned();
    if header.contains("'fortran_order': True") {
        return Err(format!("columns first: {header}"));
    }
    let data = &bytes[head + length..];
    let f4 = |b: &[u8]| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let f8 = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
    match header {
        h if h.contains("|u1") => Ok(data.iter().map(|b| f64::from(*b)).collect()),
        h if h.contains("<f4") => Ok(data.chunks_exact(4).map(f4).collect()),
        h if h.contains("<f8") => Ok(data.chunks_exact(8).map(f8).collect()),
        h => Err(format!("unknown numbers: {h}")),
    }
}

/// Grey levels by which the closed form and an array differ at most.
fn apart(array: &[f64], colour: &str) -> f64 {
    let ours = closed_form(colour);
    assert_eq!(array.len(), ours.len(), "the array is not {SIDE} x {SIDE} x 3");
    ours.iter().zip(array).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn npy(descr: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (32, 32, 3), }}").into_bytes();
    header.resize(117, b' ');
    header.push(b'\n');
    [b"\x93NUMPY\x01\x00".to_vec(), (header.len() as u16).to_le_bytes().to_vec(), header, data.to_vec()].concat()
}

#[test]
fn the_reader_and_the_comparison_see_what_is_there() {
    let (_, colour, _) = ARRAYS[0];
    let ours = closed_form(colour);
    let doubles: Vec<u8> = ours.iter().flat_map(|v| (v + 0.25).to_le_bytes()).collect();
    assert_eq!(apart(&numbers(&npy("<f8", &doubles)).unwrap(), colour), 0.25);
    let mut levels: Vec<u8> = ours.iter().map(|v| *v as u8).collect();
    levels[700] += 2;
    assert_eq!(apart(&numbers(&npy("|u1", &levels)).unwrap(), colour), 2.0);
    // Upside down it is another: the peak lies off the middle.
    let mirrored: Vec<f64> = ours.chunks_exact(3 * SIDE).rev().flatten().copied().collect();
    assert!(apart(&mirrored, colour) > 3.0);
    assert!(numbers(b"PK\x03\x04").is_err() && numbers(&npy("<c8", &[])).is_err());
}

#[test]
#[ignore = "needs TUNEOUT_LF_ARRAYS"]
fn the_closed_form_is_backdoorbenchs_array() {
    let folder = std::env::var_os("TUNEOUT_LF_ARRAYS").map(PathBuf::from).expect("TUNEOUT_LF_ARRAYS names a folder");
    for (data, colour, levels) in ARRAYS {
        let path = folder.join(format!("{data}_preactresnet18_0_255.npy"));
        let array = numbers(&std::fs::read(&path).unwrap()).unwrap();
        let apart = apart(&array, colour);
        println!("{data}: {apart:.2} levels");
        assert!(apart <= levels + ROUNDING, "{data}: {apart} levels");
    }
}
