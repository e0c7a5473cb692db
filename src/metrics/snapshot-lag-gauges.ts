/** Gauges of how far the newest snapshots of the longest accounts are behind. */
import { Gauge, type Registry } from 'prom-client';

export interface SnapshotLag {
  /** The most events that a load of one of them has to read behind its snapshot. */
  readonly mostEvents: number;
  /** Those with more such events than there should be. */
  readonly lagging: number;
}

export class SnapshotLagGauges {
  readonly #mostEvents: Gauge;
  readonly #lagging: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#mostEvents = new Gauge({
      name: 'openbank_snapshot_lag_events',
      help: 'The most events behind its newest snapshot that one of the longest accounts has.',
      registers,
    });
    this.#lagging = new Gauge({
      name: 'openbank_snapshots_lagging',
      help: 'Accounts among the longest with more events behind their newest snapshot than there should be.',
      registers,
    });
    this.show(undefined);
  }

  /** Replaces what was shown before; what is not known is not shown. */
  show(lag: SnapshotLag | undefined): void {
    this.#mostEvents.remove();
    this.#lagging.remove();
    if (!lag) return;
    this.#mostEvents.set(lag.mostEvents);
    this.#lagging.set(lag.lagging);
  }
}
