/** Gauges of the backups that this service makes: how old the newest good one is, and whether the last try was one. */
import { Gauge, type Registry } from 'prom-client';

export interface BackupFigures {
  /** When the newest backup was verified, RFC 3339 UTC; missing while there is none. */
  readonly verifiedAt?: string | undefined;
  /** The last try failed, or what lies in the directory is damaged. */
  readonly failing: boolean;
}

export class BackupGauges {
  readonly #verifiedAt: Gauge;
  readonly #failing: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#verifiedAt = new Gauge({
      name: 'openbank_backup_verified_timestamp_seconds',
      help: 'When the newest backup was verified, in seconds since 1970.',
      registers,
    });
    this.#failing = new Gauge({
      name: 'openbank_backup_failing',
      help: 'Whether the last backup failed, or the directory of the backups is damaged: 1 or 0.',
      registers,
    });
    // A gauge without labels begins as 0, which would be a backup of 1970.
    this.show(undefined);
  }

  /** Replaces what was shown before; what is not known is not shown. */
  show(figures: BackupFigures | undefined): void {
    this.#verifiedAt.remove();
    this.#failing.remove();
    if (!figures) return;
    this.#failing.set(figures.failing ? 1 : 0);
    if (figures.verifiedAt !== undefined) this.#verifiedAt.set(Date.parse(figures.verifiedAt) / 1_000);
  }
}
