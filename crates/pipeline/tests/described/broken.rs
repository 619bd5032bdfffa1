//! Answers that do not come whole.

use std::io::{Read as _, Write as _};

use bowline_pipeline::SourceErrorKind;
use bowline_words::Diagnose as _;

use crate::vendor::{always, description, runs, source};

/// A list of one run.
const PLAIN: &[u8] = b"[{\"id\": \"1\"}]";

/// A vendor that answers each request with the next of these bytes, and hangs up.
fn blunt(answers: Vec<Vec<u8>>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (answer, stream) in answers.into_iter().zip(listener.incoming()) {
            let mut stream = stream.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.extend(byte);
            }
            stream.write_all(&answer).unwrap();
        }
    });
    url
}

#[test]
fn an_answer_that_is_not_whole_is_told_and_asked_for_again() {
    let answer = |headers: &str, body: &[u8]| {
        let mut answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes();
        answer.extend(body);
        answer
    };
    let packed = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(PLAIN).unwrap();
        packer.finish().unwrap()
    };
    let sized = |body: &[u8]| {
        format!(
            "content-encoding: gzip\r\ncontent-length: {}\r\n",
            body.len()
        )
    };
    let half = &packed[..packed.len() / 2];
    let mut torn = packed.clone();
    torn[12] ^= 0xff;
    for (broken, words) in [
        (
            answer("content-length: 50\r\n", b"[{\"id\":"),
            "status 200: cut off after 7 of 50 bytes",
        ),
        (
            answer("transfer-encoding: chunked\r\n", b"9\r\n[{\"id\":"),
            "status 200: cut off after",
        ),
        (
            answer("", b"[{\"id\":"),
            "status 200: cut off after 7 bytes, for its JSON goes on",
        ),
        (
            answer(&sized(half), half),
            "status 200: its gzip is cut off",
        ),
        (
            answer(&sized(PLAIN), PLAIN),
            "status 200: it says that it is gzip, and is not",
        ),
        (
            answer(&sized(&torn), &torn),
            "status 200: it says that it is gzip, and is not",
        ),
        (b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), "protocol"),
    ] {
        let text = description("path = \"/runs\"");
        let url = blunt(vec![broken.clone()]);
        let error = runs(&source(&url, &text), &always()).unwrap_err();
        let told = error.diagnose().to_string();
        assert_eq!(error.kind, SourceErrorKind::Broken, "{told}");
        assert!(
            told.contains(words) && told.contains("hint: try again later"),
            "{told}"
        );
        let url = blunt(vec![broken, answer("content-length: 13\r\n", PLAIN)]);
        let text = text.replace("retries = 0", "retries = 1");
        let (events, _) = runs(&source(&url, &text), &always()).unwrap();
        assert_eq!(events.len(), 1, "{words}");
    }
}
