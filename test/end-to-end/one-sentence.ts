/** What a service says on its way out. */
import { expect } from 'vitest';
import type { Ended } from './service-process.ts';

/** One clear sentence on stderr, and nothing of the program's insides. */
export function expectOneSentence({ stderr }: Ended, ...named: readonly string[]): void {
  expect(stderr).toMatch(/^openbank: [^\n]+\.\n$/);
  expect(stderr).not.toMatch(/\bat \S+ \(|\.ts\b|node:|Error:/);
  for (const name of named) expect(stderr).toContain(name);
}
