/** Where everything is kept in the database: the names of collections and the shapes of what is not a read model. */
import type { Db, Collection as MongoCollection } from 'mongodb';
import type { Collection } from '../../event-sourcing/read-model-store.ts';

/** Which event store the documents come from. */
export interface SourceRow {
  readonly _id: typeof EVENT_STORE;
  readonly store_id: string;
  /** Raised when the documents of another event store replace these; each row carries the one it belongs to. */
  readonly generation: number;
  /** Rows of older generations may still be there. */
  readonly replacing: boolean;
  /** Every collection that was ever prepared here. What else is in the database belongs to someone else. */
  readonly collections: readonly string[];
}

/** All checkpoints are one document, so that they move together or not at all. */
export interface CheckpointsRow {
  readonly _id: typeof PROJECTIONS;
  readonly generation: number;
  /** By the name that the collection has while it is not served. */
  readonly projections: Readonly<Record<string, CheckpointRow>>;
  /** What is served, by projection: its collection has the projection's plain name. */
  readonly live?: Readonly<Record<string, LiveRow>>;
  /** What is about to be served: its collections are being renamed. */
  readonly swapping?: Readonly<Record<string, LiveRow>>;
}

export interface LiveRow {
  readonly version: number;
  /** 0 for the one filling that a version has without a build. */
  readonly build: number;
}

export interface CheckpointRow {
  readonly projection: string;
  readonly version: number;
  /** Missing where there are none. */
  readonly build?: number;
  /** Missing after the collection was cleared. */
  readonly position?: bigint;
  /** The highest fencing token that was here. */
  readonly fence: bigint;
}

export interface DeadLetterRow {
  /** `PROJECTION/POSITION/KEY`, or `PROJECTION_build_BUILD/…`: neither of the first two has a slash. */
  readonly _id: string;
  readonly generation: number;
  readonly projection: string;
  /** Missing where there are none. */
  readonly build?: number;
  readonly document_key: string;
  readonly position: bigint;
  readonly stream: string;
  readonly revision: bigint;
  readonly event_id: string;
  readonly event_type: string;
  readonly cause: string;
  readonly attempts: number;
  readonly dead_since: string;
}

export interface LeaseRow {
  /** The name of the lease. */
  readonly _id: string;
  readonly holder: string;
  readonly token: bigint;
  readonly renewals: bigint;
}

export const EVENT_STORE = 'event_store';
export const PROJECTIONS = 'projections';

const OWN_COLLECTIONS = ['source', 'checkpoints', 'dead_letters', 'leases'];

export const sourceIn = (db: Db): MongoCollection<SourceRow> => db.collection('source');
export const checkpointsIn = (db: Db): MongoCollection<CheckpointsRow> => db.collection('checkpoints');
export const deadLettersIn = (db: Db): MongoCollection<DeadLetterRow> => db.collection('dead_letters');
export const leasesIn = (db: Db): MongoCollection<LeaseRow> => db.collection('leases');

export type Place = Pick<Collection, 'name' | 'version' | 'build'>;

/**
 * The name while it is not served: `bank_accounts_build_7`; without builds `bank_accounts`, and `bank_accounts_v2` for
 * its second version. Names of projections have no digits, so none of these is that of another projection.
 */
export function nameOf({ name, version, build }: Place): string {
  if (OWN_COLLECTIONS.includes(name)) throw new Error(`A projection cannot be called ${name}.`);
  if (/[.$\0]/.test(name)) throw new Error(`${JSON.stringify(name)} cannot be the name of a collection.`);
  if (build) return `${name}_build_${build}`;
  return version === 1 ? name : `${name}_v${version}`;
}

export type Live = Readonly<Record<string, LiveRow>>;

/** The name of the collection that holds the documents now: the projection's own name where they are served. */
export function placeIn(live: Live, place: Place): string {
  const served = live[place.name];
  if (!served) return nameOf(place);
  const isServed = place.build === undefined || isSameBuild(served, place);
  return isServed ? place.name : nameOf(place);
}

export function isSameBuild(served: LiveRow, { version, build = 0 }: Omit<Place, 'name'>): boolean {
  return served.version === version && served.build === build;
}
