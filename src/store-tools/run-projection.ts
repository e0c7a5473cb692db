/**
 * Folds a projection of the bank, as it stood at a time, or a new one that somebody tries, over the configured store.
 * Everything goes into a database that is deleted at the end: what serves the bank's queries is never touched.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createBankCodec } from '../application/bank-codec.ts';
import { confirmReadersCurrency } from '../composition/confirm-currency.ts';
import { openEventReader, openReadModelStore } from '../composition/open-stores.ts';
import type { Config } from '../config.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import { projectOnce } from '../event-sourcing/project-once.ts';
import type { AnyProjection } from '../event-sourcing/projection.ts';
import type { DeadLetter, ReadModelStore, StoredDocument } from '../event-sourcing/read-model-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import { PROJECTED_STREAM_PREFIXES, projectionGroups, projections } from '../projections/index.ts';

export { StoreError };

type BankProjection = AnyProjection<BankEvent>;

/** A projection, and those before it whose documents it looks up. */
export interface ProjectionPlan {
  readonly projection: BankProjection;
  readonly all: readonly BankProjection[];
}

/** A file that holds no projection; the message says why. */
export class NoProjectionError extends Error {
  override readonly name = 'NoProjectionError';
}

export function projectionNames(): readonly string[] {
  return projections.map(({ name }) => name);
}

/** One of the bank's own. */
export function ownProjection(name: string): ProjectionPlan | undefined {
  const group = projectionGroups.find((one) =>
    one.projections.some((projection) => projection.name === name),
  );
  const index = group?.projections.findIndex((projection) => projection.name === name) ?? -1;
  const projection = group?.projections[index];
  return group && projection && { projection, all: group.projections.slice(0, index + 1) };
}

/**
 * What the default export of a module defines. `file` is an absolute path. It may have the name of one of the bank's own, and stands in its place.
 * @throws NoProjectionError
 */
export async function triedProjection(file: string): Promise<ProjectionPlan> {
  const projection = projectionIn(await load(file), file);
  if (!projection.lookups) return { projection, all: [projection] };
  const others = projections.filter(({ name }) => name !== projection.name);
  const place = projections.findIndex(({ name }) => name === projection.name);
  return { projection, all: others.toSpliced(place < 0 ? others.length : place, 0, projection) };
}

async function load(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    throw new NoProjectionError(`${path} cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}

function projectionIn(module: Readonly<Record<string, unknown>>, file: string): BankProjection {
  const found = module.default as Partial<BankProjection> | null | undefined;
  const missing = (
    [
      ['name', typeof found?.name === 'string' && /^[a-z][a-z_]*$/.test(found.name)],
      ['version', Number.isInteger(found?.version)],
      ['eventTypes', Array.isArray(found?.eventTypes)],
      ['keys', typeof found?.keys === 'function'],
      ['fold', typeof found?.fold === 'function'],
    ] as const
  ).filter(([, isThere]) => !isThere);
  if (missing.length === 0) return found as BankProjection;
  const fields = missing.map(([field]) => field).join(', ');
  throw new NoProjectionError(
    `${file} has no projection as its default export; what is wrong with it: ${fields}.`,
  );
}

export interface ProjectedDocuments {
  /** Oldest first. */
  documents(): AsyncIterable<StoredDocument>;
  get(key: string): Promise<StoredDocument | undefined>;
  /** The first events that could not be folded. */
  readonly deadLetters: readonly DeadLetter[];
  readonly deadLetterCount: number;
}

const PAGE_DOCUMENTS = 500;
const DEAD_LETTERS_SHOWN = 5;

/**
 * @param time RFC 3339; without it, all events count
 * @param use what is done with the documents, which are gone afterwards
 * @throws StoreError when a store cannot be opened or read, or has old accounts in another currency
 */
export async function runProjection<T>(
  { eventStore, archiveDir, defaultCurrency }: Pick<Config, 'eventStore' | 'archiveDir' | 'defaultCurrency'>,
  { projection, all }: ProjectionPlan,
  time: string | undefined,
  use: (projected: ProjectedDocuments) => Promise<T>,
): Promise<T> {
  if (eventStore.kind === 'memory') {
    throw new StoreError('unsupported', 'A store in memory cannot be read by another process.');
  }
  const { reader, close } = await openEventReader({ eventStore, archiveDir });
  const directory = await mkdtemp(join(tmpdir(), 'openbank-project-'));
  try {
    await confirmReadersCurrency(reader, defaultCurrency);
    const store = await openReadModelStore({ kind: 'file', path: join(directory, 'read-models.db') });
    try {
      await projectOnce({
        reader,
        store,
        codec: createBankCodec(defaultCurrency),
        projections: all.map(listable),
        streamPrefixes: PROJECTED_STREAM_PREFIXES,
        ...(time === undefined ? {} : { time }),
      });
      return await use(await documentsIn(store, listable(projection)));
    } finally {
      await store.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
    await close();
  }
}

/** Here all documents are listed, and nobody asks for them by a field. */
function listable(projection: BankProjection): BankProjection {
  return { ...projection, listed: true, indexes: [] };
}

async function documentsIn(store: ReadModelStore, projection: BankProjection): Promise<ProjectedDocuments> {
  return {
    documents: () => listed(store, projection),
    get: (key) => store.get(projection, key),
    deadLetters: await store.listDeadLetters({ limit: DEAD_LETTERS_SHOWN }),
    deadLetterCount: await store.countDeadLetters(),
  };
}

async function* listed(store: ReadModelStore, projection: BankProjection): AsyncGenerator<StoredDocument> {
  let after: StoredDocument | undefined;
  for (;;) {
    const page = await store.find(projection, {
      order: 'oldest_first',
      limit: PAGE_DOCUMENTS,
      ...(after ? { after } : {}),
    });
    yield* page;
    after = page.at(-1);
    if (page.length < PAGE_DOCUMENTS) return;
  }
}
