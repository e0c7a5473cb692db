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
import { openEventReader, openReadModelReader, openReadModelStore } from '../composition/open-stores.ts';
import type { Config } from '../config.ts';
import type { BankEvent } from '../domain/bank-event.ts';
import type { Position } from '../event-sourcing/event-store.ts';
import { projectOnce } from '../event-sourcing/project-once.ts';
import type { AnyProjection } from '../event-sourcing/projection.ts';
import type {
  DeadLetter,
  FindOptions,
  ReadModelReader,
  ReadModelStore,
  StoredDocument,
} from '../event-sourcing/read-model-store.ts';
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

/** Where the events are, and what they need to be read. */
export type ProjectedStore = Pick<Config, 'eventStore' | 'archiveDir' | 'defaultCurrency'>;

export interface ProjectionOptions {
  /** RFC 3339; without it, all events count. */
  readonly time?: string | undefined;
  /** Told of each batch, together with the position at which the log ended in the beginning. */
  readonly onRead?: (events: number, position: Position, head: Position) => void;
}

/**
 * @param use what is done with the documents, which are gone afterwards
 * @throws StoreError when a store cannot be opened or read, or has old accounts in another currency
 */
export async function runProjection<T>(
  config: ProjectedStore,
  plan: ProjectionPlan,
  time: string | undefined,
  use: (projected: ProjectedDocuments) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'openbank-project-'));
  try {
    return await projectInto(config, plan, directory, { time }, use);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * As `runProjection`, into a directory of the caller's, where the documents stay: see `openProjected`.
 * @throws StoreError as it does
 */
export async function projectInto<T>(
  { eventStore, archiveDir, defaultCurrency }: ProjectedStore,
  { projection, all }: ProjectionPlan,
  directory: string,
  { time, onRead }: ProjectionOptions,
  use: (projected: ProjectedDocuments) => Promise<T>,
): Promise<T> {
  if (eventStore.kind === 'memory') {
    throw new StoreError('unsupported', 'A store in memory cannot be read by another process.');
  }
  const { reader, live, close } = await openEventReader({ eventStore, archiveDir });
  try {
    await confirmReadersCurrency({ reader, live }, defaultCurrency);
    const head = (await reader.headPosition()) ?? 0n;
    const store = await openReadModelStore(databaseIn(directory));
    try {
      await projectOnce({
        reader,
        store,
        codec: createBankCodec(defaultCurrency),
        projections: all.map(listable),
        streamPrefixes: PROJECTED_STREAM_PREFIXES,
        time,
        onRead: (events, position) => onRead?.(events, position, head),
      });
      return await use(await documentsIn(store, listable(projection)));
    } finally {
      await store.close();
    }
  } finally {
    await close();
  }
}

/** Documents that `projectInto` has left. */
export interface OpenedDocuments {
  /** A page, oldest first. */
  page(limit: number, after?: FindOptions['after']): Promise<StoredDocument[]>;
  get(key: string): Promise<StoredDocument | undefined>;
  close(): Promise<void>;
}

/** @throws StoreError when they are not there */
export async function openProjected(
  { projection }: ProjectionPlan,
  directory: string,
): Promise<OpenedDocuments> {
  const { readModels, close } = await openReadModelReader(databaseIn(directory));
  const collection = listable(projection);
  return {
    page: (limit, after) => pageOf(readModels, collection, limit, after),
    get: (key) => readModels.get(collection, key),
    close,
  };
}

function databaseIn(directory: string) {
  return { kind: 'file', path: join(directory, 'read-models.db') } as const;
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
    const page = await pageOf(store, projection, PAGE_DOCUMENTS, after);
    yield* page;
    after = page.at(-1);
    if (page.length < PAGE_DOCUMENTS) return;
  }
}

function pageOf(
  store: ReadModelReader,
  projection: BankProjection,
  limit: number,
  after: FindOptions['after'],
): Promise<StoredDocument[]> {
  return store.find(projection, { order: 'oldest_first', limit, ...(after ? { after } : {}) });
}
