/**
 * How a read model's document is written in MongoDB: its own fields as they are, the minor units beside each amount,
 * and the bookkeeping in `_meta`. Pure.
 */
import { BSON } from 'mongodb';
import type {
  Collection,
  Document,
  MinorUnits,
  StoredDocument,
} from '../../event-sourcing/read-model-store.ts';
import { StoreError } from '../../event-sourcing/store-error.ts';

export interface Meta {
  readonly position: bigint;
  readonly sequence: bigint;
  readonly blocked: boolean;
  /** Which event store it was folded from: the generation in the collection `source`. */
  readonly generation: number;
  /** Missing: the body is the fields beside. `null`: there is no body. A string: the body as JSON text. */
  readonly body?: string | null;
}

/** A document as it is stored. */
export interface Row {
  readonly _id: string;
  readonly _meta: Meta;
  readonly [field: string]: unknown;
}

/** A document that is ready to be sent. */
export interface Encoded {
  readonly key: string;
  readonly meta: Meta;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const META = '_meta';
const MINOR = '_minor';

/** A server takes 16 MiB at most; what is written around the fields needs some of it. */
const SIZE_MAX_BYTES = 16 * 1024 * 1024 - 16 * 1024;
/** JSON of fewer characters than this is never too large: a character becomes eight bytes at most. */
const SURELY_FITS_CHARACTERS = 1_000_000;
/** A server takes a nesting of 100. */
const DEPTH_MAX = 50;

/** @throws StoreError `invalid_request` when the document is not JSON, or too large for the server. */
export function encode(collection: Collection, stored: StoredDocument, generation: number): Encoded {
  const { key, position, sequence, blocked, document } = stored;
  const meta: Meta = { position, sequence, blocked, generation };
  if (document === undefined) return { key, fields: {}, meta: { ...meta, body: null } };
  const text = toJson(collection, key, document);
  // What JSON makes of it is what every other store gives back, and the caller may change its own object meanwhile.
  const body = JSON.parse(text) as Document;
  const encoded = speaksForItself(body)
    ? { key, meta, fields: withMinorUnits(body, minorUnitsOf(collection, body)) }
    : { key, meta: { ...meta, body: text }, fields: indexedFields(collection, body) };
  if (text.length > SURELY_FITS_CHARACTERS) mustFit(collection, encoded);
  return encoded;
}

/** The row as it is written; a replacement keeps the sequence that the stored one has. */
export function rowOf({ key, meta, fields }: Encoded, sequence = meta.sequence): Row {
  return { _id: key, ...fields, [META]: { ...meta, sequence } };
}

export function decode<D extends Document>(row: Row): StoredDocument<D> {
  const { position, sequence, blocked, body } = row[META];
  const known = { key: row._id, sequence, position, blocked };
  if (body === null) return known;
  return { ...known, document: (body === undefined ? bodyOf(row) : JSON.parse(body)) as D };
}

function toJson(collection: Collection, key: string, document: Document): string {
  try {
    return JSON.stringify(document);
  } catch (error) {
    const what = `The document ${JSON.stringify(key)} of ${collection.name}`;
    throw new StoreError('invalid_request', `${what} cannot be written as JSON.`, { cause: error });
  }
}

function mustFit(collection: Collection, encoded: Encoded): void {
  if (BSON.calculateObjectSize(rowOf(encoded)) <= SIZE_MAX_BYTES) return;
  const what = `The document ${JSON.stringify(encoded.key)} of ${collection.name}`;
  throw new StoreError('invalid_request', `${what} is larger than MongoDB's 16 MiB.`);
}

/** Whether the fields can be stored under their own names and come back as they were. */
function speaksForItself(body: Document): boolean {
  const names = Object.keys(body);
  return !names.some((name) => name === '_id' || name === META || isMinorOf(name, body)) && isPlain(body, 1);
}

/** Names with a dollar or a dot have a meaning of their own, and BSON has no lone surrogates. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  if (depth > DEPTH_MAX) return false;
  if (Array.isArray(value)) return value.every((one) => isPlain(one, depth + 1));
  return Object.entries(value).every(([name, one]) => isPlainName(name) && isPlain(one, depth + 1));
}

function isPlainName(name: string): boolean {
  return name !== '' && name !== '__proto__' && !/^\$|[.\0]/.test(name) && name.isWellFormed();
}

/** `find` and `rank` look for these by their names, whatever form the body has. */
function indexedFields({ indexes, rankings = [] }: Collection, body: Document): Record<string, unknown> {
  const texts = [...indexes, ...rankings.map(({ within }) => within)];
  const found = [
    ...texts.filter((field) => typeof body[field] === 'string'),
    ...rankings.map(({ by }) => by).filter((field) => typeof body[field] === 'number'),
  ];
  return Object.fromEntries(found.map((field) => [field, body[field]]));
}

function minorUnitsOf(collection: Collection, body: Document): MinorUnits {
  try {
    return collection.minorUnits?.(body) ?? {};
  } catch {
    // They are there for people who look at the database. A document is not held back for want of them.
    return {};
  }
}

function withMinorUnits(body: Document, minorUnits: MinorUnits): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    fields[name] = value;
    const minor = minorUnits[name];
    if (minor !== undefined && isStorable(minor)) fields[name + MINOR] = minor;
  }
  return fields;
}

function isStorable(minor: bigint | MinorUnits): boolean {
  if (typeof minor === 'bigint') return BigInt.asIntN(64, minor) === minor;
  return Object.values(minor).every(isStorable);
}

/** Every field that the document itself brought along: a `balance_minor` beside a `balance` is ours. */
function bodyOf(row: Row): Document {
  const own = Object.entries(row).filter(
    ([name]) => name !== '_id' && name !== META && !isMinorOf(name, row),
  );
  return Object.fromEntries(own);
}

function isMinorOf(name: string, fields: Readonly<Record<string, unknown>>): boolean {
  return name.endsWith(MINOR) && Object.hasOwn(fields, name.slice(0, -MINOR.length));
}
