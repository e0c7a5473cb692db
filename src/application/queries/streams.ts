/** Queries for the stream browser: the streams there are, and the events of one with their whole envelopes. */
import { z } from 'zod';
import { bankAccountStream } from '../../domain/bank-account.ts';
import { accept, type Decision, reject } from '../../domain/decision.ts';
import type { ReadDirection, RecordedEvent, StreamSummary } from '../../event-sourcing/event-store.ts';
import { SNAPSHOT_STREAM_PREFIX } from '../../event-sourcing/snapshots/snapshot-streams.ts';
import { accountNotFound, type Bank } from '../bank.ts';
import { type Handler, query } from '../mediator.ts';
import { accountIdFields } from './accounts.ts';
import { invalidCursor, type Page, type PageRequest, pageFields } from './paging.ts';

/** An event as the stream browser shows it: the position is a string, because it may not fit a JSON number. */
export interface EventEnvelope {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly recorded_at: string;
  readonly data: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
}

export interface StreamListing {
  readonly stream: string;
  readonly first_revision: number;
  readonly last_revision: number;
  readonly last_recorded_at: string;
}

export const streamListFields = z.strictObject({
  ...pageFields,
  prefix: z
    .string()
    .max(200)
    .optional()
    .meta({
      description: 'Only streams that begin so; `snapshot-` shows snapshots, which are left out otherwise.',
      examples: ['bank-account-'],
    }),
});

export const ListStreams = query<Page<StreamListing>>()('ListStreams', streamListFields);

export function listStreamsHandler(
  bank: Bank,
): Handler<z.output<typeof streamListFields>, Page<StreamListing>> {
  return async ({ limit, cursor, prefix }) => {
    const { streams } = bank;
    if (!streams) return reject('not_supported', 'Streams are listed by the event store’s own browser.');
    const found = await streams.listStreams({
      limit: limit + 1,
      // There is one for each account, and nobody browses for them: whoever wants them asks for them.
      ...(prefix?.startsWith(SNAPSHOT_STREAM_PREFIX) ? {} : { except: SNAPSHOT_STREAM_PREFIX }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(cursor === undefined ? {} : { after: cursor }),
    });
    const items = found.slice(0, limit).map(toListing);
    const last = items.at(-1);
    return accept({ items, ...(last && found.length > limit ? { next_cursor: last.stream } : {}) });
  };
}

const direction = z
  .enum(['forwards', 'backwards'])
  .default('forwards')
  .meta({ description: 'Oldest or newest event first.', examples: ['forwards'] });

export const streamNameFields = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(250)
    .meta({ description: 'The stream.', examples: ['bank-account-01990d2e7c1b7a529d5e0c8f7f4b1a02'] }),
});

export const ReadStream = query<Page<EventEnvelope>>()(
  'ReadStream',
  streamNameFields.extend({ ...pageFields, direction }),
);

export const streamReadFields = z.strictObject({ ...pageFields, direction });

type ReadRequest = PageRequest & { readonly direction: ReadDirection };

export function readStreamHandler(bank: Bank): Handler<ReadRequest & { name: string }, Page<EventEnvelope>> {
  return async ({ name, ...request }) => {
    const page = await readEvents(bank, name, request);
    if (!page.ok || page.value.items.length > 0 || (await hasEvents(bank, name))) return page;
    return reject('stream_not_found', `There is no stream ${name}.`, { field: 'name' });
  };
}

export const ListAccountEvents = query<Page<EventEnvelope>>()(
  'ListAccountEvents',
  accountIdFields.extend({ ...pageFields, direction }),
);

export function listAccountEventsHandler(
  bank: Bank,
): Handler<ReadRequest & { id: string }, Page<EventEnvelope>> {
  return async ({ id, ...request }) => {
    const page = await readEvents(bank, bankAccountStream(id), request);
    if (!page.ok || page.value.items.length > 0 || (await bank.accounts.exists(id))) return page;
    return accountNotFound(id);
  };
}

async function hasEvents(bank: Bank, stream: string): Promise<boolean> {
  for await (const _event of bank.events.readStream(stream, { limit: 1 })) return true;
  return false;
}

/** A page of one stream; the cursor is the revision to go on from. */
async function readEvents(
  bank: Bank,
  stream: string,
  request: ReadRequest,
): Promise<Decision<Page<EventEnvelope>>> {
  const { limit, cursor, direction } = request;
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) return invalidCursor();
  const from = cursor === undefined ? {} : { from: Number(cursor) };
  const found: RecordedEvent[] = [];
  for await (const event of bank.events.readStream(stream, { direction, limit: limit + 1, ...from }))
    found.push(event);
  const next = found.length > limit ? found.at(-1) : undefined;
  return accept({
    items: found.slice(0, limit).map(toEnvelope),
    ...(next ? { next_cursor: String(next.revision) } : {}),
  });
}

export function toEnvelope(event: RecordedEvent): EventEnvelope {
  const { id, type, stream, revision, recordedAt } = event;
  const position = String(event.position);
  const data = event.data as Record<string, unknown>;
  return {
    id,
    type,
    stream,
    revision,
    position,
    recorded_at: recordedAt,
    data,
    metadata: { ...event.metadata },
  };
}

function toListing(summary: StreamSummary): StreamListing {
  return {
    stream: summary.stream,
    first_revision: summary.firstRevision,
    last_revision: summary.lastRevision,
    last_recorded_at: summary.lastRecordedAt,
  };
}
