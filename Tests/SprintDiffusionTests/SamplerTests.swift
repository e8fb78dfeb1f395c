import Foundation
import SprintDiffusion
import SprintKernels
import SprintModel
import SprintTestSupport
import Testing

@Suite struct SamplerTests {
  private let model = TinyModel(TinyModel.configuration())

  private func samples(
    _ guidance: Guidance, method: SamplingMethod = .ode, steps: Int = 4, labels: [Int] = [0, 1, 2]
  ) -> [Double] {
    let settings = SamplerSettings(method: method, steps: steps, guidance: guidance)
    let count = labels.count * model.network.configuration.latentElements
    let start = (0..<count).map { sin(Double($0) * 12.9898) }
    return Sampler(model.network, weights: model.weights, settings: settings, batch: 3).sample(
      start: start, labels: labels
    ) {
      $1 = (0..<count).map { cosf(Float($0)) }
    }
  }

  @Test("Scale 1 and an interval without any step give the samples of no guidance")
  func noGuidance() {
    let plain = samples(Guidance())
    #expect(samples(Guidance(.classifierFree, scale: 1)) == plain)
    #expect(relativeError(samples(Guidance(.pathDrop, scale: 3, interval: 0.9999...0.99995)), plain) < 1e-12)
    #expect(relativeError(samples(Guidance(.classifierFree, scale: 3)), plain) > 1e-3)
  }

  @Test("Both branches in one batch give weak + scale (conditional - weak) of separate branches")
  func guidedDrift() {
    // One Euler step from 1 to 0: the sample is start - velocity, which is linear in both branches.
    let conditional = samples(Guidance(), steps: 1)
    let none = model.network.configuration.classes
    let weak = samples(Guidance(), steps: 1, labels: [none, none, none])
    let guided = samples(Guidance(.classifierFree, scale: 2.5), steps: 1)
    #expect(relativeError(guided, zip(conditional, weak).map { $1 + 2.5 * ($0 - $1) }) < 1e-6)
  }

  @Test("The weak branch of path-drop guidance has no deep path, and has the class only with keepsClass")
  func pathDrop() {
    let dropped = samples(Guidance(.pathDrop, scale: 2), steps: 1)
    let keeping = samples(Guidance(.pathDrop, scale: 2, keepsClass: true), steps: 1)
    let classifierFree = samples(Guidance(.classifierFree, scale: 2), steps: 1)
    #expect(relativeError(dropped, classifierFree) > 1e-3 && relativeError(keeping, dropped) > 1e-3)
  }

  @Test("The Euler sampler converges in first order")
  func convergence() {
    let (few, some, many) = (
      samples(Guidance(), steps: 20), samples(Guidance(), steps: 40), samples(Guidance(), steps: 80)
    )
    let ratio = relativeError(few, some) / relativeError(some, many)
    #expect(ratio > 1.6 && ratio < 2.5, "the error has to halve as the steps double; it fell by \(ratio)")
  }

  @Test("Heun's sampler converges in second order, and beats Euler's with as many evaluations of the network")
  func heun() {
    let (few, some, many) = (
      samples(Guidance(), method: .heun, steps: 20), samples(Guidance(), method: .heun, steps: 40),
      samples(Guidance(), method: .heun, steps: 80)
    )
    let ratio = relativeError(few, some) / relativeError(some, many)
    #expect(ratio > 3 && ratio < 5, "the error has to fall to a quarter as the steps double; it fell by \(ratio)")
    let exact = samples(Guidance(), method: .heun, steps: 400)
    let settings = SamplerSettings(method: .heun, steps: 10)
    #expect(settings.evaluations.count == 19 && settings.times.count == 11)
    let (heun, euler) = (samples(Guidance(), method: .heun, steps: 10), samples(Guidance(), steps: 20))
    #expect(relativeError(heun, exact) < relativeError(euler, exact))
  }

  @Test("The stochastic sampler steps from 1 to 0.04 and then to 0, and adds noise")
  func stochasticTimes() {
    let settings = SamplerSettings(method: .sde, steps: 5)
    #expect(settings.times.count == 6 && settings.times.first == 1 && settings.times.last == 0)
    #expect(abs(settings.times[4] - 0.04) < 1e-12)
    #expect(samples(Guidance(), method: .sde) != samples(Guidance()))
  }
}
