//! Small valid data sets in their official formats, written here so that the readers can be tried without a download.
#![allow(dead_code, reason = "each test file uses its own part")]

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::fs;
use std::io::Write;
use std::path::Path;
use tuneout::data::DataDirs;
use tuneout::spec::data::{Data, Files, Located, Resized};

/// Bytes that no packer makes shorter; the same for the same salt.
pub fn noise(count: usize, salt: u64) -> Vec<u8> {
    let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(next).collect()
}

pub fn put(dir: &Path, file: &str, bytes: impl AsRef<[u8]>) {
    let path = dir.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

pub fn dirs(dir: &Path) -> DataDirs {
    DataDirs { dirs: vec![dir.to_owned()], ..DataDirs::default() }
}

/// Writes the set `name` into `dir`; what reads it.
pub fn write(name: &str, dir: &Path) -> Data {
    match name {
        "cifar10" => cifar10(dir),
        "cifar100" => cifar100(dir),
        "stl10" | "stl10-unlabeled" => stl10(dir, name),
        "gtsrb" => gtsrb(dir),
        "svhn" => svhn(dir),
        "idx" => idx(dir),
        "folder" => folder(dir),
        _ => unreachable!("{name}"),
    }
}

fn cifar10(dir: &Path) -> Data {
    for batch in 1..=6 {
        let file = if batch == 6 { "test_batch.bin".to_owned() } else { format!("data_batch_{batch}.bin") };
        let records = [[batch as u8], [9]].into_iter().flat_map(|label| [&label[..], &noise(3072, batch)].concat());
        put(dir, &format!("cifar-10-batches-bin/{file}"), records.collect::<Vec<u8>>());
    }
    Data::Cifar10(Files::default())
}

fn cifar100(dir: &Path) -> Data {
    for (file, salt) in [("train.bin", 1), ("test.bin", 2)] {
        let records = [[19, 99], [0, 7]].into_iter().flat_map(|labels| [&labels[..], &noise(3072, salt)].concat());
        put(dir, &format!("cifar-100-binary/{file}"), records.collect::<Vec<u8>>());
    }
    Data::Cifar100(Files::default())
}

/// Bytes of an STL-10 image.
pub const STL: usize = 3 * 96 * 96;

fn stl10(dir: &Path, name: &str) -> Data {
    for (part, labels) in [("train", &[1, 10][..]), ("test", &[3, 2])] {
        put(dir, &format!("stl10_binary/{part}_X.bin"), noise(labels.len() * STL, labels[0].into()));
        put(dir, &format!("stl10_binary/{part}_y.bin"), labels);
    }
    if name == "stl10" {
        return Data::Stl10(Resized::default());
    }
    put(dir, "stl10_binary/unlabeled_X.bin", noise(2 * STL, 9));
    Data::Stl10Unlabeled(Resized::default())
}

pub const HEADER: &str = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\r\n";

pub fn ppm(width: usize, height: usize, salt: u64) -> Vec<u8> {
    [format!("P6\n{width} {height}\n255\n").as_bytes(), &noise(width * height * 3, salt)].concat()
}

/// One picture of each class and three for the test; few bytes, so that fuzzing is quick.
fn gtsrb(dir: &Path) -> Data {
    for class in 0..43 {
        let folder = format!("GTSRB/Final_Training/Images/{class:05}");
        put(dir, &format!("{folder}/00000_00000.ppm"), ppm(15, 16, class));
        put(dir, &format!("{folder}/GT-{class:05}.csv"), format!("{HEADER}00000_00000.ppm;15;16;5;5;10;11;{class}\r\n"));
    }
    let rows: String = (0..3).map(|i| format!("{i:05}.ppm;{};20;1;1;9;9;{}\r\n", 17 + i, 40 + i)).collect();
    (0..3).for_each(|i| put(dir, &format!("GTSRB/Final_Test/Images/{i:05}.ppm"), ppm(17 + i, 20, 99)));
    put(dir, "GTSRB/GT-final_test.csv", format!("{HEADER}{rows}"));
    Data::Gtsrb(Resized::default())
}

/// An element of a MATLAB 5 file.
pub fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// A small element: up to four bytes within the tag.
pub fn small(kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut out = (kind | (bytes.len() as u32) << 16).to_le_bytes().to_vec();
    out.extend(bytes);
    out.resize(8, 0);
    out
}

/// An array: class 9 is uint8, 6 double; type 2 is uint8, 9 double.
pub fn matrix(name: &str, class: u8, dims: &[i32], kind: u32, data: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
    let name = if name.len() <= 4 { small(1, name.as_bytes()) } else { element(1, name.as_bytes()) };
    let data = if data.len() <= 4 { small(kind, data) } else { element(kind, data) };
    element(14, &[element(6, &[class, 0, 0, 0, 0, 0, 0, 0]), element(5, &dims), name, data].concat())
}

/// Any element, compressed.
pub fn packed(element: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(element).unwrap();
    let bytes = zlib.finish().unwrap();
    [&15_u32.to_le_bytes()[..], &(bytes.len() as u32).to_le_bytes(), &bytes].concat()
}

pub fn mat(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut header = b"MATLAB 5.0 MAT-file, written by a test".to_vec();
    header.resize(124, b' ');
    header.extend([0, 1, b'I', b'M']);
    [header, elements.concat()].concat()
}

/// `count` images and labels of a part of SVHN.
pub fn digits(count: usize) -> [Vec<u8>; 2] {
    let labels: Vec<u8> = (0..count).map(|i| 10 - (i % 10) as u8).collect();
    [matrix("X", 9, &[32, 32, 3, count as i32], 2, &noise(3072 * count, count as u64)), matrix("y", 6, &[count as i32, 1], 2, &labels)]
}

fn svhn(dir: &Path) -> Data {
    let [x, y] = digits(3);
    put(dir, "svhn/train_32x32.mat", mat(&[packed(&x), packed(&y)]));
    let [x, y] = digits(2);
    put(dir, "svhn/test_32x32.mat", mat(&[x, y]));
    Data::Svhn(Files::default())
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

/// An IDX file of bytes.
pub fn idx_file(dims: &[u32], data: &[u8]) -> Vec<u8> {
    let dims_bytes: Vec<u8> = dims.iter().flat_map(|dim| dim.to_be_bytes()).collect();
    [&[0, 0, 8, dims.len() as u8][..], &dims_bytes, data].concat()
}

/// Plain training files, gzipped test files.
fn idx(dir: &Path) -> Data {
    put(dir, "idx/train-images-idx3-ubyte", idx_file(&[4, 28, 28], &noise(4 * 784, 1)));
    put(dir, "idx/train-labels-idx1-ubyte", idx_file(&[4], &[0, 2, 1, 2]));
    put(dir, "idx/t10k-images-idx3-ubyte.gz", gz(&idx_file(&[2, 28, 28], &noise(2 * 784, 2))));
    put(dir, "idx/t10k-labels-idx1-ubyte.gz", gz(&idx_file(&[2], &[1, 0])));
    Data::Idx(Located { path: dir.join("idx").to_str().unwrap().to_owned(), ..Located::default() })
}

pub fn picture(format: image::ImageFormat, width: usize, height: usize) -> Vec<u8> {
    let rgb = image::RgbImage::from_raw(width as u32, height as u32, noise(width * height * 3, 5)).unwrap();
    let mut out = std::io::Cursor::new(Vec::new());
    rgb.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn folder(dir: &Path) -> Data {
    for part in ["train", "test"] {
        put(dir, &format!("own/{part}/ants/a.png"), picture(image::ImageFormat::Png, 20, 12));
        put(dir, &format!("own/{part}/bees/b.jpg"), picture(image::ImageFormat::Jpeg, 24, 24));
        put(dir, &format!("own/{part}/bees/c.ppm"), ppm(9, 7, 3));
    }
    Data::Folder(Located { path: dir.join("own").to_str().unwrap().to_owned(), ..Located::default() })
}
