/** Writes a backup, or its part up to a point in time, into a store that does not exist yet, and compares in the end. */
import { hash } from 'node:crypto';
import type { Position, RecordedEvent } from '../event-store.ts';
import type { ReportProgress } from '../segments/export-chain.ts';
import { readSegment } from '../segments/export-chain.ts';
import type { SegmentRecord } from '../segments/segment.ts';
import { StoreError } from '../store-error.ts';
import { checkBackup, segmentsOf } from './backup-chain.ts';
import type { BackupDirectory } from './backup-directory.ts';
import { type BackupManifest, type BackupRun, newestRun } from './backup-manifest.ts';
import { isReactorRecord, type ReactorRecord, readState, type StreamState } from './backup-state.ts';
import type { RestoreTarget } from './restore-target.ts';

/** Up to and with what was recorded at this time, RFC 3339; or up to and with this position. */
export type RestorePoint = { readonly time: string } | { readonly position: Position };

export interface RestoreOptions {
  readonly directory: BackupDirectory;
  readonly target: RestoreTarget;
  /** Found by `planRestore` on the same directory. */
  readonly plan: RestorePlan;
  readonly onProgress?: ReportProgress;
}

/** What is to be restored. */
export interface RestorePlan {
  /** All of the backup's segments that belong to it. */
  readonly newest: BackupRun;
  /** The run whose state goes with these events: the newest that saw no more of them; missing before the first. */
  readonly stateOf: BackupRun | undefined;
  /** The newest event that is restored. */
  readonly last: Pick<RecordedEvent, 'position' | 'recordedAt'>;
  /** The newest position that was given by then. */
  readonly head: Position;
  /** Where the backup has only a part of a stream, by its name: where that begins. */
  readonly beginnings: ReadonlyMap<string, number>;
}

export interface RestoreResult {
  readonly events: number;
  readonly streams: number;
}

const REPORT_EVERY_EVENTS = 1_000;

/**
 * Reads the whole backup, and finds out what a point in it means. Nothing is written.
 * @throws StoreError `corrupt` or `unsupported` for a backup that is not whole; `invalid_request` when there is none, or
 *   when it does not reach back or forth to the point
 */
export async function planRestore(
  directory: BackupDirectory,
  to: RestorePoint | undefined,
  onProgress?: ReportProgress,
): Promise<RestorePlan> {
  const search = new PointSearch(to);
  const { manifest } = await checkBackup(directory, {
    visit: (record) => search.visit(record),
    ...(onProgress && { onProgress }),
  });
  refuseBeyond(manifest, to);
  return search.planFor(manifest);
}

/** @throws StoreError `corrupt` when the store does not hold in the end what was to be restored, or what it throws */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreResult> {
  return new Restore(options).run();
}

/** What the newest run knows of reactors. They tell of the outside world, which no restore takes back. */
export async function* reactorRecords(
  directory: BackupDirectory,
  { newest }: RestorePlan,
): AsyncGenerator<ReactorRecord> {
  for await (const record of readState(directory.states, newest.number, newest.state)) {
    if (isReactorRecord(record)) yield record;
  }
}

/** Finds the last event that counts. The log is cut at one place, so that no event is restored without those before it. */
class PointSearch {
  readonly #time: number;
  readonly #position: Position | undefined;
  readonly #beginnings = new Map<string, number>();
  #first: RecordedEvent | undefined;
  #last: RecordedEvent | undefined;
  /** The first that does not count. */
  #beyond: RecordedEvent | undefined;
  #begins: { readonly stream: string; readonly first_revision: number } | undefined;

  constructor(to: RestorePoint | undefined) {
    this.#time = to && 'time' in to ? Date.parse(to.time) : Number.POSITIVE_INFINITY;
    this.#position = to && 'position' in to ? to.position : undefined;
  }

  visit(record: SegmentRecord): void {
    if (this.#beyond) return;
    if (record.kind === 'stream') this.#begins = record;
    if (record.kind !== 'event') return;
    const { event } = record;
    this.#first ??= event;
    if (!this.#counts(event)) {
      this.#beyond = event;
      return;
    }
    if (this.#begins) this.#beginnings.set(this.#begins.stream, this.#begins.first_revision);
    this.#begins = undefined;
    this.#last = event;
  }

  planFor(manifest: BackupManifest): RestorePlan {
    const last = this.#last;
    if (!last) throw new StoreError('invalid_request', this.#nothing());
    const beyond = this.#beyond;
    const newest = newestRun(manifest);
    const stateOf = beyond ? manifest.runs.findLast((run) => run.head_position < beyond.position) : newest;
    // Beside the events, snapshots have taken positions; where the state is of the very same instant, they count.
    const head = stateOf && stateOf.head_position > last.position ? stateOf.head_position : last.position;
    return { newest, stateOf, last, head, beginnings: this.#beginnings };
  }

  #counts({ position, recordedAt }: RecordedEvent): boolean {
    if (this.#position !== undefined) return position <= this.#position;
    return Date.parse(recordedAt) <= this.#time;
  }

  #nothing(): string {
    if (!this.#first) return 'The backup holds no event, so there is nothing to restore.';
    const { position, recordedAt } = this.#first;
    return `The backup begins with position ${position}, recorded at ${recordedAt}: there is nothing to restore up to an earlier point.`;
  }
}

function refuseBeyond(manifest: BackupManifest, to: RestorePoint | undefined): void {
  if (!to) return;
  const { as_of, head_position } = newestRun(manifest);
  if ('position' in to && to.position > head_position) {
    throw new StoreError(
      'invalid_request',
      `The backup ends at position ${head_position}, before ${to.position}.`,
    );
  }
  if ('time' in to && Date.parse(to.time) > Date.parse(as_of)) {
    const detail = `what came later is not in it, so it cannot show the bank as of ${to.time}`;
    throw new StoreError('invalid_request', `The backup is of ${as_of}: ${detail}.`);
  }
}

class Restore {
  readonly #options: RestoreOptions;
  /** Of streams of which not everything is there. */
  readonly #states = new Map<string, StreamState>();
  readonly #streams = new Set<string>();
  #events = 0;
  #sum = 0n;

  constructor(options: RestoreOptions) {
    this.#options = options;
  }

  async run(): Promise<RestoreResult> {
    const { target, plan } = this.#options;
    await this.#readStreams();
    await this.#copyEvents();
    for (const state of this.#states.values()) target.setStream(state);
    await this.#copyGroups();
    target.finish(plan.head);
    await this.#compare();
    return { events: this.#events, streams: this.#streams.size };
  }

  async #readStreams(): Promise<void> {
    const { plan } = this.#options;
    for await (const record of this.#state())
      if (record.kind === 'stream') this.#states.set(record.stream, record);
    for (const [stream, begins] of plan.beginnings) {
      const known = this.#states.get(stream);
      this.#states.set(stream, {
        kind: 'stream',
        stream,
        first_revision: Math.max(begins, known?.first_revision ?? 0),
        last_removed_revision: Math.max(begins - 1, known?.last_removed_revision ?? -1),
        stream_metadata: known?.stream_metadata ?? {},
      });
    }
  }

  async #copyEvents(): Promise<void> {
    const { directory, target, plan, onProgress } = this.#options;
    const segments = segmentsOf(directory, plan.newest);
    for (const file of await segments.list()) {
      for await (const record of readSegment(segments, file)) {
        if (record.kind !== 'event') continue;
        const { event } = record;
        if (event.position > plan.last.position) return;
        // Removed since it was backed up.
        if (event.revision < (this.#states.get(event.stream)?.first_revision ?? 0)) continue;
        target.addEvent(event);
        this.#streams.add(event.stream);
        this.#events += 1;
        this.#sum += exactSum(event);
        if (this.#events % REPORT_EVERY_EVENTS !== 0) continue;
        const fraction = Number(event.position) / Number(plan.last.position);
        onProgress?.({ phase: 'importing', events: this.#events, fraction });
      }
    }
  }

  async #copyGroups(): Promise<void> {
    const { target } = this.#options;
    for await (const record of this.#state()) {
      if (record.kind === 'group') target.addGroup(record);
      if (record.kind === 'message') target.addMessage(record);
    }
  }

  async *#state(): ReturnType<typeof readState> {
    const { directory, plan } = this.#options;
    if (plan.stateOf) yield* readState(directory.states, plan.stateOf.number, plan.stateOf.state);
  }

  /** Reads all that was written. */
  async #compare(): Promise<void> {
    const { target, onProgress } = this.#options;
    let events = 0;
    let sum = 0n;
    for await (const event of target.read()) {
      events += 1;
      sum += exactSum(event);
      if (events % REPORT_EVERY_EVENTS !== 0) continue;
      onProgress?.({ phase: 'verifying', events, fraction: events / this.#events });
    }
    if (events === this.#events && sum === this.#sum) return;
    const detail = `it has ${events} events of ${this.#events}, or other ones`;
    throw new StoreError('corrupt', `The store does not hold what was restored: ${detail}.`);
  }
}

/** One number for an event and its place, time included. */
function exactSum({
  position,
  recordedAt,
  stream,
  revision,
  id,
  type,
  data,
  metadata,
}: RecordedEvent): bigint {
  const text = JSON.stringify([String(position), recordedAt, stream, revision, id, type, data, metadata]);
  return BigInt(`0x${hash('sha256', text)}`);
}
