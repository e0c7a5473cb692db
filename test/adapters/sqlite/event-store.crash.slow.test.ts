/** Killing the writer in the middle of commits: what was acknowledged is there afterwards, and nothing twice. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../../src/event-sourcing/event-store.ts';
import { areIncreasing, collect, mustAppend, newEvent } from '../../support/event-builders.ts';
import type { CrashReport, TriedAppend } from './crash-report.ts';
import { StoreFile } from './store-file.ts';

const ROUNDS = 24;
const WRITER = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000_007);

interface Round {
  readonly tried: TriedAppend[];
  readonly acknowledged: Map<string, { revision: number; position: bigint }>;
}

describe(`a writer that is killed at random instants (CRASH_SEED=${seed})`, () => {
  let file: StoreFile;
  beforeAll(() => {
    file = new StoreFile();
  });
  afterAll(() => file.dispose());

  it(`has written all that it acknowledged, whole and once, in each of ${ROUNDS} rounds`, async () => {
    const random = randomNumbers(seed);
    const all: Round = { tried: [], acknowledged: new Map() };
    let unansweredButWritten = 0;
    let unanswered = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { tried, acknowledged } = await writeUntilKilled(file.path, random);
      all.tried.push(...tried);
      unanswered += tried.length - acknowledged.size;
      for (const [id, place] of acknowledged) all.acknowledged.set(id, place);
      const log = await collect(file.store.readAll());
      verify(log, all);
      unansweredButWritten += writtenUnanswered(log, { tried, acknowledged });
      await retry(file, { tried, acknowledged });
      verify(await collect(file.store.readAll()), all);
      expect(await file.store.countEvents()).toBe((await collect(file.store.readAll())).length);
      await file.close();
      expect(integrityOf(file.path)).toBe('ok');
    }
    const counts = { appends: all.tried.length, unanswered, unansweredButWritten };
    console.log(`CRASH_SEED=${seed}`, counts);
    // Otherwise the kills came too early or too late to say anything.
    expect(all.tried.length).toBeGreaterThan(ROUNDS * 20);
    expect(unanswered).toBeGreaterThan(0);
  });
});

/** Starts the writer and kills it: mostly in full work, now and then while it opens the store. */
async function writeUntilKilled(path: string, random: () => number): Promise<Round> {
  const child = spawn(process.execPath, [WRITER, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const ended = once(child, 'close');
  const tried: TriedAppend[] = [];
  const acknowledged: Round['acknowledged'] = new Map();
  let opened = () => {};
  const opening = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const report = parsed(line);
    if (report?.kind === 'opened') opened();
    if (report?.kind === 'tried') tried.push(report.append);
    if (report?.kind === 'acknowledged') {
      acknowledged.set(report.id, { revision: report.revision, position: BigInt(report.position) });
    }
  });

  const early = random() < 0.15;
  if (early) await sleep(random() * 250);
  else {
    await Promise.race([opening, ended]);
    await sleep(random() * 200);
  }
  child.kill('SIGKILL');
  const [, signal] = await ended;
  expect(signal, Buffer.concat(complaints).toString()).toBe('SIGKILL');
  return { tried, acknowledged };
}

/** The last line may be cut in the middle: it counts as never said. */
function parsed(line: string): CrashReport | undefined {
  try {
    return JSON.parse(line) as CrashReport;
  } catch {
    return undefined;
  }
}

function verify(log: RecordedEvent[], { tried, acknowledged }: Round): void {
  expect(areIncreasing(log.map((event) => event.position))).toBe(true);
  const byId = new Map(log.map((event) => [event.id, event]));
  expect(byId.size).toBe(log.length);

  const next = new Map<string, number>();
  for (const { stream, revision } of log) {
    if (revision !== (next.get(stream) ?? 0)) throw new Error(`${stream} has a gap before ${revision}.`);
    next.set(stream, revision + 1);
  }
  for (const { id, eventIds } of tried) {
    const found = eventIds.map((eventId) => byId.get(eventId)).filter((event) => event !== undefined);
    const place = acknowledged.get(id);
    if (found.length !== 0 && found.length !== eventIds.length) throw new Error(`${id} was torn.`);
    if (!place) continue;
    const last = found.at(-1);
    if (last?.revision !== place.revision || last.position !== place.position)
      throw new Error(`${id} was lost.`);
  }
  const known = new Set(tried.flatMap((append) => append.eventIds));
  if (!log.every((event) => known.has(event.id)))
    throw new Error('The log holds an event that nobody tried to write.');
}

function writtenUnanswered(log: RecordedEvent[], { tried, acknowledged }: Round): number {
  const ids = new Set(log.map((event) => event.id));
  return tried.filter(({ id, eventIds }) => !acknowledged.has(id) && ids.has(eventIds[0] ?? '')).length;
}

/** A client that got no answer, or lost it, sends the same again. */
async function retry(file: StoreFile, { tried, acknowledged }: Round): Promise<void> {
  const unanswered = tried.filter(({ id }) => !acknowledged.has(id));
  const answered = tried.filter(({ id }) => acknowledged.has(id)).slice(-200);
  for (const { id, stream, expected, eventIds } of [...answered, ...unanswered]) {
    const events = eventIds.map((eventId) =>
      newEvent({ id: eventId, data: { append: id, of: eventIds.length } }),
    );
    const { revision, position } = await mustAppend(file.store, stream, events, expected);
    expect({ revision, position }).toEqual(acknowledged.get(id) ?? { revision, position });
    acknowledged.set(id, { revision, position });
  }
}

function integrityOf(path: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  const { integrity_check: integrity } = db.prepare('PRAGMA integrity_check').get() as {
    integrity_check: unknown;
  };
  db.close();
  return integrity;
}

/** Small and repeatable (mulberry32); the seed is in the test's name. */
function randomNumbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
