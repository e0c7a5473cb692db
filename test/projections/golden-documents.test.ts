/**
 * A fold that makes something else of the same events needs a new version, or else documents of both kinds would lie side
 * by side. So each projection folds one fixed log, and the result is held to a golden file of its name and version.
 * `WRITE_GOLDEN=1` writes the file of a new version, and files that lack events at the end of the log; nothing writes
 * another result over one that is there. The log only grows, at its end.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { BANK_ACCOUNT_EVENT_TYPES } from '../../src/domain/bank-account.ts';
import { PERSON_EVENT_TYPES } from '../../src/domain/person.ts';
import { TRANSFER_EVENT_TYPES } from '../../src/domain/transfer.ts';
import type { ProjectorStore } from '../../src/event-sourcing/build-view.ts';
import type { EventReader, RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { Projector } from '../../src/event-sourcing/projector.ts';
import type { StoredDocument } from '../../src/event-sourcing/read-model-store.ts';
import { PROJECTED_STREAM_PREFIXES, projections } from '../../src/projections/index.ts';
import { ArrayReader } from '../support/array-reader.ts';
import { versionsUpTo } from '../support/event-versions.ts';

interface Golden {
  /** So many events of the log were folded. */
  readonly events: number;
  /** By their keys; those that an unreadable event has blocked say so. */
  readonly documents: Readonly<Record<string, object>>;
}

const DIRECTORY = join(import.meta.dirname, 'golden');
const COMMAND = 'WRITE_GOLDEN=1 ./openbank test test/projections/golden-documents.test.ts';
const isWriting = process.env.WRITE_GOLDEN === '1';

const log = readFileSync(join(DIRECTORY, 'log.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line, index): RecordedEvent => {
    const event = JSON.parse(line) as Omit<RecordedEvent, 'position'>;
    return { ...event, position: BigInt(index + 1) };
  });

/** The documents of all projections after the first so many events, by the projections' names. */
async function foldedFrom(count: number): Promise<Record<string, Golden>> {
  const stored = new Map<string, Map<string, StoredDocument>>(
    projections.map(({ name }) => [name, new Map()]),
  );
  const over = new AbortController();
  const store: ProjectorStore = {
    get: () => Promise.resolve(undefined),
    checkpoints: () => Promise.resolve([]),
    listDeadLetters: () => Promise.resolve([]),
    clear: () => Promise.resolve(),
    async commit({ writes }) {
      for (const { collection, document } of writes) stored.get(collection.name)?.set(document.key, document);
    },
  };
  await new Projector({
    reader: readerOf(log.slice(0, count)),
    store,
    codec: createBankCodec('USD'),
    projections,
    streamPrefixes: PROJECTED_STREAM_PREFIXES,
    onProjected: () => over.abort(),
  }).run(over.signal);
  return Object.fromEntries([...stored].map(([name, found]) => [name, toGolden(count, found)]));
}

function readerOf(events: readonly RecordedEvent[]): EventReader {
  const inner = new ArrayReader(events);
  const position = BigInt(events.length);
  return {
    storeId: 'golden',
    readStream: (stream, options) => inner.readStream(stream, options),
    async *readAll() {
      yield* events;
    },
    async *subscribeToAll() {
      yield { events, position, caughtUp: true };
    },
    headPosition: () => Promise.resolve(position),
  };
}

function toGolden(events: number, found: ReadonlyMap<string, StoredDocument>): Golden {
  const documents = [...found.values()].map(({ key, document, blocked }) => [
    key,
    blocked ? { blocked, ...document } : document,
  ]);
  // As a store gives them back.
  return JSON.parse(JSON.stringify({ events, documents: Object.fromEntries(documents) })) as Golden;
}

function fileOf({ name, version }: { name: string; version: number }): string {
  return `${name}.v${version}.json`;
}

const files = readdirSync(DIRECTORY).filter((file) => file.endsWith('.json'));
const folded = await foldedFrom(log.length);

describe.each(projections)('$name', (projection) => {
  const { name, version } = projection;
  const file = fileOf(projection);
  const path = join(DIRECTORY, file);

  it('makes the same of the same events as ever in its version', async () => {
    const isThere = files.includes(file);
    if (!isWriting) expect(isThere, `${name} has no golden file of its version: ${COMMAND}`).toBe(true);
    if (isThere) {
      const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
      const today = golden.events === log.length ? folded[name] : (await foldedFrom(golden.events))[name];
      const hint = `${name} makes something else of the same events: raise its version above ${version}, then ${COMMAND}`;
      expect(today, hint).toEqual(golden);
      if (!isWriting) expect(golden.events, `The log has grown: ${COMMAND}`).toBe(log.length);
    }
    if (isWriting) writeFileSync(path, `${JSON.stringify(folded[name], undefined, 2)}\n`);
  });

  it('has documents to be held to', () => {
    expect(Object.keys(folded[name]?.documents ?? {})).not.toEqual([]);
  });
});

it('every golden file belongs to the version of today of a projection', () => {
  const current = new Set(projections.map(fileOf));
  const old = files.filter((file) => !current.has(file));
  if (isWriting) for (const file of old) rmSync(join(DIRECTORY, file));
  else expect(old, `Left over from older versions: ${COMMAND}`).toEqual([]);
});

it('the log has every version of every event', () => {
  const current = [...PERSON_EVENT_TYPES, ...BANK_ACCOUNT_EVENT_TYPES, ...TRANSFER_EVENT_TYPES];
  const written = new Set(log.map(({ type }) => type));
  expect(current.flatMap(versionsUpTo).filter((type) => !written.has(type))).toEqual([]);
});
