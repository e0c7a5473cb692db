/**
 * Loads aggregates, decides on their newest state and appends what was decided.
 *
 * Commands to one stream wait in a queue and are folded into one append, so a hot aggregate is as fast as a cold one.
 * State is cached at its revision; a conflict reads only the tail and decides again.
 */
import { LRUCache } from 'lru-cache';
import type { DomainEvent, EventCodec } from './codec.ts';
import type {
  AppendResult,
  EventMetadata,
  EventStore,
  ExpectedRevision,
  NewEvent,
  Position,
} from './event-store.ts';
import { StoreError } from './store-error.ts';

/** What the repository must know of a kind of aggregate. */
export interface AggregateType<S, E extends DomainEvent> {
  /** Name in the metadata: `BankAccount`. */
  readonly name: string;
  stream(id: string): string;
  evolve(state: S | undefined, event: E): S;
}

/** Either events (none is fine: nothing changes) or a refusal that the caller understands. */
export type Outcome<T, R> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rejection: R };

/** Who asks, and why: it goes into the metadata of every event that results. */
export type CommandContext = Pick<EventMetadata, 'correlation_id' | 'causation_id' | 'actor' | 'traceparent'>;

export interface Aggregate<S> {
  readonly state: S;
  readonly revision: number;
}

/** What a command did: the state after it, and where its last event stands. */
export interface Committed<S, E> extends Aggregate<S> {
  readonly events: readonly E[];
  readonly stream: string;
  /** Of the append; missing when the command changed nothing. */
  readonly position?: Position;
  /** Business time of the events, RFC 3339 UTC. */
  readonly timestamp: string;
}

/** The stream was not at the revision that the client asked for. */
export interface RevisionMismatch {
  readonly code: 'revision_mismatch';
  readonly actual: number;
}

/** Hears what a repository does. It is called on the way of every command, so it must be quick, and must not throw. */
export interface RepositoryObserver {
  /** An append was answered after `seconds`; `error` means that the store threw, so its outcome may be unknown. */
  onAppend(outcome: 'ok' | 'conflict' | 'error', events: number, seconds: number): void;
  /** Whether the state was in memory when it was asked for: once for commands that are folded into one append. */
  onLookup(cached: boolean): void;
}

export interface RepositoryOptions {
  readonly store: EventStore;
  readonly newId: () => string;
  readonly now: () => Date;
  /** Aggregates kept in memory; default 10,000. */
  readonly cachedAggregatesMax?: number;
  readonly observer?: RepositoryObserver;
}

/** Commands that may wait for one stream; one more is refused as `busy`. */
const WAITING_COMMANDS_MAX = 5_000;
/** Commands folded into one append. */
const FOLDED_COMMANDS_MAX = 500;
/** How often a group decides anew after another writer was faster. */
const TRIES_MAX = 8;

const NOT_CREATED = -1;

interface Cached<S> {
  readonly state: S | undefined;
  readonly revision: number;
}

interface WaitingCommand<S, E, R> {
  readonly decide: (state: S | undefined) => Outcome<E[], R>;
  readonly context: CommandContext;
  readonly expectedRevision: number | undefined;
  readonly resolve: (outcome: Outcome<Committed<S, E>, R | RevisionMismatch>) => void;
  readonly reject: (error: unknown) => void;
}

/** What one command of a group came to, before the group's append is durable. */
type Tentative<S, E, R> =
  | { readonly kind: 'accepted'; readonly state: S; readonly revision: number; readonly events: E[] }
  | { readonly kind: 'rejected'; readonly rejection: R | RevisionMismatch }
  | { readonly kind: 'failed'; readonly error: unknown };

export class Repository<S, E extends DomainEvent, R> {
  readonly #aggregate: AggregateType<S, E>;
  readonly #codec: EventCodec<E>;
  readonly #options: RepositoryOptions;
  readonly #cache: LRUCache<string, Cached<S>>;
  readonly #queues = new Map<string, WaitingCommand<S, E, R>[]>();

  constructor(aggregate: AggregateType<S, E>, codec: EventCodec<E>, options: RepositoryOptions) {
    this.#aggregate = aggregate;
    this.#codec = codec;
    this.#options = options;
    this.#cache = new LRUCache({ max: options.cachedAggregatesMax ?? 10_000 });
  }

  /** The newest state, or nothing when there is no such aggregate. */
  async load(id: string): Promise<Aggregate<S> | undefined> {
    this.#lookUp(id);
    const { state, revision } = await this.#refresh(id);
    return state === undefined ? undefined : { state, revision };
  }

  /** Whether the aggregate was ever created; cheap when it is cached. */
  async exists(id: string): Promise<boolean> {
    return (this.#lookUp(id) ?? (await this.#refresh(id))).state !== undefined;
  }

  /**
   * Decides on the newest state and appends the events; answers only when they are durable.
   * @param expectedRevision the revision that the client saw (If-Match); another one answers `revision_mismatch`.
   * @throws StoreError when the store failed, or `busy` when too many commands wait for this stream.
   */
  execute(
    id: string,
    decide: (state: S | undefined) => Outcome<E[], R>,
    context: CommandContext,
    expectedRevision?: number,
  ): Promise<Outcome<Committed<S, E>, R | RevisionMismatch>> {
    return new Promise((resolve, reject) => {
      const command = { decide, context, expectedRevision, resolve, reject };
      const queue = this.#queues.get(id);
      if (!queue) {
        this.#queues.set(id, [command]);
        // Not at once: what the other sockets of this turn ask of the same stream joins the append.
        setImmediate(() => void this.#drain(id));
      } else if (queue.length < WAITING_COMMANDS_MAX) {
        queue.push(command);
      } else {
        reject(new StoreError('busy', `Too many commands are waiting for ${this.#aggregate.stream(id)}.`));
      }
    });
  }

  async #drain(id: string): Promise<void> {
    const queue = this.#queues.get(id) ?? [];
    while (queue.length > 0) {
      const group = queue.splice(0, FOLDED_COMMANDS_MAX);
      try {
        await this.#commitGroup(id, group);
      } catch (error) {
        for (const command of group) command.reject(error);
      }
    }
    this.#queues.delete(id);
  }

  async #commitGroup(id: string, group: readonly WaitingCommand<S, E, R>[]): Promise<void> {
    let known = this.#lookUp(id) ?? (await this.#refresh(id));
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const now = this.#options.now().toISOString();
      const tentative = decideAll(this.#aggregate, known, group);
      const events = this.#encode(id, group, tentative, now);
      if (events.length === 0) {
        // Nothing will be appended that could prove the state current, so a refusal is checked against the store.
        const newest = await this.#refresh(id);
        if (newest.revision === known.revision) return this.#settle(id, group, tentative, now);
        known = newest;
        continue;
      }
      const expected = known.revision === NOT_CREATED ? 'no_stream' : known.revision;
      const result = await this.#append(this.#aggregate.stream(id), events, expected);
      if (result.ok) {
        this.#remember(id, known, tentative);
        return this.#settle(id, group, tentative, now, result.position);
      }
      known = await this.#refresh(id);
    }
    throw new StoreError('busy', `Other writers kept changing ${this.#aggregate.stream(id)}.`);
  }

  #lookUp(id: string): Cached<S> | undefined {
    const cached = this.#cache.get(id);
    this.#options.observer?.onLookup(cached !== undefined);
    return cached;
  }

  async #append(stream: string, events: NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    const { store, observer } = this.#options;
    if (!observer) return store.append(stream, events, expected);
    const startedAt = performance.now();
    let outcome: 'ok' | 'conflict' | 'error' = 'error';
    try {
      const result = await store.append(stream, events, expected);
      outcome = result.ok ? 'ok' : 'conflict';
      return result;
    } finally {
      observer.onAppend(outcome, events.length, (performance.now() - startedAt) / 1000);
    }
  }

  /** Reads what the cache does not have yet, which is usually nothing. */
  async #refresh(id: string): Promise<Cached<S>> {
    let { state, revision } = this.#cache.get(id) ?? { state: undefined, revision: NOT_CREATED };
    const stream = this.#aggregate.stream(id);
    for await (const event of this.#options.store.readStream(stream, { from: revision + 1 })) {
      state = this.#aggregate.evolve(state, this.#codec.decode(event));
      revision = event.revision;
    }
    const known = { state, revision };
    if (state !== undefined) this.#cache.set(id, known);
    return known;
  }

  #encode(
    id: string,
    group: readonly WaitingCommand<S, E, R>[],
    tentative: readonly Tentative<S, E, R>[],
    timestamp: string,
  ): NewEvent[] {
    return tentative.flatMap((outcome, index) => {
      if (outcome.kind !== 'accepted') return [];
      const metadata: EventMetadata = {
        aggregate_type: this.#aggregate.name,
        aggregate_id: id,
        timestamp,
        ...group[index]?.context,
      } as EventMetadata;
      return outcome.events.map((event) => ({
        id: this.#options.newId(),
        ...this.#codec.encode(event),
        metadata,
      }));
    });
  }

  #remember(id: string, before: Cached<S>, tentative: readonly Tentative<S, E, R>[]): void {
    const last = tentative.findLast((outcome) => outcome.kind === 'accepted');
    const newest = this.#cache.get(id);
    if (!last || (newest && newest.revision > before.revision)) return;
    this.#cache.set(id, { state: last.state, revision: last.revision });
  }

  #settle(
    id: string,
    group: readonly WaitingCommand<S, E, R>[],
    tentative: readonly Tentative<S, E, R>[],
    timestamp: string,
    position?: Position,
  ): void {
    const stream = this.#aggregate.stream(id);
    for (const [index, command] of group.entries()) {
      const outcome = tentative[index] as Tentative<S, E, R>;
      if (outcome.kind === 'failed') {
        command.reject(outcome.error);
      } else if (outcome.kind === 'rejected') {
        command.resolve({ ok: false, rejection: outcome.rejection });
      } else {
        const { state, revision, events } = outcome;
        const where = position === undefined || events.length === 0 ? {} : { position };
        command.resolve({ ok: true, value: { state, revision, events, stream, timestamp, ...where } });
      }
    }
  }
}

/** Decides one command after the other, each on the state that the ones before it leave behind. */
function decideAll<S, E extends DomainEvent, R>(
  aggregate: AggregateType<S, E>,
  known: Cached<S>,
  group: readonly WaitingCommand<S, E, R>[],
): Tentative<S, E, R>[] {
  let { state, revision } = known;
  return group.map(({ decide, expectedRevision }) => {
    try {
      if (expectedRevision !== undefined && state !== undefined && expectedRevision !== revision) {
        return { kind: 'rejected', rejection: { code: 'revision_mismatch', actual: revision } };
      }
      const decision = decide(state);
      if (!decision.ok) return { kind: 'rejected', rejection: decision.rejection };
      const after = decision.value.reduce<S | undefined>(
        (before, event) => aggregate.evolve(before, event),
        state,
      );
      if (after === undefined)
        throw new Error(`${aggregate.name} was accepted without an event that creates it`);
      state = after;
      revision += decision.value.length;
      return { kind: 'accepted', state: after, revision, events: decision.value };
    } catch (error) {
      return { kind: 'failed', error };
    }
  });
}
