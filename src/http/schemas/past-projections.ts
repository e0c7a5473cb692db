/** What the routes of past projections answer, and what they need of whoever folds them. */
import { z } from 'zod';
import { id } from '../../application/fields.ts';
import type { RequestContext } from '../../application/mediator.ts';
import { type Page, type PageRequest, pageFields } from '../../application/queries/paging.ts';
import { instant } from '../../application/queries/point-in-time.ts';
import type { Decision } from '../../domain/decision.ts';
import { pageOf } from './fields.ts';

const EXAMPLE_ID = '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a10';
/** Far longer than the longest key that the bank makes: an account's id, and a client's own reference. */
const KEY_LENGTH_MAX = 1_000;
/** A cursor has the key of a document in it, in base64 of its UTF-8. */
const CURSOR_LENGTH_MAX = 6_000;

const count = z.int().min(0);
const utc = z.iso.datetime();

export const pastProjectionFields = z.strictObject({
  projection: z
    .string()
    .max(100)
    .meta({ description: 'One of GET /admin/projections.', examples: ['bank_accounts'] }),
  at: instant('Only what had happened by then counts; without it, all events do.').meta({
    examples: ['2026-01-31T23:59:59Z'],
  }),
});

export const pastProjectionIdFields = z.strictObject({ id: id('The past projection.', EXAMPLE_ID) });

export const pastDocumentFields = pastProjectionIdFields.extend({
  key: z
    .string()
    .min(1)
    .max(KEY_LENGTH_MAX)
    .meta({ description: 'Of the document.', examples: ['01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a02'] }),
});

export const pastDocumentPageFields = z.strictObject({
  ...pageFields,
  cursor: z
    .string()
    .max(CURSOR_LENGTH_MAX)
    .optional()
    .meta({ description: 'The `next_cursor` of the page before.' }),
});

export const pastProjectionSchema = z
  .strictObject({
    id: z.uuid().meta({ examples: [EXAMPLE_ID] }),
    projection: z.string().meta({ examples: ['bank_accounts'] }),
    version: z.int().meta({ description: 'Of the program that folded it.' }),
    at: utc.nullable().meta({ description: 'The instant that was asked for, in UTC; null when none was.' }),
    state: z.enum(['RUNNING', 'FINISHED', 'FAILED']),
    started_at: utc,
    finished_at: utc.nullable(),
    expires_at: utc.nullable().meta({ description: 'When it is removed; null while it is under way.' }),
    events: count.meta({ description: 'Of the log, read so far.', examples: [12_345] }),
    percent: z.int().min(0).max(100).meta({ description: 'Of the log.' }),
    documents: count.nullable().meta({ description: 'Null until it is finished.' }),
    dead_letters: count
      .nullable()
      .meta({ description: 'Events that could not be folded. Null until it is finished.' }),
    first_dead_letters: z
      .array(
        z.strictObject({
          document_key: z.string(),
          stream: z.string(),
          revision: z.int(),
          event_type: z.string(),
          cause: z.string(),
        }),
      )
      .readonly()
      .meta({ description: 'Five of them at most.' }),
    error: z
      .strictObject({ code: z.string(), detail: z.string() })
      .nullable()
      .meta({ description: 'Why it failed.' }),
  })
  .meta({ id: 'PastProjection' });

export const pastProjectionListSchema = z
  .strictObject({ items: z.array(pastProjectionSchema).meta({ description: 'The newest first.' }) })
  .meta({ id: 'PastProjections' });

export const pastDocumentSchema = z
  .strictObject({
    key: z.string(),
    document: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'Null when its very first event could not be folded.' }),
    blocked: z
      .boolean()
      .meta({ description: 'Whether an event of it could not be folded, so that it is not the truth.' }),
  })
  .meta({ id: 'PastDocument' });

export const pastDocumentPageSchema = pageOf(pastDocumentSchema, 'PastDocumentPage');

export type PastProjectionRequest = z.output<typeof pastProjectionFields>;
export type PastProjection = z.output<typeof pastProjectionSchema>;
export type PastDocument = z.output<typeof pastDocumentSchema>;

/** Folds projections as they stood at a time, one after the other, and keeps some of them for a while. */
export interface PastProjectionService {
  /**
   * Begins one; it goes on behind the answer. Rejects with `projection_not_found`, `invalid_time`, `time_in_future`,
   * `past_projection_in_progress` or `not_supported`.
   */
  start(request: PastProjectionRequest, context: RequestContext): Decision<PastProjection>;
  /** The newest first. */
  list(): PastProjection[];
  /** Rejects with `past_projection_not_found`. */
  get(id: string): Decision<PastProjection>;
  /** Oldest first. Rejects with `past_projection_not_found`, `past_projection_not_finished` or `invalid_cursor`. */
  documents(id: string, request: PageRequest): Promise<Decision<Page<PastDocument>>>;
  /** Rejects with `past_projection_not_found`, `past_projection_not_finished` or `document_not_found`. */
  document(id: string, key: string): Promise<Decision<PastDocument>>;
  /** Ends it where it is under way, and forgets it. Rejects with `past_projection_not_found`. */
  remove(id: string): Promise<Decision<undefined>>;
  /** Ends and forgets all of them. */
  stop(): Promise<void>;
}
