import type { Reporter, TestModule, TestRunEndReason } from "vitest/node";

/** Prints what the run came to, alone on its last line and without colours: `N passed, N failed, N skipped`. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>, reason: TestRunEndReason): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      let ran = 0;
      for (const test of module.children.allTests()) {
        ran += 1;
        const { state } = test.result();
        if (state === "passed") count.passed += 1;
        else if (state === "failed") count.failed += 1;
        else count.skipped += 1;
      }
      // A file that does not load has no tests to count.
      if (ran === 0 && module.state() === "failed") count.failed += 1;
    }
    // A run that fails before its first test must not end in a line without a failure.
    if (reason === "failed" && count.failed === 0) count.failed = 1;
    process.on("exit", () => {
      process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }
}
