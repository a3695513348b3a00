import Base

extension MessageCatalogue {
  package static let audits: [Entry] = [
    Entry(
      "E4097", "no model to audit",
      "No run of the folder has a model for everybody: none was trained yet, or the methods have "
        + "none.",
      "Continue the run with fedsim resume DIR, or audit a run with a method like fedavg."),
    Entry(
      "E4099", "model does not fit",
      "A model in the run folder has other tensors than the scenario's network.",
      "Delete the file and continue with fedsim resume DIR, which writes it again."),
  ]
}
