/** Puts together what archives accounts, where they can be. */
import type { Logger } from 'pino';
import { AccountArchive } from '../application/account-archive.ts';
import type { ArchiveStep } from '../event-sourcing/archive/archive-run.ts';
import type { ReadModelReader } from '../event-sourcing/read-model-store.ts';
import { newId } from '../new-id.ts';
import type { WriteSide } from './compose-transfers.ts';
import type { OpenedEventStore } from './open-stores.ts';
import type { Parts } from './parts.ts';

/** Called after each step of a run; what it throws interrupts the run there. */
export type ArchiveFailpoint = (step: ArchiveStep) => void | Promise<void>;

/** It is ended before the stores are closed. */
export function composeArchive(
  { live, archive: { catalogue, storage } }: Pick<OpenedEventStore, 'live' | 'archive'>,
  { accounts, codec }: Pick<WriteSide, 'accounts' | 'codec'>,
  readModels: ReadModelReader,
  logger: Logger,
  parts: Parts,
  failpoint?: ArchiveFailpoint,
): AccountArchive {
  const archive = new AccountArchive({
    accounts,
    readModels,
    codec,
    live,
    catalogue,
    storage,
    newId,
    now: () => new Date(),
    onFailure: (err) => logger.error({ err }, 'an archive run failed'),
    failpoint,
  });
  parts.closeLater(archive);
  return archive;
}
