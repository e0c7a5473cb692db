/** The place of a restored bank: nothing lies there but what an interrupted restore left, and that is cleared away. */
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeOwnDirectory } from '../adapters/files/segment-directory.ts';
import { isRestoreRest } from '../adapters/sqlite/restore-target.ts';
import type { Config, EventStoreLocation, ReadModelLocation } from '../config.ts';
import { StoreError } from '../event-sourcing/store-error.ts';

/** Which stores belong together. */
export type BankStores = Pick<
  Config,
  'dataDir' | 'eventStore' | 'archiveDir' | 'readModels' | 'publisherState'
>;

/** There while a restore is not finished: then the publisher's state is not that of a bank, and may be thrown away. */
const UNFINISHED = 'restore.unfinished';
const LOCK = /\.lock(-journal)?$/;
/** What lies beside a database that was not closed. */
const DATABASE_SUFFIXES = ['', '-wal', '-shm'];

export class RestorePlace {
  readonly #dataDir: string;
  readonly #files: readonly string[];
  readonly #publisherFile: string | undefined;
  readonly #eventsFile: string | undefined;

  constructor({ dataDir, eventStore, readModels, publisherState }: BankStores) {
    this.#dataDir = dataDir;
    this.#files = [eventStore, readModels, publisherState].flatMap((one) => fileOf(one) ?? []);
    this.#publisherFile = fileOf(publisherState);
    this.#eventsFile = fileOf(eventStore);
  }

  /** @throws StoreError `invalid_request`, saying what is in the way; `unavailable` when the directory cannot be read */
  async refuseOccupied(): Promise<void> {
    const names = await namesIn(this.#dataDir);
    const rests = this.#isUnfinished() && this.#publisherFile ? this.#publisherFile : undefined;
    const isRest = (path: string) => {
      const name = basename(path);
      if (name === UNFINISHED || isRestoreRest(name) || LOCK.test(name)) return true;
      return rests !== undefined && DATABASE_SUFFIXES.some((suffix) => path === rests + suffix);
    };
    const paths = [
      ...names.map((name) => join(this.#dataDir, name)),
      ...this.#files.filter((path) => existsSync(path)),
    ];
    const inTheWay = paths.find((path) => !isRest(path));
    if (inTheWay === undefined) return;
    const place = dirname(inTheWay);
    const sentence = `${place} is not empty: it holds '${basename(inTheWay)}', and a restore overwrites nothing.`;
    const advice = `Stop the bank that uses it and move it away, such as with: mv ${place} ${place}.before-restore`;
    throw new StoreError('invalid_request', `${sentence} ${advice}`);
  }

  /** Clears away what an interrupted restore left, and leaves word that this one is not finished. */
  async begin(): Promise<void> {
    makeOwnDirectory(this.#dataDir);
    await this.#clear();
    await writeFile(join(this.#dataDir, UNFINISHED), '');
  }

  /** Ends a restore; one that came to nothing leaves nothing. */
  async end(): Promise<void> {
    await this.#clear();
    await rm(join(this.#dataDir, UNFINISHED), { force: true });
  }

  async #clear(): Promise<void> {
    const publisher = this.#publisherFile;
    if (publisher === undefined) return;
    const rests = [...DATABASE_SUFFIXES, '.lock', '.lock-journal'].map((end) => partialOf(publisher) + end);
    if (this.#isUnfinished()) rests.push(...DATABASE_SUFFIXES.map((suffix) => publisher + suffix));
    for (const path of rests) await rm(path, { force: true });
  }

  /** A bank whose events are there is a bank, whatever was forgotten beside it. */
  #isUnfinished(): boolean {
    const isBank = this.#eventsFile !== undefined && existsSync(this.#eventsFile);
    return !isBank && existsSync(join(this.#dataDir, UNFINISHED));
  }
}

/** Under which name a file is written before it gets its own. */
export function partialOf(path: string): string {
  return `${path}.restoring`;
}

function fileOf(location: EventStoreLocation | ReadModelLocation): string | undefined {
  return location.kind === 'file' ? location.path : undefined;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new StoreError('unavailable', `${directory} cannot be used (${code ?? error}).`, { cause: error });
  }
}
