/**
 * Consumer groups of the embedded event store. What is in flight is known to this process alone, so a store has one such
 * object and every consumer goes through it; what was answered is written down for all of them together, every now and then.
 */
import {
  type ConsumeOptions,
  type ConsumerGroupSettings,
  type ConsumerGroups,
  type Delivery,
  MAX_RETRIES_DEFAULT,
  MESSAGE_TIMEOUT_MS_DEFAULT,
  type ParkedMessage,
} from '../../event-sourcing/consumer-groups.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { LiveGroup } from './consumer-groups-group.ts';
import { type EventLog, GroupStorage, type StoredSettings } from './consumer-groups-storage.ts';
import { translated } from './database.ts';

const MAX_IN_FLIGHT_DEFAULT = 10;
/** The answers of so long share one commit; a power cut makes them come again. */
const SAVE_ANSWERS_MS = 100;
/** A checkpoint that only passed unwanted events: losing it costs nothing but another search. */
const SAVE_CHECKPOINT_MS = 5_000;
/** Deliveries in one turn of the event loop: a consumer that answers at once must not keep others from their work. */
const TURN_DELIVERIES_MAX = 16;
const SELECTED_MAX = 100;
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*$/;

export class SqliteConsumerGroups implements ConsumerGroups {
  readonly #log: EventLog;
  readonly #storage: GroupStorage;
  /** Groups that were used since the store was opened. */
  readonly #live = new Map<string, LiveGroup>();
  #saving: { readonly timer: NodeJS.Timeout; readonly delayMs: number } | undefined;
  #closed = false;

  constructor(log: EventLog) {
    this.#log = log;
    this.#storage = translated(log.name, () => new GroupStorage(log));
  }

  async ensureGroup(settings: ConsumerGroupSettings): Promise<void> {
    const { name, startFrom } = settings;
    const wanted = checkedSettings(settings);
    this.#checked(() => {
      const stored = this.#storage.find(name);
      if (!stored) {
        return this.#storage.create(name, wanted, startFrom === 'first_event' ? 0 : this.#log.head());
      }
      if (JSON.stringify(wanted) === JSON.stringify(stored.settings)) return;
      this.#group(name).change(wanted);
    });
  }

  async *consume(name: string, { maxInFlight, signal }: ConsumeOptions): AsyncGenerator<Delivery> {
    const room = maxInFlight ?? MAX_IN_FLIGHT_DEFAULT;
    if (!isWhole(room, 1)) throw new StoreError('invalid_request', 'maxInFlight is a whole number from 1.');
    const group = this.#group(name);
    const consumer = group.join(room);
    const leave = () => group.leave(consumer);
    signal.addEventListener('abort', leave, { once: true });
    try {
      for (let taken = 1; !signal.aborted; taken += 1) {
        const delivery = this.#checked(() => group.take(consumer));
        if (delivery) yield delivery;
        else await group.waitForMore(consumer, signal);
        if (taken % TURN_DELIVERIES_MAX === 0) await new Promise(setImmediate);
      }
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }

  async countParked(name: string): Promise<number> {
    const { id } = this.#saved(name);
    return this.#checked(() => this.#storage.countParked(id));
  }

  async listParked(name: string, { limit }: { limit: number }): Promise<ParkedMessage[]> {
    const { id } = this.#saved(name);
    return this.#checked(() => this.#storage.listParked(id, limit));
  }

  async replayParked(name: string, { limit }: { limit: number }): Promise<number> {
    const group = this.#group(name);
    return this.#checked(() => group.replay(limit));
  }

  async discardParked(name: string, { limit }: { limit: number }): Promise<number> {
    const group = this.#group(name);
    return this.#checked(() => group.discard(limit));
  }

  async deleteGroup(name: string): Promise<void> {
    this.#checked(() => {
      const stored = this.#storage.find(name);
      if (!stored) return;
      this.#storage.delete(stored.id);
      this.#live.get(name)?.end(missing(name));
      this.#live.delete(name);
    });
  }

  /** Takes back what is in flight and writes everything down; belongs before the closing of the store. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const closed = new StoreError('closed', `${this.#log.name} is closed.`);
    for (const group of this.#live.values()) group.end(closed);
    clearTimeout(this.#saving?.timer);
    try {
      this.#save();
    } catch {
      // What is lost comes again, and who still waits for an append is told about the failing disk.
    }
  }

  /** The group, loaded when it is first asked for. */
  #group(name: string): LiveGroup {
    return this.#checked(() => {
      const known = this.#live.get(name);
      if (known) return known;
      const stored = this.#storage.find(name);
      if (!stored) throw missing(name);
      const group = new LiveGroup(name, stored, this.#log, this.#storage, {
        save: () => this.#save(),
        changed: (what) => this.#saveIn(what === 'answers' ? SAVE_ANSWERS_MS : SAVE_CHECKPOINT_MS),
      });
      this.#live.set(name, group);
      return group;
    });
  }

  /** The group, when all that is known of it can be read from its tables. */
  #saved(name: string): LiveGroup {
    const group = this.#group(name);
    this.#save();
    return group;
  }

  #saveIn(delayMs: number): void {
    if (this.#closed || (this.#saving && this.#saving.delayMs <= delayMs)) return;
    clearTimeout(this.#saving?.timer);
    const timer = setTimeout(() => {
      this.#saving = undefined;
      try {
        this.#save();
      } catch {
        // A full or failing disk: nothing is forgotten, and whoever appends meets it and says so.
        this.#saveIn(SAVE_CHECKPOINT_MS);
      }
    }, delayMs).unref();
    this.#saving = { timer, delayMs };
  }

  /** Writes down what has changed in all groups, in one commit. */
  #save(): void {
    const changed = [...this.#live.values()]
      .filter((live) => !live.isSaved)
      .map((live) => ({ live, group: live.id, changes: live.changes() }));
    if (changed.length === 0) return;
    this.#storage.save(changed);
    for (const { live, changes } of changed) live.saved(changes);
    clearTimeout(this.#saving?.timer);
    this.#saving = undefined;
  }

  #checked<T>(work: () => T): T {
    if (this.#closed) throw new StoreError('closed', `${this.#log.name} is closed.`);
    return translated(this.#log.name, work);
  }
}

/** @throws StoreError `invalid_request` */
function checkedSettings(settings: ConsumerGroupSettings): StoredSettings {
  const { name } = settings;
  const { maxRetries = MAX_RETRIES_DEFAULT, messageTimeoutMs = MESSAGE_TIMEOUT_MS_DEFAULT } = settings;
  if (!KEBAB_CASE.test(name)) {
    throw new StoreError('invalid_request', 'The name of a consumer group is in kebab-case.');
  }
  const { streamPrefixes = [], eventTypes = [] } = settings;
  const selected = Math.max(streamPrefixes.length, eventTypes.length);
  if (selected === 0 || selected > SELECTED_MAX || Math.min(streamPrefixes.length, eventTypes.length) > 0) {
    const detail = `A consumer group has either stream prefixes or event types, 1 to ${SELECTED_MAX} of them.`;
    throw new StoreError('invalid_request', detail);
  }
  if (!isWhole(maxRetries, 0) || !isWhole(messageTimeoutMs, 1)) {
    const detail = 'maxRetries is a whole number from 0, messageTimeoutMs one from 1.';
    throw new StoreError('invalid_request', detail);
  }
  const selection = eventTypes.length > 0 ? { eventTypes } : { streamPrefixes };
  return { ...selection, maxRetries, messageTimeoutMs };
}

function isWhole(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

function missing(name: string): StoreError {
  return new StoreError('invalid_request', `There is no consumer group ${name}.`);
}
