/** Errors that end a command with one sentence and an exit code. */

/** Exit codes that scripts can rely on; `refused` is the bank's own no to what was asked of it. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notRunning: 3, noDocker: 4, refused: 5 } as const;

/** One sentence for the person at the terminal, and the code that the command exits with. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}
