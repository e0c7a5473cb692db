/** Entry of the thread that makes one backup, so that whoever serves requests is not kept from it. */
import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../event-sourcing/store-error.ts';
import { type BankStores, backUpStore } from '../store-tools/back-up-stores.ts';
import type { FromBackupThread } from './backup-runner.ts';

/** Least time between two reports of the progress, in milliseconds. */
const REPORT_SPACING_MS = 200;

const report = (message: FromBackupThread) => parentPort?.postMessage(message);
const { stores, directory } = workerData as { stores: BankStores; directory: string };
let reportedAt = 0;

try {
  const { run } = await backUpStore(stores, directory, ({ phase, events }) => {
    if (phase === 'importing' || performance.now() - reportedAt < REPORT_SPACING_MS) return;
    reportedAt = performance.now();
    report({ kind: 'progress', phase, events });
  });
  report({ kind: 'done', run: run.number, newEvents: run.new_events });
} catch (error) {
  if (!(error instanceof StoreError)) throw error;
  report({ kind: 'failed', code: error.code, message: error.message });
}
