use super::super::ini::{MAX_FILE, parse};

/// `section.key=value` of each assignment.
fn assignments(text: &str) -> Vec<String> {
    let document = parse(text.as_bytes());
    assert_eq!(document.faults, [], "{text}");
    document
        .assignments
        .iter()
        .map(|a| format!("{}.{}={}", a.section, a.key, a.value))
        .collect()
}

/// Line and message of the first fault.
fn fault(text: &str) -> (usize, String) {
    let document = parse(text.as_bytes());
    let first = document
        .faults
        .first()
        .unwrap_or_else(|| panic!("no fault in {text:?}"));
    (first.line, first.message.clone())
}

#[test]
fn the_first_sign_of_either_kind_ends_the_name() {
    assert_eq!(
        assignments("[s]\na = 1\nb: 2\nc=x:y\nd:x=y\ne =\n"),
        ["s.a=1", "s.b=2", "s.c=x:y", "s.d=x=y", "s.e="]
    );
}

#[test]
fn comments_begin_in_the_first_column_only() {
    assert_eq!(
        assignments("# c\n; c\n[s]\na = 1 # not a comment\nb = 2 ; nor this\n"),
        ["s.a=1 # not a comment", "s.b=2 ; nor this"]
    );
    // Indented, it continues the value.
    assert_eq!(assignments("[s]\nu=1\n  # x\n"), ["s.u=1\n# x"]);
}

#[test]
fn continuation_lines_are_joined_until_a_blank_line() {
    assert_eq!(
        assignments("[s]\na = 1\n  2\n\t3  \nb = 4\n"),
        ["s.a=1\n2\n3", "s.b=4"]
    );
    assert!(fault("[s]\na = 1\n\n  2\n").1.contains("continues"));
    assert_eq!(fault("[s]\n# c\n  x\n").0, 3);
}

#[test]
fn one_pair_of_equal_quotes_is_removed() {
    for (written, value) in [
        ("'x'", "x"),
        ("\"x\"", "x"),
        ("\" x \"", " x "),
        ("\"x\"y\"", "x\"y"),
        ("\"\"x\"\"", "\"x\""),
        ("\"", ""),
        ("\"\"", ""),
        ("'x\"", "'x\""),
        ("x'", "x'"),
        ("\"x\\\"", "x\\"),
    ] {
        assert_eq!(
            assignments(&format!("[s]\na = {written}\n")),
            [format!("s.a={value}")]
        );
    }
    // Of the first line only.
    assert_eq!(assignments("[s]\na='x'\n b'\n"), ["s.a=x\nb'"]);
}

#[test]
fn sections_merge_without_regard_to_case_but_default_is_in_capitals() {
    assert_eq!(
        assignments("[A]\nx=1\n[b]\nx=2\n[a]\nx=3\n[DEFAULT]\nx=4\n[default]\nx=5\n"),
        ["a.x=1", "b.x=2", "a.x=3", "DEFAULT.x=4", "default.x=5"]
    );
}

#[test]
fn before_any_section_is_default_with_a_remark() {
    let document = parse(b"# c\na = 1\nb = 2\n[s]\nc = 3\n");

    assert_eq!(document.headless, Some(2));
    assert_eq!(document.assignments[0].section, "DEFAULT");
    assert_eq!(parse(b"[DEFAULT]\na = 1\n").headless, None);
}

#[test]
fn any_line_ending_and_a_byte_order_mark_are_understood() {
    assert_eq!(
        assignments("\u{feff}[s]\r\na = 1\r\nb = 2\rc = 3"),
        ["s.a=1", "s.b=2", "s.c=3"]
    );
}

#[test]
fn faults_name_their_line_and_never_its_text() {
    for (text, line, word) in [
        ("[s]\n\nhunter2\n", 3, "no = or :"),
        ("[s]\n= hunter2\n", 2, "no name"),
        ("[]\n", 1, "no name"),
        ("[s] # hunter2\n", 1, "end with ]"),
        ("  hunter2\n", 1, "continues"),
    ] {
        let (at, message) = fault(text);
        assert_eq!(at, line, "{text}");
        assert!(
            message.contains(word) && !message.contains("hunter2"),
            "{text}: {message}"
        );
    }
    assert_eq!(parse(b"[s]\na = 1\nb = \xff\n").faults[0].line, 3);
}

#[test]
fn what_follows_a_broken_section_belongs_nowhere() {
    let document = parse(b"[a]\nx=1\n[b\nx=2\n[c]\nx=3\n");

    let sections: Vec<_> = document
        .assignments
        .iter()
        .map(|a| a.section.as_str())
        .collect();
    assert_eq!(sections, ["a", "c"]);
}

#[test]
fn input_and_faults_are_bounded() {
    assert!(fault(&"#".repeat(MAX_FILE + 1)).1.contains("larger"));
    assert_eq!(parse("x\n".repeat(1000).as_bytes()).faults.len(), 21);
}
