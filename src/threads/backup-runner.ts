/** Makes backups for a running service, one at a time, each on a thread of its own. */
import { Worker as Thread } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { StoreErrorCode } from '../event-sourcing/store-error.ts';
import type { BackupList, BackupRefusal, BackupRunning, BackupService } from '../http/schemas/backups.ts';
import { type BackupRun, type BankStores, finishedRuns, StoreError } from '../store-tools/back-up-stores.ts';

export type FromBackupThread =
  | { readonly kind: 'progress'; readonly phase: BackupRunning['phase']; readonly events: number }
  | { readonly kind: 'done'; readonly run: number; readonly newEvents: number }
  | { readonly kind: 'failed'; readonly code: StoreErrorCode; readonly message: string };

/** Newest runs that are listed. */
const LISTED_MAX = 100;

export class BackupRunner implements BackupService {
  readonly #config: BankStores & Pick<Config, 'backupDir'>;
  readonly #logger: Logger;
  #thread: Thread | undefined;
  #running: BackupRunning | undefined;
  #lastFailure: BackupList['last_failure'] = null;

  constructor(config: BankStores & Pick<Config, 'backupDir'>, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  async list(): Promise<BackupList> {
    const { backupDir } = this.#config;
    const { runs, damage } = await runsIn(backupDir);
    return {
      configured: backupDir !== undefined,
      running: this.#running ?? null,
      last_failure: this.#lastFailure,
      damage,
      items: runs.slice(-LISTED_MAX).reverse().map(toItem),
    };
  }

  /** For metrics: when the newest backup was verified, and whether all is well with the last try and the directory. */
  async figures(): Promise<{ verifiedAt?: string | undefined; failing: boolean }> {
    const { runs, damage } = await runsIn(this.#config.backupDir);
    return { verifiedAt: runs.at(-1)?.finished_at, failing: damage !== null || this.#lastFailure !== null };
  }

  start(): { readonly started_at: string } | BackupRefusal {
    const { backupDir, eventStore } = this.#config;
    if (eventStore.kind !== 'file') return 'not_supported';
    if (backupDir === undefined) return 'backups_not_configured';
    if (this.#running) return 'backup_in_progress';
    const started_at = new Date().toISOString();
    this.#running = { started_at, phase: 'starting', events: 0 };
    this.#lastFailure = null;
    this.#run(backupDir);
    return { started_at };
  }

  async stop(): Promise<void> {
    await this.#thread?.terminate();
  }

  #run(directory: string): void {
    const { dataDir, eventStore, archiveDir, readModels, publisherState } = this.#config;
    const stores: BankStores = { dataDir, eventStore, archiveDir, readModels, publisherState };
    const thread = new Thread(new URL('./backup-thread.ts', import.meta.url), {
      workerData: { stores, directory },
    });
    this.#thread = thread;
    let ended = false;
    thread.on('message', (message: FromBackupThread) => {
      if (message.kind === 'progress' && this.#running) {
        this.#running = { ...this.#running, phase: message.phase, events: message.events };
      } else if (message.kind === 'done') {
        ended = true;
        this.#logger.info({ run: message.run, new_events: message.newEvents }, 'backup verified');
      } else if (message.kind === 'failed') {
        ended = true;
        this.#failed(message.code, message.message);
      }
    });
    thread.on('error', (error) => {
      ended = true;
      this.#failed('unavailable', 'The backup failed; the log says how.', error);
    });
    thread.on('exit', () => {
      if (!ended) this.#failed('unavailable', 'The backup was interrupted; the next one goes on there.');
      this.#thread = undefined;
      this.#running = undefined;
    });
  }

  #failed(code: StoreErrorCode, detail: string, err?: unknown): void {
    this.#lastFailure = { failed_at: new Date().toISOString(), code, detail };
    this.#logger.error({ code, detail, ...(err ? { err } : {}) }, 'backup failed');
  }
}

async function runsIn(
  backupDir: string | undefined,
): Promise<{ runs: readonly BackupRun[]; damage: string | null }> {
  try {
    return { runs: backupDir === undefined ? [] : await finishedRuns(backupDir), damage: null };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { runs: [], damage: error.message };
  }
}

function toItem(run: BackupRun): BackupList['items'][number] {
  const { number, started_at, as_of, finished_at, events, new_events, segments, head_position, digest } = run;
  const counts = { events, new_events, segments, head_position: String(head_position), digest };
  return { number, started_at, as_of, verified_at: finished_at, ...counts };
}
