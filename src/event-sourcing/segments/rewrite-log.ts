/**
 * Event replacement: reads an export, puts every event through a function, and writes what comes out as another export,
 * for an empty store. Nothing is ever changed in a log that is in use.
 */
import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type EventMetadata, type Position, REQUIRED_METADATA, type RecordedEvent } from '../event-store.ts';
import { StoreError } from '../store-error.ts';
import { ExportChain, type ExportTotals, type ReportProgress, readSegment } from './export-chain.ts';
import { checkExport } from './import-log.ts';
import { type EventJudge, RewriteCheck, type RewriteFault, type RewriteFaults } from './rewrite-check.ts';
import { placeOf, type StreamRecord } from './segment.ts';
import type { SegmentDirectory } from './segment-directory.ts';
import { type Exported, writeSegments } from './segment-writer.ts';

/** What stands in the place of an event; without metadata it keeps those of the old one. */
export interface Replacement {
  readonly type: string;
  readonly data: object;
  readonly metadata?: EventMetadata;
}

/** `undefined` and an empty list remove the event. It is given a copy, which it may change and return. */
export type EventRewrite = (event: RecordedEvent) => Replacement | readonly Replacement[] | undefined;

export interface RewriteOptions {
  readonly source: SegmentDirectory;
  /** Empty. Without it nothing is written, and only the report is made. */
  readonly target?: SegmentDirectory;
  readonly rewrite: EventRewrite;
  /** Says what is wrong with an event where it stands. */
  readonly judge: EventJudge;
  readonly now: () => Date;
  readonly onProgress?: ReportProgress;
}

/** What became of the events of one type. */
export interface TypeChanges {
  readonly type: string;
  kept: number;
  changed: number;
  removed: number;
  /** Events beyond the first that stand in the place of one. */
  added: number;
}

/** One event and what stands in its place. */
export interface RewriteExample {
  readonly stream: string;
  readonly revision: number;
  readonly before: Replacement;
  readonly after: readonly Replacement[];
}

export interface RewriteReport {
  readonly eventsRead: number;
  readonly eventsWritten: number;
  /** By the old type, in the order in which the types came. */
  readonly types: readonly TypeChanges[];
  /** The first changes of each type. */
  readonly examples: readonly RewriteExample[];
  /** What the rewrite made wrong; nothing is written then. */
  readonly faults: RewriteFaults;
  /** Of the new export; missing when none was written. */
  readonly written?: ExportTotals;
}

const EXAMPLES_A_TYPE_MAX = 2;
const REPORT_EVERY_EVENTS = 1_000;

/**
 * Rewrites a whole export. The new one has positions from 1 and the streams' revisions without gaps; its first events
 * keep their ids, so that receivers of CloudEvents know them again.
 * @throws StoreError `invalid_request` (an unfinished export, a target that is not empty, a function that failed or
 *   answered something that is no event, or, where something is written, an event that cannot be read or applied and
 *   took the place of one that could), `corrupt` or `unsupported` (a damaged export), or what the target threw; a target
 *   that was not finished is of no use.
 */
export async function rewriteLog(options: RewriteOptions): Promise<RewriteReport> {
  const { source, target, now, onProgress } = options;
  if (target && (await target.list()).length > 0) {
    throw new StoreError(
      'invalid_request',
      `${target.name} holds an export already; name an empty directory.`,
    );
  }
  const { events, storeId = '' } = (await checkExport(source, onProgress)).totals();
  const rewritten = new Rewrite(options, events);
  if (!target) {
    for await (const _event of rewritten.events()) {
      // The report is all that is wanted.
    }
    return rewritten.report();
  }
  const chain = new ExportChain();
  await writeSegments({ storeId: rewrittenId(storeId), directory: target, now }, chain, rewritten.events());
  return { ...rewritten.report(), written: chain.totals() };
}

/** Another log must not pass for the one that it was made from. */
function rewrittenId(storeId: string): string {
  return hash('sha256', `rewritten ${storeId}`).slice(0, 16);
}

class Rewrite {
  readonly #options: RewriteOptions;
  readonly #total: number;
  /** Of each stream's next event. */
  readonly #revisions = new Map<string, number>();
  /** What is special about a stream, until its first event is written. */
  readonly #starts = new Map<string, StreamRecord>();
  readonly #types = new Map<string, TypeChanges>();
  readonly #examples: RewriteExample[] = [];
  readonly #examplesOf = new Map<string, number>();
  readonly #check: RewriteCheck;
  #position: Position = 0n;
  #read = 0;

  constructor(options: RewriteOptions, total: number) {
    this.#options = options;
    this.#total = total;
    this.#check = new RewriteCheck(options.judge);
  }

  async *events(): AsyncGenerator<Exported> {
    const { source } = this.#options;
    for (const file of await source.list()) {
      for await (const record of readSegment(source, file)) {
        if (record.kind === 'stream') this.#begin(record);
        if (record.kind === 'event') yield* this.#replace(record.event);
      }
    }
  }

  report(): RewriteReport {
    return {
      eventsRead: this.#read,
      eventsWritten: Number(this.#position),
      types: [...this.#types.values()],
      examples: this.#examples,
      faults: this.#check.faults(),
    };
  }

  #begin(start: StreamRecord): void {
    this.#starts.set(start.stream, start);
    this.#revisions.set(start.stream, start.first_revision);
  }

  *#replace(event: RecordedEvent): Generator<Exported> {
    const replacements = replacementsFor(this.#options.rewrite, event);
    const isKept = this.#note(event, replacements);
    const { stream } = event;
    const isFirst = event.revision === (this.#starts.get(stream)?.first_revision ?? 0);
    const placed = replacements.map((one, index) => this.#place(event, isKept ? event : one, index));
    const fault = this.#check.take(event, isFirst, placed);
    if (fault && this.#options.target) throw refusalOf(fault);
    for (const one of placed) {
      const start = this.#starts.get(stream);
      this.#starts.delete(stream);
      yield { event: one, start };
    }
  }

  #place(old: RecordedEvent, { type, data, metadata = old.metadata }: Replacement, index: number) {
    const { stream, recordedAt } = old;
    const revision = this.#revisions.get(stream) ?? 0;
    this.#revisions.set(stream, revision + 1);
    this.#position += 1n;
    const id = index === 0 ? old.id : addedId(old.id, index);
    return { id, type, stream, revision, position: this.#position, recordedAt, data, metadata };
  }

  /** @returns whether the event stays as it is, and nothing comes beside it */
  #note(event: RecordedEvent, after: readonly Replacement[]): boolean {
    this.#read += 1;
    const { type, stream, revision, data, metadata } = event;
    const changes = this.#types.get(type) ?? { type, kept: 0, changed: 0, removed: 0, added: 0 };
    this.#types.set(type, changes);
    const before = { type, data, metadata };
    const [first] = after;
    const isKept = first !== undefined && isDeepStrictEqual({ metadata, ...first }, before);
    if (isKept) changes.kept += 1;
    else if (first) changes.changed += 1;
    else changes.removed += 1;
    changes.added += Math.max(0, after.length - 1);
    if (!isKept || after.length > 1) this.#showExample({ stream, revision, before, after });
    if (this.#read % REPORT_EVERY_EVENTS === 0) {
      const fraction = this.#read / this.#total;
      this.#options.onProgress?.({ phase: 'exporting', events: this.#read, fraction });
    }
    return isKept && after.length === 1;
  }

  #showExample(example: RewriteExample): void {
    const shown = this.#examplesOf.get(example.before.type) ?? 0;
    if (shown >= EXAMPLES_A_TYPE_MAX) return;
    this.#examplesOf.set(example.before.type, shown + 1);
    this.#examples.push(example);
  }
}

function refusalOf({ kind, message, ...place }: RewriteFault): StoreError {
  const detail = `what would stand there is ${kind.replaceAll('_', ' ')}: ${message}`;
  return new StoreError('invalid_request', `${placeOf(place)}: ${detail}`);
}

/** @throws StoreError `invalid_request` */
function replacementsFor(rewrite: EventRewrite, event: RecordedEvent): readonly Replacement[] {
  let answer: unknown;
  try {
    answer = rewrite(structuredClone(event));
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('invalid_request', `${placeOf(event)}: the function failed: ${detail}`, { cause });
  }
  if (answer === undefined) return [];
  const all: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  return all.map((one) => checkedReplacement(one, event));
}

function checkedReplacement(answer: unknown, event: RecordedEvent): Replacement {
  const { type, data, metadata = event.metadata } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof type !== 'string' || type === '' || !isPlain(data) || !isPlain(metadata)) {
    throw notAnEvent(event, 'it needs a type and data.');
  }
  const written = { type, data: asWritten(data, event), metadata: asWritten(metadata, event) };
  if (!isPlain(written.data) || !isPlain(written.metadata)) throw notAnEvent(event, 'its JSON is no object.');
  if (!isDeepStrictEqual(written.metadata, event.metadata)) checkMetadata(written.metadata, event);
  return written as Replacement;
}

/** As it will be read again: JSON leaves out what is undefined, and turns a date into text. */
function asWritten(value: object, event: RecordedEvent): unknown {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch (cause) {
    throw notAnEvent(event, `it has no JSON: ${cause instanceof Error ? cause.message : cause}.`);
  }
}

/** Times are compared and cut as text, so there is one way to write each. */
function checkMetadata(metadata: Partial<EventMetadata>, event: RecordedEvent): void {
  for (const field of REQUIRED_METADATA) {
    if (typeof metadata[field] !== 'string') throw notAnEvent(event, `its metadata have no ${field}.`);
  }
  const { timestamp = '' } = metadata;
  const time = Date.parse(timestamp);
  if (!Number.isNaN(time) && new Date(time).toISOString() === timestamp) return;
  throw notAnEvent(event, `its timestamp is '${timestamp}', no time such as 2026-01-15T09:30:00.000Z.`);
}

function notAnEvent(event: RecordedEvent, why: string): StoreError {
  return new StoreError(
    'invalid_request',
    `${placeOf(event)}: the function answered what is no event; ${why}`,
  );
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same in every run: a UUID of version 8 (RFC 9562), made from the id of the event that it was split off from. */
function addedId(id: string, index: number): string {
  const digits = hash('sha256', `${id} ${index}`);
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5');
}
