/** What the process's exit code says; documented in the README and in `tideway --help`. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  /**
   * Finished, but tables were set aside, lack a key or an index, or rows were left out that the target refuses; or databases
   * differ, or an assessment found errors.
   */
  incomplete: 3,
  /** Ctrl-C pressed twice. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
