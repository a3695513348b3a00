/// Codes of cohorts that are chosen by clients' losses.
extension MessageCatalogue {
  package static let selection: [Entry] = [
    Entry(
      "E3210", "candidates do not fit the cohort",
      "Power-of-choice draws candidates and keeps a cohort of them: there must be at least as many "
        + "candidates as clients in a round, and at most as many as clients.",
      "Change federation.sampling.candidates, participation or perRound."),
    Entry(
      "E3335", "selection by losses with privacy",
      "Accountants count on cohorts that are drawn at random, and the losses that clients report "
        + "are read from their examples without noise. No epsilon would hold.",
      "Take federation.sampling \"uniform\" or \"poisson\", or leave privacy out."),
    Entry(
      "W3035", "cohorts differ between strategies",
      "Clients are chosen by what they report of the method's own training, so under one seed the "
        + "strategies meet different cohorts. Differences between them include that.",
      "This is what the selection does; compare with the same strategies under \"uniform\"."),
  ]
}
