/** The streams that a group keeps for itself: its checkpoints and its parked messages. */
import { randomUUID } from 'node:crypto';
import { LINK_TYPE, METADATA_TYPE } from './event-log.ts';
import { originalOf, type ResolvedEvent } from './links.ts';
import { newJsonEvent, type Store } from './store.ts';
import { readStreamBackwards, readStreamForwards } from './stream-reader.ts';

const CHECKPOINT_TYPE = '$SubscriptionCheckpoint';

// Server: src/EventStore.Core/Services/PersistentSubscription/PersistentSubscriptionMessageParker.cs (CreateStreamMetadataEvent)
const PARKED_ACL = { $r: '$admins', $w: '$admins', $d: '$admins', $mr: '$admins', $mw: '$admins' };

/** Server: PersistentSubscriptionCheckpointWriter.cs, PersistentSubscriptionCheckpointReader.cs */
export class CheckpointStream {
  readonly #store: Store;
  readonly #name: string;

  constructor(store: Store, key: string) {
    this.#store = store;
    this.#name = `$persistentsubscription-${key}-checkpoint`;
  }

  load(): string | undefined {
    const page = readStreamBackwards(this.#store.log, this.#name, undefined, 1);
    const newest = page.result === 'success' ? page.records[0] : undefined;
    return newest === undefined
      ? undefined
      : (JSON.parse(Buffer.from(newest.data).toString('utf8')) as string);
  }

  write(checkpoint: string): void {
    this.#store.writeInternal(this.#name, [newJsonEvent(CHECKPOINT_TYPE, JSON.stringify(checkpoint))]);
  }

  delete(): void {
    this.#store.softDelete(this.#name, -2);
  }
}

/** Server: PersistentSubscriptionMessageParker.cs */
export class ParkedStream {
  readonly name: string;
  readonly #store: Store;
  #truncateBefore = -1;
  #lastParked = -1;

  constructor(store: Store, key: string) {
    this.#store = store;
    this.name = `$persistentsubscription-${key}-parked`;
  }

  get count(): number {
    if (this.#lastParked === -1) return 0;
    return this.#truncateBefore === -1 ? this.#lastParked + 1 : this.#lastParked - this.#truncateBefore + 1;
  }

  /** Only a group with a checkpoint counts what was parked before the server started. (BeginLoadStats) */
  loadCount(): void {
    const last = readStreamBackwards(this.#store.log, this.name, undefined, 1);
    const first = readStreamForwards(this.#store.log, this.name, 0, 1);
    this.#lastParked = (last.result === 'success' ? last.records[0]?.revision : undefined) ?? -1;
    this.#truncateBefore = (first.result === 'success' ? first.records[0]?.revision : undefined) ?? -1;
  }

  /** Links to the event; the link's metadata says when and why. */
  park(resolved: ResolvedEvent, reason: string): void {
    const target = resolved.event ?? originalOf(resolved);
    const data =
      resolved.event === undefined ? target.data : Buffer.from(`${target.revision}@${target.stream}`);
    const metadata = JSON.stringify({
      added: new Date().toISOString(),
      reason,
      subscriptionEventNumber: originalOf(resolved).revision,
    });
    const link = { id: randomUUID(), type: LINK_TYPE, isJson: false, data, metadata: Buffer.from(metadata) };
    const written = this.#store.write(this.name, -2, [link]);
    if (written.result === 'success') this.#lastParked = written.lastRevision;
  }

  /** The newest revision, however much is truncated; nothing when nothing was ever parked. */
  lastRevision(): number | undefined {
    const page = readStreamBackwards(this.#store.log, this.name, undefined, 1);
    return page.result === 'success' ? page.lastRevision : undefined;
  }

  /** Forgets what was parked before this revision. */
  truncate(before: number): void {
    const metadata = JSON.stringify({ $tb: before, $acl: PARKED_ACL });
    this.#store.write(`$$${this.name}`, -2, [newJsonEvent(METADATA_TYPE, metadata)]);
    this.#truncateBefore = before;
  }

  delete(): void {
    this.#store.softDelete(this.name, -2);
  }
}
