/** Gauges of what follows the log: how far each follower has come, and how far it is behind. */
import { Gauge, type Registry } from 'prom-client';
import type { Position } from '../event-sourcing/event-store.ts';

export interface Follower {
  readonly name: string;
  readonly position: Position;
}

/** The end of the log, as far as it is known. */
export interface LogEnd {
  readonly head: Position | undefined;
  /** How long the oldest event after a position has been waiting, in milliseconds. */
  readonly agesMs: ReadonlyMap<Position, number>;
  /** Whether the difference of two positions is a number of events. */
  readonly positionsCountEvents: boolean;
}

export class FollowerGauges {
  readonly #position: Gauge<string>;
  readonly #lagEvents: Gauge<string>;
  readonly #lagSeconds: Gauge<string>;
  readonly #kind: string;

  /** @param kind of the followers, in the names of the gauges and as their label */
  constructor(registry: Registry, kind: 'projection' | 'subscription') {
    const gauge = (name: string, help: string) =>
      new Gauge({ name: `openbank_${kind}_${name}`, help, labelNames: [kind], registers: [registry] });
    this.#kind = kind;
    this.#position = gauge('position', `Position in the log up to which a ${kind} has seen every event.`);
    this.#lagEvents = gauge('lag_events', `Events that a ${kind} has not seen yet.`);
    this.#lagSeconds = gauge('lag_seconds', `How long the oldest event that a ${kind} has not seen waits.`);
  }

  /** Replaces everything that was shown before; what is not known is not shown. */
  show(followers: readonly Follower[], { head, agesMs, positionsCountEvents }: LogEnd): void {
    for (const gauge of [this.#position, this.#lagEvents, this.#lagSeconds]) gauge.reset();
    for (const { name, position } of followers) {
      const labels = { [this.#kind]: name };
      this.#position.set(labels, Number(position));
      if (head === undefined) continue;
      const ageMs = position < head ? agesMs.get(position) : 0;
      if (ageMs !== undefined) this.#lagSeconds.set(labels, ageMs / 1000);
      if (position >= head || positionsCountEvents)
        this.#lagEvents.set(labels, Number(position < head ? head - position : 0n));
    }
  }
}
