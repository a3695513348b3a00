/// Made by make_diagnostics_golden.py with Python 3.11.7 and numpy 2.4.6.
enum DiagnosticsGolden {
  /// NC1, std of cosines, gap, spread of norms, distance, cosine.
  static let cases: [Case] = [
    Case(
      name: "square", classes: 3, width: 3, counts: [4, 4, 4],
      numbers: [
        0.021356359111587623, 0.28914262759903275, 0.2790850099449352, 0.2651166509013003,
        1.163868465309712, 0.4369305557247561,
      ]),
    Case(
      name: "unequal", classes: 4, width: 7, counts: [3, 5, 2, 6],
      numbers: [
        0.031338677479823336, 0.49992255398158736, 0.4261239235006695, 0.13376286181683575,
        1.3518907432530922, 0.09637298959221331,
      ]),
    Case(
      name: "narrow", classes: 6, width: 3, counts: [4, 5, 6, 4, 5, 6],
      numbers: [
        0.05422960440423433, 0.4940755832123974, 0.4332602900176263, 0.23377452853207606,
        0.8556891670573522, 0.613441655166833,
      ]),
    Case(
      name: "absent", classes: 5, width: 9, counts: [3, 0, 4, 5, 2],
      numbers: [
        0.027603522623974062, 0.15272213748526725, 0.12652083521301027, 0.11784998793242521,
        1.2079327299974016, 0.25108754645768205,
      ]),
    Case(
      name: "many", classes: 12, width: 20, counts: [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5],
      numbers: [
        0.037355714028056854, 0.2013189838391163, 0.1614134122960906, 0.09990771558985893,
        1.3892889407242555, 0.0343531177473945,
      ]),
  ]

  struct Case: Sendable {
    let name: String
    let classes: Int
    let width: Int
    let counts: [Int]
    let numbers: [Double]
  }

  /// ECE of the 200 predictions of the script.
  static let calibrationError = 0.5083820539800455
}
