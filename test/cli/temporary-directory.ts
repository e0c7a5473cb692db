/** A directory of its own for every test that needs files. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Makes a directory that is gone after the test. */
export function temporaryDirectory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'openbank-cli-')));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
