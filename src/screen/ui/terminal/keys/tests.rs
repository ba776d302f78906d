//! The decoder against real terminals' bytes, against cut and hostile ones, and against every byte string.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

fn all(bytes: &[u8]) -> Vec<Msg> {
    let (mut keys, mut out) = (Keys::default(), Vec::new());
    keys.take(bytes, &mut out);
    while keys.patience().is_some() {
        keys.nothing_more(&mut out);
    }
    out
}

/// Keys as the app writes them, pastes in quotes.
fn words(bytes: &[u8]) -> String {
    let word = |msg: &Msg| match msg {
        Msg::Key(key) => key.to_string(),
        other => format!("{other:?}"),
    };
    all(bytes).iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_arrive_as_the_app_writes_them() {
    let table: &[(&[u8], &str)] = &[
        (b"a", "a"),
        (b"R", "R"),
        ("跑é👍".as_bytes(), "跑 é 👍"),
        (b"\r\t\x7f ", "Enter Tab Backspace Space"),
        (b"\x03\x12\x1a\x00\x1c\n", "Ctrl-C Ctrl-R Ctrl-Z Ctrl-Space Ctrl-4 Ctrl-J"),
        (b"\x1b", "Esc"),
        (b"\x1b\x1b", "Esc Esc"),
        (b"\x1b\r\x1bu", "Alt-Enter Alt-u"),
        (b"\x1b[", "Alt-["),
        (b"\x1bP", "Alt-P"),
        (b"\x1bO", "Alt-O"),
        ("\x1b跑".as_bytes(), "Alt-跑"),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "↑ ↓ → ← Home End"),
        (b"\x1bOA\x1bOP\x1bOS\x1bOM", "↑ F1 F4 Enter"),
        (b"\x1b[1;5A\x1b[1;3B\x1b[1;2C", "Ctrl-↑ Alt-↓ Shift-→"),
        (b"\x1b[Z\x1b[1;2Z", "Shift-Tab Shift-Tab"),
        (b"\x1b[3~\x1b[5~\x1b[6;5~\x1b[1~\x1b[8~", "Del PgUp Ctrl-PgDn Home End"),
        (b"\x1b[15~\x1b[17~\x1b[24~\x1b[[E\x1b[1;2P", "F5 F6 F12 F5 Shift-F1"),
        (b"\x1b[13;5u\x1b[97;5u\x1b[97;2u\x1b[27u\x1b[9;2u", "Ctrl-Enter Ctrl-A A Esc Shift-Tab"),
        (b"\x1b[27;5;13~\x1b[27;5;82~", "Ctrl-Enter Ctrl-R"),
        (b"\x1b[97;1:3u\x1b[1;1:3A\x1b[97;9u\x1b[57441u", ""),
        (b"\x1b[57399u\x1b[57414u\x1b[57419u", "0 Enter ↑"),
        ("\x1b[200~跑 q\r\x1b[201~x".as_bytes(), "Paste(\"跑 q\\r\") x"),
    ];
    for (bytes, wanted) in table {
        assert_eq!(words(bytes), *wanted, "{bytes:?}");
    }
}

#[test]
fn reports_and_rubbish_are_no_keys_and_the_next_key_is_heard() {
    let hostile: &[&[u8]] = &[
        b"\x1b[<0;0;0M",
        b"\x1b[<65535;65535;65535M",
        b"\x1b[<0;0;0m",
        b"\x1b[<1;1",
        b"\x1b[M\x00\x00\x00",
        b"\x1b[M !!",
        b"\x1b[M",
        b"\x1b[32;0;0M",
        b"\x1b[0;0R",
        b"\x1b[;R",
        b"\x1b[0;0n",
        b"\x1b[999999999999A",
        b"\x1b[?0u",
        b"\x1b[?1;2c",
        b"\x1b[?\xff",
        b"\x1b[?",
        b"\x1b[99999999999~",
        b"\x1b[I\x1b[O",
        b"\x1bP>|x\x1b\\",
        b"\x1b]11;rgb:0/0/0\x07",
        b"\x1b]11;rgb:0/0/0",
        b"\x1b_Gi=1;OK\x1b\\",
        b"\xf5\x80\x80\x80",
        b"\xe2\x82",
        b"\xf0\x9f\x99",
        b"\xc2\x9b",
        b"\xed\xa0\x80",
        b"\x1bO\xff",
    ];
    for bytes in hostile {
        let (mut keys, mut out) = (Keys::default(), Vec::new());
        keys.take(bytes, &mut out);
        while keys.patience().is_some() {
            keys.nothing_more(&mut out);
        }
        assert_eq!(format!("{out:?}"), "[]", "{bytes:?}");
        keys.take(b"?", &mut out);
        assert_eq!(format!("{out:?}"), format!("{:?}", [Msg::Key(Key::char('?'))]), "{bytes:?}");
    }
}

#[test]
fn a_long_sequence_ends_with_its_final_byte_and_is_held_in_little_room() {
    let mut bytes = b"\x1b[".to_vec();
    bytes.extend(std::iter::repeat_n(b'1', 1_000_000));
    bytes.extend(b"~x");
    assert_eq!(words(&bytes), "x");
    let mut answer = b"\x1b]".to_vec();
    answer.extend(std::iter::repeat_n(b'y', MOST_ANSWER + 2));
    assert!(words(&answer).ends_with('y'), "an answer without an end is not waited for any longer");
}

#[test]
fn a_paste_that_is_late_or_never_ends_loses_nothing() {
    let (mut keys, mut out) = (Keys::default(), Vec::new());
    keys.take(b"\x1b[200~one \x1b[20", &mut out);
    assert_eq!(keys.patience(), Some(REST));
    keys.nothing_more(&mut out);
    keys.take(b"1~k", &mut out);
    assert_eq!(format!("{out:?}"), format!("{:?}", [Msg::Paste("one ".into()), Msg::Key(Key::char('k'))]));
    out.clear();
    keys.take(b"\x1b[200~two\x1b", &mut out);
    keys.nothing_more(&mut out);
    keys.take(b"k", &mut out);
    assert_eq!(format!("{out:?}"), format!("{:?}", [Msg::Paste("two".into()), Msg::Key(Key::char('k'))]));
}

/// However the bytes are cut into pieces, they mean the same; and nothing panics.
#[test]
fn any_bytes_in_any_pieces() {
    let mut random = ChaCha8Rng::seed_from_u64(13);
    let alphabet = b"\x1b\x1b\x1b[[[O];:?<M0123456789~uRmAZPxq\x03\x07\\ \xe8\xb7\x91\xff\x80\x9b\x00";
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..random.random_range(0..40))
            .map(|_| alphabet.get(random.random_range(0..alphabet.len())).copied().unwrap_or(0))
            .collect();
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        Keys::default().take(&bytes, &mut whole);
        let mut keys = Keys::default();
        for piece in bytes.chunks(random.random_range(1..8)) {
            keys.take(piece, &mut pieces);
        }
        assert_eq!(format!("{whole:?}"), format!("{pieces:?}"), "{bytes:?}");
    }
}
