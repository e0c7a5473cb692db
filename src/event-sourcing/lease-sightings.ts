/**
 * What one looker has seen of leases, and which of them have a living holder.
 *
 * No clocks are compared. A lease counts as given up when its record has not changed for a while on the clock of the one
 * who looks, as in Kubernetes' leader election (https://pkg.go.dev/k8s.io/client-go/tools/leaderelection).
 */
import type { LeaseRecord, ReadModelStore } from './read-model-store.ts';

interface Sighting {
  readonly record: LeaseRecord;
  /** When this very record was first seen, on the own clock. */
  readonly since: number;
}

export class LeaseSightings {
  readonly #ttlMs: number;
  readonly #clock: () => number;
  readonly #sightings = new Map<string, Sighting>();

  /** @param ttlMs a record that stands still for so long belongs to nobody any more */
  constructor(ttlMs: number, clock: () => number) {
    this.#ttlMs = ttlMs;
    this.#clock = clock;
  }

  /** Records whose holders live. */
  get alive(): LeaseRecord[] {
    return this.#records((sighting) => !this.#standsStill(sighting));
  }

  /** Records that have stood still for too long. */
  get silent(): LeaseRecord[] {
    return this.#records((sighting) => this.#standsStill(sighting));
  }

  /** All leases there are, as a look has just found them. */
  observe(records: readonly LeaseRecord[]): void {
    const now = this.#clock();
    const names = new Set(records.map(({ name }) => name));
    for (const name of this.#sightings.keys()) if (!names.has(name)) this.#sightings.delete(name);
    for (const record of records) {
      const seen = this.recordOf(record.name);
      if (!seen || !isSame(seen, record)) this.#sightings.set(record.name, { record, since: now });
    }
  }

  /** A record that was just written here. */
  note(record: LeaseRecord): void {
    this.#sightings.set(record.name, { record, since: this.#clock() });
  }

  recordOf(name: string): LeaseRecord | undefined {
    return this.#sightings.get(name)?.record;
  }

  isFree(name: string): boolean {
    const sighting = this.#sightings.get(name);
    return !sighting || sighting.record.holder === '' || this.#standsStill(sighting);
  }

  #records(isMeant: (sighting: Sighting) => boolean): LeaseRecord[] {
    return [...this.#sightings.values()].filter(isMeant).map(({ record }) => record);
  }

  #standsStill({ since }: Sighting): boolean {
    return this.#clock() - since >= this.#ttlMs;
  }
}

/**
 * Which of these leases have a living holder, told by two looks with some time between them.
 * @returns a function that looks once and answers by all that it has seen
 */
export function leaseWatcher(
  leases: Pick<ReadModelStore, 'listLeases'>,
  ttlMs = 5_000,
  clock: () => number = () => performance.now(),
): () => Promise<ReadonlyMap<string, string>> {
  const sightings = new LeaseSightings(ttlMs, clock);
  return async () => {
    sightings.observe(await leases.listLeases());
    const held = sightings.alive.filter(({ holder }) => holder !== '');
    return new Map(held.map(({ name, holder }) => [name, holder]));
  };
}

function isSame(one: LeaseRecord, other: LeaseRecord): boolean {
  return one.holder === other.holder && one.token === other.token && one.renewals === other.renewals;
}
