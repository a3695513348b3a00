import Foundation
import Testing

/// Reads a TensorBoard event file by its description alone: no code of the writer is used.
package struct EventReader {
  package struct Histogram: Equatable {
    package var minimum = 0.0
    package var maximum = 0.0
    package var count = 0.0
    package var sum = 0.0
    package var squares = 0.0
    package var limits: [Double] = []
    package var counts: [Double] = []
  }

  package struct Event: Equatable {
    package var time = 0.0
    package var step = 0
    package var version: String?
    package var scalars: [String: UInt32] = [:]
    package var histograms: [String: Histogram] = [:]

    package init(time: Double = 0, step: Int = 0, version: String? = nil) {
      self.time = time
      self.step = step
      self.version = version
    }

    package func scalar(_ tag: String) -> Float? { scalars[tag].map { Float(bitPattern: $0) } }
  }

  package struct Malformed: Error { let what: String }

  /// All events; throws at the first byte that is not as it should be.
  package static func events(_ bytes: [UInt8]) throws -> [Event] {
    var reader = Cursor(bytes: bytes[...])
    var events: [Event] = []
    while !reader.bytes.isEmpty {
      let head = try reader.take(8)
      guard try reader.number(4) == masked(head) else { throw Malformed(what: "CRC of a length") }
      let data = try reader.take(Int(little(head)))
      guard try reader.number(4) == masked(data) else { throw Malformed(what: "CRC of an event") }
      events.append(try event(data))
    }
    return events
  }

  private static func event(_ data: ArraySlice<UInt8>) throws -> Event {
    var event = Event()
    for field in try fields(data) {
      switch (field.number, field.value) {
      case (1, .number(let bits)): event.time = Double(bitPattern: bits)
      case (2, .number(let step)): event.step = Int(step)
      case (3, .data(let text)): event.version = String(decoding: text, as: UTF8.self)
      case (5, .data(let summary)):
        for value in try fields(summary) {
          guard value.number == 1, case .data(let inner) = value.value else {
            throw Malformed(what: "a summary")
          }
          try read(inner, into: &event)
        }
      default: throw Malformed(what: "field \(field.number) of an event")
      }
    }
    return event
  }

  private static func read(_ data: ArraySlice<UInt8>, into event: inout Event) throws {
    var tag = ""
    for field in try fields(data) {
      switch (field.number, field.value) {
      case (1, .data(let text)): tag = String(decoding: text, as: UTF8.self)
      case (2, .number(let bits)):
        guard event.scalars.updateValue(UInt32(bits), forKey: tag) == nil else {
          throw Malformed(what: "\(tag) is there twice")
        }
      case (5, .data(let inner)): event.histograms[tag] = try histogram(inner)
      default: throw Malformed(what: "field \(field.number) of a value")
      }
    }
  }

  private static func histogram(_ data: ArraySlice<UInt8>) throws -> Histogram {
    var histogram = Histogram()
    func doubles(_ data: ArraySlice<UInt8>) -> [Double] {
      stride(from: data.startIndex, to: data.endIndex, by: 8).map {
        Double(bitPattern: little(data[$0..<$0 + 8]))
      }
    }
    for field in try fields(data) {
      switch (field.number, field.value) {
      case (1, .number(let bits)): histogram.minimum = Double(bitPattern: bits)
      case (2, .number(let bits)): histogram.maximum = Double(bitPattern: bits)
      case (3, .number(let bits)): histogram.count = Double(bitPattern: bits)
      case (4, .number(let bits)): histogram.sum = Double(bitPattern: bits)
      case (5, .number(let bits)): histogram.squares = Double(bitPattern: bits)
      case (6, .data(let packed)): histogram.limits = doubles(packed)
      case (7, .data(let packed)): histogram.counts = doubles(packed)
      default: throw Malformed(what: "field \(field.number) of a histogram")
      }
    }
    return histogram
  }

  // MARK: - Bytes

  private enum Value {
    case number(UInt64)
    case data(ArraySlice<UInt8>)
  }

  private struct Cursor {
    var bytes: ArraySlice<UInt8>

    mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
      guard count >= 0, count <= bytes.count else { throw Malformed(what: "the end comes early") }
      defer { bytes = bytes.dropFirst(count) }
      return bytes.prefix(count)
    }

    mutating func number(_ count: Int) throws -> UInt64 { EventReader.little(try take(count)) }

    mutating func varint() throws -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 7) {
        let byte = try number(1)
        value |= (byte & 0x7F) << shift
        if byte < 0x80 { return value }
      }
      throw Malformed(what: "a varint")
    }
  }

  private static func fields(_ data: ArraySlice<UInt8>) throws -> [(number: Int, value: Value)] {
    var cursor = Cursor(bytes: data)
    var fields: [(number: Int, value: Value)] = []
    while !cursor.bytes.isEmpty {
      let tag = try cursor.varint()
      let value: Value
      switch tag & 7 {
      case 0: value = .number(try cursor.varint())
      case 1: value = .number(try cursor.number(8))
      case 2: value = .data(try cursor.take(Int(try cursor.varint())))
      case 5: value = .number(try cursor.number(4))
      default: throw Malformed(what: "wire type \(tag & 7)")
      }
      fields.append((Int(tag >> 3), value))
    }
    return fields
  }

  private static func little(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// CRC-32C bit by bit, as a division of polynomials; then TFRecord's mask.
  private static func masked(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      for bit in 0..<8 {
        let carry = (crc & 1) != UInt32(byte >> UInt8(bit) & 1)
        crc = crc >> 1 ^ (carry ? 0x82F6_3B78 : 0)
      }
    }
    crc = ~crc
    return (UInt64(crc >> 15 | crc << 17) + 0xA282_EAD8) & 0xFFFF_FFFF
  }
}
