/** Names what may be tried twice, so that it is done once. */
import { createHmac, hash } from 'node:crypto';
import type { Operation } from '../event-sourcing/operation-log.ts';
import type { RequestContext } from './mediator.ts';

/** Bytes kept of a SHA-256: still far beyond any chance of two being equal. */
const HASH_BYTES = 16;
/** The same in base64. */
const HASH_CHARACTERS = 22;

/**
 * The operation that a client's key stands for: the id is the key's hash, and the hash of the content is keyed with the
 * key, so that who reads the log and does not know the key cannot test guesses about what was asked.
 * @param scope where the key counts: keys of different kinds never meet
 * @param request what is asked, checked and plain; the order of its fields does not matter
 */
export function operationFor(scope: string, key: string, request: unknown): Operation {
  const content = createHmac('sha256', key).update(canonical(request)).digest();
  return { id: short(hashOf(scope, key)), contentHash: short(content) };
}

/** The operation that a command is when the client named it by a key, whichever way the command came in. */
export function operationOfKey(key: string, message: string, input: unknown): Operation {
  return operationFor('idempotency-key', key, { message, input });
}

/**
 * The operations of a batch's items: each is named by the batch's key and its own index. What the key makes is made
 * once for all of them, because thousands follow.
 * @returns for an index and what is asked, as a text that is always the same for the same request, the operation
 */
export function operationsOfBatch(key: string): (index: number, request: string) => Operation {
  const id = short(hashOf('batch', key));
  const secret = createHmac('sha256', key).update('batch').digest('base64url');
  return (index, request) => {
    const content = hash('sha256', secret + request, 'base64url');
    return { id: `${id}.${index}`, contentHash: content.slice(0, HASH_CHARACTERS) };
  };
}

/** The operation that the bank itself stands behind: what is asked follows from its name, so the name says it all. */
export function ownOperation(scope: string, name: string): Operation {
  const id = short(hashOf(scope, name));
  return { id, contentHash: id };
}

/** SHA-256 in one call, which takes two thirds of the time of a hash object. */
function hashOf(scope: string, name: string): Buffer {
  return hash('sha256', JSON.stringify([scope, name]), 'buffer');
}

function short(digest: Buffer): string {
  return digest.subarray(0, HASH_BYTES).toString('base64url');
}

/** JSON with the fields of every object in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}

/**
 * The id of an aggregate that a command creates. For an operation it follows from the operation's id, so that a second
 * try meets the aggregate that the first one made.
 */
export function newAggregateId(kind: string, { operation }: RequestContext, newId: () => string): string {
  return operation ? derivedId(kind, operation.id) : newId();
}

/** The id that always comes of the same name. */
export function derivedId(kind: string, name: string): string {
  const bytes = hashOf(kind, name).subarray(0, 16);
  // A UUID of version 8 (RFC 9562): the bits are our own affair.
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
