import Federation
import Testing

@Suite("Text on a terminal") struct TerminalTextTests {
  @Test("control characters of names are written out; the program's own marks stay")
  func visible() {
    #expect(
      Terminal.visible("a folder's name, ä and 🙂", marks: false) == "a folder's name, ä and 🙂"
    )
    #expect(Terminal.visible("two\nlines\tand a tab", marks: false) == "two\nlines\tand a tab")
    #expect(Terminal.visible("\u{1B}[2Jgone", marks: false) == #"\x1b[2Jgone"#)
    #expect(Terminal.visible("a\rb\u{7}\u{0}", marks: false) == #"a\x0db\x07\x00"#)
    #expect(Terminal.visible("\u{9B}31m\u{7F}", marks: false) == #"\x9b31m\x7f"#)
    #expect(Terminal.visible("\u{1B}[31mred\u{1B}[0m", marks: true) == "\u{1B}[31mred\u{1B}[0m")
    #expect(Terminal.visible("\u{1B}[31mred", marks: false) == #"\x1b[31mred"#)
    #expect(Terminal.visible("\u{1B}[2J\u{1B}", marks: true) == #"\x1b[2J\x1b"#)
    #expect(Terminal.visible("\u{1B}", marks: false) == #"\x1b"#)
    #expect(Terminal.visible("\r\n", marks: false) == "\\x0d\n")
  }
}
