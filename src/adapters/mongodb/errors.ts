/** Says in the ports' words what the driver or the server could not do. */
import {
  BSON,
  MongoCompatibilityError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoServerSelectionError,
} from 'mongodb';
import { StoreError, type StoreErrorCode } from '../../event-sourcing/store-error.ts';

type Meaning = readonly [StoreErrorCode, string];

const NO_RIGHTS: Meaning = ['access_denied', 'does not let these credentials do it'];
const TOO_OLD: Meaning = ['unsupported', 'lacks something that OpenBank relies on'];

/** The server's error codes that mean more than "try again"; see the manual's list of error codes. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  13: NO_RIGHTS,
  18: ['access_denied', 'refuses these credentials'],
  8000: NO_RIGHTS,
  59: TOO_OLD,
  115: TOO_OLD,
  148: ['unsupported', 'has majority reads switched off'],
  64: ['unavailable', 'could not confirm a write on a majority of its members in time'],
  100: ['unavailable', 'has too few members to confirm a write on a majority of them'],
  10334: ['invalid_request', 'cannot hold a document of that size'],
  14031: ['disk_full', 'has no room: its disk is full'],
};

/** A server that is about to fail for want of room does not always have a code for it. */
const NO_ROOM = /no space left|disk is full|disk full/i;

/** @param name the server and database as messages name them, without credentials */
export function toStoreError(name: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const chain = causes(error);
  const [code, words] = firstOf(chain, meaningOf) ?? firstOf(chain, trouble) ?? ['unavailable', 'failed'];
  // The innermost error is the one that tells something: a refused connection, a name that is not known.
  const detail = chain.at(-1)?.message ?? String(error);
  return new StoreError(code, `${name} ${words} (${detail}).`, { cause: error });
}

/** Whether something exists already: a document with that key, or a collection of that name. */
export function isAlreadyThere(error: unknown): boolean {
  const code = codeOf(error);
  return code === DUPLICATE_KEY || code === NAMESPACE_EXISTS;
}

/** Whether there is no collection of that name. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === NAMESPACE_NOT_FOUND;
}

/** Reads again, once, where a query ended because its collection was replaced. @throws whatever else it was */
export function ifReplaced<T>(error: unknown, read: () => Promise<T>): Promise<T> {
  const replaced = causes(error).some((one) => codeOf(one) === QUERY_PLAN_KILLED);
  return replaced ? read() : Promise.reject(error);
}

export const DUPLICATE_KEY = 11_000;
const NAMESPACE_NOT_FOUND = 26;
const NAMESPACE_EXISTS = 48;
const QUERY_PLAN_KILLED = 175;

function meaningOf(error: Error): Meaning | undefined {
  const known = MEANINGS[codeOf(error) ?? -1];
  if (known) return known;
  if (NO_ROOM.test(error.message)) return MEANINGS[14031];
  if (error instanceof MongoCompatibilityError) return ['unsupported', 'is too old for OpenBank'];
  if (error instanceof MongoInvalidArgumentError || error instanceof BSON.BSONError)
    return ['invalid_request', 'cannot take what was sent'];
  return undefined;
}

function trouble(error: Error): Meaning | undefined {
  if (error instanceof MongoServerSelectionError) return ['unavailable', 'cannot be reached'];
  if (error instanceof MongoNetworkError) return ['unavailable', 'broke the connection'];
  return undefined;
}

/** The error and what caused it, outermost first. */
function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let one = error; one instanceof Error && chain.length < CAUSES_MAX; one = one.cause) chain.push(one);
  return chain;
}

const CAUSES_MAX = 10;

function codeOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' ? code : undefined;
}

function firstOf<T, R>(items: readonly T[], pick: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const picked = pick(item);
    if (picked !== undefined) return picked;
  }
  return undefined;
}
