import Base
import Testing

@Suite("JSON")
struct JSONTests {
  @Test(
    "a text that is not JSON is refused with line and column",
    arguments: [
      ("", 1, 1), ("  ", 1, 3), ("{", 1, 2), ("[1,]", 1, 4), ("{\"a\":1,}", 1, 8),
      ("{\n\"a\" 1}", 2, 5), ("[01]", 1, 4), ("[1.]", 1, 4), ("[-]", 1, 3), ("[1e]", 1, 4),
      ("[+1]", 1, 2), ("[NaN]", 1, 2), ("nul", 1, 1), ("1 2", 1, 3), ("\"a", 1, 3),
      ("\"\\x\"", 1, 4), ("\"\\ud800\"", 1, 8), ("\"\\udc00\"", 1, 8), ("'a'", 1, 1),
      ("{\"a\":1,\n\"a\":2}", 2, 4), ("[\"a\nb\"]", 1, 4),
    ])
  func refused(text: String, line: Int, column: Int) {
    let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: text) }
    #expect(error?.line == line)
    #expect(error?.column == column)
  }

  @Test(
    "bytes that are not UTF-8 are refused in a string", arguments: [0x80, 0xC0, 0xFF] as [UInt8])
  func badUTF8(byte: UInt8) {
    #expect(throws: JSONSyntaxError.self) { try JSON(parsing: [0x22, byte, 0x22]) }
  }

  @Test("nesting without end is refused and overflows no stack")
  func deep() {
    for open in ["[", "{\"a\":"] {
      let text = String(repeating: open, count: 100_000)
      #expect(throws: JSONSyntaxError.self) { try JSON(parsing: text) }
    }
  }

  @Test("values know their lines")
  func lines() throws {
    let json = try JSON(parsing: "{\n\"a\": 1,\n\"b\":\n[2,\n3]}")
    #expect(json["a"]?.line == 2)
    #expect(json.members?[1].line == 3)
    #expect(json["b"]?.line == 4)
    #expect(json["b"]?.elements?[1].line == 5)
  }

  @Test(
    "what is written reads back as the same value",
    arguments: [
      "null", "[]", "{}", "[1,-0.5,1e-7,true]",
      "{\"a\":{\"b\":[{},[]]},\"c\":\"\\\"\\\\\\n\\u0001é😀\"}", "12345678901234567890123",
    ])
  func roundTrip(text: String) throws {
    let json = try JSON(parsing: text)
    #expect(try JSON(parsing: json.compact) == json)
    #expect(try JSON(parsing: json.pretty) == json)
  }

  @Test("escapes stand for their characters")
  func escapes() throws {
    let json = try JSON(parsing: "\"\\u00e9\\ud83d\\ude00\\/\\t\"")
    #expect(json.text == "é😀/\t")
  }

  @Test(
    "whole numbers are recognised in every spelling, and others are not",
    arguments: [
      ("12", 12), ("1e3", 1000), ("2.0", 2), ("-0", 0), ("9223372036854775807", Int.max),
      ("1.5", nil), ("1e300", nil), ("1e999", nil), ("9223372036854775808", nil), ("\"1\"", nil),
    ] as [(String, Int?)])
  func integers(text: String, value: Int?) throws { #expect(try JSON(parsing: text).int == value) }

  @Test("numbers are written in their shortest form; what is not finite is null")
  func numbers() {
    #expect(JSON.number(0.1).compact == "0.1")
    #expect(JSON.number(3).compact == "3")
    #expect(JSON.number(.nan).isNull)
    #expect(JSON.number(.infinity).isNull)
    #expect(JSON.number(1e300).double == 1e300)
  }
}
