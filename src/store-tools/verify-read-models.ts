/**
 * Checks that read models and events agree, on any pair of stores: folds all events into a database that is deleted at
 * the end, and compares every document with the one that is served. It changes nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBankCodec } from '../application/bank-codec.ts';
import { confirmReadersCurrency } from '../composition/confirm-currency.ts';
import { openEventReader, openReadModelReader, openReadModelStore } from '../composition/open-stores.ts';
import type { Config } from '../config.ts';
import {
  type ComparedStores,
  compareDocuments,
  type Difference,
} from '../event-sourcing/compare-read-models.ts';
import type { EventReader, Position } from '../event-sourcing/event-store.ts';
import { projectOnce } from '../event-sourcing/project-once.ts';
import { staleProjections } from '../event-sourcing/projection-state.ts';
import type { ReadModelReader, ReadModelStore } from '../event-sourcing/read-model-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { PROJECTED_STREAM_PREFIXES, projectionGroups, projections } from '../projections/index.ts';

export { type Difference, StoreError };

export interface VerifiedProjection {
  readonly projection: string;
  readonly equal: number;
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  /** Documents that changed whenever they were looked at. */
  readonly moving: number;
  /** Why nothing was compared: an older version is served, or none yet; what is served has not come so far. */
  readonly notCompared?: 'stale' | 'not_filled' | 'behind' | 'beyond_the_log';
  /** How far what is served had come. */
  readonly position: Position;
}

export interface VerifyReport {
  /** The events up to here were folded. */
  readonly foldedTo: Position;
  readonly projections: readonly VerifiedProjection[];
}

/** Folds after which a document that keeps changing is given up. */
const ROUNDS_MAX = 6;
/** How long to wait for read models that do not get on, in milliseconds, and between two looks. */
const STANDSTILL_MS_MAX = 3_000;
const LOOK_MS = 50;

/**
 * @param onStep hears what is done now, in words
 * @throws StoreError when a store cannot be opened or read, or has old accounts in another currency
 */
export async function verifyReadModels(
  config: Pick<Config, 'eventStore' | 'archiveDir' | 'readModels' | 'defaultCurrency'>,
  onStep: (step: string) => void = () => {},
): Promise<VerifyReport> {
  const { eventStore, archiveDir, readModels: location, defaultCurrency } = config;
  if (eventStore.kind === 'memory' || location.kind === 'memory') {
    throw new StoreError('unsupported', 'A store in memory cannot be read by another process.');
  }
  const { reader, live, close } = await openEventReader({ eventStore, archiveDir });
  const directory = await mkdtemp(join(tmpdir(), 'openbank-verify-'));
  try {
    await confirmReadersCurrency({ reader, live }, defaultCurrency);
    const folded = await openReadModelStore({ kind: 'file', path: join(directory, 'read-models.db') });
    const served = await openReadModelReader(location);
    try {
      return await new Verification(reader, served.readModels, folded, defaultCurrency, onStep).run();
    } finally {
      await served.close();
      await folded.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
    await close();
  }
}

class Verification {
  readonly #reader: EventReader;
  readonly #served: ReadModelReader;
  readonly #folded: ReadModelStore;
  readonly #currency: string;
  readonly #onStep: (step: string) => void;
  readonly #results = new Map<string, VerifiedProjection>();
  #foldedTo: Position = 0n;
  /** Whether read models stood still before they had come so far: then nobody waits for the others. */
  #standstill = false;

  constructor(
    reader: EventReader,
    served: ReadModelReader,
    folded: ReadModelStore,
    currency: string,
    onStep: (step: string) => void,
  ) {
    this.#reader = reader;
    this.#served = served;
    this.#folded = folded;
    this.#currency = currency;
    this.#onStep = onStep;
  }

  async run(): Promise<VerifyReport> {
    /** What is left to compare of each projection; `undefined` is everything. */
    let left = new Map<string, readonly string[] | undefined>(
      projections.map(({ name }) => [name, undefined]),
    );
    for (let round = 1; left.size > 0 && round <= ROUNDS_MAX; round += 1) {
      this.#onStep(round === 1 ? 'folding the events' : 'folding what came meanwhile');
      await this.#fold();
      this.#onStep('comparing');
      left = await this.#compareAll(left);
    }
    const inOrder = projections.flatMap(({ name }) => this.#results.get(name) ?? []);
    return { foldedTo: this.#foldedTo, projections: inOrder };
  }

  /** Goes on where the fold before ended. */
  async #fold(): Promise<void> {
    await projectOnce({
      reader: this.#reader,
      store: this.#folded,
      codec: createBankCodec(this.#currency),
      projections: projections.map((one) => ({ ...one, listed: true, indexes: [] })),
      streamPrefixes: PROJECTED_STREAM_PREFIXES,
    });
    const positions = (await this.#folded.checkpoints()).map(({ position }) => position);
    this.#foldedTo = positions.reduce((least, one) => (one < least ? one : least), positions[0] ?? 0n);
  }

  async #compareAll(left: ReadonlyMap<string, readonly string[] | undefined>) {
    const again = new Map<string, readonly string[]>();
    for (const projection of projections) {
      if (!left.has(projection.name)) continue;
      const before = this.#results.get(projection.name);
      const reason = await this.#whyNot(projection.name);
      if (reason) {
        this.#results.set(projection.name, {
          ...(before ?? (await this.#empty(projection.name))),
          notCompared: reason,
        });
        continue;
      }
      const stores: ComparedStores = { served: this.#served, folded: this.#folded, foldedTo: this.#foldedTo };
      const found = await compareDocuments(projection, stores, left.get(projection.name));
      const { position } = await this.#empty(projection.name);
      this.#results.set(projection.name, {
        projection: projection.name,
        equal: (before?.equal ?? 0) + found.equal,
        differences: [...(before?.differences ?? []), ...found.differences],
        differenceCount: (before?.differenceCount ?? 0) + found.differenceCount,
        moving: found.ahead.length,
        position,
      });
      if (found.ahead.length > 0) again.set(projection.name, found.ahead);
    }
    return again;
  }

  /** Waits until what is served has seen all events that were folded. */
  async #whyNot(name: string): Promise<VerifiedProjection['notCompared'] | undefined> {
    const builds = await this.#served.builds();
    if (staleProjections(projectionGroups, builds).includes(name)) return 'stale';
    if (!builds.some((one) => one.live && one.projection === name)) return 'not_filled';
    let seen = -1n;
    for (let still = 0; still < STANDSTILL_MS_MAX; still += LOOK_MS) {
      const position = await this.#positionOf(name);
      // A position beyond the log's end, which is looked up later: these documents tell of other events.
      if (position > ((await this.#reader.headPosition()) ?? 0n)) return 'beyond_the_log';
      if (position >= this.#foldedTo) return undefined;
      if (position > seen) still = 0;
      seen = position;
      if (this.#standstill) break;
      await sleep(LOOK_MS);
    }
    this.#standstill = true;
    return 'behind';
  }

  async #empty(name: string): Promise<VerifiedProjection> {
    const position = await this.#positionOf(name);
    return { projection: name, equal: 0, differences: [], differenceCount: 0, moving: 0, position };
  }

  async #positionOf(name: string): Promise<Position> {
    return (await this.#served.checkpoints()).find(({ projection }) => projection === name)?.position ?? 0n;
  }
}
