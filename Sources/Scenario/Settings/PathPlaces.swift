import Base

/// The folders in which relative paths of a scenario or a sweep are looked for, one after the
/// other; the first in which something is counts.
///
/// One rule: what stands in a file is relative to the file's folder first, then to the working
/// folder; what the command line sets, to the working folder first. Whatever keeps a copy of a
/// scenario in another folder keeps ``fileName`` beside it, which leads to the places of the
/// original; no hash depends on it.
package struct PathPlaces: Sendable, Equatable {
  /// For what stands in the file; "" is the working folder.
  package var file: [String]
  /// For what was set besides.
  package var set: [String]
  /// Where relative paths were when the copy was made.
  private var known: [String: String] = [:]
  /// Whether they come from a copy's own record.
  package var isKept: Bool { !known.isEmpty }

  package static let fileName = "paths.json"

  /// The places of a scenario or sweep file.
  package init(file name: String) {
    let folder = Self.folder(of: name)
    (file, set) = ([folder, ""], ["", folder])
    let kept = FilePath.join(folder, Self.fileName)
    guard let bytes = try? FileReader.optional(kept, what: "the places of paths"),
      let json = try? JSON(parsing: bytes), let found = json["found"]?.members
    else { return }
    for member in found { known[member.key] = member.value.text }
    file = (json["file"]?.elements ?? []).compactMap(\.text) + file
    set = (json["set"]?.elements ?? []).compactMap(\.text) + set
  }

  /// The folder of a file; "" for the working folder.
  package static func folder(of file: String) -> String {
    let folder = FilePath.split(file).folder
    return folder == "." ? "" : folder
  }

  /// A path that a file names, and where it leads.
  package struct Named: Sendable, Equatable {
    /// As it was written.
    package let text: String
    /// The first place where something is; as it was written where nothing is.
    package let path: String
    /// Where nothing is, as absolute paths; empty where something was found.
    package let missing: [String]
  }

  /// Looks for a path; `isSet`: it does not stand in the file.
  package func find(_ text: String, isSet: Bool = false) -> Named {
    if text.hasPrefix("/") { return Named(text: text, path: text, missing: []) }
    var tried = known[text].map { [$0] } ?? []
    for folder in isSet ? set : file {
      let path = FilePath.join(folder, text)
      if !tried.contains(path) { tried.append(path) }
    }
    if let found = tried.first(where: { FileKind(of: $0) != .missing }) {
      return Named(text: text, path: found, missing: [])
    }
    var missing: [String] = []
    for path in tried.map(FilePath.absolute) where !missing.contains(path) { missing.append(path) }
    return Named(text: text, path: text, missing: missing)
  }

  /// What a copy in another folder needs; nil where no path is relative.
  package func json(_ named: [Named]) -> JSON? {
    var found: [(String, JSON)] = []
    for one in named where !one.text.hasPrefix("/") && !found.contains(where: { $0.0 == one.text })
    {
      found.append((one.text, .string(FilePath.absolute(one.path))))
    }
    guard !found.isEmpty else { return nil }
    func list(_ folders: [String]) -> JSON {
      .array(
        folders.map(FilePath.absolute).reduce(into: []) { list, folder in
          if !list.contains(.string(folder)) { list.append(.string(folder)) }
        })
    }
    return ["file": list(file), "set": list(set), "found": .object(found)]
  }
}

/// The paths of a scenario.
package struct ScenarioPaths: Sendable {
  package var places: PathPlaces
  package var named: [PathPlaces.Named]

  package init(places: PathPlaces, named: [PathPlaces.Named]) {
    self.places = places
    self.named = named
  }

  /// A scenario that names no file.
  package static let none = ScenarioPaths(places: PathPlaces(), named: [])

  /// What a copy of the scenario in another folder needs; nil where no path is relative.
  package var kept: JSON? { places.json(named) }

  /// A failure to find what one of the paths names, with all places where it was looked for.
  package func explained(_ failure: Failure) -> Failure {
    guard failure.code == "E4001",
      let path = named.first(where: { path in
        !path.missing.isEmpty
          && (failure.message.hasPrefix(path.text + ":")
            || failure.message.hasPrefix(FilePath.join(path.text, "")))
      })
    else { return failure }
    let hint = failure.hint.flatMap { $0.hasPrefix(FileReader.relativeHint) ? nil : "; " + $0 }
    return Failure(
      failure.exit, failure.code, failure.message,
      hint: "looked beside the file that names it and in the working folder: "
        + path.missing.joined(separator: ", ") + (hint ?? ""))
  }
}

extension PathPlaces {
  fileprivate init() { (file, set) = ([""], [""]) }
}

extension JSON {
  /// The value with other texts at some paths, such as `data.dataset.path`.
  func replacing(_ texts: [String: String], at path: String = "") -> JSON {
    switch value {
    case .object(let members):
      return .object(
        members.map { member in
          let here = path.isEmpty ? member.key : "\(path).\(member.key)"
          return (member.key, member.value.replacing(texts, at: here))
        })
    case .array(let items):
      return .array(items.enumerated().map { $1.replacing(texts, at: "\(path)[\($0)]") })
    default: return texts[path].map(JSON.string) ?? self
    }
  }
}
