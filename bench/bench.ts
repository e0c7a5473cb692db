/** What every measurement works with, and the two shapes they share: interleaved rounds and checked deposits. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadGenerator, LoadResult, LoadTarget } from './load.ts';
import type { Options } from './options.ts';

export const CONNECTIONS = 64;
export const ACCOUNTS = 1_000;
/** Runs before the first round, which let the compilers of both sides settle, count for nothing. */
const WARM_UP_SECONDS = 2;

export interface Bench {
  readonly options: Options;
  /** Of this run alone, and deleted with it. */
  readonly dir: string;
  readonly generator: LoadGenerator;
}

/** One side of a comparison: one run under load, for so many seconds. */
export interface Contender<R> {
  readonly name: string;
  run(seconds: number): Promise<R>;
}

export function databases(dataDir: string): { events: string; readModels: string } {
  return { events: join(dataDir, 'events.db'), readModels: join(dataDir, 'read-models.db') };
}

export function depositTargets(accountIds: readonly string[]): LoadTarget[] {
  return accountIds.map((account_id) => ({
    path: '/api/v1/transactions/deposit',
    body: JSON.stringify({ account_id, amount: '12.50', description: 'Salary' }),
  }));
}

export function load(
  { generator }: Bench,
  port: number,
  targets: readonly LoadTarget[],
  seconds: number,
  keyed = false,
): Promise<LoadResult> {
  return generator.run({ port, connections: CONNECTIONS, targets, seconds, keyed });
}

/** Runs the contenders in turn, round after round, so that a slow minute of the machine slows all of them. */
export async function interleave<R>(
  { options }: Bench,
  contenders: readonly Contender<R>[],
): Promise<Map<string, R[]>> {
  for (const contender of contenders) await contender.run(Math.min(WARM_UP_SECONDS, options.seconds));
  const results = new Map<string, R[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const { name, run } of contenders) {
      say(`round ${round} of ${options.rounds}: ${name}`);
      results.get(name)?.push(await run(options.seconds));
      // What one side leaves behind, such as a checkpoint of its log, must not slow the next one.
      await sleep(100);
    }
  }
  return results;
}

/** Progress goes to stderr, so that stdout holds the table alone. */
export function say(progress: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${progress}`);
}

export function sayDone(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
}
