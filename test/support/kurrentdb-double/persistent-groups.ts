/** All persistent subscriptions of a server. Server: src/EventStore.Core/Services/PersistentSubscription/PersistentSubscriptionService.cs */
import type { EventRecord } from './event-log.ts';
import { keyOf, PersistentGroup } from './persistent-group.ts';
import { ALL_STREAM, type GroupDefinition } from './persistent-settings.ts';
import { groupDoesNotExist, groupExists, groupFailed } from './rpc-errors.ts';
import { newJsonEvent, type Store } from './store.ts';
import { readStreamBackwards } from './stream-reader.ts';

// Server: src/EventStore.Core/Services/SystemNames.cs
const CONFIG_STREAM = '$persistentSubscriptionConfig';
const CONFIG_TYPE = '$PersistentConfig';
const TICK_MS = 1000;

export class PersistentGroups {
  readonly #store: Store;
  readonly #groups = new Map<string, PersistentGroup>();
  readonly #announced: EventRecord[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #unfollow: () => void;

  constructor(store: Store) {
    this.#store = store;
    for (const definition of this.#loadConfig()) {
      this.#groups.set(keyOf(definition), new PersistentGroup(store, definition));
    }
    this.#unfollow = store.log.follow((record) => this.#announce(record));
    this.#timer = setInterval(() => {
      for (const group of this.#groups.values()) group.tick(Date.now());
    }, TICK_MS);
    this.#timer.unref();
  }

  get all(): readonly PersistentGroup[] {
    return [...this.#groups.values()];
  }

  /** @throws RpcError when there is none */
  get(stream: string, group: string): PersistentGroup {
    const found = this.#groups.get(keyOf({ stream, group }));
    if (found === undefined) throw groupDoesNotExist(stream, group);
    return found;
  }

  /** @throws RpcError when it exists, or its settings cannot be */
  create(definition: GroupDefinition): void {
    const { stream, group } = definition;
    this.#check(definition);
    if (this.#groups.has(keyOf(definition))) throw groupExists(stream, group);
    this.#groups.set(keyOf(definition), this.#open(definition));
    this.#saveConfig();
  }

  /** Consumers are dropped; what was unfinished is read again from the checkpoint. The filter stays. @throws RpcError */
  update(definition: GroupDefinition): void {
    const old = this.get(definition.stream, definition.group);
    this.#check(definition);
    const changed = { ...definition, filter: old.definition.filter };
    const group = this.#open(changed);
    old.shutDown();
    this.#groups.set(group.key, group);
    this.#saveConfig();
  }

  /** @throws RpcError */
  delete(stream: string, name: string): void {
    const group = this.get(stream, name);
    this.#groups.delete(group.key);
    group.shutDown();
    group.deleteStreams();
    this.#saveConfig();
  }

  /** Begins anew with what is stored. (PersistentSubscriptionsRestart) */
  restart(): void {
    const definitions = this.all.map(({ definition }) => definition);
    for (const group of this.all) group.shutDown();
    for (const definition of definitions) {
      this.#groups.set(keyOf(definition), new PersistentGroup(this.#store, definition));
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unfollow();
    for (const group of this.all) group.shutDown();
  }

  // The server tells its groups by a queue of their own, so a group never writes while it is being told.
  #announce(record: EventRecord): void {
    this.#announced.push(record);
    if (this.#announced.length > 1) return;
    queueMicrotask(() => {
      for (const announced of this.#announced) for (const group of this.all) group.notify(announced);
      this.#announced.length = 0;
    });
  }

  #open(definition: GroupDefinition): PersistentGroup {
    try {
      return new PersistentGroup(this.#store, definition);
    } catch (error) {
      throw groupFailed(
        definition.stream,
        definition.group,
        error instanceof Error ? error.message : String(error),
      );
    }
  }

  // (ValidateStartFrom)
  #check({ stream, group, settings }: GroupDefinition): void {
    if (stream === '') throw groupFailed(stream, group, 'Bad stream name.');
    if (stream !== ALL_STREAM) return;
    const { commit, prepare } = settings.startFrom;
    if (prepare > commit) {
      const reason = 'prepare position must be less than or equal to the commit position.';
      throw groupFailed(stream, group, `Invalid Start From position: ${reason}`);
    }
    if (commit > this.#store.log.lastIndexedPosition) {
      const reason =
        'commit position must be less than or equal to the last commit position in the transaction file.';
      throw groupFailed(stream, group, `Invalid Start From position: ${reason}`);
    }
  }

  #loadConfig(): GroupDefinition[] {
    const page = readStreamBackwards(this.#store.log, CONFIG_STREAM, undefined, 1);
    const newest = page.result === 'success' ? page.records[0] : undefined;
    if (newest === undefined) return [];
    const { entries } = JSON.parse(Buffer.from(newest.data).toString('utf8')) as {
      entries: GroupDefinition[];
    };
    return entries;
  }

  // The entries are in the double's own form; nobody but it reads them.
  #saveConfig(): void {
    const config = {
      version: '2',
      updated: new Date().toISOString(),
      entries: this.all.map(({ definition }) => definition),
    };
    this.#store.writeInternal(CONFIG_STREAM, [newJsonEvent(CONFIG_TYPE, JSON.stringify(config))]);
  }
}
