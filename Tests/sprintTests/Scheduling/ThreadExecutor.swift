import Foundation

/// Runs each job on a thread of its own, so that a job may block.
final class ThreadExecutor: TaskExecutor {
  static let shared = ThreadExecutor()

  func enqueue(_ job: consuming ExecutorJob) {
    let (job, executor) = (UnownedJob(job), asUnownedTaskExecutor())
    Thread.detachNewThread { job.runSynchronously(on: executor) }
  }
}
