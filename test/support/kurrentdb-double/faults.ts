/** Misbehaviour on demand. Everything here is off until a test asks for it, and most of it spends itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { noLeaderInfo, notLeader, type RpcError, serverNotReady } from './rpc-errors.ts';

/**
 * What may happen to a write instead of an answer:
 * - `drop_before_commit`, `drop_after_commit`: its connection breaks;
 * - `time_out_before_commit`, `time_out_after_commit`: the server says that it timed out;
 * - `silent_before_commit`, `silent_after_commit`: no answer ever comes;
 * - `no_position`: it succeeds, but its answer has no position.
 */
export type WriteFault =
  | 'drop_before_commit'
  | 'drop_after_commit'
  | 'time_out_before_commit'
  | 'time_out_after_commit'
  | 'silent_before_commit'
  | 'silent_after_commit'
  | 'no_position';

/** How a subscription ends: its connection breaks, or the server ends it with UNAVAILABLE. */
export type SubscriptionEnd = 'connection' | 'unavailable';

export interface LeaderEndpoint {
  readonly host: string;
  readonly port: number;
}

interface NotLeaderFault {
  times: number;
  readonly leader: LeaderEndpoint | undefined;
}

interface SubscriptionFault {
  eventsLeft: number;
  readonly how: SubscriptionEnd;
}

export class Faults {
  readonly #writes: WriteFault[] = [];
  readonly #dropConnections: () => void;
  #notLeader: NotLeaderFault = { times: 0, leader: undefined };
  #following: { leader: LeaderEndpoint | undefined } | undefined;
  #subscription: SubscriptionFault | undefined;
  #unavailableUntil = 0;
  #delayMs = 0;
  readonly #fallers = new Set<() => void>();

  constructor(dropConnections: () => void) {
    this.#dropConnections = dropConnections;
  }

  /** The next `times` writes (appends, batches, deletes) meet this fault; faults asked for earlier come first. */
  failWrites(fault: WriteFault, times = 1): void {
    for (let i = 0; i < times; i++) this.#writes.push(fault);
  }

  /** The next `times` requests are refused because the node is not the leader, `leader` being it, when known. */
  refuseAsNotLeader(times: number, leader?: LeaderEndpoint): void {
    this.#notLeader = { times, leader };
  }

  /** From now on the node is a follower: it refuses whatever requires the leader, and does the rest. `false` ends it. */
  follow(leader: LeaderEndpoint | undefined | false): void {
    this.#following = leader === false ? undefined : { leader };
  }

  /** Every request is refused as UNAVAILABLE for so long. */
  beUnavailableFor(milliseconds: number): void {
    this.#unavailableUntil = Date.now() + milliseconds;
  }

  /** Breaks every connection now. */
  dropConnections(): void {
    this.#dropConnections();
  }

  /** Whichever subscription delivers the `events`-th event from now on ends right after it. */
  endSubscriptionAfter(events: number, how: SubscriptionEnd = 'connection'): void {
    this.#subscription = { eventsLeft: events, how };
  }

  /** Every event that is read or delivered is so much later. 0 ends it. */
  delayEvents(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  /** All live subscriptions lose their live events once, so they catch up from the log and say caught up again. */
  fallBehind(): void {
    for (const faller of [...this.#fallers]) faller();
  }

  /** For the subscriptions of the double: hears of `fallBehind`. @returns how to stop */
  onFallBehind(faller: () => void): () => void {
    this.#fallers.add(faller);
    return () => this.#fallers.delete(faller);
  }

  /** The fault that this write meets, which is thereby spent. */
  takeWriteFault(): WriteFault | undefined {
    return this.#writes.shift();
  }

  /** Why this request is refused, if it is. */
  refusal(requiresLeader: boolean): RpcError | undefined {
    const unavailable = this.unavailable();
    if (unavailable !== undefined) return unavailable;
    if (this.#notLeader.times > 0) {
      this.#notLeader.times--;
      return this.#toLeader(this.#notLeader.leader);
    }
    return requiresLeader && this.#following !== undefined
      ? this.#toLeader(this.#following.leader)
      : undefined;
  }

  /** Why requests of any kind are refused at present. */
  unavailable(): RpcError | undefined {
    return Date.now() < this.#unavailableUntil ? serverNotReady() : undefined;
  }

  get isFollowing(): boolean {
    return this.#following !== undefined;
  }

  /** Whom the node follows, as far as it knows. */
  get leader(): LeaderEndpoint | undefined {
    return this.#following?.leader;
  }

  /** Counts an event that a subscription has delivered. @returns how the subscription ends, if it does */
  countDelivered(): SubscriptionEnd | undefined {
    if (this.#subscription === undefined) return undefined;
    this.#subscription.eventsLeft--;
    if (this.#subscription.eventsLeft > 0) return undefined;
    const { how } = this.#subscription;
    this.#subscription = undefined;
    return how;
  }

  async delay(): Promise<void> {
    if (this.#delayMs > 0) await sleep(this.#delayMs);
  }

  #toLeader(leader: LeaderEndpoint | undefined): RpcError {
    return leader === undefined ? noLeaderInfo() : notLeader(leader);
  }
}
