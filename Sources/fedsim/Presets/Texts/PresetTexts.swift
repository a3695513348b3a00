// Written by Tests/Tools/preset_texts.py (make facts) from scenarios/papers.

/// The files of `scenarios/papers`.
enum PresetTexts {
  /// Name and text of each, by name.
  static let all: [(String, String)] = [
    ("cifar10-lt-table", cifar10LtTable),
    ("fedd2s-cifar10-a01", fedd2SCifar10A01),
    ("fedd2s-cifar10-a05", fedd2SCifar10A05),
    ("fedd2s-dropping", fedd2SDropping),
    ("fedd2s-participation", fedd2SParticipation),
    ("fedins-fewshot-cifar10", fedinsFewshotCifar10),
    ("fedins-styles-cifar10", fedinsStylesCifar10),
    ("fedins-vit", fedinsVit),
    ("fedloge-authors", fedlogeAuthors),
    ("fedloge-if100-a05", fedlogeIf100A05),
    ("fedloge-if100-a1", fedlogeIf100A1),
    ("fedloge-if50-a05", fedlogeIf50A05),
    ("fedloge-if50-a1", fedlogeIf50A1),
    ("knfu-choices-large", knfuChoicesLarge),
    ("knfu-choices-small", knfuChoicesSmall),
    ("knfu-cifar10-large", knfuCifar10Large),
    ("knfu-cifar10-mixed", knfuCifar10Mixed),
    ("knfu-cifar10-small", knfuCifar10Small),
    ("knfu-mnist-large", knfuMnistLarge),
    ("knfu-mnist-small", knfuMnistSmall),
  ]
}
