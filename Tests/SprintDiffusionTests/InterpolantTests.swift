import SprintDiffusion
import SprintKernels
import SprintTestSupport
import Testing

@Suite struct InterpolantTests {
  @Test(
    "The velocity is the derivative of the path, and the path runs from data to noise", arguments: Interpolant.allCases)
  func derivative(path: Interpolant) {
    let h = 1e-6
    for t in [0.1, 0.5, 0.93] {
      let (here, above, below) = (path.coefficients(at: t), path.coefficients(at: t + h), path.coefficients(at: t - h))
      #expect(abs((above.alpha - below.alpha) / (2 * h) - here.alphaRate) < 1e-6)
      #expect(abs((above.sigma - below.sigma) / (2 * h) - here.sigmaRate) < 1e-6)
    }
    #expect(abs(path.coefficients(at: 0).alpha - 1) < 1e-12 && abs(path.coefficients(at: 1).sigma - 1) < 1e-12)
    #expect(abs(path.coefficients(at: 0).sigma) < 1e-12 && abs(path.coefficients(at: 1).alpha) < 1e-12)
  }

  @Test("The score computed from the velocity is -noise / sigma", arguments: Interpolant.allCases)
  func score(path: Interpolant) {
    let (data, noise) = (0.7, -1.3)
    for t in [0.2, 0.6, 0.99] {
      let here = path.coefficients(at: t)
      let x = here.alpha * data + here.sigma * noise
      let velocity = here.alphaRate * data + here.sigmaRate * noise
      let score =
        (velocity - path.stochasticDrift(velocity: velocity, x: x, at: t)) / (0.5 * Interpolant.diffusion(at: t))
      #expect(abs(score + noise / here.sigma) < 1e-9)
    }
  }

  @Test("Lognormal times are sigmoids of normal numbers, and uniform times fill [0, 1)")
  func times() {
    let random = Philox(seed: 2, purpose: .time)
    let lognormal = (0..<20000 as Range<UInt64>).map { TimeDistribution.lognormal.draw(random, draw: $0) }
    let uniform = (0..<20000 as Range<UInt64>).map { TimeDistribution.uniform.draw(random, draw: $0) }
    // sigmoid(1) = 0.731: 68.3% of normal numbers lie within one deviation.
    #expect(abs(Double(lognormal.count { $0 > 0.269 && $0 < 0.731 }) / 20000 - 0.683) < 0.015)
    #expect(abs(Double(uniform.count { $0 < 0.25 }) / 20000 - 0.25) < 0.015)
  }

  @Test("Mixing gives the sample on the path and the velocity to predict")
  func mix() {
    let (data, noise) = (TestMatrix(1, 3, [1, 2, 3]), TestMatrix(1, 3, [-1, 0, 5]))
    let (mixed, velocity) = (TestMatrix(1, 3), TestMatrix(1, 3))
    Interpolant.straight.mix(
      data: data.vector, noise: noise.vector, at: 0.25, into: mixed.vector, velocity: velocity.vector)
    #expect(mixed.doubles == [0.5, 1.5, 3.5] && velocity.doubles == [-2, -2, 2])
  }
}
