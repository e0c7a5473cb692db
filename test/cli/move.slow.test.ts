/** Exports and imports are killed at random instants: what is there is whole, and the next call goes on and ends well. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteEventReader, openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { newEvents } from '../support/event-builders.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');
/** More than two segments' worth. */
const ROUNDS_OF_APPENDS = 110;
const STREAMS = 1_000;
const KILLS = 4;
const TRIES_MAX = 40;
/** The share of a run in which Node.js starts: most kills should come later. */
const STARTING = 0.15;
const PATIENCE_MS = 400_000;
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000_007);

let directory: TemporaryDirectory;
let random: () => number;

beforeAll(async () => {
  directory = temporaryDirectory();
  random = randomNumbers(seed);
  const store = openSqliteEventStore({ kind: 'file', path: eventsIn('source') });
  for (let round = 0; round < ROUNDS_OF_APPENDS; round += 1) {
    const appends = Array.from({ length: STREAMS }, (_, stream) =>
      store.append(`person-${stream}`, newEvents(1), round === 0 ? 'no_stream' : round - 1),
    );
    await Promise.all(appends);
  }
  await store.close();
});
afterAll(() => directory.remove());

function eventsIn(dataDir: string): string {
  return join(directory.file(dataDir), 'events.db');
}

interface Ended {
  readonly killed: boolean;
  readonly stdout: string;
  readonly ms: number;
}

/** Runs a command to its end, or kills it after so many milliseconds. */
async function run(args: readonly string[], dataDir: string, killAfterMs?: number): Promise<Ended> {
  const env = { PATH: process.env.PATH, OPENBANK_DATA_DIR: directory.file(dataDir) };
  const flags = ['--disable-warning=ExperimentalWarning', MAIN];
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...flags, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  }
  const closed = once(child, 'close');
  if (killAfterMs !== undefined)
    await Promise.race([closed, sleep(killAfterMs)]).then(() => child.kill('SIGKILL'));
  const [code, signal] = await closed;
  if (signal === null) expect([code, said.stderr.replace(/^\w+: \d+ %.*\n/gm, '')]).toEqual([0, '']);
  return { killed: signal === 'SIGKILL', stdout: said.stdout, ms: performance.now() - startedAt };
}

/**
 * Kills a command so many times while it works, and on until one of the kills said enough; when it ended by itself,
 * `restart` makes it begin anew.
 */
async function killOften(
  command: (killAfterMs: number) => Promise<Ended>,
  usualMs: number,
  afterKill: () => void | Promise<void>,
  restart: () => void,
  saidEnough: () => boolean = () => true,
): Promise<void> {
  let kills = 0;
  for (let tries = 0; (kills < KILLS || !saidEnough()) && tries < TRIES_MAX; tries += 1) {
    const { killed } = await command(usualMs * (STARTING + (1 - STARTING) * random()));
    if (killed) {
      kills += 1;
      await afterKill();
    } else restart();
  }
  expect(kills).toBeGreaterThanOrEqual(KILLS);
  expect(saidEnough()).toBe(true);
}

function expectWholeSegments(path: string): void {
  // A kill may come before there is a directory.
  for (const name of existsSync(path) ? readdirSync(path) : []) {
    const [, sha256] = /^segment-\d{8}-(.{64})\.ndjson\.gz$/.exec(name) ?? [];
    if (sha256 === undefined) continue;
    const content = readFileSync(join(path, name));
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
  }
}

/** Checks that the target's log is the beginning of the source's, event by event; answers how long it is. */
async function expectBeginning(dataDir: string): Promise<number> {
  const source = openSqliteEventReader(eventsIn('source'));
  const target = openSqliteEventReader(eventsIn(dataDir));
  let held = 0;
  try {
    const events = source.reader.readAll();
    for await (const event of target.reader.readAll()) {
      held += 1;
      const { value } = await events.next();
      if (textOf(event) !== textOf(value as RecordedEvent)) throw new Error(`event ${held} is another one`);
    }
  } finally {
    source.close();
    target.close();
  }
  return held;
}

function textOf({ stream, revision, id, type, data, metadata }: RecordedEvent): string {
  return JSON.stringify([stream, revision, id, type, data, metadata]);
}

describe(`a move that is killed with SIGKILL ${KILLS} times each way (CRASH_SEED=${seed})`, () => {
  const total = ROUNDS_OF_APPENDS * STREAMS;

  it(
    'is exported in the end as if nothing had happened',
    async () => {
      const usual = await run(['export', directory.file('whole'), '--json'], 'source');
      const path = directory.file('export');
      await killOften(
        (ms) => run(['export', path], 'source', ms),
        usual.ms,
        () => expectWholeSegments(path),
        () => rmSync(path, { recursive: true, force: true }),
      );
      const { stdout } = await run(['export', path, '--json'], 'source');
      const { digest, segments } = JSON.parse(usual.stdout);
      expect(JSON.parse(stdout)).toMatchObject({ events: total, digest, segments });
      expect(segments).toBe(3);
      expect(readdirSync(path).filter((name) => !name.endsWith('.ndjson.gz'))).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'is imported in the end as if nothing had happened',
    async () => {
      const path = directory.file('whole');
      const usual = await run(['import', path], 'usual');
      const held: number[] = [];
      const startOver = () => rmSync(directory.file('target'), { recursive: true, force: true });
      await killOften(
        (ms) => run(['import', path], 'target', ms),
        usual.ms,
        async () => {
          // A kill may come before there is a store.
          if (!existsSync(eventsIn('target'))) return;
          held.push(await expectBeginning('target'));
          // It came between the last event and the end: whatever is killed from here on would find all there.
          if (held.at(-1) === total) startOver();
        },
        startOver,
        // A kill before the first event or after the last one says little.
        () => held.some((events) => events > 0 && events < total),
      );
      const { stdout } = await run(['import', path, '--json'], 'target');
      expect(JSON.parse(stdout)).toMatchObject({ events: total });
      expect(await expectBeginning('target')).toBe(total);
    },
    PATIENCE_MS,
  );
});
