/** One checksum over many events, however their streams are interleaved: stores with equal digests hold the same events. */
import { hash } from 'node:crypto';
import type { RecordedEvent } from '../event-store.ts';

const BITS = 256;

/**
 * The sum, modulo 2^256, of the SHA-256 of each event's stream, revision, id, type, data and metadata. Position and
 * recorded time are the store's own, and the order within a stream is in the revisions, so none of them is summed.
 */
export type EventDigest = bigint;

export const EMPTY_DIGEST: EventDigest = 0n;

export function digestOf({ stream, revision, id, type, data, metadata }: RecordedEvent): EventDigest {
  const text = JSON.stringify([stream, revision, id, type, data, metadata]);
  return BigInt(`0x${hash('sha256', text)}`);
}

export function addDigests(a: EventDigest, b: EventDigest): EventDigest {
  return BigInt.asUintN(BITS, a + b);
}

/** 64 hex digits. */
export function digestText(digest: EventDigest): string {
  return digest.toString(16).padStart(BITS / 4, '0');
}
