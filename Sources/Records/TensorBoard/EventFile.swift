import Base

/// The TensorBoard file of a run: `rounds.jsonl` and `clients.csv` in another form.
///
/// It is a function of those two alone. An event's time is the sum of `time.wall` up to its round:
/// TensorBoard's relative axis shows seconds of computing, without the pauses of interrupted runs.
package final class EventFile {
  /// TensorBoard reads files whose names have `.tfevents.`; the number would be a time.
  package static let name = "events.out.tfevents.0.fedsim"

  /// Whether the file was not there, or not what the records say, and was made anew.
  let isRebuilt: Bool
  private let file: LineWriter
  private var seconds = 0.0

  /// Opens the file below the folder of a run, with the events of `records` and nothing else.
  ///
  /// What it already has right stays where it is, so that a TensorBoard that is looking on
  /// need not start again.
  ///
  /// - Parameters:
  ///   - folder: of the run.
  ///   - records: the rounds so far.
  ///   - scores: accuracy of every client by evaluated round.
  /// - Throws: E1001…E1005 or E4010 with the path.
  package init(_ folder: String, records: [RoundRecord], scores: [Int: [Int: Double]])
    throws(Failure)
  {
    let place = FilePath.join(folder, "tensorboard")
    try FilePath.makeFolder(place)
    let path = FilePath.join(place, Self.name)
    let whole = Self.bytes(records, scores)
    seconds = records.reduce(0) { $0 + $1.time.wall }
    let found = FileKind(of: path) == .file ? try FileReader.bytes(of: path) : []
    let isWhole = found.starts(with: whole)
    isRebuilt = !isWhole && !records.isEmpty
    if !isWhole { try AtomicFile.write(whole, to: path) }
    file = try LineWriter(path)
    if found.count > whole.count { try file.cut(to: whole.count) }
  }

  /// The whole file of some rounds.
  package static func bytes(_ records: [RoundRecord], _ scores: [Int: [Int: Double]]) -> [UInt8] {
    var whole = BoardEvent.version.record
    var seconds = 0.0
    for record in records {
      seconds += record.time.wall
      let measured = (scores[record.round] ?? [:]).sorted { $0.key < $1.key }
      whole += BoardEvent(record, accuracies: measured.map(\.value), seconds: seconds).record
    }
    return whole
  }

  /// Appends a round, whole or not at all.
  ///
  /// - Throws: E1002 or E1003 with the path.
  package func append(_ record: RoundRecord, accuracies: [Double]) throws(Failure) {
    seconds += record.time.wall
    try file.append(wholeLines: BoardEvent(record, accuracies: accuracies, seconds: seconds).record)
  }
}
