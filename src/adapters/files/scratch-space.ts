/** A place for files that one process needs while it lives; what a crash has left is removed by whoever comes next. */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { lockForThisProcess } from '../sqlite/database.ts';
import { makeDirectory } from './make-directory.ts';

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** A directory `NAME-ID` beside a lock `NAME-ID.lock`, which the operating system releases however the process ends. */
export class ScratchSpace {
  readonly #parent: string;
  readonly #name: string;
  #made: { readonly path: string; readonly unlock: () => void } | undefined;

  /** Nothing is made before the first file needs it. */
  constructor(parent: string, name: string) {
    this.#parent = parent;
    this.#name = name;
  }

  /** Removes the places of processes that are no more. What cannot be looked at or removed stays, and is no error. */
  async removeLeftovers(): Promise<void> {
    const entries = await readdir(this.#parent).catch(() => []);
    const places = entries.flatMap((entry) => {
      const id = entry.startsWith(`${this.#name}-`) && ID.exec(entry.slice(this.#name.length + 1))?.[0];
      return id ? [join(this.#parent, `${this.#name}-${id}`)] : [];
    });
    for (const path of new Set(places)) {
      const unlock = tryToLock(path);
      if (unlock) await removePlace(path, unlock).catch(() => undefined);
    }
  }

  /**
   * A new directory in it, for the process's own user.
   * @throws StoreError `disk_full` or `unavailable`
   */
  async makeDirectory(name: string): Promise<string> {
    this.#made ??= this.#lock();
    const path = join(this.#made.path, name);
    try {
      makeDirectory(path, 0o700);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const detail = `The directory ${path} cannot be made (${code}).`;
      throw new StoreError(code === 'ENOSPC' ? 'disk_full' : 'unavailable', detail, { cause: error });
    }
    return path;
  }

  /** Removes all that is in it. */
  async remove(): Promise<void> {
    const made = this.#made;
    this.#made = undefined;
    if (made) await removePlace(made.path, made.unlock);
  }

  /** The lock comes first: a place without one is a leftover. */
  #lock() {
    const path = join(this.#parent, `${this.#name}-${randomUUID()}`);
    return { path, unlock: lockForThisProcess({ kind: 'file', path }) };
  }
}

function tryToLock(path: string): (() => void) | undefined {
  try {
    return lockForThisProcess({ kind: 'file', path });
  } catch {
    return undefined;
  }
}

async function removePlace(path: string, unlock: () => void): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } finally {
    unlock();
    await rm(`${path}.lock`, { force: true });
  }
}
