import Base
import Records
import Report

/// The options of `fedsim watch`.
package struct WatchOptions: Equatable {
  package let folder: String
  /// Where the page is written; nil: `live.html` in the folder.
  package let html: String?
  /// Seconds between looks.
  package let every: Double

  package init(_ invocation: Invocation) throws(Failure) {
    folder = try invocation.onlyOperand("the run folder")
    html = try invocation.text("html")
    every = Double(try invocation.integer("every", in: 1...86_400) ?? 10)
  }
}

/// `fedsim watch`: the report of a run folder, written again while runs go on.
///
/// A static page that asks the browser to read it again: no server, nothing open to the network.
/// The folder's own files are only read.
enum WatchCommand {
  static func run(_ options: WatchOptions, isQuiet: Bool) throws -> ExitCode {
    Interruption.listen()
    let path = options.html ?? FilePath.join(options.folder, "live.html")
    if !isQuiet { Console.tell("writing \(path) every \(Int(options.every)) s; Ctrl-C ends it") }
    var seen: [Int] = []
    var misses = 0
    while true {
      let folder: RunFolder
      do { folder = try RunFolder(options.folder) } catch {
        // Between two files of one round somebody else writes; what is damaged stays so.
        misses += 1
        guard misses < 5 else { throw error }
        if let exit = pause(0.2) { return exit }
        continue
      }
      misses = 0
      let parts = folder.entries.flatMap { $0.runs + $0.begun }
      let now = parts.map { $0.run.records.count }
      // A run that diverged goes on no more than one that has finished.
      let isDone = !folder.isOpen
      let isStill = now == seen
      seen = now
      if !isStill || isDone, now.contains(where: { $0 > 0 }) {
        try write(folder, path, isDone: isDone, every: options.every)
      }
      if isDone {
        if !isQuiet { Console.tell("all runs have ended") }
        Console.print([("report", path)])
        return .done
      }
      // Nothing has come, and nobody holds the folder.
      if isStill, (try? FolderLock(options.folder, reads: true)) != nil {
        Console.tell("no process is running it: fedsim resume \(options.folder) goes on")
        Console.print([("report", path)])
        return .done
      }
      if let exit = pause(options.every) { return exit }
    }
  }

  /// The first line of a page's head.
  private static let first = "<meta charset=\"utf-8\">\n"

  /// The page, which is read again by itself until the last run has finished.
  private static func write(_ folder: RunFolder, _ path: String, isDone: Bool, every: Double) throws
  {
    let page = try RunReport([folder]).html
    let again = "<meta http-equiv=\"refresh\" content=\"\(Int(every))\">"
    let text =
      isDone ? page : page.replacing(Self.first, with: Self.first + again, maxReplacements: 1)
    do throws(Failure) { try AtomicFile.write(text, to: path) } catch { throw error.ofCommandLine }
  }

  /// Waits, or says with which code somebody asked to stop.
  private static func pause(_ seconds: Double) -> ExitCode? {
    let end = SystemClock.steady() + seconds
    while SystemClock.steady() < end {
      if let exit = Interruption.requested { return exit }
      SystemClock.sleep(0.1)
    }
    return Interruption.requested
  }
}
