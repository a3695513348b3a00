import Base
import Records

extension FilePage {
  /// The files of sweeps and audits.
  package static let studies: [FilePage] =
    SweepResults.pages + [
      FilePage(
        "sweep.resolved.json", in: "sweep folder", "All trials, made when the folder was.",
        Sweep.keys),
      FilePage(
        "failures/RUN.json", in: "sweep folder", "Why a run could not be finished.",
        SweepFailure.keys.fields + [.checksum]),
      FilePage(
        "audit.json", in: "folder of an audit, audit/ in the run folder",
        "What finished models reveal.", AuditReport.keys),
    ]
}
