/**
 * Backs up a store while it is written to: the events that came since the last run, and the state that is not in the log,
 * all of one instant. A run that was interrupted is gone on with by the next one.
 */
import { ARCHIVE_STREAM_PREFIX } from '../archive/archive-catalogue.ts';
import type { EventReader, Position, RecordedEvent } from '../event-store.ts';
import { addDigests, digestOf, digestText, type EventDigest } from '../segments/event-digest.ts';
import {
  checkSegments,
  type ExportTotals,
  type ReportProgress,
  readSegment,
} from '../segments/export-chain.ts';
import { placeOf } from '../segments/segment.ts';
import type { SegmentFile } from '../segments/segment-directory.ts';
import { type Exported, writeSegments } from '../segments/segment-writer.ts';
import { SNAPSHOT_STREAM_PREFIX } from '../snapshots/snapshot-streams.ts';
import { StoreError } from '../store-error.ts';
import { backupChain, checkStates, refuseOthers } from './backup-chain.ts';
import type { BackupDirectory } from './backup-directory.ts';
import {
  type BackupManifest,
  type BackupRun,
  manifestText,
  newestRun,
  parseManifest,
  withRun,
} from './backup-manifest.ts';
import { type ReactorRecord, readState, type StateRecord, stateBytes } from './backup-state.ts';

/** A store as a backup reads it, on a connection of its own. */
export interface BackupSource extends Pick<EventReader, 'storeId' | 'readAll' | 'headPosition'> {
  /** From now on everything is read as it is at this instant, whatever is written meanwhile; until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Streams with settings or removed events, and consumer groups with their messages. */
  states(): Iterable<StateRecord> | AsyncIterable<StateRecord>;
}

export interface BackupOptions {
  readonly source: BackupSource;
  readonly directory: BackupDirectory;
  /** What reactors remember. It is read a moment later than the events: what it says of later ones, no restore needs. */
  readonly reactors: () => AsyncIterable<ReactorRecord>;
  readonly now: () => Date;
  readonly onProgress?: ReportProgress;
  /** As with an export. */
  readonly segmentEvents?: number;
}

export interface BackupResult {
  readonly manifest: BackupManifest;
  readonly run: BackupRun;
  /** Of all files that hold events. */
  readonly bytes: number;
}

const REPORT_EVERY_EVENTS = 1_000;
/** Snapshots are made anew; what the archive holds is backed up with the rest, so its catalogue would point to nothing. */
const LEFT_OUT = [SNAPSHOT_STREAM_PREFIX, ARCHIVE_STREAM_PREFIX];

/**
 * @throws StoreError `invalid_request` when the directory holds the backup of another store, or the store has lost events
 *   that are in it; `corrupt` when the backup is damaged; `disk_full` or `unavailable` when directory or store fail. In
 *   each case the last finished run is as it was.
 */
export async function backUp(options: BackupOptions): Promise<BackupResult> {
  return new BackupWriter(options).run();
}

class BackupWriter {
  readonly #options: BackupOptions;
  readonly #chain = backupChain();
  readonly #startedAt: Date;
  /** Of the backup, over all runs. */
  #first: Position | undefined;
  #newest: RecordedEvent | undefined;
  /** The instant that is backed up, and the newest position at it. */
  #asOf: Date;
  #head: Position = 0n;

  constructor(options: BackupOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    this.#asOf = this.#startedAt;
  }

  async run(): Promise<BackupResult> {
    const { source, directory } = this.#options;
    const before = await this.#checkWhatIsThere();
    const written = this.#chain.totals();
    const number = (before ? newestRun(before).number : 0) + 1;
    let state: SegmentFile;
    try {
      await this.#writeEvents();
      state = await directory.states.write(number, stateBytes(this.#states()));
    } finally {
      source.thaw();
    }
    await this.#readBack(written, number, state);
    const run = this.#describe(number, before, state);
    const manifest = {
      store_id: source.storeId,
      ...(this.#first === undefined ? {} : { first_position: this.#first }),
      runs: withRun(before?.runs ?? [], run),
    };
    await directory.writeManifest(manifestText(manifest));
    await directory.keepStates(manifest.runs.map((one) => one.state));
    return { manifest, run, bytes: this.#chain.totals().bytes };
  }

  /** Reads all that earlier runs wrote, so that damage is noticed with the next backup and not with the restore. */
  async #checkWhatIsThere(): Promise<BackupManifest | undefined> {
    const { source, directory, onProgress } = this.#options;
    const text = await directory.readManifest();
    const manifest = text === undefined ? undefined : parseManifest(text, directory.name);
    if (manifest) refuseOthers(await directory.events.list(), newestRun(manifest));
    await checkSegments(directory.events, this.#chain, {
      visit: (record) => {
        if (record.kind === 'event') this.#note(record.event);
      },
      ...(onProgress && { onProgress }),
    });
    if (manifest) await checkStates(directory, manifest);
    const storeId = manifest?.store_id ?? this.#chain.totals().storeId ?? source.storeId;
    if (storeId !== source.storeId) {
      const detail = `it is of the store ${storeId}, and this one is ${source.storeId}`;
      const advice = 'A restored bank is another store; name another directory';
      throw new StoreError(
        'invalid_request',
        `${directory.name} holds another backup: ${detail}. ${advice}.`,
      );
    }
    await this.#refuseLostEvents();
    return manifest;
  }

  /** A file that was put back by other means has the same name, but not what came after it was copied. */
  async #refuseLostEvents(): Promise<void> {
    const newest = this.#newest;
    if (!newest) return;
    const { source, directory } = this.#options;
    const head = (await source.headPosition()) ?? 0n;
    let ends = head < newest.position;
    for await (const event of source.readAll({ from: newest.position, limit: 1 })) {
      ends ||= event.position === newest.position && event.id !== newest.id;
    }
    if (!ends) return;
    const detail = `${directory.name} holds events up to position ${newest.position} that the store does not have`;
    const meaning = 'The store is an older copy, or was replaced';
    throw new StoreError(
      'invalid_request',
      `${detail}. ${meaning}: restore it from this backup, or name another directory.`,
    );
  }

  async #writeEvents(): Promise<void> {
    const { source, directory, now, segmentEvents } = this.#options;
    const options = {
      storeId: source.storeId,
      directory: directory.events,
      now,
      goesOn: true,
      ...(segmentEvents === undefined ? {} : { segmentEvents }),
    };
    await writeSegments(options, this.#chain, this.#events());
  }

  /**
   * Most events are read while the store goes on, so that its write-ahead log is not held up for long. Then it is frozen
   * for the few that came meanwhile. Whatever can be read at that instant is written by then: it was there all along.
   */
  async *#events(): AsyncGenerator<Exported> {
    const { source, now } = this.#options;
    yield* this.#eventsUpTo((await source.headPosition()) ?? 0n);
    source.freeze();
    this.#head = (await source.headPosition()) ?? 0n;
    this.#asOf = now();
    yield* this.#eventsUpTo(this.#head);
  }

  async *#eventsUpTo(head: Position): AsyncGenerator<Exported> {
    const after = this.#newest?.position ?? 0n;
    if (head <= after) return;
    const { source, onProgress } = this.#options;
    let seen = 0;
    for await (const event of source.readAll({ from: after + 1n })) {
      if (event.position > head) return;
      seen += 1;
      if (seen % REPORT_EVERY_EVENTS === 0) {
        const fraction = Number(event.position - after) / Number(head - after);
        onProgress?.({ phase: 'exporting', events: seen, fraction });
      }
      if (LEFT_OUT.some((prefix) => event.stream.startsWith(prefix))) continue;
      this.#note(event);
      yield { event, start: this.#startOf(event) };
    }
  }

  /** Said of a stream that does not begin at 0, or goes on behind events that were removed before a run reached them. */
  #startOf(event: RecordedEvent): Exported['start'] {
    const { stream, revision } = event;
    const next = this.#chain.nextRevision(stream) ?? 0;
    if (revision === next) return undefined;
    if (revision > next) return { kind: 'stream', stream, first_revision: revision, stream_metadata: {} };
    const detail = `${placeOf(event)} follows revision ${next - 1}`;
    throw new StoreError('corrupt', `The store is not the one that was backed up before: ${detail}.`);
  }

  #note(event: RecordedEvent): void {
    this.#first ??= event.position;
    this.#newest = event;
  }

  async *#states(): AsyncGenerator<StateRecord> {
    const { source, reactors } = this.#options;
    yield* source.states();
    source.thaw();
    yield* reactors();
  }

  /** Reads what this run has written. @throws StoreError `corrupt` when it is not what was to be written */
  async #readBack(before: ExportTotals, run: number, state: SegmentFile): Promise<void> {
    const { directory, onProgress } = this.#options;
    const written = this.#chain.totals();
    let events = before.events;
    let digest: EventDigest = BigInt(`0x${before.digest}`);
    for (const file of await directory.events.list()) {
      if (file.number <= before.segments) continue;
      for await (const record of readSegment(directory.events, file)) {
        if (record.kind !== 'event') continue;
        events += 1;
        digest = addDigests(digest, digestOf(record.event));
      }
      const fraction = (events - before.events) / (written.events - before.events);
      onProgress?.({ phase: 'verifying', events: events - before.events, fraction });
    }
    for await (const _record of readState(directory.states, run, state.sha256)) {
      // That it can be read is all that is asked.
    }
    if (events === written.events && digestText(digest) === written.digest) return;
    throw new StoreError(
      'corrupt',
      `${directory.name} does not hold what was just written to it: is its disk in order?`,
    );
  }

  #describe(number: number, before: BackupManifest | undefined, state: SegmentFile): BackupRun {
    const { events, digest, segments } = this.#chain.totals();
    const newest = this.#chain.newest;
    return {
      number,
      started_at: this.#startedAt.toISOString(),
      as_of: this.#asOf.toISOString(),
      finished_at: this.#options.now().toISOString(),
      head_position: this.#head,
      ...(this.#newest ? { last_position: this.#newest.position } : {}),
      events,
      new_events: events - (before ? newestRun(before).events : 0),
      digest,
      segments,
      ...(newest ? { last_segment: newest.sha256 } : {}),
      state: state.sha256,
    };
  }
}
