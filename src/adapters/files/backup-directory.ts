/** A backup as files: `events/` and `state/` with their segments, and `backup.json`, which is replaced as a whole. */
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BackupDirectory } from '../../event-sourcing/backup/backup-directory.ts';
import type { SegmentDirectory } from '../../event-sourcing/segments/segment-directory.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';
import {
  directoryError,
  makeOwnDirectory,
  openForExport,
  segmentsIn,
  syncDirectory,
  writeAll,
} from './segment-directory.ts';

const EVENTS = 'events';
const STATES = 'state';
const MANIFEST = 'backup.json';
const PARTIAL = 'backup.json.partial';
const OWN_NAMES: readonly string[] = [EVENTS, STATES, MANIFEST, PARTIAL];

/** A directory that this process alone writes to. */
export interface LockedBackupDirectory extends BackupDirectory {
  close(): Promise<void>;
}

/**
 * Opens a directory for a backup, creating it when missing.
 * @throws StoreError `invalid_request` when it holds other files, `in_use` when another process writes to it,
 *   `unavailable` when it cannot be used
 */
export async function openForBackup(path: string): Promise<LockedBackupDirectory> {
  const name = resolve(path);
  await refuseForeign(name);
  const events = await openForExport(join(name, EVENTS));
  try {
    const states = await openForExport(join(name, STATES));
    const close = async () => {
      await states.close(true);
      await events.close(true);
    };
    return Object.assign(new FileBackupDirectory(name, events, states), { close });
  } catch (error) {
    await events.close(true);
    throw error;
  }
}

/** Opens a directory that holds a backup, for reading. What is missing in it, its reader finds. */
export function openForRestore(path: string): BackupDirectory {
  const name = resolve(path);
  return new FileBackupDirectory(name, segmentsIn(join(name, EVENTS)), segmentsIn(join(name, STATES)));
}

class FileBackupDirectory implements BackupDirectory {
  readonly name: string;
  readonly events: SegmentDirectory;
  readonly states: SegmentDirectory;

  constructor(name: string, events: SegmentDirectory, states: SegmentDirectory) {
    this.name = name;
    this.events = events;
    this.states = states;
  }

  async readManifest(): Promise<string | undefined> {
    try {
      return await readFile(join(this.name, MANIFEST), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw directoryError(this.name, error);
    }
  }

  async writeManifest(text: string): Promise<void> {
    const partial = join(this.name, PARTIAL);
    try {
      const file = await open(partial, 'w', 0o600);
      try {
        await writeAll(file, Buffer.from(text));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, join(this.name, MANIFEST));
      await syncDirectory(this.name);
    } catch (error) {
      await rm(partial, { force: true }).catch(() => undefined);
      throw directoryError(this.name, error);
    }
  }

  async keepStates(sha256s: readonly string[]): Promise<void> {
    const kept = new Set(sha256s);
    for (const { name, sha256 } of await this.states.list()) {
      if (!kept.has(sha256)) await rm(join(this.states.name, name), { force: true });
    }
  }
}

async function refuseForeign(name: string): Promise<void> {
  let names: string[];
  makeOwnDirectory(name);
  try {
    names = await readdir(name);
  } catch (error) {
    throw directoryError(name, error);
  }
  const foreign = names.find((one) => !OWN_NAMES.includes(one));
  // A note that someone put beside a backup does no harm.
  if (foreign === undefined || names.some((one) => OWN_NAMES.includes(one))) return;
  const detail = `it holds '${foreign}', which is not of a backup`;
  throw new StoreError('invalid_request', `${name} cannot take a backup: ${detail}.`);
}
