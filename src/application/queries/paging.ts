/** Cursor paging over read models: a cursor names the last document seen, so a page never shifts under its reader. */
import { z } from 'zod';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import type { DocumentsOf } from '../../event-sourcing/projection.ts';
import type {
  Document,
  FindOptions,
  ReadModelReader,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';

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

/** Answers one page of a collection. Rejects with `invalid_cursor`. */
export async function findPage<D extends Document>(
  readModels: ReadModelReader,
  collection: DocumentsOf<D>,
  request: PageRequest,
  options: Pick<FindOptions, 'where' | 'order'>,
): Promise<Decision<Page<D>>> {
  const after = request.cursor === undefined ? undefined : decodeCursor(request.cursor);
  if (after === null) return invalidCursor();
  const found = await readModels.find<D>(collection, {
    ...options,
    ...(after ? { after } : {}),
    limit: request.limit + 1,
  });
  const shown = found.slice(0, request.limit);
  const last = shown.at(-1);
  return accept({
    items: shown.flatMap((stored) => (stored.document ? [stored.document] : [])),
    ...(last && found.length > shown.length ? { next_cursor: encodeCursor(last) } : {}),
  });
}

export function invalidCursor() {
  return reject('invalid_cursor', 'cursor is not one that this list gave out.', { field: 'cursor' });
}

function encodeCursor({ sequence, key }: StoredDocument): string {
  return Buffer.from(`${sequence} ${key}`).toString('base64url');
}

function decodeCursor(cursor: string): { sequence: bigint; key: string } | null {
  const match = /^(\d{1,18}) (.{1,100})$/.exec(Buffer.from(cursor, 'base64url').toString());
  return match ? { sequence: BigInt(match[1] as string), key: match[2] as string } : null;
}
