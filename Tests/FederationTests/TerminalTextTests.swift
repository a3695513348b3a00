import Federation
import Testing

@Suite("Text on a terminal") struct TerminalTextTests {
  @Test("control characters of names are written out; the program's own marks stay")
  func visible() {
    #expect(Terminal.visible("a folder's name, ä and 🙂") == "a folder's name, ä and 🙂")
    #expect(Terminal.visible("two\nlines\tand a tab") == "two\nlines\tand a tab")
    #expect(Terminal.visible("\u{1B}[2Jgone") == #"\x1b[2Jgone"#)
    #expect(Terminal.visible("a\rb\u{7}\u{0}") == #"a\x0db\x07\x00"#)
    #expect(Terminal.visible("\u{9B}31m\u{7F}") == #"\x9b31m\x7f"#)
    #expect(Terminal.visible("\u{1B}[31mred\u{1B}[0m") == "\u{1B}[31mred\u{1B}[0m")
    #expect(Terminal.visible("\u{1B}") == #"\x1b"#)
    #expect(Terminal.visible("\r\n") == "\\x0d\n")
  }
}
