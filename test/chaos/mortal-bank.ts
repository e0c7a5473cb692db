/** A bank whose process dies again and again and comes back on the same stores; clients ask it for the life that goes on. */
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TransferMoment } from '../../src/application/transfer-process.ts';
import {
  DYING_SERVICE,
  type Ended,
  type ServiceProcess,
  type Settings,
  spawnService,
} from '../end-to-end/service-process.ts';
import type { BankClient } from '../support/bank-client.ts';
import { eventually } from '../support/eventually.ts';

/** The embedded stores' files, whose pages change only when a write-ahead log is moved into them. */
export type DatabaseFile = 'events.db' | 'read-models.db';

/** How a life ends, always by SIGKILL. What customers have to do before counts, so that slow machines get as far. */
export type Death =
  /** So long after so many orders were answered. */
  | { readonly at: 'any_instant'; readonly afterOrders: number; readonly afterMs: number }
  /** When this part of the time has passed that a start takes. */
  | { readonly at: 'start'; readonly part: number }
  /** When the `on`-th transfer comes to it. */
  | { readonly at: TransferMoment; readonly on: number }
  /** When the write-ahead log is next moved into the database, after so many orders. */
  | { readonly at: 'checkpoint'; readonly of: DatabaseFile; readonly afterOrders: number };

/** A life that has not come to its end within this time never will. */
const LIFE_MS_MAX = 120_000;

export class MortalBank {
  /** Lives that have ended so far. */
  kills = 0;
  readonly #settings: Settings & { readonly OPENBANK_DATA_DIR: string };
  /** How long the newest start without an end took. */
  #startMs = 0;
  #life = Promise.withResolvers<BankClient>();
  #begun = false;
  #newest: ServiceProcess | undefined;

  constructor(settings: Settings & { readonly OPENBANK_DATA_DIR: string }) {
    this.#settings = settings;
  }

  /** The client of the life that goes on, or else of the next one. */
  alive(): Promise<BankClient> {
    return this.#life.promise;
  }

  /** Leaves no process behind, whatever has failed. */
  async bury(): Promise<void> {
    await this.#newest?.end('SIGKILL');
  }

  /** Kills a life that began without an end. */
  async die(service: ServiceProcess): Promise<void> {
    this.#buried(await service.end('SIGKILL'));
  }

  /** Starts a life without an end. */
  async live(): Promise<ServiceProcess> {
    const begun = Date.now();
    const service = await this.#spawn(this.#settings);
    await service.answers();
    this.#startMs = Date.now() - begun;
    this.#begin(service.client);
    return service;
  }

  /**
   * Starts a life and waits for its end.
   * @param answered how many orders of customers were answered so far
   * @throws Error when it ended in another way, or not at all
   */
  async liveUntil(death: Death, answered: () => number): Promise<void> {
    const service = await this.#start(death);
    const answers = service.answers().then(
      () => true,
      // Its moment may come before its first answer: it begins with what was left over.
      () => false,
    );
    if (death.at === 'start') await sleep(death.part * this.#startMs);
    else if (await answers) this.#begin(service.client);
    else if (!('on' in death)) throw new Error('A life has not begun.');
    this.#buried(await this.#end(service, death, answered));
    await answers;
  }

  #begin(client: BankClient): void {
    this.#life.resolve(client);
    this.#begun = true;
  }

  #buried({ signal, code, stderr }: Ended): void {
    // Who waits for a life that has never begun waits for the next one.
    if (this.#begun) this.#life = Promise.withResolvers();
    this.#begun = false;
    if (signal !== 'SIGKILL') throw new Error(`It ended with ${signal ?? code}, not killed: ${stderr}`);
    this.kills += 1;
  }

  #start(death: Death): Promise<ServiceProcess> {
    if (!('on' in death)) return this.#spawn(this.#settings);
    const settings = { ...this.#settings, DIE_AT: death.at, DIE_ON: String(death.on) };
    return this.#spawn(settings, DYING_SERVICE);
  }

  async #spawn(settings: Settings, entry?: string): Promise<ServiceProcess> {
    this.#newest = await spawnService(settings, undefined, entry);
    return this.#newest;
  }

  async #end(service: ServiceProcess, death: Death, answered: () => number): Promise<Ended> {
    if ('on' in death) return endedByItself(service, death.at);
    if (death.at === 'start') return service.end('SIGKILL');
    const enough = answered() + death.afterOrders;
    await eventually('the orders of a life', () => answered() >= enough, LIFE_MS_MAX);
    if (death.at === 'checkpoint') await written(join(this.#settings.OPENBANK_DATA_DIR, death.of));
    else await sleep(death.afterMs);
    return service.end('SIGKILL');
  }
}

async function endedByItself(service: ServiceProcess, moment: string): Promise<Ended> {
  const overdue = new AbortController();
  const ended = await Promise.race([service.ended, sleep(LIFE_MS_MAX, undefined, overdue)]);
  overdue.abort();
  if (ended) return ended;
  const { stdout, stderr } = await service.end('SIGKILL');
  throw new Error(`No transfer came to ${moment} within ${LIFE_MS_MAX / 1000} s: ${stdout}${stderr}`);
}

/** Resolves at the next write into a file. @throws Error when there is none for too long */
function written(path: string): Promise<void> {
  let watcher: FSWatcher | undefined;
  let overdue: NodeJS.Timeout | undefined;
  return new Promise<void>((resolve, reject) => {
    watcher = watch(path, () => resolve()).on('error', reject);
    overdue = setTimeout(() => reject(new Error(`Nothing was written into ${path}.`)), LIFE_MS_MAX);
  }).finally(() => {
    watcher?.close();
    clearTimeout(overdue);
  });
}
