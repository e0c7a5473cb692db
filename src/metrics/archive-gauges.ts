/** Gauges of the archive: what lies in it, and how the last run that this process was asked for ended. */
import { Gauge, type Registry } from 'prom-client';

export interface ArchiveFigures {
  readonly volumes: number;
  /** Volumes whose events have not all left the store: the next run goes on. */
  readonly unfinishedVolumes: number;
  readonly events: number;
  /** Of the files. */
  readonly bytes: number;
  /** Missing while no run of this process has ended; one that only counts is none. */
  readonly lastRun?: ArchiveRunFigures | undefined;
}

export interface ArchiveRunFigures {
  /** RFC 3339 UTC. */
  readonly endedAt: string;
  readonly failed: boolean;
  /** Events that it moved: none, where it failed before they were all in the archive and out of the store. */
  readonly events: number;
}

export class ArchiveGauges {
  readonly #gauges: ReturnType<typeof register>;

  constructor(registry: Registry) {
    this.#gauges = register(registry);
    this.show(undefined);
  }

  /** Replaces what was shown before; what is not known is not shown. */
  show(figures: ArchiveFigures | undefined): void {
    const { volumes, unfinished, events, bytes, endedAt, runEvents, failing } = this.#gauges;
    for (const gauge of Object.values(this.#gauges)) gauge.remove();
    if (!figures) return;
    volumes.set(figures.volumes);
    unfinished.set(figures.unfinishedVolumes);
    events.set(figures.events);
    bytes.set(figures.bytes);
    const { lastRun } = figures;
    failing.set(lastRun?.failed ? 1 : 0);
    if (!lastRun) return;
    endedAt.set(Date.parse(lastRun.endedAt) / 1_000);
    runEvents.set(lastRun.events);
  }
}

function register(registry: Registry) {
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `openbank_archive_${name}`, help, registers: [registry] });
  return {
    volumes: gauge('volumes', 'Volumes in the archive.'),
    unfinished: gauge('unfinished_volumes', 'Volumes whose events have not all left the store.'),
    events: gauge('events', 'Events in the archive.'),
    bytes: gauge('bytes', 'Bytes of the files of the archive.'),
    endedAt: gauge('run_timestamp_seconds', 'When the last run ended, in seconds since 1970.'),
    runEvents: gauge('run_events', 'Events that the last run moved into the archive.'),
    failing: gauge('failing', 'Whether the last run failed: 1 or 0.'),
  };
}
