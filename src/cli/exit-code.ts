/** What the process's exit code says; documented in the README and in `tideway --help`. */
export const ExitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Finished, but some tables were set aside with an error. */
  tablesSuspended: 3,
  /** Ctrl-C pressed twice. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
