/** Gauges of the streams by their kind, and of transfers that nobody drives. Their labels are few, whatever there is. */
import { Gauge, type Registry } from 'prom-client';

/** Figures of one kind of streams. */
export interface StreamKind {
  readonly category: string;
  readonly streams: number;
  readonly events: number;
  readonly bytes: number;
  /** Streams by length, each class by itself; null is beyond all classes. */
  readonly lengths: readonly { readonly up_to: number | null; readonly streams: number }[];
  readonly with_faults: Readonly<Record<string, number>>;
}

export interface StreamFigures {
  readonly categories: readonly StreamKind[];
  readonly orphanTransfers: number;
}

export class StreamGauges {
  readonly #gauges: ReturnType<typeof register>;

  constructor(registry: Registry) {
    this.#gauges = register(registry);
  }

  /** Replaces everything that was shown before; what is not known is not shown. */
  show(figures: StreamFigures | undefined): void {
    const { streams, events, bytes, byLength, withFaults, orphans } = this.#gauges;
    for (const gauge of [streams, events, bytes, byLength, withFaults]) gauge.reset();
    orphans.remove();
    if (!figures) return;
    orphans.set(figures.orphanTransfers);
    for (const { category, lengths, with_faults, ...sums } of figures.categories) {
      streams.set({ category }, sums.streams);
      events.set({ category }, sums.events);
      bytes.set({ category }, sums.bytes);
      let longAtMost = 0;
      for (const { up_to, streams: some } of lengths) {
        longAtMost += some;
        byLength.set({ category, up_to: up_to === null ? '+Inf' : String(up_to) }, longAtMost);
      }
      for (const [fault, count] of Object.entries(with_faults)) withFaults.set({ category, fault }, count);
    }
  }
}

function register(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name: `openbank_${name}`, help, labelNames, registers: [registry] });
  return {
    streams: gauge('streams', 'Streams by their kind.', ['category']),
    events: gauge('stream_events', 'Events in streams of a kind.', ['category']),
    bytes: gauge('stream_bytes', 'Bytes of data and metadata in streams of a kind.', ['category']),
    byLength: gauge('streams_by_length', 'Streams of a kind that are at most so long.', [
      'category',
      'up_to',
    ]),
    withFaults: gauge('streams_with_faults', 'Streams of a kind in which something is wrong.', [
      'category',
      'fault',
    ]),
    orphans: gauge('orphan_transfers', 'Unfinished transfers that nobody seems to drive.', []),
  };
}
