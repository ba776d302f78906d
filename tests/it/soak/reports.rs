//! Bytes that no keyboard sends: reports with zeros, sequences cut off or without end, bad UTF-8, pastes
//! full of control characters. Whatever came, the next key is heard and the end leaves a sane terminal.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::stage::{Stage, TEXT};

const REPORTS: &[&[u8]] = &[
    b"\x1b[<0;0;0M",
    b"\x1b[<65535;65535;65535M",
    b"\x1b[<1;1",
    b"\x1b[M\x00\x00\x00",
    b"\x1b[M   ",
    b"\x1b[32;0;0M",
    b"\x1b[0;0R",
    b"\x1b[;R",
    b"\x1b[999999999999A",
    b"\x1b[97;0u",
    b"\x1b[?\xff",
    b"\x1b[?0u",
    b"\x1b[?1;2c",
    b"\x1b[200~\xff\xfe\x9b31m\x00\x1b[201~",
    b"\x1bO\xff",
    b"\xf0\x9f\x99",
    b"\xe2\x82",
    b"\xc3\x28",
    b"\x1bP>|x\x1b\\",
    b"\x1b]11;rgb:0/0/0\x07",
    b"\x1b]52;c;QUJD",
    b"\x1b[I\x1b[O",
];

pub fn round(seed: u64) -> Result<bool, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let stage = Stage::new(TEXT);
    let mut pty = stage.open();
    pty.settle(Duration::from_millis(150));
    for _ in 0..40 {
        match random.random_range(0..8) {
            0 => {
                let mut long = b"\x1b[".to_vec();
                long.extend(std::iter::repeat_n(b'0', random.random_range(1..20_000)));
                pty.bytes_in(&long);
            }
            1 => {
                let bytes: Vec<u8> =
                    (0..random.random_range(1..30)).map(|_| random.random_range(128..=255)).collect();
                pty.bytes_in(&bytes);
            }
            _ => pty.bytes_in(REPORTS[random.random_range(0..REPORTS.len())]),
        }
        if random.random_bool(0.2) {
            std::thread::sleep(Duration::from_millis(random.random_range(0..60)));
        }
    }
    std::thread::sleep(Duration::from_millis(1200));
    // Whatever is open now: twice Escape leads out of it, and `?` shows the help.
    for _ in 0..4 {
        pty.keys("\u{1b}");
        std::thread::sleep(Duration::from_millis(80));
    }
    pty.keys("?");
    pty.wait("the help after the reports", |text| {
        text.contains("Everywhere") || text.contains("Stop what runs")
    });
    pty.signal(libc::SIGTERM);
    let code = pty.wait_exit();
    pty.assert_sane();
    if code != 143 { Err(format!("exit code {code}")) } else { Ok(true) }
}
