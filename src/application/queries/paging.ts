/** Cursor paging over read models: a cursor names the last document seen, so a page never shifts under its reader. */
import { z } from 'zod';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import type { DomainEvent } from '../../event-sourcing/codec.ts';
import type { Projection } from '../../event-sourcing/projection.ts';
import type { Document, FindOptions, StoredDocument } from '../../event-sourcing/read-model-store.ts';
import type { ReadingBank } from '../bank.ts';
import { readDocument } from './read-document.ts';

export const PAGE_ITEMS_MAX = 200;

export const pageFields = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_ITEMS_MAX)
    .default(50)
    .meta({ description: `Items a page, at most ${PAGE_ITEMS_MAX}.`, examples: [50] }),
  cursor: z.string().max(200).optional().meta({ description: 'The `next_cursor` of the page before.' }),
};

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: T[];
  readonly next_cursor?: string;
}

/** Answers one page of a collection. Rejects with `invalid_cursor` or `read_model_blocked`. */
export async function findPage<E extends DomainEvent, D extends Document>(
  bank: ReadingBank,
  projection: Projection<E, D>,
  request: PageRequest,
  options: Pick<FindOptions, 'where' | 'order'>,
): Promise<Decision<Page<D>>> {
  const list = [projection.name, ...Object.values(options.where ?? {})].join('/');
  const after = request.cursor === undefined ? undefined : decodeCursor(list, request.cursor);
  if (after === null) return invalidCursor();
  const found = await bank.readModels.find<D>(projection, {
    ...options,
    ...(after ? { after } : {}),
    limit: request.limit + 1,
  });
  const shown = found.slice(0, request.limit);
  const last = shown.at(-1);
  const items = await documentsOf(bank, projection, shown);
  if (!items.ok) return items;
  return accept({
    items: items.value,
    ...(last && found.length > shown.length ? { next_cursor: encodeCursor(list, last) } : {}),
  });
}

/** Pages that one request looks through for documents that it may show. */
const LOOKS_MAX = 20;

/**
 * One page of what `shown` makes of the documents of a collection, where it is not `undefined`. A page may be short, or
 * empty, where little is shown of much: the next one goes on from there. Rejects with `invalid_cursor` or
 * `read_model_blocked`.
 */
export async function findPageOf<E extends DomainEvent, D extends Document>(
  bank: ReadingBank,
  projection: Projection<E, D>,
  { limit, cursor: first }: PageRequest,
  { shown, ...options }: Pick<FindOptions, 'where' | 'order'> & { shown: (document: D) => D | undefined },
): Promise<Decision<Page<D>>> {
  const items: D[] = [];
  let cursor = first;
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const page = await findPage(bank, projection, { limit: limit - items.length, cursor }, options);
    if (!page.ok) return page;
    items.push(...page.value.items.map(shown).filter((one) => one !== undefined));
    cursor = page.value.next_cursor;
    if (cursor === undefined || items.length === limit) break;
  }
  return accept({ items, ...(cursor === undefined ? {} : { next_cursor: cursor }) });
}

export function invalidCursor() {
  return reject('invalid_cursor', 'cursor is not one that this list gave out.', { field: 'cursor' });
}

/** The revision to go on from, where that is what a cursor names; `undefined` when it lies outside of the range. */
export function revisionOfCursor(cursor: string, first: number, last: number): number | undefined {
  const revision = /^\d{1,15}$/.test(cursor) ? Number(cursor) : -1;
  return revision >= first && revision <= last ? revision : undefined;
}

/** A page with a document that is blocked by a dead letter says so, unless its own stream still tells it. */
export async function documentsOf<E extends DomainEvent, D extends Document>(
  bank: ReadingBank,
  projection: Projection<E, D>,
  found: readonly StoredDocument<D>[],
): Promise<Decision<D[]>> {
  const documents: D[] = [];
  for (const { key, document, blocked } of found) {
    const read = document && !blocked ? accept(document) : await readDocument(bank, projection, key);
    if (!read.ok) return read;
    if (read.value) documents.push(read.value);
  }
  return accept(documents);
}

/** A cursor names its list, so that another one does not take it for a place of its own. */
export function encodeCursor(
  list: string,
  { sequence, key }: Pick<StoredDocument, 'sequence' | 'key'>,
): string {
  return Buffer.from(`${list} ${sequence} ${key}`).toString('base64url');
}

/** The place that a cursor names; `null` when this list did not give it out. */
export function decodeCursor(list: string, cursor: string): { sequence: bigint; key: string } | null {
  const [, from, sequence, key] = /^(\S{1,150}) (\d{1,18}) (.{1,1000})$/.exec(decoded(cursor)) ?? [];
  if (from !== list || sequence === undefined || key === undefined) return null;
  const place = { sequence: BigInt(sequence), key };
  return encodeCursor(list, place) === cursor ? place : null;
}

function decoded(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}
