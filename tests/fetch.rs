//! `tuneout data fetch` against servers on this machine: broken connections, wrong files, full disks, hostile archives.
#![cfg(feature = "download")]

#[path = "common/sets.rs"]
mod sets;

use md5::{Digest, Md5};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tuneout::data::fetch::{Archive, FetchError, Form, Source, from_source, unpack};
use tuneout::spec::Data;

/// How a server answers one request.
#[derive(Clone, Debug)]
enum Manner {
    /// As it should: all, or from the byte that is asked for.
    Well,
    /// So many bytes, then it hangs up.
    Breaks(usize),
    /// All, whatever is asked for.
    IgnoresRange,
    /// A part that begins elsewhere.
    WrongPart,
    /// Another place.
    Redirects,
    /// A status and nothing else.
    Status(u16),
}
use Manner::{Breaks, IgnoresRange, Redirects, Status, Well, WrongPart};

/// A server that answers one request in each manner, then well; what was asked for.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

fn serve(files: Vec<(&'static str, Vec<u8>)>, manners: Vec<Manner>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    std::thread::spawn(move || {
        let mut manners = manners.into_iter();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(request) = lines.next() else { continue };
            let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let path = request.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
            let range =
                headers.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=")?.trim_end_matches('-').parse::<usize>().ok());
            log.lock().unwrap().push(format!("{path} {}", range.unwrap_or(0)));
            let manner = manners.next().unwrap_or(Well);
            let bytes = files.iter().find(|file| file.0 == path.trim_start_matches("elsewhere/")).map(|file| file.1.clone());
            let mut answer = |status: &str, headers: &str, body: &[u8]| {
                // The client may hang up first.
                drop(
                    stream
                        .write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n").as_bytes())
                        .and_then(|()| stream.write_all(body)),
                );
            };
            let Some(bytes) = bytes else {
                answer("404 Not Found", "Content-Length: 0\r\n", b"");
                continue;
            };
            let all = bytes.len();
            let from = if matches!(manner, IgnoresRange) { 0 } else { range.unwrap_or(0) };
            match manner {
                Status(status) => answer(&format!("{status} No"), "Content-Length: 0\r\n", b""),
                Redirects => answer("302 Found", &format!("Location: /elsewhere/{path}\r\nContent-Length: 0\r\n"), b""),
                _ if from >= all => answer("416 Range Not Satisfiable", &format!("Content-Range: bytes */{all}\r\nContent-Length: 0\r\n"), b""),
                WrongPart => answer(
                    "206 Partial Content",
                    &format!("Content-Range: bytes 1-{}/{all}\r\nContent-Length: {}\r\n", all - 1, all - 1),
                    &bytes[1..],
                ),
                _ => {
                    let (status, span) = match range {
                        Some(_) if !matches!(manner, IgnoresRange) => {
                            ("206 Partial Content", format!("Content-Range: bytes {from}-{}/{all}\r\n", all - 1))
                        }
                        _ => ("200 OK", String::new()),
                    };
                    let end = if let Breaks(count) = manner { (from + count).min(all) } else { all };
                    answer(status, &format!("{span}Content-Length: {}\r\n", all - from), &bytes[from..end]);
                }
            }
        }
    });
    Server { url, asked }
}

impl Server {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

const FILE: &str = "cifar-100-binary.tar.gz";

/// A CIFAR-100 of four records in its archive.
fn archive() -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    sets::write("cifar100", root.path());
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("cifar-100-binary", root.path().join("cifar-100-binary")).unwrap();
    sets::gz(&tar.into_inner().unwrap())
}

fn source(bytes: &[u8], known: bool) -> Source {
    let md5: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let archive = Archive { file: FILE, md5: md5.leak(), sha256: None, bytes: known.then_some(bytes.len() as u64), form: Form::TarGz, into: "" };
    let archives = vec![archive].leak();
    Source { names: &["cifar100"], folder: "cifar-100-binary", base: "http://127.0.0.1:9", archives, size: "", most: 1 << 20, licence: "" }
}

fn data() -> Data {
    Data::Cifar100(tuneout::spec::Files::default())
}

fn fetch(server: &Server, bytes: &[u8], dir: &Path) -> Result<Vec<String>, FetchError> {
    from_source(&source(bytes, false), &data(), Some(&server.url), &sets::dirs(dir), &mut |_, _, _| {})
}

fn entries(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_set_is_downloaded_checked_unpacked_and_its_archive_removed() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(vec![(FILE, bytes.clone())], vec![]);
    let mut seen = Vec::new();
    let mirror = format!("{}/", server.url);
    let lines = from_source(&source(&bytes, true), &data(), Some(&mirror), &sets::dirs(&dir.path().join("new")), &mut |file, done, total| {
        seen.push((file.to_owned(), done, total));
    });
    assert_eq!(lines.unwrap().len(), 3);
    assert_eq!(entries(&dir.path().join("new")), ["cifar-100-binary"]);
    let all = bytes.len() as u64;
    assert_eq!((seen[0].clone(), seen.last().unwrap().clone()), ((FILE.into(), 0, Some(all)), (FILE.into(), all, Some(all))));
    // A second time there is nothing to do, and nothing is asked for.
    assert!(
        from_source(&source(&bytes, true), &data(), Some(&mirror), &sets::dirs(&dir.path().join("new")), &mut |_, _, _| {}).unwrap()[0]
            .contains("already")
    );
    assert_eq!(server.asked(), [format!("{FILE} 0")]);
}

#[test]
fn a_broken_connection_is_resumed_in_the_same_call_and_in_the_next() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(vec![(FILE, bytes.clone())], vec![Breaks(1000), Breaks(500), Breaks(0)]);
    let error = fetch(&server, &bytes, dir.path()).unwrap_err();
    assert!(matches!(error, FetchError::Broken { done: 1500, .. }), "{error}");
    assert!(error.to_string().contains("goes on from there"), "{error}");
    assert_eq!(fs::read(dir.path().join(format!("{FILE}.part"))).unwrap(), bytes[..1500]);
    assert_eq!(fetch(&server, &bytes, dir.path()).unwrap().len(), 3);
    assert_eq!(server.asked(), ["0", "1000", "1500", "1500"].map(|from| format!("{FILE} {from}")));
    assert_eq!(entries(dir.path()), ["cifar-100-binary"]);
}

#[test]
fn a_server_that_ignores_range_sends_it_all_again() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    fs::write(dir.path().join(format!("{FILE}.part")), b"something else entirely").unwrap();
    let server = serve(vec![(FILE, bytes.clone())], vec![IgnoresRange]);
    assert_eq!(fetch(&server, &bytes, dir.path()).unwrap().len(), 3);
    assert_eq!(server.asked(), [format!("{FILE} 23")]);
}

#[test]
fn a_wrong_file_is_dropped_and_the_next_try_starts_anew() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    let other = sets::noise(bytes.len(), 1);
    let error = fetch(&serve(vec![(FILE, other)], vec![]), &bytes, dir.path()).unwrap_err().to_string();
    assert!(error.contains("md5") && error.contains("it was removed"), "{error}");
    assert_eq!(entries(dir.path()), [""; 0]);
    assert!(fetch(&serve(vec![(FILE, bytes.clone())], vec![]), &bytes, dir.path()).is_ok());
}

#[test]
fn a_part_of_another_file_and_one_that_is_too_long_are_dropped() {
    for (part, known) in [(sets::noise(1000, 2), false), (sets::noise(100_000, 2), false), (sets::noise(100_000, 2), true)] {
        let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
        let server = serve(vec![(FILE, bytes.clone())], vec![]);
        fs::write(dir.path().join(format!("{FILE}.part")), part).unwrap();
        let get = || from_source(&source(&bytes, known), &data(), Some(&server.url), &sets::dirs(dir.path()), &mut |_, _, _| {});
        assert!(matches!(get().unwrap_err(), FetchError::Checksum { dropped: true, .. }));
        assert!(get().is_ok());
    }
}

#[test]
fn redirects_are_followed_with_the_range() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(vec![(FILE, bytes.clone())], vec![Redirects, Breaks(2000), Redirects]);
    assert!(fetch(&server, &bytes, dir.path()).is_ok());
    assert_eq!(server.asked(), [format!("{FILE} 0"), format!("elsewhere/{FILE} 0"), format!("{FILE} 2000"), format!("elsewhere/{FILE} 2000")]);
}

#[test]
fn refusals_of_the_server_are_told_with_its_address() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    for (manner, words) in [(Status(404), "answers 404"), (Status(500), "answers 500")] {
        let error = fetch(&serve(vec![(FILE, bytes.clone())], vec![manner]), &bytes, dir.path()).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(FILE) && error.contains("--mirror"), "{error}");
    }
    fs::write(dir.path().join(format!("{FILE}.part")), &bytes[..100]).unwrap();
    let error = fetch(&serve(vec![(FILE, bytes.clone())], vec![WrongPart]), &bytes, dir.path()).unwrap_err().to_string();
    assert!(error.contains("Some(1)") && error.contains("100"), "{error}");
    let nobody = Server { url: "http://127.0.0.1:9".into(), asked: Arc::default() };
    assert!(matches!(fetch(&nobody, &bytes, dir.path()).unwrap_err(), FetchError::Server { .. }));
}

/// `/dev/full` refuses every byte, as a full disk does.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_what_is_there_is_kept() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    let part = dir.path().join(format!("{FILE}.part"));
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let error = fetch(&serve(vec![(FILE, bytes.clone())], vec![]), &bytes, dir.path()).unwrap_err();
    assert!(matches!(&error, FetchError::Disk { kept: true, source, .. } if source.kind() == std::io::ErrorKind::StorageFull), "{error}");
    assert!(error.to_string().contains(".part") && part.is_symlink(), "{error}");
}

#[test]
fn an_archive_that_the_user_put_there_is_used_and_kept() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    let server = serve(vec![], vec![]);
    fs::write(dir.path().join(FILE), &bytes).unwrap();
    assert!(fetch(&server, &bytes, dir.path()).is_ok());
    assert_eq!((entries(dir.path()), server.asked().len()), (vec!["cifar-100-binary".to_owned(), FILE.to_owned()], 0));
    // A wrong one is told of, and not removed: it is theirs.
    fs::remove_dir_all(dir.path().join("cifar-100-binary")).unwrap();
    fs::write(dir.path().join(FILE), b"mine").unwrap();
    assert!(matches!(fetch(&server, &bytes, dir.path()).unwrap_err(), FetchError::Checksum { dropped: false, .. }));
    assert_eq!(fs::read(dir.path().join(FILE)).unwrap(), b"mine");
}

#[test]
fn a_damaged_set_in_the_way_is_left_alone() {
    let (bytes, dir) = (archive(), tempfile::tempdir().unwrap());
    fs::create_dir(dir.path().join("cifar-100-binary")).unwrap();
    let error = fetch(&serve(vec![], vec![]), &bytes, dir.path()).unwrap_err().to_string();
    assert!(error.contains("move it away"), "{error}");
}

#[test]
fn an_archive_without_the_set_leaves_nothing_behind() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    tar.append_data(&mut header, "readme", &b"x"[..]).unwrap();
    let (bytes, dir) = (sets::gz(&tar.into_inner().unwrap()), tempfile::tempdir().unwrap());
    assert!(matches!(fetch(&serve(vec![(FILE, bytes.clone())], vec![]), &bytes, dir.path()).unwrap_err(), FetchError::Disk { .. }));
    assert_eq!(entries(dir.path()), [FILE]);
}

/// A tar entry of any name and type.
fn tar_entry(name: &str, kind: tar::EntryType, link: &str, data: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(data.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    let mut out = [header.as_bytes(), data].concat();
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn zip_of(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, mode, data) in entries {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated).unix_permissions(*mode);
        if *mode == 0o120_777 {
            zip.add_symlink(*name, String::from_utf8_lossy(data), options).unwrap();
        } else {
            zip.start_file(*name, options).unwrap();
            zip.write_all(data).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Unpacks into a folder of its own, and makes sure that nothing lands beside it.
fn unpacked(form: Form, bytes: &[u8], most: u64) -> Result<Vec<String>, String> {
    let root = tempfile::tempdir().unwrap();
    let (archive, folder) = (root.path().join("archive"), root.path().join("into"));
    fs::write(&archive, bytes).unwrap();
    fs::create_dir(&folder).unwrap();
    let result = unpack(&archive, form, &folder, most).map_err(|e| e.to_string());
    assert_eq!(entries(root.path()), ["archive", "into"]);
    if let Err(words) = &result {
        assert!(words.contains("archive"), "{words}");
    }
    result.map(|()| entries(&folder))
}

#[test]
fn good_archives_are_unpacked() {
    use tar::EntryType::{Directory, Regular, XGlobalHeader};
    let tar = [
        tar_entry("pax", XGlobalHeader, "", b""),
        tar_entry("./d/", Directory, "", b""),
        tar_entry("./d/a", Regular, "", b"a"),
        tar_entry("b", Regular, "", b"b"),
    ];
    let tar = [tar.concat(), vec![0; 1024]].concat();
    assert_eq!(unpacked(Form::TarGz, &sets::gz(&tar), 2).unwrap(), ["b", "d"]);
    assert_eq!(unpacked(Form::Zip, &zip_of(&[("d/a", 0o644, b"a"), ("b", 0o644, b"b")]), 2).unwrap(), ["b", "d"]);
    assert_eq!(unpacked(Form::Plain, b"bytes", 5).unwrap(), ["archive"]);
}

#[test]
fn hostile_tars_are_refused() {
    use tar::EntryType::{Block, Char, Directory, Fifo, Link, Regular, Symlink};
    let good = tar_entry("good", Regular, "", b"some bytes");
    let mut cases: Vec<Vec<u8>> = ["../out", "a/../../out", "/tmp/out", "..", "a/..", "a\\..\\out", "C:out", "", ".", "./"]
        .map(|name| [good.clone(), tar_entry(name, Regular, "", b"x"), vec![0; 1024]].concat())
        .into();
    cases.extend(["../out", "/tmp/out-of-it", "..", "a/../../b"].map(|name| tar_entry(name, Directory, "", b"")));
    for kind in [Symlink, Link, Char, Block, Fifo] {
        cases.extend(["/etc/passwd", "../out", "good"].map(|target| [good.clone(), tar_entry("link", kind, target, b"")].concat()));
    }
    cases.push([good.clone(), good.clone()].concat());
    cases.push([good.clone(), tar_entry("good/below", Regular, "", b"x")].concat());
    cases.push(good[..600].to_vec());
    cases.push(good[..513].to_vec());
    cases.push([good.clone(), vec![1; 512]].concat());
    cases.push(tar_entry("large", Regular, "", &[0; 101]));
    let packed = sets::gz(&[good.clone(), vec![0; 1024]].concat());
    let mut packed: Vec<Vec<u8>> = [0, 1, 5, 10, 20, packed.len() / 2].map(|length| packed[..length].to_vec()).into();
    packed.push(b"no gzip at all".to_vec());
    for (number, case) in cases.iter().map(|case| sets::gz(case)).chain(packed).enumerate() {
        assert!(unpacked(Form::TarGz, &case, 100).is_err(), "tar {number}");
    }
}

#[test]
fn hostile_zips_are_refused() {
    let mut cases: Vec<Vec<u8>> = ["../out", "a/../../out", "/tmp/out", "..", "a/..", "a\\..\\out", "C:out", "."]
        .map(|name| zip_of(&[("good", 0o644, b"x"), (name, 0o644, b"x")]))
        .into();
    cases.extend(["/etc/passwd", "../out", "good"].map(|target| zip_of(&[("good", 0o644, b"x"), ("link", 0o120_777, target.as_bytes())])));
    cases.push(zip_of(&[("good", 0o644, b"x"), ("good/below", 0o644, b"x")]));
    cases.push(zip_of(&[("large", 0o644, &[0; 101])]));
    cases.push(zip_of(&[("half", 0o644, &[0; 60]), ("other half", 0o644, &[0; 60])]));
    let whole = zip_of(&[("good", 0o644, &sets::noise(90, 1))]);
    cases.extend([0, 1, 4, 30, 60, 100, whole.len() - 30, whole.len() - 22, whole.len() - 1].map(|length| whole[..length].to_vec()));
    // The content, its sum in the directory, the method, the encryption flag, the directory's place.
    let directory = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    for at in [40, directory, directory + 8, directory + 10, directory + 16, whole.len() - 6, whole.len() - 22, whole.len() - 12] {
        let mut case = whole.clone();
        case[at] ^= 0x41;
        cases.push(case);
    }
    for (number, case) in cases.iter().enumerate() {
        assert!(unpacked(Form::Zip, case, 100).is_err(), "zip {number}");
    }
}

#[test]
fn a_bomb_ends_where_the_set_would() {
    let zeros = vec![0; 50_000_000];
    let tar = sets::gz(&tar_entry("bomb", tar::EntryType::Regular, "", &zeros));
    assert!(unpacked(Form::TarGz, &tar, 1000).unwrap_err().contains("more bytes than the set has"));
    assert!(unpacked(Form::Zip, &zip_of(&[("bomb", 0o644, &zeros)]), 1000).unwrap_err().contains("more bytes than the set has"));
}
